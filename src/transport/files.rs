//! A host's files as a transport itself offers them: SFTP over SSH. Single requests, as many at a
//! time as the caller likes; what is asked for and in which order is decided in `transfer`.

use async_trait::async_trait;
use bytes::Bytes;

use crate::event::HostError;

/// One channel to a host's files. Paths are bytes, as the host has them; relative ones begin where
/// the account does. An error is `no_space`, `remote_io` (with the server's words and the path),
/// `disconnected`, or `protocol` of a server that says nonsense. Time-outs are the caller's: a future
/// may be dropped at any time, and the request still reaches the host whole or not at all.
#[async_trait]
pub trait Files: Send + Sync {
    /// What is there, links not followed; `None`: nothing.
    async fn lstat(&self, path: &[u8]) -> Result<Option<FileStat>, HostError>;
    /// What is there, behind links; `None`: nothing.
    async fn stat(&self, path: &[u8]) -> Result<Option<FileStat>, HostError>;
    /// Opens for reading.
    async fn open(&self, path: &[u8]) -> Result<FileHandle, HostError>;
    /// Makes a file and opens it for writing: of mode 0600 where it is `private`, else of the mode that
    /// the server gives new files. Something there, a link too, is an error.
    async fn create(&self, path: &[u8], private: bool) -> Result<FileHandle, HostError>;
    /// Opens for writing what is there. Follows links.
    async fn reopen(&self, path: &[u8]) -> Result<FileHandle, HostError>;
    /// Up to `length` bytes (at most [`Self::read_max`]) from `offset`; none at the end of the file.
    async fn read(&self, file: &FileHandle, offset: u64, length: u32) -> Result<Bytes, HostError>;
    /// Writes all of it (at most [`Self::write_max`]) at `offset`.
    async fn write(&self, file: &FileHandle, offset: u64, bytes: Bytes) -> Result<(), HostError>;
    /// Cuts an open file.
    async fn truncate(&self, file: &FileHandle, size: u64) -> Result<(), HostError>;
    /// Closes a file; an error may be one of writing.
    async fn close(&self, file: FileHandle) -> Result<(), HostError>;
    /// Sets attributes; `None`s are left alone. Follows links.
    async fn set(&self, path: &[u8], change: FileChange) -> Result<(), HostError>;
    /// Gives a file a new name, replacing what is there, in one step where the server can
    /// (`posix-rename@openssh.com`), else by putting that aside first and back if it goes wrong.
    async fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), HostError>;
    /// Removes a file or link.
    async fn remove(&self, path: &[u8]) -> Result<(), HostError>;
    /// Removes an empty folder.
    async fn remove_folder(&self, path: &[u8]) -> Result<(), HostError>;
    /// Makes a folder; its parent must be there.
    async fn make_folder(&self, path: &[u8]) -> Result<(), HostError>;
    /// The names in a folder, without `.` and `..`, as the server sends them: hostile until checked.
    async fn list(&self, path: &[u8]) -> Result<Vec<(Bytes, FileStat)>, HostError>;
    /// Where a link leads.
    async fn read_link(&self, path: &[u8]) -> Result<Bytes, HostError>;
    /// Makes a link at `path` that leads to `to`.
    async fn make_link(&self, path: &[u8], to: &[u8]) -> Result<(), HostError>;
    /// The bytes that are free for this account on the file system of `path`; `None`: not to be
    /// learnt. Many servers say no more than "Failure" of a full disk.
    async fn room(&self, path: &[u8]) -> Option<u64>;
    /// The most bytes of one read.
    fn read_max(&self) -> u32;
    /// The most bytes of one write.
    fn write_max(&self) -> u32;
}

/// An open file.
#[derive(Debug, Clone)]
pub struct FileHandle {
    /// As the server names it.
    pub id: Bytes,
    /// Which it is, for errors.
    pub path: Bytes,
}

/// What is at a path. What the server does not tell is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStat {
    /// Type and permission bits, as `st_mode` has them.
    pub mode: u32,
    /// Bytes.
    pub size: u64,
    /// The owner's number.
    pub uid: u32,
    /// The group's.
    pub gid: u32,
    /// Seconds since 1970.
    pub mtime: i64,
}

/// What to change of a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileChange {
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner and group.
    pub owner: Option<(u32, u32)>,
    /// Seconds since 1970; times before that and after 2106 become the nearest there is.
    pub mtime: Option<i64>,
}
