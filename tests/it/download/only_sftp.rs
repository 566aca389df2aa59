//! Hosts that have SFTP and nothing else.

use std::os::unix::fs::symlink;

use ioms_fleet::Sshd;

use super::bed::{Bed, actions, assert_same, bytes, noise};
use crate::support::{Lab, read};

fn bed() -> Option<Bed> {
    if ioms_fleet::left_out("a chroot", "root") {
        return None;
    }
    let sshd = Sshd::builder().only_sftp().start().unwrap();
    Some(Bed::with(Lab::one(sshd, "ioms_x: 1")))
}

/// Where the host's `/files` is.
fn files(bed: &Bed) -> std::path::PathBuf {
    bed.lab.sshd.chroot().join("files")
}

#[test]
fn a_tree_comes_file_by_file_and_is_known_again() {
    let Some(bed) = bed() else { return };
    let there = files(&bed).join("tree");
    for n in 0..30 {
        let folder = there.join(format!("folder {}", n % 4));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{n}\n文")), n.to_string()).unwrap();
    }
    std::fs::write(there.join("large"), noise(3 << 20)).unwrap();
    std::fs::write(there.join("empty"), "").unwrap();
    std::fs::create_dir(there.join("empty folder")).unwrap();
    symlink("large", there.join("link")).unwrap();
    symlink("folder 1", there.join("link2")).unwrap();
    let host = bed.fetch("/files/tree", &[]);
    assert!(host["error"].is_null(), "{host}");
    assert_same(&there, &bed.got("tree"));
    let file = &host["files"].as_array().unwrap()[0];
    assert_eq!(file["via"], "sftp", "{host}");
    assert_eq!(file["md5"], super::bed::md5(b""), "{host}");
    let again = bed.fetch("/files/tree", &[]);
    assert_eq!((&again["outcome"], bytes(&again)), (&"ok".into(), 0));
    std::fs::write(there.join("large"), noise(2 << 20)).unwrap();
    let host = bed.fetch("/files/tree/", &[]);
    assert!(host["error"].is_null(), "{host}");
    assert_eq!(read(bed.got("folder 0/0\n文")), "0");
}

#[test]
fn a_link_that_is_asked_for_is_followed_there_too() {
    let Some(bed) = bed() else { return };
    let there = files(&bed);
    std::fs::create_dir(there.join("v1")).unwrap();
    std::fs::write(there.join("v1/a"), "a").unwrap();
    symlink("v1", there.join("current")).unwrap();
    for (source, name) in [
        ("/files/current", "current/a"),
        ("/files/current/", "a"),
        ("/files/v1/a", "a"),
    ] {
        let host = bed.fetch(source, &["--force"]);
        assert!(host["error"].is_null(), "{source}: {host}");
        assert_eq!(actions(&host), ["sent a"], "{source}");
        assert_eq!(read(bed.got(name)), "a");
    }
    symlink("/etc", there.join("v1/out")).unwrap();
    let host = bed.fetch("/files/v1", &[]);
    let message = host["error"]["message"].as_str().unwrap();
    assert!(message.contains("v1/out"), "{message}");
}

#[test]
fn patterns_need_a_shell_names_do_not() {
    let Some(bed) = bed() else { return };
    std::fs::write(files(&bed).join("a[1]*"), "a").unwrap();
    let host = bed.fetch("/files/a[1]*", &[]);
    assert!(host["error"].is_null(), "{host}");
    let host = bed.fetch("/files/*", &[]);
    assert_eq!(host["error"]["kind"], "unsupported", "{host}");
    let message = host["error"]["message"].as_str().unwrap();
    assert!(message.contains("pattern"), "{message}");
    let host = bed.fetch("/files/nothing", &[]);
    assert_eq!(host["error"]["kind"], "remote_io", "{host}");
}
