//! `--delete`: the folder there as the folder here.

use super::bed::Bed;
use std::os::unix::fs::symlink;

fn site() -> Bed {
    let bed = Bed::new();
    bed.source("site/a", "a");
    bed.source("site/sub/b", "b");
    for folder in ["site/old/deep", "elsewhere"] {
        std::fs::create_dir_all(bed.there(folder)).unwrap();
    }
    for (name, text) in [
        ("site/gone", ""),
        ("site/old/deep/x", ""),
        ("site/a b\nc", ""),
        ("elsewhere/stays", "1"),
        ("beside", "1"),
    ] {
        std::fs::write(bed.there(name), text).unwrap();
    }
    symlink("../elsewhere", bed.there("site/link")).unwrap();
    bed
}

#[test]
fn only_what_is_here_is_left_there() {
    let bed = site();
    let files = bed.files(
        "changed",
        &["--delete", "--yes", "site/", &bed.dest("site")],
    );
    assert_eq!(
        files,
        [
            "removed a b\nc",
            "removed gone",
            "removed link",
            "removed old",
            "sent a",
            "sent b"
        ]
    );
    assert_eq!(
        bed.names(),
        [
            "beside",
            "elsewhere",
            "elsewhere/stays",
            "site",
            "site/a",
            "site/sub",
            "site/sub/b"
        ]
    );
    bed.files("ok", &["--delete", "--yes", "site/", &bed.dest("site")]);
}

#[test]
fn the_folder_itself_is_mirrored_below_its_destination() {
    let bed = site();
    bed.files("changed", &["--delete", "--yes", "site", &bed.dest("")]);
    assert_eq!(
        bed.names(),
        [
            "beside",
            "elsewhere",
            "elsewhere/stays",
            "site",
            "site/a",
            "site/sub",
            "site/sub/b"
        ]
    );
}

#[test]
fn it_asks_and_without_a_terminal_nothing_is_done() {
    let bed = site();
    let before = bed.names();
    let ran = bed
        .run(&["--delete", "site/", &bed.dest("site")])
        .ends_with(1);
    assert!(ran.stderr.contains("--yes"), "{ran:?}");
    assert!(ran.stderr.contains("1 host"), "{ran:?}");
    assert_eq!(bed.names(), before);
    assert!(
        !bed.lab.sshd.log().contains("Accepted"),
        "no host was asked"
    );
}

#[test]
fn what_removes_nothing_does_not_ask() {
    let bed = site();
    let before = bed.names();
    let dest = bed.dest("site");
    let ran = bed
        .run(&["--delete", "--check", "site/", &dest])
        .ends_with(0);
    assert!(ran.stdout.contains("would have removed"), "{ran:?}");
    let ran = bed
        .run(&["--delete", "--verify", "site/", &dest])
        .ends_with(2);
    assert!(ran.stdout.contains("gone"), "{ran:?}");
    bed.run(&["--delete", "--dry-run", "site/", &dest])
        .ends_with(0);
    bed.run(&["--delete", "--list-hosts", "site/", &dest])
        .ends_with(0);
    assert_eq!(bed.names(), before);
}

#[test]
fn it_is_for_one_folder() {
    let bed = site();
    bed.source("f", "1");
    for sources in [&["f"][..], &["site", "f"]] {
        let dest = bed.dest("site");
        let args = [&["--delete", "--yes"], sources, &[dest.as_str()]].concat();
        bed.run(&args).ends_with(1);
    }
    assert!(bed.there("site/gone").exists());
}

#[test]
fn what_another_upload_has_under_way_is_left_alone() {
    let bed = site();
    let staging = "site/..ioms-0123456789abcdef0123456789abcdef.part";
    std::fs::create_dir(bed.there(staging)).unwrap();
    std::fs::write(bed.there(format!("{staging}/f")), "1").unwrap();
    bed.files(
        "changed",
        &["--delete", "--yes", "site/", &bed.dest("site")],
    );
    assert!(bed.there(format!("{staging}/f")).exists());
}

#[test]
fn nothing_is_removed_where_something_could_not_be_sent() {
    let bed = site();
    // In the way of a file of that name.
    std::fs::create_dir(bed.there("site/a")).unwrap();
    let (kind, said) = bed.error(&["--delete", "--yes", "site/", &bed.dest("site")]);
    assert_eq!(kind, "remote_io");
    assert!(said.contains("a folder of that name is there"), "{said}");
    assert!(bed.there("site/gone").exists());
}

#[test]
fn a_link_is_removed_as_a_link_where_there_is_nothing_but_sftp() {
    if ioms_fleet::left_out("a chroot", "root") {
        return;
    }
    let sshd = ioms_fleet::Sshd::builder().only_sftp().start().unwrap();
    let bed = Bed::of(crate::support::Lab::on(sshd, 1, 0));
    bed.source("site/a", "a");
    let there = bed.lab.sshd.chroot().join("files");
    for folder in ["site/old", "elsewhere/deep"] {
        std::fs::create_dir_all(there.join(folder)).unwrap();
    }
    std::fs::write(there.join("elsewhere/deep/stays"), "1").unwrap();
    symlink("../elsewhere", there.join("site/link")).unwrap();
    symlink("../../elsewhere", there.join("site/old/link")).unwrap();
    symlink("nowhere", there.join("site/broken")).unwrap();
    bed.files("changed", &["--delete", "--yes", "site/", "/files/site"]);
    assert_eq!(
        super::bed::names(&there),
        [
            "elsewhere",
            "elsewhere/deep",
            "elsewhere/deep/stays",
            "site",
            "site/a"
        ]
    );
}

#[test]
fn backups_stay_and_names_of_another_case_do() {
    let bed = site();
    for name in [
        "site/A",
        "site/a.2026-11-25@08:00:00~",
        "site/old/c.2026-11-25@08:00:00~",
    ] {
        std::fs::write(bed.there(name), "").unwrap();
    }
    bed.files(
        "changed",
        &["--delete", "--yes", "site/", &bed.dest("site")],
    );
    let names = bed.names();
    let left: Vec<&String> = names.iter().filter(|n| n.starts_with("site/")).collect();
    assert_eq!(
        left,
        [
            "site/A",
            "site/a",
            "site/a.2026-11-25@08:00:00~",
            "site/old",
            "site/old/c.2026-11-25@08:00:00~",
            "site/sub",
            "site/sub/b"
        ]
    );
}

#[test]
fn a_home_folder_or_a_root_is_refused_before_anything_is_sent() {
    let bed = site();
    let home = bed.lab.sshd.home();
    std::fs::write(home.join("precious"), "1").unwrap();
    for dest in ["/", "~", ".", "~/", "//", "/tmp/.."] {
        let (kind, said) = bed.error(&["--delete", "--yes", "site/", dest]);
        assert_eq!(kind, "arguments", "{dest}: {said}");
        assert!(said.contains("--delete"), "{said}");
    }
    assert!(home.join("precious").exists());
    assert!(!home.join("a").exists());
}
