# APT. Uses packages.sh.

apt_set_up() {
    has apt-get || fail "apt-get isn't there"
    export DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical APT_LISTCHANGES_FRONTEND=none
    apt_flags='-y -q -o Dpkg::Use-Pty=0'
    apt_flags="$apt_flags -o DPkg::Lock::Timeout=${p_lock_timeout:-60}"
    ioms_i=$IFS IFS=,
    for ioms_o in ${p_dpkg_options-force-confdef,force-confold}; do
        IFS=$ioms_i
        apt_flags="$apt_flags -o Dpkg::Options::=--$ioms_o"
    done
    IFS=$ioms_i
    case ${p_install_recommends-unset} in
        unset) ;;
        1) apt_flags="$apt_flags -o APT::Install-Recommends=yes" ;;
        *) apt_flags="$apt_flags -o APT::Install-Recommends=no" ;;
    esac
    [ -z "${p_default_release-}" ] || apt_flags="$apt_flags -t $p_default_release"
    [ -z "${p_allow_unauthenticated-}" ] || apt_flags="$apt_flags --allow-unauthenticated"
    [ -z "${p_allow_downgrade-}" ] || apt_flags="$apt_flags --allow-downgrades"
    [ -z "${p_allow_change_held_packages-}" ] || apt_flags="$apt_flags --allow-change-held-packages"
    [ -z "${p_force-}" ] || apt_flags="$apt_flags --allow-downgrades --allow-remove-essential --allow-change-held-packages --allow-unauthenticated"
    [ -z "${p_only_upgrade-}" ] || apt_flags="$apt_flags --only-upgrade"
    [ -z "${p_fail_on_autoremove-}" ] || apt_flags="$apt_flags --no-remove"
    apt_removes=$apt_flags
    [ -z "${p_autoremove-}" ] || apt_removes="$apt_removes --auto-remove"
    [ -z "$check" ] || apt_flags="$apt_flags --simulate" apt_removes="$apt_removes --simulate"
    apt_cache_updated=
}

# apt_do ARGUMENT...: one transaction. Another one that runs is waited for.
apt_do() {
    ioms_t=0
    while :; do
        pm apt-get "$@"
        [ "$pm_rc" -ne 0 ] && [ "$ioms_t" -lt "${p_lock_timeout:-60}" ] && grep -q 'Could not get lock\|Unable to lock' "$ioms_temporary/err" || break
        sleep 2
        ioms_t=$((ioms_t + 2))
    done
    if [ "$pm_rc" -ne 0 ]; then
        ioms_n=$(sed -n "s/^E: Unable to locate package \(.*\)/\1/p; s/^E: Couldn't find any package by .* '\(.*\)'/\1/p" "$ioms_temporary/err" | head -n 1)
        [ -z "$ioms_n" ] || pm_fail "No package matching '$ioms_n' is available"
        pm_fail
    fi
    grep -q '^0 upgraded, 0 newly installed, \(0 downgraded, \)\{0,1\}0 to remove' "$ioms_temporary/out" || {
        grep -q '^[0-9]* upgraded, ' "$ioms_temporary/out" && changed=1
    }
    [ -z "$diff" ] || [ -z "$changed" ] || put diff/prepared "$(sed -n '/^The following/,/^[0-9]* upgraded/p' "$ioms_temporary/out")"
}

# When lists were fetched last.
apt_cache_time() {
    for ioms_f in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists; do
        [ ! -e "$ioms_f" ] || { stat -c %Y "$ioms_f"; return; }
    done
    echo 0
}

apt_update() {
    [ "${p_update_cache-}" ] || { [ "${p_cache_valid_time:-0}" -gt 0 ] && [ "${p_update_cache-1}" ]; } || return 0
    ioms_a=$(apt_cache_time)
    [ "$(($(date +%s) - ioms_a))" -ge "${p_cache_valid_time:-0}" ] || return 0
    apt_cache_updated=1
    [ -z "$check" ] || return 0
    ioms_r=0
    ioms_w=1
    while :; do
        pm apt-get -q -o DPkg::Lock::Timeout="${p_lock_timeout:-60}" update
        # Sources that failed are warnings to apt.
        [ "$pm_rc" -ne 0 ] || ! grep -q '^[EW]: Failed to fetch\|^W: Some index files failed' "$ioms_temporary/err" || pm_rc=100
        [ "$pm_rc" -ne 0 ] && [ "$ioms_r" -lt "${p_update_cache_retries:-5}" ] && ! grep -q 'not signed\|no longer has a Release\|does not have a Release\|Malformed' "$ioms_temporary/err" || break
        ioms_r=$((ioms_r + 1))
        sleep "$ioms_w"
        ioms_w=$((ioms_w * 2))
        [ "$ioms_w" -le "${p_update_cache_retry_max_delay:-12}" ] || ioms_w=${p_update_cache_retry_max_delay:-12}
    done
    [ "$pm_rc" -eq 0 ] || pm_fail "Failed to update apt cache: $(grep '^[EW]:' "$ioms_temporary/err" | head -n 5)"
    rm -f "$ioms_temporary/out"
}

# apt_done: what the result says of the cache, and of the transaction.
apt_done() {
    put_bool cache_updated "$apt_cache_updated"
    put_int cache_update_time "$(apt_cache_time)"
    pm_say
    exit 0
}

