# Text files that the controller edits (module/edit.rs). Uses file.sh and replace.sh.

# edit PATH: sends the content and asks what becomes of it: r_verdict (write, keep), r_changed, r_msg
# and what else the module's function says. Then `answer` is the new content, unless in check mode.
edit() {
    put ioms/path "$1"
    if [ -e "$1" ]; then
        [ -r "$1" ] || fail "$1 can't be read"
        [ "$(($(wc -c <"$1")))" -le 10485760 ] || fail "$1 is larger than 10 MiB, which is not edited"
        put_bool ioms/there 1
        put_bytes ioms/old "$1"
    else
        put_bool ioms/there 0
    fi
    ask edit
    [ "$r_verdict" != fail ] || fail "$r_msg"
    [ -z "$r_changed" ] || changed=1
}

# edit_write PATH BACKUP [DIFF]: makes the answer the content of the file; BACKUP is the result's name
# for a backup. A link is replaced: who follows links says the `real` path.
edit_write() {
    if [ ! -e "$1" ]; then
        ioms_e=$(mkdir -p -- "$(parent "$1")" 2>&1) || fail "Error creating $(parent "$1") ($ioms_e)"
    elif [ "${p_backup-}" ]; then
        backup "$1" "$2"
    fi
    beside "$1"
    # The content of what a link leads to is as open as there.
    [ ! -L "$1" ] || [ ! -e "$1" ] || { like "$1"; ioms_fresh=; }
    ioms_e=$(answer 2>&1 >"$ioms_new") || fail "Could not write $1: $ioms_e"
    [ "$(($(wc -c <"$ioms_new")))" -eq "$answer_size" ] || fail "Could not write $1: it is not whole"
    place "$1" "${3-}"
}

# edit_done PATH BACKUP [list]: the rest of it: writes where that is to be, and sees to attributes.
# `list`: the diff is a list (DiffForm::List). Links are followed where a module has no `follow`.
edit_done() {
    f_differs= ioms_at=
    if [ ! -e "$1" ]; then
        [ -z "$check" ] && [ "$r_verdict" = write ] || return 0
    fi
    if [ "$diff" ] && [ "${3-}" ]; then
        ioms_at=diff/-
        put diff/+/before_header "$1 (file attributes)"
        put diff/-/after_header "$1 (file attributes)"
    fi
    ioms_r=$1
    [ -z "${p_follow-1}" ] || ioms_r=$(real "$1")
    if [ "$r_verdict" = write ] && [ -z "$check" ]; then
        edit_write "$ioms_r" "$2" "$ioms_at"
    else
        attributes "$ioms_r" "$ioms_at"
        flags "$ioms_r"
    fi
    [ -z "$f_differs" ] || put msg "${r_msg:+$r_msg and }ownership, perms or SE linux context changed"
}

# no_folder PATH: as modules that edit refuse one.
no_folder() { [ ! -d "$1" ] || { put_int rc 256; fail "Path $1 is a directory !"; }; }
