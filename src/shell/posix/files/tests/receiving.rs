//! One file, received: checked and in its place, or not there at all.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::bed::{Bed, Mount, each, md5, names_in, odd_names};
use crate::shell::files::{Attributes, FileFailure, FileTask, HostPath, Origin, Receive, Received};

#[track_caller]
fn placed(bed: &Bed, receive: &Receive, input: &[u8]) {
    let received = bed.send(receive, input);
    assert_eq!(received, Ok(Received::Placed), "{}", bed.shell);
}

#[track_caller]
fn refused(bed: &Bed, receive: &Receive, input: &[u8], words: &str) {
    match bed.send(receive, input) {
        Err(FileFailure::Refused(why)) => {
            assert!(why.contains(words), "{}: {why}", bed.shell);
        }
        other => panic!("{}: {other:?}", bed.shell),
    }
}

#[test]
fn a_file_gets_in_its_place_under_any_name() {
    each(|bed| {
        for name in odd_names() {
            let content = [b"of ", name.as_slice(), &[0, 10, 255]].concat();
            placed(bed, &bed.receive(&name, &content), &content);
            assert_eq!(bed.holds(&name), content);
        }
        let mut names = odd_names();
        names.sort();
        assert_eq!(bed.names(), names, "no part file is left");
    });
}

#[test]
fn folders_and_part_files_may_have_any_name() {
    each(|bed| {
        for name in odd_names() {
            std::fs::create_dir(bed.at(&name)).unwrap();
            let mut receive = bed.receive("x", b"content");
            receive.target = bed.path(&name).join(b"-file");
            receive.part = bed.path(&name).join(b".-f'\n\\.part");
            placed(bed, &receive, b"content");
            assert_eq!(names_in(&bed.at(&name)), [b"-file".to_vec()]);
        }
    });
}

#[test]
fn relative_names_begin_at_home() {
    each(|bed| {
        for target in ["-rel", "~/tilde"] {
            let mut receive = bed.receive("x", b"1");
            receive.target = HostPath::from(target);
            receive.part = HostPath::from(".p.ioms-x.part");
            placed(bed, &receive, b"1");
        }
        assert_eq!(bed.names(), [b"-rel".to_vec(), b"tilde".to_vec()]);
    });
}

#[test]
fn an_empty_file_arrives_too() {
    each(|bed| {
        placed(bed, &bed.receive("empty", b""), b"");
        assert_eq!(bed.holds("empty"), b"");
    });
}

#[test]
fn what_broke_off_goes_on_where_it_was() {
    each(|bed| {
        let content: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        let (first, rest) = content.split_at(70_001);
        let mut receive = bed.receive("file", &content);
        assert_eq!(
            bed.send(&receive, first),
            Ok(Received::Short { size: 70_001 })
        );
        assert_eq!(bed.holds(".ioms-x.part"), first);
        assert!(!bed.at("file").exists());
        receive.offset = 70_001;
        placed(bed, &receive, rest);
        assert_eq!(bed.holds("file"), content);
        // What is beyond is cut off.
        let longer = [first, b"garbage"].concat();
        bed.write(".ioms-x.part", &longer);
        placed(bed, &receive, rest);
        assert_eq!(bed.holds("file"), content);
        assert_eq!(bed.names(), [b"file".to_vec()]);
    });
}

#[test]
fn what_is_in_the_part_file_already_is_checked_and_put_in_its_place() {
    each(|bed| {
        let mut receive = bed.receive("file", b"by another way");
        receive.origin = Origin::There;
        bed.write(".ioms-x.part", b"by another way");
        placed(bed, &receive, b"");
        assert_eq!(bed.holds("file"), b"by another way");
    });
}

#[test]
fn what_is_not_what_was_sent_is_removed_and_the_target_stays() {
    each(|bed| {
        bed.write("file", b"before");
        let receive = bed.receive("file", b"content");
        let received = bed.send(&receive, b"CONTENT");
        let digest = md5(b"CONTENT");
        assert_eq!(received, Ok(Received::Mismatch { digest }), "{}", bed.shell);
        assert_eq!(bed.holds("file"), b"before");
        assert_eq!(bed.names(), [b"file".to_vec()]);
    });
}

