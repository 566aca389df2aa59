//! What can be wrong with the settings.

use std::path::PathBuf;

use crate::base::diag::Diagnostic;

/// Why the settings can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Something in a file.
    #[error(transparent)]
    File(#[from] Box<Diagnostic>),
    /// A file can't be read.
    #[error("settings {path}: {why}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The operating system's word.
        why: String,
    },
    /// A file that others could have written.
    #[error("settings {path}: {why}; whoever can write there could run commands as you", path = path.display())]
    Untrusted {
        /// Which.
        path: PathBuf,
        /// Whose it is, or who may write.
        why: String,
    },
    /// A variable of the environment, or a flag.
    #[error("{name}: {why}")]
    Given {
        /// `IOMS_FORKS`, `--database`.
        name: String,
        /// What is wrong.
        why: String,
    },
}

impl From<Diagnostic> for ConfigError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::File(Box::new(diagnostic))
    }
}
