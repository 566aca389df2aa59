//! What a run of plays leaves so that it can be resumed: how it was started, which files it has read,
//! and what its tasks have kept, in one file that is sealed. And how a later run takes that over.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::super::{CliError, Setup};
use crate::base::digest;
use crate::base::id::RunId;
use crate::base::pack::{Malformed, Packer, Unpacker};
use crate::base::seen::{Digest, Seen};
use crate::event::{Emitter, Event, Stopped};
use crate::playbook::run::{Earlier, Keep, Ledger, PlayEnd, RunError};
use crate::store::{Entry, ResumeFile, ResumeReader, prune_unfinished};

/// Kinds of entries in the file.
const STARTED: u8 = 1;
const FILE: u8 = 2;
const TURN: u8 = 3;
/// The run came to its end, and left tasks that `--redo` may still do.
const ENDED: u8 = 4;

/// What unfinished runs have left is kept so long.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// How a run was started: what it takes to start it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::cli) struct Started {
    /// The words of the command line, the program first.
    pub(in crate::cli) args: Vec<String>,
    /// Where.
    pub(in crate::cli) folder: PathBuf,
    /// Its inventories, from wherever they were named.
    pub(in crate::cli) inventories: Vec<String>,
    pub(in crate::cli) playbooks: Vec<PathBuf>,
    /// `--limit` and `--exclude`, files of hosts written out.
    pub(in crate::cli) limit: Vec<String>,
    pub(in crate::cli) exclude: Vec<String>,
    /// `--rerun`: the hosts that it meant then.
    pub(in crate::cli) only: Option<Vec<String>>,
    /// What `order: shuffle` shuffles by.
    pub(in crate::cli) seed: u64,
}

/// What an earlier run has left, taken over.
pub(in crate::cli) struct Resumed {
    pub(in crate::cli) from: RunId,
    pub(in crate::cli) started: Started,
    files: BTreeMap<PathBuf, Digest>,
    earlier: Earlier,
    reader: ResumeReader,
    run: RunId,
    file: ResumeFile,
    redo: bool,
    anyway: bool,
}

impl Resumed {
    /// Takes all of it over into the file of a new run, which is gone again where that does not begin.
    pub(in crate::cli) fn take(
        setup: &Setup,
        from: RunId,
        mut reader: ResumeReader,
        (redo, anyway): (bool, bool),
    ) -> Result<Self, CliError> {
        let run = RunId::new();
        let file = ResumeFile::create(&setup.data_dir(), run)?;
        let (mut started, mut files) = (None, BTreeMap::new());
        let mut earlier = Earlier::default();
        let mut ended = false;
        let mut copy = || -> Result<(), CliError> {
            while let Some(Entry { kind, content, .. }) = reader.next()? {
                if kind == ENDED {
                    ended = true;
                    continue;
                }
                let place = file.append(kind, &content)?;
                match kind {
                    STARTED => {
                        started = Some(serde_json::from_slice(&content).map_err(unreadable)?);
                    }
                    FILE => {
                        let (path, digest) = file_of(&content).map_err(unreadable)?;
                        files.insert(path, digest);
                    }
                    TURN => earlier.take(place, &content).map_err(unreadable)?,
                    _ => {}
                }
            }
            Ok(())
        };
        copy()?;
        let started = match started {
            Some(started) if redo || !ended => started,
            Some(_) => {
                return Err(CliError::new(format!(
                    "run {from} came to its end; what it reported lost is done with --redo only"
                ))
                .hint(format!(
                    "look at the hosts, then: iomsctl resume {from} --redo"
                )));
            }
            None => {
                return Err(
                    CliError::new(format!("run {from} was killed before it began"))
                        .hint("run the playbook again"),
                );
            }
        };
        for secret in earlier.secrets() {
            setup.redactor.learn(secret);
        }
        Ok(Self {
            from,
            started,
            files,
            earlier,
            reader,
            run,
            file,
            redo,
            anyway,
        })
    }

    /// The run that goes on.
    pub(super) fn run(&self) -> RunId {
        self.run
    }

    /// Refuses by name what has changed since. `seen`: what was read this time.
    pub(super) fn check(&self, setup: &Setup, seen: &Seen) -> Result<(), CliError> {
        let changed = changed(&self.files, &seen.all());
        if changed.is_empty() {
            return Ok(());
        }
        let what = format!("changed since run {}: {}", self.from, changed.join(", "));
        if self.anyway {
            setup.warn(&what);
            return Ok(());
        }
        Err(CliError::new(what).hint(
            "undo the change, or give --anyway: tasks whose own text is as it was are not done again, \
             others are",
        ))
    }
}

