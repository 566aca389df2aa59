//! Tasks with files by way of PowerShell.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use sha2::Digest as _;

use super::engine::{Bench, plan};
use crate::shell::files::{
    Algorithm, Answer, Asked, Attributes, FileFailure, FileTask, HostPath, Kind, Origin, Pack,
    Place, Receive, Received, Said, Send, Unpack, Walk,
};
use crate::shell::plan::{Command, Stdin};
use crate::shell::windows::files::frames::{Decoder, END, Entry, Event};
use crate::shell::windows::files::read;
use crate::shell::windows::{Carrier, Situation};

/// How content comes to the host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Raw,
    Lines,
}

pub(super) struct Host {
    bench: Bench,
    way: Way,
}

impl Host {
    pub(super) fn new(what: &str) -> Option<Self> {
        Some(Self {
            bench: Bench::new(what)?,
            way: Way::Raw,
        })
    }

    pub(super) fn folder(&self) -> PathBuf {
        let folder = self.bench.dir.path().join("更新 [文件]");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn said(&self, task: &FileTask, content: &[u8]) -> Said {
        let mut plan = plan(Command::Files(Arc::new(task.clone())));
        if !content.is_empty() {
            plan.stdin = Stdin::Bytes(Bytes::copy_from_slice(content));
        }
        let situation = Situation {
            carrier: match self.way {
                Way::Raw => Carrier::Winrm,
                Way::Lines => Carrier::Channel,
            },
            ..self.bench.situation()
        };
        let came = self.bench.converse(&plan, &situation);
        assert_eq!(came.failed, None, "{came:?}");
        Said {
            exit: came.exit,
            stdout: came.bytes.into(),
            stderr: came.stderr.into(),
        }
    }

    pub(super) fn does(&self, task: &FileTask, content: &[u8]) -> Result<Answer, FileFailure> {
        read(task, &self.said(task, content))
    }

    #[track_caller]
    fn answers(&self, task: &FileTask) -> Answer {
        self.does(task, b"").unwrap()
    }

    #[track_caller]
    fn refuses(&self, task: &FileTask, content: &[u8]) -> String {
        match self.does(task, content) {
            Err(FileFailure::Refused(why)) => why,
            other => panic!("{other:?}"),
        }
    }
}

fn at(path: &Path) -> HostPath {
    HostPath::from(path.to_str().unwrap())
}

pub(super) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn md5(bytes: &[u8]) -> String {
    hex(&md5::Md5::digest(bytes))
}

pub(super) fn receive(target: &Path, content: &[u8]) -> Receive {
    let name = target.file_name().unwrap().to_str().unwrap();
    Receive {
        part: at(&target.with_file_name(format!(".{name}.ioms-0123.part"))),
        target: at(target),
        offset: 0,
        size: content.len() as u64,
        algorithm: Algorithm::Md5,
        digest: md5(content),
        origin: Origin::Input,
        attributes: Attributes::default(),
        backup: None,
        mkdir: false,
    }
}

pub(super) fn received(receive: &Receive) -> FileTask {
    FileTask::Receive(Box::new(receive.clone()))
}

/// Bytes of every kind, lines that look like our own included.
fn content(size: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=255).chain(*b"\r\n.\n\0exit\n").collect();
    while bytes.len() < size {
        bytes.extend_from_within(..);
    }
    bytes.truncate(size);
    bytes
}

#[track_caller]
pub(super) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_arrives_byte_for_byte_with_its_time_and_replaces_with_a_backup() {
    for way in [Way::Raw, Way::Lines] {
        let Some(mut host) = Host::new("files received by PowerShell") else {
            return;
        };
        host.way = way;
        let target = host.folder().join("a [1].bin");
        let bytes = content(3_000_001);
        let mut task = receive(&target, &bytes);
        task.attributes.mtime = Some(1_600_000_000);
        let answer = host.does(&received(&task), &bytes);
        assert_eq!(answer, Ok(Answer::Received(Received::Placed)));
        assert_eq!(std::fs::read(&target).unwrap(), bytes);
        let modified = target.metadata().unwrap().modified().unwrap();
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
        assert_eq!(since.as_secs(), 1_600_000_000);

        let mut task = receive(&target, b"new");
        task.backup = Some(at(&host.folder().join("a.old")));
        let answer = host.does(&received(&task), b"new");
        assert_eq!(answer, Ok(Answer::Received(Received::Placed)));
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        assert_eq!(std::fs::read(host.folder().join("a.old")).unwrap(), bytes);
        assert_eq!(names(&host.folder()), ["a [1].bin", "a.old"]);
        host.bench.is_clean();
    }
}

