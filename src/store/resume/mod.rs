//! What resuming a play needs: a file a run in `plays/`, which the run appends to as it goes on. All
//! of it is sealed, by a key that lies in the data folder only. Knows entries as bytes; what they mean
//! is said by who writes them.

mod file;
mod seal;

pub use file::{Entry, Left, ResumeFile, ResumeReader, prune_unfinished};
