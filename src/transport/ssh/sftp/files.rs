//! A host's files by SFTP requests. What is asked for and in which order is the caller's matter.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::try_join_all;
use russh::Channel;
use russh::client::Msg;

use super::asking::{self, Asking};
use super::errors::refused;
use super::wire::{self, Attributes, Garbled, Message, Reply, Status, VERSION, flag, kind, length};
use crate::event::{ErrorKind, HostError};
use crate::transport::files::{FileChange, FileHandle, FileStat, Files};

/// What every server takes (draft, 3) and gives.
const EVERYBODYS: u32 = 32 * 1024;
/// What we ask for where the server allows it: OpenSSH's most. Who asks sees to it that what is under way
/// at once is not too much.
const MOST: u64 = 255 * 1024;
/// The most memory that a folder's names may take: the host may make them up.
const LONGEST_LIST: usize = 256 << 20;
/// Requests for a folder's names under way at once.
const LISTING: usize = 8;

/// SFTP on one channel.
struct Sftp {
    asking: Asking,
    extensions: Extensions,
    read_max: u32,
    write_max: u32,
}

/// What the server can beyond the draft (OpenSSH's PROTOCOL, 4).
#[derive(Debug, Clone, Copy, Default)]
struct Extensions {
    posix_rename: bool,
    statvfs: bool,
    limits: bool,
}

/// Starts the host's SFTP server on a fresh channel.
pub(in super::super) async fn open(mut channel: Channel<Msg>) -> Result<Arc<dyn Files>, HostError> {
    if !asking::start(&mut channel).await? {
        return Err(
            HostError::new(ErrorKind::Unsupported, "the host offers no SFTP")
                .hint("see `Subsystem sftp` in its sshd_config"),
        );
    }
    let asking = Asking::new(channel);
    let mut hello = asking.begin(Message::new(kind::INIT, VERSION)).await?;
    let mut extensions = Extensions::default();
    while !hello.fields.is_empty() {
        let (name, version) = (hello.fields.string()?, hello.fields.string()?);
        match (&name[..], &version[..]) {
            (b"posix-rename@openssh.com", b"1") => extensions.posix_rename = true,
            (b"statvfs@openssh.com", b"2") => extensions.statvfs = true,
            (b"limits@openssh.com", b"1") => extensions.limits = true,
            _ => {}
        }
    }
    let mut sftp = Sftp {
        asking,
        extensions,
        read_max: EVERYBODYS,
        write_max: EVERYBODYS,
    };
    if extensions.limits {
        (sftp.read_max, sftp.write_max) = sftp.limits().await?;
    }
    Ok(Arc::new(sftp))
}

/// A request about a path.
fn about(kind: u8, path: &[u8]) -> Message {
    Message::new(kind, 0).string(path)
}

/// A request beyond the draft.
fn extended(name: &str) -> Message {
    about(kind::EXTENDED, name.as_bytes())
}

/// The answer of a kind, or the server's no.
fn expect(reply: Reply, wanted: u8) -> Result<Result<wire::Fields, Status>, Garbled> {
    match reply.kind {
        kind if kind == wanted => Ok(Ok(reply.fields)),
        kind::STATUS => {
            let status = Status::read(reply.fields)?;
            if status.code == wire::OK {
                return Err(Garbled);
            }
            Ok(Err(status))
        }
        _ => Err(Garbled),
    }
}

impl Sftp {
    async fn ask(&self, message: Message) -> Result<Reply, HostError> {
        self.asking.ask(message, Bytes::new()).await
    }

    /// Does something that is answered with a status.
    async fn done(&self, message: Message, payload: Bytes) -> Result<Status, HostError> {
        let reply = self.asking.ask(message, payload).await?;
        if reply.kind != kind::STATUS {
            return Err(Garbled.into());
        }
        Ok(Status::read(reply.fields)?)
    }

    /// The same where a no is an error.
    async fn act(&self, message: Message, path: &[u8]) -> Result<(), HostError> {
        fine(&self.done(message, Bytes::new()).await?, path)
    }

    async fn attributes(&self, kind: u8, path: &[u8]) -> Result<Option<FileStat>, HostError> {
        match expect(self.ask(about(kind, path)).await?, kind::ATTRS)? {
            Ok(mut fields) => Ok(Some(fields.attributes()?)),
            Err(status) if status.code == wire::NO_SUCH_FILE => Ok(None),
            Err(status) => Err(refused(path, &status)),
        }
    }

    async fn handle(&self, message: Message, path: &[u8]) -> Result<FileHandle, HostError> {
        match expect(self.ask(message).await?, kind::HANDLE)? {
            Ok(mut fields) => Ok(FileHandle {
                id: fields.string()?,
                path: Bytes::copy_from_slice(path),
            }),
            Err(status) => Err(refused(path, &status)),
        }
    }

