//! What is decided and said, without a host.

use std::path::Path;
use std::sync::Arc;

use super::UploadOptions;
use super::decide::{Ids, Need, first_look, mode, owner, touch_up};
use super::mirror::{distinct, is_backup, is_own_folder, is_part, not_here};
use super::resuming::is_own;
use crate::event::{FileAction, FileRecord};
use crate::shell::files::{Account, Attributes, Found, HostPath, Kind};
use crate::transfer::Report;
use crate::transfer::part_name;
use crate::transfer::report::lines;
use crate::transfer::source::{Content, Entry, EntryKind};

fn entry(kind: EntryKind, mode: u32) -> Entry {
    Entry {
        name: b"e".to_vec(),
        kind,
        mode,
        mtime: 1000,
        shown: "e".into(),
    }
}

fn file(content: &'static [u8]) -> EntryKind {
    EntryKind::File(Arc::new(Content::of_bytes(Path::new("e"), content.into())))
}

fn link() -> EntryKind {
    EntryKind::Link(HostPath::from("to"))
}

fn found(kind: Kind) -> Found {
    Found {
        kind,
        size: 3,
        mtime: 2000,
        mode: 0o640,
        uid: 10,
        gid: 20,
        digest: None,
    }
}

const ROOT: Account = Account {
    uid: Some(0),
    gid: Some(0),
    umask: 0o027,
};

const USER: Account = Account {
    uid: Some(7),
    gid: Some(8),
    umask: 0o022,
};

#[test]
fn what_is_there_says_what_an_entry_needs() {
    let blocked = |need| matches!(need, Need::Blocked(_));
    let look = |kind: EntryKind, there: Option<Kind>, force| {
        first_look(&entry(kind, 0o644), there.map(found).as_ref(), force)
    };
    for kind in [file(b"abc"), EntryKind::Folder, link()] {
        assert_eq!(look(kind, None, false), Need::Send);
    }
    assert_eq!(look(file(b"abc"), Some(Kind::File), false), Need::Compare);
    assert_eq!(look(file(b"abc"), Some(Kind::File), true), Need::Send);
    assert_eq!(
        look(file(b"other size"), Some(Kind::File), false),
        Need::Send
    );
    assert_eq!(look(file(b"abc"), Some(Kind::Link), false), Need::Send);
    assert!(blocked(look(file(b"abc"), Some(Kind::Folder), true)));
    assert!(blocked(look(file(b"abc"), Some(Kind::Other), true)));
    assert_eq!(
        look(EntryKind::Folder, Some(Kind::Folder), true),
        Need::Keep
    );
    assert_eq!(
        look(EntryKind::Folder, Some(Kind::Link), false),
        Need::LookBehind
    );
    assert!(blocked(look(EntryKind::Folder, Some(Kind::File), true)));
    assert_eq!(look(link(), Some(Kind::Link), false), Need::LookBehind);
    assert_eq!(look(link(), Some(Kind::File), false), Need::Send);
    assert!(blocked(look(link(), Some(Kind::Folder), true)));
}

#[test]
fn a_replaced_target_keeps_its_mode_and_a_new_one_gets_execute_bits_under_the_umask() {
    let plain = UploadOptions::default();
    let told = UploadOptions {
        mode: Some(0o4755),
        ..UploadOptions::default()
    };
    let tool = entry(file(b"abc"), 0o755);
    let there = found(Kind::File);
    assert_eq!(mode(&tool, Some(&there), &ROOT, &plain), 0o640);
    assert_eq!(mode(&tool, None, &ROOT, &plain), 0o750);
    assert_eq!(mode(&entry(file(b""), 0o600), None, &USER, &plain), 0o644);
    assert_eq!(mode(&tool, Some(&found(Kind::Link)), &USER, &plain), 0o755);
    assert_eq!(mode(&tool, Some(&there), &ROOT, &told), 0o4755);
    // --mode is for files.
    let folder = entry(EntryKind::Folder, 0o700);
    assert_eq!(mode(&folder, None, &ROOT, &told), 0o750);
    assert_eq!(
        mode(&folder, Some(&found(Kind::Folder)), &ROOT, &told),
        0o640
    );
}

#[test]
fn what_can_not_be_given_back_keeps_no_bits_that_make_it_run_as_somebody() {
    let plain = UploadOptions::default();
    let of = |uid: u32, mode: u32| Found {
        mode,
        uid,
        ..found(Kind::File)
    };
    let tool = entry(file(b"abc"), 0o644);
    let kept = |there: Found, account: &Account| mode(&tool, Some(&there), account, &plain);
    assert_eq!(kept(of(0, 0o4755), &USER), 0o755);
    assert_eq!(kept(of(7, 0o4755), &USER), 0o4755);
    assert_eq!(kept(of(10, 0o6600), &USER), 0o644, "as a new one");
    assert_eq!(kept(of(10, 0o6600), &ROOT), 0o6600);
    let told = UploadOptions {
        mode: Some(0o4711),
        ..UploadOptions::default()
    };
    assert_eq!(mode(&tool, Some(&of(0, 0o755)), &USER, &told), 0o4711);
}

