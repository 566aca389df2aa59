//! Files below one folder of ours, and never outside it: each part of a name is opened by itself and
//! no link is followed, whatever a host has named before.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};

/// A folder and what is below it.
#[derive(Debug)]
pub(super) struct Beneath {
    root: OwnedFd,
    shown: PathBuf,
}

/// What is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Here {
    Nothing,
    File {
        size: u64,
        mtime: i64,
        /// Permission bits.
        mode: u32,
    },
    Folder,
    Link(Vec<u8>),
    Other,
}

const FOLDER: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

impl Beneath {
    /// The folder, made if it is not there; `None` where it is not and shall not be made.
    pub(super) fn open(path: &Path, make: bool) -> io::Result<Option<Self>> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let made = if make {
            std::fs::create_dir_all(path)
        } else {
            Ok(())
        };
        let opened = made.and_then(|()| Ok(rustix::fs::open(path, flags, Mode::empty())?));
        match opened {
            Ok(root) => Ok(Some(Self {
                root,
                shown: path.to_owned(),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !make => Ok(None),
            Err(error) => {
                let text = format!("{}: {error}", path.display());
                Err(io::Error::new(error.kind(), text))
            }
        }
    }

    /// Does something at a name; an error tells which.
    fn told<T>(&self, name: &[u8], work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        work().map_err(|error| self.named(name, &error))
    }

    /// An error with the name it is about.
    pub(super) fn named(&self, name: &[u8], error: &io::Error) -> io::Error {
        let text = format!("{}: {error}", self.shown(name).display());
        io::Error::new(error.kind(), text)
    }

    /// A name below it, for people.
    pub(super) fn shown(&self, name: &[u8]) -> PathBuf {
        self.shown.join(OsStr::from_bytes(name))
    }

    /// The folder a name is in, and the name's last part. `None`: a folder on the way is not there.
    fn at<'n>(&self, name: &'n [u8], make: bool) -> io::Result<Option<(OwnedFd, &'n OsStr)>> {
        let mut folder = self.root.try_clone()?;
        let mut rest = name;
        while let Some(cut) = rest.iter().position(|b| *b == b'/') {
            let (part, after) = rest.split_at(cut);
            let part = OsStr::from_bytes(part);
            let next = match rustix::fs::openat(&folder, part, FOLDER, Mode::empty()) {
                Err(rustix::io::Errno::NOENT) if make => {
                    rustix::fs::mkdirat(&folder, part, Mode::from_raw_mode(0o777))?;
                    rustix::fs::openat(&folder, part, FOLDER, Mode::empty())
                }
                other => other,
            };
            folder = match next {
                Ok(next) => next,
                Err(rustix::io::Errno::NOENT) => return Ok(None),
                Err(rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                    return Err(io::Error::other("a link or file is in the way of a folder"));
                }
                Err(error) => return Err(error.into()),
            };
            rest = after.get(1..).unwrap_or_default();
        }
        Ok(Some((folder, OsStr::from_bytes(rest))))
    }

    /// What is at a name.
    pub(super) fn look(&self, name: &[u8]) -> io::Result<Here> {
        self.told(name, || {
            let Some((folder, last)) = self.at(name, false)? else {
                return Ok(Here::Nothing);
            };
            let found = match rustix::fs::statat(&folder, last, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => found,
                Err(rustix::io::Errno::NOENT) => return Ok(Here::Nothing),
                Err(error) => return Err(error.into()),
            };
            Ok(match rustix::fs::FileType::from_raw_mode(found.st_mode) {
                rustix::fs::FileType::RegularFile => Here::File {
                    size: u64::try_from(found.st_size).unwrap_or_default(),
                    mtime: found.st_mtime,
                    mode: found.st_mode & 0o777,
                },
                rustix::fs::FileType::Directory => Here::Folder,
                rustix::fs::FileType::Symlink => {
                    let to = rustix::fs::readlinkat(&folder, last, Vec::new())?;
                    Here::Link(to.into_bytes())
                }
                _ => Here::Other,
            })
        })
    }

    /// Opens a file for reading.
    pub(super) fn read(&self, name: &[u8]) -> io::Result<File> {
        self.told(name, || {
            let Some((folder, last)) = self.at(name, false)? else {
                return Err(io::ErrorKind::NotFound.into());
            };
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(rustix::fs::openat(&folder, last, flags, Mode::empty())?.into())
        })
    }

    /// Opens a file for writing at its end, made with `mode` under our umask, its folders too.
    pub(super) fn append(&self, name: &[u8], mode: u32) -> io::Result<File> {
        self.told(name, || {
            let Some((folder, last)) = self.at(name, true)? else {
                return Err(io::ErrorKind::NotFound.into());
            };
            let flags =
                OFlags::RDWR | OFlags::CREATE | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mode = Mode::from_raw_mode(mode & 0o777);
            Ok(rustix::fs::openat(&folder, last, flags, mode)?.into())
        })
    }

    /// Makes a folder and those above it.
    pub(super) fn make_folder(&self, name: &[u8]) -> io::Result<()> {
        self.told(name, || {
            let inside = [name, b"/x"].concat();
            self.at(&inside, true).map(drop)
        })
    }

    /// Makes a link, in place of a file or another link.
    pub(super) fn link(&self, name: &[u8], to: &[u8]) -> io::Result<()> {
        self.told(name, || {
            let Some((folder, last)) = self.at(name, true)? else {
                return Err(io::ErrorKind::NotFound.into());
            };
            match rustix::fs::unlinkat(&folder, last, AtFlags::empty()) {
                Ok(()) | Err(rustix::io::Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(rustix::fs::symlinkat(OsStr::from_bytes(to), &folder, last)?)
        })
    }

    /// Gives a file another name in its folder; what is there is replaced.
    pub(super) fn rename(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        self.told(to, || {
            let (Some((folder, from)), Some((_, to))) =
                (self.at(from, false)?, self.at(to, false)?)
            else {
                return Err(io::ErrorKind::NotFound.into());
            };
            Ok(rustix::fs::renameat(&folder, from, &folder, to)?)
        })
    }

    /// Gives a file or link a second name in its folder, and leaves it where it is: as a copy, where
    /// the file system has no second names. Whether there was one.
    pub(super) fn keep(&self, name: &[u8], second: &[u8]) -> io::Result<bool> {
        use rustix::io::Errno;
        let found = self.look(name)?;
        self.told(second, || {
            let (Some((folder, last)), Some((_, second))) =
                (self.at(name, false)?, self.at(second, false)?)
            else {
                return Ok(false);
            };
            if found == Here::Nothing {
                return Ok(false);
            }
            let link = || rustix::fs::linkat(&folder, last, &folder, second, AtFlags::empty());
            let linked = match link() {
                // Of this very second.
                Err(Errno::EXIST) => {
                    rustix::fs::unlinkat(&folder, second, AtFlags::empty())?;
                    link()
                }
                other => other,
            };
            match (linked, found) {
                (Ok(()), _) => Ok(true),
                (
                    Err(Errno::PERM | Errno::MLINK | Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP),
                    found,
                ) => {
                    match found {
                        Here::Link(to) => {
                            rustix::fs::symlinkat(OsStr::from_bytes(&to), &folder, second)?;
                        }
                        _ => copy(&folder, last, second)?,
                    }
                    Ok(true)
                }
                (Err(error), _) => Err(error.into()),
            }
        })
    }

    /// Removes a file or link, if it is there.
    pub(super) fn remove(&self, name: &[u8]) -> io::Result<()> {
        self.unlink(name, AtFlags::empty())
    }

    fn unlink(&self, name: &[u8], flags: AtFlags) -> io::Result<()> {
        self.told(name, || match self.at(name, false)? {
            Some((folder, last)) => match rustix::fs::unlinkat(&folder, last, flags) {
                Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
                Err(error) => Err(error.into()),
            },
            None => Ok(()),
        })
    }

    /// Removes a folder and all in it, or a file or link.
    pub(super) fn remove_all(&self, name: &[u8]) -> io::Result<()> {
        if self.look(name)? != Here::Folder {
            return self.remove(name);
        }
        for below in self.names(name)? {
            self.remove_all(&[name, b"/", &below].concat())?;
        }
        self.unlink(name, AtFlags::REMOVEDIR)
    }

    /// The names in a folder; of the whole where `name` is empty.
    pub(super) fn names(&self, name: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        self.told(name, || {
            let inside = if name.is_empty() {
                b"x".to_vec()
            } else {
                [name, b"/x"].concat()
            };
            let Some((folder, _)) = self.at(&inside, false)? else {
                return Ok(Vec::new());
            };
            let mut names = Vec::new();
            for entry in rustix::fs::Dir::read_from(folder.as_fd())? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if !matches!(name, b"." | b"..") {
                    names.push(name.to_vec());
                }
            }
            names.sort();
            Ok(names)
        })
    }
}

/// Copies a file within its folder, its mode and its time of change too.
fn copy(folder: &OwnedFd, from: &OsStr, to: &OsStr) -> io::Result<()> {
    let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut source: File = rustix::fs::openat(folder, from, read, Mode::empty())?.into();
    let found = source.metadata()?;
    let private = Mode::RUSR | Mode::WUSR;
    let mut target: File = rustix::fs::openat(folder, to, write, private)?.into();
    let copied = io::copy(&mut source, &mut target)
        .and_then(|_| target.set_modified(found.modified()?))
        .and_then(|()| set_mode(&target, found.permissions()));
    if copied.is_err() {
        let _ = rustix::fs::unlinkat(folder, to, AtFlags::empty());
    }
    copied
}

/// Sets a file's mode, where the file system has modes.
pub(super) fn set_mode(file: &File, mode: std::fs::Permissions) -> io::Result<()> {
    match file.set_permissions(mode) {
        Err(error)
            if !matches!(
                error.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn folder() -> (tempfile::TempDir, Beneath) {
        let folder = tempfile::tempdir().unwrap();
        let beneath = Beneath::open(&folder.path().join("web01"), true)
            .unwrap()
            .unwrap();
        (folder, beneath)
    }

    #[test]
    fn a_link_that_a_host_has_sent_is_no_way_out() {
        let (outside, beneath) = folder();
        beneath.link(b"out", b"..").unwrap();
        assert!(beneath.append(b"out/evil", 0o644).is_err());
        assert!(beneath.make_folder(b"out/evil").is_err());
        assert!(beneath.look(b"out/evil").is_err());
        assert!(!outside.path().join("evil").exists());
        std::os::unix::fs::symlink("/etc/passwd", outside.path().join("web01/f")).unwrap();
        assert!(beneath.read(b"f").is_err() && beneath.append(b"f", 0o644).is_err());
    }

    #[test]
    fn what_is_kept_under_a_second_name_stays_where_it_is() {
        let (outside, beneath) = folder();
        let path = |name: &str| outside.path().join("web01").join(name);
        std::fs::write(path("a"), "old").unwrap();
        beneath.link(b"l", b"a").unwrap();
        assert!(beneath.keep(b"a", b"a.1~").unwrap() && beneath.keep(b"a", b"a.1~").unwrap());
        assert!(beneath.keep(b"l", b"l.1~").unwrap());
        assert!(!beneath.keep(b"none", b"none.1~").unwrap());
        assert_eq!(std::fs::read(path("a")).unwrap(), b"old");
        assert_eq!(std::fs::read(path("a.1~")).unwrap(), b"old");
        assert_eq!(beneath.look(b"l.1~").unwrap(), Here::Link(b"a".to_vec()));
        // Where there are no second names.
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path("a"), std::fs::Permissions::from_mode(0o640)).unwrap();
        copy(&beneath.root, OsStr::new("a"), OsStr::new("copy")).unwrap();
        let found = std::fs::metadata(path("copy")).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read(path("copy")).unwrap(), b"old");
        assert!(copy(&beneath.root, OsStr::new("a"), OsStr::new("copy")).is_err());
    }

    #[test]
    fn files_are_made_with_their_folders_and_removed_with_all_below() {
        let (outside, beneath) = folder();
        beneath
            .append("a/b/文".as_bytes(), 0o755)
            .unwrap()
            .write_all(b"x")
            .unwrap();
        let found = beneath.look("a/b/文".as_bytes()).unwrap();
        assert!(matches!(found, Here::File { size: 1, .. }), "{found:?}");
        beneath.rename("a/b/文".as_bytes(), b"a/b/c").unwrap();
        beneath.link(b"a/l", b"b").unwrap();
        assert_eq!(beneath.look(b"a/l").unwrap(), Here::Link(b"b".to_vec()));
        assert_eq!(beneath.names(b"a").unwrap(), [b"b".to_vec(), b"l".to_vec()]);
        beneath.remove_all(b"a").unwrap();
        assert!(!outside.path().join("web01/a").exists());
    }
}
