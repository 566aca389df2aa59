# Files that are replaced at one stroke. Uses file.sh.

# beside PATH: a file near it, of the same owner, mode and attributes: ioms_new.
beside() {
    ioms_d=$(parent "$1")
    if ioms_nest=$(nest "$ioms_d"); then
        enter 8 "$ioms_nest"
        ioms_new=$(mktemp "$ioms_pin/new.XXXXXXXXXX" 2>&1) || { ioms_e=$ioms_new ioms_new=; fail "Could not write in $ioms_d: $ioms_e"; }
        is_ours "$ioms_pin" "$ioms_new"
    else
        ioms_nest=
        [ "${p_unsafe_writes-}" ] || fail "The destination directory ($ioms_d) is not writable by the current user."
        temporary
        ioms_new=$ioms_temporary/new
    fi
    ioms_fresh=
    if [ -e "$1" ] && [ ! -L "$1" ]; then
        like "$1"
    else
        # It is its maker's alone up to `place`: it may hold a secret.
        ioms_fresh=1
    fi
}
# nest FOLDER: a new folder within it that is ours alone, so that nobody plants links where we write.
nest() { mktemp -d "$1/.ioms.XXXXXXXXXX" 2>/dev/null; }

# enter FD FOLDER: ioms_pin, by which it is the same folder although the owner of the one above may put
# another in its place.
enter() {
    ioms_pin=$2
    [ -d /proc/self/fd ] || return 0
    # Else mksh keeps it from the programs that are to use it.
    case ${KSH_VERSION-} in *'MIRBSD KSH'*|*'LEGACY KSH'*) set -o posix ;; esac
    eval "command exec $1<\"\$2\"" || fail "$2 is gone"
    ioms_pin=/proc/self/fd/$1
}

# is_ours FOLDER FILE: what we make in it is its owner's, as it is if we made it. (Some file systems know
# but one owner, and no mode.)
is_ours() {
    ls -lnd -- "$1/." "$2" | awk '{ owner[$3] } END { for (o in owner) n++; exit n != 1 }' || fail "$ioms_d: another folder was put in the place of ours"
}

# discard: it is not needed.
discard() {
    [ -z "$ioms_new" ] || rm -f -- "$ioms_new"
    [ -z "$ioms_nest" ] || rmdir -- "$ioms_nest" 2>/dev/null
    ioms_new= ioms_nest=
}

like() { cp --attributes-only --preserve=all -- "$1" "$ioms_new" 2>/dev/null || cp -p -- "$1" "$ioms_new"; }

# valid: whether the parameter's command finds it so. (It may be one that knows no descriptors of ours.)
valid() {
    is_given validate || return 0
    set -- "${ioms_nest:+$ioms_nest/}${ioms_new#"${ioms_nest:+"$ioms_pin/"}"}"
    case $p_validate in *%s*) ;; *) fail "validate must contain %s: $p_validate" ;; esac
    ioms_q=$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")
    ioms_e=$(own_locale; sh -c "${p_validate%%'%s'*}'$ioms_q'${p_validate#*'%s'}" 2>&1 </dev/null) || {
        ioms_rc=$?
        put_int exit_status "$ioms_rc"; put stderr "$ioms_e"
        fail "failed to validate: rc:$ioms_rc error:$ioms_e"
    }
}

# backup PATH NAME: keeps a copy, which the result's NAME says.
backup() {
    # Not $$, which is the same for all programs of a shell.
    ioms_b="$1.$(sh -c 'echo $PPID').$(date +%Y-%m-%d@%H:%M:%S)~"
    ioms_e=$(cp -p -- "$1" "$ioms_b" 2>&1) || fail "Could not make backup of $1 to $ioms_b: $ioms_e"
    put "$2" "$ioms_b"
}

# rename FROM TO: a link to a folder is replaced, too, not what is in that.
rename() {
    case $(mv --help 2>&1) in
        *-T*) mv -fT -- "$1" "$2" ;;
        *) [ ! -L "$2" ] || [ ! -d "$2" ] || rm -f -- "$2"; mv -f -- "$1" "$2" ;;
    esac
}

# exchange PATH COMMAND...: makes a new PATH with the command, which gets a name as its last word, at one stroke.
exchange() {
    ioms_t=$1
    shift
    ioms_new=$(parent "$ioms_t")/.ioms.${ioms_mark%"${ioms_mark#????????}"}
    ioms_e=$("$@" "$ioms_new" 2>&1) || { ioms_new=; fail "Error while linking: $ioms_e"; }
    ioms_e=$(rename "$ioms_new" "$ioms_t" 2>&1) || fail "Error while replacing: $ioms_e"
    ioms_new=
}

# place PATH [DIFF]: what is in $ioms_new is valid, gets its attributes and takes PATH's place.
place() {
    valid
    if [ "$ioms_fresh" ]; then
        # What symbols change, and what it has without a mode, is a new file's.
        ioms_base=0644
        case ${p_mode-} in ''|preserve) chmod 644 "$ioms_new" ;; esac
    fi
    attributes "$ioms_new" "${2-}"
    ioms_base=
    ioms_e=$(rename "$ioms_new" "$1" 2>&1) || {
        [ "${p_unsafe_writes-}" ] || fail "Could not replace file: $1: $ioms_e"
        [ ! -L "$1" ] || rm -f -- "$1"
        ioms_e=$(cat "$ioms_new" 2>&1 >"$1") || fail "Could not write data to file $1: $ioms_e"
    }
    discard
    [ -z "$ioms_fresh" ] || is_given setype || ! has_selinux || restorecon "$1" 2>/dev/null
    flags "$1"
}
