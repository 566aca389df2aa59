//! What differs, fetched: many small files as one stream, large ones each by itself. Everything is
//! written beside its place, checked, and only then put there.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::beneath::Beneath;
use super::parts::{Opened, Placing, open_part, part_of, place, place_link, touch};
use super::surveying::{Item, Survey};
use super::{Download, local, unpacking};
use crate::event::{ErrorKind, HostError, Route};
use crate::shell::files::{FileTask, Kind, Send};
use crate::transfer::link::{Sink, Trouble};
use crate::transfer::meter::Meter;
use crate::transfer::pump;
use crate::transfer::remote::{Remote, for_sftp};
use crate::transfer::report::Report;
use crate::transfer::{BY_SFTP, LARGE};

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
    let sizes = wanted.map(|item| item.found.size);
    // Whatever a host says they are.
    order.meter.expect(sizes.fold(0, u64::saturating_add));
    folders(survey, &here).await?;
    touch(survey, &here).await?;
    let mut wrong = None;
    let done = together(order, remote, &here, survey, report, &mut wrong).await?;
    for item in survey.items.iter().filter(|item| item.fetch) {
        match item.found.kind {
            Kind::File if !done.contains(item.name.as_slice()) => {
                match fetch_one(order, remote, &here, item).await {
                    Ok((resumed, came)) => {
                        let digest = Some(&came.digest);
                        report.add(item.fetched(survey, resumed, came.route, digest));
                    }
                    Err(trouble) => goes_on(trouble, &mut wrong)?,
                }
            }
            Kind::Link => {
                let (here, part) = (here.clone(), part_of(item));
                let placing = Placing::of(order, item, remote.is_windows());
                let to = item.link.clone().unwrap_or_default();
                local::run(move || place_link(&here, &part, to.as_bytes(), &placing)).await?;
                report.add(item.fetched(survey, 0, remote.stream(), None));
            }
            _ => {}
        }
    }
    match wrong {
        // A mirror of half a tree would be none.
        Some(trouble) => Err(trouble),
        None => remove_extra(survey, &here, report).await,
    }
}

/// A file that can't be had keeps nobody from having the others; the first such is told of.
fn goes_on(trouble: Trouble, wrong: &mut Option<Trouble>) -> Result<(), Trouble> {
    let of_a_file = [ErrorKind::RemoteIo, ErrorKind::VerifyMismatch];
    if !of_a_file.contains(&trouble.error.kind) {
        return Err(trouble);
    }
    wrong.get_or_insert(trouble);
    Ok(())
}

