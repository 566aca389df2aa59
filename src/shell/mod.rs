//! How to say things to a host: quoting, environment, become, and reading what comes back. Pure:
//! turns a [`Plan`] into bytes to send and bytes received into what they mean; knows no transport.

pub mod conversation;
pub mod files;
pub mod module;
pub mod plan;
pub mod posix;
pub mod quote;
pub mod record;
pub mod windows;

pub use conversation::{Conversation, Failure, InputCoding, Opening, Step};
pub use module::{Answers, ModuleScript, Part, Payload, Piece, Source, TRAVELS_ALONG};
pub use plan::{Command, Plan, Script, Stdin};
pub use posix::{Escalation, Frame, HostShell, Method, PosixConversation, Told};

/// Where `needle` first stands in `text`.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}

/// How much of `text` stands before `mark`, or before what may be the beginning of it at the end.
fn until(text: &[u8], mark: &[u8]) -> usize {
    find(text, mark).unwrap_or_else(|| {
        let longest = mark.len().saturating_sub(1).min(text.len());
        let held = (1..=longest)
            .rev()
            .find(|length| text.ends_with(mark.get(..*length).unwrap_or_default()));
        text.len() - held.unwrap_or(0)
    })
}
