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
    parents "$d_root${x_within:+/$x_within}"
    d_root=$d_root${x_within:+/$x_within}
    : >"$ioms_temporary/have"
    if [ -d "$d_root" ]; then
        sed -n 's|^f [0-7]* |./|p' "$ioms_temporary/list" | tr '\n' '\000' | (cd "$d_root" && has md5sum && xargs -0 md5sum 2>/dev/null) >"$ioms_temporary/have"
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
            else parents "$d_root/$f"
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
                rm -f -- "$d_root/$f"
                ioms_e=$(mv -f -- "$d_stage/$f" "$d_root/$f" 2>&1) || fail "$d_root/$f: $ioms_e"
            } ;;
        esac
    done <"$ioms_temporary/list"
    rm -rf -- "$d_nest"
    ioms_new=
}

# copy_mode FROM TO: p_mode (of a folder: p_directory_mode) is FROM's, where that is to be TO's.
copy_mode() {
    ioms_m=$(look "$(real "$1")"; echo "$f_mode")
    case $kind in
    d)
        [ -z "$d_folders" ] && [ ! -d "$2" ] || return 0
        parents "$(parent "$2")"
        p_directory_mode=$ioms_m ;;
    f)
        p_mode=$ioms_m
        [ "$d_mode" ] || ! deliver_same "$1" "$2" || unset p_mode ;;
    esac
}

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
        case $d_mode in ''|preserve) copy_mode "$d_source/$f" "$to" ;; esac
        case $kind in
        d) parents "$to"; [ "$d_folders" ] || unset p_directory_mode ;;
        f) [ -e "$to" ] && [ -z "$p_force" ] || deliver "$d_source/$f" "$to" ;;
        l)
            [ "$(readlink "$to")" = "$(readlink "$d_source/$f")" ] || {
                changed=1
                [ "$check" ] || { rm -f -- "$to"; try ln -s -- "$(readlink "$d_source/$f")" "$to"; }
            } ;;
        esac
    done <"$ioms_temporary/list"
}
