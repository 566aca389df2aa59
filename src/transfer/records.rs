//! What is said of files alike whichever way they go.

use super::link::Trouble;
use crate::event::{ErrorKind, FileAction, FileRecord, HostError};

/// What was only there, and is removed.
pub(super) fn removal(target: String) -> FileRecord {
    FileRecord {
        source: String::new(),
        target,
        action: FileAction::Removed,
        size: 0,
        md5: None,
        sha256: None,
        bytes: 0,
        via: None,
        files: None,
        changed: false,
    }
}

/// What comes of a comparison in which so many differ.
pub(super) fn compared(differ: usize, hint: &str) -> Result<(), Trouble> {
    let what = match differ {
        0 => return Ok(()),
        1 => "1 file differs".to_owned(),
        many => format!("{many} files differ"),
    };
    Err(HostError::new(ErrorKind::VerifyMismatch, what)
        .hint(hint)
        .into())
}
