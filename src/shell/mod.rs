//! How to say things to a host: quoting, environment, become, and reading what comes back. Pure:
//! turns a [`Plan`] into bytes to send and bytes received into what they mean; knows no transport.

pub mod plan;

pub use plan::{Command, Plan, Script, Stdin};