#[test]
fn an_empty_file_arrives_too() {
    let Some(host) = Host::new("empty files received by PowerShell") else {
        return;
    };
    let target = host.folder().join("empty");
    let answer = host.answers(&received(&receive(&target, b"")));
    assert_eq!(answer, Answer::Received(Received::Placed));
    assert_eq!(std::fs::read(&target).unwrap(), b"");
}

#[test]
fn what_breaks_off_is_gone_on_with_and_what_is_wrong_is_removed() {
    let Some(host) = Host::new("partial files by PowerShell") else {
        return;
    };
    let target = host.folder().join("x.zip");
    let bytes = content(500_000);
    let mut task = receive(&target, &bytes);
    let answer = host.does(&received(&task), &bytes[..200_000]);
    assert_eq!(
        answer,
        Ok(Answer::Received(Received::Short { size: 200_000 }))
    );
    assert_eq!(names(&host.folder()), [".x.zip.ioms-0123.part"]);
    // Less of it is good than is there.
    task.offset = 150_000;
    let mut wrong = task.clone();
    wrong.digest = md5(b"other");
    let answer = host.does(&received(&task), &bytes[150_000..]);
    assert_eq!(answer, Ok(Answer::Received(Received::Placed)));
    assert_eq!(std::fs::read(&target).unwrap(), bytes);

    wrong.offset = 0;
    let answer = host.does(&received(&wrong), &bytes);
    let digest = md5(&bytes);
    assert_eq!(answer, Ok(Answer::Received(Received::Mismatch { digest })));
    assert_eq!(names(&host.folder()), ["x.zip"], "the old one stays");

    // What was there when we looked is not any more.
    let answer = host.does(&received(&task), &bytes[150_000..]);
    assert_eq!(answer, Ok(Answer::Received(Received::Short { size: 0 })));
}

#[test]
fn a_part_file_that_is_whole_is_only_put_in_its_place() {
    let Some(host) = Host::new("whole part files by PowerShell") else {
        return;
    };
    let target = host.folder().join("x");
    let mut task = receive(&target, b"hello");
    task.origin = Origin::There;
    task.algorithm = Algorithm::Sha256;
    task.digest = hex(&sha2::Sha256::digest(b"hello"));
    std::fs::write(task.part.as_str().unwrap(), "hello").unwrap();
    assert_eq!(
        host.answers(&received(&task)),
        Answer::Received(Received::Placed)
    );
    task.digest = String::new();
    std::fs::write(task.part.as_str().unwrap(), "HELLO").unwrap();
    assert_eq!(
        host.answers(&received(&task)),
        Answer::Received(Received::Placed)
    );
    assert_eq!(std::fs::read(&target).unwrap(), b"HELLO");
}

#[test]
fn what_can_not_be_written_is_said_and_nothing_is_left() {
    let Some(host) = Host::new("refusals of files by PowerShell") else {
        return;
    };
    let folder = host.folder();
    let task = receive(&folder.join("no/x"), b"x");
    let why = host.refuses(&received(&task), b"x");
    assert!(why.contains("no such folder"), "{why}");
    let mut made = task.clone();
    made.mkdir = true;
    let answer = host.does(&received(&made), b"x");
    assert_eq!(answer, Ok(Answer::Received(Received::Placed)));

    let why = host.refuses(&received(&receive(&folder.join("no"), b"x")), b"x");
    assert!(why.contains("it is a folder"), "{why}");

    let target = folder.join("fixed");
    std::fs::write(&target, "old").unwrap();
    let mut rights = target.metadata().unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&target, rights).unwrap();
    let why = host.refuses(&received(&receive(&target, b"x")), b"x");
    assert!(why.contains("read-only"), "{why}");

    let mut task = receive(Path::new("/proc/x"), b"x");
    task.part = HostPath::from("/proc/.x.ioms-1.part");
    host.refuses(&received(&task), b"x");
    assert_eq!(names(&folder), ["fixed", "no"]);
}

