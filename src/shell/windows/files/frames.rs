//! Many files in one stream, for hosts that have no tar. A frame is the length of its head (32 bits,
//! little-endian; 0 ends the stream), the head, and the content. The head is text with NULs between:
//! kind (`f`, `d`, `l`), size, seconds since 1970, digest, path; seconds and digest may be empty. Paths
//! are relative and joined by `/`. Only files have content; of a link its name is all that is told.

use bytes::{Buf as _, Bytes, BytesMut};

use super::names;
use crate::shell::conversation::Failure;
use crate::shell::files::{HostPath, Kind};

/// How long a head may be: a path of Windows has at most 32767 characters.
const HEAD_MAX: usize = 128 * 1024;

/// What ends a stream.
pub const END: [u8; 4] = [0; 4];

/// What a frame is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root.
    pub path: HostPath,
    /// A file, a folder or a link.
    pub kind: Kind,
    /// How much content follows, in bytes.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: Option<i64>,
    /// What it comes to, in hex; empty: it is not said.
    pub digest: String,
}

impl Entry {
    /// What stands before its content. Refused: names that climb out or that Windows can't have.
    pub fn head(&self) -> Result<Vec<u8>, Failure> {
        let path = names::fits(&self.path)?;
        let unfit = |why: &str| Failure::Unsupported(format!("{path}: {why}"));
        let strays = |name| matches!(name, "" | "." | "..");
        if path.contains(['\\', ':']) || path.split('/').any(strays) {
            return Err(unfit("is no relative path of plain names"));
        }
        let kind = match self.kind {
            Kind::File => "f",
            Kind::Folder => "d",
            Kind::Link | Kind::Other => return Err(unfit("is no file and no folder")),
        };
        let seconds = self.mtime.map(|time| time.to_string()).unwrap_or_default();
        let head = format!("{kind}\0{}\0{seconds}\0{}\0{path}", self.size, self.digest);
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
        Ok([&length.to_le_bytes(), head.as_bytes()].concat())
    }
}

/// What a piece of a stream holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The next entry. Its path is what the host says: not to be trusted.
    Entry(Entry),
    /// Content of the last entry.
    Content(Bytes),
    /// All was seen.
    End,
}

