//! What differs, fetched: many small files as one stream, large ones each by itself. Everything is
//! written beside its place, checked, and only then put there.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::beneath::{Beneath, Here};
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
    let sizes = wanted.map(|item| item.found.size);
    // Whatever a host says they are.
    order.meter.expect(sizes.fold(0, u64::saturating_add));
    folders(survey, &here).await?;
    touch(survey, &here).await?;
    let mut wrong = None;
    let done = together(order, remote, &here, survey, report, &mut wrong).await?;
    for item in survey.items.iter().filter(|item| item.fetch) {
        match item.found.kind {
            Kind::File if !done.contains(&item.name) => {
                match fetch_one(order, remote, &here, item).await {
                    Ok((resumed, route)) => report.add(item.fetched(survey, resumed, route)),
                    Err(trouble) => goes_on(trouble, &mut wrong)?,
                }
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
    for item in small.iter().filter(|item| placed.contains(&item.name)) {
        report.add(item.fetched(survey, 0, route));
    }
    match done {
        Ok(()) => Ok(placed),
        // No tar there: one by one, then.
        Err(trouble) if trouble.error.kind == ErrorKind::Unsupported => Ok(placed),
        Err(trouble) => {
            goes_on(trouble, wrong)?;
            Ok(small.iter().map(|item| item.name.clone()).collect())
        }
    }
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

fn set_time(file: &File, seconds: i64) -> io::Result<()> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = match seconds {
        0.. => UNIX_EPOCH.checked_add(distance),
        _ => UNIX_EPOCH.checked_sub(distance),
    };
    time.map_or(Ok(()), |time| file.set_modified(time))
}

/// Sets the times of what is equal otherwise.
async fn touch(survey: &Survey, here: &Arc<Beneath>) -> Result<(), Trouble> {
    let such = survey.items.iter().filter(|item| item.touch);
    let such: Vec<_> = such
        .map(|item| (item.name.clone(), item.found.mtime))
        .collect();
    let here = here.clone();
    local::run(move || {
        such.iter().try_for_each(|(name, seconds)| {
            let set = set_time(&here.read(name)?, *seconds);
            set.map_err(|error| here.named(name, &error))
        })
    })
    .await
}

/// Puts a whole, checked part file in its place.
pub(super) fn place(here: &Beneath, file: &File, part: &[u8], item: &Placing) -> io::Result<()> {
    if let Some(seconds) = item.mtime {
        set_time(file, seconds)?;
    }
    if let Some(ending) = &item.backup
        && here.look(&item.name)? != Here::Nothing
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
    let mut resumed = 0;
    match attempt(order, remote, here, item, &mut resumed).await {
        // What was here of it was not its beginning; it is gone now.
        Err(trouble) if resumed > 0 && trouble.error.kind == ErrorKind::VerifyMismatch => {
            tracing::info!(path = %item.path, "its part here was not of it, fetched anew");
            let route = attempt(order, remote, here, item, &mut resumed).await?;
            Ok((resumed, route))
        }
        done => done.map(|route| (resumed, route)),
    }
}

async fn attempt(
    order: &Download,
    remote: &mut Remote<'_>,
    here: &Arc<Beneath>,
    item: &Item,
    resumed: &mut u64,
) -> Result<Route, Trouble> {
    let part = part_of(item);
    let opening = {
        let (here, part, mode) = (here.clone(), part.clone(), mode(item));
        let (algorithm, size) = (order.options.algorithm, item.found.size);
        let known = item.digest.is_some();
        local::run(move || open_part(&here, &part, mode, algorithm, size, known)).await?
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
    let digest = opened.hashing.finish();
    let as_was_said = match &item.digest {
        Some(expected) => *expected == digest,
        None => !more,
    };
    if opened.length != item.found.size || !as_was_said {
        let _ = remove().await;
        return Err(changed(item, &digest));
    }
    let (here, placing) = (here.clone(), Placing::of(order, item));
    local::run(move || place(&here, &opened.file, &part, &placing)).await?;
    Ok(route)
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

/// Parts of what a file was earlier are of use to nobody after this long, in seconds.
const PART_AGE: i64 = 24 * 60 * 60;

/// Removes old parts of the same file, which was another then. `.NAME.ioms-DIGEST.part`
fn remove_old(here: &Beneath, part: &[u8]) -> io::Result<()> {
    const MARK: &[u8] = b".ioms-";
    const END: &[u8] = b".part";
    let path = HostPath::new(part);
    let (folder, own) = (path.folder(), path.name());
    let Some(at) = own.windows(MARK.len()).rposition(|some| some == MARK) else {
        return Ok(());
    };
    let begin = own.get(..at + MARK.len()).unwrap_or_default();
    let is_digest = |text: &[u8]| text.len() == 32 && text.iter().all(u8::is_ascii_hexdigit);
    let before = crate::base::clock::now().as_second() - PART_AGE;
    for name in here.names(folder.as_bytes())? {
        let digest = name
            .strip_prefix(begin)
            .and_then(|rest| rest.strip_suffix(END));
        if name == own || !digest.is_some_and(is_digest) {
            continue;
        }
        let name = folder.join(&name);
        if let Here::File { mtime, .. } = here.look(name.as_bytes())?
            && mtime < before
        {
            here.remove(name.as_bytes())?;
        }
    }
    Ok(())
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
    remove_old(here, part)?;
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
