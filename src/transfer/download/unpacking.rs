//! Many small files from one stream. The stream is the host's: a name in it counts only if it was
//! asked for, a size only if it is the one the host has said before.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::beneath::Beneath;
use super::fetching::{WRITTEN_TO, changed};
use super::parts::{Placing, open_own, part_of, place};
use super::stream::{Framed, Frames, Pieces, Stream};
use super::surveying::Item;
use super::{Download, local};
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{Algorithm, FileTask, HostPath, Kind, Pack};
use crate::shell::windows::files::frames;
use crate::transfer::hashing::Hashing;
use crate::transfer::link::Trouble;
use crate::transfer::remote::Remote;

/// One file that is expected.
struct Expected {
    part: Vec<u8>,
    size: u64,
    digest: Option<String>,
    placing: Placing,
}

/// Fetches them all; which are in their places and what they come to, whatever became of the others.
pub(super) async fn fetch_together(
    order: &Download,
    remote: &mut Remote<'_>,
    here: &Arc<Beneath>,
    items: &[&Item],
) -> (HashMap<Vec<u8>, String>, Result<(), Trouble>) {
    let windows = remote.is_windows();
    let expected: HashMap<Vec<u8>, Expected> = items
        .iter()
        .map(|item| {
            (
                plain(item.path.as_bytes()).to_vec(),
                expected(order, item, windows),
            )
        })
        .collect();
    let (pieces, coming) = mpsc::channel(16);
    let mut sink = Pieces {
        to: pieces,
        meter: order.meter.clone(),
        left: bound(items),
        deaf: false,
    };
    let task = pack(items, windows);
    let (here, algorithm) = (here.clone(), order.options.algorithm);
    let thread = tokio::task::spawn_blocking(move || {
        let mut unpacking = Unpacking {
            here: &here,
            expected,
            placed: HashMap::new(),
            algorithm,
            refusal: None,
        };
        let done = if windows {
            unpacking.frames(coming)
        } else {
            unpacking.tar(coming)
        };
        (unpacking.placed.into_values().collect(), done)
    });
    let came = remote.fetch(task, &mut sink).await;
    let deaf = sink.deaf;
    drop(sink);
    let (placed, unpacked) = match thread.await {
        Ok(done) => done,
        Err(error) => (HashMap::new(), Err(Refusal::Here(io::Error::other(error)))),
    };
    (placed, outcome(items, came, deaf, unpacked))
}

fn expected(order: &Download, item: &Item, windows: bool) -> Expected {
    Expected {
        part: part_of(item),
        size: item.found.size,
        digest: item.digest.clone(),
        placing: Placing::of(order, item, windows),
    }
}

/// How the host is asked. Names in a tar stream are relative to one folder.
fn pack(items: &[&Item], windows: bool) -> FileTask {
    let absolute = !windows
        && items
            .iter()
            .all(|item| item.path.as_bytes().starts_with(b"/"));
    let names = items.iter().map(|item| {
        if absolute {
            HostPath::new(plain(item.path.as_bytes()))
        } else {
            item.path.clone()
        }
    });
    FileTask::Pack(Pack {
        root: HostPath::from(if absolute { "/" } else { "" }),
        names: names.collect(),
    })
}

/// The most that the stream may be, in bytes: files may have grown since they were looked at, but not
/// without end.
fn bound(items: &[&Item]) -> u64 {
    let sizes: u64 = items.iter().map(|item| item.found.size).sum();
    let names = items
        .iter()
        .map(|item| 8192 + 2 * item.path.as_bytes().len() as u64);
    (16 << 20) + 2 * sizes + names.sum::<u64>()
}

