//! What would change the machine itself: firewalls, the kernel's settings of the network. On a host with a
//! network of its own, to which another one brings the packages.

use std::fs;

use ioms_fleet::SystemFleet;

use super::System;

#[test]
fn firewalls_and_the_kernels_network_are_settled_once() {
    let system = System::with(SystemFleet::builder().private_network(), "root");
    bring(&system, "iptables firewalld ipset kmod");
    // It closes the door behind itself.
    system.sh("systemctl -q start firewalld; firewall-cmd -q --permanent --add-port=2240/tcp; firewall-cmd -q --add-port=2240/tcp");
    firewalld(&system);
    system.sh("systemctl stop firewalld");
    let offline = ["service=http", "permanent=yes", "state=enabled"];
    system.fails("firewalld", &offline, "firewall is not currently running");
    let zones = "cat /etc/firewalld/zones/*.xml";
    for more in [
        &offline[..],
        &["zone=new", "permanent=yes", "state=present"],
    ] {
        let args = [more, &["offline=yes"]].concat();
        system.changes_once("firewalld", &args, zones);
    }
    iptables(&system);

    let watch = "cat /proc/sys/net/ipv4/ip_forward; cat /etc/sysctl.d/ours.conf; true";
    let forward = [
        "name=net.ipv4.ip_forward",
        "sysctl_file=/etc/sysctl.d/ours.conf",
    ];
    let with = |more: &[&'static str]| [&forward[..], more].concat();
    system.sh("echo 0 >/proc/sys/net/ipv4/ip_forward");
    system.changes_once("sysctl", &with(&["value=1", "sysctl_set=yes"]), watch);
    assert!(system.sh(watch).starts_with("1\n"));
    system.changes_once("sysctl", &with(&["state=absent"]), watch);
    system.fails(
        "sysctl",
        &["name=net.nosuch", "value=1", "sysctl_set=yes"],
        "net.nosuch",
    );
    system.fails("modprobe", &["name=no-such-module"], "no-such-module");
    system.changes_not("modprobe", &["name=no-such-module", "state=absent"]);
    // A container may load no module, as they are the machine's own: that was not tried. One that the
    // kernel has built in is as good as loaded, and what is loaded at boot is settled of it.
    system.sh(
        "d=/lib/modules/$(uname -r); mkdir -p $d; echo kernel/net/unix/unix.ko >$d/modules.builtin",
    );
    let kept = "cat /etc/modules-load.d/*.conf /etc/modprobe.d/*.conf 2>/dev/null; true";
    let with = |persistent| ["name=unix", "params=a=1", persistent];
    system.changes_once("modprobe", &with("persistent=present"), kept);
    system.changes_once("modprobe", &with("persistent=absent"), kept);
}

/// Installs packages without a network: another system fetches them.
fn bring(system: &System, packages: &str) {
    const ARCHIVES: &str = "var/cache/apt/archives";
    let other = System::start();
    other.install(&format!("--download-only {packages}"));
    let (from, to) = (other.fleet.host(0).upper(), system.fleet.host(0));
    for entry in fs::read_dir(from.join(ARCHIVES)).unwrap() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|kind| kind == "deb") {
            let name = entry.file_name().into_string().unwrap();
            let place = format!("cat >'/{ARCHIVES}/{name}'");
            let mut cat = to.command(&place).unwrap();
            let file = fs::File::open(entry.path()).unwrap();
            assert!(cat.stdin(file).status().unwrap().success());
        }
    }
    system.install(&format!("--no-download {packages}"));
}