    /// The next names of an open folder; `None`: there are no more.
    async fn names(
        &self,
        folder: &FileHandle,
    ) -> Result<Option<Vec<(Bytes, FileStat)>>, HostError> {
        let reply = self.ask(about(kind::READDIR, &folder.id)).await?;
        let mut fields = match expect(reply, kind::NAME)? {
            Ok(fields) => fields,
            Err(status) if status.code == wire::END => return Ok(None),
            Err(status) => return Err(refused(&folder.path, &status)),
        };
        let mut names = Vec::new();
        for _ in 0..fields.u32()? {
            let (name, _as_ls_has_it) = (fields.string()?, fields.string()?);
            let stat = fields.attributes()?;
            if !matches!(&name[..], b"." | b"..") {
                // Not the whole message, of which the name is a part.
                names.push((Bytes::copy_from_slice(&name), stat));
            }
        }
        Ok(Some(names))
    }

    async fn all_names(&self, folder: &FileHandle) -> Result<Vec<(Bytes, FileStat)>, HostError> {
        let mut all = Vec::new();
        let mut memory = 0;
        let mut at_once = 1;
        loop {
            let asked = (0..at_once).map(|_| self.names(folder));
            for some in try_join_all(asked).await? {
                let Some(some) = some else {
                    return Ok(all);
                };
                memory += some
                    .iter()
                    .map(|(name, _)| name.len() + 2 * size_of::<(Bytes, FileStat)>())
                    .sum::<usize>();
                if memory > LONGEST_LIST {
                    let path = String::from_utf8_lossy(&folder.path);
                    return Err(HostError::new(
                        ErrorKind::RemoteIo,
                        format!("{path}: too many names"),
                    ));
                }
                all.extend(some);
            }
            at_once = (2 * at_once).min(LISTING);
        }
    }

    /// Puts `from` in the place of `to` in three steps. What was there is lost in none of them.
    async fn replace(&self, from: &[u8], to: &[u8]) -> Result<(), HostError> {
        let old = aside(to);
        self.act(renaming(to, &old), to).await?;
        let Err(error) = self.act(renaming(from, to), from).await else {
            // The new one is in its place, whatever becomes of the old one.
            let _ = self.act(about(kind::REMOVE, &old), &old).await;
            return Ok(());
        };
        match self.act(renaming(&old, to), to).await {
            Ok(()) => Err(error),
            Err(_) => Err(error.hint(format!(
                "what was there before is {} now",
                String::from_utf8_lossy(&old)
            ))),
        }
    }

    async fn limits(&self) -> Result<(u32, u32), HostError> {
        let reply = self.ask(extended("limits@openssh.com")).await?;
        let Ok(mut fields) = expect(reply, kind::EXTENDED_REPLY)? else {
            return Ok((EVERYBODYS, EVERYBODYS));
        };
        let _packet = fields.u64()?;
        let mut most = || -> Result<u32, Garbled> {
            Ok(match fields.u64()? {
                0 => EVERYBODYS,
                limit => u32::try_from(limit.min(MOST)).unwrap_or(EVERYBODYS),
            })
        };
        Ok((most()?, most()?))
    }
}

/// A request to give a file another name.
fn renaming(from: &[u8], to: &[u8]) -> Message {
    about(kind::RENAME, from).string(to)
}

/// A name beside `path` that nobody has, such as part files have: known as what may be removed.
fn aside(path: &[u8]) -> Vec<u8> {
    let folder = path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    let name = format!("..ioms-{:032x}.part", rand::random::<u128>());
    [path.get(..folder).unwrap_or_default(), name.as_bytes()].concat()
}

fn fine(status: &Status, path: &[u8]) -> Result<(), HostError> {
    if status.code == wire::OK {
        return Ok(());
    }
    Err(refused(path, status))
}

#[async_trait]
impl Files for Sftp {
    async fn lstat(&self, path: &[u8]) -> Result<Option<FileStat>, HostError> {
        self.attributes(kind::LSTAT, path).await
    }

    async fn stat(&self, path: &[u8]) -> Result<Option<FileStat>, HostError> {
        self.attributes(kind::STAT, path).await
    }

    async fn open(&self, path: &[u8]) -> Result<FileHandle, HostError> {
        let message = about(kind::OPEN, path)
            .u32(flag::READ)
            .attributes(Attributes::default());
        self.handle(message, path).await
    }

    async fn create(&self, path: &[u8], private: bool) -> Result<FileHandle, HostError> {
        let message = about(kind::OPEN, path)
            .u32(flag::WRITE | flag::CREATE | flag::EXCLUSIVE)
            .attributes(Attributes {
                permissions: private.then_some(0o600),
                ..Attributes::default()
            });
        self.handle(message, path).await
    }

    async fn reopen(&self, path: &[u8]) -> Result<FileHandle, HostError> {
        let message = about(kind::OPEN, path)
            .u32(flag::WRITE)
            .attributes(Attributes::default());
        self.handle(message, path).await
    }