#[test]
fn without_a_digest_tool_it_waits_for_another_check() {
    for shell in ["dash", "bash"] {
        let tools = [
            "id", "cat", "wc", "rm", "mv", "find", "chmod", "dd", "touch", "tail",
        ];
        let bed = Bed::new(shell).only(&tools);
        let mut receive = bed.receive("file", b"content");
        assert_eq!(bed.send(&receive, b"content"), Ok(Received::Unchecked));
        assert_eq!(bed.names(), [b".ioms-x.part".to_vec()]);
        receive.digest = String::new();
        receive.origin = Origin::There;
        receive.offset = receive.size;
        placed(&bed, &receive, b"");
        assert_eq!(bed.holds("file"), b"content");
    }
}

#[test]
fn a_missing_folder_is_made_only_when_that_is_asked_for() {
    each(|bed| {
        let mut receive = bed.receive("no ne/be low/file", b"1");
        receive.part = bed.path("no ne/be low/.p.part");
        refused(bed, &receive, b"1", "No such file or directory");
        assert!(bed.names().is_empty());
        receive.mkdir = true;
        placed(bed, &receive, b"1");
        assert_eq!(bed.holds("no ne/be low/file"), b"1");
    });
}

#[test]
fn a_folder_is_never_replaced() {
    each(|bed| {
        std::fs::create_dir(bed.at("folder")).unwrap();
        refused(bed, &bed.receive("folder", b"1"), b"1", "Is a directory");
        assert_eq!(bed.names(), [b"folder".to_vec()]);
        assert!(names_in(&bed.at("folder")).is_empty());
    });
}

#[test]
fn links_are_replaced_and_what_they_lead_to_is_left_alone() {
    each(|bed| {
        std::fs::create_dir(bed.at("folder")).unwrap();
        bed.write("other", b"other");
        for (link, to) in [("a", "folder"), ("b", "other"), ("c", "nowhere")] {
            symlink(to, bed.at(link)).unwrap();
            placed(bed, &bed.receive(link, b"new"), b"new");
            assert!(std::fs::symlink_metadata(bed.at(link)).unwrap().is_file());
            assert_eq!(bed.holds(link), b"new");
        }
        assert!(names_in(&bed.at("folder")).is_empty());
        assert_eq!(bed.holds("other"), b"other");
        assert!(!bed.at("nowhere").exists());
    });
}

#[test]
fn a_part_file_that_is_a_link_is_not_written_through() {
    each(|bed| {
        bed.write("precious", b"precious");
        symlink("precious", bed.at(".ioms-x.part")).unwrap();
        placed(bed, &bed.receive("file", b"new"), b"new");
        assert_eq!(bed.holds("precious"), b"precious");
        assert!(std::fs::symlink_metadata(bed.at("file")).unwrap().is_file());
    });
}

#[test]
fn a_part_file_to_go_on_with_is_this_accounts_own() {
    each(|bed| {
        bed.write("precious", b"first");
        symlink("precious", bed.at(".ioms-x.part")).unwrap();
        let mut receive = bed.receive("file", b"first and the rest");
        receive.offset = 5;
        refused(bed, &receive, b" and the rest", "no part file");
        assert_eq!(bed.holds("precious"), b"first");
        std::fs::remove_file(bed.at(".ioms-x.part")).unwrap();
        if ioms_fleet::left_out("somebody else's part file", "root") {
            return;
        }
        bed.write(".ioms-x.part", b"first");
        std::os::unix::fs::chown(bed.at(".ioms-x.part"), Some(1), Some(1)).unwrap();
        refused(bed, &receive, b" and the rest", "no part file");
        // A new one takes its place.
        placed(bed, &bed.receive("file", b"new"), b"new");
        assert_eq!(std::fs::metadata(bed.at("file")).unwrap().uid(), 0);
    });
}

