//! What happened, on record: the run's journal, a file that every event is appended to, and the
//! database, which is fed from it. A run never waits for the database and never fails because of
//! it. Knows events; knows neither hosts' connections nor what is shown.

mod database;
mod error;
mod facts;
mod files;
mod grep;
mod history;
mod host_files;
mod ingest;
mod journal;
mod keep;
mod learnt;
mod outputs;
mod plays;
mod recorder;
mod replay;
mod resume;
mod url;

pub use database::Store;
pub use error::StoreError;
pub use facts::{Fact, OF_PLAYS};
pub use files::{Fetch, FileRow};
pub use grep::Match;
pub use history::{Filter, HostRun, RunRow, Which};
pub use journal::{Journal, journals};
pub use keep::Status;
pub use plays::HostTask;
pub use recorder::{Leftover, Recorder};
pub use replay::{Replayed, replay};
pub use resume::{Entry, Left, ResumeFile, ResumeReader, prune_unfinished};
pub use url::DatabaseUrl;