/// Fetches small files in one stream, where that goes; which are done with.
async fn together(
    order: &Download,
    remote: &mut Remote<'_>,
    here: &Arc<Beneath>,
    survey: &Survey,
    report: &mut Report,
    wrong: &mut Option<Trouble>,
) -> Result<HashSet<Vec<u8>>, Trouble> {
    let small = |item: &&Item| item.fetch && item.is_file() && item.found.size < LARGE;
    let small: Vec<&Item> = survey.items.iter().filter(small).collect();
    if !remote.takes_streams() || small.len() < 2 {
        return Ok(HashSet::new());
    }
    let (placed, done) = unpacking::fetch_together(order, remote, here, &small).await;
    let route = remote.stream();
    for item in &small {
        if let Some(digest) = placed.get(&item.name) {
            report.add(item.fetched(survey, 0, route, Some(digest)));
        }
    }
    match done {
        // No tar there: one by one, then.
        Err(trouble) if trouble.error.kind == ErrorKind::Unsupported => {
            return Ok(placed.into_keys().collect());
        }
        Err(trouble) => goes_on(trouble, wrong)?,
        Ok(()) => {}
    }
    Ok(small.iter().map(|item| item.name.clone()).collect())
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

/// How a file came, and what it comes to.
pub(super) struct Came {
    route: Route,
    digest: String,
}

/// One file; how much of it was here already, and how the rest came.
pub(super) async fn fetch_one(
    order: &Download,
    remote: &mut Remote<'_>,
    here: &Arc<Beneath>,
    item: &Item,
) -> Result<(u64, Came), Trouble> {
    let mut resumed = 0;
    match attempt(order, remote, here, item, &mut resumed).await {
        // What was here of it was not its beginning; it is gone now.
        Err(trouble) if resumed > 0 && trouble.error.kind == ErrorKind::VerifyMismatch => {
            tracing::info!(path = %item.path, "its part here was not of it, fetched anew");
            let came = attempt(order, remote, here, item, &mut resumed).await?;
            Ok((resumed, came))
        }
        done => done.map(|came| (resumed, came)),
    }
}

async fn attempt(
    order: &Download,
    remote: &mut Remote<'_>,
    here: &Arc<Beneath>,
    item: &Item,
    resumed: &mut u64,
) -> Result<Came, Trouble> {
    let part = part_of(item);
    let opening = {
        let (here, part) = (here.clone(), part.clone());
        let (algorithm, size) = (order.options.algorithm, item.found.size);
        let known = item.digest.is_some();
        local::run(move || open_part(&here, &part, algorithm, size, known)).await?
    };
    *resumed = opening.length;
    let left = item.found.size.saturating_sub(*resumed);
    let shown = here.shown(&item.name);
    let mut sink = Writing::start(opening, left, shown, order.meter.clone());
    let mut came = bring(remote, item, *resumed, left, &mut sink).await;
    let more = sink.full;
    if more {
        // It has grown since: what it was then is here, which its digest shows.
        came = Ok(remote.stream());
    }
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
    if more && !item.is_file() {
        let _ = remove().await;
        return Err(endless(item));
    }
    let digest = opened.hashing.finish();
    let is_so_long = opened.length == item.found.size;
    let as_was_said = match &item.digest {
        // What is no regular file has no size that could be known.
        Some(expected) => *expected == digest && (is_so_long || !item.is_file()),
        None => !more && is_so_long,
    };
    if !order.options.unchecked && !as_was_said {
        let _ = remove().await;
        return Err(changed(item, &digest));
    }
    let (here, placing) = (here.clone(), Placing::of(order, item, remote.is_windows()));
    local::run(move || place(&here, &opened.file, &part, &placing)).await?;
    Ok(Came { route, digest })
}

/// What has no size is taken to some length only.
fn endless(item: &Item) -> Trouble {
    let most = match item.found.size {
        bytes if bytes < 1 << 30 => format!("{bytes} bytes"),
        bytes => format!("{} GiB", bytes >> 30),
    };
    let why = format!(
        "{}: it has no size, and goes on beyond {most}, which is all that is taken of such files",
        item.path
    );
    HostError::new(ErrorKind::RemoteIo, why)
        .hint("fetch a copy of the part that is wanted")
        .into()
}

/// What to do about a file that changes while it comes.
pub(super) const WRITTEN_TO: &str = "is it being written to? fetch a copy of it, or try again";

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
    .hint(WRITTEN_TO)
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
        && item.is_file()
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

/// Writes what comes on a thread of its own; a slow disk holds up this host only.
struct Writing {
    pieces: Option<mpsc::Sender<Bytes>>,
    thread: JoinHandle<io::Result<Opened>>,
    meter: Arc<Meter>,
    /// How much is still expected, in bytes.
    left: u64,
    /// Whether more came than that.
    full: bool,
}

impl Writing {
    fn start(mut opened: Opened, left: u64, shown: PathBuf, meter: Arc<Meter>) -> Self {
        let (pieces, mut coming) = mpsc::channel::<Bytes>(16);
        let thread = tokio::task::spawn_blocking(move || {
            while let Some(piece) = coming.blocking_recv() {
                opened.file.write_all(&piece).map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", shown.display()))
                })?;
                opened.hashing.update(&piece);
                opened.length += piece.len() as u64;
            }
            Ok(opened)
        });
        Self {
            pieces: Some(pieces),
            thread,
            meter,
            left,
            full: false,
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
    async fn take(&mut self, mut bytes: Bytes) -> Result<(), HostError> {
        if bytes.len() as u64 > self.left {
            self.full = true;
            bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        }
        self.left = self.left.saturating_sub(bytes.len() as u64);
        self.meter.moved(bytes.len() as u64).await;
        let sent = match &self.pieces {
            Some(pieces) => pieces.send(bytes).await.is_ok(),
            None => false,
        };
        if !sent {
            // The thread has ended: `finish` says why.
            let why = "the file here can't be written";
            return Err(HostError::new(ErrorKind::LocalIo, why));
        }
        if self.full {
            // Whether that is well, the digest tells; the host need not go on.
            return Err(HostError::new(ErrorKind::Protocol, "more than announced"));
        }
        Ok(())
    }
}
