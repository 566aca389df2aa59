//! The playbooks of `playbooks/`, on whole systems: each is run, does what it says, and run again
//! changes nothing.

use std::path::{Path, PathBuf};

use ioms_fleet::{SystemFleet, left_out};

use crate::support::{Desk, Ran};

struct Bed {
    desk: Desk,
    fleet: SystemFleet,
}

impl Bed {
    /// So many systems in these groups; nothing where the machine can't have any.
    fn new(hosts: usize, groups: &[&str]) -> Option<Self> {
        if left_out("the example playbooks on whole systems", "root") {
            return None;
        }
        let fleet = SystemFleet::start(hosts).unwrap();
        let desk = Desk::new();
        let inventory = desk.dir.path().join("inventory");
        std::fs::create_dir(&inventory).unwrap();
        fleet.write_inventory(&inventory.join("hosts.yml")).unwrap();
        let names: Vec<String> = fleet
            .hosts()
            .iter()
            .map(|host| format!("{}\n", host.name()))
            .collect();
        let groups: String = groups
            .iter()
            .map(|group| format!("[{group}]\n{}", names.concat()))
            .collect();
        std::fs::write(inventory.join("groups.ini"), groups).unwrap();
        let desk = desk.inventoried(inventory);
        Some(Self { desk, fleet })
    }

    fn play(&self, name: &str, flags: &[&str]) -> Ran {
        let path = examples().join(format!("{name}.yml"));
        let password = self.desk.file("become", self.fleet.password());
        let args = ["play", path.to_str().unwrap(), "--become-password-file"];
        self.desk
            .run(&[&args[..], &[password.to_str().unwrap()], flags].concat())
    }

    /// Done once, it is done.
    fn settles(&self, name: &str, flags: &[&str]) {
        self.play(name, flags).ends_with(0);
        self.play(name, &[flags, &["--expect-no-change"]].concat())
            .ends_with(0);
    }

