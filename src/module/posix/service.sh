# Services: systemd, openrc, and scripts in /etc/init.d.

# service_act WHAT COMMAND...: does it unless in check mode.
service_act() {
    ioms_w=$1
    shift
    [ "$check" ] || ioms_e=$("$@" </dev/null 2>&1) || fail "Unable to $ioms_w service $p_name: $ioms_e"
    changed=1
}

# service_script WHAT COMMAND...: the same by a script, whose daemon may keep its outputs: what it says goes
# to a file, since a pipe would be open as long as the daemon runs.
service_script() {
    ioms_w=$1
    shift
    [ "$check" ] || {
        temporary
        "$@" </dev/null >"$ioms_temporary/said" 2>&1 || fail "Unable to $ioms_w service $p_name: $(cat "$ioms_temporary/said")"
    }
    changed=1
}

# service_state RUNNING: what is to be done that it is as `state` says: start, stop, restart, reload.
service_wanted() {
    case ${p_state-}:$1 in
        started:|reloaded:|restarted:) ioms_do=start ;;
        stopped:1) ioms_do=stop ;;
        restarted:1) ioms_do=restart ;;
        reloaded:1) ioms_do=reload ;;
        *) ioms_do= ;;
    esac
}

# service_say: what it is by now.
service_say() {
    put name "$p_name"
    case ${p_state-} in '') ;; stopped) put state stopped ;; *) put state started ;; esac
    ! is_given enabled || put_bool enabled "$p_enabled"
}

# -- systemd: p_scope, p_no_block, p_force, p_masked, p_daemon_reload, p_daemon_reexec.

sd() { systemctl $sd_options "$@" </dev/null; }

service_systemd() {
    sd_options=
    case ${p_scope:-system} in
        user)
            sd_options=--user
            [ "${XDG_RUNTIME_DIR-}" ] || export XDG_RUNTIME_DIR="/run/user/$(id -u)"
            ;;
        global) sd_options=--global ;;
    esac
    for ioms_c in daemon-reload daemon-reexec; do
        eval "ioms_w=\${p_daemon_${ioms_c#daemon-}-}"
        [ -z "$ioms_w" ] || [ "$check" ] || ioms_e=$(sd "$ioms_c" 2>&1) || fail "failure $? during $ioms_c: $ioms_e"
    done
    is_given name || return 0
    case $p_name in *[*?[]*) fail "This module does not currently support using glob patterns, found in service name: $p_name" ;; esac
    [ -z "${p_no_block-}" ] || sd_options="$sd_options --no-block"
    [ -z "${p_force-}" ] || sd_options="$sd_options --force"

    sd_known=1
    sd_show=$(sd show -- "$p_name" 2>&1) || sd_known=
    sd_load=$(sd_value LoadState) sd_active=$(sd_value ActiveState)
    sd_files=$(sd is-enabled -- "$p_name" 2>/dev/null) && sd_enabled=1 || sd_enabled=
    case $sd_files in
        masked*|disabled|indirect) sd_enabled= ;;
        alias) sd_enabled=1 ;;
    esac
    if [ -z "$sd_known" ] || [ "$sd_load" = not-found ] || [ -z "$sd_load" ]; then
        [ "$sd_files" ] || [ "${p_masked-}" ] || fail "Could not find the requested service $p_name: host"
    fi
    case $sd_load in error|bad-setting) fail "Failed to load service $p_name: it has errors (systemctl status $p_name says which)" ;; esac

    sd_masked
    sd_enable
    sd_run
    service_say
    put sd/status "$sd_show"
}
sd_value() { printf '%s\n' "$sd_show" | sed -n "s/^$1=//p" | head -n 1; }

sd_masked() {
    is_given masked || return 0
    ioms_h=
    case $sd_load:$sd_files in masked:*|*:masked*) ioms_h=1 ;; esac
    [ "$p_masked" != "$ioms_h" ] || return 0
    if [ "$p_masked" ]; then service_act mask sd mask -- "$p_name"; else service_act unmask sd unmask -- "$p_name"; fi
    [ "$check" ] || {
        sd_files=$(sd is-enabled -- "$p_name" 2>/dev/null) && sd_enabled=1 || sd_enabled=
        sd_load=
    }
}

# Units without a rule for enabling (static) are as they are.
sd_enable() {
    is_given enabled && [ "$p_enabled" != "$sd_enabled" ] || return 0
    if [ "$p_enabled" ]; then service_act enable sd enable -- "$p_name"; else service_act disable sd disable -- "$p_name"; fi
}

