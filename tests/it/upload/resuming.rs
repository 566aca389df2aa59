//! What broke off goes on from a beginning that was found good.

use super::bed::{Bed, noise, slow};
use crate::support::{signal, wait_until};
use ioms_fleet::failing::Line;

const SIZE: usize = 24 << 20;

/// The part file that is there, and its size.
fn part(bed: &Bed) -> Option<(String, u64)> {
    let name = bed
        .names()
        .into_iter()
        .find(|name| name.contains(".ioms-"))?;
    let size = std::fs::metadata(bed.there(&name)).ok()?.len();
    Some((name, size))
}

/// Kills the program when some of a large file is on its way.
fn break_off(bed: &Bed) -> (String, u64) {
    let args = bed.command(&["large", &bed.dest("large")]);
    let mut child = bed.lab.desk.start(&args);
    wait_until("a quarter is there", || {
        part(bed).is_some_and(|(_, size)| size > SIZE as u64 / 4)
    });
    signal(&child, "KILL");
    child.wait().unwrap();
    let mut last = 0;
    wait_until("nothing comes any more", || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        let (_, size) = part(bed).unwrap();
        std::mem::replace(&mut last, size) == size
    });
    part(bed).unwrap()
}

fn killed(sftp: bool) {
    let sshd = ioms_fleet::Sshd::builder();
    let sshd = if sftp { sshd } else { sshd.without_sftp() };
    let (bed, _proxy) = Bed::behind_of(sshd.start().unwrap(), slow(8 << 20));
    bed.source("large", noise(SIZE));
    let (name, size) = break_off(&bed);
    assert!(size < SIZE as u64, "{name}: {size}");
    assert!(!bed.there("large").exists());
    let host = bed.host(&["large", &bed.dest("large")]);
    let file = &host["files"][0];
    assert_eq!(file["action"], "resumed", "sftp {sftp}: {host}");
    assert_eq!(file["bytes"].as_u64(), Some(SIZE as u64 - size), "{host}");
    assert_eq!(file["via"], if sftp { "sftp" } else { "stream" });
    assert!(bed.holds("large") == noise(SIZE), "the content is equal");
    assert_eq!(bed.names(), ["large"]);
}

#[test]
fn a_killed_controllers_file_goes_on_where_it_was_by_sftp() {
    killed(true);
}

#[test]
fn a_killed_controllers_file_goes_on_where_it_was_by_a_stream() {
    killed(false);
}

#[test]
fn a_part_file_whose_content_is_wrong_is_not_trusted() {
    let bed = Bed::new();
    bed.source("large", noise(3 << 20));
    let md5 = bed.host(&["--check", "large", &bed.dest("large")])["files"][0]["md5"].clone();
    let name = format!(".large.ioms-{}.part", md5.as_str().unwrap());
    std::fs::write(bed.there(&name), vec![0; 1 << 20]).unwrap();
    assert_eq!(
        bed.files("changed", &["large", &bed.dest("large")]),
        ["sent large"]
    );
    assert!(bed.holds("large") == noise(3 << 20));
    // All of it, and more.
    std::fs::remove_file(bed.there("large")).unwrap();
    std::fs::write(bed.there(&name), noise(4 << 20)).unwrap();
    bed.files("changed", &["large", &bed.dest("large")]);
    assert!(bed.holds("large") == noise(3 << 20));
    // All of it, and good: nothing is left to be moved.
    std::fs::remove_file(bed.there("large")).unwrap();
    std::fs::write(bed.there(&name), noise(3 << 20)).unwrap();
    let host = bed.host(&["large", &bed.dest("large")]);
    let file = &host["files"][0];
    assert_eq!(
        (&file["action"], &file["bytes"]),
        (&"resumed".into(), &0.into()),
        "{host}"
    );
    assert_eq!(bed.names(), ["large"]);
}

