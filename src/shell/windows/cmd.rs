//! `cmd.exe`: the user's line is the command from its first byte, and so is what comes back.

use bytes::Bytes;

pub(super) use super::length::is_built_in;
use super::length::{Way, way};
use super::{Carrier, quote};
use crate::shell::conversation::{Conversation, Failure, Opening, Step};
use crate::shell::plan::{Command, Plan};

/// One command line's conversation with `cmd.exe`.
#[derive(Debug)]
pub struct CmdConversation {
    opening: Opening,
}

/// What `cmd.exe` can do with a plan.
#[derive(Debug)]
pub(super) enum Said {
    /// Just say it.
    Conversation(CmdConversation),
    /// It has to be a batch file, with this text.
    Batch(String),
}

impl CmdConversation {
    /// For a plan that is a line, words, or a ping.
    pub(super) fn of(plan: &Plan, carrier: Carrier) -> Result<Said, Failure> {
        let line = line(&plan.command)?;
        if line.contains('\0') {
            return Err(unsupported("the command line holds a NUL character"));
        }
        let winrm = carrier == Carrier::Winrm;
        let mut opening = Opening {
            pty: plan.tty,
            ..Opening::default()
        };
        let mut prefix = String::new();
        if winrm {
            opening.env.clone_from(&plan.env);
            opening.chdir.clone_from(&plan.chdir);
        } else {
            prefix = set_up(plan)?;
        }
        let command = match way(&line, winrm) {
            Way::Line => format!("{prefix}{line}"),
            Way::Bare => {
                opening.bare = true;
                line
            }
            Way::Batch(text) => return Ok(Said::Batch(text)),
            Way::TooLong => return Err(too_long(&line)),
        };
        opening.command = command.into_bytes().into();
        Ok(Said::Conversation(Self { opening }))
    }
}

/// The line for a plan's command.
pub(super) fn line(command: &Command) -> Result<String, Failure> {
    match command {
        Command::Line(line) => Ok(line.clone()),
        Command::Words(words) => quote::cmd_words(words),
        Command::Ping => Ok("exit 0".to_owned()),
        Command::Script(_) | Command::Files(_) | Command::Module(_) => {
            Err(unsupported("cmd.exe runs no scripts from its input"))
        }
    }
}

/// What sets a folder where the transport can't. Variables would have to stand in the command line,
/// where every user of the host can read them.
fn set_up(plan: &Plan) -> Result<String, Failure> {
    if !plan.env.is_empty() {
        return Err(unsupported(
            "over ssh cmd.exe can be given variables only where everybody sees them: use --shell powershell",
        ));
    }
    match &plan.chdir {
        None => Ok(String::new()),
        Some(folder) if folder.contains(['"', '%', '\n', '\r', '\0']) => Err(unsupported(
            "the folder's name can't be said to cmd.exe: use --shell powershell",
        )),
        Some(folder) => Ok(format!("cd /d \"{folder}\"||exit 1&")),
    }
}

fn too_long(line: &str) -> Failure {
    let length = line.encode_utf16().count();
    let what = if line.contains(['\n', '\r']) {
        "cmd.exe takes lines of 8191 characters".to_owned()
    } else {
        format!("the command line has {length} characters; cmd.exe takes 8191")
    };
    Failure::Unsupported(format!(
        "{what}: make it a script (iomsctl script FILE.cmd), or use --shell powershell"
    ))
}

fn unsupported(why: &str) -> Failure {
    Failure::Unsupported(why.to_owned())
}

impl Conversation for CmdConversation {
    fn begin(&self) -> Opening {
        self.opening.clone()
    }

    fn opening(&self) -> Bytes {
        Bytes::new()
    }

    fn payload(&self) -> Bytes {
        Bytes::new()
    }

    fn opens_with_the_work(&self) -> bool {
        true
    }

    fn starts_at_once(&self) -> bool {
        true
    }

    fn is_started(&self) -> bool {
        true
    }

    fn stdout(&mut self, bytes: Bytes) -> Step {
        Step {
            stdout: bytes,
            ..Step::default()
        }
    }

    fn stderr(&mut self, bytes: Bytes) -> Step {
        Step {
            stderr: bytes,
            ..Step::default()
        }
    }

    fn ended(&self) -> Option<Failure> {
        None
    }

    fn group(&self) -> Option<u32> {
        None
    }

    fn ending(&self, _mark: &str) -> Option<Box<dyn Conversation>> {
        None
    }

    fn says_gone(&self, _stdout: &[u8]) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::plan::Stdin;

    fn plan(command: Command) -> Plan {
        Plan {
            command,
            env: vec![("A".to_owned(), "秘".to_owned())],
            chdir: Some("C:\\a b".to_owned()),
            tty: false,
            stdin: Stdin::Empty,
            detach: false,
        }
    }

    fn said(plan: &Plan, carrier: Carrier) -> CmdConversation {
        match CmdConversation::of(plan, carrier).unwrap() {
            Said::Conversation(conversation) => conversation,
            Said::Batch(text) => panic!("{text}"),
        }
    }

    #[test]
    fn a_line_is_said_as_it_was_typed_and_winrm_sets_the_rest() {
        let opening = said(
            &plan(Command::Line("dir /b & echo %A%".to_owned())),
            Carrier::Winrm,
        )
        .begin();
        assert_eq!(&opening.command[..], b"dir /b & echo %A%");
        assert_eq!(opening.env, [("A".to_owned(), "秘".to_owned())]);
        assert_eq!(opening.chdir.as_deref(), Some("C:\\a b"));
        assert!(!opening.bare);
    }

    #[test]
    fn over_ssh_no_variable_stands_in_a_command_line() {
        let mut plan = plan(Command::Line("dir".to_owned()));
        let refused = CmdConversation::of(&plan, Carrier::Channel).unwrap_err();
        assert!(matches!(refused, Failure::Unsupported(why) if why.contains("powershell")));
        plan.env.clear();
        let opening = said(&plan, Carrier::Channel).begin();
        assert_eq!(&opening.command[..], b"cd /d \"C:\\a b\"||exit 1&dir");
    }

    #[test]
    fn long_lines_are_a_batch_file_or_refused_by_name() {
        let half = "y".repeat(5000);
        let mut plan = plan(Command::Line(format!("echo {half}&echo {half}")));
        plan.stdin = Stdin::Bytes(Bytes::from_static(b"x"));
        let Said::Batch(text) = CmdConversation::of(&plan, Carrier::Winrm).unwrap() else {
            panic!("it goes as it is");
        };
        assert_eq!(text, format!("@echo off\r\necho {half}\r\necho {half}\r\n"));
        plan.command = Command::Line(format!("echo {half}{half}"));
        let refused = CmdConversation::of(&plan, Carrier::Winrm).unwrap_err();
        assert!(
            matches!(refused, Failure::Unsupported(why) if why.contains("8191") && why.contains("script"))
        );
    }
}
