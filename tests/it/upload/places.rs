//! Where files go, what is set of them, and what is said.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};

use serde_json::json;

use super::bed::{Bed, noise};
use crate::support::{Lab, each};

#[test]
fn a_first_upload_sends_the_next_keeps_and_a_change_is_sent() {
    let bed = Bed::new();
    bed.source("app.conf", "one\n");
    let dest = bed.dest("app.conf");
    assert_eq!(
        bed.files("changed", &["app.conf", &dest]),
        ["sent app.conf"]
    );
    assert_eq!(bed.holds("app.conf"), b"one\n");
    let before = std::fs::metadata(bed.there("app.conf")).unwrap();
    assert_eq!(bed.files("ok", &["app.conf", &dest]), ["kept app.conf"]);
    let after = std::fs::metadata(bed.there("app.conf")).unwrap();
    assert_eq!(before.ino(), after.ino(), "what is equal is left alone");
    bed.source("app.conf", "two\n");
    assert_eq!(
        bed.files("changed", &["app.conf", &dest]),
        ["sent app.conf"]
    );
    assert_eq!(bed.holds("app.conf"), b"two\n");
    assert_eq!(
        bed.files("changed", &["--force", "app.conf", &dest]),
        ["sent app.conf"]
    );
    assert_eq!(
        bed.files("ok", &["--checksum", "sha256", "app.conf", &dest]),
        ["kept app.conf"]
    );
    assert_eq!(bed.names(), ["app.conf"]);
}

#[test]
fn the_document_says_what_became_of_a_file() {
    let bed = Bed::new();
    bed.source("f", "hello");
    let dest = bed.dest("f");
    let host = bed.host(&["f", &dest]);
    assert_eq!(
        host["files"],
        json!([{"source": "f", "target": dest, "action": "sent", "size": 5,
                "md5": "5d41402abc4b2a76b9719d911017c592", "bytes": 5, "via": "stream"}])
    );
    assert_eq!(
        (&host["outcome"], &host["error"]),
        (&json!("changed"), &json!(null))
    );
    bed.source("large", noise(3 << 20));
    let host = bed.host(&["large", &bed.dest("")]);
    let file = &host["files"][0];
    assert_eq!(
        (&file["via"], &file["bytes"]),
        (&json!("sftp"), &json!(3 << 20))
    );
    assert_eq!(bed.holds("large"), noise(3 << 20));
    let host = bed.host(&["large", &bed.dest("")]);
    let file = &host["files"][0];
    assert_eq!(
        (&file["action"], &file["bytes"]),
        (&json!("kept"), &json!(0))
    );
}

#[test]
fn a_destination_is_a_folder_or_a_name_as_cp_has_it() {
    let bed = Bed::new();
    bed.source("a", "a");
    std::fs::create_dir(bed.there("folder")).unwrap();
    symlink("folder", bed.there("link")).unwrap();
    bed.files("changed", &["a", &bed.dest("folder")]);
    bed.files("ok", &["a", &bed.dest("link")]);
    bed.files("changed", &["a", &bed.dest("folder/as b")]);
    assert_eq!(
        bed.names(),
        ["folder", "folder/a", "folder/as b", "link -> folder"]
    );
    let (kind, said) = bed.error(&["a", &bed.dest("none/")]);
    assert_eq!(kind, "remote_io");
    assert!(said.contains("none"), "{said}");
    let (_, said) = bed.error(&["a", &bed.dest("none/a")]);
    assert!(said.contains("No such file or directory"), "{said}");
    let (_, said) = bed.error(&["a", &bed.dest("folder/a/")]);
    assert!(said.contains("is no folder"), "{said}");
    bed.files("changed", &["--mkdir", "a", &bed.dest("x/y/")]);
    bed.files("changed", &["--mkdir", "a", &bed.dest("z/y/name")]);
    assert_eq!(bed.holds("x/y/a"), b"a");
    assert_eq!(bed.holds("z/y/name"), b"a");
}