fn unreadable(_: impl std::error::Error) -> CliError {
    CliError::new("what the run has kept can't be read: another version of iomsctl has written it")
        .hint("resume it with that version, or run the playbook again")
}

/// What is not as it was: the files of then as they are now, what programs print now, and files that
/// were not there then.
fn changed(then: &BTreeMap<PathBuf, Digest>, now: &BTreeMap<PathBuf, Digest>) -> Vec<String> {
    let mut changed = Vec::new();
    for (path, before) in then {
        let same = match now.get(path) {
            Some(digest) => digest == before,
            // Not read yet, or by nobody any more; a program's output can't be told.
            None if before.output => true,
            None => std::fs::read(path).is_ok_and(|bytes| digest::of(&bytes) == before.digest),
        };
        if !same {
            let gone = !before.output && !path.exists();
            let note = if gone { " (it is gone)" } else { "" };
            changed.push(format!("{}{note}", path.display()));
        }
    }
    let fresh = now.keys().filter(|path| !then.contains_key(*path));
    changed.extend(fresh.map(|path| format!("{} (it is new)", path.display())));
    changed
}

fn file_entry(path: &Path, digest: &Digest) -> Vec<u8> {
    let mut entry = Packer::default();
    entry.bytes(path.as_os_str().as_bytes());
    entry.flag(digest.output);
    entry.raw(&digest.digest);
    entry.finish()
}

fn file_of(entry: &[u8]) -> Result<(PathBuf, Digest), Malformed> {
    let mut entry = Unpacker::new(entry);
    let path = PathBuf::from(OsStr::from_bytes(entry.bytes()?));
    let output = entry.flag()?;
    let digest = entry.raw(32)?.try_into().map_err(|_| Malformed)?;
    Ok((path, Digest { digest, output }))
}

/// The file as the run's tasks see it.
struct Book {
    file: ResumeFile,
    /// Something could not be written: it is not whole, and gone.
    lacks: AtomicBool,
    /// While the run lasts.
    emitter: Mutex<Option<Emitter>>,
}

impl Book {
    fn emitter(&self) -> MutexGuard<'_, Option<Emitter>> {
        self.emitter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, kind: u8, entry: &[u8]) -> Option<u64> {
        match self.file.append(kind, entry) {
            Ok(place) => Some(place),
            Err(error) => {
                // What is not whole must not be resumed. (Later attempts fail without a word.)
                if !self.lacks.swap(true, Ordering::Relaxed)
                    && self.file.remove().is_ok()
                    && let Some(emitter) = &*self.emitter()
                {
                    let text = format!("if this run is killed it can't be resumed: {error}");
                    emitter.mention(Event::Notice(text));
                }
                None
            }
        }
    }
}

impl Ledger for Book {
    fn append(&self, entry: &[u8]) -> Option<u64> {
        self.write(TURN, entry)
    }

    fn entry(&self, place: u64) -> Option<Vec<u8>> {
        let entry = self.file.read(place);
        let entry = entry.inspect_err(|error| tracing::error!(%error, "a task is done again"));
        Some(entry.ok()?.content)
    }
}

/// What a run under way keeps.
pub(super) struct Kept {
    run: RunId,
    book: Arc<Book>,
    keep: Arc<Keep>,
    /// What is said at its beginning.
    notices: Vec<String>,
    superseded: Option<ResumeReader>,
}

impl Kept {
    /// For a run that begins anew. Where that can't be had the run goes on without.
    pub(super) fn fresh(setup: &Setup, run: RunId, started: &Started) -> Option<Self> {
        let data_dir = setup.data_dir();
        if let Some(before) = SystemTime::now().checked_sub(KEPT) {
            prune_unfinished(&data_dir, before);
        }
        let begun = || -> Result<ResumeFile, CliError> {
            let file = ResumeFile::create(&data_dir, run)?;
            let started = serde_json::to_vec(started).map_err(unreadable)?;
            file.append(STARTED, &started)?;
            file.keep();
            Ok(file)
        };
        match begun() {
            Ok(file) => Some(Self::over(setup, run, file, Earlier::default(), false)),
            Err(error) => {
                setup.warn(&format!(
                    "if this run is killed it can't be resumed: {}",
                    error.message
                ));
                None
            }
        }
    }

    /// For one that goes on with another.
    pub(super) fn resumed(setup: &Setup, resumed: Resumed) -> Self {
        let notices = notices(&resumed);
        let Resumed {
            earlier,
            file,
            redo,
            run,
            ..
        } = resumed;
        let mut kept = Self::over(setup, run, file, earlier, redo);
        kept.notices = notices;
        kept.superseded = Some(resumed.reader);
        kept
    }

