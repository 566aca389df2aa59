//! The lock of a repository, held by processes: alone while contents and record change, together
//! while contents are verified. It goes with its holder.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags, flock};

use super::error::RepositoryError;

/// Held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    /// Whether nobody else has it.
    pub(super) alone: bool,
}

impl Lock {
    /// Waits until nobody else has it.
    pub(super) fn alone(folder: &Path) -> Result<Self, RepositoryError> {
        Self::take(folder, FlockOperation::LockExclusive, true)
    }

    /// Waits until nobody has it alone.
    pub(super) fn shared(folder: &Path) -> Result<Self, RepositoryError> {
        Self::take(folder, FlockOperation::LockShared, false)
    }

    /// Alone where that is possible at once, else together with the others.
    pub(super) fn at_best_alone(folder: &Path) -> Result<Self, RepositoryError> {
        Self::take(folder, FlockOperation::NonBlockingLockExclusive, true)
            .or_else(|_| Self::shared(folder))
    }

    fn take(folder: &Path, how: FlockOperation, alone: bool) -> Result<Self, RepositoryError> {
        let path = folder.join("lock");
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0))
            .open(&path)
            .map_err(RepositoryError::file(&path))?;
        loop {
            match flock(&file, how) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other.map_err(RepositoryError::errno(&path))?,
            }
        }
        Ok(Self { _file: file, alone })
    }
}
