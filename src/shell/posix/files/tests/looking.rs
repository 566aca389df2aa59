//! What is there: told of any name.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};

use super::bed::{Bed, each, md5, odd_names};
use crate::shell::files::{
    Algorithm, Answer, Asked, FileFailure, FileTask, Found, HostPath, Kind, Pack, Send, Walk,
};

fn stat(bed: &Bed, paths: Vec<HostPath>) -> Vec<Option<Found>> {
    let asked = paths.into_iter().map(|path| Asked { path, size: None });
    let task = FileTask::Stat {
        paths: asked.collect(),
        algorithm: Algorithm::Md5,
        follow: false,
    };
    match bed.ask(&task) {
        Answer::Stat(account, found) => {
            assert_eq!(account.uid, Some(rustix::process::geteuid().as_raw()));
            found
        }
        other => panic!("{other:?}"),
    }
}

fn hash(bed: &Bed, paths: Vec<HostPath>, algorithm: Algorithm) -> Vec<Option<String>> {
    match bed.ask(&FileTask::Hash { paths, algorithm }) {
        Answer::Hash(hashes) => hashes,
        other => panic!("{other:?}"),
    }
}

fn walk(bed: &Bed, roots: Vec<HostPath>, patterns: bool, follow: bool) -> Vec<HostPath> {
    let walk = Walk {
        roots,
        patterns,
        follow,
    };
    let Answer::Walk(mut names) = bed.ask(&FileTask::Walk(walk)) else {
        panic!("no names");
    };
    names.sort();
    names
}

#[test]
fn what_is_at_odd_names_is_told_of_each() {
    each(|bed| {
        let names = odd_names();
        for (size, name) in names.iter().enumerate() {
            bed.write(name, &vec![b'.'; size]);
        }
        let mut paths: Vec<HostPath> = names.iter().map(|name| bed.path(name)).collect();
        paths.push(bed.path("none"));
        paths.push(bed.path("no\nne"));
        let found = stat(bed, paths);
        for (size, (name, found)) in names.iter().zip(&found).enumerate() {
            let name = String::from_utf8_lossy(name);
            let found = found
                .as_ref()
                .unwrap_or_else(|| panic!("{} {name:?}", bed.shell));
            assert_eq!(
                (found.kind, found.size),
                (Kind::File, size as u64),
                "{name:?}"
            );
        }
        assert_eq!(&found[names.len()..], [None, None]);
    });
}

#[test]
fn kinds_modes_times_and_owners_are_told() {
    each(|bed| {
        bed.write("file", b"12345");
        std::fs::set_permissions(bed.at("file"), PermissionsExt::from_mode(0o4751)).unwrap();
        std::fs::create_dir(bed.at("folder")).unwrap();
        symlink("folder", bed.at("link")).unwrap();
        symlink("nowhere", bed.at("dangling")).unwrap();
        let path = |text: &str| HostPath::from(text);
        let found = stat(
            bed,
            vec![
                path("file"),
                path("~/folder"),
                bed.path("link"),
                bed.path("link/"),
                path("dangling"),
                path("dangling/"),
                path("file/"),
                path("~"),
                path("/dev/null"),
            ],
        );
        let kind = |n: usize| found[n].as_ref().map(|found| found.kind);
        let is = std::fs::metadata(bed.at("file")).unwrap();
        let file = found[0].as_ref().unwrap();
        assert_eq!((file.mode, file.size, file.mtime), (0o4751, 5, is.mtime()));
        assert_eq!((file.uid, file.gid), (is.uid(), is.gid()));
        assert_eq!(kind(1), Some(Kind::Folder));
        assert_eq!(kind(2), Some(Kind::Link));
        assert_eq!(kind(3), Some(Kind::Folder));
        assert_eq!(kind(4), Some(Kind::Link));
        assert_eq!((kind(5), kind(6)), (None, None));
        assert_eq!(kind(7), Some(Kind::Folder));
        assert_eq!(kind(8), Some(Kind::Other));
    });
}

#[test]
fn digests_are_told_of_odd_names() {
    each(|bed| {
        let names = odd_names();
        for name in &names {
            bed.write(name, name);
        }
        let mut paths: Vec<HostPath> = names.iter().map(|name| bed.path(name)).collect();
        paths.push(bed.path("none"));
        let hashes = hash(bed, paths.clone(), Algorithm::Md5);
        for (name, hash) in names.iter().zip(&hashes) {
            let shown = String::from_utf8_lossy(name);
            assert_eq!(hash.as_ref(), Some(&md5(name)), "{} {shown:?}", bed.shell);
        }
        assert_eq!(hashes.last(), Some(&None));
        let longer = hash(bed, paths, Algorithm::Sha256);
        let whole = |hash: &&Option<String>| hash.as_ref().is_some_and(|hash| hash.len() == 64);
        assert_eq!(longer.iter().filter(whole).count(), names.len());
    });
}