#[test]
fn a_full_disk_is_told_from_other_failures_and_nothing_is_left() {
    let Some(host) = Host::new("a full disk under PowerShell") else {
        return;
    };
    if ioms_fleet::left_out("a full disk under PowerShell", "root") {
        return;
    }
    let disk = SmallDisk::new(host.folder());
    let task = receive(&disk.0.join("x"), &content(200_000));
    let answer = host.does(&received(&task), &content(200_000));
    assert!(
        matches!(&answer, Err(FileFailure::NoSpace(why)) if why.contains("full")),
        "{answer:?}"
    );
    let stream = [framed("a", &content(200_000)), END.to_vec()].concat();
    let answer = host.does(&FileTask::Unpack(unpack(&disk.0)), &stream);
    assert!(
        matches!(&answer, Err(FileFailure::NoSpace(why)) if why.starts_with("a: ")),
        "{answer:?}"
    );
    assert_eq!(names(&disk.0), [""; 0]);
}

/// A file system with little room, gone with its owner.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(path: PathBuf) -> Self {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "mode=0700,size=128k", "none"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(mounted.success());
        Self(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn old_part_files_of_others_go_and_young_ones_stay() {
    let Some(host) = Host::new("old part files") else {
        return;
    };
    let folder = host.folder();
    let day = std::time::Duration::from_hours(25);
    for (name, is_old) in [
        (".a.ioms-0123456789abcdef0123456789abcdef.part", true),
        (".b.ioms-0123456789abcdef0123456789abcdef.part", false),
        (".d.ioms-notes.part", true),
        (".c.part", true),
    ] {
        std::fs::write(folder.join(name), "").unwrap();
        if is_old {
            let file = std::fs::File::options().write(true).open(folder.join(name));
            let then = std::time::SystemTime::now() - day;
            file.unwrap().set_modified(then).unwrap();
        }
    }
    let answer = host.does(&received(&receive(&folder.join("x"), b"x")), b"x");
    assert_eq!(answer, Ok(Answer::Received(Received::Placed)));
    assert_eq!(
        names(&folder),
        [
            ".b.ioms-0123456789abcdef0123456789abcdef.part",
            ".c.part",
            ".d.ioms-notes.part",
            "x"
        ]
    );
}

#[test]
fn paths_are_looked_at_and_hashed() {
    let Some(host) = Host::new("stat by PowerShell") else {
        return;
    };
    let folder = host.folder();
    std::fs::write(folder.join("a"), "hello").unwrap();
    std::os::unix::fs::symlink(&folder, folder.join("link")).unwrap();
    let asked = |name: &str, size| Asked {
        path: at(&folder).join(name.as_bytes()),
        size,
    };
    let task = FileTask::Stat {
        paths: vec![
            asked("a", Some(5)),
            asked("a", Some(6)),
            asked("a", None),
            asked("", None),
            asked("no/x", Some(0)),
            asked("link", None),
            asked("link/", None),
        ],
        algorithm: Algorithm::Md5,
        follow: false,
    };
    let Answer::Stat(account, found) = host.answers(&task) else {
        panic!();
    };
    assert_eq!(account.uid, None);
    let kinds: Vec<_> = found.iter().map(|f| f.as_ref().map(|f| f.kind)).collect();
    use Kind::{File, Folder, Link};
    assert_eq!(
        kinds,
        [
            Some(File),
            Some(File),
            Some(File),
            Some(Folder),
            None,
            Some(Link),
            Some(Folder)
        ]
    );
    let first = found[0].as_ref().unwrap();
    assert_eq!((first.size, first.digest.clone()), (5, Some(md5(b"hello"))));
    assert!(first.mtime > 1_700_000_000);
    assert_eq!(found[1].as_ref().unwrap().digest, None);
    assert_eq!(found[2].as_ref().unwrap().digest, None);

    let task = FileTask::Stat {
        paths: vec![
            asked("link", None),
            asked("dangling", None),
            asked("to a", Some(5)),
        ],
        algorithm: Algorithm::Md5,
        follow: true,
    };
    std::os::unix::fs::symlink("nowhere", folder.join("dangling")).unwrap();
    std::os::unix::fs::symlink("a", folder.join("to a")).unwrap();
    let Answer::Stat(_, found) = host.answers(&task) else {
        panic!();
    };
    assert_eq!(found[0].as_ref().unwrap().kind, Folder);
    assert_eq!(found[1], None);
    let found = found[2].as_ref().unwrap();
    assert_eq!(
        (found.kind, found.digest.clone()),
        (File, Some(md5(b"hello")))
    );

    let task = FileTask::Hash {
        paths: vec![at(&folder.join("a")), at(&folder.join("no"))],
        algorithm: Algorithm::Sha256,
    };
    let digest = hex(&sha2::Sha256::digest(b"hello"));
    assert_eq!(host.answers(&task), Answer::Hash(vec![Some(digest), None]));
    let task = FileTask::ReadLinks(vec![at(&folder.join("link")), at(&folder.join("a"))]);
    assert_eq!(
        host.answers(&task),
        Answer::Links(vec![Some(at(&folder)), None])
    );
}

#[test]
fn all_names_below_are_found_and_links_are_not_followed() {
    let Some(host) = Host::new("walks by PowerShell") else {
        return;
    };
    let folder = host.folder();
    std::fs::create_dir_all(folder.join("d/.e")).unwrap();
    for name in ["d/中 文", "d/.e/h`x", "d/[b].log", "b.log", "c.txt"] {
        std::fs::write(folder.join(name), "").unwrap();
    }
    std::os::unix::fs::symlink(&folder, folder.join("d/loop")).unwrap();
    let walk = |roots: &[&str], patterns, follow| {
        let roots = roots.iter().map(|root| {
            let root = root.replace("ROOT", folder.to_str().unwrap());
            HostPath::from(root.as_str())
        });
        let task = FileTask::Walk(Walk {
            roots: roots.collect(),
            patterns,
            follow,
        });
        let Answer::Walk(names) = host.answers(&task) else {
            panic!();
        };
        let mut names: Vec<String> = names
            .iter()
            .map(|name| name.to_string().replace(folder.to_str().unwrap(), "ROOT"))
            .collect();
        names.sort();
        names
    };
    let all = [
        "ROOT/c.txt",
        "ROOT/d",
        "ROOT/d/.e",
        "ROOT/d/.e/h`x",
        "ROOT/d/[b].log",
        "ROOT/d/loop",
        "ROOT/d/中 文",
    ];
    let roots = ["ROOT/d", "ROOT/nowhere", "ROOT/c.txt"];
    assert_eq!(walk(&roots, false, false), all);
    assert_eq!(walk(&roots, false, true), all, "not into what we are in");
    let aside = folder.parent().unwrap().join("aside");
    std::fs::create_dir(&aside).unwrap();
    std::fs::write(aside.join("x"), "").unwrap();
    std::os::unix::fs::symlink(folder.join("d/.e"), aside.join("back")).unwrap();
    std::os::unix::fs::symlink(&aside, folder.join("d/.e/there")).unwrap();
    let walked = walk(&["ROOT/d/.e"], false, true);
    let there = [
        "ROOT/d/.e",
        "ROOT/d/.e/h`x",
        "ROOT/d/.e/there",
        "ROOT/d/.e/there/back",
        "ROOT/d/.e/there/x",
    ];
    assert_eq!(walked, there);

    let within = folder.parent().unwrap().to_str().unwrap();
    let pattern = format!("{within}/更新*/*.[lt]?[gt]");
    assert_eq!(walk(&[&pattern], true, false), ["ROOT/b.log", "ROOT/c.txt"]);
    std::fs::write(folder.join("[x] [y"), "").unwrap();
    assert_eq!(walk(&["ROOT/[x] [y"], true, false), ["ROOT/[x] [y"]);
    let pattern = format!("{within}/更新*/?/.*/*`x");
    assert_eq!(walk(&[&pattern], true, true), ["ROOT/d/.e/h`x"]);
}

fn framed(path: &str, content: &[u8]) -> Vec<u8> {
    let entry = Entry {
        path: HostPath::from(path),
        kind: Kind::File,
        size: content.len() as u64,
        mtime: Some(1_600_000_000),
        digest: md5(content),
    };
    [entry.head().unwrap(), content.to_vec()].concat()
}

fn unpack(root: &Path) -> Unpack {
    Unpack {
        staging: HostPath::from("not-used"),
        root: at(root),
        algorithm: Algorithm::Md5,
        mkdir: false,
        backup: None,
    }
}

#[test]
fn many_files_in_one_stream_are_put_in_their_places() {
    for way in [Way::Raw, Way::Lines] {
        let Some(mut host) = Host::new("streams of files by PowerShell") else {
            return;
        };
        host.way = way;
        let root = host.folder().join("tree");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(root.join("sub/old"), "old").unwrap();
        let large = content(2_000_000);
        let folder = Entry {
            path: HostPath::from("leer/下"),
            kind: Kind::Folder,
            size: 0,
            mtime: Some(1_500_000_000),
            digest: String::new(),
        };
        let stream = [
            framed("sub/old", b"new"),
            folder.head().unwrap(),
            framed("a/b/large", &large),
            framed("空格 和 中文.txt", b"\0"),
            END.to_vec(),
        ]
        .concat();
        let mut task = unpack(&root);
        task.backup = Some(".bak".to_owned());
        let answer = host.does(&FileTask::Unpack(task), &stream).unwrap();
        let Answer::Unpacked { digests, placed } = answer else {
            panic!();
        };
        assert!(placed);
        let digests: Vec<_> = digests
            .iter()
            .map(|(n, d)| (n.to_string(), d.clone()))
            .collect();
        let digest = |name: &str, content: &[u8]| (name.to_owned(), md5(content));
        assert_eq!(
            digests,
            [
                digest("sub/old", b"new"),
                digest("a/b/large", &large),
                digest("空格 和 中文.txt", b"\0")
            ]
        );
        assert_eq!(std::fs::read(root.join("a/b/large")).unwrap(), large);
        assert_eq!(std::fs::read(root.join("sub/old.bak")).unwrap(), b"old");
        assert_eq!(names(&root.join("sub")), ["old", "old.bak"]);
        assert_eq!(names(&root), ["a", "leer", "sub", "空格 和 中文.txt"]);
        let time = |path: &str| {
            let modified = root.join(path).metadata().unwrap().modified().unwrap();
            modified
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap()
                .as_secs()
        };
        assert_eq!(time("sub/old"), 1_600_000_000);
        assert_eq!(time("leer/下"), 1_500_000_000);
        host.bench.is_clean();
        let place = FileTask::Place(Place {
            staging: HostPath::from("x"),
            root: at(&root),
            backup: None,
        });
        assert_eq!(host.answers(&place), Answer::Done);
    }
}

#[test]
fn a_stream_that_fails_names_the_file_and_leaves_nothing_half_written() {
    let Some(host) = Host::new("failing streams by PowerShell") else {
        return;
    };
    let root = host.folder();
    std::fs::create_dir(root.join("b")).unwrap();
    let task = FileTask::Unpack(unpack(&root));
    let mut wrong = framed("wrong", b"x");
    *wrong.last_mut().unwrap() = b'y';
    let stream = [framed("a", b"a"), wrong, framed("b", b"b")].concat();
    let why = host.refuses(&task, &stream);
    assert!(why.contains("/b: it is a folder"), "{why}");
    assert_eq!(names(&root), ["a", "b"]);

    let cut = framed("c", b"content");
    let answer = host.does(&task, &cut[..cut.len() - 3]);
    assert!(
        matches!(&answer, Err(FileFailure::Garbled(why)) if why.contains("c: the stream ended")),
        "{answer:?}"
    );
    assert_eq!(names(&root), ["a", "b"]);
    let why = host.refuses(&FileTask::Unpack(unpack(&root.join("x/y"))), &END);
    assert!(why.contains("no such folder"), "{why}");
}

#[test]
fn two_thousand_small_files_take_seconds() {
    let Some(host) = Host::new("many files by PowerShell") else {
        return;
    };
    let root = host.folder();
    let mut stream = Vec::new();
    for n in 0..2000 {
        stream.extend(framed(
            &format!("d{}/f{n}", n % 100),
            format!("{n}").as_bytes(),
        ));
    }
    stream.extend(END);
    let began = std::time::Instant::now();
    let answer = host
        .does(&FileTask::Unpack(unpack(&root)), &stream)
        .unwrap();
    let took = began.elapsed();
    assert!(matches!(answer, Answer::Unpacked { digests, .. } if digests.len() == 2000));
    assert!(took.as_secs() < 20, "{took:?}");
}

#[test]
fn content_comes_back_byte_for_byte() {
    let Some(host) = Host::new("files sent by PowerShell") else {
        return;
    };
    let folder = host.folder();
    let bytes = content(1_000_003);
    std::fs::write(folder.join("a"), &bytes).unwrap();
    let send = |offset| {
        FileTask::Send(Send {
            path: at(&folder.join("a")),
            offset,
        })
    };
    let said = host.said(&send(0), b"");
    assert!(said.stdout == bytes && said.exit == Some(0));
    assert_eq!(host.said(&send(1_000_000), b"").stdout, bytes[1_000_000..]);

    std::fs::create_dir_all(folder.join("sub")).unwrap();
    std::fs::write(folder.join("sub/空"), "").unwrap();
    std::os::unix::fs::symlink("a", folder.join("link")).unwrap();
    let task = FileTask::Pack(Pack {
        root: at(&folder),
        names: ["a", "sub/空", "link"].map(HostPath::from).to_vec(),
    });
    let said = host.said(&task, b"");
    let events = Decoder::default().take(said.stdout.clone()).unwrap();
    let kinds: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Entry(entry) => Some((entry.path.to_string(), entry.kind, entry.size)),
            _ => None,
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("a".to_owned(), Kind::File, 1_000_003),
            ("sub/空".to_owned(), Kind::File, 0),
            ("link".to_owned(), Kind::Link, 0)
        ]
    );
    assert_eq!(events[1], Event::Content(bytes.into()));
    assert_eq!(events.last(), Some(&Event::End));

    let task = FileTask::Pack(Pack {
        root: at(&folder),
        names: vec![HostPath::from("gone")],
    });
    let why = host.refuses(&task, b"");
    assert_eq!(why, "gone: it is not there");
}