#[test]
fn a_part_file_that_is_gone_or_shorter_is_said_to_be() {
    each(|bed| {
        let mut receive = bed.receive("file", b"first and the rest");
        receive.offset = 5;
        let rest = b" and the rest";
        let sent = bed.send(&receive, rest);
        assert_eq!(sent, Ok(Received::Short { size: 0 }), "{}", bed.shell);
        assert!(bed.names().is_empty(), "no file with a hole is made");
        bed.write(".ioms-x.part", b"fir");
        let sent = bed.send(&receive, rest);
        assert_eq!(sent, Ok(Received::Short { size: 3 }), "{}", bed.shell);
        assert_eq!(bed.holds(".ioms-x.part"), b"fir");
        receive.origin = Origin::There;
        let sent = bed.send(&receive, b"");
        assert_eq!(sent, Ok(Received::Short { size: 3 }), "{}", bed.shell);
    });
}

#[test]
fn what_is_replaced_is_kept_when_that_is_asked_for() {
    each(|bed| {
        bed.write("fi le", b"before");
        let mut receive = bed.receive("fi le", b"after");
        receive.backup = Some(bed.path("fi le.2026~"));
        placed(bed, &receive, b"after");
        assert_eq!(bed.holds("fi le"), b"after");
        assert_eq!(bed.holds("fi le.2026~"), b"before");
        // There was nothing: nothing to keep.
        let mut receive = bed.receive("new", b"1");
        receive.backup = Some(bed.path("new~"));
        placed(bed, &receive, b"1");
        assert!(!bed.at("new~").exists());
    });
}

#[test]
fn mode_time_and_owner_are_set_before_it_is_in_its_place() {
    each(|bed| {
        let mut receive = bed.receive("-file", b"1");
        receive.attributes = Attributes {
            mode: Some(0o4750),
            mtime: Some(1_700_000_001),
            ..Attributes::default()
        };
        let root = rustix::process::geteuid().is_root();
        if root {
            receive.attributes.owner = Some("1".to_owned());
            receive.attributes.group = Some("daemon".to_owned());
        }
        placed(bed, &receive, b"1");
        let found = std::fs::metadata(bed.at("-file")).unwrap();
        assert_eq!(found.mode() & 0o7777, 0o4750, "{}", bed.shell);
        assert_eq!(found.mtime(), 1_700_000_001, "{}", bed.shell);
        if root {
            assert_eq!((found.uid(), found.gid()), (1, 1));
            receive.attributes = Attributes {
                kept: Some((2, 3)),
                mode: Some(0o644),
                ..Attributes::default()
            };
            placed(bed, &receive, b"1");
            let found = std::fs::metadata(bed.at("-file")).unwrap();
            assert_eq!((found.uid(), found.gid()), (2, 3));
        }
    });
}

#[test]
fn an_owner_that_can_not_be_had_leaves_nothing_behind() {
    each(|bed| {
        let mut receive = bed.receive("file", b"1");
        receive.attributes.owner = Some("no such user".to_owned());
        assert!(bed.send(&receive, b"1").is_err(), "{}", bed.shell);
        assert!(bed.names().is_empty());
    });
}

#[test]
fn part_files_older_than_a_day_are_removed_and_nobody_elses_files() {
    each(|bed| {
        let two_days = std::time::SystemTime::now() - std::time::Duration::from_hours(48);
        let digest = "0123456789abcdef".repeat(2);
        let old = format!(".a b.ioms-{digest}.part");
        let new = format!(".d.ioms-{digest}.part");
        let pem = format!(".a b.ioms-{digest}.part.pem");
        let others = [
            ".b.part".to_owned(),
            format!("c.ioms-{digest}.part"),
            format!(".d.ioms-{digest}.partial"),
            format!(".d.ioms-{digest}.part.d"),
            format!(".d.ioms-{}.part", digest.to_uppercase()),
            format!(".d.ioms-{}.part", "notes of mine ..".repeat(2)),
            format!(".ioms-{digest}.part"),
            ".notes.ioms-2026.part".to_owned(),
        ];
        for name in others.iter().chain([&old, &new, &pem]) {
            bed.write(name, b"");
            if *name != new {
                let file = std::fs::File::options().write(true).open(bed.at(name));
                file.unwrap().set_modified(two_days).unwrap();
            }
        }
        placed(bed, &bed.receive("file", b"1"), b"1");
        let left = others.iter().chain([&new]);
        let mut left: Vec<Vec<u8>> = left.map(|name| name.as_bytes().to_vec()).collect();
        left.push(b"file".to_vec());
        left.sort();
        assert_eq!(bed.names(), left, "{}", bed.shell);
    });
}

