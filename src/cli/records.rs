//! A run's record as a verb sees it: begun before the run, ended after it, never in its way.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{CliError, Setup};
use crate::base::clock;
use crate::base::id::RunId;
use crate::event::{Consumer, Recorded};
use crate::store::{DatabaseUrl, Journal, Recorder, Store, replay};

/// How long the end of a run waits for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// The record of one run.
pub struct Records {
    folder: PathBuf,
    journal: Option<Journal>,
    recorder: Option<Recorder>,
    /// Removed at the end where there is no journal.
    temporary: bool,
}

impl Records {
    /// Begins the record. What goes wrong is warned of; the run goes on without it.
    pub fn begin(setup: &Setup, run: RunId) -> Self {
        match Self::try_begin(setup, run) {
            Ok(records) => records,
            Err(error) => {
                setup.warn(&format!("this run can't be recorded: {}", error.message));
                let folder = std::env::temp_dir().join(format!("ioms-{run}"));
                let _ = std::fs::DirBuilder::new().mode(0o700).create(&folder);
                Self {
                    folder,
                    journal: None,
                    recorder: None,
                    temporary: true,
                }
            }
        }
    }

    fn try_begin(setup: &Setup, run: RunId) -> Result<Self, CliError> {
        let data_dir = setup.data_dir();
        let url = setup.database()?;
        let journal = Journal::create(&data_dir, run)?;
        let recorder = Recorder::start(url, data_dir, &journal)?;
        Ok(Self {
            folder: journal.folder().to_owned(),
            journal: Some(journal),
            recorder: Some(recorder),
            temporary: false,
        })
    }

    /// What reads the run's events; asked for once.
    pub fn consumer(&mut self) -> Option<Box<dyn Consumer>> {
        self.journal
            .take()
            .map(|journal| Box::new(journal) as Box<dyn Consumer>)
    }

    /// Where outputs go that are too large for memory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The run is over and all its events are consumed: what became of the record. `shown` is
    /// called while the outputs are still there.
    pub fn finish(
        self,
        setup: &Setup,
        show: impl FnOnce(Recorded) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let Some(recorder) = self.recorder else {
            let shown = show(Recorded::Lost);
            if self.temporary {
                let _ = std::fs::remove_dir_all(&self.folder);
            }
            return shown;
        };
        let (recorded, journal) = recorder.finish(PATIENCE);
        let shown = show(recorded);
        match (&journal.lost, &journal.why) {
            (Some((folder, why)), database) => {
                let database = database
                    .as_ref()
                    .map(|why| format!("; {why}"))
                    .unwrap_or_default();
                setup.warn(&format!(
                    "the record of this run is not whole: its journal could not be written: {why}{database}; what there is of it is in {}",
                    folder.display()
                ));
            }
            (None, Some(why)) => {
                setup.warn(&format!("the record is in its journal only: {why}"));
            }
            (None, None) => {}
        }
        if let Some(folder) = &journal.slow {
            setup.warn(&format!(
                "the record of an earlier run takes longer to bring in than runs wait: {}; `iomsctl db replay` brings it in",
                folder.display()
            ));
        }
        drop(journal);
        shown
    }
}

/// The database, with what was left behind brought in.
pub async fn open(setup: &Setup) -> Result<Store, CliError> {
    let url: DatabaseUrl = setup.database()?;
    let store = Store::open(&url).await.map_err(|error| match error {
        error @ crate::store::StoreError::Database { .. } => CliError::from(error)
            .hint(match url {
                DatabaseUrl::Sqlite(_) => "is there room on the disk, and may you write there? `iomsctl config show data_dir`",
                DatabaseUrl::Mysql(_) => "is it running, and do user and password fit? `iomsctl config show database`",
            }),
        other => other.into(),
    })?;
    match replay(&store, &setup.data_dir()).await {
        Ok(replayed) => {
            for (folder, why) in &replayed.refused {
                setup.warn(&format!(
                    "an earlier run is not in the database: {}: {why}",
                    folder.display()
                ));
            }
        }
        Err(error) => setup.warn(&format!(
            "earlier runs are not all in the database yet: {error}"
        )),
    }
    Ok(store)
}

/// The time so long ago.
pub fn ago(time: Duration) -> Result<Timestamp, CliError> {
    SignedDuration::try_from(time)
        .ok()
        .and_then(|time| clock::now().checked_sub(time).ok())
        .ok_or_else(|| CliError::new("there was no time so long ago").hint("write 2h, 30d, 365d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_before_all_time_is_an_error() {
        assert!(ago(Duration::from_hours(1)).unwrap() < clock::now());
        for days in [99_999_999, u64::MAX / 86_400] {
            assert!(ago(Duration::from_secs(days * 86_400)).is_err(), "{days}");
        }
    }
}
