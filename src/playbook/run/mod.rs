//! Runs plays: `strategy` says which host does what next, `worker` does one task on one host. Knows
//! the engine; prints nothing, stores nothing.

mod actions;
mod attempts;
mod context;
mod exchange;
mod files;
mod hosts;
mod layers;
mod lazy;
mod lookups;
mod loop_terms;
mod loops;
mod magic;
mod play_vars;
mod prepared;
mod reach;
mod register;
mod render;
mod results;
mod runner;
mod scope;
mod state;
mod task;
mod worker;

#[cfg(test)]
mod tests;

pub use hosts::{ExtraVars, Hosts, OpenVault};
pub use runner::{Ask, NobodyToAsk, RunOptions, Runner, Setup, Ways};
pub use worker::{Batch, Done, Include, Meta, Scene, Scope, Turn, Worker};