    async fn read(&self, file: &FileHandle, offset: u64, most: u32) -> Result<Bytes, HostError> {
        let message = about(kind::READ, &file.id).u64(offset).u32(most);
        match expect(self.ask(message).await?, kind::DATA)? {
            Ok(mut fields) => {
                let data = fields.string()?;
                if length(&data) > most {
                    return Err(Garbled.into());
                }
                Ok(data)
            }
            Err(status) if status.code == wire::END => Ok(Bytes::new()),
            Err(status) => Err(refused(&file.path, &status)),
        }
    }

    async fn write(&self, file: &FileHandle, offset: u64, bytes: Bytes) -> Result<(), HostError> {
        let message = about(kind::WRITE, &file.id).u64(offset).u32(length(&bytes));
        fine(&self.done(message, bytes).await?, &file.path)
    }

    async fn truncate(&self, file: &FileHandle, size: u64) -> Result<(), HostError> {
        let message = about(kind::FSETSTAT, &file.id).attributes(Attributes {
            size: Some(size),
            ..Attributes::default()
        });
        self.act(message, &file.path).await
    }

    async fn close(&self, file: FileHandle) -> Result<(), HostError> {
        self.act(about(kind::CLOSE, &file.id), &file.path).await
    }

    async fn set(&self, path: &[u8], change: FileChange) -> Result<(), HostError> {
        if let Some(owner) = change.owner {
            // A request of its own, and first: a new owner takes set-user-ID bits away.
            let message = about(kind::SETSTAT, path).attributes(Attributes {
                owner: Some(owner),
                ..Attributes::default()
            });
            self.act(message, path).await?;
        }
        if change.mode.is_none() && change.mtime.is_none() {
            return Ok(());
        }
        let message = about(kind::SETSTAT, path).attributes(Attributes {
            permissions: change.mode,
            mtime: change
                .mtime
                .map(|time| u32::try_from(time.max(0)).unwrap_or(u32::MAX)),
            ..Attributes::default()
        });
        self.act(message, path).await
    }

    async fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), HostError> {
        if self.extensions.posix_rename {
            let message = extended("posix-rename@openssh.com").string(from).string(to);
            return self.act(message, from).await;
        }
        let first = self.done(renaming(from, to), Bytes::new()).await?;
        if first.code == wire::OK {
            return Ok(());
        }
        // The draft forbids to replace: is that why?
        let taken = matches!(first.code, wire::FAILURE | wire::FILE_ALREADY_EXISTS)
            && self.lstat(from).await?.is_some()
            && self.lstat(to).await?.is_some();
        if !taken {
            return Err(refused(from, &first));
        }
        self.replace(from, to).await
    }

    async fn remove(&self, path: &[u8]) -> Result<(), HostError> {
        self.act(about(kind::REMOVE, path), path).await
    }

    async fn remove_folder(&self, path: &[u8]) -> Result<(), HostError> {
        self.act(about(kind::RMDIR, path), path).await
    }

    async fn make_folder(&self, path: &[u8]) -> Result<(), HostError> {
        let message = about(kind::MKDIR, path).attributes(Attributes::default());
        self.act(message, path).await
    }

    async fn list(&self, path: &[u8]) -> Result<Vec<(Bytes, FileStat)>, HostError> {
        let folder = self.handle(about(kind::OPENDIR, path), path).await?;
        let names = self.all_names(&folder).await;
        let closed = self.close(folder).await;
        let names = names?;
        closed?;
        Ok(names)
    }

    async fn read_link(&self, path: &[u8]) -> Result<Bytes, HostError> {
        match expect(self.ask(about(kind::READLINK, path)).await?, kind::NAME)? {
            Ok(mut fields) => match fields.u32()? {
                1 => Ok(fields.string()?),
                _ => Err(Garbled.into()),
            },
            Err(status) => Err(refused(path, &status)),
        }
    }

    async fn make_link(&self, path: &[u8], to: &[u8]) -> Result<(), HostError> {
        // The draft has it the other way round; OpenSSH and all who follow it have not (PROTOCOL, 4.1).
        self.act(about(kind::SYMLINK, to).string(path), path).await
    }

    async fn room(&self, path: &[u8]) -> Option<u64> {
        if !self.extensions.statvfs {
            return None;
        }
        let message = extended("statvfs@openssh.com").string(path);
        let mut fields = expect(self.ask(message).await.ok()?, kind::EXTENDED_REPLY)
            .ok()?
            .ok()?;
        let _block = fields.u64().ok()?;
        let fragment = fields.u64().ok()?;
        let _all_and_free = (fields.u64().ok()?, fields.u64().ok()?);
        Some(fields.u64().ok()?.saturating_mul(fragment))
    }

    fn read_max(&self) -> u32 {
        self.read_max
    }

    fn write_max(&self) -> u32 {
        self.write_max
    }
}
