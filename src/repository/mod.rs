//! The file repository: the files that hosts may be given, stored once by content, handed out only
//! when published. Knows the store; knows nothing of hosts' connections nor of what is shown.
//!
//! Beside the database, in `DATA/repository/` (nobody else may read it):
//!
//! - `sha256/ab/abcd…`: a content, by its SHA-256; a file, never a link
//! - `incoming/`: what is being added (`*.part`, locked by who writes it), and the marks of contents
//!   that are between the folder and the record (`*.unsettled`)
//! - `lock`: held alone while contents and record change, by many while contents are verified

mod add;
mod contents;
mod error;
mod incoming;
mod lock;
mod name;
mod reading;
mod verify;
mod work;

pub use add::{Added, NewEntry, Source};
pub use error::RepositoryError;
pub use verify::{Health, Verified};
pub use work::{Entry, Repository};
