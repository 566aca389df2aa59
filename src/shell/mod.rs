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
pub use module::{Answers, ModuleScript, Payload, Piece, Source, TRAVELS_ALONG};
pub use plan::{Command, Plan, Script, Stdin};
pub use posix::{Escalation, Method, PosixConversation};

/// Where `needle` first stands in `text`.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}