#[test]
fn a_part_file_is_gone_on_from_by_its_owner() {
    let part = |uid: u32, mode: u32| Found {
        mode,
        uid,
        ..found(Kind::File)
    };
    assert!(is_own(&part(7, 0o600), &USER));
    assert!(!is_own(&part(8, 0o600), &USER));
    assert!(!is_own(&part(7, 0o600), &ROOT));
    let nobody = Account::default();
    assert!(is_own(&part(7, 0o600), &nobody), "over SFTP alone");
    assert!(is_own(&part(7, 0o644), &nobody), "over SFTP alone");
    assert!(!is_own(&part(7, 0o664), &nobody));
}

#[test]
fn only_root_gives_files_back_to_whom_they_belonged() {
    let there = found(Kind::File);
    let none = Ids::default();
    let group = Ids {
        user: None,
        group: Some(30),
    };
    assert_eq!(owner(Some(&there), &ROOT, none), Some((10, 20)));
    assert_eq!(owner(None, &ROOT, none), Some((0, 0)));
    assert_eq!(owner(Some(&there), &ROOT, group), Some((10, 30)));
    assert_eq!(owner(Some(&there), &USER, none), Some((7, 8)));
    assert_eq!(owner(Some(&there), &Account::default(), none), None);
}

#[test]
fn of_a_kept_file_only_what_differs_is_set() {
    let there = found(Kind::File);
    let kept = entry(file(b"abc"), 0o644);
    let none = Ids::default();
    assert_eq!(
        touch_up(&kept, &there, none, &UploadOptions::default()),
        None
    );
    let same = UploadOptions {
        mode: Some(0o640),
        ..UploadOptions::default()
    };
    let ids = Ids {
        user: Some(10),
        group: Some(20),
    };
    assert_eq!(touch_up(&kept, &there, ids, &same), None);
    let other = UploadOptions {
        mode: Some(0o600),
        times: true,
        ..UploadOptions::default()
    };
    let ids = Ids {
        user: None,
        group: Some(21),
    };
    let change = Attributes {
        mode: Some(0o600),
        group: Some("21".to_owned()),
        mtime: Some(1000),
        ..Attributes::default()
    };
    assert_eq!(touch_up(&kept, &there, ids, &other), Some(change));
    // Of a folder, whose it is.
    let folder = entry(EntryKind::Folder, 0o755);
    let change = Attributes {
        group: Some("21".to_owned()),
        ..Attributes::default()
    };
    assert_eq!(
        touch_up(&folder, &found(Kind::Folder), ids, &other),
        Some(change)
    );
    assert_eq!(touch_up(&folder, &found(Kind::Folder), none, &other), None);
    assert_eq!(touch_up(&folder, &found(Kind::Link), ids, &other), None);
}

#[test]
fn a_part_files_name_says_what_it_is_of_and_is_never_too_long() {
    let digest = "0123456789abcdef0123456789abcdef";
    let name = |name: &[u8]| part_name(name, digest);
    assert_eq!(
        name(b"app.tgz"),
        format!(".app.tgz.ioms-{digest}.part").into_bytes()
    );
    let sha256 = digest.repeat(2);
    assert_eq!(part_name(b"app.tgz", &sha256), name(b"app.tgz"));
    for long in [
        "x".repeat(255),
        "名".repeat(85),
        format!("a{}", "名".repeat(84)),
    ] {
        let part = name(long.as_bytes());
        assert!(part.len() <= 255, "{}", part.len());
        assert!(part.len() > 250, "{}", part.len());
        let text = String::from_utf8(part).expect("cut at a character");
        assert!(text.ends_with(&format!(".ioms-{digest}.part")));
    }
    let bytes = name(&[0xff; 255]);
    assert_eq!(bytes.len(), 255, "what is no text is cut anywhere");
}

fn record(action: FileAction, target: &str) -> FileRecord {
    FileRecord {
        source: String::new(),
        target: target.to_owned(),
        action,
        size: 1024,
        md5: Some("x".to_owned()),
        sha256: None,
        bytes: 1024,
        via: None,
        files: None,
        changed: false,
    }
}

#[test]
fn few_files_are_named_and_many_counted() {
    let few: Vec<FileRecord> = (0..20)
        .map(|n| record(FileAction::Sent, &format!("/f{n}")))
        .collect();
    assert_eq!(lines(&few, false, false).lines().count(), 20);
    assert!(lines(&few, true, false).starts_with("would have sent /f0 ("));
    let mut many: Vec<FileRecord> = (0..21)
        .map(|n| record(FileAction::Kept, &format!("/f{n}")))
        .collect();
    let mut touched = record(FileAction::Sent, "/new");
    touched.changed = true;
    many.push(touched);
    let text = lines(&many, false, false);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("kept 21 files (21.0 KiB)"), "{text}");
    assert!(text.contains("sent /new"), "{text}");
}

