//! Why a host has no plain result: a closed list of kinds, each with a stable name that stands in
//! JSON and in the database.

use serde::{Deserialize, Serialize};

use super::catalogue;

/// The closed list of the contract. The names are public; add, never rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The name has no address.
    Dns,
    /// Nothing listens there.
    Refused,
    /// No answer within the connect time-out.
    ConnectTimeout,
    /// The connection was cut while connecting, more often than we retry.
    Reset,
    /// The host's key is not in any `known_hosts`.
    HostKeyUnknown,
    /// The host's key is not the one on record.
    HostKeyChanged,
    /// The host's key is revoked.
    HostKeyRevoked,
    /// No way of logging in was accepted.
    AuthDenied,
    /// The other side does not speak as the protocol says.
    Protocol,
    /// The TLS certificate is not trusted.
    Certificate,
    /// The host refuses more work.
    Quota,
    /// sudo, su, doas or runas said no.
    BecomeDenied,
    /// The command ran longer than `--timeout`.
    Timeout,
    /// The command said nothing for longer than `--idle-timeout`.
    IdleTimeout,
    /// The connection was lost after the command had been started.
    Disconnected,
    /// The host lacks the interpreter that is needed.
    NoSuchInterpreter,
    /// Reading or writing on the host failed.
    RemoteIo,
    /// Reading or writing on the controller failed.
    LocalIo,
    /// A file system is full.
    NoSpace,
    /// What arrived is not what was sent.
    VerifyMismatch,
    /// Something that this version does not do.
    Unsupported,
    /// A template could not be rendered.
    Template,
    /// A variable or argument is wrong.
    Arguments,
    /// A gate (`--max-fail`) closed before this host's turn.
    Gate,
    /// The run's deadline passed.
    Deadline,
    /// A deny rule forbids the command.
    Denied,
    /// The user stopped the run.
    Interrupted,
    /// The controller died while the host was at work.
    ControllerLost,
}

impl ErrorKind {
    /// The stable name: `host_key_changed`.
    pub fn name(self) -> &'static str {
        catalogue::entry(self).name
    }

    /// What to do about it, in general.
    pub fn hint(self) -> Option<&'static str> {
        catalogue::entry(self).hint
    }
}

/// Why one host has no plain result. Data, not a failure of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// The kind, by which scripts tell errors apart.
    pub kind: ErrorKind,
    /// What happened, with names and numbers.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl HostError {
    /// An error with the catalogue's hint for its kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: kind.hint().map(str::to_owned),
        }
    }

    /// Replaces the hint by one that knows more.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
