//! Answers that are no answers of WinRM: what was seen, and what may stand there instead.

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, LOCATION};

use super::hints;
use super::http::Answer;
use crate::event::{ErrorKind, HostError};

/// How much of a foreign body is shown.
const SHOWN: usize = 80;

/// An error for an answer that nothing can be done with.
pub(super) fn unexpected(place: &str, answer: &Answer) -> HostError {
    let status = answer.status;
    let mut seen = format!("{place}: it answers {}", show(status));
    if status.is_redirection()
        && let Some(to) = answer.headers.get(LOCATION)
    {
        seen.push_str(" and sends us to ");
        seen.push_str(&printable(to.as_bytes()));
    }
    if let Some(kind) = answer.headers.get(CONTENT_TYPE)
        && !is_soap(kind.as_bytes())
        && !answer.body.is_empty()
    {
        seen.push_str(" with ");
        seen.push_str(&printable(kind.as_bytes()));
        seen.push_str(": ");
        seen.push_str(&printable(&answer.body));
    }
    HostError::new(ErrorKind::Protocol, seen).hint(match status {
        StatusCode::SERVICE_UNAVAILABLE => hints::BUSY,
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::BAD_REQUEST => hints::NOT_UNDERSTOOD,
        _ => hints::NOT_WSMAN,
    })
}

fn show(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// Whether a body may be an envelope.
pub(super) fn is_soap(content_type: &[u8]) -> bool {
    let content_type = content_type.to_ascii_lowercase();
    content_type.starts_with(b"application/soap+xml") || content_type.starts_with(b"text/xml")
}

fn printable(bytes: &[u8]) -> String {
    let cut = bytes.get(..SHOWN * 2).unwrap_or(bytes);
    String::from_utf8_lossy(cut)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(SHOWN)
        .collect()
}
