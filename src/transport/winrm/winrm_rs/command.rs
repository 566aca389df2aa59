//! A shell of the crate's with its one command, on a task of its own: input and output at the same time,
//! Ctrl+C before the end, and the shell deleted whatever happens.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::winrm_rs::{Shell, SoapError, WinrmClient, WinrmError};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::errors::{Doing, explain};
use super::host;
use crate::event::{ErrorKind, HostError, Stream};
use crate::target::WinrmTarget;
use crate::transport::types::{Exit, Input, Output, OutputEvent, Process};

/// The most bytes of standard input in one message: base64 makes four of three, and the envelope
/// that every host takes is 150 KiB.
const PIECE: usize = 64 * 1024;

/// How many pieces of output or input may wait.
const QUEUE: usize = 4;

/// How much output is kept of a command that is being ended.
const LAST_WORDS: usize = 1 << 20;

/// After an answer with nothing in it: a host that never waits is not to be asked without end.
const PAUSE: Duration = Duration::from_millis(50);

/// A shell that waits for its command. Dropped, it is deleted.
pub(super) struct Open {
    command: oneshot::Sender<Start>,
}

/// A shell that is being opened.
pub(super) struct Opening {
    open: oneshot::Receiver<Result<Open, HostError>>,
}

struct Start {
    line: String,
    started: oneshot::Sender<Result<Process, HostError>>,
}

impl Open {
    /// Opens a shell on a task of its own; `closing` ends it. (Where the crate is called from matters: from
    /// the main task it loses logins, from a task of the runtime none was seen lost. docs/decisions/0004.)
    pub(super) fn start(
        client: Arc<WinrmClient>,
        target: Arc<WinrmTarget>,
        closing: CancellationToken,
    ) -> (Opening, JoinHandle<()>) {
        let (opened, open) = oneshot::channel();
        let task = tokio::spawn(async move {
            let work = Work {
                client: &client,
                host: host(&target),
                target: &target,
                closing,
            };
            work.run(opened).await;
        });
        (Opening { open }, task)
    }

