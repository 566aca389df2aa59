//! Trees of many small files: few commands, whatever their number.

use super::bed::Bed;
use std::os::unix::fs::symlink;

#[test]
fn three_thousand_files_take_a_handful_of_commands_and_the_second_time_nothing_moves() {
    let bed = Bed::new();
    for n in 0..3000 {
        bed.source(&format!("tree/{}/{n} 文件", n % 40), format!("file {n}"));
    }
    let host = bed.host(&["tree", &bed.dest("")]);
    assert_eq!(host["outcome"], "changed", "{host}");
    let first = bed.commands();
    assert!(first <= 8, "{first} commands");
    assert_eq!(bed.holds("tree/7/2007 文件"), b"file 2007");
    assert_eq!(bed.names().len(), 3041);
    let host = bed.host(&["tree", &bed.dest("")]);
    assert_eq!(host["outcome"], "ok", "{host}");
    let moved = host["files"].as_array().unwrap().iter();
    assert_eq!(
        moved
            .map(|file| file["bytes"].as_u64().unwrap())
            .sum::<u64>(),
        0
    );
    let second = bed.commands() - first;
    assert!(second <= 4, "{second} commands");
    let files = host["files"].as_array().unwrap().iter();
    let all: u64 = files.map(|file| file["files"].as_u64().unwrap_or(1)).sum();
    assert_eq!(all, 3000, "what is not named is counted");
    bed.source("tree/7/2007 文件", "another");
    let ran = bed.run(&["tree", &bed.dest("")]).ends_with(0);
    assert!(ran.stdout.contains("2007 文件"), "{ran:?}");
    assert!(ran.stdout.contains("kept 2999 files"), "{ran:?}");
    assert_eq!(bed.holds("tree/7/2007 文件"), b"another");
}

#[test]
fn links_stay_links_and_those_that_leave_are_refused() {
    let bed = Bed::new();
    bed.source("tree/sub/f", "1");
    bed.source("outside", "2");
    let here = |name: &str| bed.lab.desk.dir.path().join(name);
    symlink("sub/f", here("tree/link")).unwrap();
    symlink("sub", here("tree/folder")).unwrap();
    bed.files("changed", &["tree", &bed.dest("")]);
    let links = ["tree/folder -> sub", "tree/link -> sub/f"];
    assert!(
        links
            .iter()
            .all(|link| bed.names().contains(&(*link).to_owned()))
    );
    bed.files("ok", &["tree", &bed.dest("")]);
    std::fs::remove_file(here("tree/link")).unwrap();
    symlink("folder/f", here("tree/link")).unwrap();
    assert_eq!(
        bed.files("changed", &["tree", &bed.dest("")]),
        ["kept f", "sent link"]
    );
    symlink("../outside", here("tree/out")).unwrap();
    let ran = bed.run(&["tree", &bed.dest("")]).ends_with(1);
    assert!(ran.stderr.contains("--follow"), "{ran:?}");
    bed.files("changed", &["--follow", "tree", &bed.dest("followed")]);
    assert_eq!(bed.holds("followed/out"), b"2");
    assert_eq!(bed.holds("followed/link"), b"1");
}

#[test]
fn a_tree_goes_into_one_that_is_there_and_leaves_the_rest_alone() {
    let bed = Bed::new();
    bed.source("tree/sub/f", "new");
    bed.source("tree/sub/g", "new");
    bed.source("tree/large", super::bed::noise(2 << 20));
    std::fs::create_dir_all(bed.there("tree/sub")).unwrap();
    std::fs::create_dir(bed.there("real")).unwrap();
    symlink("../real", bed.there("tree/by link")).unwrap();
    bed.source("tree/by link/h", "new");
    for name in ["tree/sub/f", "tree/sub/other", "tree/mine"] {
        std::fs::write(bed.there(name), "old").unwrap();
    }
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let closed = std::fs::Permissions::from_mode(0o711);
    std::fs::set_permissions(bed.there("tree/sub"), closed).unwrap();
    bed.files("changed", &["tree", &bed.dest("")]);
    assert_eq!(bed.holds("tree/sub/f"), b"new");
    assert_eq!(bed.holds("tree/sub/other"), b"old");
    assert_eq!(bed.holds("tree/mine"), b"old");
    assert_eq!(bed.holds("real/h"), b"new");
    assert!(bed.holds("tree/large") == super::bed::noise(2 << 20));
    let mode = std::fs::metadata(bed.there("tree/sub")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o711);
}
