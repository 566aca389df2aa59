//! What a run says, as one stream of typed events: these types are the interface between the engine
//! and everything that reads it (terminal, JSON, JUnit, journal, database). The engine emits, others
//! consume and never call back. Knows `base` only.

pub mod capture;
pub mod catalogue;
pub mod emitter;
pub mod error;
pub mod files;
pub mod play;
pub mod redact;
pub mod types;

pub use capture::{Body, Captured};
pub use emitter::{Consumer, Emitter, HostEmitter};
pub use error::{ErrorKind, HostError};
pub use files::{FileAction, FileRecord, Moved, Route};
pub use play::{
    CustomStats, FACTS_GATHERED, Facts, FactsOf, HostCounts, PlayEvent, PlayInfo, PlayStats, Retry,
    TaskInfo, TaskResult, TaskStatus,
};
pub use redact::Redactor;
pub use types::{
    Event, HostIx, HostResult, Outcome, Recorded, RunEnd, RunHeader, RunOutcome, Stamped, Stopped,
    Stream, Summary, Timings, Waiting,
};