#[test]
fn relative_destinations_begin_in_the_accounts_home() {
    let bed = Bed::new();
    bed.source("a", "a");
    bed.files("changed", &["a", "by name"]);
    bed.files("changed", &["a", "~/tilde"]);
    bed.files("changed", &["a", "."]);
    for name in ["by name", "tilde", "a"] {
        assert!(bed.lab.sshd.home().join(name).exists(), "{name}");
    }
}

#[test]
fn a_folder_goes_by_its_name_and_with_a_slash_its_content() {
    let bed = Bed::new();
    bed.source("site/index.html", "i");
    bed.source("site/.hidden", "h");
    bed.source("site/sub/名 字", "c");
    std::fs::create_dir(bed.there("www")).unwrap();
    bed.files("changed", &["site", &bed.dest("www")]);
    assert_eq!(bed.holds("www/site/sub/名 字"), b"c");
    bed.files("changed", &["site/", &bed.dest("www")]);
    assert_eq!(bed.holds("www/.hidden"), b"h");
    bed.files("changed", &["site", &bed.dest("other")]);
    assert_eq!(bed.holds("other/index.html"), b"i");
    assert_eq!(
        bed.files("ok", &["site/", &bed.dest("other")]),
        ["kept .hidden", "kept index.html", "kept 名 字"]
    );
}

#[test]
fn many_sources_and_patterns_go_into_one_folder() {
    let bed = Bed::new();
    for name in ["a.conf", "b.conf", "c.txt", "dir/d"] {
        bed.source(name, name);
    }
    std::fs::create_dir(bed.there("in")).unwrap();
    bed.files("changed", &["*.conf", "dir", &bed.dest("in")]);
    assert_eq!(
        bed.names(),
        ["in", "in/a.conf", "in/b.conf", "in/dir", "in/dir/d"]
    );
    assert_eq!(
        bed.files("changed", &["a.conf", "c.txt", &bed.dest("in/")]),
        ["kept a.conf", "sent c.txt"]
    );
    bed.run(&["none*", &bed.dest("in")]).ends_with(1);
    bed.run(&["missing", &bed.dest("in")]).ends_with(1);
}

#[test]
fn standard_input_is_a_source() {
    let bed = Bed::new();
    let args = bed.command(&["-", &bed.dest("piped")]);
    bed.lab.desk.feed(&args, b"by pipe").ends_with(0);
    assert_eq!(bed.holds("piped"), b"by pipe");
    let ran = bed.lab.desk.feed(&args, b"by pipe").ends_with(0);
    assert!(ran.stdout.contains("kept"), "{ran:?}");
    let data = bed.lab.desk.dir.path().join("data");
    let left = super::bed::names(&data);
    assert!(!left.iter().any(|name| name.contains("stdin")), "{left:?}");
}

#[test]
fn odd_names_arrive_as_they_are() {
    let bed = Bed::new();
    let long = "长".repeat(85);
    for name in [
        "空格 和 中文.txt",
        "-n",
        "line\nbreak",
        "quo'te\"",
        "$(x)",
        "~",
        "back\\n",
        &long,
    ] {
        bed.source(&format!("odd/{name}"), name);
    }
    std::os::unix::fs::symlink("-n", bed.lab.desk.dir.path().join("odd/-link")).unwrap();
    let sent = bed.files("changed", &["odd", &bed.dest("")]);
    assert_eq!(sent.len(), 9, "{sent:?}");
    for name in [
        "空格 和 中文.txt",
        "-n",
        "line\nbreak",
        "quo'te\"",
        "$(x)",
        "~",
        "back\\n",
        &long,
    ] {
        assert_eq!(bed.holds(&format!("odd/{name}")), name.as_bytes());
    }
    let kept = bed.files("ok", &["odd", &bed.dest("")]);
    assert!(kept.iter().all(|file| file.starts_with("kept")), "{kept:?}");
    let folder = bed.dest("空格 '$(x)'/");
    bed.files("changed", &["--mkdir", "odd/-n", &folder]);
    bed.source(&format!("odd/{long}"), noise(1 << 20));
    bed.files("changed", &[&format!("odd/{long}"), &folder]);
    assert_eq!(bed.holds(&format!("空格 '$(x)'/{long}")), noise(1 << 20));
}

