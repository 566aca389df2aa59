//! What shall happen on a host, before it is said in any shell's words.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::files::FileTask;
use super::module::ModuleScript;
use crate::base::secret::NamesOnly;

/// One piece of work, the same for all hosts of a job.
#[derive(Clone)]
pub struct Plan {
    /// What to do.
    pub command: Command,
    /// Variables for it, in order. Values may be secret: they travel on standard input only.
    pub env: Vec<(String, String)>,
    /// The folder to do it in.
    pub chdir: Option<String>,
    /// With a terminal.
    pub tty: bool,
    /// What the command reads.
    pub stdin: Stdin,
    /// Start it and let go of it: it outlives the connection.
    pub detach: bool,
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("command", &self.command)
            .field("env", &NamesOnly(&self.env))
            .field("chdir", &self.chdir)
            .field("tty", &self.tty)
            .field("detach", &self.detach)
            .finish_non_exhaustive()
    }
}

/// What to do.
#[derive(Debug, Clone)]
pub enum Command {
    /// A line for the account's login shell, as ssh hands it over.
    Line(String),
    /// A program and its arguments, each to arrive as it is.
    Words(Vec<String>),
    /// A script that travels along, is put into a private folder, run and removed.
    Script(Arc<Script>),
    /// Something with the host's files.
    Files(Arc<FileTask>),
    /// A module's program.
    Module(Arc<ModuleScript>),
    /// Nothing but to show that a shell answers.
    Ping,
}

/// A script of the user's.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its file name: the ending may choose the interpreter.
    pub name: String,
    /// Its content.
    pub body: Bytes,
    /// Its arguments.
    pub args: Vec<String>,
}

impl Plan {
    /// A module's program with variables in its environment.
    pub fn module(script: Arc<ModuleScript>, env: Vec<(String, String)>) -> Self {
        let stdin = match &script.payload {
            Some(payload) if payload.travels_along().is_none() => {
                Stdin::Given { size: payload.size }
            }
            _ if script.answers.is_some() => Stdin::Given { size: 0 },
            _ => Stdin::Empty,
        };
        Self {
            command: Command::Module(script),
            env,
            chdir: None,
            tty: false,
            stdin,
            detach: false,
        }
    }
}

/// What a command reads on standard input.
#[derive(Debug, Clone, Default)]
pub enum Stdin {
    /// Nothing.
    #[default]
    Empty,
    /// These bytes, for every host.
    Bytes(Bytes),
    /// This file of the controller, read for each host as it goes.
    File {
        /// Where.
        path: PathBuf,
        /// How much of it, in bytes.
        size: u64,
    },
    /// What whoever drives the command has at hand.
    Given {
        /// How much of it, in bytes.
        size: u64,
    },
}

impl Stdin {
    /// Whether the command reads nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::File { .. } | Self::Given { .. } => false,
        }
    }

    /// How much there is to read, in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { size, .. } | Self::Given { size } => *size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_variables_nor_parameters_are_shown() {
        let script = ModuleScript {
            parts: Vec::new(),
            text: "p_password=hunter2".to_owned(),
            mark: "m".to_owned(),
            payload: None,
            answers: None,
            shares: true,
        };
        let env = vec![("TOKEN".to_owned(), "hunter3".to_owned())];
        let shown = format!("{:?}", Plan::module(Arc::new(script), env));
        assert!(
            shown.contains("TOKEN") && !shown.contains("hunter"),
            "{shown}"
        );
    }
}