/// What became of it, from what the host's side and ours have to say. `deaf`: ours broke it off.
fn outcome(
    items: &[&Item],
    came: Result<(), Trouble>,
    deaf: bool,
    unpacked: Result<(), Refusal>,
) -> Result<(), Trouble> {
    match (came, unpacked) {
        (_, Err(Refusal::Here(error))) => Err(local::failed(error).into()),
        (Err(trouble), _) if !deaf && trouble.keeps_part() => Err(trouble),
        (_, Err(Refusal::Changed(name, digest))) => {
            let item = items.iter().find(|item| item.name == name);
            Err(item.map_or_else(|| missing(&name), |item| changed(item, &digest)))
        }
        (Err(trouble), unpacked) if !deaf && was_written_to(&trouble) => match unpacked {
            Err(Refusal::Missing(name)) => Err(missing(&name)),
            // Each came to what the host had said of it before.
            Ok(()) if items.iter().all(|item| item.digest.is_some()) => Ok(()),
            _ => {
                let why = trouble.error.message;
                Err(HostError::new(ErrorKind::VerifyMismatch, why)
                    .hint(WRITTEN_TO)
                    .into())
            }
        },
        (Err(trouble), _) if !deaf => Err(trouble),
        (_, Err(Refusal::Garbled(why))) => Err(HostError::new(ErrorKind::Protocol, why).into()),
        (_, Err(Refusal::Missing(name))) => Err(missing(&name)),
        (_, Ok(())) => Ok(()),
    }
}

/// GNU's tar has sent it all, and noticed that a file changed under it.
fn was_written_to(trouble: &Trouble) -> bool {
    trouble.error.kind == ErrorKind::RemoteIo
        && trouble.error.message.contains("file changed as we read it")
}

fn missing(name: &[u8]) -> Trouble {
    HostError::new(
        ErrorKind::RemoteIo,
        format!(
            "{}: it did not come; the others did",
            String::from_utf8_lossy(name)
        ),
    )
    .hint("is it gone since, or not to be read?")
    .into()
}

/// Why not all is here.
enum Refusal {
    /// Something of ours.
    Here(io::Error),
    /// A file is not what the host had said; its name here, and what it came to.
    Changed(Vec<u8>, String),
    /// A file did not come.
    Missing(Vec<u8>),
    /// What came is no stream of files.
    Garbled(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Here(error)
    }
}

/// A path as it stands in an archive: relative.
fn plain(path: &[u8]) -> &[u8] {
    let mut path = path.strip_prefix(b"~/").unwrap_or(path);
    loop {
        path = match path {
            [b'/', rest @ ..] | [b'.', b'/', rest @ ..] => rest,
            _ => return path,
        };
    }
}

/// How much there may be between the contents of two files, in bytes: heads, and long names, which
/// are held in memory.
const BETWEEN: u64 = 128 << 10;

/// The work on one stream.
struct Unpacking<'a> {
    here: &'a Beneath,
    expected: HashMap<Vec<u8>, Expected>,
    /// What is in its place, by its path in the stream: its name here, and what it comes to.
    placed: HashMap<Vec<u8>, (Vec<u8>, String)>,
    algorithm: Algorithm,
    refusal: Option<Refusal>,
}

