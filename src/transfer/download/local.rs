//! Work with files of ours, away from the threads that serve the hosts.

use std::io::{self, Read as _};

use super::beneath::Beneath;
use crate::event::{ErrorKind, HostError};
use crate::shell::files::Algorithm;
use crate::transfer::hashing::Hashing;
use crate::transfer::link::Trouble;

/// Does it on a thread that may wait.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Trouble> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done.map_err(failed)?),
        Err(error) => Err(failed(io::Error::other(error)).into()),
    }
}

/// An error of ours.
pub(super) fn failed(error: io::Error) -> HostError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            HostError::new(ErrorKind::LocalIo, error.to_string())
                .hint("make room on the controller's disk")
        }
        _ => HostError::new(ErrorKind::LocalIo, error.to_string()),
    }
}

/// The digest of a file of ours.
pub(super) fn digest(here: &Beneath, name: &[u8], algorithm: Algorithm) -> io::Result<String> {
    let mut hashing = Hashing::new(algorithm);
    let mut file = here.read(name)?;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let got = file.read(&mut buffer)?;
        if got == 0 {
            return Ok(hashing.finish());
        }
        hashing.update(buffer.get(..got).unwrap_or_default());
    }
}
