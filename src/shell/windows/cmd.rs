//! `cmd.exe`: the user's line is the command from its first byte, and so is what comes back.

use bytes::Bytes;

use super::Carrier;
use crate::shell::conversation::{Conversation, Failure, Opening, Step};
use crate::shell::plan::{Command, Plan};

/// One command line's conversation with `cmd.exe`.
#[derive(Debug)]
pub struct CmdConversation {
    opening: Opening,
}

impl CmdConversation {
    /// For a plan that is a line, words, or a ping.
    pub(super) fn new(plan: &Plan, carrier: Carrier) -> Result<Self, Failure> {
        let line = match &plan.command {
            Command::Line(line) => line.clone(),
            Command::Words(words) => words.join(" "),
            Command::Ping => "rem".to_owned(),
            Command::Script(_) => return Err(Failure::Unsupported("no line".to_owned())),
        };
        let _ = carrier;
        Ok(Self {
            opening: Opening {
                command: line.into_bytes().into(),
                pty: plan.tty,
                env: plan.env.clone(),
                chdir: plan.chdir.clone(),
                bare: false,
            },
        })
    }
}

impl Conversation for CmdConversation {
    fn begin(&self) -> Opening {
        self.opening.clone()
    }

    fn opening(&self) -> Vec<u8> {
        Vec::new()
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
