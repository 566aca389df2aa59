//! Writing a journal as the run goes on.

use std::collections::VecDeque;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::record::{HostRecord, Record};
use crate::base::id::RunId;
use crate::event::{Consumer, Event, PlayEvent, Stamped};
use crate::store::error::StoreError;

/// The file of events in a journal's folder.
pub(in crate::store) const EVENTS: &str = "events.jsonl";

/// What the journal tells whoever feeds the database from it.
#[derive(Debug, Default)]
pub(in crate::store) struct Shared {
    unwritten: Mutex<Unwritten>,
    /// The run is over: no line will come any more.
    pub(in crate::store) ended: AtomicBool,
    pub(in crate::store) news: Notify,
}

/// Lines that the disk has no room for. Most of what a host printed is not among them: little of
/// all outputs is in memory.
#[derive(Debug, Default)]
pub(in crate::store) struct Unwritten {
    /// Whole lines, in order, behind the last one of the file.
    pub(in crate::store) lines: VecDeque<Vec<u8>>,
    /// Why.
    pub(in crate::store) why: Option<io::Error>,
}

impl Shared {
    pub(in crate::store) fn unwritten(&self) -> MutexGuard<'_, Unwritten> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run's journal, a consumer of its events.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    file: File,
    no_log: bool,
    /// So many bytes are whole lines.
    written: u64,
    /// Half a line could not be taken back: nothing may follow it.
    torn: bool,
    shared: Arc<Shared>,
}

impl Journal {
    /// Begins a journal: `DATA/journal/RUN/`, for nobody else to read, locked.
    pub fn create(data_dir: &Path, run: RunId) -> Result<Self, StoreError> {
        let parent = data_dir.join("journal");
        let folder = parent.join(run.to_string());
        // Made beside and moved when locked: nobody must take it for one that was left behind.
        let making = parent.join(format!(".{run}"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&making)
            .map_err(StoreError::file(&making))?;
        let path = making.join(EVENTS);
        let file = OpenOptions::new()
            .append(true)
            .read(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::file(&path))?;
        file.lock().map_err(StoreError::file(&path))?;
        std::fs::rename(&making, &folder).map_err(StoreError::file(&folder))?;
        Ok(Self {
            folder,
            file,
            no_log: false,
            written: 0,
            torn: false,
            shared: Arc::default(),
        })
    }

    /// Its folder; outputs too large for memory go there.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(in crate::store) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// The lock, to be held as long as the journal is being fed to the database.
    pub(in crate::store) fn lock(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Appends a line, after those that there was no room for before.
    fn append(&mut self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        let mut unwritten = self.shared.unwritten();
        unwritten.lines.push_back(line);
        while let Some(line) = unwritten.lines.front() {
            if self.torn {
                break;
            }
            if let Err(error) = self.file.write_all(line) {
                self.torn = self.file.set_len(self.written).is_err();
                if unwritten.why.is_none() {
                    tracing::warn!(%error, "the run's journal can't be written to");
                }
                unwritten.why = Some(error);
                break;
            }
            self.written += line.len() as u64;
            unwritten.lines.pop_front();
        }
        Ok(())
    }
}

impl Consumer for Journal {
    fn consume(&mut self, event: &Stamped) -> io::Result<()> {
        let record = match &event.event {
            Event::RunStarted(header) => {
                self.no_log = header.no_log;
                Record::RunStarted {
                    header: Box::new(header.as_ref().clone()),
                }
            }
            Event::HostStarted(host) => Record::HostStarted {
                host: *host,
                at: event.at,
            },
            Event::HostFinished(host, result) => Record::HostFinished {
                host: *host,
                result: Box::new(HostRecord::of(result, self.no_log)),
            },
            Event::RunFinished(end) => Record::RunFinished {
                finished: end.finished,
                stopped: end.stopped,
                summary: end.summary,
            },
            // Items are in their task's result, which comes at its end.
            Event::Play(PlayEvent::ItemFinished(_) | PlayEvent::Retrying(..)) => return Ok(()),
            // Arguments and results are what `no_log` keeps out.
            Event::Play(_) if self.no_log => return Ok(()),
            Event::Play(said) => Record::Play {
                at: event.at,
                said: Box::new(said.clone()),
            },
            Event::Output { .. } | Event::Waiting(_) | Event::Moved(_) | Event::Notice(_) => {
                return Ok(());
            }
        };
        let done = self.append(&record);
        self.shared.news.notify_one();
        done
    }
}

/// The folders of journals below a data folder, the oldest first.
pub fn journals(data_dir: &Path) -> Vec<PathBuf> {
    // Those being made, and those set aside, have a dot.
    folders(data_dir, |name| !name.contains('.'))
}

/// The folders of journals that are not whole.
pub(in crate::store) fn lost_journals(data_dir: &Path) -> Vec<PathBuf> {
    folders(data_dir, |name| {
        matches!(name.split_once('.'), Some((_, "lost")))
    })
}

fn folders(data_dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(data_dir.join("journal")) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy());
            name.is_some_and(|name| wanted(&name)) && path.join(EVENTS).is_file()
        })
        .collect();
    found.sort();
    found
}

/// Takes a journal that no run holds; `None` when one does.
pub(in crate::store) fn take_lock(folder: &Path) -> Result<Option<File>, StoreError> {
    let path = folder.join(EVENTS);
    let file = File::open(&path).map_err(StoreError::file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(StoreError::file(&path)(error)),
    }
}
