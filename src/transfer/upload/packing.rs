//! Many files as one stream, made on the fly: for a Unix host's `tar` (POSIX.1-2017 `ustar`, with GNU's
//! entries for long names), or in frames for Windows.

use std::collections::VecDeque;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::base::chunks::Chunks;
use crate::base::clock;
use crate::shell::conversation::Failure;
use crate::shell::files::{HostPath, Kind};
use crate::shell::windows::files::frames;
use crate::transfer::source::Content;

/// One entry.
pub(super) struct Member {
    /// Its name below the folder it is unpacked to; empty: that folder itself.
    pub(super) name: Vec<u8>,
    pub(super) body: Body,
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    pub(super) mtime: Option<i64>,
    /// Of a file, what it comes to.
    pub(super) digest: String,
}

/// How it is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Tar,
    Frames,
}

/// What it is.
pub(super) enum Body {
    File(Arc<Content>),
    Folder,
    Link(Vec<u8>),
}

/// A stream in the making.
pub(super) struct Packing {
    format: Format,
    members: VecDeque<Member>,
    /// The file that is read now, and how much is padding after it.
    reading: Option<(Box<dyn Chunks>, usize)>,
    ended: bool,
}

const BLOCK: usize = 512;

impl Packing {
    pub(super) fn new(format: Format, members: Vec<Member>) -> Self {
        Self {
            format,
            members: members.into(),
            reading: None,
            ended: false,
        }
    }

    /// How long the whole is going to be, in bytes.
    pub(super) fn size(&self) -> io::Result<u64> {
        let mut size = self.format.end().len() as u64;
        for member in &self.members {
            size += self.format.head_length(member)?;
            if let Body::File(content) = &member.body {
                size += content.size() + self.format.padding(content.size()) as u64;
            }
        }
        Ok(size)
    }
}

impl Format {
    /// What announces a member.
    fn head(self, member: &Member) -> io::Result<Vec<u8>> {
        match self {
            Self::Tar => header(member),
            Self::Frames => frame(member),
        }
    }

    fn head_length(self, member: &Member) -> io::Result<u64> {
        let plain = member.name.len() < 90 && !matches!(member.body, Body::Link(_));
        if self == Self::Tar && plain {
            return Ok(BLOCK as u64);
        }
        self.head(member).map(|head| head.len() as u64)
    }

    /// What follows a file's content.
    fn padding(self, size: u64) -> usize {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
        match self {
            Self::Tar if over > 0 => BLOCK - over,
            Self::Tar | Self::Frames => 0,
        }
    }

    fn end(self) -> &'static [u8] {
        match self {
            Self::Tar => &[0; 2 * BLOCK],
            Self::Frames => &frames::END,
        }
    }
}

/// A frame's head.
fn frame(member: &Member) -> io::Result<Vec<u8>> {
    let (kind, size) = match &member.body {
        Body::File(content) => (Kind::File, content.size()),
        Body::Folder => (Kind::Folder, 0),
        Body::Link(_) => (Kind::Link, 0),
    };
    let entry = frames::Entry {
        path: HostPath::new(member.name.as_slice()),
        kind,
        size,
        mtime: member.mtime,
        digest: member.digest.clone(),
    };
    entry.head().map_err(|failure| match failure {
        Failure::Unsupported(why) => io::Error::other(why),
        other => io::Error::other(format!("{other:?}")),
    })
}

/// The blocks that announce a member.
fn header(member: &Member) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(member.mode);
    header.set_uid(u64::from(member.owner.0));
    header.set_gid(u64::from(member.owner.1));
    let mtime = member.mtime.unwrap_or_else(|| clock::now().as_second());
    header.set_mtime(u64::try_from(mtime).unwrap_or_default());
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
impl Chunks for Packing {
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
            piece.extend_from_slice(&self.format.head(&member)?);
            let Body::File(content) = member.body else {
                continue;
            };
            let padding = self.format.padding(content.size());
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
            piece.extend_from_slice(self.format.end());
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
            mtime: Some(1_700_000_000),
            digest: String::new(),
        };
        let tarball = || {
            Packing::new(
                Format::Tar,
                vec![
                    member("", Body::Folder),
                    member(&long, content(b"hello".to_vec())),
                    member("big", content(big.clone())),
                    member("empty", content(Vec::new())),
                    member("link", Body::Link("t".repeat(150).into_bytes())),
                ],
            )
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