# apt_cut NAME: apt_name, apt_op, apt_version of `name`, `name=1.2*`, `name>=1.2`.
apt_cut() {
    apt_op= apt_version=
    case $1 in
        *'>='*) apt_name=${1%%'>='*} apt_op='>=' apt_version=${1#*'>='} ;;
        *=*) apt_name=${1%%=*} apt_op='=' apt_version=${1#*=} ;;
        *) apt_name=$1 ;;
    esac
    apt_name=${apt_name% } apt_version=${apt_version# }
}

# apt_has NAME: whether it is installed, in the version; apt_there: in any.
apt_has() {
    apt_there=$(dpkg-query -W -f '${db:Status-Status} ${Version}\n' -- "$1" 2>/dev/null | sed -n 's/^installed //p' | head -n 1)
    [ "$apt_there" ] || return 1
    case $apt_op in
        '') ;;
        '=') case $apt_there in $apt_version) ;; *) return 1 ;; esac ;;
        *) dpkg --compare-versions "$apt_there" ge "$apt_version" ;;
    esac
}

apt_fits() { case $1 in $2) ;; *) return 1 ;; esac; }

# Names with wildcards as those of packages that there are.
apt_expand() {
    case $apt_name in
        *[*?[]*)
            apt_found=
            for ioms_n in $(apt-cache pkgnames "${apt_name%%[*?[]*}" 2>/dev/null); do
                ! apt_fits "$ioms_n" "$apt_name" || apt_found="$apt_found $ioms_n"
            done
            [ "$apt_found" ] || fail "No package(s) matching '$apt_name' available"
            ;;
        *) apt_found=$apt_name ;;
    esac
}

# apt_install NAME...: those that aren't there, in one transaction.
apt_install() {
    apt_list=
    for ioms_p in "$@"; do
        apt_cut "$ioms_p"
        [ "$apt_name" ] || continue
        apt_expand
        for ioms_n in $apt_found; do
            if [ "${p_only_upgrade-}" ] && ! (apt_op=; apt_has "$ioms_n"); then continue; fi
            if [ "${p_state-}" != latest ] && apt_has "$ioms_n"; then continue; fi
            [ "$apt_op" != '=' ] || ioms_n="$ioms_n=$apt_version"
            apt_list="$apt_list$(quoted "$ioms_n")"
        done
    done
    [ "$apt_list" ] || return 0
    eval "set -- $apt_list"
    apt_do $apt_flags install -- "$@"
}

apt_remove() {
    apt_list=
    for ioms_p in "$@"; do
        apt_cut "$ioms_p"
        for ioms_n in $(dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' -- "$apt_name" 2>/dev/null |
            if [ "${p_purge-}" ]; then sed -n 's/^installed //p; s/^config-files //p'; else sed -n 's/^installed //p'; fi); do
            apt_list="$apt_list$(quoted "$ioms_n")"
        done
    done
    if [ "$apt_list" ]; then
        eval "set -- $apt_list"
        [ "${p_purge-}" ] && ioms_w=purge || ioms_w=remove
        apt_do $apt_removes "$ioms_w" -- "$@"
    elif [ "${p_autoremove-}" ]; then
        apt_do $apt_removes autoremove
    fi
}

# apt_deb FILE...: packages that are files, with what they need from the repositories.
apt_deb() {
    apt_list=
    for ioms_p in "$@"; do
        case $ioms_p in
            *://*)
                temporary
                ioms_f=${ioms_p##*/}
                ioms_f=$ioms_temporary/${ioms_f%%\?*}
                pm /usr/lib/apt/apt-helper download-file "$ioms_p" "$ioms_f"
                [ "$pm_rc" -eq 0 ] || pm_fail "Failed to download $ioms_p: $(tail -n 2 "$ioms_temporary/err")"
                rm -f "$ioms_temporary/out"
                ioms_p=$ioms_f
                ;;
            */*) ;;
            *) ioms_p=./$ioms_p ;;
        esac
        [ -e "$ioms_p" ] || fail "Unable to install package: could not find $ioms_p"
        ioms_v=$(dpkg-deb -f "$ioms_p" Version 2>&1) || fail "Unable to install package: $ioms_v"
        apt_op='=' apt_version=$ioms_v
        [ -z "${p_force-}" ] && apt_has "$(dpkg-deb -f "$ioms_p" Package)" && continue
        apt_list="$apt_list$(quoted "$ioms_p")"
    done
    [ "$apt_list" ] || return 0
    eval "set -- $apt_list"
    apt_do $apt_flags install -- "$@"
}

apt_upgrade() {
    case $1 in
        full|dist) apt_do $apt_flags dist-upgrade ;;
        *) apt_do $apt_flags upgrade --with-new-pkgs ;;
    esac
    put msg "$(cat "$ioms_temporary/out")"
}

# apt_state NAME...: as `state` says.
apt_state() {
    case $p_state in
        absent|removed) apt_remove "$@" ;;
        latest)
            case " $* " in
                *' * '*)
                    [ $# -eq 1 ] || fail 'unable to install additional packages while upgrading all installed packages'
                    apt_upgrade yes
                    return
                    ;;
            esac
            apt_install "$@"
            ;;
        build-dep) apt_do $apt_flags build-dep -- "$@" ;;
        fixed) apt_do $apt_flags --fix-broken install "$@" ;;
        *) apt_install "$@" ;;
    esac
}
