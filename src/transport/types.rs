//! The traits every transport fills.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::departure::Departure;
use crate::base::secret::NamesOnly;
use crate::event::{ErrorKind, HostError, Stream, Timings};
use crate::target::Target;

/// Opens connections of one kind.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Connects, checks the host's identity and logs in, once, within the target's connect
    /// time-out. Whether a failure is worth another try is told by [`HostError::kind`]
    /// (`Reset` is).
    async fn connect(&self, target: &Target) -> Result<Arc<dyn Connection>, HostError>;
}

/// Lends connections to whoever works on hosts; the pool, or a double of it.
#[async_trait]
pub trait Connections: Send + Sync {
    /// A connection to the target: a living one, or a new one. Resets while connecting are tried
    /// again here.
    async fn get(&self, target: &Arc<Target>) -> Result<Arc<dyn Connection>, HostError>;

    /// A connection of its own, whatever there is already: the one there may be stuck.
    async fn fresh(&self, target: &Arc<Target>) -> Result<Arc<dyn Connection>, HostError>;

    /// The caller is done with the target for this run: its connection may be closed.
    async fn done(&self, target: &Arc<Target>);

    /// The connection to the target is of no use any more: whoever asks next gets another.
    async fn reset(&self, target: &Arc<Target>) {
        self.done(target).await;
    }
}

/// One authenticated channel to one host; many commands may run on it at once.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Starts one command.
    async fn exec(&self, request: ExecRequest) -> Result<Process, HostError>;

    /// Opens a channel to the host's files; `unsupported` where there is none.
    async fn files(&self) -> Result<Arc<dyn super::files::Files>, HostError> {
        Err(HostError::new(
            ErrorKind::Unsupported,
            "this connection has no channel for files",
        ))
    }

    /// A place for what is to last as long as the connection: a session that serves many tasks.
    fn kept(&self) -> &super::kept::Kept;

    /// How long it took to get in.
    fn timings(&self) -> Timings;

    /// Whether it is known to be dead.
    fn is_closed(&self) -> bool;

    /// Says goodbye. Dropping it does the same without waiting.
    async fn close(&self);
}

/// A command to start.
#[derive(Clone, Default)]
pub struct ExecRequest {
    /// The command line, as the host's login shell gets it. Over WinRM: UTF-8, handed to `cmd.exe /C`.
    pub command: Bytes,
    /// A terminal, where the transport has one.
    pub pty: Option<Pty>,
    /// Variables, where the transport itself sets them (WinRM; others refuse).
    pub env: Vec<(String, String)>,
    /// The folder to start in, where the transport itself sets it (WinRM; others refuse).
    pub chdir: Option<String>,
    /// Without `cmd.exe` around it (WinRM): program and arguments as `CreateProcess` takes them.
    pub bare: bool,
    /// Whether it has gone out, where the transport may start it after nobody waits any more (WinRM).
    pub departure: Departure,
}

impl fmt::Debug for ExecRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecRequest")
            .field("command", &self.command)
            .field("pty", &self.pty)
            .field("env", &NamesOnly(&self.env))
            .field("chdir", &self.chdir)
            .field("bare", &self.bare)
            .finish_non_exhaustive()
    }
}

/// Refuses what only WinRM can set up for a command.
pub(super) fn sets_up_nothing(request: &ExecRequest) -> Result<(), HostError> {
    if request.env.is_empty() && request.chdir.is_none() && !request.bare {
        return Ok(());
    }
    Err(HostError::new(
        ErrorKind::Unsupported,
        "this connection sets no variables and no folder for `cmd.exe`",
    )
    .hint("use --shell powershell"))
}

/// A terminal for a command. Echo is off, so that what we write does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pty {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// A running command: what goes in and what comes out, usable at the same time.
pub struct Process {
    /// Standard input.
    pub input: Box<dyn Input>,
    /// Standard output and error, and the end.
    pub output: Box<dyn Output>,
}

/// A command's standard input.
#[async_trait]
pub trait Input: Send {
    /// Writes all of it; waits while the host takes no more. An error that is
    /// [`ErrorKind::Disconnected`]: part of it may be lost, and the command may wait for it for ever;
    /// any other: the command reads no more.
    async fn write(&mut self, bytes: Bytes) -> Result<(), HostError>;

    /// Ends the input.
    async fn close(&mut self) -> Result<(), HostError>;
}

/// A command's output.
#[async_trait]
pub trait Output: Send {
    /// The next thing that happens. Safe to drop half-way: nothing is lost.
    async fn next(&mut self) -> OutputEvent;

    /// Ends the command on the host, its children too, where the transport itself can do that
    /// (WinRM's signals): asks it first, kills it after `grace`. `None`: this transport can't, and a
    /// second command has to. What the command says meanwhile is still to be had from `next`.
    async fn end(&mut self, _grace: Duration) -> Option<Result<(), HostError>> {
        None
    }

    /// Lets go of the command: closes the channel. (Over SSH that ends nothing on the host; over WinRM
    /// a command that has not ended goes with its shell.)
    async fn close(&mut self);
}

/// What happens to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputEvent {
    /// Output.
    Data(Stream, Bytes),
    /// The command is over; output may still follow.
    Exit(Exit),
    /// The host would not start it.
    Refused,
    /// The end of the command, or part of its output, can't be learnt any more, and why. Nothing but
    /// [`OutputEvent::Closed`] follows.
    Lost(HostError),
    /// No more output will come, and nothing else. After [`OutputEvent::Exit`] the normal end;
    /// without one the connection was lost.
    Closed,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// With a status.
    Status(i32),
    /// By a signal, without `SIG`: `TERM`.
    Signal(String),
}
