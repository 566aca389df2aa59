# Folders that are copied. Uses what copy uses.

# A folder of the controller: it says what there is to be (list), hears what is here already, and sends
# the rest as one archive.
copy_tree() {
    case $p_dest in */) d_root=${p_dest%/} ;; *) d_root=$p_dest ;; esac
    put dest "$p_dest"
    put src "$x_tree"
    temporary
    ask list
    answer_to "$ioms_temporary/list"
    d_root=$d_root${x_within:+/$x_within}
    open_folder "$d_root"
    : >"$ioms_temporary/have"
    if [ -d "$d_root/" ]; then
        sed -n 's|^f [0-7]* |./|p' "$ioms_temporary/list" | tr '\n' '\000' | (cd "$d_root/" && has md5sum && xargs -0 md5sum 2>/dev/null) >"$ioms_temporary/have"
        has md5sum || sed -n 's/^f [0-7]* //p' "$ioms_temporary/list" | while IFS= read -r f; do
            [ ! -f "$d_root/$f" ] || printf "%s  %s\n" "$(digest md5 "$d_root/$f")" "$f"
        done >"$ioms_temporary/have"
        sed -n 's/^l [0-7]* //p' "$ioms_temporary/list" | while IFS= read -r f; do
            [ ! -L "$d_root/$f" ] || printf 'l %s\n%s\n' "$f" "$(readlink "$d_root/$f")"
        done >>"$ioms_temporary/have"
    fi
    put_file ioms/have "$ioms_temporary/have"
    ask send
    d_stage=$ioms_temporary/tree
    mkdir "$d_stage"
    d_nest=$d_stage
    if [ "$r_verdict" = write ]; then
        changed=1
        [ -z "$check" ] || return 0
        # Near its place, where there is room for it.
        d_nest=$(nest "$d_root") || fail "$d_root is not writable by the current user."
        ioms_new=$d_nest ioms_d=$d_root
        enter 7 "$d_nest"
        d_stage=$ioms_pin
        d_probe=$(mktemp "$d_stage/.ioms.XXXXXXXXXX") || fail "Could not write in $d_root"
        is_ours "$d_stage" "$d_probe"
        rm -f -- "$d_probe"
        ioms_e=$(answer | (cd "$d_stage" && tar -xpf - 2>&1)) || fail "tar: $ioms_e"
        [ -z "$ioms_e" ] || [ "$(find "$d_stage/." | head -n 2 | wc -l)" -gt 1 ] || fail "tar: $ioms_e"
    fi
    d_quiet=1 d_mode=${p_mode-} d_folders=${p_directory_mode-}
    while IFS= read -r f; do
        kind=${f%% *} f=${f#* }
        mode=${f%% *} f=${f#* }
        [ "$d_mode" != preserve ] || p_mode=$mode
        case $kind in
        d)
            case $d_folders$d_mode in preserve) p_directory_mode=$mode ;; esac
            if [ -d "$d_root/$f" ]; then
                [ -z "${p_owner-}${p_group-}${p_directory_mode-}" ] || folder_attributes "$d_root/$f"
            else open_folder "$d_root/$f"
            fi ;;
        f)
            if [ -f "$d_stage/$f" ]; then
                ioms_new=
                deliver "$d_stage/$f" "$d_root/$f"
                rm -f -- "$d_stage/$f"
                ioms_new=$d_nest
            elif [ "${p_owner-}${p_group-}${p_mode-}" ] && [ -f "$d_root/$f" ]; then
                attributes "$d_root/$f"
            fi ;;
        l)
            [ ! -L "$d_stage/$f" ] || {
                copy_no_folder "$d_root/$f"
                ioms_e=$(rename "$d_stage/$f" "$d_root/$f" 2>&1) || fail "$d_root/$f: $ioms_e"
            } ;;
        esac
    done <"$ioms_temporary/list"
    rm -rf -- "$d_nest"
    ioms_new=
    close_folders
}

