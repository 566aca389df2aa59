//! What it says of a command that it could not be begun, or how its channel was closed. Pure.

use super::outcome::{End, failure_error};
use crate::event::{ErrorKind, HostError, Outcome, Stopped};
use crate::shell::Conversation;
use crate::transport::{Departure, Exit};

/// Stopped before the command was known to have been started.
pub(super) fn halted_early(why: Stopped, departure: &Departure) -> End {
    if departure.call_off() {
        return End::halted(why, None);
    }
    End {
        started: true,
        ..End::halted(why, Some("it may have been started".to_owned()))
    }
}

/// A command that could not be begun. What may have been begun all the same is not to be begun again,
/// and a program that is not there is no matter of reaching the host.
pub(super) fn not_begun(error: HostError) -> End {
    match error.kind {
        ErrorKind::Disconnected => End {
            started: true,
            ..End::failed(error)
        },
        ErrorKind::NoSuchInterpreter | ErrorKind::RemoteIo => End::failed(error),
        _ => End::unreachable(error),
    }
}

pub(super) fn no_session() -> HostError {
    HostError::new(
        ErrorKind::ConnectTimeout,
        format!(
            "no session was opened within {} s of the login",
            super::drive::BEFORE_START.as_secs()
        ),
    )
    .hint("the host let us in and is silent since: is it overloaded or frozen?")
}

pub(super) fn no_start() -> HostError {
    HostError::new(
        ErrorKind::Disconnected,
        format!(
            "the host took the command and said nothing for {} s; it may have been started",
            super::drive::BEFORE_START.as_secs()
        ),
    )
    .hint("look before you run it again")
}

/// The command's channel was closed: what that says of the command. `sent`: the user's work had gone
/// out.
pub(super) fn closed(conversation: &dyn Conversation, exit: Option<&Exit>, sent: bool) -> End {
    let never_started = conversation.ended();
    match (exit, never_started) {
        (Some(_), Some(failure)) => End::failed(failure_error(failure)),
        (Some(Exit::Status(status)), None) => End {
            outcome: if *status == 0 {
                Outcome::Ok
            } else {
                Outcome::Failed
            },
            exit: Some(*status),
            signal: None,
            error: None,
            started: true,
            files: Vec::new(),
        },
        (Some(Exit::Signal(signal)), None) => End {
            outcome: Outcome::Failed,
            exit: None,
            signal: Some(signal.clone()),
            error: None,
            started: true,
            files: Vec::new(),
        },
        (None, None) => End::failed(HostError::new(
            ErrorKind::Disconnected,
            match conversation.group() {
                Some(group) => format!(
                    "the connection was lost while the command ran; it may still be running, pgid {group}"
                ),
                None => "the connection was lost while the command ran".to_owned(),
            },
        )),
        (None, Some(_)) if sent => End::failed(HostError::new(
            ErrorKind::Disconnected,
            "the connection was lost when the command was on its way; it may have been started",
        )),
        (None, Some(_)) => End::unreachable(HostError::new(
            ErrorKind::Reset,
            "the connection was lost before the command was started",
        )),
    }
}