#[test]
fn folders_are_made_times_are_set_and_links_lead_no_removal_astray() {
    let Some(host) = Host::new("adjusting and removing by PowerShell") else {
        return;
    };
    let folder = host.folder();
    let attributes = Attributes {
        folder: true,
        mtime: Some(1_400_000_000),
        ..Attributes::default()
    };
    let made = folder.join("x/y z");
    let task = FileTask::Adjust(vec![(at(&made), attributes)]);
    assert_eq!(host.answers(&task), Answer::Done);
    let modified = made.metadata().unwrap().modified().unwrap();
    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_secs(), 1_400_000_000);

    std::fs::write(folder.join("kept"), "").unwrap();
    std::fs::write(made.join("file"), "").unwrap();
    std::os::unix::fs::symlink(&folder, made.join("link")).unwrap();
    let task = FileTask::Remove(vec![
        at(&folder.join("x")),
        at(&folder.join("nowhere")),
        at(&folder.join("[a-z]*")),
    ]);
    assert!(
        matches!(&task, FileTask::Remove(paths) if paths.len() == 3),
        "patterns are no patterns here"
    );
    let FileTask::Remove(paths) = task else {
        panic!()
    };
    assert_eq!(
        host.answers(&FileTask::Remove(paths[..2].to_vec())),
        Answer::Done
    );
    assert_eq!(names(&folder), ["kept"]);
}
