//! The flags of `download`.

use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, UNIX_EPOCH};

use super::bed::{Bed, actions, assert_same, tree};
use crate::support::read;

#[test]
fn verify_compares_and_moves_nothing() {
    let bed = Bed::new();
    bed.put("site/a", "a");
    bed.put("site/b", "b");
    let source = bed.source("site");
    let ran = bed.run(&[&source, "got", "--verify"]).ends_with(2);
    assert!(ran.said().contains("2 files differ"), "{}", ran.said());
    assert!(!bed.dest().exists(), "nothing is made");
    bed.fetched("site", &[]);
    bed.run(&[&source, "got", "--verify"]).ends_with(0);
    bed.put("site/a", "A");
    std::fs::write(bed.got("site/extra"), "x").unwrap();
    let host = bed.fetch(&source, &["--verify"]);
    assert_eq!(host["outcome"], "failed");
    assert_eq!(host["error"]["kind"], "verify_mismatch", "{host}");
    assert_eq!(actions(&host), ["differs a", "verified b"]);
    let host = bed.fetch(&source, &["--verify", "--delete"]);
    assert_eq!(
        actions(&host),
        ["differs a", "differs extra", "verified b"],
        "{host}"
    );
    assert_eq!(read(bed.got("site/a")), "a");
}

#[test]
fn check_asks_and_makes_nothing_dry_run_does_not_ask() {
    let bed = Bed::new();
    bed.put("site/a", "a");
    let host = bed.fetched("site", &["--check"]);
    assert_eq!(
        (&host["outcome"], actions(&host)),
        (&"changed".into(), vec!["sent a".to_owned()])
    );
    assert!(!bed.dest().exists(), "nothing is made");
    let ran = bed.run(&[&bed.source("site"), "got", "-C"]).ends_with(0);
    assert!(ran.stdout.contains("would have fetched"), "{}", ran.said());
    bed.fetched("site", &[]);
    assert_eq!(bed.fetched("site", &["--check"])["outcome"], "ok");
    bed.lab.sshd.kill();
    let ran = bed
        .run(&[&bed.source("site"), "other", "--dry-run"])
        .ends_with(0);
    assert!(ran.stdout.contains("web01"), "{}", ran.said());
    assert!(!bed.lab.desk.dir.path().join("other").exists());
}

#[test]
fn times_are_kept_where_asked_for() {
    let bed = Bed::new();
    let old = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let names = ["site/a", "site/b", "site/large"];
    for name in names {
        let content = vec![b'x'; if name == "site/large" { 2 << 20 } else { 1 }];
        let path = bed.put(name, content);
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(old).unwrap();
    }
    bed.fetched("site", &[]);
    assert_ne!(bed.got("site/a").metadata().unwrap().mtime(), 1_000_000_000);
    bed.fetched("site", &["--times", "--force"]);
    for name in names {
        let meta = bed.got(name).metadata().unwrap();
        assert_eq!(meta.mtime(), 1_000_000_000, "{name}");
    }
}

#[test]
fn times_of_what_is_kept_are_set_too() {
    let bed = Bed::new();
    let path = bed.put("a", "a");
    bed.fetched("a", &[]);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let old = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    file.set_modified(old).unwrap();
    let host = bed.fetched("a", &["--times"]);
    assert_eq!(bed.got("a").metadata().unwrap().mtime(), 1_000_000_000);
    assert_eq!(
        (&host["outcome"], &host["files"][0]["changed"]),
        (&"changed".into(), &true.into()),
        "{host}"
    );
    assert_eq!(bed.fetched("a", &["--times"])["outcome"], "ok");
}

#[test]
fn a_new_file_gets_the_bits_it_has_there_under_our_umask_a_replaced_one_keeps_its_own() {
    use std::os::unix::fs::PermissionsExt as _;
    let bed = Bed::new();
    let all = [
        ("t/run", 0o755, 0o755),
        ("t/data", 0o600, 0o600),
        ("t/shadow", 0o640, 0o640),
        ("t/open", 0o666, 0o644),
        ("t/large", 0o640, 0o640),
        ("t/suid", 0o6755, 0o755),
        ("t/mine", 0o644, 0o600),
        ("t/mine-large", 0o755, 0o640),
    ];
    std::fs::create_dir_all(bed.got("t")).unwrap();
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, mode, here) in all {
        let size = if name.ends_with("large") { 2 << 20 } else { 3 };
        set(&bed.put(name, vec![b'x'; size]), mode);
        if name.starts_with("t/mine") {
            std::fs::write(bed.got(name), "old").unwrap();
            set(&bed.got(name), here);
        }
    }
    bed.fetched("t", &[]);
    let umask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    rustix::process::umask(umask);
    for (name, _, here) in all {
        let mode = bed.got(name).metadata().unwrap().mode() & 0o7777;
        let here = match name {
            "t/open" => 0o666 & !umask.as_raw_mode(),
            _ => here,
        };
        assert_eq!(mode, here, "{name}: {mode:o}");
    }
}

#[test]
fn what_is_replaced_is_kept_beside_it() {
    let bed = Bed::new();
    bed.put("a", "new");
    std::fs::create_dir_all(bed.dest().join("web01")).unwrap();
    std::fs::write(bed.got("a"), "old").unwrap();
    bed.fetched("a", &["--backup"]);
    assert_eq!(read(bed.got("a")), "new");
    let names = tree(&bed.dest().join("web01"));
    let kept = names.keys().find(|name| name.starts_with(b"a.2"));
    let kept = String::from_utf8(kept.unwrap().clone()).unwrap();
    assert_eq!(read(bed.got(kept)), "old");
}

