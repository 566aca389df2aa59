# apk of Alpine. Uses packages.sh.

apk_set_up() {
    has apk || fail "apk isn't there"
    apk_options=
    eval "set -- ${p_repository-}"
    for ioms_r in "$@"; do apk_options="$apk_options --repository $ioms_r"; done
    [ -z "${p_no_cache-}" ] || apk_options="$apk_options --no-cache"
    [ -z "${p_update_cache-}" ] || [ "$check" ] || {
        pm apk $apk_options update
        [ "$pm_rc" -eq 0 ] || pm_fail 'could not update package db'
    }
    [ -z "$check" ] || apk_options="$apk_options --simulate"
}

# apk_do COMMAND...: lines `(1/2) Installing NAME (VERSION)` are what it does.
apk_do() {
    pm apk $apk_options "$@"
    [ "$pm_rc" -eq 0 ] || pm_fail "failed: $(grep -hv '^fetch' "$ioms_temporary/out" "$ioms_temporary/err" | tail -n 5)"
    sed -n 's/^([0-9/ ]*) [A-Z][a-z]* \([^ ]*\).*/\1/p' "$ioms_temporary/out" >"$ioms_temporary/packages"
    while IFS= read -r ioms_l; do
        changed=1
        put packages/+ "$ioms_l"
    done <"$ioms_temporary/packages"
}

# apk_in_world NAME: whether it was asked for by name.
apk_in_world() { grep -qx -e "$1" "${p_world:-/etc/apk/world}" 2>/dev/null || grep -q "^${1%%[=<>~@]*}[=<>~@]" "${p_world:-/etc/apk/world}" 2>/dev/null; }

apk_state() {
    pm_list=
    for ioms_p in "$@"; do
        case $p_state in
            absent|removed) apk info -e -- "$ioms_p" >/dev/null 2>&1 || continue ;;
            latest) ;;
            *) apk info -e -- "$ioms_p" >/dev/null 2>&1 && apk_in_world "$ioms_p" && continue ;;
        esac
        pm_list="$pm_list$(quoted "$ioms_p")"
    done
    [ "$pm_list" ] || return 0
    eval "set -- $pm_list"
    ioms_n=$(cat "${p_world:-/etc/apk/world}" 2>/dev/null)
    case $p_state in
        absent|removed) apk_do del --purge "$@" ;;
        latest) apk_do add --upgrade ${p_available:+--available} "$@" ;;
        *) apk_do add "$@" ;;
    esac
    [ "$ioms_n" = "$(cat "${p_world:-/etc/apk/world}" 2>/dev/null)" ] || changed=1
}
