//! One file's content through an SFTP channel, with many requests under way at a time in both
//! directions: with one at a time each would wait for the last one's round trip.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::{FuturesOrdered, FuturesUnordered};
use futures::{FutureExt as _, StreamExt as _};

use super::link::{Pulse, Sink, not_its_fault};
use crate::base::chunks::Chunks;
use crate::event::{ErrorKind, HostError};
use crate::transport::{FileHandle, Files};

/// Bytes under way: at 50 ms of round trip, 80 MiB/s. A host's own window is half of that.
const IN_FLIGHT: usize = 4 << 20;

/// Requests that carry so many bytes each.
fn at_once(piece: u32) -> usize {
    // 64 of 32 KiB reach what OpenSSH's own client does.
    (IN_FLIGHT / piece.max(1) as usize).clamp(4, 64)
}

/// Writes what comes to `path` from `offset` on; what was beyond `offset` is cut off. A new file is
/// readable by nobody else where it is `private`.
pub(super) async fn write(
    files: &Arc<dyn Files>,
    path: &[u8],
    private: bool,
    offset: u64,
    mut chunks: Box<dyn Chunks>,
    pulse: &Pulse,
) -> Result<(), HostError> {
    let file = if offset == 0 {
        new_file(files, path, private).await?
    } else {
        if !holds(files, path, offset).await? {
            let path = String::from_utf8_lossy(path);
            let why = format!("{path}: what it was to go on from is gone");
            return Err(HostError::new(ErrorKind::RemoteIo, why));
        }
        let file = files.reopen(path).await?;
        files.truncate(&file, offset).await?;
        file
    };
    let written = write_all(files, &file, offset, &mut *chunks, pulse).await;
    let closed = files.close(file).await;
    written.and(closed)
}

/// What is there was left by an earlier one, or put there by others: it is not written through.
async fn new_file(
    files: &Arc<dyn Files>,
    path: &[u8],
    private: bool,
) -> Result<FileHandle, HostError> {
    match files.create(path, private).await {
        Err(error) if error.kind == ErrorKind::RemoteIo => {
            let _ = files.remove(path).await;
            files.create(path, private).await
        }
        made => made,
    }
}

/// Whether a file, and no link to one, is there and holds so much.
pub(super) async fn holds(
    files: &Arc<dyn Files>,
    path: &[u8],
    size: u64,
) -> Result<bool, HostError> {
    let there = files.lstat(path).await?;
    Ok(there.is_some_and(|there| there.mode & 0o170_000 == 0o100_000 && there.size >= size))
}

async fn write_all(
    files: &Arc<dyn Files>,
    file: &FileHandle,
    mut offset: u64,
    chunks: &mut dyn Chunks,
    pulse: &Pulse,
) -> Result<(), HostError> {
    let most = files.write_max() as usize;
    let at_once = at_once(files.write_max());
    let mut pending = Bytes::new();
    let mut under_way = FuturesUnordered::new();
    loop {
        if pending.is_empty() {
            let next = not_its_fault(pulse, chunks.next()).await;
            match next.map_err(|error| HostError::new(ErrorKind::LocalIo, error.to_string()))? {
                Some(chunk) => pending = chunk,
                None => break,
            }
        }
        let piece = pending.split_to(most.min(pending.len()));
        let length = piece.len() as u64;
        under_way.push(files.write(file, offset, piece));
        offset += length;
        if under_way.len() >= at_once
            && let Some(done) = under_way.next().await
        {
            done?;
            pulse();
        }
    }
    while let Some(done) = under_way.next().await {
        done?;
        pulse();
    }
    Ok(())
}

/// Reads a file from `offset` to `end` (or its own, if that is before) into `sink`, in order.
pub(super) async fn read(
    files: &Arc<dyn Files>,
    path: &[u8],
    offset: u64,
    end: u64,
    sink: &mut dyn Sink,
    pulse: &Pulse,
) -> Result<(), HostError> {
    let file = files.open(path).await?;
    let read = read_all(files, &file, offset, end, sink, pulse).await;
    // Nothing depends on it.
    let files = files.clone();
    tokio::spawn(async move { files.close(file).await });
    read
}

async fn read_all(
    files: &Arc<dyn Files>,
    file: &FileHandle,
    offset: u64,
    end: u64,
    sink: &mut dyn Sink,
    pulse: &Pulse,
) -> Result<(), HostError> {
    let most = files.read_max();
    let mut places = (offset..end).step_by(most.max(1) as usize);
    let mut under_way = FuturesOrdered::new();
    loop {
        while under_way.len() < at_once(most)
            && let Some(at) = places.next()
        {
            under_way.push_back(piece(files, file, at, most).boxed());
        }
        let Some(piece) = under_way.next().await else {
            return Ok(());
        };
        let piece = piece?;
        pulse();
        let last = piece.len() < most as usize;
        if !piece.is_empty() {
            not_its_fault(pulse, sink.take(piece)).await?;
        }
        if last {
            return Ok(());
        }
    }
}

/// One piece, asked for until it is full or the file is over: servers may give less than was asked.
async fn piece(
    files: &Arc<dyn Files>,
    file: &FileHandle,
    at: u64,
    most: u32,
) -> Result<Bytes, HostError> {
    let mut piece = BytesMut::new();
    while piece.len() < most as usize {
        let left = most - u32::try_from(piece.len()).unwrap_or(most);
        let got = files.read(file, at + piece.len() as u64, left).await?;
        if got.is_empty() {
            break;
        }
        if piece.is_empty() && got.len() == most as usize {
            return Ok(got);
        }
        piece.extend_from_slice(&got);
    }
    Ok(piece.freeze())
}
