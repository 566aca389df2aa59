//! Unix shells: the constant and the scripts that are said to them, and when each goes out.

mod conversation;
pub mod files;
mod script;

pub use conversation::PosixConversation;
pub use script::{Escalation, Method};
