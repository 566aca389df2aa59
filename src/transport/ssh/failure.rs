//! What went wrong while connecting, in the words of the closed list of kinds.

use std::time::Duration;

use super::client::SessionError;
use crate::event::{ErrorKind, HostError};
use crate::target::SshTarget;
use crate::transport::dial::io_error;

pub(super) fn timed_out(target: &SshTarget, limit: Duration, doing: &str) -> HostError {
    let limit = crate::base::quantity::show_duration(limit);
    HostError::new(
        ErrorKind::ConnectTimeout,
        format!(
            "{}:{}: no answer within {limit} while {doing}",
            target.address, target.port
        ),
    )
}

/// What answered is no SSH server, or one that is too busy to say so.
pub(super) fn not_ssh(target: &SshTarget, heard: &[u8]) -> Option<HostError> {
    if heard.is_empty() || heard.starts_with(b"SSH-") {
        return None;
    }
    let said = String::from_utf8_lossy(heard);
    let said = said.lines().next().unwrap_or_default();
    let place = format!("{}:{}", target.address, target.port);
    // What sshd says when MaxStartups or PerSourcePenalties turn a client away.
    if said.starts_with("Exceeded MaxStartups") || said.starts_with("Not allowed at this time") {
        return Some(HostError::new(ErrorKind::Reset, format!("{place}: {said}")));
    }
    Some(HostError::new(
        ErrorKind::Protocol,
        format!("{place}: not an SSH server, it said `{said}`"),
    ))
}

/// A failed key exchange in the closed list's words.
pub(super) fn explain(target: &SshTarget, error: SessionError, heard: &[u8]) -> HostError {
    let place = format!("{}:{}", target.address, target.port);
    let error = match error {
        SessionError::Host(error) => return error,
        SessionError::Russh(error) => error,
    };
    if let Some(error) = not_ssh(target, heard) {
        return error;
    }
    match &error {
        russh::Error::IO(error) => io_error(&place, error),
        russh::Error::Disconnect
        | russh::Error::HUP
        | russh::Error::SendError
        | russh::Error::RecvError => HostError::new(
            ErrorKind::Reset,
            format!("{place}: the connection was closed while connecting"),
        ),
        russh::Error::NoCommonAlgo { kind, theirs, .. } => HostError::new(
            ErrorKind::Protocol,
            format!(
                "{place}: no common {kind:?} algorithm; the host offers {}",
                theirs.join(",")
            ),
        )
        .hint("an old system? set legacy_crypto: true for it"),
        russh::Error::WrongServerSig => HostError::new(
            ErrorKind::HostKeyChanged,
            format!("{place}: the host could not prove that it owns its key"),
        ),
        other => HostError::new(ErrorKind::Protocol, format!("{place}: {other}")),
    }
}