#[test]
fn a_lost_connection_leaves_the_part_file_and_the_next_upload_goes_on() {
    let cut = Line {
        cut_after: Some(8 << 20),
        ..slow(32 << 20)
    };
    let (bed, _proxy) = Bed::behind(cut);
    bed.source("large", noise(12 << 20));
    let host = bed.host(&["large", &bed.dest("large")]);
    assert_eq!(host["outcome"], "failed", "{host}");
    assert_eq!(host["error"]["kind"], "disconnected", "{host}");
    let (_, size) = part(&bed).unwrap();
    assert!(size > 1 << 20, "{size}");
    let host = bed.host(&["large", &bed.dest("large")]);
    assert_eq!(host["files"][0]["action"], "resumed", "{host}");
    assert!(bed.holds("large") == noise(12 << 20));
}

#[test]
fn part_files_older_than_a_day_are_removed() {
    let bed = Bed::new();
    bed.source("f", "1");
    let two_days = std::time::SystemTime::now() - std::time::Duration::from_hours(48);
    let name = |of: &str| format!(".{of}.ioms-{}.part", "0".repeat(32));
    for (of, old) in [("a", true), ("b", false)] {
        let file = std::fs::File::create(bed.there(name(of))).unwrap();
        if old {
            file.set_modified(two_days).unwrap();
        }
    }
    bed.files("changed", &["f", &bed.dest("f")]);
    assert_eq!(bed.names(), [name("b"), "f".to_owned()]);
}

/// Half of `large` as a part file that was left two days ago, in the hosts' folder.
fn left_long_ago(bed: &Bed, folder: &std::path::Path) {
    let md5 = bed.host(&["--check", "large", &bed.dest("none")])["files"][0]["md5"].clone();
    let name = format!(".large.ioms-{}.part", md5.as_str().unwrap());
    let path = folder.join(name);
    std::fs::write(&path, noise(2 << 20)).unwrap();
    let two_days = std::time::SystemTime::now() - std::time::Duration::from_hours(48);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(two_days).unwrap();
}

#[test]
fn an_old_part_file_that_is_gone_on_with_is_not_swept_away_before() {
    let bed = Bed::new();
    bed.source("large", noise(4 << 20));
    bed.source("a", "1");
    bed.source("b", "2");
    left_long_ago(&bed, &bed.there(""));
    assert_eq!(
        bed.files("changed", &["a", "b", "large", &bed.dest("")]),
        ["resumed large", "sent a", "sent b"]
    );
    assert!(bed.holds("large") == noise(4 << 20));
    assert_eq!(bed.names(), ["a", "b", "large"]);
}

#[test]
fn a_part_file_that_vanishes_is_sent_from_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    // As soon as it was made new: before the command that is to go on with it.
    let force = format!(
        "ForceCommand find {} -name '.large.*' -mmin -5 -exec rm -f {{}} +; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"",
        folder.path().display()
    );
    let sshd = ioms_fleet::Sshd::builder().without_sftp().config(&force);
    let bed = Bed::of(crate::support::Lab::on(sshd.start().unwrap(), 1, 0));
    bed.source("large", noise(4 << 20));
    left_long_ago(&bed, folder.path());
    let dest = format!("{}/large", folder.path().display());
    let host = bed.host(&["large", &dest]);
    assert_eq!(host["outcome"], "changed", "{host}");
    let file = &host["files"][0];
    assert_eq!(file["action"], "sent", "{host}");
    assert_eq!(file["bytes"], 4 << 20, "{host}");
    assert!(std::fs::read(folder.path().join("large")).unwrap() == noise(4 << 20));
    assert_eq!(super::bed::names(folder.path()), ["large"]);
}

