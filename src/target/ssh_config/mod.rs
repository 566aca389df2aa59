//! OpenSSH's client configuration (`ssh_config(5)`): files are parsed once a run, and evaluated for
//! each name that is looked up. The crate `ssh2-config` knows no `Match`. Knows nothing of
//! variables, flags or transports.

mod evaluate;
mod glob;
mod keywords;
mod local;
mod parse;
mod settings;
mod tokens;

#[cfg(test)]
mod oracle_tests;

pub use evaluate::{Lookup, SshConfig};
pub use glob::{matches, matches_list};
pub use keywords::{Class, KEYWORDS, Keyword, find, markdown};
pub use local::{Local, user_name};
pub use parse::words;
pub use settings::{Setting, Settings};
pub use tokens::{Tokens, seconds};

/// What is wrong in a configuration, with its place: `/root/.ssh/config:7: ...`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct SshConfigError {
    /// `FILE:LINE`, or the variable or flag that held the option.
    pub place: String,
    /// What is wrong and what to do.
    pub message: String,
    /// Whether the line is right, but asks for something that this version does not do.
    pub unsupported: bool,
}

impl SshConfigError {
    pub(crate) fn wrong(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
            unsupported: false,
        }
    }

    pub(crate) fn unsupported(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            unsupported: true,
            ..Self::wrong(place, message)
        }
    }
}
