//! Fans a job out over hosts: who may work when, for how long, how often, and when to stop. Emits
//! events and prints nothing.

mod codepage;
mod dispatch;
mod drive;
mod ending;
mod feed;
mod files;
mod host;
pub mod job;
mod listener;
mod outcome;
mod session;
mod shell;
mod speak;
pub mod task;
mod verdict;

pub use dispatch::{refuse, run};
pub use job::{Control, Halt, Job, Limits, Targets, Work};
