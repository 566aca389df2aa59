# A host's power: runs until the host is switched off, and starts it again after a reboot. In a mount
# namespace of its own, so that no mount outlives it. In the host's folder: upper, work, root.
#   boot.sh NAME GROUP LAYERS [OPTION...]      options are systemd-nspawn's
name=$1 group=$2 layers=$3
shift 3

# A control group of its own wherever systemd looks: two in one would see each other's services.
for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    if [ -w "$top/cgroup.procs" ]; then
        mkdir -p "$top/$group" && echo $$ >"$top/$group/cgroup.procs" || exit 1
    fi
done

# volatile: no fsync; the mark that it was so would keep it from being mounted again.
rm -rf work/work/incompat
mount -t overlay overlay -o "lowerdir=$layers,upperdir=upper,workdir=work,volatile" root || exit 1

line=
for option; do
    case $option in --network-veth-extra=*) line=${option#*=} line=${line%%:*} ;; esac
done

status=133 # how systemd-nspawn says: start me again
while [ "$status" = 133 ]; do
    # A network in which a connection still waits for an answer outlives its host, and keeps the line.
    [ -z "$line" ] || ip link delete "$line" 2>/dev/null
    setpriv --pdeathsig KILL systemd-nspawn --quiet --register=no --keep-unit --boot --machine="$name" \
        --directory=root --console=pipe --resolv-conf=off --timezone=off --link-journal=no "$@"
    status=$?
done
exit "$status"
