//! Many files as one stream that a host's `tar` unpacks, made on the fly (POSIX.1-2017 `ustar`, with
//! GNU's entries for long names).

use std::collections::VecDeque;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::base::chunks::Chunks;
use crate::transfer::source::Content;

/// One entry.
pub(super) struct Member {
    /// Its name below the folder it is unpacked to; empty: that folder itself.
    pub(super) name: Vec<u8>,
    pub(super) body: Body,
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    pub(super) mtime: i64,
}

/// What it is.
pub(super) enum Body {
    File(Arc<Content>),
    Folder,
    Link(Vec<u8>),
}

/// A tar archive in the making.
pub(super) struct Tarball {
    members: VecDeque<Member>,
    /// The file that is read now, and how much is padding after it.
    reading: Option<(Box<dyn Chunks>, usize)>,
    ended: bool,
}

const BLOCK: usize = 512;

impl Tarball {
    pub(super) fn new(members: Vec<Member>) -> Self {
        Self {
            members: members.into(),
            reading: None,
            ended: false,
        }
    }

    /// How long the whole is going to be, in bytes.
    pub(super) fn size(&self) -> io::Result<u64> {
        let mut size = 2 * BLOCK as u64;
        for member in &self.members {
            let plain = member.name.len() < 100 && !matches!(member.body, Body::Link(_));
            size += if plain {
                BLOCK as u64
            } else {
                header(member)?.len() as u64
            };
            if let Body::File(content) = &member.body {
                size += content.size().next_multiple_of(BLOCK as u64);
            }
        }
        Ok(size)
    }
}

/// The blocks that announce a member.
fn header(member: &Member) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(member.mode);
    header.set_uid(u64::from(member.owner.0));
    header.set_gid(u64::from(member.owner.1));
    header.set_mtime(u64::try_from(member.mtime).unwrap_or_default());
    let mut name = b"./".to_vec();
    name.extend_from_slice(&member.name);
    let name = std::ffi::OsStr::from_bytes(&name);
    let mut builder = tar::Builder::new(Vec::new());
    match &member.body {
        Body::File(content) => {
            header.set_size(content.size());
            header.set_entry_type(tar::EntryType::Regular);
            builder.append_data(&mut header, Path::new(name), io::empty())?;
        }
        Body::Folder => {
            header.set_size(0);
            header.set_entry_type(tar::EntryType::Directory);
            builder.append_data(&mut header, Path::new(name), io::empty())?;
        }
        Body::Link(to) => {
            header.set_size(0);
            header.set_entry_type(tar::EntryType::Symlink);
            let to = std::ffi::OsStr::from_bytes(to);
            builder.append_link(&mut header, Path::new(name), Path::new(to))?;
        }
    }
    // Without the end that the builder would add.
    Ok(std::mem::take(builder.get_mut()))
}

#[async_trait]
impl Chunks for Tarball {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if let Some((chunks, padding)) = &mut self.reading {
            if let Some(chunk) = chunks.next().await? {
                return Ok(Some(chunk));
            }
            let padding = *padding;
            self.reading = None;
            if padding > 0 {
                return Ok(Some(Bytes::from(vec![0; padding])));
            }
        }
        // Small ones together: a piece for each would cost more than its content.
        let mut piece = Vec::new();
        while piece.len() < 128 * 1024 {
            let Some(member) = self.members.pop_front() else {
                break;
            };
            piece.extend_from_slice(&header(&member)?);
            let Body::File(content) = member.body else {
                continue;
            };
            let size = usize::try_from(content.size()).unwrap_or(usize::MAX);
            let padding = size.next_multiple_of(BLOCK) - size;
            match content.in_memory() {
                Some(bytes) if bytes.len() <= 64 * 1024 => {
                    piece.extend_from_slice(&bytes);
                    piece.resize(piece.len() + padding, 0);
                }
                _ => {
                    self.reading = Some((content.chunks(0), padding));
                    return Ok(Some(piece.into()));
                }
            }
        }
        if piece.is_empty() && !self.ended {
            self.ended = true;
            piece.resize(2 * BLOCK, 0);
        }
        Ok(Some(Bytes::from(piece)).filter(|piece| !piece.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[tokio::test]
    async fn any_tar_reads_what_was_packed_and_it_is_as_long_as_was_said() {
        let content = |bytes: Vec<u8>| {
            let content = Content::of_bytes(Path::new("x"), bytes.into());
            Body::File(Arc::new(content))
        };
        let long = format!("{}/名字 with spaces\nand a newline", "d".repeat(180));
        let big: Vec<u8> = (0..200_000u32).map(|n| (n % 253) as u8).collect();
        let member = |name: &str, body| Member {
            name: name.as_bytes().to_vec(),
            body,
            mode: 0o640,
            owner: (7, 8),
            mtime: 1_700_000_000,
        };
        let tarball = || {
            Tarball::new(vec![
                member("", Body::Folder),
                member(&long, content(b"hello".to_vec())),
                member("big", content(big.clone())),
                member("empty", content(Vec::new())),
                member("link", Body::Link("t".repeat(150).into_bytes())),
            ])
        };
        let mut bytes = Vec::new();
        let mut packing = tarball();
        while let Some(chunk) = packing.next().await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        assert_eq!(tarball().size().unwrap(), bytes.len() as u64);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar");
        std::fs::write(&path, &bytes).unwrap();
        let unpacked = std::process::Command::new("tar")
            .args(["-xf"])
            .arg(&path)
            .arg("-C")
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(unpacked.success());
        let mut text = String::new();
        std::fs::File::open(folder.path().join(&long))
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "hello");
        assert_eq!(std::fs::read(folder.path().join("big")).unwrap(), big);
        let link = std::fs::read_link(folder.path().join("link")).unwrap();
        assert_eq!(link, Path::new(&"t".repeat(150)));
    }
}
