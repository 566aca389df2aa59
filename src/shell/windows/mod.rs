//! Windows shells: what is said to `cmd.exe` and PowerShell, over whatever transport.

mod cmd;
mod start;

pub use cmd::CmdConversation;
pub use start::begins_with_start;

use super::conversation::{Conversation, Failure};
use super::plan::{Command, Plan};
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
pub fn conversation(
    plan: &Plan,
    situation: &Situation<'_>,
    mark: &str,
) -> Result<Box<dyn Conversation>, Failure> {
    let _ = mark;
    match (&plan.command, situation.shell) {
        (Command::Line(_) | Command::Words(_) | Command::Ping, WindowsShell::Cmd)
            if situation.runas.is_none() =>
        {
            Ok(Box::new(CmdConversation::new(plan, situation.carrier)?))
        }
        _ => Err(Failure::Unsupported("PowerShell is to come".to_owned())),
    }
}
