//! What goes wrong on a host is said of that host, and nothing half-written is left.

use std::process::Command;

use super::bed::{Bed, names, noise, slow};
use crate::support::wait_until;

/// Mounts on the hosts' machine, until dropped. Root's business.
struct Mount(std::path::PathBuf);

impl Mount {
    fn new(args: &[&str], at: std::path::PathBuf) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        let made = Command::new("mount").args(args).arg(&at).status().unwrap();
        assert!(made.success());
        Self(at)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn small(bed: &Bed) -> Mount {
    let args = ["-t", "tmpfs", "-o", "size=512k,mode=777", "ioms"];
    Mount::new(&args, bed.there("full"))
}

#[test]
fn a_full_file_system_is_no_space_and_nothing_is_left() {
    if ioms_fleet::left_out("a full file system", "root") {
        return;
    }
    for sftp in [true, false] {
        let sshd = ioms_fleet::Sshd::builder();
        let sshd = if sftp { sshd } else { sshd.without_sftp() };
        let bed = Bed::of(crate::support::Lab::on(sshd.start().unwrap(), 1, 0));
        let mount = small(&bed);
        bed.source("large", noise(4 << 20));
        for n in 0..40 {
            bed.source(&format!("tree/{n}"), noise(20_000));
        }
        let (kind, said) = bed.error(&["large", &bed.dest("full/large")]);
        assert_eq!(kind, "no_space", "sftp {sftp}: {said}");
        assert_eq!(names(&mount.0), [""; 0], "sftp {sftp}");
        let (kind, said) = bed.error(&["tree", &bed.dest("full")]);
        assert_eq!(kind, "no_space", "sftp {sftp}: {said}");
        assert_eq!(names(&mount.0), [""; 0], "sftp {sftp}");
        std::fs::write(mount.0.join("large"), "before").unwrap();
        bed.error(&["large", &bed.dest("full/large")]);
        assert_eq!(bed.holds("full/large"), b"before");
    }
}

#[test]
fn a_full_file_system_is_no_space_where_there_is_nothing_but_sftp() {
    if ioms_fleet::left_out("a full file system", "root") {
        return;
    }
    let sshd = ioms_fleet::Sshd::builder().only_sftp().start().unwrap();
    let files = sshd.chroot().join("files/full");
    let bed = Bed::of(crate::support::Lab::on(sshd, 1, 0));
    let mount = Mount::new(&["-t", "tmpfs", "-o", "size=512k,mode=777", "ioms"], files);
    bed.source("large", noise(4 << 20));
    let (kind, said) = bed.error(&["large", "/files/full/"]);
    assert_eq!(kind, "no_space", "{said}");
    assert_eq!(names(&mount.0), [""; 0]);
}

#[test]
fn a_read_only_file_system_is_said_to_be_one() {
    if ioms_fleet::left_out("a read-only file system", "root") {
        return;
    }
    let bed = Bed::new();
    std::fs::create_dir(bed.there("fixed")).unwrap();
    let fixed = bed.dest("fixed");
    let _bound = Mount::new(&["--bind", &fixed], bed.there("fixed"));
    let again = Command::new("mount")
        .args(["-o", "remount,bind,ro", &fixed])
        .status();
    assert!(again.unwrap().success());
    bed.source("small", "1");
    bed.source("large", noise(2 << 20));
    bed.source("tree/a", "1");
    bed.source("tree/b", "1");
    for source in ["small", "large", "tree"] {
        let host = bed.host(&[source, &bed.dest("fixed")]);
        assert_eq!(host["error"]["kind"], "remote_io", "{host}");
        let said = host["error"]["message"].as_str().unwrap();
        assert!(said.contains("Read-only file system"), "{source}: {said}");
    }
}

#[test]
fn a_folder_one_may_not_write_to_is_said_to_be_one() {
    if ioms_fleet::left_out("another account", "root") {
        return;
    }
    let bed = Bed::new();
    let user = crate::users::User::new("/bin/sh");
    std::fs::create_dir(bed.there("roots")).unwrap();
    bed.source("small", "1");
    bed.source("large", noise(2 << 20));
    bed.source("tree/a", "1");
    bed.source("tree/b", "1");
    let login = format!("ansible_user={}", user.name);
    for source in ["small", "large", "tree"] {
        let host = bed.host(&["-e", &login, source, &bed.dest("roots")]);
        assert_eq!(host["error"]["kind"], "remote_io", "{host}");
        let said = host["error"]["message"].as_str().unwrap();
        assert!(
            said.to_lowercase().contains("permission denied"),
            "{source}: {said}"
        );
        let hint = host["error"]["hint"].as_str().unwrap_or_default();
        assert!(hint.contains("--become"), "{host}");
    }
    assert_eq!(bed.names(), ["roots"]);
}

#[test]
fn a_name_that_is_too_long_is_said_to_be_so() {
    let bed = Bed::new();
    bed.source("f", "1");
    bed.source("large", noise(2 << 20));
    for source in ["f", "large"] {
        let (kind, said) = bed.error(&[source, &bed.dest(&"x".repeat(256))]);
        assert_eq!(kind, "remote_io", "{said}");
        assert!(
            said.contains("name too long") || said.contains("too long"),
            "{said}"
        );
    }
    assert!(bed.names().is_empty());
}

#[test]
fn a_source_that_becomes_shorter_on_the_way_is_an_error_and_nothing_is_left() {
    // Larger than what is kept in memory.
    let (bed, _proxy) = Bed::behind(slow(20 << 20));
    bed.source("large", noise(70 << 20));
    let args = bed.command(&["--output", "json", "large", &bed.dest("large")]);
    let child = bed.lab.desk.start(&args);
    wait_until("some of it is there", || {
        let size =
            |name: &String| std::fs::metadata(bed.there(name)).map_or(0, |found| found.len());
        bed.names().first().is_some_and(|name| size(name) > 1 << 20)
    });
    bed.source("large", "short");
    let ran = crate::support::Ran::from(child.wait_with_output().unwrap()).ends_with(2);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let host = crate::support::only(&document);
    assert_eq!(host["error"]["kind"], "local_io", "{host}");
    let said = host["error"]["message"].as_str().unwrap();
    assert!(said.contains("large") && said.contains("shorter"), "{said}");
    assert_eq!(bed.names(), [""; 0]);
}

#[test]
fn a_source_that_becomes_another_on_the_way_is_a_mismatch_and_one_that_goes_is_sent() {
    let (bed, _proxy) = Bed::behind(slow(20 << 20));
    let some_is_there = || {
        wait_until("some of it is there", || {
            let size =
                |name: &String| std::fs::metadata(bed.there(name)).map_or(0, |found| found.len());
            bed.names()
                .iter()
                .any(|name| name.contains(".part") && size(name) > 1 << 20)
        });
    };
    bed.source("large", noise(70 << 20));
    let source = bed.lab.desk.dir.path().join("large");
    let start = || {
        let args = bed.command(&["--output", "json", "large", &bed.dest("large")]);
        bed.lab.desk.start(&args)
    };
    let child = start();
    some_is_there();
    let file = std::fs::File::options().write(true).open(&source).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"another", 60 << 20).unwrap();
    let ran = crate::support::Ran::from(child.wait_with_output().unwrap()).ends_with(2);
    assert!(ran.stdout.contains("verify_mismatch"), "{ran:?}");
    assert_eq!(bed.names(), [""; 0]);
    let child = start();
    some_is_there();
    std::fs::remove_file(source).unwrap();
    crate::support::Ran::from(child.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(bed.holds("large").len(), 70 << 20);
}

#[test]
fn one_hosts_trouble_is_not_the_others() {
    let bed = Bed::of(crate::support::Lab::with_down(3, 1));
    bed.source("f", "1");
    // They are one machine, so one after the other.
    let args = bed.command(&["-f", "1", "f", &bed.dest("f")]);
    let document = bed.lab.json(&args);
    let outcomes = crate::support::each(&document, "outcome");
    let unreachable: Vec<&String> = outcomes
        .iter()
        .filter(|o| o.contains("unreachable"))
        .collect();
    assert_eq!((outcomes.len(), unreachable.len()), (3, 1), "{outcomes:?}");
    assert_eq!(bed.holds("f"), b"1");
    bed.lab.run(&args).ends_with(4);
}
