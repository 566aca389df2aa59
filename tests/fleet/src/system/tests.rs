//! Against real containers.

use std::process::Command;

use super::*;
use crate::process;

fn ssh(fleet: &SystemFleet, n: usize, user: &str, command: &str) -> Result<String> {
    let host = fleet.host(n);
    process::output(
        Command::new("ssh")
            .args([
                "-F",
                "none",
                "-o",
                "BatchMode=yes",
                "-o",
                "StrictHostKeyChecking=yes",
            ])
            .arg("-o")
            .arg(format!(
                "UserKnownHostsFile={}",
                fleet.known_hosts().display()
            ))
            .arg("-i")
            .arg(fleet.key())
            .args(["-p", &host.port().to_string(), "-l", user])
            .args([host.address(), command]),
        None,
    )
}

#[test]
fn hosts_are_whole_systems_of_their_own() {
    if crate::left_out("system hosts of the test bed", "root") {
        return;
    }
    let fleet = SystemFleet::start(2).unwrap();
    for (n, name) in ["sys01\n", "sys02\n"].into_iter().enumerate() {
        assert_eq!(ssh(&fleet, n, "root", "hostname").unwrap(), name);
    }
    assert_eq!(ssh(&fleet, 0, "ops", "sudo -n id -un").unwrap(), "root\n");
    assert!(ssh(&fleet, 0, "dev", "sudo -n id -un").is_err());
    let sudo = fleet
        .host(0)
        .feed("su dev -c 'sudo -S id -un'", fleet.password());
    assert_eq!(sudo.unwrap(), "root\n");
    assert!(fleet.host(0).exec("command -v python3").is_err());
    assert_eq!(
        fleet.host(0).exec("systemctl is-active cron").unwrap(),
        "active\n"
    );
    fleet
        .host(0)
        .exec("apt-cache policy hello | grep Candidate")
        .unwrap();
    // Of one host the other sees nothing.
    fleet
        .host(0)
        .exec("systemctl stop cron; echo hello > /etc/motd; rm /etc/issue")
        .unwrap();
    assert_eq!(
        fleet.host(1).exec("systemctl is-active cron").unwrap(),
        "active\n"
    );
    assert!(fleet.host(1).changes().unwrap().0.is_empty());
    let changes = fleet.host(0).changes().unwrap();
    let kinds: Vec<_> = changes
        .0
        .iter()
        .map(|(path, entry)| (path.to_str().unwrap(), entry.kind))
        .collect();
    assert_eq!(kinds, [("etc/issue", "removed"), ("etc/motd", "file")]);
}

#[test]
fn a_host_reboots_and_survives_the_loss_of_its_power() {
    if crate::left_out("system hosts that lose their power", "root") {
        return;
    }
    let fleet = SystemFleet::start(1).unwrap();
    let host = fleet.host(0);
    let boot_id = || {
        host.exec("systemctl show -P UserspaceTimestampMonotonic")
            .unwrap()
    };
    host.exec("echo kept > /etc/kept").unwrap();
    let before = boot_id();
    let _ = ssh(&fleet, 0, "root", "reboot");
    process::wait_until(|| host.exec("true").is_err());
    host.wait_ready().unwrap();
    assert_ne!(boot_id(), before);
    for switch in [SystemHost::power_off, SystemHost::power_cut] {
        switch(host).unwrap();
        assert!(!host.is_on() && host.exec("true").is_err());
        host.power_on().unwrap();
        host.wait_ready().unwrap();
        assert_eq!(host.exec("cat /etc/kept").unwrap(), "kept\n");
    }
}

#[test]
fn a_private_network_is_the_hosts_alone() {
    if crate::left_out("system hosts with a network of their own", "root") {
        return;
    }
    let fleet = SystemFleet::builder().private_network().start(1).unwrap();
    let host = fleet.host(0);
    host.exec("echo 1 > /proc/sys/net/ipv4/conf/all/log_martians")
        .unwrap();
    assert_ne!(
        fs::read_to_string("/proc/sys/net/ipv4/conf/all/log_martians").unwrap(),
        "1\n"
    );
    assert_eq!(ssh(&fleet, 0, "root", "hostname").unwrap(), "sys01\n");
    let _ = ssh(&fleet, 0, "root", "reboot");
    process::wait_until(|| host.exec("true").is_err());
    host.wait_ready().unwrap();
    assert_eq!(ssh(&fleet, 0, "root", "hostname").unwrap(), "sys01\n");
}

#[test]
fn nothing_is_left_behind() {
    if crate::left_out("the end of system hosts", "root") {
        return;
    }
    let fleet = SystemFleet::start(1).unwrap();
    let init = fleet
        .host(0)
        .exec("grep NSpid /proc/1/status; sleep 99 >/dev/null 2>&1 &");
    init.unwrap();
    let (folder, group) = (fleet.dir().to_owned(), fleet.slot.group(0));
    assert!(folder.exists());
    drop(fleet);
    assert!(!folder.exists());
    let tops = ["", "systemd", "unified"].map(|top| Path::new("/sys/fs/cgroup").join(top));
    assert!(!tops.iter().any(|top| top.join(&group).exists()), "{group}");
}

#[test]
fn what_a_killed_fleet_leaves_the_next_one_tidies() {
    if crate::left_out("system hosts whose test was killed", "root") {
        return;
    }
    let place = tempfile::tempdir_in(base::place()).unwrap();
    let left = place.path().join("hosts");
    fs::create_dir(&left).unwrap();
    let mut slot = Slot::take().unwrap();
    slot.leaves(&left).unwrap();
    drop(slot); // as when its process dies: the lock is gone, the note is not
    Slot::take().unwrap();
    assert!(!left.exists());
}