#[test]
fn a_document_names_a_thousand_and_sums_the_rest_up_the_interesting_first() {
    let mut report = Report::default();
    for n in 0..1500 {
        report.add(record(FileAction::Kept, &format!("/kept{n}")));
    }
    for n in 0..900 {
        report.add(record(FileAction::Sent, &format!("/sent{n}")));
    }
    report.settle();
    let named = |action: FileAction| {
        let such = report
            .files
            .iter()
            .filter(move |file| file.action == action);
        such.filter(|file| file.files.is_none()).count()
    };
    assert_eq!(
        (named(FileAction::Sent), named(FileAction::Kept)),
        (900, 100)
    );
    let summed: Vec<&FileRecord> = report
        .files
        .iter()
        .filter(|file| file.files.is_some())
        .collect();
    assert_eq!(summed.len(), 1);
    assert_eq!((summed[0].files, summed[0].size), (Some(1400), 1400 * 1024));
    assert_eq!(summed[0].md5, None);
}

#[test]
fn a_mirror_is_never_made_of_a_root_a_home_a_drive_or_a_share() {
    let own = |path: &str, windows| is_own_folder(&HostPath::from(path), windows);
    for path in [
        "", ".", "~", "/", "//", "/.", "./", "~/", "~/.", "..", "../x", "x/..", "/tmp/..",
        "~/x/..", "~root", "~root/",
    ] {
        assert!(!own(path, false), "{path}");
        assert!(!own(path, true), "{path} on Windows");
    }
    for path in [
        "C:",
        "C:/",
        "c:/.",
        "C:/x/..",
        "//srv/share",
        "//srv/share/",
        "//srv",
        "//?/C:/",
        "//?/UNC/srv/share",
        "//./C:",
    ] {
        assert!(!own(path, true), "{path}");
    }
    for path in [
        "x",
        "./x",
        "~/x",
        "/srv",
        "/srv/site",
        "/~x",
        "~root/x",
        "//srv/share",
    ] {
        assert!(own(path, false), "{path}");
    }
    for path in [
        "x",
        "C:/x",
        "//srv/share/x",
        "//?/C:/x",
        "//?/UNC/srv/share/x",
        "/x",
    ] {
        assert!(own(path, true), "{path}");
    }
}

#[test]
fn names_that_differ_in_case_only_are_one_to_windows_and_never_removed_anywhere() {
    let named = |name: &str| Entry {
        name: name.as_bytes().to_vec(),
        ..entry(file(b""), 0o644)
    };
    assert!(distinct(&[named("a"), named("b"), named("sub/a")]).is_ok());
    for (one, other) in [("Read.me", "read.ME"), ("Ä/x", "ä/X")] {
        assert!(
            distinct(&[named(one), named(other)]).is_err(),
            "{one} {other}"
        );
    }
    let gone = |there: &[&str], ours: &[&str]| {
        let there = there.iter().map(|name| name.as_bytes().to_vec()).collect();
        let extra = not_here(there, ours.iter().map(|name| name.as_bytes()));
        let text = extra.into_iter().map(String::from_utf8);
        text.collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!(
        gone(
            &["Web.Config", "SUB", "SUB/Ä", "SUB/other"],
            &["web.config", "sub", "sub/ä"]
        ),
        ["SUB/other"]
    );
    // The uppermost of each, whatever sorts between a folder and what is in it.
    assert_eq!(gone(&["a/x", "a b", "a", "a/x/y"], &[]), ["a", "a b"]);
    // A folder that holds what stays does, too.
    let part = format!("old/deep/.f.ioms-{}.part", "0".repeat(32));
    assert_eq!(
        gone(
            &[
                "old",
                "old/deep",
                "old/x",
                &part,
                "f.2026-11-25@08:00:00~",
                "f~"
            ],
            &[]
        ),
        ["f~", "old/x"]
    );
}

#[test]
fn part_files_and_backups_are_known_by_their_whole_names() {
    let digest = "0123456789abcdef0123456789abcdef";
    for name in [
        format!(".f.ioms-{digest}.part"),
        format!("..ioms-{digest}.part"),
        format!(".a b.ioms-{digest}.part.pem"),
    ] {
        assert!(is_part(name.as_bytes()), "{name}");
    }
    for name in [
        format!("f.ioms-{digest}.part"),
        format!(".ioms-{digest}.part"),
        format!(".f.ioms-{digest}.partial"),
        format!(".f.ioms-{digest}.part.txt"),
        format!(".f.ioms-{}.part", &digest[1..]),
        format!(".f.ioms-{digest}0.part"),
        format!(".f.ioms-{}.part", digest.to_uppercase()),
        ".my.ioms-notes.part".to_owned(),
        String::new(),
    ] {
        assert!(!is_part(name.as_bytes()), "{name}");
    }
    for name in ["f.2026-11-25@08:00:00~", ".x.2026-11-25@08-00-00~"] {
        assert!(is_backup(name.as_bytes()), "{name}");
    }
    for name in [
        "f~",
        ".2026-11-25@08:00:00~",
        "f.2026-11-25@08:00:00",
        "f2026-11-25@08:00:00~",
        "f.2026-11-25@08:00:0x~",
        "",
    ] {
        assert!(!is_backup(name.as_bytes()), "{name}");
    }
}
