//! Windows shells: what is said to `cmd.exe` and PowerShell, over whatever transport.

mod batch;
mod cmd;
mod dialogue;
pub mod files;
mod length;
mod powershell;
mod quote;
mod script;
mod session;
mod share;
mod start;
mod task;

pub use cmd::CmdConversation;
pub use dialogue::PowershellConversation;
pub use powershell::{detaching, texts};
pub use quote::{argument, arguments, batch_arguments, escaped, powershell_text};
pub use session::{Frame, Session, SessionStep, unattended, with_variables};
pub use share::names_a_share;
pub use start::begins_with_start;

use std::sync::Arc;

use super::conversation::{Conversation, Failure};
use super::plan::{Command, Plan, Script};
use crate::base::secret::Secret;

/// Which of Windows' shells reads a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowsShell {
    /// `cmd.exe`.
    Cmd,
    /// Windows PowerShell or PowerShell.
    Powershell,
}

/// What carries the conversation, as far as a shell must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// WinRM: starts `cmd.exe /C LINE` itself, sets variables and folder, can kill.
    Winrm,
    /// A channel of an sshd, which hands the line to the account's default shell.
    Channel,
}

/// As whom to work: a one-shot scheduled task with batch logon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runas {
    /// The account: `SYSTEM`, `NT AUTHORITY\\NetworkService`, `DOMAIN\\user`.
    pub user: String,
    /// Its password; service accounts have none.
    pub password: Option<Secret>,
}

/// How one host is spoken to.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// Which shell reads the command line.
    pub shell: WindowsShell,
    /// What carries the conversation.
    pub carrier: Carrier,
    /// As another user.
    pub runas: Option<Runas>,
    /// The folder for scripts on the host; `None`: its `%TEMP%`.
    pub tmpdir: Option<&'a str>,
}

/// The conversation for a plan. `mark` is random and of letters and digits only.
///
/// What `cmd.exe` can't do itself (scripts, other users, letting go, several lines) PowerShell
/// does for it; the user's line is in the words of `cmd.exe` there too.
pub fn conversation(
    plan: &Plan,
    situation: &Situation<'_>,
    mark: &str,
) -> Result<Box<dyn Conversation>, Failure> {
    // As another user a module's program has a PowerShell of its own.
    if matches!(plan.command, Command::Module(_)) && situation.runas.is_none() {
        return Err(Failure::Unsupported(
            "modules run in a PowerShell session".to_owned(),
        ));
    }
    let by_cmd = situation.shell == WindowsShell::Cmd
        && situation.runas.is_none()
        && !plan.detach
        && !matches!(plan.command, Command::Script(_) | Command::Files(_));
    if !by_cmd {
        return Ok(Box::new(PowershellConversation::new(
            plan, situation, mark,
        )?));
    }
    match CmdConversation::of(plan, situation.carrier)? {
        cmd::Said::Conversation(conversation) => Ok(Box::new(conversation)),
        cmd::Said::Batch(text) => {
            let script = Script {
                name: "line.cmd".to_owned(),
                body: text.into_bytes().into(),
                args: Vec::new(),
            };
            let plan = Plan {
                command: Command::Script(Arc::new(script)),
                ..plan.clone()
            };
            Ok(Box::new(PowershellConversation::new(
                &plan, situation, mark,
            )?))
        }
    }
}

#[cfg(test)]
pub(crate) use tests::newer_than_2;

#[cfg(test)]
mod tests;