/// A stream that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream of files makes no sense: {0}")]
pub struct Broken(&'static str);

/// Takes a stream of frames apart, as its bytes come. Holds a head at most.
#[derive(Debug, Default)]
pub struct Decoder {
    held: BytesMut,
    /// How much of the last entry's content is still to come.
    left: u64,
    ended: bool,
}

impl Decoder {
    /// Takes bytes that came.
    pub fn take(&mut self, bytes: Bytes) -> Result<Vec<Event>, Broken> {
        let mut events = Vec::new();
        let mut bytes = bytes;
        loop {
            if self.left > 0 {
                let many = usize::try_from(self.left)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                if many == 0 {
                    return Ok(events);
                }
                self.left -= many as u64;
                events.push(Event::Content(bytes.split_to(many)));
                continue;
            }
            if self.ended {
                return if bytes.is_empty() {
                    Ok(events)
                } else {
                    Err(Broken("it goes on behind its end"))
                };
            }
            let Some(head) = self.head(&mut bytes)? else {
                return Ok(events);
            };
            if head.is_empty() {
                self.ended = true;
                events.push(Event::End);
                continue;
            }
            let entry = entry(&head).ok_or(Broken("a head can't be read"))?;
            self.left = entry.size;
            events.push(Event::Entry(entry));
        }
    }

    /// Whether the end was seen.
    pub fn is_over(&self) -> bool {
        self.ended
    }

    /// The next head, as soon as all of it is there; empty at the end.
    fn head(&mut self, bytes: &mut Bytes) -> Result<Option<Bytes>, Broken> {
        if !self.gather(bytes, 4) {
            return Ok(None);
        }
        let length = self
            .held
            .first_chunk()
            .map_or(0, |four| u32::from_le_bytes(*four));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > HEAD_MAX {
            return Err(Broken("a head is too long"));
        }
        if !self.gather(bytes, 4 + length) {
            return Ok(None);
        }
        let mut head = std::mem::take(&mut self.held);
        head.advance(4);
        Ok(Some(head.freeze()))
    }

    /// Whether so many bytes are held now.
    fn gather(&mut self, bytes: &mut Bytes, wanted: usize) -> bool {
        let missing = wanted.saturating_sub(self.held.len()).min(bytes.len());
        self.held.extend_from_slice(&bytes.split_to(missing));
        self.held.len() >= wanted
    }
}

fn entry(head: &[u8]) -> Option<Entry> {
    let text = std::str::from_utf8(head).ok()?;
    let mut fields = text.splitn(5, '\0');
    let kind = match fields.next()? {
        "f" => Kind::File,
        "d" => Kind::Folder,
        "l" => Kind::Link,
        _ => return None,
    };
    let size: u64 = fields.next()?.parse().ok()?;
    let mtime = match fields.next()? {
        "" => None,
        seconds => Some(seconds.parse().ok()?),
    };
    let digest = fields.next()?.to_owned();
    let path = fields.next()?;
    let sound = !path.is_empty()
        && !path.contains('\0')
        && digest.bytes().all(|b| b.is_ascii_hexdigit())
        && (size == 0 || kind == Kind::File);
    sound.then(|| Entry {
        path: HostPath::from(path),
        kind,
        size,
        mtime,
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size: u64) -> Entry {
        Entry {
            path: HostPath::from(path),
            kind: Kind::File,
            size,
            mtime: Some(1_700_000_000),
            digest: "ab".to_owned(),
        }
    }

    fn stream(entries: &[(Entry, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (entry, content) in entries {
            bytes.extend(entry.head().unwrap());
            bytes.extend(*content);
        }
        bytes.extend(END);
        bytes
    }

    #[test]
    fn a_stream_reads_the_same_however_it_is_cut() {
        let (one, two) = (file("a/更新 文件.txt", 5), file("leer", 0));
        let bytes = stream(&[(one.clone(), b"hello"), (two.clone(), b"")]);
        for size in 1..bytes.len() {
            let mut decoder = Decoder::default();
            let mut entries = Vec::new();
            let mut content = Vec::new();
            for piece in bytes.chunks(size) {
                for event in decoder.take(Bytes::copy_from_slice(piece)).unwrap() {
                    match event {
                        Event::Entry(entry) => entries.push(entry),
                        Event::Content(bytes) => content.extend_from_slice(&bytes),
                        Event::End => {}
                    }
                }
            }
            assert!(decoder.is_over());
            assert_eq!(
                (entries, content),
                (vec![one.clone(), two.clone()], b"hello".to_vec())
            );
        }
    }

    #[test]
    fn names_that_climb_out_are_not_sent() {
        for path in [
            "../x", "a/../b", "/x", "C:/x", "a\\b", "a//b", "", ".", "nul", "a.",
        ] {
            assert!(file(path, 0).head().is_err(), "{path}");
        }
    }

    #[test]
    fn a_stream_that_makes_no_sense_is_refused_and_bounded() {
        let refused = |bytes: &[u8]| {
            Decoder::default()
                .take(Bytes::copy_from_slice(bytes))
                .is_err()
        };
        let framed = |head: &str| {
            [
                &u32::try_from(head.len()).unwrap().to_le_bytes(),
                head.as_bytes(),
            ]
            .concat()
        };
        assert!(refused(b"\xff\xff\xff\xff"));
        assert!(refused(b"\0\0\0\0more"));
        for head in [
            "x\x000\0\0\0a",
            "f\0-1\0\0\0a",
            "f\x000\0x\0\0a",
            "f\x000\0\0zz\0a",
            "f\x000\0\0\0",
            "f",
            "d\x005\0\0\0a",
        ] {
            assert!(refused(&framed(head)), "{head:?}");
        }
        assert!(!refused(&framed("f\x000\0\0\0a")));
    }
}
