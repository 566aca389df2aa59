//! What can go wrong while a part of the test bed is brought up.

use std::io;

/// A result of the test bed.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a part of the test bed is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Its reason.
        source: io::Error,
    },
    /// A program is not installed.
    #[error("{0} is not installed")]
    NoProgram(String),
    /// A program ended with an error.
    #[error("{program} failed: {said}")]
    Failed {
        /// The program and its arguments.
        program: String,
        /// What it said.
        said: String,
    },
    /// A server did not come up in time.
    #[error("{what} did not come up: {said}")]
    NotReady {
        /// The server.
        what: String,
        /// Its log.
        said: String,
    },
    /// A key can't be read.
    #[error("key: {0}")]
    Key(#[from] russh::keys::Error),
}

/// Says what was tried when the operating system refuses.
pub(crate) trait Tried<T> {
    /// `what`: what was tried.
    fn tried(self, what: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<io::Error>> Tried<T> for std::result::Result<T, E> {
    fn tried(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|error| Error::Io {
            what: what.into(),
            source: error.into(),
        })
    }
}