    fn over(setup: &Setup, run: RunId, file: ResumeFile, earlier: Earlier, redo: bool) -> Self {
        let book = Arc::new(Book {
            file,
            lacks: AtomicBool::new(false),
            emitter: Mutex::default(),
        });
        let on = book.clone();
        setup.seen.listen(Arc::new(move |path, digest| {
            on.write(FILE, &file_entry(path, digest));
        }));
        let keep = Keep::new(book.clone(), earlier, redo);
        Self {
            run,
            book,
            keep,
            notices: Vec::new(),
            superseded: None,
        }
    }

    /// The run begins: from now on it is the one to be resumed.
    pub(super) async fn begin(&mut self, emitter: &Emitter) -> Result<(), CliError> {
        *self.book.emitter() = Some(emitter.clone());
        if let Some(reader) = self.superseded.take() {
            if self.book.lacks.load(Ordering::Relaxed) {
                return Err(CliError::new("what the run has to keep can't be written")
                    .hint("see that the data folder has room"));
            }
            reader.resumed(self.run)?;
            self.book.file.keep();
        }
        for notice in self.notices.drain(..) {
            emitter.emit(Event::Notice(notice)).await;
        }
        Ok(())
    }

    /// Keeps what the run's tasks tell it.
    pub(super) fn keep(&self) -> Arc<Keep> {
        self.keep.clone()
    }

    /// The run is over: what is left of it, and how to go on with that.
    pub(super) fn finish(self, end: &PlayEnd) -> Option<String> {
        // Whoever shows the run waits until nobody can say anything more.
        *self.book.emitter() = None;
        if self.book.lacks.load(Ordering::Relaxed) {
            return None;
        }
        let run = self.run;
        let broke_off = match &end.error {
            // The same arguments would end the same way.
            Some(RunError::NoStart(_)) => false,
            Some(_) => true,
            None => matches!(
                end.stopped,
                Some(Stopped::Interrupted | Stopped::Terminated | Stopped::Deadline)
            ),
        };
        if broke_off {
            return Some(format!("go on with: iomsctl resume {run}"));
        }
        let lost = self.keep.lost();
        if lost > 0 && self.book.write(ENDED, &[]).is_some() {
            let tasks = tasks(lost);
            return Some(format!(
                "{tasks} reported lost: look at the hosts; iomsctl resume {run} --redo does such tasks again"
            ));
        }
        let _ = self.book.file.remove();
        None
    }
}

fn tasks(count: usize) -> String {
    match count {
        1 => "1 task was".to_owned(),
        count => format!("{count} tasks were"),
    }
}

/// What is said where a run goes on with another.
fn notices(resumed: &Resumed) -> Vec<String> {
    let (turns, hosts) = resumed.earlier.done();
    let from = resumed.from;
    let hosts = match hosts {
        1 => "1 host".to_owned(),
        hosts => format!("{hosts} hosts"),
    };
    let mut notices = vec![format!(
        "run {from} goes on: {} done on {hosts} and not done again",
        tasks(turns)
    )];
    let begun = resumed.earlier.begun();
    if begun > 0 {
        let tasks = tasks(begun);
        notices.push(if resumed.redo {
            format!("{tasks} at work when it ended and done again (--redo)")
        } else {
            format!("{tasks} at work when it ended and can't be done twice: reported failed")
        });
    }
    notices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_changed_gone_or_new_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let of = |content: &str, output| Digest {
            digest: digest::of(content.as_bytes()),
            output,
        };
        std::fs::write(at("later.yml"), "1").unwrap();
        std::fs::write(at("edited.yml"), "2").unwrap();
        let then = BTreeMap::from([
            (at("same.yml"), of("1", false)),
            (at("later.yml"), of("1", false)),
            (at("edited.yml"), of("1", false)),
            (at("gone.yml"), of("1", false)),
            (at("hosts.sh --list"), of("1", true)),
        ]);
        let now = BTreeMap::from([
            (at("same.yml"), of("1", false)),
            (at("hosts.sh --list"), of("2", true)),
            (at("new.yml"), of("1", false)),
        ]);
        let changed: Vec<String> = changed(&then, &now)
            .into_iter()
            .map(|text| text.replace(&format!("{}/", folder.path().display()), ""))
            .collect();
        let expected = [
            "edited.yml",
            "gone.yml (it is gone)",
            "hosts.sh --list",
            "new.yml (it is new)",
        ];
        assert_eq!(changed, expected);
        let (path, digest) = file_of(&file_entry(&at("ü.yml"), &of("x", true))).unwrap();
        assert_eq!((path, digest), (at("ü.yml"), of("x", true)));
    }
}
