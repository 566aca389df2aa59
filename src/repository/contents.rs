//! The folder of contents. Every step into it is taken from the folder before, without following
//! links: what is opened is the store's own file, or nothing.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::error::RepositoryError;
use super::reading::{Digests, digests};
use super::verify::Health;
use crate::base::digest::{ContentDigest, hex};

/// The time of change of every content, in seconds since 1970: another one tells that it was
/// written to.
const UNTOUCHED: i64 = 1;

const FOLDER: Mode = Mode::RWXU;
const INTO: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::RDONLY)
    .union(OFlags::CLOEXEC);

/// The folder of a repository; the repository's own folder may be a link to where there is room.
#[derive(Debug, Clone)]
pub(super) struct Contents {
    pub(super) root: PathBuf,
}

impl Contents {
    /// In this data folder. Makes nothing.
    pub(super) fn of(data_dir: &Path) -> Self {
        Self {
            root: data_dir.join("repository"),
        }
    }

    /// Makes the folder, for its owner alone, where it is not there yet.
    pub(super) fn make(&self) -> Result<(), RepositoryError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.root)
            .map_err(RepositoryError::file(&self.root))
    }

    /// Where a content is.
    pub(super) fn path(&self, sha256: &ContentDigest) -> PathBuf {
        let name = hex(sha256);
        self.root.join("sha256").join(shard(&name)).join(&name)
    }

    /// A folder right below, made where it is not there yet.
    pub(super) fn folder(&self, name: &str) -> Result<OwnedFd, RepositoryError> {
        let fail = |errno| RepositoryError::errno(self.root.join(name))(errno);
        let root = self.open_root().map_err(fail)?;
        into_made(&root, name).map_err(fail)
    }

    fn open_root(&self) -> Result<OwnedFd, Errno> {
        let flags = INTO.difference(OFlags::NOFOLLOW);
        rustix::fs::open(&self.root, flags, Mode::empty())
    }

    fn open(&self, sha256: &ContentDigest) -> Result<File, Errno> {
        let name = hex(sha256);
        let root = self.open_root()?;
        let all = rustix::fs::openat(&root, "sha256", INTO, Mode::empty())?;
        let folder = rustix::fs::openat(&all, shard(&name), INTO, Mode::empty())?;
        // Not blocking: a pipe in its place would have us wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::openat(&folder, name, flags, Mode::empty()).map(File::from)
    }

    /// Opens a content for reading, sure that it is a file of the store and has its size; how it is
    /// with one that is not.
    pub(super) fn open_checked(
        &self,
        sha256: &ContentDigest,
        size: u64,
    ) -> Result<Result<File, Health>, RepositoryError> {
        let path = self.path(sha256);
        let altered = |why: String| Ok(Err(Health::Altered(why)));
        let file = match self.open(sha256) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Err(Health::Missing)),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return altered("a link or something else stands in its place".into());
            }
            // A socket.
            Err(Errno::NXIO) => return altered("it is no file".into()),
            Err(errno) => return Err(RepositoryError::errno(path)(errno)),
        };
        let found = file.metadata().map_err(RepositoryError::file(&path))?;
        if !found.is_file() {
            return altered("it is no file".into());
        }
        if found.len() != size {
            return altered(format!("it has {} bytes instead of {size}", found.len()));
        }
        Ok(Ok(file))
    }

    /// How it is with a content: there, a file, of its size, and untouched; read to its end where
    /// that is wished for or where somebody has touched it.
    pub(super) fn examine(
        &self,
        expected: &Digests,
        rehash: bool,
    ) -> Result<Health, RepositoryError> {
        let path = self.path(&expected.sha256);
        let mut file = match self.open_checked(&expected.sha256, expected.size)? {
            Ok(file) => file,
            Err(health) => return Ok(health),
        };
        let metadata = file.metadata().map_err(RepositoryError::file(&path))?;
        if !rehash && metadata.mtime() == UNTOUCHED {
            return Ok(Health::Ok);
        }
        let found = digests(&mut file).map_err(RepositoryError::file(&path))?;
        if found.sha256 != expected.sha256 {
            return Ok(Health::Altered(format!(
                "its SHA-256 is {}",
                hex(&found.sha256)
            )));
        }
        if found != *expected {
            return Ok(Health::Altered(format!(
                "its MD5 is {}, not the one on record",
                hex(&found.md5)
            )));
        }
        // The next look may be a quick one; that takes an owner of the file.
        let _ = stamp_untouched(&file);
        Ok(Health::Ok)
    }

    /// Puts a file that is whole in its place, over what may stand there.
    pub(super) fn place(
        &self,
        incoming: &OwnedFd,
        part: &str,
        sha256: &ContentDigest,
    ) -> Result<(), RepositoryError> {
        let name = hex(sha256);
        let steps = || -> Result<(), Errno> {
            let root = self.open_root()?;
            let all = into_made(&root, "sha256")?;
            let folder = into_made(&all, shard(&name))?;
            rustix::fs::renameat(incoming, part, &folder, &name)?;
            // All three: each may be new.
            for each in [&folder, &all, &root] {
                rustix::fs::fsync(each)?;
            }
            Ok(())
        };
        steps().map_err(RepositoryError::errno(self.path(sha256)))
    }

    /// Removes a content, where it is there. What somebody put in its place and is no file, or is
    /// in the way there, is not ours to remove.
    pub(super) fn remove(&self, sha256: &ContentDigest) -> Result<(), RepositoryError> {
        let name = hex(sha256);
        let steps = || -> Result<(), Errno> {
            let root = self.open_root()?;
            let all = rustix::fs::openat(&root, "sha256", INTO, Mode::empty())?;
            let folder = rustix::fs::openat(&all, shard(&name), INTO, Mode::empty())?;
            rustix::fs::unlinkat(&folder, &name, AtFlags::empty())?;
            drop(folder);
            // Stays where others are in it.
            let _ = rustix::fs::unlinkat(&all, shard(&name), AtFlags::REMOVEDIR);
            rustix::fs::fsync(&all)
        };
        match steps() {
            Ok(()) | Err(Errno::NOENT | Errno::ISDIR | Errno::NOTDIR | Errno::LOOP) => Ok(()),
            Err(errno) => Err(RepositoryError::errno(self.path(sha256))(errno)),
        }
    }
}

/// Sets the time of change that tells an untouched content.
pub(super) fn stamp_untouched(file: &File) -> Result<(), Errno> {
    let at = Timespec {
        tv_sec: UNTOUCHED,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: at,
        last_modification: at,
    };
    rustix::fs::futimens(file, &times)
}

/// Contents are spread over folders by the first byte of their digests.
fn shard(name: &str) -> &str {
    name.get(..2).unwrap_or(name)
}

fn into_made(folder: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(folder, name, FOLDER) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno),
    }
    rustix::fs::openat(folder, name, INTO, Mode::empty())
}