sd_run() {
    is_given state || return 0
    case $sd_active in
        active|activating|reloading|refreshing) ioms_h=1 ;;
        inactive|failed|maintenance) ioms_h= ;;
        deactivating)
            # On its way down: what is to be stopped will be.
            ioms_h=
            [ "$p_state" != stopped ] || ioms_h=1
            ;;
        *) fail "Service is in unknown state" ;;
    esac
    service_wanted "$ioms_h"
    [ -z "$ioms_do" ] || service_act "$ioms_do" sd "$ioms_do" -- "$p_name"
    [ -z "$ioms_do" ] || [ "$check" ] || sd_show=$(sd show -- "$p_name" 2>&1)
}

# -- openrc: p_runlevel.

service_openrc() {
    [ -x "/etc/init.d/$p_name" ] || fail "Could not find the requested service $p_name: host"
    if is_given enabled; then
        ioms_h=
        [ ! -e "/etc/runlevels/${p_runlevel:-default}/$p_name" ] || ioms_h=1
        if [ "$p_enabled" != "$ioms_h" ]; then
            [ "$p_enabled" ] && ioms_w=add || ioms_w=delete
            service_act "$ioms_w" rc-update "$ioms_w" "$p_name" "${p_runlevel:-default}"
        fi
    fi
    if is_given state; then
        ioms_h=
        ! rc-service "$p_name" status </dev/null >/dev/null 2>&1 || ioms_h=1
        service_wanted "$ioms_h"
        [ -z "$ioms_do" ] || service_script "$ioms_do" rc-service "$p_name" "$ioms_do" ${p_arguments-}
    fi
    service_say
}

# -- scripts of System V: p_pattern, p_sleep, p_arguments, p_runlevels.

service_sysv() {
    sv_script=
    for ioms_d in /etc/init.d /etc/rc.d/init.d /etc/rc.d; do
        [ ! -x "$ioms_d/$p_name" ] || [ -d "$ioms_d/$p_name" ] || { sv_script=$ioms_d/$p_name; break; }
    done
    [ "$sv_script" ] || fail "Could not find the requested service $p_name: host"
    ! is_given enabled || sv_enable
    if is_given state; then
        sv_running && ioms_h=1 || ioms_h=
        service_wanted "$ioms_h"
        case $ioms_do in
            '') ;;
            restart)
                service_script stop sv stop
                [ "$check" ] || sleep "${p_sleep:-1}"
                service_script start sv start
                ;;
            *) service_script "$ioms_do" sv "$ioms_do" ;;
        esac
    fi
    service_say
}
sv() { if has service; then service "$p_name" "$@" ${p_arguments-}; else "$sv_script" "$@" ${p_arguments-}; fi; }

sv_running() {
    if is_given pattern; then
        { ps -ef 2>/dev/null || ps; } | grep -F -- "$p_pattern" | grep -v grep >/dev/null
        return
    fi
    ioms_e=$(sv status </dev/null 2>&1)
    ioms_rc=$?
    case $ioms_e in
        *'not running'*|*'is stopped'*|*'is not running'*|*'is dead'*) return 1 ;;
        *'is running'*|*'start/running'*) return 0 ;;
    esac
    return "$ioms_rc"
}

sv_enable() {
    eval "set -- ${p_runlevels-}"
    sv_levels=${*:-"2 3 4 5"}
    ioms_h=1
    for ioms_l in $sv_levels; do
        ls "/etc/rc$ioms_l.d/"S[0-9][0-9]"$p_name" >/dev/null 2>&1 || ls "/etc/rc.d/rc$ioms_l.d/"S[0-9][0-9]"$p_name" >/dev/null 2>&1 || ioms_h=
    done
    [ "$p_enabled" != "$ioms_h" ] || return 0
    if has update-rc.d; then
        if [ -z "$p_enabled" ]; then service_act disable update-rc.d "$p_name" disable
        else
            service_act enable update-rc.d "$p_name" defaults
            service_act enable update-rc.d "$p_name" enable
        fi
    elif has chkconfig; then
        if [ -z "$p_enabled" ]; then service_act disable chkconfig "$p_name" off
        else
            service_act enable chkconfig --add "$p_name"
            service_act enable chkconfig --level "$(printf '%s' "$sv_levels" | tr -d ' ')" "$p_name" on
        fi
    else
        fail "neither update-rc.d nor chkconfig is there to enable $p_name with"
    fi
}
