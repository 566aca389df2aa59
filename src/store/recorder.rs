//! Feeds the database from the journal while the run goes on, on a thread of its own. The run never
//! waits for it, save a bounded moment at the end.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};

use super::database::Store;
use super::error::StoreError;
use super::ingest::Ingest;
use super::journal::{Journal, Shared};
use super::replay::{Standing, aside, replay_beside};
use super::url::DatabaseUrl;
use crate::event::Recorded;

/// Lines are gathered for so long before they are brought over: a record lags at most 2 s behind.
const GATHER: Duration = Duration::from_secs(1);
/// Between two attempts at a database that is away.
const RETRY: Duration = Duration::from_secs(2);

/// A run's recorder.
pub struct Recorder {
    shared: Arc<Shared>,
    end: oneshot::Sender<Instant>,
    thread: JoinHandle<(Fed, File)>,
    folder: PathBuf,
}

/// What became of feeding the database.
struct Fed {
    recorded: Recorded,
    why: Option<StoreError>,
    slow: Option<PathBuf>,
}

/// The journal after the run: holds its outputs until it is dropped. Then it goes, if it is
/// recorded, or is set aside, if it is not whole: nobody may take its end for the controller's death.
#[derive(Debug)]
pub struct Leftover {
    /// Why the database has not taken the record, where it said so.
    pub why: Option<StoreError>,
    /// Where the journal goes that is not whole, and why it is not.
    pub lost: Option<(PathBuf, String)>,
    /// The journal of an earlier run that takes longer than runs wait: they leave it alone from now on.
    pub slow: Option<PathBuf>,
    recorded: Recorded,
    folder: PathBuf,
    _lock: Option<File>,
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let gone = match (self.recorded, &self.lost) {
            (Recorded::Stored, _) => std::fs::remove_dir_all(&self.folder),
            (_, Some((aside, _))) => std::fs::rename(&self.folder, aside),
            _ => Ok(()),
        };
        if let Err(error) = gone {
            tracing::warn!(%error, folder = %self.folder.display(), "a journal stays where it is");
        }
    }
}

struct Feed {
    url: DatabaseUrl,
    data_dir: PathBuf,
    folder: PathBuf,
    shared: Arc<Shared>,
    store: Option<Store>,
    ingest: Option<Ingest>,
    /// Brings over what other runs have left behind, beside the run's own record.
    others: Option<tokio::task::JoinHandle<()>>,
    /// Where that stands.
    standing: Arc<Standing>,
    /// Lines of the run that its journal had no room for.
    unwritten: Vec<Vec<u8>>,
    /// What the database said last, unless that was yes.
    why: Option<StoreError>,
}

impl Recorder {
    /// Begins to feed the database from a journal. What other runs have left behind is replayed
    /// meanwhile, so far as there is time; a later run goes on where this one has stopped.
    pub fn start(
        url: DatabaseUrl,
        data_dir: PathBuf,
        journal: &Journal,
    ) -> Result<Self, StoreError> {
        let shared = journal.shared();
        let lock = journal.lock().map_err(StoreError::file(journal.folder()))?;
        let (end, ended) = oneshot::channel();
        let feed = Feed {
            url,
            data_dir,
            folder: journal.folder().to_owned(),
            shared: shared.clone(),
            store: None,
            ingest: None,
            others: None,
            standing: Arc::default(),
            unwritten: Vec::new(),
            why: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StoreError::file(journal.folder()))?;
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || {
                let fed = runtime.block_on(feed.run(ended));
                // A database that does not answer must not keep the process.
                runtime.shutdown_background();
                (fed, lock)
            })
            .map_err(StoreError::file(journal.folder()))?;
        Ok(Self {
            shared,
            end,
            thread,
            folder: journal.folder().to_owned(),
        })
    }

    /// The run is over and its journal is written: waits for the database, `patience` at most.
    /// Outputs in files of the journal can be read until the leftover is dropped.
    pub fn finish(self, patience: Duration) -> (Recorded, Leftover) {
        self.shared.ended.store(true, Ordering::Release);
        let _ = self.end.send(Instant::now() + patience);
        self.shared.news.notify_one();
        let (fed, lock) = match self.thread.join() {
            Ok((fed, lock)) => (fed, Some(lock)),
            Err(_) => (Fed::not_at_all(), None),
        };
        let Fed {
            recorded,
            why,
            slow,
        } = fed;
        let lost = (recorded == Recorded::Lost).then(|| {
            let why = self.shared.unwritten().why.take();
            let why = why.map_or_else(|| "no journal".to_owned(), |error| error.to_string());
            (aside(&self.folder, "lost"), why)
        });
        (
            recorded,
            Leftover {
                why,
                lost,
                slow,
                recorded,
                folder: self.folder,
                _lock: lock,
            },
        )
    }
}