    /// Starts the command.
    pub(super) async fn run(self, line: String) -> Result<Process, HostError> {
        let (started, start) = oneshot::channel();
        // Should the task be gone, so is the other end.
        let _ = self.command.send(Start { line, started });
        start.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl Opening {
    /// The shell, as soon as it is there.
    pub(super) async fn ready(self) -> Result<Open, HostError> {
        self.open.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn gone() -> HostError {
    HostError::new(
        ErrorKind::Reset,
        "the connection was closed before the command was started",
    )
}

struct Work<'a> {
    client: &'a WinrmClient,
    host: String,
    target: &'a WinrmTarget,
    closing: CancellationToken,
}

/// How a command came to its end.
enum End {
    /// By itself.
    Exit(Option<i32>),
    /// Nothing more can be learnt of it.
    Lost(HostError),
    /// It was let go of.
    Closed,
    /// It was asked to end, and whoever asked is to hear of it.
    Ended(oneshot::Sender<Result<(), HostError>>),
}

/// A wish to end the command: how long it may take over it, and whom to tell.
struct Ending {
    grace: Duration,
    done: oneshot::Sender<Result<(), HostError>>,
}

impl Work<'_> {
    async fn run(&self, opened: oneshot::Sender<Result<Open, HostError>>) {
        // Seen to its end even when nobody waits any more: a shell may have been opened by then.
        let shell = match self.client.open_shell(&self.host).await {
            Ok(shell) => shell,
            Err(error) => {
                let _ = opened.send(Err(explain(self.target, Doing::LoggingIn, &error)));
                return;
            }
        };
        let (command, start) = oneshot::channel();
        if opened.send(Ok(Open { command })).is_err() {
            self.delete(shell).await.ok();
            return;
        }
        let start = tokio::select! {
            start = start => start.ok(),
            () = self.closing.cancelled() => None,
        };
        let done = match start {
            Some(start) => self.command(&shell, start).await,
            None => None,
        };
        let deleted = self.delete(shell).await;
        if let Some(done) = done {
            let _ = done.send(deleted);
        }
    }

    /// The command from its start to its end. Gives whom to tell that its shell is gone.
    async fn command(
        &self,
        shell: &Shell<'_>,
        start: Start,
    ) -> Option<oneshot::Sender<Result<(), HostError>>> {
        let command = match shell.start_command(&start.line, &[]).await {
            Ok(command) => command,
            Err(error) => {
                let error = explain(self.target, Doing::Starting, &error);
                let _ = start.started.send(Err(error));
                return None;
            }
        };
        let (events, heard) = mpsc::channel(QUEUE);
        let (input, said) = mpsc::channel(QUEUE);
        let (end, ending) = oneshot::channel();
        let process = Process {
            input: Box::new(ClientInput(Some(input))),
            output: Box::new(ClientOutput {
                heard,
                last_words: VecDeque::new(),
                end: Some(end),
            }),
        };
        let end = if start.started.send(Ok(process)).is_ok() {
            Box::pin(self.attend(shell, &command, &events, said, ending)).await
        } else {
            End::Closed
        };
        let last = match end {
            End::Exit(Some(status)) => OutputEvent::Exit(Exit::Status(status)),
            End::Exit(None) => OutputEvent::Lost(HostError::new(
                ErrorKind::Protocol,
                format!(
                    "{}: the command ended without an exit code that winrm-rs can read",
                    self.host
                ),
            )),
            End::Lost(error) => OutputEvent::Lost(error),
            End::Closed => {
                self.terminate(shell, &command).await;
                return None;
            }
            End::Ended(done) => {
                self.terminate(shell, &command).await;
                return Some(done);
            }
        };
        let _ = events.send(last).await;
        None
    }

    /// Input, output and whatever is wished of a running command.
    async fn attend(
        &self,
        shell: &Shell<'_>,
        command: &str,
        events: &mpsc::Sender<OutputEvent>,
        said: mpsc::Receiver<Bytes>,
        mut ending: oneshot::Receiver<Ending>,
    ) -> End {
        let mut listening = pin!(self.listen(shell, command, events));
        let mut feeding = pin!(feed(shell, command, said));
        let mut fed = false;
        let mut asked: Option<(Instant, oneshot::Sender<_>)> = None;
        loop {
            let until = asked.as_ref().map(|(until, _)| *until);
            tokio::select! {
                end = &mut listening => return match asked {
                    Some((_, done)) => End::Ended(done),
                    None => end,
                },
                () = &mut feeding, if !fed => fed = true,
                wish = &mut ending, if asked.is_none() => match wish {
                    Ok(Ending { grace, done }) => {
                        asked = Some((Instant::now() + grace, done));
                        if let Err(error) = shell.signal_ctrl_c(command).await {
                            tracing::debug!(host = self.host, %error, "Ctrl+C");
                        }
                    }
                    Err(_) => return End::Closed,
                },
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {
                    // `asked` is there, or there was nothing to wait for.
                    return asked.map_or(End::Closed, |(_, done)| End::Ended(done));
                }
                () = self.closing.cancelled() => return End::Closed,
            }
        }
    }

    /// Asks for output until there is no more.
    async fn listen(
        &self,
        shell: &Shell<'_>,
        command: &str,
        events: &mpsc::Sender<OutputEvent>,
    ) -> End {
        loop {
            let asked = self
                .client
                .receive_output_raw(&self.host, shell.shell_id(), command);
            let received = match asked.await {
                Ok(received) => received,
                Err(error) => return End::Lost(explain(self.target, Doing::Running, &error)),
            };
            let nothing = received.stdout.is_empty() && received.stderr.is_empty();
            for (stream, bytes) in [
                (Stream::Stdout, received.stdout),
                (Stream::Stderr, received.stderr),
            ] {
                let event = OutputEvent::Data(stream, bytes.into());
                if !matches!(&event, OutputEvent::Data(_, bytes) if bytes.is_empty())
                    && events.send(event).await.is_err()
                {
                    return End::Closed;
                }
            }
            if received.done {
                return End::Exit(received.exit_code);
            }
            if nothing {
                sleep(PAUSE).await;
            }
        }
    }

    /// Ends it and what it has started: best effort, the shell is deleted after it.
    async fn terminate(&self, shell: &Shell<'_>, command: &str) {
        let terminated = self
            .client
            .signal_terminate(&self.host, shell.shell_id(), command);
        if let Err(error) = terminated.await {
            tracing::debug!(host = self.host, %error, "terminate");
        }
    }

    async fn delete(&self, shell: Shell<'_>) -> Result<(), HostError> {
        let deleted = shell.close().await;
        deleted.map_err(|error| {
            tracing::debug!(host = self.host, %error, "a shell was left open");
            explain(self.target, Doing::Ending, &error)
        })
    }
}

/// Sends what there is for standard input, and its end. Stops when the command takes no more.
async fn feed(shell: &Shell<'_>, command: &str, mut said: mpsc::Receiver<Bytes>) {
    while let Some(bytes) = said.recv().await {
        match shell.send_input(command, &bytes, false).await {
            Ok(()) => {}
            // It reads slowly, and will have it: Windows has taken it.
            Err(WinrmError::Soap(SoapError::Fault { code, .. })) if code.ends_with("TimedOut") => {}
            Err(error) => {
                tracing::debug!(%error, "the command reads no more");
                return;
            }
        }
    }
    // A command that is over wants no end of input: what it has said tells.
    let _ = shell.send_input(command, &[], true).await;
}

struct ClientInput(Option<mpsc::Sender<Bytes>>);

#[async_trait]
impl Input for ClientInput {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), HostError> {
        while let (Some(input), false) = (&self.0, bytes.is_empty()) {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            input
                .send(piece)
                .await
                .map_err(|_| HostError::new(ErrorKind::RemoteIo, "the command reads no more"))?;
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), HostError> {
        self.0 = None;
        Ok(())
    }
}

struct ClientOutput {
    heard: mpsc::Receiver<OutputEvent>,
    /// What came while it was being ended.
    last_words: VecDeque<OutputEvent>,
    /// Dropped, it ends the command.
    end: Option<oneshot::Sender<Ending>>,
}

#[async_trait]
impl Output for ClientOutput {
    async fn next(&mut self) -> OutputEvent {
        match self.last_words.pop_front() {
            Some(event) => event,
            None => self.heard.recv().await.unwrap_or(OutputEvent::Closed),
        }
    }

    async fn end(&mut self, grace: Duration) -> Option<Result<(), HostError>> {
        let (done, mut is_done) = oneshot::channel();
        let wish = Ending { grace, done };
        if self.end.take().is_none_or(|end| end.send(wish).is_err()) {
            // It has ended by itself.
            return Some(Ok(()));
        }
        let mut kept = 0;
        loop {
            // Its output is read on: a full channel would keep it from ending.
            tokio::select! {
                ended = &mut is_done => return Some(ended.unwrap_or(Ok(()))),
                Some(event) = self.heard.recv() => match event {
                    OutputEvent::Data(_, bytes) if kept + bytes.len() > LAST_WORDS => {}
                    OutputEvent::Data(stream, bytes) => {
                        kept += bytes.len();
                        self.last_words.push_back(OutputEvent::Data(stream, bytes));
                    }
                    other => self.last_words.push_back(other),
                },
            }
        }
    }

    async fn close(&mut self) {
        self.end = None;
        self.heard.close();
        self.last_words.clear();
    }
}