#[test]
fn a_replaced_file_keeps_its_mode_and_a_new_one_gets_the_sources_execute_bits() {
    let bed = Bed::new();
    bed.source("tool", "1");
    let source = bed.lab.desk.dir.path().join("tool");
    std::fs::set_permissions(source, PermissionsExt::from_mode(0o700)).unwrap();
    let mode = |name: &str| std::fs::metadata(bed.there(name)).unwrap().mode() & 0o7777;
    bed.files("changed", &["tool", &bed.dest("new")]);
    assert_eq!(mode("new"), 0o744, "under the host's umask");
    std::fs::write(bed.there("old"), "0").unwrap();
    std::fs::set_permissions(bed.there("old"), PermissionsExt::from_mode(0o4711)).unwrap();
    bed.files("changed", &["tool", &bed.dest("old")]);
    assert_eq!(mode("old"), 0o4711);
    bed.files("changed", &["--mode", "0600", "tool", &bed.dest("old")]);
    assert_eq!(mode("old"), 0o600);
    assert_eq!(
        bed.files("ok", &["--mode", "600", "tool", &bed.dest("old")]),
        ["kept old"]
    );
}

#[test]
fn owners_are_kept_and_set_by_name_or_number() {
    if ioms_fleet::left_out("owners of files", "root") {
        return;
    }
    let bed = Bed::new();
    bed.source("f", "1");
    let owner = |name: &str| {
        let found = std::fs::metadata(bed.there(name)).unwrap();
        (found.uid(), found.gid())
    };
    std::fs::write(bed.there("old"), "0").unwrap();
    std::os::unix::fs::chown(bed.there("old"), Some(1), Some(2)).unwrap();
    bed.files("changed", &["f", &bed.dest("old")]);
    assert_eq!(owner("old"), (1, 2));
    bed.files("changed", &["--owner", "daemon:0", "f", &bed.dest("new")]);
    assert_eq!(owner("new"), (1, 0));
    bed.files("changed", &["--owner", ":2", "f", &bed.dest("new")]);
    assert_eq!(owner("new"), (1, 2));
    bed.files("ok", &["--owner", "1:2", "f", &bed.dest("new")]);
    let (kind, said) = bed.error(&["--owner", "no-such", "f", &bed.dest("new")]);
    assert_eq!(kind, "remote_io");
    assert!(said.contains("no user no-such"), "{said}");
}

#[test]
fn folders_are_given_the_owner_that_was_asked_for_by_every_way() {
    if ioms_fleet::left_out("owners of folders", "root") {
        return;
    }
    for sftp in [false, true] {
        let bed = if sftp {
            let sshd = ioms_fleet::Sshd::builder().only_sftp().start().unwrap();
            Bed::of(Lab::on(sshd, 1, 0))
        } else {
            Bed::new()
        };
        let (there, dest) = if sftp {
            (bed.lab.sshd.chroot().join("files"), "/files/".to_owned())
        } else {
            (bed.there(""), bed.dest(""))
        };
        // Small ones go in one stream, a large one alone.
        for (tree, content) in [("small", vec![1]), ("big", noise(2 << 20))] {
            bed.source(&format!("{tree}/sub/f"), content);
            symlink("f", bed.lab.desk.dir.path().join(tree).join("sub/link")).unwrap();
        }
        let owner = |name: &str| {
            let found = std::fs::symlink_metadata(there.join(name)).unwrap();
            (found.uid(), found.gid())
        };
        let above = owner("");
        for tree in ["small", "big"] {
            let folder = |name: &str| format!("{tree}/{name}");
            bed.files("changed", &["--owner", "1:2", tree, &dest]);
            for name in [tree, &folder("sub"), &folder("sub/f")] {
                assert_eq!(owner(name), (1, 2), "{name}, sftp: {sftp}");
            }
            if !sftp {
                assert_eq!(owner(&folder("sub/link")), (1, 2));
            }
            bed.files("ok", &["--owner", "1:2", tree, &dest]);
            // Of those that are there it is set as of files.
            bed.files("changed", &["--owner", "1:3", tree, &dest]);
            for name in [tree, &folder("sub"), &folder("sub/f")] {
                assert_eq!(owner(name), (1, 3), "{name}, sftp: {sftp}");
            }
            bed.files("ok", &["--owner", "1:3", tree, &dest]);
        }
        // The destination itself was not sent.
        bed.files("changed", &["--owner", "1:2", "small/", &dest]);
        assert_eq!(owner(""), above);
        assert_eq!(owner("sub"), (1, 2));
    }
}

