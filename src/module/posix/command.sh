# What command and shell share.

# Leaves out what need not be run.
command_guard() {
    [ -z "${p_chdir+1}" ] || cd -- "$p_chdir" 2>/dev/null || { put_int rc 1; fail "Unable to change directory before execution: $p_chdir"; }
    # Wildcards are read, blanks are not.
    ioms_ifs=$IFS IFS=
    if is_given creates; then
        for f in $p_creates; do
            if [ -e "$f" ] || [ -L "$f" ]; then
                put stdout "skipped, since $p_creates exists"; put_int rc 0
                finish "Did not run command since '$p_creates' exists"
            fi
        done
    fi
    if is_given removes; then
        ioms_there=
        for f in $p_removes; do [ ! -e "$f" ] && [ ! -L "$f" ] || ioms_there=1; done
        if [ -z "$ioms_there" ]; then
            put stdout "skipped, since $p_removes does not exist"; put_int rc 0
            finish "Did not run command since '$p_removes' does not exist"
        fi
    fi
    IFS=$ioms_ifs
    [ "$check" ] || return 0
    put stdout ''; put stderr ''; put_int rc 0
    # A condition on files was held against what is there, so that much is known.
    if is_given creates || is_given removes; then changed=1
    else put_bool skipped 1
    fi
    finish 'Command would have run if not in check mode'
}

# Replaces $NAME and ${NAME} in words by the host's variables, and ~ and ~NAME at their beginning by homes;
# what is not known stays as it is.
command_expand() {
    ioms_words=
    for ioms_w in "$@"; do
        ioms_o=
        while :; do
            case $ioms_w in *'$'*) ;; *) break ;; esac
            ioms_o=$ioms_o${ioms_w%%'$'*} ioms_w=${ioms_w#*'$'}
            case $ioms_w in
                '{'*'}'*) ioms_n=${ioms_w#'{'}; ioms_n=${ioms_n%%'}'*}; ioms_r=${ioms_w#*'}'}; ioms_l="\${$ioms_n}" ;;
                *) ioms_n=${ioms_w%%[!A-Za-z0-9_]*}; ioms_r=${ioms_w#"$ioms_n"}; ioms_l="\$$ioms_n" ;;
            esac
            case $ioms_n in
                ''|[0-9]*|*[!A-Za-z0-9_]*) ioms_o="$ioms_o\$" ;;
                # As the command will have it.
                LC_ALL) if [ "$ioms_all_set" ]; then ioms_o=$ioms_o$ioms_all; else ioms_o=$ioms_o$ioms_l; fi; ioms_w=$ioms_r ;;
                *) eval "if [ \"\${$ioms_n+1}\" ]; then ioms_o=\$ioms_o\$$ioms_n; else ioms_o=\$ioms_o\$ioms_l; fi"; ioms_w=$ioms_r ;;
            esac
        done
        ioms_o=$ioms_o$ioms_w
        ioms_n=${ioms_o%%/*}
        case $ioms_n in
        '~'[!A-Za-z_]*|'~'*[!A-Za-z0-9_.-]*) ;;
        '~'*) eval "ioms_l=$ioms_n"; ioms_o=$ioms_l${ioms_o#"$ioms_n"} ;;
        esac
        ioms_words="$ioms_words '$(printf '%s\n' "$ioms_o" | sed "s/'/'\\\\''/g")'"
    done
}

# command_found PROGRAM...: fails, as the call of the program would, where it is not there.
command_found() {
    ioms_found=
    case $1 in
    */*) [ ! -e "$1" ] || ioms_found=$1 ;;
    *)
        ioms_ifs=$IFS; IFS=:
        for ioms_d in $PATH; do [ ! -f "$ioms_d/$1" ] || [ ! -x "$ioms_d/$1" ] || ioms_found=1; done
        IFS=$ioms_ifs ;;
    esac
    case $1 in */*) [ -z "$ioms_found" ] || { [ -f "$1" ] && [ -x "$1" ]; } || command_denied 13 "$@" ;; esac
    [ "$ioms_found" ] || command_denied 2 "$@"
}
command_denied() {
    put_int rc "$1"; put stdout ''; put stderr ''
    shift
    ioms_words=
    for ioms_w do
        case $ioms_w in
        ''|*[!A-Za-z0-9@%_+=:,./-]*) ioms_w="'$(printf '%s\n' "$ioms_w" | sed "s/'/'\"'\"'/g")'" ;;
        esac
        ioms_words="$ioms_words${ioms_words:+ }$ioms_w"
    done
    put cmd "$ioms_words"
    fail 'Error executing command.'
}

# Runs the words; their output is the record's `stdout`, their errors the channel's. What they leave
# running may hold these for ever: they are given pipes, not the streams by which the host is spoken to.
# The record ends before the pipes do.
command_run() {
    changed=1
    { command_spoken "$@" 2>&1 >&4 4>&- | cat >&2 4>&-; } 4>&1 | cat
    ioms_recorded=1
    exit 0
}
command_spoken() {
    put_open stdout
    if is_given stdin; then
        if [ "$p_stdin_add_newline" ]; then printf '%s\n' "$p_stdin"; else printf '%s' "$p_stdin"; fi | (own_locale; exec "$@")
    else
        (own_locale; exec "$@")
    fi
    later rc i "$?"
    ioms_said
}