#[test]
fn a_host_without_the_tools_is_said_to_lack_them() {
    for shell in ["dash", "bash"] {
        let bed = Bed::new(shell).only(&["id", "cat", "xargs"]);
        let path = bed.path("file");
        let hash = FileTask::Hash {
            paths: vec![path.clone()],
            algorithm: Algorithm::Md5,
        };
        assert_eq!(
            bed.feed(&hash, b""),
            Err(FileFailure::NoTool("digest".into()))
        );
        let asked = Asked { path, size: None };
        let stat = FileTask::Stat {
            paths: vec![asked],
            algorithm: Algorithm::Md5,
            follow: false,
        };
        assert_eq!(
            bed.feed(&stat, b""),
            Err(FileFailure::NoTool("stat".into()))
        );
    }
}

#[test]
fn users_and_groups_have_numbers_or_are_unknown() {
    each(|bed| {
        let identify = |user: Option<&str>, group: Option<&str>| {
            bed.ask(&FileTask::Identify {
                user: user.map(str::to_owned),
                group: group.map(str::to_owned),
            })
        };
        assert_eq!(
            identify(Some("root"), Some("root")),
            Answer::Identified(Some(0), Some(0))
        );
        assert_eq!(
            identify(Some("no such"), Some("-x")),
            Answer::Identified(None, None)
        );
        assert_eq!(
            identify(None, Some("daemon")),
            Answer::Identified(None, Some(1))
        );
    });
}

#[test]
fn where_links_lead_is_told() {
    each(|bed| {
        symlink("名 字\nx", bed.at("-l")).unwrap();
        bed.write("file", b"");
        let task = FileTask::ReadLinks(vec![bed.path("file"), bed.path("-l"), bed.path("none")]);
        let to = HostPath::from("名 字\nx");
        assert_eq!(bed.ask(&task), Answer::Links(vec![None, Some(to), None]));
    });
}

#[test]
fn all_that_is_below_a_folder_is_named_whatever_it_is_called() {
    each(|bed| {
        std::fs::create_dir(bed.at("in")).unwrap();
        symlink("in", bed.at("link")).unwrap();
        for name in odd_names() {
            bed.write([b"in/", name.as_slice()].concat(), b"");
        }
        let root = bed.path("link").with_slash();
        let mut below: Vec<Vec<u8>> = walk(bed, vec![root.clone()], false, false)
            .iter()
            .filter_map(|name| name.below(&root))
            .filter(|name| !name.is_empty())
            .collect();
        below.sort();
        let mut names = odd_names();
        names.sort();
        assert_eq!(below, names, "{}", bed.shell);
        let nothing = walk(bed, vec![bed.path("none")], false, false);
        assert_eq!(nothing, []);
    });
}

#[test]
fn patterns_are_expanded_and_nothing_else_is() {
    each(|bed| {
        for name in ["a 1.log", "b.log", "c.txt", "$(x).log", ".log"] {
            bed.write(name, b"");
        }
        let names = |pattern: &str| -> Vec<HostPath> {
            walk(bed, vec![HostPath::from(pattern)], true, false)
        };
        let paths = |all: &[&str]| -> Vec<HostPath> {
            all.iter().map(|name| HostPath::from(*name)).collect()
        };
        assert_eq!(
            names("*.log"),
            paths(&["./$(x).log", "./a 1.log", "./b.log"])
        );
        assert_eq!(names("[bc].*"), paths(&["./b.log", "./c.txt"]));
        assert_eq!(names("$(x)*"), paths(&["./$(x).log"]));
        assert_eq!(names("none*"), paths(&[]));
        let plain = walk(bed, vec![HostPath::from("*.log")], false, false);
        assert_eq!(plain, []);
    });
}

#[test]
fn a_file_is_sent_from_any_place_in_it() {
    each(|bed| {
        let content: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        for name in ["-n", "na\nme", "名"] {
            bed.write(name, &content);
            for offset in [0, 1, 99_999, 100_000] {
                let send = FileTask::Send(Send {
                    path: HostPath::from(name),
                    offset,
                });
                let said = bed.say(&send, b"");
                let expected = content.get(usize::try_from(offset).unwrap()..).unwrap();
                assert_eq!((said.exit, &said.stdout[..]), (Some(0), expected));
            }
        }
        let send = FileTask::Send(Send {
            path: bed.path("none"),
            offset: 0,
        });
        let Err(FileFailure::Refused(why)) = bed.feed(&send, b"") else {
            panic!("not there");
        };
        assert!(why.contains("No such file"), "{why}");
    });
}

#[test]
fn many_files_are_packed_as_one_stream() {
    each(|bed| {
        std::fs::create_dir(bed.at("in")).unwrap();
        for name in odd_names() {
            bed.write([b"in/", name.as_slice()].concat(), &name);
        }
        let pack = FileTask::Pack(Pack {
            root: HostPath::from("in"),
            names: odd_names().into_iter().map(HostPath::new).collect(),
        });
        let said = bed.say(&pack, b"");
        assert_eq!(said.exit, Some(0), "{} {said:?}", bed.shell);
        let mut archive = tar::Archive::new(&said.stdout[..]);
        let mut names = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path_bytes().to_vec();
            let name = name.strip_prefix(b"./").unwrap_or(&name).to_vec();
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
            assert_eq!(content, name);
            names.push(name);
        }
        assert_eq!(names, odd_names());
    });
}
