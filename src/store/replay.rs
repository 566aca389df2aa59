//! Journals that runs have left behind: of a database that was away, of a controller that died.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::database::Store;
use super::error::StoreError;
use super::ingest::{Ingest, Step};
use super::journal::{journals, lost_journals, take_lock};

/// What a replay did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Journals that are in the database now.
    pub stored: usize,
    /// Of these, runs whose controller had died.
    pub lost: usize,
    /// Journals of runs under way.
    pub busy: usize,
    /// Journals that could not be read and were set aside.
    pub broken: Vec<PathBuf>,
    /// Journals that the database refuses, and its word; they stay.
    pub refused: Vec<(PathBuf, String)>,
}

/// In the folder of a journal that takes longer than a run waits.
const SLOW: &str = "slow";

/// A journal of which nothing was brought in after so long: the next run would wait in vain, too.
const FAIR: Duration = Duration::from_secs(1);

/// Where a replay stands, for the run that may have to cut it short.
#[derive(Debug, Default)]
pub(super) struct Standing(Mutex<Option<Turn>>);

/// The journal whose turn it is.
#[derive(Debug)]
struct Turn {
    folder: PathBuf,
    since: Instant,
    /// Whether anything of it was brought in since then: then so much less is left for the next run.
    brought: bool,
}

/// Brings all journals that no run holds into the database and removes them. One that the database
/// refuses does not hold up the others.
pub async fn replay(store: &Store, data_dir: &Path) -> Result<Replayed, StoreError> {
    all(store, data_dir, |_| true, &Standing::default()).await
}

/// The same beside a run: leaves alone what an earlier one has waited for in vain.
pub(super) async fn replay_beside(
    store: &Store,
    data_dir: &Path,
    standing: &Standing,
) -> Result<Replayed, StoreError> {
    let is_quick = |folder: &Path| !folder.join(SLOW).exists();
    all(store, data_dir, is_quick, standing).await
}

async fn all(
    store: &Store,
    data_dir: &Path,
    wanted: impl Fn(&Path) -> bool,
    standing: &Standing,
) -> Result<Replayed, StoreError> {
    let mut replayed = Replayed::default();
    let mut folders = journals(data_dir);
    folders.extend(lost_journals(data_dir));
    folders.retain(|folder| wanted(folder));
    for folder in folders {
        let lock = match take_lock(&folder) {
            Ok(Some(lock)) => lock,
            Ok(None) => {
                replayed.busy += 1;
                continue;
            }
            // Somebody else has just removed it.
            Err(StoreError::File { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                continue;
            }
            Err(error) => return Err(error),
        };
        let whole = folder.extension().is_none();
        match one(store, &folder, whole, standing).await {
            Ok(died) => {
                replayed.stored += 1;
                replayed.lost += usize::from(died);
                std::fs::remove_dir_all(&folder).map_err(StoreError::file(&folder))?;
            }
            Err(
                error @ (StoreError::Journal { .. }
                | StoreError::Content(_)
                | StoreError::File { .. }),
            ) => {
                tracing::error!(%error, folder = %folder.display(), "a journal can't be read and is set aside");
                let aside = aside(&folder, "broken");
                std::fs::rename(&folder, &aside).map_err(StoreError::file(&folder))?;
                replayed.broken.push(aside);
            }
            Err(error) if store.refused(&error).await => {
                replayed.refused.push((folder, error.to_string()));
            }
            Err(error) => return Err(error),
        }
        drop(lock);
    }
    Ok(replayed)
}

/// One journal; true when its controller had died.
async fn one(
    store: &Store,
    folder: &Path,
    whole: bool,
    standing: &Standing,
) -> Result<bool, StoreError> {
    standing.begin(folder);
    let mut ingest = Ingest::open(folder)?;
    loop {
        match ingest.step(store).await? {
            Step::End => break,
            Step::Known => {}
            Step::Brought => standing.brought(),
        }
    }
    if ingest.is_over() {
        return Ok(false);
    }
    ingest.complete(store, whole).await?;
    Ok(whole)
}

impl Standing {
    fn turn(&self) -> MutexGuard<'_, Option<Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is this journal's turn.
    fn begin(&self, folder: &Path) {
        *self.turn() = Some(Turn {
            folder: folder.to_owned(),
            since: Instant::now(),
            brought: false,
        });
    }

    /// Something of it was brought in.
    fn brought(&self) {
        if let Some(turn) = &mut *self.turn() {
            turn.brought = true;
        }
    }

    /// The replay is cut short while the database answers: the journal that is to be left alone by runs
    /// from now on, where its turn was long enough and nothing came of it.
    pub(super) fn cut(&self) -> Option<PathBuf> {
        let turn = self.turn().take()?;
        let slow = !turn.brought
            && turn.since.elapsed() >= FAIR
            && std::fs::write(turn.folder.join(SLOW), "").is_ok();
        slow.then_some(turn.folder)
    }
}

/// Where a journal goes that is not to be taken for a whole one.
pub(super) fn aside(folder: &Path, why: &str) -> PathBuf {
    folder.with_extension(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_journal_is_slow_when_nothing_of_it_came_in_while_it_had_its_turn() {
        let data = tempfile::tempdir().unwrap();
        let standing = Standing::default();
        assert_eq!(standing.cut(), None);

        standing.begin(data.path());
        assert_eq!(standing.cut(), None, "its turn has only just come");

        // However long the last of it takes.
        standing.begin(data.path());
        standing.brought();
        tokio::time::advance(10 * FAIR).await;
        assert_eq!(standing.cut(), None);
        assert!(!data.path().join(SLOW).exists());

        standing.begin(data.path());
        tokio::time::advance(FAIR).await;
        assert_eq!(standing.cut().as_deref(), Some(data.path()));
        assert!(data.path().join(SLOW).exists());
    }
}