#[test]
fn a_tree_that_broke_off_goes_on_with_what_is_missing() {
    let (bed, _proxy) = Bed::behind(slow(4 << 20));
    for n in 0..200 {
        let content = [n.to_string().into_bytes(), noise(50_000)].concat();
        bed.source(&format!("tree/{n}"), content);
    }
    let args = bed.command(&["tree", &bed.dest("tree")]);
    let mut child = bed.lab.desk.start(&args);
    wait_until("some are there", || bed.names().len() > 50);
    signal(&child, "KILL");
    child.wait().unwrap();
    assert!(!bed.there("tree").exists(), "nothing of it is in its place");
    wait_until("the host has noticed", || {
        !crate::support::runs(&bed.dest(""))
    });
    let came = bed.names().len() - 1;
    let host = bed.host(&["tree", &bed.dest("tree")]);
    assert_eq!(host["outcome"], "changed", "{host}");
    let files = host["files"].as_array().unwrap();
    let resumed = files.iter().filter(|file| file["action"] == "resumed");
    let resumed: Vec<_> = resumed.collect();
    assert!(
        resumed.len() >= came - 1,
        "{came} came, {} stayed",
        resumed.len()
    );
    assert!(resumed.iter().all(|file| file["bytes"] == 0));
    assert_eq!(files.len(), 200);
    for n in 0..200 {
        let content = [n.to_string().into_bytes(), noise(50_000)].concat();
        assert!(bed.holds(&format!("tree/{n}")) == content, "{n}");
    }
    assert!(!bed.names().iter().any(|name| name.contains(".part")));
}

#[test]
fn what_a_broken_tree_has_left_never_replaces_what_is_good_since() {
    let bed = Bed::new();
    bed.source("tree/a", "good");
    bed.source("tree/b", "b");
    std::fs::create_dir(bed.there("tree")).unwrap();
    let fingerprint = staging_of(&bed);
    std::fs::create_dir(bed.there(format!("tree/{fingerprint}"))).unwrap();
    std::fs::write(bed.there(format!("tree/{fingerprint}/a")), "go").unwrap();
    std::fs::write(bed.there("tree/a"), "good").unwrap();
    bed.files("changed", &["tree", &bed.dest("")]);
    assert_eq!(bed.holds("tree/a"), b"good");
    assert_eq!(bed.names(), ["tree", "tree/a", "tree/b"]);
}

/// The name of the staging folder of `tree`: known by names and contents.
fn staging_of(bed: &Bed) -> String {
    let mut known = Vec::new();
    for (name, md5) in [
        ("", None),
        ("a", Some("755f85c2723bb39381c7379a604160d8")),
        ("b", Some("92eb5ffee6ae2fec3ad71c777531578f")),
    ] {
        known.extend_from_slice(name.as_bytes());
        known.extend_from_slice(md5.unwrap_or_default().as_bytes());
        known.push(0);
    }
    bed.source("fingerprint", known);
    let host = bed.host(&["--check", "fingerprint", &bed.dest("none")]);
    let md5 = host["files"][0]["md5"].as_str().unwrap().to_owned();
    format!("..ioms-{md5}.part")
}

#[test]
fn an_upload_whose_time_is_up_or_that_is_interrupted_is_gone_on_with() {
    let (bed, _proxy) = Bed::behind(slow(4 << 20));
    bed.source("large", noise(SIZE));
    let dest = bed.dest("large");
    let host = bed.host(&["--timeout", "2s", "large", &dest]);
    assert_eq!(host["outcome"], "timed_out", "{host}");
    assert_eq!(host["error"]["kind"], "timeout", "{host}");
    let (_, first) = part(&bed).unwrap();
    assert!(first > 1 << 20, "{first}");
    let child = bed.lab.desk.start(&bed.command(&["large", &dest]));
    wait_until("it goes on", || {
        part(&bed).is_some_and(|(_, size)| size > first + (2 << 20))
    });
    signal(&child, "INT");
    let ran = crate::support::Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.status, 130, "{ran:?}");
    let (_, second) = part(&bed).unwrap();
    let host = bed.host(&["large", &dest]);
    let file = &host["files"][0];
    assert_eq!(file["action"], "resumed", "{host}");
    assert!(
        file["bytes"].as_u64().unwrap() <= SIZE as u64 - second,
        "{host}"
    );
    assert!(bed.holds("large") == noise(SIZE));
    assert_eq!(bed.names(), ["large"]);
}
