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
        cp --attributes-only --preserve=all -- "$1" "$ioms_new" 2>/dev/null || cp -p -- "$1" "$ioms_new"
    else
        ioms_fresh=1
        # A secret's file is never open to all, not even for a moment.
        case ${p_mode-} in ''|*[!0-7]*) chmod 644 "$ioms_new" ;; esac
    fi
}

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
    attributes "$ioms_new" "${2-}"
    ioms_e=$(mv -f -- "$ioms_new" "$1" 2>&1) || {
        [ "${p_unsafe_writes-}" ] || fail "Could not replace file: $ioms_new to $1: $ioms_e"
        ioms_e=$(cat "$ioms_new" 2>&1 >"$1") || fail "Could not write data to file $1: $ioms_e"
        rm -f -- "$ioms_new"
    }
    ioms_new=
    [ -z "$ioms_fresh" ] || is_given setype || ! has_selinux || restorecon "$1" 2>/dev/null
    flags "$1"
}
