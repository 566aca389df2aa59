# What setup asks of a host. Each answer is a field under `raw/`; the controller makes facts of them.

# want COLLECTOR...: whether one of them is asked for.
want() {
    for ioms_c in "$@"; do
        case " $x_want " in *" $ioms_c "*) return 0 ;; esac
    done
    return 1
}

# facts_say NAME COMMAND...: what it prints.
facts_say() {
    put_open "raw/$1"
    shift
    "$@" </dev/null 2>/dev/null
    echo
}

# facts_within COMMAND...: for no longer than gather_timeout. Busybox of old wants -t.
facts_within() {
    if [ -z "${facts_limit+1}" ]; then
        if ! has timeout; then facts_limit=
        elif timeout 9 true 2>/dev/null; then facts_limit='timeout -s KILL'
        else facts_limit='timeout -s KILL -t'
        fi
    fi
    ${facts_limit:+$facts_limit "$p_gather_timeout"} "$@"
}

facts_there() { for f in "$@"; do [ ! -e "$f" ] || printf '%s\n' "$f"; done; }
facts_has() { for f in "$@"; do ! has "$f" || printf '%s\n' "$f"; done; }

facts_platform() {
    facts_say uname uname -snrvm
    facts_say bits getconf LONG_BIT
    facts_say fqdn facts_within hostname -f
}

facts_passwd() {
    u=$(id -u)
    if has getent; then facts_within getent passwd "$u"; else awk -F: -v u="$u" '$3 == u' /etc/passwd; fi
}

# An entry a line: newlines in values travel as a byte 1 where env can end entries with zero bytes.
facts_env() {
    (own_locale; if env -0 >/dev/null 2>&1; then env -0 | tr '\n\0' '\1\n'; else env; fi)
}

# Now, and the zone in half a year.
facts_date() {
    date '+%s %N %z %Z'
    date -d "@$(($(date +%s) + 15768000))" '+%z %Z'
}

facts_chroot() {
    if [ "${debian_chroot-}" ]; then echo 1
    elif [ -e /proc/1/root/. ] && ! [ / -ef /proc/1/root/. ]; then echo 1
    fi
}

facts_container() { tr '\0' '\n' </proc/1/environ | grep '^container='; }

facts_network() {
    facts_say addresses ip addr show
    facts_say route4 ip -4 route get 8.8.8.8
    facts_say route6 ip -6 route get 2404:6800:400a:800::1012
    facts_say local4 ip -4 route show table local
    facts_say local6 ip -6 route show table local
    facts_say net_links ls -ld /sys/class/net/*/device /sys/class/net/*/device/driver/module /sys/class/net/*/brif/*
}

# Flags are the same for all processors, and long.
facts_cpu() {
    facts_say machine uname -m
    facts_say cpuinfo awk '/^flags/ && f++ { next } /^(processor|vendor_id|model name|Processor|cpu|Vendor|physical id|core id|cpu cores|siblings|flags|# processors|max thread id|machine)[ \t]*:/' /proc/cpuinfo
}

facts_hardware() {
    facts_say nproc nproc
    facts_say disk_links ls -l /dev/disk/by-id /dev/disk/by-label /dev/disk/by-uuid
    facts_say mounts cat /proc/mounts
    if [ ! -e /sys/devices/virtual/dmi/id/product_name ] && has dmidecode; then
        facts_dmi bios_date=bios-release-date bios_vendor=bios-vendor bios_version=bios-version board_name=baseboard-product-name board_serial=baseboard-serial-number board_vendor=baseboard-manufacturer chassis_type=chassis-type product_name=system-product-name product_serial=system-serial-number product_uuid=system-uuid product_version=system-version sys_vendor=system-manufacturer
    fi
}
facts_dmi() { for f in "$@"; do facts_say "dmi_${f%%=*}" dmidecode -s "${f#*=}"; done; }

# Sizes of what is mounted. A file system of the network may never answer: those are asked behind
# our back, all at once, and left behind when time is up.
facts_mounts() {
    temporary
    n=0
    while read -r device mount kind rest; do
        case $device in /*|\\*|*:/*) ;; *) continue ;; esac
        path=$(printf '%b' "$(printf '%s' "$mount" | sed 's/\\/\\0/g')")
        case $kind in
            nfs*|cifs|smb*|fuse*|ceph|gluster*|afs|9p|lustre|beegfs|gfs*|ocfs*)
                n=$((n + 1))
                printf '%s\n' "$mount" >"$ioms_temporary/$n.mount"
                (facts_size "$path" >"$ioms_temporary/$n.part"; mv "$ioms_temporary/$n.part" "$ioms_temporary/$n.size") </dev/null >/dev/null 2>&1 &
                ;;
            *)
                put raw/sizes/+/mount "$mount"
                facts_say sizes/-/stat facts_size "$path"
                ;;
        esac
    done </proc/mounts
    [ "$n" -gt 0 ] || return 0
    ioms_i=0
    while [ "$ioms_i" -lt "$p_gather_timeout" ] && [ "$(ls "$ioms_temporary"/*.size 2>/dev/null | wc -l)" -lt "$n" ]; do
        sleep 1
        ioms_i=$((ioms_i + 1))
    done
    for f in "$ioms_temporary"/*.size; do
        [ -e "$f" ] || continue
        put raw/sizes/+/mount "$(cat "${f%.size}.mount")"
        facts_say sizes/-/stat cat "$f"
    done
}
facts_size() { stat -f -c '%s %S %b %a %c %d' -- "$1"; }

facts_local() {
    for f in "$p_fact_path"/*.fact; do
        [ -e "$f" ] || continue
        put raw/local/+/path "$f"
        put_open raw/local/-/text
        if [ -x "$f" ] && [ -f "$f" ]; then
            temporary
            (own_locale; facts_within "$f") </dev/null 2>"$ioms_temporary/err"
            ioms_rc=$?
            echo
            put_int raw/local/-/rc "$ioms_rc"
            put_file raw/local/-/err "$ioms_temporary/err"
        else
            cat "$f" 2>/dev/null
            echo
        fi
    done
}
