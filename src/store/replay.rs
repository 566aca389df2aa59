//! Journals that runs have left behind: of a database that was away, of a controller that died.

use std::path::{Path, PathBuf};

use super::database::Store;
use super::error::StoreError;
use super::ingest::Ingest;
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

/// Brings all journals that no run holds into the database and removes them. One that the database
/// refuses does not hold up the others.
pub async fn replay(store: &Store, data_dir: &Path) -> Result<Replayed, StoreError> {
    let mut replayed = Replayed::default();
    let mut folders = journals(data_dir);
    folders.extend(lost_journals(data_dir));
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
        match one(store, &folder, whole).await {
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
async fn one(store: &Store, folder: &Path, whole: bool) -> Result<bool, StoreError> {
    let mut ingest = Ingest::open(folder)?;
    ingest.catch_up(store).await?;
    if ingest.is_over() {
        return Ok(false);
    }
    ingest.complete(store, whole).await?;
    Ok(whole)
}

/// Where a journal goes that is not to be taken for a whole one.
pub(super) fn aside(folder: &Path, why: &str) -> PathBuf {
    folder.with_extension(why)
}
