//! How a host's work ended, and the words for it.

use crate::event::{ErrorKind, FileRecord, HostError, Outcome, Stopped};
use crate::shell::Failure;

/// How a host's work ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) exit: Option<i32>,
    pub(super) signal: Option<String>,
    pub(super) error: Option<HostError>,
    /// Whether the command had been started.
    pub(super) started: bool,
    /// What became of files.
    pub(super) files: Vec<FileRecord>,
}

impl End {
    pub(super) fn with(outcome: Outcome, error: HostError) -> Self {
        Self {
            outcome,
            exit: None,
            signal: None,
            error: Some(error),
            started: false,
            files: Vec::new(),
        }
    }

    /// An error that is no matter of reaching the host.
    pub(super) fn failed(error: HostError) -> Self {
        Self::with(Outcome::Failed, error)
    }

    /// No connection: unreachable, but for what is wrong on our side of it.
    pub(super) fn unreachable(error: HostError) -> Self {
        match error.kind {
            ErrorKind::LocalIo
            | ErrorKind::Unsupported
            | ErrorKind::Arguments
            | ErrorKind::Template => Self::failed(error),
            _ => Self::with(Outcome::Unreachable, error),
        }
    }

    /// The run was stopped; `survivor` says what could not be ended.
    pub(super) fn halted(why: Stopped, survivor: Option<String>) -> Self {
        let (outcome, kind, message) = match why {
            Stopped::Deadline => (
                Outcome::TimedOut,
                ErrorKind::Deadline,
                "the run's deadline passed",
            ),
            Stopped::Gate => (
                Outcome::Cancelled,
                ErrorKind::Gate,
                "too many hosts had failed",
            ),
            Stopped::Denied => (
                Outcome::Cancelled,
                ErrorKind::Denied,
                "the command is denied",
            ),
            Stopped::Interrupted | Stopped::Terminated => (
                Outcome::Cancelled,
                ErrorKind::Interrupted,
                "the run was stopped",
            ),
        };
        Self::with(
            outcome,
            with_survivor(HostError::new(kind, message), survivor),
        )
    }
}

pub(super) fn with_survivor(mut error: HostError, survivor: Option<String>) -> HostError {
    if let Some(survivor) = survivor {
        error.message = format!("{}; {survivor}", error.message);
    }
    error
}

/// What a conversation says went wrong, as an error of the host.
pub(super) fn failure_error(failure: Failure) -> HostError {
    match failure {
        Failure::Denied(why) => HostError::new(ErrorKind::BecomeDenied, why),
        Failure::NoShell(said) => {
            let said = if said.is_empty() {
                String::new()
            } else {
                format!(": it said `{said}`")
            };
            HostError::new(
                ErrorKind::Unsupported,
                format!("no Unix shell answered{said}"),
            )
            .hint("is there a forced command or a restricted shell for this account or key?")
        }
        Failure::NoInterpreter(why) => HostError::new(ErrorKind::NoSuchInterpreter, why),
        Failure::NoSpace(why) => HostError::new(ErrorKind::NoSpace, why),
        Failure::Remote(why) => HostError::new(ErrorKind::RemoteIo, why),
        Failure::Unsupported(why) => HostError::new(ErrorKind::Unsupported, why),
    }
}