impl Unpacking<'_> {
    /// One file of the stream; whether the stream goes on.
    fn file(&mut self, path: &[u8], content: &mut dyn Read) -> Result<bool, Refusal> {
        let path = plain(path);
        let Some(wanted) = self.expected.remove(path) else {
            return Ok(true);
        };
        match one(self.here, content, &wanted, self.algorithm) {
            Ok(digest) => {
                let placed = (wanted.placing.name, digest);
                self.placed.insert(path.to_vec(), placed);
            }
            // A stream that breaks off is the host's matter, and told by its end.
            Err(Refusal::Here(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.expected.insert(path.to_vec(), wanted);
                return Ok(false);
            }
            Err(Refusal::Here(error)) => return Err(Refusal::Here(error)),
            Err(other) => {
                self.refusal.get_or_insert(other);
            }
        }
        Ok(true)
    }

    fn finish(&mut self) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        match self.expected.values().next() {
            None => Ok(()),
            Some(left) => Err(Refusal::Missing(left.placing.name.clone())),
        }
    }

    /// Reads a tar stream (several, one after the other, where the list was long).
    fn tar(&mut self, coming: mpsc::Receiver<Bytes>) -> Result<(), Refusal> {
        let budget = Rc::new(Cell::new(Some(BETWEEN)));
        let stream = Stream {
            coming,
            piece: Bytes::new(),
            budget: budget.clone(),
        };
        let mut archive = tar::Archive::new(stream);
        archive.set_ignore_zeros(true);
        for entry in archive.entries()? {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => {
                    let why = format!("what the host's tar sends can't be read: {error}");
                    return Err(Refusal::Garbled(why));
                }
            };
            let path = entry.path_bytes().into_owned();
            budget.set(None);
            let goes_on = match entry.header().entry_type() {
                tar::EntryType::Regular => self.file(&path, &mut entry)?,
                // Another name of a file that came before.
                tar::EntryType::Link => {
                    let to = entry.link_name_bytes();
                    let there = to.and_then(|to| self.placed.get(plain(&to)).cloned());
                    match there {
                        Some((there, _)) => self.file(&path, &mut self.here.read(&there)?)?,
                        None => true,
                    }
                }
                _ => true,
            };
            if !goes_on || io::copy(&mut entry, &mut io::sink()).is_err() {
                break;
            }
            budget.set(Some(BETWEEN));
        }
        self.finish()
    }

    /// Reads a stream of frames.
    fn frames(&mut self, coming: mpsc::Receiver<Bytes>) -> Result<(), Refusal> {
        let mut frames = Frames {
            coming,
            decoder: frames::Decoder::default(),
            events: VecDeque::new(),
        };
        let garbled = |error: io::Error| Refusal::Garbled(error.to_string());
        while let Some(event) = frames.next().map_err(garbled)? {
            if let frames::Event::Entry(entry) = event
                && entry.kind == Kind::File
            {
                let mut content = Framed {
                    frames: &mut frames,
                    left: entry.size,
                    piece: Bytes::new(),
                };
                if !self.file(entry.path.as_bytes(), &mut content)?
                    || io::copy(&mut content, &mut io::sink()).is_err()
                {
                    break;
                }
            }
        }
        self.finish()
    }
}

/// Writes one file, checks it, puts it in its place; what it comes to.
fn one(
    here: &Beneath,
    content: &mut dyn Read,
    wanted: &Expected,
    algorithm: Algorithm,
) -> Result<String, Refusal> {
    let mut file = open_own(here, &wanted.part)?;
    file.set_len(0)?;
    let mut hashing = Hashing::new(algorithm);
    let written = write(content, &mut file, &mut hashing, wanted.size);
    let digest = hashing.finish();
    // What has grown since is as it was then, where its digest shows that.
    let good = match (&written, &wanted.digest) {
        (Ok(length), Some(expected)) => *length >= wanted.size && *expected == digest,
        (Ok(length), None) => *length == wanted.size,
        (Err(_), _) => false,
    };
    if !good {
        let _ = here.remove(&wanted.part);
        written.map_err(|error| here.named(&wanted.placing.name, &error))?;
        return Err(Refusal::Changed(wanted.placing.name.clone(), digest));
    }
    place(here, &file, &wanted.part, &wanted.placing)?;
    Ok(digest)
}

/// Writes and hashes at most `size` bytes; how much there was, or one more than that.
fn write(
    content: &mut dyn Read,
    file: &mut File,
    hashing: &mut Hashing,
    size: u64,
) -> io::Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    let mut length = 0;
    loop {
        let got = content.read(&mut buffer)?;
        if got == 0 {
            return Ok(length);
        }
        let room = usize::try_from(size - length).unwrap_or(usize::MAX);
        let piece = buffer.get(..got.min(room)).unwrap_or_default();
        hashing.update(piece);
        file.write_all(piece)?;
        length += piece.len() as u64;
        if got > room {
            return Ok(size + 1);
        }
    }
}
