# Archives: what kind one is, what is in it. Uses file.sh.

# archive_kind FILE: a_kind (tar, zip), a_open (what makes a tar of it) and a_name, as Ansible calls it.
archive_kind() {
    case $(od -An -tx1 -N 6 <"$1" | tr -d ' \n') in
        504b0304*|504b0506*) a_kind=zip a_open= a_name=ZipArchive; return ;;
        1f8b*|1f9d*) a_open='gzip -dc' a_name=TgzArchive ;;
        425a68*) a_open='bzip2 -dc' a_name=TarBzipArchive ;;
        fd377a585a00) a_open='xz -dc' a_name=TarXzArchive ;;
        28b52ffd*) a_open='zstd -dcq' a_name=TarZstdArchive ;;
        *) a_open=cat a_name=TarArchive ;;
    esac
    a_kind=tar
    has "${a_open%% *}" || fail "Failed to find handler for \"$1\". Make sure the required command to extract the file is installed: ${a_open%% *}"
}

# archive_list FILE [OPTION...]: names of all that is in it; `gnu`: whether tar is GNU's.
archive_list() {
    ioms_a=$1
    shift
    if [ "$a_kind" = zip ]; then
        if has zipinfo; then zipinfo -1 "$ioms_a"
        else unzip_by -l "$ioms_a" | awk 'NR>3 && $1!~/^-/ && NF>3 {sub(/^ *[0-9]+ +[^ ]+ +[^ ]+ +/,""); print}' | sed '$d'
        fi
    else
        $a_open <"$ioms_a" | tar ${gnu:+--quoting-style=literal} -tf - "$@"
    fi
}
unzip_by() { if has unzip; then unzip "$@"; else busybox unzip "$@"; fi; }

# archive_extract FILE FOLDER: takes all of it out. a_include, a_exclude and a_options are words.
archive_extract() {
    ioms_a=$1 ioms_t=$2
    if [ "$a_kind" = zip ]; then
        eval "set -- $a_exclude"
        [ $# -eq 0 ] || set -- -x "$@"
        eval "set -- $a_options -o \"\$ioms_a\" $a_include \"\$@\" -d \"\$ioms_t\""
        unzip_by -q "$@"
    else
        eval "set -- $a_options $a_tar_exclude -C \"\$ioms_t\" -xf - $a_include"
        $a_open <"$ioms_a" | tar "$@"
    fi
}

# within LIST: refuses names that lead out of the folder where they are unpacked.
within() {
    ! grep -Eq '(^|/)\.\.(/|$)' "$1" || fail "a name in the archive leads out of its folder: $(grep -E '(^|/)\.\.(/|$)' "$1" | head -n 1)"
}

# settled FOLDER LIST: makes owner, group and mode of what LIST names in FOLDER as the parameters say.
settled() {
    [ "${p_owner+1}${p_group+1}${p_mode+1}" ] || return 0
    ioms_l=$2.own
    settled_names "$1" <"$2" >"$ioms_l"
    if [ "${p_owner+1}" ]; then
        ioms_w=$(id -u -- "$p_owner" 2>/dev/null) || case $p_owner in *[!0-9]*|'') fail "chown failed: failed to look up user $p_owner" ;; *) ioms_w=$p_owner ;; esac
        settled_by "$1" "! -user $ioms_w" "chown -h -- $ioms_w"
    fi
    if [ "${p_group+1}" ]; then
        ioms_w=$({ getent group -- "$p_group" || grep "^$p_group:" /etc/group; } 2>/dev/null | cut -d: -f3)
        case $ioms_w$p_group in *[!0-9]*) [ "$ioms_w" ] || fail "chgrp failed: failed to look up group $p_group" ;; esac
        ioms_w=${ioms_w:-$p_group}
        settled_by "$1" "! -group $ioms_w" "chgrp -h -- $ioms_w"
    fi
    case ${p_mode-} in
        '') ;;
        *[!0-7]*) while IFS= read -r f; do [ ! -e "$1/$f" ] || attributes "$1/$f"; done <"$ioms_l" ;;
        *) f_state=file; wanted_mode; settled_by "$1" "! -type l ! -perm $ioms_w" "chmod -- 0$ioms_w" ;;
    esac
}
# What is behind a link in the folder may be anywhere: it is left alone.
settled_names() {
    sed 's:/*$::' | while IFS= read -r f; do
        ioms_d=$f
        while :; do
            case $ioms_d in */*) ioms_d=${ioms_d%/*} ;; *) printf '%s\n' "$f"; break ;; esac
            [ ! -L "$1/$ioms_d" ] || break
        done
    done
}
settled_by() {
    ioms_e=$(cd -- "$1" && sed 's:^:./:' "$ioms_l" | tr '\n' '\000' | xargs -0 sh -c "find \"\$@\" -prune $2 -print" sh 2>/dev/null | head -n 1)
    [ "$ioms_e" ] || return 0
    changed=1
    [ -n "$check" ] || ioms_e=$(cd -- "$1" && sed 's:^:./:' "$ioms_l" | tr '\n' '\000' | xargs -0 sh -c "find \"\$@\" -prune $2 -exec $3 {} +" sh 2>&1) || fail "$3 failed: $ioms_e"
}
