//! What can be wrong with an inventory.

use std::path::PathBuf;

use crate::base::diag::Diagnostic;

/// Why an inventory can't be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InventoryError {
    /// Something in a file.
    #[error(transparent)]
    File(#[from] Box<Diagnostic>),
    /// A file can't be read.
    #[error("inventory {path}: {why}", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The operating system's word.
        why: String,
    },
    /// An inventory program failed.
    #[error("inventory program {path}: {why}", path = path.display())]
    Program {
        /// Which.
        path: PathBuf,
        /// What went wrong.
        why: String,
    },
    /// Something this version does not read.
    #[error("inventory {path}: {what}", path = path.display())]
    Unsupported {
        /// Which.
        path: PathBuf,
        /// What.
        what: String,
    },
    /// A vault could not be opened.
    #[error("{path}: {why}", path = path.display())]
    Vault {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl From<Diagnostic> for InventoryError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::File(Box::new(diagnostic))
    }
}
