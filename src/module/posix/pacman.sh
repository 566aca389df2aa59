# pacman. Uses packages.sh.

pacman_set_up() {
    pacman=${p_executable:-pacman}
    has "$pacman" || fail "$pacman isn't there"
    pacman_cache=
    [ -z "${p_update_cache-}" ] || {
        pacman_dbs() { cksum /var/lib/pacman/sync/*.db 2>/dev/null; }
        pacman_before=$(pacman_dbs)
        if [ "$check" ]; then pacman_cache=1
        else
            pm $pacman --sync --refresh ${p_force:+--refresh} --noconfirm ${p_update_cache_extra_args-}
            [ "$pm_rc" -eq 0 ] || pm_fail 'could not update package db'
            [ "$pacman_before" = "$(pacman_dbs)" ] || pacman_cache=1
        fi
        put_bool cache_updated "$pacman_cache"
        [ -z "$pacman_cache" ] || changed=1
    }
}

# pacman_do COMMAND...: what it installed and removed is `packages`.
pacman_do() {
    temporary
    $pacman -Q 2>/dev/null | sort >"$ioms_temporary/before"
    pm $pacman --noconfirm --noprogressbar "$@"
    [ "$pm_rc" -eq 0 ] || pm_fail
    $pacman -Q 2>/dev/null | sort >"$ioms_temporary/after"
    { comm -13 "$ioms_temporary/before" "$ioms_temporary/after"; comm -23 "$ioms_temporary/before" "$ioms_temporary/after"; } | cut -d' ' -f1 | sort -u >"$ioms_temporary/packages"
    pacman_packages
}
pacman_packages() {
    [ -z "$diff" ] || [ ! -s "$ioms_temporary/packages" ] || {
        put_file diff/before "$ioms_temporary/before"
        put_file diff/after "$ioms_temporary/after"
    }
    while IFS= read -r ioms_l; do
        changed=1
        put packages/+ "$ioms_l"
    done <"$ioms_temporary/packages"
}

# pacman_would COMMAND...: what it would do to which packages.
pacman_would() {
    pm $pacman --noconfirm --print --print-format '%n %v' "$@"
    [ "$pm_rc" -eq 0 ] || pm_fail
    grep -v '^ \|^::\|^warning' "$ioms_temporary/out" >"$ioms_temporary/would"
    cut -d' ' -f1 "$ioms_temporary/would" >"$ioms_temporary/packages"
    $pacman -Q 2>/dev/null | sort >"$ioms_temporary/before"
    {
        awk 'NR == FNR { named[$1]; next } !($1 in named)' "$ioms_temporary/would" "$ioms_temporary/before"
        [ "$1" = --remove ] || cat "$ioms_temporary/would"
    } | sort >"$ioms_temporary/after"
    pacman_packages
}

pacman_upgrade() {
    [ -z "${p_upgrade-}" ] || if [ "$check" ]; then pacman_would --sync --sysupgrade
    else pacman_do --sync --sysupgrade ${p_upgrade_extra_args-}; fi
}

pacman_has() {
    $pacman -Q -- "$1" >/dev/null 2>&1 || {
        ioms_g=$($pacman -Sgq -- "$1" 2>/dev/null) && [ "$ioms_g" ] && $pacman -Q -- $ioms_g >/dev/null 2>&1
    }
}

pacman_state() {
    pm_list= pm_files=
    for ioms_p in "$@"; do
        case $p_state:$ioms_p in
            *://*|*:/*.pkg.tar*) pm_files="$pm_files$(quoted "$ioms_p")"; continue ;;
            absent:*|removed:*) $pacman -Q -- "$ioms_p" >/dev/null 2>&1 || continue ;;
            latest:*) ;;
            *) ! pacman_has "$ioms_p" || continue ;;
        esac
        pm_list="$pm_list$(quoted "$ioms_p")"
    done
    if [ "$pm_list" ]; then
        eval "set -- $pm_list"
        case $p_state in
            absent|removed) set -- --remove ${p_force:+--nodeps} ${p_force:+--nodeps} ${p_remove_nosave:+--nosave} ${p_extra_args-} -- "$@" ;;
            *) set -- --sync --needed ${p_extra_args-} -- "$@" ;;
        esac
        if [ "$check" ]; then pacman_would "$@"; else pacman_do "$@"; fi
    fi
    if [ "$pm_files" ]; then
        eval "set -- $pm_files"
        if [ "$check" ]; then pacman_would --upgrade --needed -- "$@"; else pacman_do --upgrade --needed ${p_extra_args-} -- "$@"; fi
    fi
}

# Why they are installed.
pacman_reason() {
    is_given reason || return 0
    for ioms_p in "$@"; do
        case $p_reason in dependency) ioms_w=-Qqd ioms_o=--asdeps ;; *) ioms_w=-Qqe ioms_o=--asexplicit ;; esac
        $pacman $ioms_w -- "$ioms_p" >/dev/null 2>&1 && continue
        [ "${p_reason_for:-new}" = all ] || grep -qx -- "$ioms_p" "${ioms_temporary:-/nonexistent}/packages" 2>/dev/null || continue
        [ "$check" ] || { pm $pacman --database "$ioms_o" -- "$ioms_p"; [ "$pm_rc" -eq 0 ] || pm_fail; }
        changed=1
    done
}
