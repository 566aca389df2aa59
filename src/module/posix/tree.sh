# Attributes of all that is within a folder. Uses file.sh.

# tree_attributes FOLDER: owner, group and mode of the parameters for all within; `follow`: of what
# links lead to as well.
tree_attributes() {
    ioms_l=
    [ -z "${p_follow-}" ] || ioms_l=-L
    if [ "${p_owner+1}" ]; then
        ioms_w=$(id -u -- "$p_owner" 2>/dev/null) || ioms_w=$p_owner
        tree_own "$1" -user chown
    fi
    if [ "${p_group+1}" ]; then
        ioms_w=$p_group
        tree_own "$1" -group chgrp
    fi
    case ${p_mode-} in
        ''|preserve) ;;
        *[!0-7]*)
            # What modes there are, folders and others apart.
            for ioms_t in d f; do
                for ioms_m in $(find $ioms_l "$1" -type "$ioms_t" -exec stat -c %a -- {} + 2>/dev/null | sort -u); do
                    f_mode=$(printf %04d "$ioms_m") f_state=file
                    [ "$ioms_t" = f ] || f_state=directory
                    wanted_mode
                    [ "$ioms_w" = "$f_mode" ] || tree_mode "$1" -type "$ioms_t" -perm "$f_mode"
                done
            done ;;
        *)
            wanted_mode
            tree_mode "$1" ! -type l ! -perm "$ioms_w" ;;
    esac
}
tree_own() {
    for ioms_k in '' $ioms_l; do
        [ "$(find $ioms_k "$1" ! "$2" "$ioms_w" 2>/dev/null | head -n 1)" ] || continue
        changed=1
        [ "$check" ] && continue
        if [ "$ioms_k" ]; then
            ioms_e=$(find -L "$1" ! "$2" "$ioms_w" ! -type l -exec "$3" -- "$ioms_w" {} + 2>&1) || fail "$3 failed: $ioms_e"
        else
            ioms_e=$(find "$1" ! "$2" "$ioms_w" -exec "$3" -h -- "$ioms_w" {} + 2>&1) || fail "$3 failed: $ioms_e"
        fi
    done
}
tree_mode() {
    [ "$(find $ioms_l "$@" 2>/dev/null | head -n 1)" ] || return 0
    changed=1
    [ "$check" ] || ioms_e=$(find $ioms_l "$@" -exec chmod -- "0$ioms_w" {} + 2>&1) || fail "chmod failed: $ioms_e"
}
