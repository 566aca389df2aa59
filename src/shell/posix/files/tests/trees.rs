//! Many files in one stream: unpacked beside their place, told of, and put there.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};

use super::bed::{Bed, Mount, each, md5, names_in, odd_names};
use crate::shell::files::{Algorithm, Answer, FileFailure, FileTask, HostPath, Place, Unpack};

/// What is in a stream.
enum Member<'a> {
    Folder,
    File(&'a [u8], u32),
    Link(&'a str),
}

fn tarball(members: &[(&[u8], Member<'_>)]) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    let mut builder = tar::Builder::new(Vec::new());
    for (name, member) in members {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(1_700_000_000);
        header.set_uid(1);
        header.set_gid(2);
        header.set_size(0);
        header.set_mode(0o755);
        let name = [b"./", *name].concat();
        let name = std::path::Path::new(std::ffi::OsStr::from_bytes(&name));
        match member {
            Member::Folder => {
                header.set_entry_type(tar::EntryType::Directory);
                builder
                    .append_data(&mut header, name, std::io::empty())
                    .unwrap();
            }
            Member::File(content, mode) => {
                header.set_mode(*mode);
                header.set_size(content.len() as u64);
                builder.append_data(&mut header, name, *content).unwrap();
            }
            Member::Link(to) => {
                header.set_entry_type(tar::EntryType::Symlink);
                builder.append_link(&mut header, name, to).unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

fn unpack(bed: &Bed, stream: &[u8]) -> Result<Vec<(HostPath, String)>, FileFailure> {
    let task = FileTask::Unpack(Unpack {
        staging: bed.path(STAGING),
        root: bed.path("root"),
        algorithm: Algorithm::Md5,
        mkdir: false,
        backup: None,
    });
    match bed.feed(&task, stream)? {
        Answer::Unpacked { digests, placed } => {
            assert!(!placed);
            Ok(digests)
        }
        other => panic!("{other:?}"),
    }
}

fn place(bed: &Bed, backup: Option<&str>) -> Result<Answer, FileFailure> {
    let task = FileTask::Place(Place {
        staging: bed.path(STAGING),
        root: bed.path("root"),
        backup: backup.map(str::to_owned),
    });
    bed.feed(&task, b"")
}

const STAGING: &str = ".x.ioms-1.part";

fn file(content: &[u8]) -> Member<'_> {
    Member::File(content, 0o640)
}

#[test]
fn a_new_tree_appears_whole_whatever_its_names() {
    each(|bed| {
        let names = odd_names();
        let mut members: Vec<(&[u8], Member<'_>)> = vec![(b"", Member::Folder)];
        members.extend(names.iter().map(|name| (name.as_slice(), file(name))));
        let digests = unpack(bed, &tarball(&members)).unwrap();
        assert!(!bed.at("root").exists(), "nothing of it is seen yet");
        let odd = |name: &[u8]| name.iter().any(|b| b"\n\r\\".contains(b));
        for name in names.iter().filter(|name| !odd(name)) {
            let found = digests.iter().any(|(path, digest)| {
                path.as_bytes() == [b"./", name.as_slice()].concat() && *digest == md5(name)
            });
            assert!(found, "{} {:?}", bed.shell, String::from_utf8_lossy(name));
        }
        assert_eq!(place(bed, None), Ok(Answer::Done), "{}", bed.shell);
        for name in &names {
            assert_eq!(bed.holds([b"root/", name.as_slice()].concat()), *name);
        }
        assert_eq!(bed.names(), [b"root".to_vec()]);
        let mode = std::fs::metadata(bed.at("root")).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o755);
    });
}

#[test]
fn in_a_tree_that_is_there_folders_stay_and_files_and_links_are_replaced() {
    each(|bed| {
        for folder in ["root", "root/kept", "root/kept/.deep", "elsewhere"] {
            std::fs::create_dir(bed.at(folder)).unwrap();
        }
        bed.write("root/kept/.deep/stays", b"stays");
        bed.write("root/kept/.deep/file", b"before");
        bed.write("root/.dot", b"before");
        symlink("../elsewhere", bed.at("root/to folder")).unwrap();
        symlink("../elsewhere", bed.at("root/by link")).unwrap();
        symlink("nowhere", bed.at("root/link")).unwrap();
        std::fs::set_permissions(bed.at("root/kept"), PermissionsExt::from_mode(0o711)).unwrap();
        let stream = tarball(&[
            (b"kept/.deep/file", file(b"after")),
            (b"kept/-new", file(b"new")),
            (b"..fresh", Member::Folder),
            (b"..fresh/a b", file(b"1")),
            (b".dot", file(b"after")),
            (b"to folder", file(b"a file now")),
            (b"by link/within", file(b"through")),
            (b"link", Member::Link("somewhere")),
        ]);
        unpack(bed, &stream).unwrap();
        assert_eq!(bed.holds("root/.dot"), b"before");
        assert_eq!(place(bed, None), Ok(Answer::Done), "{}", bed.shell);
        assert_eq!(bed.holds("root/kept/.deep/stays"), b"stays");
        assert_eq!(bed.holds("root/kept/.deep/file"), b"after");
        assert_eq!(bed.holds("root/kept/-new"), b"new");
        assert_eq!(bed.holds("root/..fresh/a b"), b"1");
        assert_eq!(bed.holds("root/.dot"), b"after");
        assert_eq!(bed.holds("root/to folder"), b"a file now", "{}", bed.shell);
        assert_eq!(names_in(&bed.at("elsewhere")), [b"within".to_vec()]);
        assert_eq!(
            std::fs::read_link(bed.at("root/link")).unwrap().to_str(),
            Some("somewhere")
        );
        let mode = std::fs::metadata(bed.at("root/kept")).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o711, "{}", bed.shell);
        assert_eq!(bed.names(), [b"elsewhere".to_vec(), b"root".to_vec()]);
    });
}

#[test]
fn modes_are_set_whatever_the_umask() {
    each(|bed| {
        let stream = tarball(&[
            (b"", Member::Folder),
            (b"open", Member::File(b"1", 0o666)),
            (b"shut", Member::File(b"1", 0o400)),
        ]);
        unpack(bed, &stream).unwrap();
        place(bed, None).unwrap();
        let mode = |name: &str| std::fs::metadata(bed.at(name)).unwrap().mode() & 0o7777;
        assert_eq!(mode("root/open"), 0o666, "{}", bed.shell);
        assert_eq!(mode("root/shut"), 0o400, "{}", bed.shell);
        if rustix::process::geteuid().is_root() {
            let found = std::fs::metadata(bed.at("root/open")).unwrap();
            assert_eq!((found.uid(), found.gid()), (1, 2), "{}", bed.shell);
        }
    });
}

#[test]
fn what_is_replaced_in_a_tree_is_kept_when_that_is_asked_for() {
    each(|bed| {
        std::fs::create_dir_all(bed.at("root/a b")).unwrap();
        bed.write("root/a b/-f'", b"before");
        bed.write("root/other", b"other");
        let stream = tarball(&[(b"a b/-f'", file(b"after")), (b"a b/new", file(b"new"))]);
        unpack(bed, &stream).unwrap();
        assert_eq!(place(bed, Some(".old~")), Ok(Answer::Done), "{}", bed.shell);
        assert_eq!(bed.holds("root/a b/-f'"), b"after");
        assert_eq!(bed.holds("root/a b/-f'.old~"), b"before");
        let names = names_in(&bed.at("root/a b"));
        assert_eq!(names.len(), 3, "nothing else is copied: {names:?}");
    });
}

#[test]
fn a_stream_that_breaks_off_leaves_what_came_and_another_goes_on() {
    each(|bed| {
        let large = vec![7; 100_000];
        let members = |names: &[&'static [u8]]| {
            let members: Vec<(&[u8], Member<'_>)> =
                names.iter().map(|name| (*name, file(&large))).collect();
            tarball(&members)
        };
        let all = members(&[b"one", b"two", b"three"]);
        std::fs::create_dir(bed.at("root")).unwrap();
        let broken = unpack(bed, all.get(..150_000).unwrap());
        assert!(broken.is_err(), "{}: {broken:?}", bed.shell);
        assert_eq!(bed.holds([STAGING.as_bytes(), b"/one"].concat()), large);
        let digests = unpack(bed, &members(&[b"two", b"three"])).unwrap();
        assert_eq!(
            digests.len(),
            3,
            "{}: what came before is told too",
            bed.shell
        );
        assert!(digests.iter().all(|(_, digest)| *digest == md5(&large)));
        place(bed, None).unwrap();
        assert_eq!(names_in(&bed.at("root")).len(), 3);
    });
}

#[test]
fn what_is_no_tar_leaves_nothing() {
    each(|bed| {
        std::fs::create_dir(bed.at("root")).unwrap();
        let unpacked = unpack(bed, &[b'x'; 4096]);
        assert!(unpacked.is_err(), "{}: {unpacked:?}", bed.shell);
        assert_eq!(bed.names(), [b"root".to_vec()], "{}", bed.shell);
    });
}

#[test]
fn a_full_file_system_leaves_nothing_of_a_tree() {
    if ioms_fleet::left_out("a full file system", "root") {
        return;
    }
    each(|bed| {
        let mount = Mount::small(bed.at("full"));
        let large = vec![7; 1 << 20];
        let task = FileTask::Unpack(Unpack {
            staging: bed.path("full/.x.ioms-1.part"),
            root: bed.path("full/root"),
            algorithm: Algorithm::Md5,
            mkdir: false,
            backup: None,
        });
        let unpacked = bed.feed(&task, &tarball(&[(b"a", file(&large))]));
        assert!(
            matches!(unpacked, Err(FileFailure::NoSpace(_))),
            "{}: {unpacked:?}",
            bed.shell
        );
        assert!(names_in(&mount.0).is_empty(), "{}", bed.shell);
    });
}

#[test]
fn without_tar_the_host_is_said_to_lack_it() {
    for shell in ["dash", "bash"] {
        let bed = Bed::new(shell).only(&["md5sum", "find", "mkdir"]);
        let unpacked = unpack(&bed, &tarball(&[(b"a", file(b"1"))]));
        assert_eq!(unpacked, Err(FileFailure::NoTool("tar".into())));
    }
}

#[test]
fn a_staging_folder_that_is_a_link_is_not_unpacked_through() {
    each(|bed| {
        for folder in ["root", "precious"] {
            std::fs::create_dir(bed.at(folder)).unwrap();
        }
        bed.write("precious/a", b"precious");
        symlink("precious", bed.at(STAGING)).unwrap();
        unpack(bed, &tarball(&[(b"a", file(b"1"))])).unwrap();
        place(bed, None).unwrap();
        assert_eq!(bed.holds("precious/a"), b"precious", "{}", bed.shell);
        assert_eq!(bed.holds("root/a"), b"1");
    });
}

#[test]
fn a_staging_folder_of_somebody_else_is_not_trusted() {
    if ioms_fleet::left_out("somebody else's folder", "root") {
        return;
    }
    each(|bed| {
        std::fs::create_dir(bed.at("root")).unwrap();
        std::fs::create_dir(bed.at(STAGING)).unwrap();
        bed.write([STAGING.as_bytes(), b"/planted"].concat(), b"evil");
        std::os::unix::fs::chown(bed.at(STAGING), Some(1), Some(1)).unwrap();
        unpack(bed, &tarball(&[(b"a", file(b"1"))])).unwrap();
        std::os::unix::fs::chown(bed.at(STAGING), Some(1), Some(1)).unwrap();
        assert!(matches!(place(bed, None), Err(FileFailure::Refused(_))));
        assert!(names_in(&bed.at("root")).is_empty());
        std::os::unix::fs::chown(bed.at(STAGING), Some(0), Some(0)).unwrap();
        place(bed, None).unwrap();
        assert_eq!(names_in(&bed.at("root")), [b"a".to_vec()], "{}", bed.shell);
    });
}
