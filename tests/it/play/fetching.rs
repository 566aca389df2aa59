//! `fetch` of files of any size, as another user too.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ioms_fleet::Sshd;

use crate::support::{Lab, Ran};

/// More than a record may hold.
const LARGE: usize = 60 << 20;

struct Bed {
    lab: Lab,
    there: tempfile::TempDir,
}

impl Bed {
    fn new() -> Self {
        let there = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(there.path(), open).unwrap();
        Self {
            lab: Lab::one(Sshd::start().unwrap(), "ioms_x: 1"),
            there,
        }
    }

    fn put(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.there.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn fetch(&self, source: &Path, more: &[&str]) -> Ran {
        let task = format!(
            "- {{hosts: all, gather_facts: false, tasks: [{{fetch: {{src: '{}', dest: got}}}}]}}\n",
            source.display()
        );
        let play = self.lab.desk.file("fetch.yml", task);
        self.lab
            .run(&[&["play", play.to_str().unwrap()], more].concat())
    }

    fn got(&self, source: &Path) -> PathBuf {
        let below = source.strip_prefix("/").unwrap();
        let folder = self.lab.desk.home().parent().unwrap().join("got/web01");
        folder.join(below)
    }
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    (0..size).map(|_| next()).collect()
}

#[test]
fn a_large_file_comes_whole_and_only_once() {
    let bed = Bed::new();
    let content = noise(LARGE);
    let source = bed.put("large", &content);
    let first = bed.fetch(&source, &[]).ends_with(0);
    assert!(first.stdout.contains("changed=1"), "{}", first.stdout);
    let got = bed.got(&source);
    assert!(std::fs::read(&got).unwrap() == content);
    let before = std::fs::metadata(&got).unwrap();
    let again = bed.fetch(&source, &["--expect-no-change"]).ends_with(0);
    assert!(again.stdout.contains("changed=0"), "{}", again.stdout);
    let after = std::fs::metadata(&got).unwrap();
    assert_eq!(before.ino(), after.ino(), "not written again");
    let beside = std::fs::read_dir(got.parent().unwrap()).unwrap();
    assert_eq!(beside.count(), 1, "no part is left");
}

#[test]
fn what_differs_is_replaced_in_one_step_and_keeps_its_mode_here() {
    let bed = Bed::new();
    let source = bed.put("a b", b"one");
    bed.fetch(&source, &[]).ends_with(0);
    let got = bed.got(&source);
    std::fs::set_permissions(&got, std::fs::Permissions::from_mode(0o640)).unwrap();
    let before = std::fs::metadata(&got).unwrap();
    bed.put("a b", b"two");
    bed.fetch(&source, &[]).ends_with(0);
    let after = std::fs::metadata(&got).unwrap();
    assert_eq!(std::fs::read(&got).unwrap(), b"two");
    assert_ne!(before.ino(), after.ino());
    assert_eq!(after.mode() & 0o777, 0o640);
}

#[test]
fn below_a_hosts_folder_no_link_is_followed() {
    let bed = Bed::new();
    let source = bed.put("x/y", b"one");
    let got = bed.got(&source);
    let elsewhere = bed.put("elsewhere/kept", b"").parent().unwrap().to_owned();
    std::fs::create_dir_all(got.parent().unwrap().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, got.parent().unwrap()).unwrap();
    let ran = bed.fetch(&source, &[]).ends_with(2);
    assert!(
        ran.stdout.contains("a link or file is in the way"),
        "{}",
        ran.stdout
    );
    assert!(!elsewhere.join("y").exists());
}

#[test]
fn with_become_comes_what_the_account_itself_may_not_read() {
    if ioms_fleet::left_out("becoming another user", "root") {
        return;
    }
    let user = crate::users::User::new("/bin/bash");
    user.may_sudo("ALL=(ALL) NOPASSWD: ALL");
    let bed = Bed::new();
    let content = noise(3 << 20);
    let source = bed.put("secret", &content);
    std::fs::set_permissions(&source, std::fs::Permissions::from_mode(0o600)).unwrap();
    let login = format!("ansible_user={}", user.name);
    let ran = bed.fetch(&source, &["-e", &login]).ends_with(2);
    assert!(
        ran.stdout.contains("file is not readable"),
        "{}",
        ran.stdout
    );
    bed.fetch(&source, &["-e", &login, "-b"]).ends_with(0);
    assert!(std::fs::read(bed.got(&source)).unwrap() == content);
}

#[test]
fn what_has_no_size_comes_to_its_end() {
    let desk = crate::support::Desk::local("web01");
    let tools = desk.home().join("tools");
    std::fs::create_dir(&tools).unwrap();
    // A file that is larger than it looks, as those of /proc are.
    let source = desk.home().join("empty");
    std::fs::write(&source, "").unwrap();
    let cat = tools.join("cat");
    std::fs::write(&cat, "#!/bin/sh\nhead -c 70000000 /dev/zero\n").unwrap();
    std::fs::set_permissions(&cat, std::fs::Permissions::from_mode(0o755)).unwrap();
    let play = desk.file(
        "fetch.yml",
        format!(
            "- {{hosts: all, gather_facts: false, tasks: [{{fetch: {{src: '{}', dest: got/, flat: true, validate_checksum: false}}}}]}}\n",
            source.display()
        ),
    );
    let mut command = desk.command(&["play", play.to_str().unwrap()]);
    let path = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{path}", tools.display()));
    Ran::of(command).ends_with(0);
    let got = desk.home().parent().unwrap().join("got/empty");
    assert_eq!(std::fs::metadata(got).unwrap().len(), 70_000_000);
}