#[test]
fn set_id_bits_of_somebody_elses_file_are_not_taken_over() {
    if ioms_fleet::left_out("another account", "root") {
        return;
    }
    let bed = Bed::new();
    let user = crate::users::User::new("/bin/sh");
    let login = format!("ansible_user={}", user.name);
    bed.source("tree/a", "new");
    bed.source("tree/b", "new");
    bed.source("f", "new");
    std::fs::create_dir(bed.there("tree")).unwrap();
    std::fs::set_permissions(bed.there("tree"), PermissionsExt::from_mode(0o777)).unwrap();
    for (name, uid, mode) in [
        ("tree/a", 0, 0o6755),
        ("tree/b", 1, 0o6700),
        ("f", 0, 0o4711),
    ] {
        std::fs::write(bed.there(name), "old").unwrap();
        std::os::unix::fs::chown(bed.there(name), Some(uid), Some(uid)).unwrap();
        std::fs::set_permissions(bed.there(name), PermissionsExt::from_mode(mode)).unwrap();
    }
    bed.files("changed", &["-e", &login, "tree", "f", &bed.dest("")]);
    let mode = |name: &str| std::fs::metadata(bed.there(name)).unwrap().mode() & 0o7777;
    assert_eq!(mode("tree/a"), 0o755);
    assert_eq!(mode("tree/b"), 0o644, "as a new one");
    assert_eq!(mode("f"), 0o711);
}

#[test]
fn times_are_kept_when_that_is_asked_for() {
    let bed = Bed::new();
    for name in ["t/small", "t/other", "large"] {
        bed.source(
            name,
            if name == "large" {
                noise(2 << 20)
            } else {
                vec![1]
            },
        );
        let path = bed.lab.desk.dir.path().join(name);
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
        file.set_modified(time).unwrap();
    }
    let mtime = |name: &str| std::fs::metadata(bed.there(name)).unwrap().mtime();
    bed.files("changed", &["t", "large", &bed.dest("")]);
    assert_ne!(mtime("t/small"), 1_600_000_000);
    bed.files("changed", &["--times", "t", "large", &bed.dest("")]);
    for name in ["t/small", "t/other", "large"] {
        assert_eq!(mtime(name), 1_600_000_000, "{name}");
    }
    bed.files("ok", &["--times", "t", "large", &bed.dest("")]);
}

#[test]
fn what_is_replaced_is_kept_with_backup() {
    let bed = Bed::new();
    bed.source("f", "2");
    bed.source("tree/a", "2");
    bed.source("tree/b", "2");
    std::fs::write(bed.there("f"), "1").unwrap();
    std::fs::create_dir(bed.there("tree")).unwrap();
    std::fs::write(bed.there("tree/a"), "1").unwrap();
    bed.files("changed", &["--backup", "f", "tree", &bed.dest("")]);
    let names = bed.names();
    let kept: Vec<&String> = names.iter().filter(|name| name.ends_with('~')).collect();
    assert_eq!(kept.len(), 2, "{names:?}");
    for name in kept {
        assert_eq!(bed.holds(name), b"1", "{name}");
    }
    assert_eq!(bed.holds("tree/a"), b"2");
    // What is equal is not replaced.
    bed.files("ok", &["--backup", "f", "tree", &bed.dest("")]);
    assert_eq!(bed.names(), names);
}

