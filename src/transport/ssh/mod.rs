//! SSH on russh: connecting, checking who the host is, logging in, channels. The only place that
//! knows russh. What each host needs is in `target::SshTarget`; what is shared by all hosts of a
//! run (keys, agents, `known_hosts`, bastions) is kept here and read once.

mod accepted;
mod agent;
mod agents;
mod algorithms;
mod auth;
mod auth_keys;
mod auth_password;
mod bastions;
mod channel;
mod client;
mod connect;
mod failure;
mod halves;
mod keys;
pub mod known_hosts;
mod known_hosts_append;
mod known_hosts_certificate;
mod known_hosts_edit;
mod known_hosts_file;
mod scan;
mod sftp;
mod stream;
mod tcp;

pub use connect::Ssh;
pub use known_hosts::{HostKeys, Learnt};
pub use known_hosts_edit::{KnownHostsEdit, forget};
pub use scan::{ScannedKey, scan};

#[cfg(test)]
mod auth_tests;
#[cfg(test)]
mod testing;
