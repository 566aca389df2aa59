//! What `doctor` asks a host and what the answers mean: the questions for each shell, the reading of
//! what comes back, the findings, and the support table. Pure: opens no connection, knows no host by
//! name. The walk over the network is `cli::doctor`'s.

mod answers;
mod finding;
mod host;
mod probe;
mod support;
mod version;

pub use answers::{Answers, Disk, Family};
pub use finding::{Check, Finding, State};
pub use host::{Circumstances, findings};
pub use probe::{Shell, probe};
pub use support::{Support, Tier, support};
pub use version::Version;

#[cfg(test)]
mod tests;
