# Content that becomes a file of the host. Uses file.sh, replace.sh and digest.sh.

# deliver FROM DEST: makes FROM (a file here; empty: the payload) the file DEST, where it is another.
# Sets changed, and d_same where it was the same; says no facts. `d_quiet`: nor the diff.
deliver() { if deliver_same "$1" "$2"; then deliver_kept "$2"; else deliver_new "$1" "$2"; fi; }
deliver_kept() {
    d_same=1
    ioms_r=
    [ -z "$diff" ] || [ "${d_quiet-}" ] || ioms_r=diff/-
    [ -z "$ioms_r" ] || [ -z "${p_owner-}${p_group-}${p_mode-}" ] || put diff/+/before_header "$1 (file attributes)"
    attributes "$1" "$ioms_r"
    flags "$1"
}
deliver_new() {
    if [ -d "$2" ] && [ ! -L "$2" ]; then fail "$2 is a folder"; fi
    d_same=
    changed=1
    [ -z "$diff" ] || [ "${d_quiet-}" ] || deliver_before "$1" "$2"
    [ -z "$check" ] || return 0
    [ -z "${p_backup-}" ] || [ ! -e "$2" ] || backup "$2" backup_file
    beside "$2"
    if [ "$1" ]; then
        ioms_e=$(cat <"$1" 2>&1 >"$ioms_new") || fail "Could not write $2: $ioms_e"
    else
        payload "$ioms_new"
        [ "$(($(wc -c <"$ioms_new")))" -eq "$payload_size" ] || fail "Could not write $2: it is not whole"
        ioms_e=$(digest md5 "$ioms_new") || ioms_e=$payload_md5
        [ "$ioms_e" = "$payload_md5" ] || fail "what came for $2 is not what was sent (MD5 $ioms_e, not $payload_md5)"
    fi
    place "$2"
}
deliver_same() {
    [ -f "$2" ] && [ ! -L "$2" ] || return 1
    if [ "$1" ]; then cmp -s -- "$1" "$2"
    else
        [ "$(($(wc -c <"$2")))" -eq "$payload_size" ] && [ "$(digest md5 "$2")" = "$payload_md5" ]
    fi
}
# The diff's contents; the controller knows what it sends.
deliver_before() {
    put diff/+/before_header "$2"
    if [ -f "$2" ]; then deliver_shown before "$2" dst; else put diff/-/before ''; fi
    [ -z "$1" ] || { put diff/-/after_header "$1"; deliver_shown after "$1" src; }
}
deliver_shown() {
    if [ "$(($(wc -c <"$2")))" -gt 104448 ]; then put_int "diff/-/$3_larger" 104448
    elif [ "$(tr -d '\000' <"$2" | wc -c)" -ne "$(wc -c <"$2")" ]; then put_int "diff/-/$3_binary" 1
    else put_file "diff/-/$1" "$2"
    fi
}

# parents FOLDER: makes it and what is missing above it, of mode `directory_mode`.
parents() {
    [ ! -d "$1" ] || return 0
    changed=1
    [ -z "$check" ] || return 0
    set -- "$1"
    while [ ! -d "$(parent "$1")" ]; do set -- "$(parent "$1")" "$@"; done
    for ioms_f do
        ioms_e=$(mkdir -- "$ioms_f" 2>&1) || [ -d "$ioms_f" ] || fail "can't make $ioms_f: $ioms_e"
        folder_attributes "$ioms_f"
    done
}
# folder_attributes FOLDER: as files', but of mode `directory_mode`.
folder_attributes() {
    ioms_keep=${p_mode-} ioms_had=${p_mode+1}
    if [ "${p_directory_mode+1}" ]; then p_mode=$p_directory_mode; else unset p_mode; fi
    attributes "$1"
    if [ "$ioms_had" ]; then p_mode=$ioms_keep; else unset p_mode; fi
}

# where_to NAME: settles `dest` from p_dest: within a folder, the file is called NAME.
where_to() {
    case $p_dest in
    */)
        [ "$1" ] || fail 'can not use content with a dir as dest'
        parents "${p_dest%"${p_dest##*[!/]}"}"
        dest=$p_dest$1 ;;
    *)
        dest=$p_dest
        if [ -d "$dest" ]; then
            [ "$1" ] || { put dest "$dest"; fail 'can not use content with a dir as dest'; }
            dest=$dest/$1
        elif [ ! -d "$(parent "$dest")" ] && [ -z "${d_makes_parents-}" ]; then
            [ "${p_remote_src-}" ] || [ -z "${x_sha1-}" ] || put checksum "$x_sha1"
            fail "Destination directory $(parent "$dest") does not exist"
        fi ;;
    esac
    [ -z "${p_follow-}" ] || [ ! -L "$dest" ] || dest=$(real "$dest")
    later dest s "$dest"
}
