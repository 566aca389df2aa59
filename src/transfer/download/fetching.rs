//! What differs, fetched: many small files as one stream, large ones each by itself. Everything is
//! written beside its place, checked, and only then put there.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::beneath::Beneath;
use super::surveying::{Item, Survey};
use super::{Download, local, unpacking};
use crate::event::{ErrorKind, HostError, Route};
use crate::shell::files::{FileTask, HostPath, Kind, Send};
use crate::transfer::hashing::Hashing;
use crate::transfer::link::{Sink, Trouble};
use crate::transfer::meter::Meter;
use crate::transfer::part_name;
use crate::transfer::pump;
use crate::transfer::remote::{Remote, for_sftp};
use crate::transfer::upload::Report;

/// Files from this size on come by themselves and can be resumed, in bytes.
const LARGE: u64 = 1 << 20;

/// By SFTP comes what is worth a channel of its own.
const BY_SFTP: u64 = 256 * 1024;

/// Fetches.
pub(super) async fn fetch(
    order: &Download,
    remote: &mut Remote<'_>,
    survey: &mut Survey,
    report: &mut Report,
) -> Result<(), Trouble> {
    let Some(here) = survey.here.clone() else {
        return Ok(());
    };
    let wanted = survey
        .items
        .iter()
        .filter(|item| item.fetch && item.is_file());
    order.meter.expect(wanted.map(|item| item.found.size).sum());
    folders(survey, &here).await?;
    let small: Vec<&Item> = survey
        .items
        .iter()
        .filter(|item| item.fetch && item.is_file() && item.found.size < LARGE)
        .collect();
    let mut done = Vec::new();
    if remote.takes_streams() && small.len() > 1 {
        match unpacking::fetch_together(order, remote, &here, &small).await {
            Ok(()) => {
                let route = remote.stream();
                for item in &small {
                    report.add(item.fetched(survey, 0, route));
                }
                done = small.iter().map(|item| item.name.clone()).collect();
            }
            // No tar there: one by one, then.
            Err(trouble) if trouble.error.kind == ErrorKind::Unsupported => {}
            Err(trouble) => return Err(trouble),
        }
    }
    let done: std::collections::HashSet<Vec<u8>> = done.into_iter().collect();
    for item in survey.items.iter().filter(|item| item.fetch) {
        match item.found.kind {
            Kind::File if !done.contains(&item.name) => {
                let (resumed, route) = fetch_one(order, remote, &here, item).await?;
                report.add(item.fetched(survey, resumed, route));
            }
            Kind::Link => {
                let (here, name) = (here.clone(), item.name.clone());
                let to = item.link.clone().unwrap_or_default();
                local::run(move || here.link(&name, to.as_bytes())).await?;
                report.add(item.fetched(survey, 0, remote.stream()));
            }
            _ => {}
        }
    }
    remove_extra(survey, &here, report).await
}

async fn folders(survey: &Survey, here: &Arc<Beneath>) -> Result<(), Trouble> {
    let missing = survey
        .items
        .iter()
        .filter(|item| item.fetch && item.found.kind == Kind::Folder);
    let missing: Vec<Vec<u8>> = missing.map(|item| item.name.clone()).collect();
    let here = here.clone();
    local::run(move || missing.iter().try_for_each(|name| here.make_folder(name))).await
}

async fn remove_extra(
    survey: &Survey,
    here: &Arc<Beneath>,
    report: &mut Report,
) -> Result<(), Trouble> {
    if survey.extra.is_empty() {
        return Ok(());
    }
    let (here, extra) = (here.clone(), survey.extra.clone());
    local::run(move || extra.iter().try_for_each(|name| here.remove_all(name))).await?;
    for name in &survey.extra {
        report.add(survey.removal(name));
    }
    Ok(())
}

/// The name of the file that something is written to before it is whole.
pub(super) fn part_of(item: &Item) -> Vec<u8> {
    let path = HostPath::new(item.name.as_slice());
    let digest = item.digest.clone().unwrap_or_else(|| "unknown".to_owned());
    let part = part_name(path.name(), &digest);
    path.folder().join(&part).as_bytes().to_vec()
}

/// The bits a new file here is made with: execute bits come along, the rest is our umask's matter.
pub(super) fn mode(item: &Item) -> u32 {
    0o666 | (item.found.mode & 0o111)
}

/// Puts a whole, checked part file in its place.
pub(super) fn place(here: &Beneath, file: &File, part: &[u8], item: &Placing) -> io::Result<()> {
    if let Some(seconds) = item.mtime {
        let time = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(
            u64::try_from(seconds).unwrap_or(0),
        ));
        if let Some(time) = time {
            file.set_modified(time)?;
        }
    }
    if let Some(ending) = &item.backup
        && here.look(&item.name)? != super::beneath::Here::Nothing
    {
        here.rename(&item.name, &[&item.name, ending.as_bytes()].concat())?;
    }
    here.rename(part, &item.name)
}

/// What is known of a file that is put in its place.
#[derive(Debug, Clone)]
pub(super) struct Placing {
    pub(super) name: Vec<u8>,
    pub(super) mtime: Option<i64>,
    pub(super) backup: Option<String>,
}

impl Placing {
    pub(super) fn of(order: &Download, item: &Item) -> Self {
        Self {
            name: item.name.clone(),
            mtime: order.options.times.then_some(item.found.mtime),
            backup: order.options.backup.clone(),
        }
    }
}

