//! What is sent: files of the controller, read and hashed once, however many hosts get them.

mod collect;
mod content;

pub use collect::{Collected, Given, SourceError, collect};
pub use content::Content;

use std::sync::Arc;

use crate::shell::files::HostPath;

/// One thing to be there on the hosts.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name below the root; empty for the root itself.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// The source's permission bits.
    pub mode: u32,
    /// Its last change, in seconds since 1970.
    pub mtime: i64,
    /// The source, as it is shown.
    pub shown: Arc<str>,
}

/// What an entry is.
#[derive(Debug, Clone)]
pub enum EntryKind {
    /// A file with this content.
    File(Arc<Content>),
    /// A folder.
    Folder,
    /// A link that leads to this.
    Link(HostPath),
}
