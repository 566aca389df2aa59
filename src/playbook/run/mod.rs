//! Runs plays: `strategy` says which host does what next, `worker` does one task on one host. Knows
//! the engine; prints nothing, stores nothing.

mod worker;

pub use worker::{Batch, Done, Include, Meta, Scene, Scope, Turn, Worker};