    fn says(&self, host: usize, command: &str) -> String {
        self.fleet.host(host).exec(command).unwrap()
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks")
}

#[test]
fn accounts_and_keys_of_a_team() {
    let Some(bed) = Bed::new(2, &[]) else { return };
    bed.fleet.host(0).exec("useradd -m oldhand").unwrap();
    bed.settles("users", &[]);
    assert!(bed.says(0, "id wanglei").contains("(ops)"));
    let keys = bed.says(1, "cat ~zhaomin/.ssh/authorized_keys");
    assert!(keys.trim_end().ends_with("zhaomin@ops"), "{keys}");
    assert_eq!(
        bed.says(0, "getent passwd oldhand || echo gone").trim(),
        "gone"
    );
}

#[test]
fn a_nightly_job() {
    let Some(bed) = Bed::new(1, &[]) else { return };
    bed.play("nightly", &["--check", "--diff"]).ends_with(0);
    assert_eq!(
        bed.says(0, "ls /var/backups/nightly 2>/dev/null || echo none")
            .trim(),
        "none"
    );
    bed.settles("nightly", &[]);
    let crontab = bed.says(0, "crontab -l");
    assert!(
        crontab.contains("30 3 * * * /usr/local/sbin/nightly-backup"),
        "{crontab}"
    );
    bed.says(
        0,
        "/usr/local/sbin/nightly-backup && ls /var/backups/nightly/*.tar.gz",
    );
}

#[test]
fn a_rolling_update_that_stops_where_hosts_are_not_well() {
    let Some(bed) = Bed::new(3, &["web"]) else {
        return;
    };
    let ran = bed
        .play("rolling-update", &["-e", "version=1.4.2"])
        .ends_with(0);
    assert_eq!(
        ran.stdout.matches("PLAY [Update the web servers]").count(),
        3,
        "{ran:?}"
    );
    for host in 0..3 {
        let page = bed.says(host, "cat /srv/site/current/index.html");
        assert!(page.starts_with("release 1.4.2 on "), "{page}");
    }
    let ill = ["-e", "version=2.0", "-e", "health_file=/nonexistent"];
    bed.play("rolling-update", &ill).ends_with(8);
    let current = |host| bed.says(host, "readlink /srv/site/current");
    let done = (0..3).filter(|host| current(*host).contains("2.0")).count();
    assert_eq!(done, 1, "the first batch alone");
}

#[test]
fn an_applications_update_with_a_way_back() {
    let Some(bed) = Bed::new(2, &["app"]) else {
        return;
    };
    let archive = |version: &str, check: &str| {
        let folder = bed.desk.dir.path().join(version);
        let bin = bed.desk.file(&format!("{version}/bin/check"), check);
        let status = std::process::Command::new("sh")
            .args([
                "-c",
                "chmod 755 \"$1\" && tar -czf \"$2.tar.gz\" -C \"$2\" .",
            ])
            .args(["sh", bin.to_str().unwrap(), folder.to_str().unwrap()])
            .status()
            .unwrap();
        assert!(status.success());
        format!("archive={}.tar.gz", folder.display())
    };
    let one = archive("1.0", "#!/bin/sh\nexit 0\n");
    bed.play("app-update", &["-e", "version=1.0", "-e", &one])
        .ends_with(0);
    let current = |host| bed.says(host, "readlink /opt/app/current");
    assert_eq!(current(0).trim(), "/opt/app/releases/1.0");

    let bad = archive("2.0", "#!/bin/sh\nexit 1\n");
    let ran = bed
        .play("app-update", &["-e", "version=2.0", "-e", &bad])
        .ends_with(2);
    assert!(
        ran.stdout
            .contains("release 2.0 did not come up, 1.0 is back"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("rescued=1"), "{ran:?}");
    for host in 0..2 {
        assert_eq!(current(host).trim(), "/opt/app/releases/1.0");
        assert_eq!(bed.says(host, "ls /opt/app/releases").trim(), "1.0");
    }
}

#[test]
fn logs_are_rotated() {
    let Some(bed) = Bed::new(1, &[]) else { return };
    let apps = ["-e", r#"{"apps": ["game", "login"]}"#];
    // What installs packages needs a mirror: a logrotate that is there needs none.
    bed.says(
        0,
        "test -x /usr/sbin/logrotate || apt-get install -qq -y logrotate >/dev/null",
    );
    bed.settles("log-rotation", &apps);
    assert!(
        bed.says(0, "cat /etc/logrotate.d/login")
            .starts_with("/var/log/login/*.log {")
    );
}

#[test]
fn base_hardening() {
    let Some(bed) = Bed::new(1, &[]) else { return };
    bed.settles("hardening", &["--diff"]);
    let said = bed.says(0, "/usr/sbin/sshd -T | grep -i passwordauthentication");
    assert_eq!(said.trim(), "passwordauthentication no");
    assert_eq!(bed.says(0, "stat -c %a /etc/crontab").trim(), "600");
}

#[test]
fn modules_of_ones_own() {
    let desk = super::pair();
    let root = desk.home().join("zones");
    std::fs::create_dir_all(root.join("7")).unwrap();
    let path = examples().join("zone-update.yml");
    let root_is = format!("root={}", root.display());
    let flags = ["--limit", "web01", "-e", &root_is, "-e", "zone=7"];
    desk.run(&[&["play", path.to_str().unwrap()], &flags[..]].concat())
        .ends_with(0);
    let read = |name: &str| std::fs::read_to_string(root.join("7").join(name)).unwrap();
    assert_eq!(read("zone.state"), "open\n");
    assert_eq!(read("release"), "free then: enough\n");
}

#[test]
fn every_example_is_run() {
    let mut found: Vec<String> = std::fs::read_dir(examples())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yml"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let here = concat!(
        include_str!("examples.rs"),
        include_str!("../windows/modules.rs")
    );
    for name in found {
        assert!(
            here.contains(&format!("\"{name}\"")) || here.contains(&format!("{name}.yml\"")),
            "{name} is run by no test"
        );
    }
}
