# Files that are replaced at one stroke. Uses file.sh.

# beside PATH: a file in the same folder, of the same owner, mode and attributes: ioms_new.
beside() {
    ioms_d=$(parent "$1")
    ioms_new=$(mktemp "$ioms_d/.ioms.XXXXXXXXXX" 2>/dev/null) || {
        [ "${p_unsafe_writes-}" ] || { ioms_new=; fail "The destination directory ($ioms_d) is not writable by the current user."; }
        temporary
        ioms_new=$ioms_temporary/new
    }
    ioms_fresh=
    if [ -e "$1" ] && [ ! -L "$1" ]; then
        like "$1"
    else
        # It is its maker's alone up to `place`: it may hold a secret.
        ioms_fresh=1
    fi
}
like() { cp --attributes-only --preserve=all -- "$1" "$ioms_new" 2>/dev/null || cp -p -- "$1" "$ioms_new"; }

# valid FILE: whether the parameter's command finds it so.
valid() {
    is_given validate || return 0
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
    ioms_b="$1.$$.$(date +%Y-%m-%d@%H:%M:%S)~"
    ioms_e=$(cp -p -- "$1" "$ioms_b" 2>&1) || fail "Could not make backup of $1 to $ioms_b: $ioms_e"
    put "$2" "$ioms_b"
}

# place PATH [DIFF]: what is in $ioms_new is valid, gets its attributes and takes PATH's place.
place() {
    valid "$ioms_new"
    if [ "$ioms_fresh" ]; then
        # What symbols change, and what it has without a mode, is a new file's.
        ioms_base=0644
        case ${p_mode-} in ''|preserve) chmod 644 "$ioms_new" ;; esac
    fi
    attributes "$ioms_new" "${2-}"
    ioms_base=
    # A link to a folder is replaced, too, not what is in that.
    [ ! -L "$1" ] || [ ! -d "$1" ] || rm -f -- "$1"
    ioms_e=$(mv -f -- "$ioms_new" "$1" 2>&1) || {
        [ "${p_unsafe_writes-}" ] || fail "Could not replace file: $ioms_new to $1: $ioms_e"
        [ ! -L "$1" ] || rm -f -- "$1"
        ioms_e=$(cat "$ioms_new" 2>&1 >"$1") || fail "Could not write data to file $1: $ioms_e"
        rm -f -- "$ioms_new"
    }
    ioms_new=
    [ -z "$ioms_fresh" ] || is_given setype || ! has_selinux || restorecon "$1" 2>/dev/null
    flags "$1"
}