#[test]
fn what_can_not_be_kept_is_not_replaced() {
    let bed = Bed::new();
    // No room in such a name for more.
    for name in ["x".repeat(250), "y".repeat(250)] {
        bed.put(format!("t/{name}"), "new");
        std::fs::create_dir_all(bed.got("t")).unwrap();
        std::fs::write(bed.got(format!("t/{name}")), "old").unwrap();
    }
    bed.put("t/large", super::bed::noise(2 << 20));
    let host = bed.fetch(&bed.source("t"), &["--backup"]);
    assert_eq!(host["error"]["kind"], "local_io", "{host}");
    for name in ["x".repeat(250), "y".repeat(250)] {
        assert_eq!(read(bed.got(format!("t/{name}"))), "old");
    }
    assert!(super::faults::parts(&bed.dest()).is_empty());
}

#[test]
fn force_moves_what_is_equal() {
    let bed = Bed::new();
    bed.put("a", "a");
    bed.fetched("a", &[]);
    let host = bed.fetched("a", &["--force"]);
    assert_eq!(actions(&host), ["sent a"]);
    assert_eq!(host["outcome"], "changed");
}

#[test]
fn delete_removes_within_what_was_asked_for_and_nothing_else() {
    let bed = Bed::new();
    bed.put("site/a", "a");
    bed.put("site/sub/b", "b");
    bed.put("other", "o");
    bed.fetched("site", &[]);
    for name in ["neighbour", "site/extra", "site/sub/more"] {
        std::fs::write(bed.got(name), "x").unwrap();
    }
    std::fs::create_dir_all(bed.got("site/gone/deep")).unwrap();
    std::fs::write(bed.got("site/gone/deep/f"), "x").unwrap();
    std::os::unix::fs::symlink("/etc", bed.got("site/out")).unwrap();
    let source = bed.source("site");
    let asked = bed.run(&[&source, "got", "--delete"]).ends_with(1);
    assert!(asked.said().contains("--yes"), "{}", asked.said());
    assert!(bed.got("site/extra").exists());
    let host = bed.fetched("site", &["--delete", "--check"]);
    assert!(bed.got("site/extra").exists());
    let expected = [
        "kept a",
        "kept b",
        "removed extra",
        "removed gone",
        "removed more",
        "removed out",
    ];
    assert_eq!(actions(&host), expected);
    let host = bed.fetched("site", &["--delete", "--yes"]);
    assert_eq!(actions(&host), expected);
    assert_same(&bed.at("site"), &bed.got("site"));
    assert!(bed.got("neighbour").exists());
    // A file is no folder to be mirrored, and neither are the matches of a pattern.
    let host = bed.fetch(&bed.source("other"), &["--delete", "--yes"]);
    assert_eq!(host["error"]["kind"], "arguments", "{host}");
    let pattern = bed.source("*");
    let refused = bed
        .run(&[&pattern, "got", "--delete", "--yes"])
        .ends_with(1);
    assert!(refused.said().contains("pattern"), "{}", refused.said());
    assert!(bed.got("neighbour").exists() && bed.got("site/a").exists());
    // The content is the whole folder.
    bed.fetched("site/", &["--delete", "--yes"]);
    assert_same(&bed.at("site"), &bed.dest().join("web01"));
}

#[test]
fn sha256_compares_as_well() {
    let bed = Bed::new();
    bed.put("t/a", "abc");
    bed.put("t/b", "b");
    let host = bed.fetched("t", &["--checksum", "sha256"]);
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(host["files"][0]["sha256"], sum, "{host}");
    let again = bed.fetched("t", &["--checksum", "sha256"]);
    assert_eq!(again["outcome"], "ok");
}

#[test]
fn a_limit_is_kept_to() {
    let bed = Bed::new();
    bed.put("a", vec![b'x'; 2 << 20]);
    let begin = std::time::Instant::now();
    bed.fetched("a", &["--limit-rate", "1M"]);
    let took = begin.elapsed().as_secs_f64();
    assert!((1.8..8.0).contains(&took), "{took}");
}

#[test]
fn diff_shows_how_texts_differ_from_what_is_here() {
    let bed = Bed::new();
    bed.put("t/a", "port 80\nlog on\n");
    bed.put("t/new", "n\n");
    bed.put("t/bytes", b"\xff\x00");
    bed.put("t/large", vec![b'x'; 300 * 1024]);
    std::fs::create_dir_all(bed.got("t")).unwrap();
    std::fs::write(bed.got("t/a"), "port 81\nlog on\n").unwrap();
    std::fs::write(bed.got("t/bytes"), "x").unwrap();
    let t = bed.source("t");
    let said = bed.run(&[&t, "got", "--check", "-D"]).ends_with(0).stdout;
    for line in ["--- t/a", "-port 81", "+port 80", " log on", "+n"] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.contains(&format!("+++ {t}/a")), "{said}");
    assert!(
        !said.contains("xxx") && !said.contains("t/bytes\n"),
        "{said}"
    );
    assert_eq!(
        read(bed.got("t/a")),
        "port 81\nlog on\n",
        "nothing was moved"
    );
    let said = bed.run(&[&t, "got", "--diff"]).ends_with(0).stdout;
    assert!(
        said.contains("+port 80") && said.contains("fetched"),
        "{said}"
    );
    assert_same(&bed.at("t"), &bed.got("t"));
    let said = bed.run(&[&t, "got", "--diff"]).ends_with(0).stdout;
    assert!(!said.contains("+++"), "{said}");
}