#[test]
fn check_and_diff_change_nothing_and_verify_says_what_differs() {
    let bed = Bed::new();
    bed.source("motd", "one\ntwo\n");
    std::fs::write(bed.there("motd"), "one\n2\n").unwrap();
    let dest = bed.dest("motd");
    let ran = bed.run(&["--check", "--diff", "motd", &dest]).ends_with(0);
    assert!(ran.stdout.contains("-2\n+two\n"), "{ran:?}");
    assert!(ran.stdout.contains("would have sent"), "{ran:?}");
    assert_eq!(bed.holds("motd"), b"one\n2\n");
    let ran = bed.run(&["--verify", "motd", &dest]).ends_with(2);
    assert!(ran.stdout.contains("differs"), "{ran:?}");
    let host = bed.host(&["--verify", "motd", &dest]);
    assert_eq!(
        (&host["error"]["kind"], &host["files"][0]["action"]),
        (&json!("verify_mismatch"), &json!("differs"))
    );
    assert_eq!(bed.names(), ["motd"]);
    let ran = bed.run(&["--diff", "motd", &dest]).ends_with(0);
    assert!(ran.stdout.contains("-2\n+two\n"), "{ran:?}");
    assert_eq!(
        bed.files("ok", &["--verify", "motd", &dest]),
        ["verified motd"]
    );
    bed.run(&["--verify", "motd", &dest]).ends_with(0);
}

#[test]
fn verify_misses_links_and_folders_too() {
    let bed = Bed::new();
    bed.source("t/f", "1");
    std::fs::create_dir(bed.lab.desk.dir.path().join("t/empty")).unwrap();
    symlink("f", bed.lab.desk.dir.path().join("t/link")).unwrap();
    std::fs::create_dir(bed.there("t")).unwrap();
    std::fs::write(bed.there("t/f"), "1").unwrap();
    assert_eq!(
        bed.files("failed", &["--verify", "t", &bed.dest("")]),
        ["differs empty", "differs link", "verified f"]
    );
    bed.files("changed", &["t", &bed.dest("")]);
    assert_eq!(
        bed.files("ok", &["--verify", "t", &bed.dest("")]),
        ["verified f"]
    );
}

#[test]
fn a_folder_or_a_link_alone_is_a_change() {
    let bed = Bed::new();
    let here = bed.lab.desk.dir.path();
    std::fs::create_dir(here.join("tree")).unwrap();
    bed.files("changed", &["tree", &bed.dest("")]);
    bed.files("ok", &["tree", &bed.dest("")]);
    symlink("tree", here.join("tree/link")).unwrap();
    assert_eq!(
        bed.files("changed", &["tree", &bed.dest("")]),
        ["sent link"]
    );
    bed.files("ok", &["tree", &bed.dest("")]);
    assert_eq!(bed.names(), ["tree", "tree/link -> tree"]);
}

#[test]
fn a_dry_run_contacts_no_host() {
    let bed = Bed::new();
    bed.source("f", "1");
    let ran = bed.run(&["--dry-run", "f", &bed.dest("")]).ends_with(0);
    assert!(ran.stdout.contains("web01"), "{ran:?}");
    bed.run(&["--list-hosts", "f", &bed.dest("")]).ends_with(0);
    assert!(bed.names().is_empty());
    assert!(!bed.lab.sshd.log().contains("Accepted"));
}

#[test]
fn hosts_that_came_out_the_same_are_shown_as_one() {
    let lab = Lab::new(3);
    let bed = Bed::of(lab);
    bed.source("f", "1");
    // All three are one machine, so one after the other.
    let ran = bed
        .run(&["-f", "1", "--force", "f", &bed.dest("f")])
        .ends_with(0);
    assert!(ran.stdout.contains("web[01-03]"), "{ran:?}");
    assert_eq!(ran.stdout.matches("sent ").count(), 1, "{ran:?}");
    let document = bed.lab.json(&bed.command(&["f", &bed.dest("f")]));
    let mut outcomes = each(&document, "outcome");
    outcomes.sort();
    assert_eq!(outcomes, ["web01=ok", "web02=ok", "web03=ok"]);
}

#[test]
fn a_check_of_a_new_tree_makes_nothing() {
    let bed = Bed::new();
    bed.source("tree/a", "1");
    bed.source("tree/sub/b", "1");
    bed.source("large", noise(2 << 20));
    let args = ["--check", "--mkdir", "tree", "large", &bed.dest("x/y/")];
    assert_eq!(
        bed.files("changed", &args),
        ["sent a", "sent b", "sent large"]
    );
    assert!(bed.names().is_empty());
}
