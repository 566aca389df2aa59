//! Runs plays: `strategy` says which host does what next, `worker` does one task on one host. Knows
//! the engine; prints nothing, stores nothing.

mod batch;
mod batches;
mod cursor;
mod error;
mod free;
mod gate;
mod handlers;
mod include;
mod linear;
mod meta;
mod play;
mod program;
mod show;
mod start;
mod stats;
#[cfg(test)]
mod tests;
mod texts;
mod work;
mod worker;

pub use error::RunError;
pub use play::{Answer, Fleet, Options, Parts, PlayEnd, Steps, run};
pub use work::{
    Ask, Denies, Earlier, EarlierFacts, ExtraVars, Hosts, Keep, Keys, Ledger, LoadAgain,
    NobodyToAsk, OpenVault, RunOptions, Runner, Setup, Until, Ways,
};
pub use worker::{Batch, CustomStats, Done, Include, Meta, Scene, Scope, Turn, Worker};
