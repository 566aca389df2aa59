//! Unix shells: the constant and the scripts that are said to them, and when each goes out.

mod conversation;
mod escalating;
pub mod files;
pub mod files_pull;
mod script;
mod session;

pub use conversation::{HostShell, PosixConversation};
pub use script::{Escalation, Method};
pub use session::{Frame, Told};