/// One file; how much of it was here already, and the way it came.
async fn fetch_one(
    order: &Download,
    remote: &mut Remote<'_>,
    here: &Arc<Beneath>,
    item: &Item,
) -> Result<(u64, Route), Trouble> {
    let part = part_of(item);
    let opening = {
        let (here, part, mode) = (here.clone(), part.clone(), mode(item));
        let (algorithm, size) = (order.options.algorithm, item.found.size);
        let known = item.digest.is_some();
        local::run(move || open_part(&here, &part, mode, algorithm, size, known)).await?
    };
    let resumed = opening.length;
    let left = item.found.size.saturating_sub(resumed);
    let mut sink = Writing::start(opening, order.meter.clone());
    let came = bring(remote, item, resumed, left, &mut sink).await;
    let written = sink.finish().await;
    let remove = {
        let (here, part) = (here.clone(), part.clone());
        move || local::run(move || here.remove(&part))
    };
    let (opened, route) = match (came, written) {
        (Ok(route), Ok(opened)) => (opened, route),
        (Err(trouble), Ok(_)) if trouble.keeps_part() => return Err(trouble),
        (_, Err(error)) => {
            let _ = remove().await;
            return Err(error.into());
        }
        (Err(trouble), Ok(_)) => {
            let _ = remove().await;
            return Err(trouble);
        }
    };
    let digest = opened.hashing.finish();
    if opened.length != item.found.size
        || item
            .digest
            .as_ref()
            .is_some_and(|expected| *expected != digest)
    {
        let _ = remove().await;
        return Err(changed(item, &digest));
    }
    let (here, placing) = (here.clone(), Placing::of(order, item));
    local::run(move || place(&here, &opened.file, &part, &placing)).await?;
    Ok((resumed, route))
}

/// What came is not what the host said it was.
pub(super) fn changed(item: &Item, digest: &str) -> Trouble {
    let expected = item.digest.as_deref().unwrap_or("of another size");
    HostError::new(
        ErrorKind::VerifyMismatch,
        format!(
            "{}: what came is not what was there before ({digest}, not {expected})",
            item.path
        ),
    )
    .hint("is it being written to? fetch a copy of it, or try again")
    .into()
}

async fn bring(
    remote: &mut Remote<'_>,
    item: &Item,
    offset: u64,
    left: u64,
    sink: &mut Writing,
) -> Result<Route, Trouble> {
    if left == 0 && offset > 0 {
        return Ok(remote.stream());
    }
    if left >= BY_SFTP
        && let Some(path) = for_sftp(&item.path)
        && let Some(files) = remote.channel().await
    {
        let end = item.found.size;
        pump::read(&files, path, offset, end, sink, &remote.pulse()).await?;
        return Ok(Route::Sftp);
    }
    let task = FileTask::Send(Send {
        path: item.path.clone(),
        offset,
    });
    remote.fetch(task, sink).await?;
    Ok(remote.stream())
}

/// A part file that is written to.
pub(super) struct Opened {
    file: File,
    length: u64,
    hashing: Hashing,
}

/// Opens a part file, and takes in what an earlier download has left in it.
fn open_part(
    here: &Beneath,
    part: &[u8],
    mode: u32,
    algorithm: crate::shell::files::Algorithm,
    size: u64,
    known: bool,
) -> io::Result<Opened> {
    let mut file = here.append(part, mode)?;
    let mut opened = Opened {
        length: file.metadata()?.len(),
        hashing: Hashing::new(algorithm),
        file: file.try_clone()?,
    };
    if opened.length > size || !known {
        file.set_len(0)?;
        opened.length = 0;
    }
    let mut buffer = vec![0; 128 * 1024];
    let mut left = opened.length;
    while left > 0 {
        let got = file.read(&mut buffer)?;
        if got == 0 {
            break;
        }
        opened.hashing.update(buffer.get(..got).unwrap_or_default());
        left = left.saturating_sub(got as u64);
    }
    Ok(opened)
}

/// Writes what comes on a thread of its own; a slow disk holds up this host only.
struct Writing {
    pieces: Option<mpsc::Sender<Bytes>>,
    thread: JoinHandle<io::Result<Opened>>,
    meter: Arc<Meter>,
}

impl Writing {
    fn start(mut opened: Opened, meter: Arc<Meter>) -> Self {
        let (pieces, mut coming) = mpsc::channel::<Bytes>(16);
        let thread = tokio::task::spawn_blocking(move || {
            while let Some(piece) = coming.blocking_recv() {
                opened.file.write_all(&piece)?;
                opened.hashing.update(&piece);
                opened.length += piece.len() as u64;
            }
            Ok(opened)
        });
        Self {
            pieces: Some(pieces),
            thread,
            meter,
        }
    }

    async fn finish(mut self) -> Result<Opened, HostError> {
        self.pieces = None;
        match self.thread.await {
            Ok(done) => done.map_err(local::failed),
            Err(error) => Err(local::failed(io::Error::other(error))),
        }
    }
}

#[async_trait]
impl Sink for Writing {
    async fn take(&mut self, bytes: Bytes) -> Result<(), HostError> {
        self.meter.moved(bytes.len() as u64).await;
        let sent = match &self.pieces {
            Some(pieces) => pieces.send(bytes).await.is_ok(),
            None => false,
        };
        if sent {
            return Ok(());
        }
        // The thread has ended: `finish` says why.
        Err(HostError::new(
            ErrorKind::LocalIo,
            "the file here can't be written",
        ))
    }
}
