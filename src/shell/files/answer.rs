//! What a host says of its files.

use bytes::Bytes;

use super::path::HostPath;

/// What a task's command printed, and how it ended. Of tasks whose standard output is content
/// ([`super::FileTask::Send`], [`super::FileTask::Pack`]) only the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Its status; `None`: killed by a signal.
    pub exit: Option<i32>,
    /// Standard output.
    pub stdout: Bytes,
    /// Standard error.
    pub stderr: Bytes,
}

/// How many names below some paths are believed.
pub const NAMES_MAX: usize = 2_000_000;

/// What it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To `Stat`: per path, in order, what is there.
    Stat(Account, Vec<Option<Found>>),
    /// To `Hash`: per path, in order, the digest in hex; `None` where it can't be had.
    Hash(Vec<Option<String>>),
    /// To `Identify`: user and group; `None`: not asked, or not known there.
    Identified(Option<u32>, Option<u32>),
    /// To `ReadLinks`: per path, in order.
    Links(Vec<Option<HostPath>>),
    /// To `Walk`: names as the roots begin them.
    Walk(Vec<HostPath>),
    /// To `Receive`.
    Received(Received),
    /// To `Unpack`: the digests of what was unpacked, by the name in the stream. `placed`: all that
    /// is named is in its place already.
    Unpacked {
        /// Name and digest.
        digests: Vec<(HostPath, String)>,
        /// Whether [`super::FileTask::Place`] is not needed.
        placed: bool,
    },
    /// To the others: done.
    Done,
}

/// What became of a received file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Checked and in its place.
    Placed,
    /// What is on the host's disk is not what was sent; it is removed.
    Mismatch {
        /// What it came to.
        digest: String,
    },
    /// Not all of it came; the part file is kept.
    Short {
        /// What is there, in bytes.
        size: u64,
    },
    /// All there, and no tool on the host that could check it: the part file waits for
    /// another way to check it, and for a `Receive` whose digest is empty to put it in its place.
    Unchecked,
}

impl FileFailure {
    /// More names than [`NAMES_MAX`].
    pub(crate) fn too_many_names() -> Self {
        Self::Garbled("the host names more files than is believable".to_owned())
    }
}

/// As whom the host's commands run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The user's number; `None` where there are none (Windows).
    pub uid: Option<u32>,
    /// Its group's.
    pub gid: Option<u32>,
    /// What new files are not allowed.
    pub umask: u32,
}

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link (or junction).
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: i64,
    /// Permission bits; 0 where there are none.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's.
    pub gid: u32,
    /// In hex, where it was made at once.
    pub digest: Option<String>,
}

/// Why a task was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileFailure {
    /// The file system is full, or the user's share of it.
    NoSpace(String),
    /// The host's file system said no: no permission, read-only, too long, not there.
    Refused(String),
    /// The host lacks the tool for it: another way has to be found.
    NoTool(String),
    /// What it said makes no sense.
    Garbled(String),
}
