//! A host's stream of files on its way to the thread that takes it apart: bounded, whatever the host
//! sends. Knows nothing of where files go.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;

use crate::event::{ErrorKind, HostError};
use crate::shell::windows::files::frames;
use crate::transfer::link::Sink;
use crate::transfer::meter::Meter;

/// From the host's stream to the thread that unpacks it.
pub(super) struct Pieces {
    pub(super) to: mpsc::Sender<Bytes>,
    pub(super) meter: Arc<Meter>,
    /// How much more may come, in bytes.
    pub(super) left: u64,
    /// Whether nobody reads it any more.
    pub(super) deaf: bool,
}

#[async_trait]
impl Sink for Pieces {
    async fn take(&mut self, bytes: Bytes) -> Result<(), HostError> {
        let length = bytes.len() as u64;
        self.left = self.left.checked_sub(length).ok_or_else(|| {
            let why = "the host sends much more than the files it has named";
            HostError::new(ErrorKind::Protocol, why)
        })?;
        self.meter.moved(length).await;
        self.to.send(bytes).await.map_err(|_| {
            // The thread that has ended says why by itself.
            self.deaf = true;
            HostError::new(ErrorKind::Protocol, "nobody reads on")
        })
    }
}

/// The stream, as that thread reads it.
pub(super) struct Stream {
    pub(super) coming: mpsc::Receiver<Bytes>,
    pub(super) piece: Bytes,
    /// How much may be read, in bytes, if there is a limit.
    pub(super) budget: Rc<Cell<Option<u64>>>,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.coming.blocking_recv() {
                Some(piece) => self.piece = piece,
                None if self.budget.get().is_some() => return Ok(0),
                // In the midst of a file.
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let length = buffer.len().min(self.piece.len());
        if let Some(budget) = self.budget.get() {
            let left = budget.checked_sub(length as u64);
            let left = left.ok_or_else(|| io::Error::other("there is no end to it"))?;
            self.budget.set(Some(left));
        }
        let taken = self.piece.split_to(length);
        buffer
            .get_mut(..length)
            .unwrap_or_default()
            .copy_from_slice(&taken);
        Ok(length)
    }
}

/// A stream of frames, taken apart.
pub(super) struct Frames {
    pub(super) coming: mpsc::Receiver<Bytes>,
    pub(super) decoder: frames::Decoder,
    pub(super) events: VecDeque<frames::Event>,
}

impl Frames {
    pub(super) fn next(&mut self) -> io::Result<Option<frames::Event>> {
        while self.events.is_empty() {
            let Some(piece) = self.coming.blocking_recv() else {
                return Ok(None);
            };
            let events = self.decoder.take(piece).map_err(io::Error::other)?;
            self.events.extend(events);
        }
        Ok(self.events.pop_front())
    }
}

/// One file's content in it.
pub(super) struct Framed<'a> {
    pub(super) frames: &'a mut Frames,
    pub(super) left: u64,
    pub(super) piece: Bytes,
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
