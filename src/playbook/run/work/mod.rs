//! One task on one host: its variables, its condition and loop, the exchange with the host, and all
//! that is made of the result. Knows nothing of the order in which hosts and tasks come.

mod actions;
mod attempts;
mod connection_vars;
mod context;
mod exchange;
mod files;
mod hosts;
mod jobs;
mod kept;
mod layers;
mod lazy;
mod lookups;
mod loop_terms;
mod loops;
mod magic;
mod play_vars;
mod prepared;
mod prompts;
mod reach;
mod recall;
mod register;
mod render;
mod results;
mod runner;
mod scope;
mod state;
mod task;
mod template_vars;
mod wants_facts;
mod web;

#[cfg(test)]
mod tests;

pub use hosts::{ExtraVars, Hosts, LoadAgain, OpenVault};
pub use kept::{Earlier, Keep, Ledger};
pub use recall::EarlierFacts;
pub use runner::{Ask, Denies, Keys, NobodyToAsk, RunOptions, Runner, Setup, Until, Ways};
