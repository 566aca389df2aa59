//! All that is needed to reach a host for one piece of work. These types are the interface between
//! what is known of a host (variables, flags, `ssh_config`) and the transports.

mod escalation;
mod lookup;
pub mod names;
mod options;
mod plain;
pub mod resolve;
mod ssh_args;
pub mod ssh_config;
pub mod types;
pub mod variables;
mod winrm;
mod winrm_auth;
mod winrm_names;
mod winrm_values;

pub use resolve::{Defaults, FlagLost, Flags, Resolver};
pub use types::{
    Agent, Algorithms, Become, BecomeMethod, HostKeyMode, KerberosOptions, ShellKind, SshOptions,
    SshTarget, Target, Via, WinrmAuth, WinrmClient, WinrmOptions, WinrmTarget,
};
pub use variables::{Resolved, Variables};
pub use winrm_names::winrm_misspelt;

#[cfg(test)]
mod resolve_tests;
#[cfg(test)]
mod winrm_tests;
