//! What is at a path.

use std::collections::BTreeMap;

use bytes::Bytes;
use md5::{Digest as _, Md5};

/// Pieces of a file that came before what is in front of them, at most.
const AHEAD: usize = 256;

/// What is at a path, as tests see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// The MD5 of its content, in hex; `None`: of a folder or link, or of a file that was written in
    /// no order.
    pub md5: Option<String>,
    /// Seconds since 1970.
    pub mtime: u32,
    /// Owner and group.
    pub owner: (u32, u32),
}

/// What a path can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link, and where it leads.
    Link(Vec<u8>),
}

/// What is at a path.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) content: Content,
    pub(super) mode: u32,
    pub(super) mtime: u32,
    pub(super) owner: (u32, u32),
}

/// What is in it.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Folder,
    Link(Vec<u8>),
    Given(Bytes),
    Zeros(u64),
    Written(Written),
}

/// What is left of content that was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    size: u64,
    hash: Md5,
    /// How far it is hashed.
    hashed: u64,
    ahead: BTreeMap<u64, Bytes>,
    /// Whether something was overwritten, or left out.
    torn: bool,
}

impl Written {
    pub(super) fn write(&mut self, offset: u64, bytes: Bytes) {
        self.size = self.size.max(offset + bytes.len() as u64);
        if self.torn {
            return;
        }
        if offset == self.hashed {
            self.hash(&bytes);
            while let Some(bytes) = self.ahead.remove(&self.hashed) {
                self.hash(&bytes);
            }
        } else if offset > self.hashed && self.ahead.len() < AHEAD {
            self.ahead.insert(offset, bytes);
        } else {
            self.torn = true;
            self.ahead.clear();
        }
    }

    fn hash(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.hashed += bytes.len() as u64;
    }

    fn md5(&self) -> Option<String> {
        (!self.torn && self.hashed == self.size).then(|| hex(self.hash.clone()))
    }
}

impl Content {
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Folder => 4096,
            Self::Link(to) => to.len() as u64,
            Self::Given(bytes) => bytes.len() as u64,
            Self::Zeros(size) => *size,
            Self::Written(written) => written.size,
        }
    }

    pub(super) fn md5(&self) -> Option<String> {
        match self {
            Self::Folder | Self::Link(_) => None,
            Self::Given(bytes) => Some(hex(Md5::new_with_prefix(bytes))),
            Self::Zeros(size) => {
                let zeros = [0; 8 * 1024];
                let mut hash = Md5::new();
                let mut left = *size;
                while left > 0 {
                    let length = left.min(zeros.len() as u64);
                    hash.update(
                        zeros
                            .get(..usize::try_from(length).unwrap_or_default())
                            .unwrap_or(&zeros),
                    );
                    left -= length;
                }
                Some(hex(hash))
            }
            Self::Written(written) => written.md5(),
        }
    }

    /// Cuts a file, or makes it longer.
    pub(super) fn resize(&mut self, size: u64) {
        match self {
            Self::Folder | Self::Link(_) => {}
            _ if size == 0 => *self = Self::Written(Written::default()),
            _ if size == self.size() => {}
            Self::Given(bytes) if size < bytes.len() as u64 => {
                bytes.truncate(usize::try_from(size).unwrap_or(usize::MAX));
            }
            Self::Zeros(now) => *now = size,
            _ => {
                *self = Self::Written(Written {
                    size,
                    torn: true,
                    ..Written::default()
                });
            }
        }
    }

    /// Writes; what was given before is hashed and forgotten.
    pub(super) fn write(&mut self, offset: u64, bytes: Bytes) {
        if !matches!(self, Self::Written(_)) {
            let mut written = Written::default();
            if let Self::Given(given) = self {
                written.write(0, given.clone());
            } else {
                written.size = self.size();
                written.torn = written.size > 0;
            }
            *self = Self::Written(written);
        }
        if let Self::Written(written) = self {
            written.write(offset, bytes);
        }
    }

    /// What is there, from `zeros` where it is no more, or never was.
    pub(super) fn read(&self, offset: u64, length: u32, zeros: &Bytes) -> Bytes {
        let left = self.size().saturating_sub(offset).min(length.into());
        let left = usize::try_from(left).unwrap_or(0);
        match self {
            Self::Given(bytes) => {
                let from = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                bytes.slice(from..from + left)
            }
            _ => zeros.slice(..left.min(zeros.len())),
        }
    }
}

impl Entry {
    pub(super) fn new(content: Content, mode: u32) -> Self {
        Self {
            content,
            mode,
            mtime: 1_700_000_000,
            owner: (1000, 1000),
        }
    }

    /// Type and permission bits.
    pub(super) fn full_mode(&self) -> u32 {
        let kind = match self.content {
            Content::Folder => 0o040_000,
            Content::Link(_) => 0o120_000,
            _ => 0o100_000,
        };
        kind | self.mode
    }
}

impl From<&Entry> for File {
    fn from(entry: &Entry) -> Self {
        Self {
            kind: match &entry.content {
                Content::Folder => Kind::Folder,
                Content::Link(to) => Kind::Link(to.clone()),
                _ => Kind::File,
            },
            mode: entry.mode,
            size: entry.content.size(),
            md5: entry.content.md5(),
            mtime: entry.mtime,
            owner: entry.owner,
        }
    }
}

fn hex(hash: Md5) -> String {
    use std::fmt::Write as _;
    hash.finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
