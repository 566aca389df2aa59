//! What a conversation with a host is, whatever its shell: from bytes seen to bytes to send. It moves
//! no bytes itself and knows no time; `engine` drives it over any transport's `exec`.

use std::fmt;

use bytes::Bytes;

use crate::base::secret::NamesOnly;

/// What to execute to begin a conversation.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Opening {
    /// The command line for the host's login shell; over WinRM for `cmd.exe /C`.
    pub command: Bytes,
    /// With a terminal. In one, nothing may be written before the hello.
    pub pty: bool,
    /// Variables for the transport to set (WinRM).
    pub env: Vec<(String, String)>,
    /// The folder for the transport to start in (WinRM).
    pub chdir: Option<String>,
    /// Without `cmd.exe` around the command line (WinRM).
    pub bare: bool,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("command", &self.command)
            .field("pty", &self.pty)
            .field("env", &NamesOnly(&self.env))
            .field("chdir", &self.chdir)
            .field("bare", &self.bare)
            .finish_non_exhaustive()
    }
}

/// What to do after some bytes were seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// To be written, at once.
    pub write: Vec<u8>,
    /// The command's own standard output.
    pub stdout: Bytes,
    /// The command's own standard error.
    pub stderr: Bytes,
    /// The host is ready for [`Conversation::payload`]: from now on its time counts.
    pub started: bool,
    /// The conversation can't go on.
    pub failed: Option<Failure>,
}

/// Why a command was not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// sudo, su, doas or runas said no.
    Denied(String),
    /// No shell answered: a forced command, a restricted shell, another kind of system.
    NoShell(String),
    /// The interpreter is not there.
    NoInterpreter(String),
    /// The file system is full.
    NoSpace(String),
    /// Preparations on the host failed.
    Remote(String),
    /// It can't be said in this shell.
    Unsupported(String),
}

/// How what a command reads is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InputCoding {
    /// As it is, and closed at the end.
    #[default]
    Raw,
    /// In lines of base64, and a line of a dot at the end: where the shell reads standard input
    /// line by line itself and hands it on.
    Lines,
}

/// One command's conversation with a host's shell.
pub trait Conversation: Send + Sync {
    /// What to execute.
    fn begin(&self) -> Opening;

    /// What may be written at once, without waiting for the hello: saves a round trip.
    fn opening(&self) -> Bytes;

    /// What follows on standard input before the user's own; to be written once [`Step::started`]
    /// was said or the command is under way.
    fn payload(&self) -> Bytes;

    /// How that and what follows it is written.
    fn input_coding(&self) -> InputCoding {
        InputCoding::Raw
    }

    /// Whether what goes out at once holds the user's own work already: when the connection is lost
    /// after it, nobody knows whether that was begun.
    fn opens_with_the_work(&self) -> bool;

    /// Whether nothing follows what goes out at once but the user's own input: where there is none, its
    /// end can go out with it, and a round trip later nothing is left to be said.
    fn opens_with_all(&self) -> bool {
        false
    }

    /// Whether the command is the user's own from its first byte: nothing is waited for.
    fn starts_at_once(&self) -> bool {
        false
    }

    /// Whether what comes is the command's own.
    fn is_started(&self) -> bool;

    /// Standard output was seen.
    fn stdout(&mut self, bytes: Bytes) -> Step;

    /// Standard error was seen.
    fn stderr(&mut self, bytes: Bytes) -> Step;

    /// The command is over: why, if it was never started.
    fn ended(&self) -> Option<Failure>;

    /// What ends the command on its host: the process group on Unix, the process on Windows; once
    /// it is known.
    fn group(&self) -> Option<u32>;

    /// The code page of the host's console, where the conversation was told.
    fn codepage(&self) -> Option<u16> {
        None
    }

    /// A conversation that ends this one's command, children included, as the same user. `None`:
    /// nothing is known to be running, or this shell can't.
    fn ending(&self, mark: &str) -> Option<Box<dyn Conversation>>;

    /// Whether what an [`ending`](Self::ending) conversation printed says that nothing is left.
    fn says_gone(&self, stdout: &[u8]) -> bool;
}