# open_folder FOLDER: makes it, as `parents` does, and what is missing above it. Where its mode would keep
# us from putting things in, it gets that at the end, by close_folders.
open_folder() {
    [ ! -d "$1/" ] || return 0
    open_folder "$(parent "$1")"
    parents "$1"
    [ -z "$check" ] || return 0
    [ ! -w "$1" ] || [ ! -x "$1" ] || return 0
    look "$1"
    printf '%s %s\n' "$f_mode" "$1" >>"$ioms_temporary/open"
    try chmod -- u+rwx "$1"
}
close_folders() {
    [ -e "$ioms_temporary/open" ] || return 0
    # The innermost first.
    sed '1!G;h;$!d' "$ioms_temporary/open" >"$ioms_temporary/close"
    while IFS= read -r f; do try chmod -- "${f%% *}" "${f#* }"; done <"$ioms_temporary/close"
}

# copy_no_folder PATH: a link is not to be put into a folder that stands where it should be.
copy_no_folder() { [ -L "$1" ] || [ ! -d "$1" ] || fail "$1 is a folder"; }

# mode_of PATH: f_mode, of what is behind a link.
mode_of() { if [ -L "$1" ]; then look "$(real "$1")"; else look "$1"; fi; }

# A folder of the host. Where no mode is said, what is made or replaced has its source's; links stay links
# unless `local_follow` is said.
copy_folder() {
    case $p_src in */) d_root=${p_dest%/} ;; *) d_root=${p_dest%/}/${p_src##*/} ;; esac
    [ -d "$p_dest" ] || case $p_src in */) ;; *) d_root=${p_dest%/}/${p_src##*/} ;; esac
    put dest "$p_dest"
    d_source=${p_src%/} d_quiet=1 d_mode=${p_mode-} d_folders=${p_directory_mode-}
    temporary
    ioms_l=-L
    [ "${p_local_follow-}" ] || ioms_l=
    [ -z "$(find $ioms_l "$d_source/." -name "*$nl*" 2>/dev/null | head -n 1)" ] || fail "a name in $p_src holds a newline: such files are not copied"
    (cd "$d_source/." && find $ioms_l . -type d && echo && find $ioms_l . -type f && echo && find $ioms_l . -type l) | cat >"$ioms_temporary/list" || fail "can't write $ioms_temporary/list"
    kind=d
    while IFS= read -r f; do
        f=${f#./}
        case $f in
        '') case $kind in d) kind=f ;; *) kind=l ;; esac; continue ;;
        .) f= ;;
        esac
        to=$d_root${f:+/$f}
        case $kind in
        d) copy_one_folder "$d_source/$f" "$to" ;;
        f) [ -z "$p_force" ] && [ -e "$to" ] || copy_file "$d_source/$f" "$to" ;;
        l)
            ioms_l=$(readlink "$d_source/$f")
            [ "$(readlink "$to")" = "$ioms_l" ] || {
                copy_no_folder "$to"
                changed=1
                [ "$check" ] || exchange "$to" ln -s -- "$ioms_l"
            } ;;
        esac
    done <"$ioms_temporary/list"
    close_folders
}
copy_one_folder() {
    [ ! -d "$2/" ] || return 0
    case $d_folders$d_mode in
    ''|preserve)
        open_folder "$(parent "$2")"
        mode_of "$1"
        p_directory_mode=$f_mode ;;
    esac
    open_folder "$2"
    [ "$d_folders" ] || unset p_directory_mode
}
copy_file() {
    case $d_mode in
    '')
        if deliver_same "$1" "$2"; then deliver_kept "$2"
        else
            mode_of "$1"
            p_mode=$f_mode
            deliver_new "$1" "$2"
            unset p_mode
        fi ;;
    preserve)
        mode_of "$1"
        p_mode=$f_mode
        deliver "$1" "$2" ;;
    *) deliver "$1" "$2" ;;
    esac
}
