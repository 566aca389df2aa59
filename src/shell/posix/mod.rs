//! Unix shells: the constant and the scripts that are said to them, and when each goes out.

mod conversation;
mod script;

pub use conversation::PosixConversation;
pub use script::{Escalation, Method};
