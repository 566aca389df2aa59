//! Many small files from one stream. The stream is the host's: a name in it counts only if it was
//! asked for, a size only if it is the one the host has said before.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Read, Write as _};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

use super::beneath::Beneath;
use super::fetching::{Placing, changed, mode, part_of, place};
use super::surveying::Item;
use super::{Download, local};
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{Algorithm, FileTask, HostPath, Kind, Pack};
use crate::shell::windows::files::frames;
use crate::transfer::hashing::Hashing;
use crate::transfer::link::{Sink, Trouble};
use crate::transfer::meter::Meter;
use crate::transfer::remote::Remote;

/// One file that is expected.
struct Expected {
    part: Vec<u8>,
    mode: u32,
    size: u64,
    digest: Option<String>,
    placing: Placing,
}

/// Fetches them all.
pub(super) async fn fetch_together(
    order: &Download,
    remote: &mut Remote<'_>,
    here: &Arc<Beneath>,
    items: &[&Item],
) -> Result<(), Trouble> {
    let task = FileTask::Pack(Pack {
        root: HostPath::default(),
        names: items.iter().map(|item| item.path.clone()).collect(),
    });
    let expected = items.iter().map(|item| {
        let expected = Expected {
            part: part_of(item),
            mode: mode(item),
            size: item.found.size,
            digest: item.digest.clone(),
            placing: Placing::of(order, item),
        };
        (plain(item.path.as_bytes()).to_vec(), expected)
    });
    let expected: HashMap<Vec<u8>, Expected> = expected.collect();
    let (pieces, coming) = mpsc::channel(16);
    let stream = Stream {
        coming,
        piece: Bytes::new(),
    };
    let (here, algorithm) = (here.clone(), order.options.algorithm);
    let windows = remote.is_windows();
    let thread = tokio::task::spawn_blocking(move || {
        let unpacking = Unpacking {
            here: &here,
            expected,
            algorithm,
            refusal: None,
        };
        if windows {
            unpacking.frames(stream)
        } else {
            unpacking.tar(stream)
        }
    });
    let mut sink = Pieces {
        pieces,
        meter: order.meter.clone(),
    };
    let came = remote.fetch(task, &mut sink).await;
    drop(sink);
    let unpacked = match thread.await {
        Ok(unpacked) => unpacked,
        Err(error) => Err(Refusal::Here(io::Error::other(error))),
    };
    match (came, unpacked) {
        (Err(trouble), _) => Err(trouble),
        (Ok(()), Err(Refusal::Here(error))) => Err(local::failed(error).into()),
        (Ok(()), Err(Refusal::Changed(name, digest))) => {
            let item = items.iter().find(|item| item.name == name);
            Err(item.map_or_else(|| missing(&name), |item| changed(item, &digest)))
        }
        (Ok(()), Err(Refusal::Missing(name))) => Err(missing(&name)),
        (Ok(()), Ok(())) => Ok(()),
    }
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
pub(super) enum Refusal {
    /// Something of ours.
    Here(io::Error),
    /// A file is not what the host had said; its name here, and what it came to.
    Changed(Vec<u8>, String),
    /// A file did not come.
    Missing(Vec<u8>),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Here(error)
    }
}

/// A path as it stands in an archive: relative.
fn plain(path: &[u8]) -> &[u8] {
    let mut path = path;
    loop {
        path = match path {
            [b'/', rest @ ..] | [b'.' | b'~', b'/', rest @ ..] => rest,
            _ => return path,
        };
    }
}

/// The work on one stream.
struct Unpacking<'a> {
    here: &'a Beneath,
    expected: HashMap<Vec<u8>, Expected>,
    algorithm: Algorithm,
    refusal: Option<Refusal>,
}