impl Fed {
    fn not_at_all() -> Self {
        Self {
            recorded: Recorded::Spooled,
            why: None,
            slow: None,
        }
    }
}

impl Feed {
    async fn run(mut self, ended: oneshot::Receiver<Instant>) -> Fed {
        let mut deadline = None;
        let recorded = self.feed(ended, &mut deadline).await;
        let mut slow = None;
        if let (Some(others), Some(deadline)) = (self.others.take(), deadline) {
            let cut = timeout_at(deadline, others).await.is_err();
            if cut && recorded == Recorded::Stored {
                slow = self.standing.cut();
            }
        }
        Fed {
            recorded,
            why: self.why.filter(|_| recorded != Recorded::Stored),
            slow,
        }
    }

    async fn feed(
        &mut self,
        mut ended: oneshot::Receiver<Instant>,
        deadline: &mut Option<Instant>,
    ) -> Recorded {
        loop {
            let Some(done) = self.attempt(&mut ended, deadline).await else {
                return self.result(false);
            };
            let over = self.ingest.as_ref().is_some_and(Ingest::is_over);
            match (*deadline, done) {
                (Some(_), true) => return self.result(over),
                (Some(at), false) if Instant::now() + RETRY / 10 >= at => {
                    return self.result(false);
                }
                (Some(_), false) => sleep(RETRY / 10).await,
                (None, _) => {
                    let pause = if done { GATHER } else { RETRY };
                    tokio::select! {
                        end = &mut ended => *deadline = Some(at_once_unless(end)),
                        () = sleep(pause) => {}
                    }
                    if deadline.is_none() && done {
                        tokio::select! {
                            end = &mut ended => *deadline = Some(at_once_unless(end)),
                            () = self.shared.news.notified() => {}
                        }
                    }
                }
            }
        }
    }

    /// One step and whether it went well; `None` when the deadline passed. Until then a step is
    /// never dropped half done: what it has read of the journal would be missing.
    async fn attempt(
        &mut self,
        ended: &mut oneshot::Receiver<Instant>,
        deadline: &mut Option<Instant>,
    ) -> Option<bool> {
        let result = {
            let step = self.step();
            tokio::pin!(step);
            let early = if deadline.is_some() {
                None
            } else {
                tokio::select! {
                    result = &mut step => Some(result),
                    end = ended => {
                        *deadline = Some(at_once_unless(end));
                        None
                    }
                }
            };
            match (early, *deadline) {
                (Some(result), _) => result,
                (None, Some(at)) => timeout_at(at, step).await.ok()?,
                (None, None) => step.await,
            }
        };
        if let Err(error) = &result {
            tracing::debug!(%error, "the record can't be brought into the database yet");
        }
        let well = result.is_ok();
        self.why = result.err();
        Some(well)
    }

    /// Opens what is not open yet and brings over what is there.
    async fn step(&mut self) -> Result<(), StoreError> {
        let store = if let Some(store) = &self.store {
            store.clone()
        } else {
            let store = Store::open(&self.url).await?;
            self.store = Some(store.clone());
            store
        };
        let ingest = match &mut self.ingest {
            Some(ingest) => ingest,
            none => none.insert(Ingest::open(&self.folder)?),
        };
        ingest.catch_up(&store).await?;
        // Behind the run's own beginning, so that no large journal keeps the run off the record.
        if self.others.is_none() {
            let (store, data_dir) = (store.clone(), self.data_dir.clone());
            let standing = self.standing.clone();
            self.others = Some(tokio::spawn(async move {
                if let Err(error) = replay_beside(&store, &data_dir, &standing).await {
                    tracing::debug!(%error, "earlier runs are not all in the database yet");
                }
            }));
        }
        // Before the end the journal itself tries again.
        if self.shared.ended.load(Ordering::Acquire) {
            self.unwritten
                .extend(self.shared.unwritten().lines.drain(..));
            ingest.catch_up_with(&store, &self.unwritten).await?;
        }
        Ok(())
    }

    fn result(&self, over: bool) -> Recorded {
        if over {
            Recorded::Stored
        } else if self.unwritten.is_empty() && self.shared.unwritten().lines.is_empty() {
            Recorded::Spooled
        } else {
            Recorded::Lost
        }
    }
}

/// The deadline; now, when whoever would name one is gone.
fn at_once_unless(named: Result<Instant, oneshot::error::RecvError>) -> Instant {
    named.unwrap_or_else(|_| Instant::now())
}