#[test]
fn a_full_file_system_is_told_and_nothing_is_left() {
    if ioms_fleet::left_out("a full file system", "root") {
        return;
    }
    each(|bed| {
        let mount = Mount::small(bed.at("full"));
        let content = vec![1; 1 << 20];
        let mut receive = bed.receive("full/file", &content);
        receive.part = bed.path("full/.p.part");
        let received = bed.send(&receive, &content);
        assert!(
            matches!(received, Err(FileFailure::NoSpace(_))),
            "{}: {received:?}",
            bed.shell
        );
        assert!(names_in(&mount.0).is_empty());
    });
}

#[test]
fn a_read_only_file_system_is_told() {
    if ioms_fleet::left_out("a read-only file system", "root") {
        return;
    }
    each(|bed| {
        let mount = Mount::small(bed.at("fixed"));
        mount.read_only();
        let mut receive = bed.receive("fixed/file", b"1");
        receive.part = bed.path("fixed/.p.part");
        refused(bed, &receive, b"1", "Read-only file system");
        receive.mkdir = true;
        receive.target = bed.path("fixed/a/b");
        refused(bed, &receive, b"1", "Read-only file system");
    });
}

#[test]
fn a_name_that_is_too_long_is_told() {
    each(|bed| {
        refused(
            bed,
            &bed.receive(vec![b'x'; 256], b"1"),
            b"1",
            "File name too long",
        );
        assert!(bed.names().is_empty());
    });
}

#[test]
fn removal_takes_what_is_named_and_all_in_it() {
    each(|bed| {
        for name in odd_names() {
            std::fs::create_dir(bed.at(&name)).unwrap();
            bed.write([name.as_slice(), b"/x"].concat(), b"");
        }
        bed.write("stays", b"1");
        symlink("stays", bed.at("link")).unwrap();
        let mut paths: Vec<HostPath> = odd_names().iter().map(|name| bed.path(name)).collect();
        paths.push(bed.path("link"));
        paths.push(bed.path("none"));
        bed.ask(&FileTask::Remove(paths));
        assert_eq!(bed.names(), [b"stays".to_vec()], "{}", bed.shell);
    });
}

#[test]
fn folders_links_and_attributes_are_adjusted_in_order() {
    each(|bed| {
        let change = |change: Attributes| change;
        let folder = change(Attributes {
            folder: true,
            mode: Some(0o710),
            ..Attributes::default()
        });
        let link = |to: &str| Attributes {
            link: Some(HostPath::from(to)),
            mode: Some(0o600),
            ..Attributes::default()
        };
        let odd = HostPath::new(b"$(x)\n'\xff".to_vec());
        bed.write("there", b"");
        let items = vec![
            (bed.path("a/b").join(odd.as_bytes()), folder.clone()),
            (bed.path("a/link"), link("-to '\n")),
            (bed.path("there"), link("a")),
            (bed.path("a"), folder),
        ];
        bed.ask(&FileTask::Adjust(items.clone()));
        // Once more: all is as it should be.
        bed.ask(&FileTask::Adjust(items));
        assert_eq!(names_in(&bed.at("a/b")), [odd.as_bytes().to_vec()]);
        let to = std::fs::read_link(bed.at("a/link")).unwrap();
        assert_eq!(to.to_str(), Some("-to '\n"));
        assert_eq!(
            std::fs::read_link(bed.at("there")).unwrap().to_str(),
            Some("a")
        );
        let mode = std::fs::metadata(bed.at("a")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o710);
        let over = vec![(bed.path("a/b"), link("x"))];
        assert!(bed.feed(&FileTask::Adjust(over), b"").is_err());
    });
}
