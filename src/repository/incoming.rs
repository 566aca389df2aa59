//! What is on its way into the store: part files, each locked by the process that writes it, and
//! marks of contents that are placed but not on record, or the other way round. Whatever a dead
//! process left of both is seen by the next one that has the repository to itself.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use super::contents::{Contents, stamp_untouched};
use super::error::RepositoryError;
use super::reading::{CopyError, Digests, copy, unhex};
use crate::base::digest::{ContentDigest, hex};
use crate::base::id::RunId;

const PART: &str = ".part";
const UNSETTLED: &str = ".unsettled";

/// The folder.
#[derive(Debug)]
pub(super) struct Incoming {
    fd: OwnedFd,
    path: PathBuf,
}

/// A file that is being written; gone with its owner unless it was placed.
#[derive(Debug)]
pub(super) struct Part {
    incoming: Incoming,
    name: String,
    file: File,
    placed: bool,
}

impl Incoming {
    /// Opens it, made where it is not there yet.
    pub(super) fn open(contents: &Contents) -> Result<Self, RepositoryError> {
        Ok(Self {
            fd: contents.folder("incoming")?,
            path: contents.root.join("incoming"),
        })
    }

    /// A new part file. To be called under the repository's lock: from then on it has its own.
    pub(super) fn part(self) -> Result<Part, RepositoryError> {
        let name = format!("{}{PART}", RunId::new());
        let path = self.path.join(&name);
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.fd, &name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(RepositoryError::errno(&path))?;
        let part = Part {
            incoming: self,
            name,
            file: file.into(),
            placed: false,
        };
        flock(&part.file, FlockOperation::NonBlockingLockExclusive)
            .map_err(RepositoryError::errno(path))?;
        Ok(part)
    }

    /// Removes parts that nobody writes any more, and gives the contents that are marked. To be
    /// called with the repository to oneself.
    pub(super) fn sweep(&self) -> Result<Vec<ContentDigest>, RepositoryError> {
        let fail = |errno| RepositoryError::errno(&self.path)(errno);
        let mut marked = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if let Some(digest) = name.strip_suffix(UNSETTLED).and_then(unhex) {
                marked.push(digest);
            } else if name.ends_with(PART) {
                self.remove_dead(name).map_err(fail)?;
            }
        }
        Ok(marked)
    }

    fn remove_dead(&self, name: &str) -> Result<(), Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(file) => file,
            // Its owner was quicker.
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => self.unlink(name),
            Err(Errno::WOULDBLOCK) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Marks a content: store and record may differ over it until the mark is gone.
    pub(super) fn mark(&self, sha256: &ContentDigest) -> Result<(), RepositoryError> {
        let name = format!("{}{UNSETTLED}", hex(sha256));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.fd, &name, flags, Mode::RUSR | Mode::WUSR)
            .and_then(|_| rustix::fs::fsync(&self.fd))
            .map_err(RepositoryError::errno(self.path.join(name)))
    }

    /// Takes the mark away.
    pub(super) fn unmark(&self, sha256: &ContentDigest) -> Result<(), RepositoryError> {
        let name = format!("{}{UNSETTLED}", hex(sha256));
        self.unlink(&name)
            .map_err(RepositoryError::errno(self.path.join(&name)))
    }

    fn unlink(&self, name: &str) -> Result<(), Errno> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            other => other,
        }
    }
}

impl Part {
    /// Takes a source in, to its end, and onto the disk.
    pub(super) fn receive(
        &mut self,
        from: &mut impl Read,
        source: &Path,
    ) -> Result<Digests, RepositoryError> {
        let path = self.incoming.path.clone();
        let digests = copy(from, &mut self.file).map_err(|error| match error {
            CopyError::Read(error) => RepositoryError::file(source)(error),
            CopyError::Write(error) => RepositoryError::file(&path)(error),
        })?;
        stamp_untouched(&self.file).map_err(RepositoryError::errno(&path))?;
        self.file.sync_all().map_err(RepositoryError::file(path))?;
        Ok(digests)
    }

    /// Puts it in its place.
    pub(super) fn place(
        &mut self,
        contents: &Contents,
        sha256: &ContentDigest,
    ) -> Result<(), RepositoryError> {
        contents.place(&self.incoming.fd, &self.name, sha256)?;
        self.placed = true;
        Ok(())
    }

    pub(super) fn incoming(&self) -> &Incoming {
        &self.incoming
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.placed {
            let _ = self.incoming.unlink(&self.name);
        }
    }
}

/// Opens a source: a regular file, itself or by a link.
pub(super) fn open_source(path: &Path) -> Result<File, RepositoryError> {
    let file = rustix::fs::open(
        path,
        // Not blocking: a pipe would have us wait for a writer.
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map(File::from)
    .map_err(|errno| match errno {
        Errno::NXIO => not_regular(path, "a socket or device"),
        errno => RepositoryError::errno(path)(errno),
    })?;
    let found = file.metadata().map_err(RepositoryError::file(path))?;
    if found.is_dir() {
        return Err(not_regular(path, "a folder"));
    }
    if !found.is_file() {
        return Err(not_regular(path, "no regular file"));
    }
    Ok(file)
}

fn not_regular(path: &Path, what: &'static str) -> RepositoryError {
    RepositoryError::NotRegular {
        path: path.to_owned(),
        what,
    }
}

/// What changes when somebody writes to a file.
pub(super) fn state_of(file: &File, path: &Path) -> Result<(u64, i64, i64), RepositoryError> {
    let found = file.metadata().map_err(RepositoryError::file(path))?;
    Ok((found.len(), found.mtime(), found.mtime_nsec()))
}
