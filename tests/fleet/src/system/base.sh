#!/bin/sh
# Makes a base of the system fleet, in a folder that must not be there yet:
#   base.sh plain FOLDER           Debian without any Python
#   base.sh oracle FOLDER PLAIN    what Python adds to it, as a layer to lie over PLAIN
set -eu
kind=$1 folder=$2
suite=bookworm
packages=systemd-sysv,dbus,openssh-server,cron,procps,iproute2,sudo,ca-certificates
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# The mirror that the machine's own sources name; Debian's where it isn't Debian.
mirror() {
    [ "$(. /etc/os-release && echo "$ID")" = debian ] &&
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb \(\[[^]]*] \)\{0,1\}\([^ ]*\).*/\2/p' |
            grep '/debian/*$' | grep -m 1 . || echo http://deb.debian.org/debian
}

inside() { chroot "$1" sh -ec "$2"; }

plain() {
    mirror=$(mirror)
    debootstrap --variant=minbase --include="$packages" "$suite" "$folder" "$mirror"
    echo "deb $mirror $suite main" >"$folder/etc/apt/sources.list"
    printf '%s\n' 'Acquire::Languages "none";' 'Acquire::Check-Valid-Until "false";' >"$folder/etc/apt/apt.conf.d/90ioms-fleet"
    rm -f "$folder/etc/hostname" "$folder"/etc/ssh/ssh_host_*
    # shellcheck disable=SC2016
    inside "$folder" '
        # What wants a network or the machine, or comes when nobody expects it.
        systemctl mask --quiet systemd-resolved.service systemd-timesyncd.service systemd-networkd.service \
            systemd-networkd.socket apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
            e2scrub_reap.service fstrim.timer systemd-pstore.service
        for user in ops dev app; do useradd --create-home --shell /bin/bash "$user"; done
        echo "ops ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/ops
        echo "dev ALL=(ALL) ALL" >/etc/sudoers.d/dev
        chmod 440 /etc/sudoers.d/*
        apt-get -q update
        apt-get -q clean
        apt-cache -q policy >/dev/null # writes the cache that every later call needs'
}

# In a mount namespace of its own, so that nothing stays mounted.
oracle() {
    mkdir "$folder" "$folder.work" "$folder.root"
    unshare -m --propagation private sh -ec '
        mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$2.work,volatile" "$2.root"
        mount -t proc proc "$2.root/proc"
        cp /etc/resolv.conf "$2.root/etc/resolv.conf"
        chroot "$2.root" sh -ec "
            apt-get -q install -y --no-install-recommends python3 python3-apt
            apt-get -q clean
            apt-cache -q policy >/dev/null"' sh "$3" "$folder"
    rm -rf "$folder.work" "$folder.root"
}

"$kind" "$@"