fn firewalld(system: &System) {
    let words = |text: &'static str| text.split(' ').collect::<Vec<_>>();
    let kept = "cat /etc/firewalld/zones/*.xml 2>&1; true";
    for args in [
        "port=8080/tcp permanent=yes state=enabled",
        "masquerade=yes permanent=yes state=enabled",
        "icmp_block=echo-request zone=drop permanent=yes state=enabled",
        "zone=ours permanent=yes state=present",
        "zone=work target=DROP permanent=yes state=enabled",
    ] {
        system.changes_once("firewalld", &words(args), kept);
    }
    let now = "firewall-cmd --list-all";
    let https = "service=https permanent=yes immediate=yes state=enabled";
    system.changes_once("firewalld", &words(https), now);
    system.changes_once("firewalld", &words("port=8081/udp state=enabled"), now);
    let rule = [
        "rich_rule=rule service name=\"ftp\" accept",
        "permanent=yes",
        "immediate=yes",
        "state=enabled",
    ];
    system.changes_once("firewalld", &rule, now);
    let forward =
        "port_forward={{ [{'port': 443, 'proto': 'tcp', 'toport': 8443, 'toaddr': '192.0.2.1'}] }}";
    let forward = |state| [forward, state];
    system.changes_once("firewalld", &forward("state=enabled"), now);
    system.changes_once("firewalld", &forward("state=disabled"), now);
    let https = "service=https permanent=yes immediate=yes state=disabled";
    system.changes_once("firewalld", &words(https), now);
    for (args, why) in [
        (
            "service=nosuch permanent=yes state=enabled",
            "INVALID_SERVICE",
        ),
        ("port=8080 permanent=yes state=enabled", "INVALID_PORT"),
        (
            "service=http zone=nosuch permanent=yes state=enabled",
            "INVALID_ZONE",
        ),
    ] {
        system.fails("firewalld", &words(args), why);
    }
}

fn iptables(system: &System) {
    let watch = "iptables-save | sed '/^#/d; s/\\[.*//'; ip6tables -S; true";
    let words = |text: &'static str| text.split(' ').collect::<Vec<_>>();
    system.sh("ipset create friends hash:ip");
    let https =
        "chain=INPUT protocol=tcp destination_port=443 ctstate=NEW jump=ACCEPT comment=it's";
    for args in [
        https,
        "chain=OURS chain_management=yes",
        "chain=OURS source=!192.0.2.0/24 jump=DROP",
        "chain=OURS limit=2/second limit_burst=20 log_prefix=ours",
        "chain=OURS protocol=tcp syn=match jump=ACCEPT",
        "chain=OURS protocol=icmp icmp_type=echo-request jump=ACCEPT",
        "chain=OURS src_range=192.0.2.1-192.0.2.9 jump=DROP",
        "chain=OURS protocol=tcp destination_port=81 reject_with=tcp-reset",
        "chain=INPUT protocol=tcp destination_ports=80,444:445 jump=ACCEPT action=insert rule_num=1",
        "chain=INPUT ip_version=both protocol=tcp destination_port=2240 jump=ACCEPT",
        "chain=INPUT match_set=friends match_set_flags=src jump=ACCEPT",
        "chain=INPUT match_set=!friends match_set_flags=src,dst jump=DROP",
        "table=mangle chain=OUTPUT protocol=tcp set_dscp_mark=8",
        "table=mangle chain=OUTPUT protocol=udp jump=DSCP set_dscp_mark_class=CS1",
        "chain=FORWARD policy=DROP",
        "table=nat chain=POSTROUTING out_interface=eth0 jump=MASQUERADE",
        "table=nat chain=PREROUTING protocol=tcp destination_port=80 jump=REDIRECT to_ports=8080",
    ] {
        system.changes_once("iptables", &words(args), watch);
    }
    system.changes_once(
        "iptables",
        &[&words(https)[..], &["state=absent"]].concat(),
        watch,
    );
    system.done("iptables", &["chain=OURS", "flush=yes"]);
    let gone = ["chain=OURS", "chain_management=yes", "state=absent"];
    system.changes_once("iptables", &gone, watch);
    system.fails(
        "iptables",
        &["chain=INPUT", "match_set=nosuch", "jump=ACCEPT"],
        "nosuch",
    );
    system.fails("iptables", &["chain=NOSUCH", "jump=ACCEPT"], "iptables");
    system.fails(
        "iptables",
        &["chain=INPUT", "jump=DROP", "log_prefix=x"],
        "Logging options can only be used with the LOG jump target.",
    );
}
