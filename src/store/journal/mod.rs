//! The journal: one folder a run, with the file that every event is appended to and the outputs that
//! are too large for memory. Locked while the run lives; gone when all of it is in the database.

mod read;
mod record;
mod write;

pub use write::{Journal, journals};

pub(super) use read::{Line, Reader};
pub(super) use record::{Content, HostRecord, OutputRecord, Record};
pub(super) use write::{Shared, lost_journals, take_lock};