impl Unpacking<'_> {
    /// One file of the stream; whether the stream goes on.
    fn file(&mut self, path: &[u8], content: &mut dyn Read) -> Result<bool, Refusal> {
        let Some(wanted) = self.expected.remove(plain(path)) else {
            return Ok(true);
        };
        match one(self.here, content, &wanted, self.algorithm) {
            Ok(()) => {}
            // A stream that breaks off is the host's matter, and told by its end.
            Err(Refusal::Here(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(false);
            }
            Err(Refusal::Here(error)) => return Err(Refusal::Here(error)),
            Err(other) => self.refusal = Some(other),
        }
        Ok(true)
    }

    fn finish(self) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        match self.expected.into_values().next() {
            None => Ok(()),
            Some(left) => Err(Refusal::Missing(left.placing.name)),
        }
    }

    /// Reads a tar stream (several, one after the other, where the list was long).
    fn tar(mut self, stream: Stream) -> Result<(), Refusal> {
        let mut archive = tar::Archive::new(stream);
        archive.set_ignore_zeros(true);
        for entry in archive.entries()? {
            let Ok(mut entry) = entry else { break };
            if entry.header().entry_type() != tar::EntryType::Regular {
                continue;
            }
            let path = entry.path_bytes().into_owned();
            if !self.file(&path, &mut entry)? {
                break;
            }
        }
        self.finish()
    }

    /// Reads a stream of frames.
    fn frames(mut self, stream: Stream) -> Result<(), Refusal> {
        let mut frames = Frames {
            stream,
            decoder: frames::Decoder::default(),
            events: VecDeque::new(),
        };
        while let Some(event) = frames.next()? {
            if let frames::Event::Entry(entry) = event
                && entry.kind == Kind::File
            {
                let mut content = Framed {
                    frames: &mut frames,
                    left: entry.size,
                    piece: Bytes::new(),
                };
                if !self.file(entry.path.as_bytes(), &mut content)? {
                    break;
                }
                io::copy(&mut content, &mut io::sink())?;
            }
        }
        self.finish()
    }
}

/// A stream of frames, taken apart.
struct Frames {
    stream: Stream,
    decoder: frames::Decoder,
    events: VecDeque<frames::Event>,
}

impl Frames {
    fn next(&mut self) -> io::Result<Option<frames::Event>> {
        while self.events.is_empty() {
            let Some(piece) = self.stream.coming.blocking_recv() else {
                return Ok(None);
            };
            let events = self.decoder.take(piece).map_err(io::Error::other)?;
            self.events.extend(events);
        }
        Ok(self.events.pop_front())
    }
}

/// One file's content in it.
struct Framed<'a> {
    frames: &'a mut Frames,
    left: u64,
    piece: Bytes,
}

impl Read for Framed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && self.left > 0 {
            match self.frames.next()? {
                Some(frames::Event::Content(piece)) => self.piece = piece,
                Some(_) | None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let length = buffer.len().min(self.piece.len());
        let taken = self.piece.split_to(length);
        self.left = self.left.saturating_sub(length as u64);
        buffer
            .get_mut(..length)
            .unwrap_or_default()
            .copy_from_slice(&taken);
        Ok(length)
    }
}

/// Writes one file, checks it, puts it in its place.
fn one(
    here: &Beneath,
    content: &mut dyn Read,
    wanted: &Expected,
    algorithm: Algorithm,
) -> Result<(), Refusal> {
    let mut file = here.append(&wanted.part, wanted.mode)?;
    file.set_len(0)?;
    let mut hashing = Hashing::new(algorithm);
    let mut buffer = vec![0; 64 * 1024];
    let mut length = 0;
    let written = loop {
        let got = match content.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(got) => got,
            Err(error) => break Err(error),
        };
        let piece = buffer.get(..got).unwrap_or_default();
        length += got as u64;
        if length > wanted.size {
            break Ok(());
        }
        hashing.update(piece);
        if let Err(error) = file.write_all(piece) {
            break Err(error);
        }
    };
    let digest = hashing.finish();
    let good = length == wanted.size && wanted.digest.as_ref().is_none_or(|d| *d == digest);
    if written.is_err() || !good {
        let _ = here.remove(&wanted.part);
        written?;
        return Err(Refusal::Changed(wanted.placing.name.clone(), digest));
    }
    Ok(place(here, &file, &wanted.part, &wanted.placing)?)
}

/// From the host's stream to the thread that unpacks it.
struct Pieces {
    pieces: mpsc::Sender<Bytes>,
    meter: Arc<Meter>,
}

#[async_trait]
impl Sink for Pieces {
    async fn take(&mut self, bytes: Bytes) -> Result<(), HostError> {
        self.meter.moved(bytes.len() as u64).await;
        // A thread that has ended says why by itself.
        let _ = self.pieces.send(bytes).await;
        Ok(())
    }
}

/// The stream, as that thread reads it.
pub(super) struct Stream {
    coming: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.coming.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.piece.len());
        let taken = self.piece.split_to(length);
        buffer
            .get_mut(..length)
            .unwrap_or_default()
            .copy_from_slice(&taken);
        Ok(length)
    }
}
