//! One command in a shell: how it is started, what it says, how it is ended.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, timeout_at};

use super::fault::Meaning;
use super::hints;
use super::input::WinrmInput;
use super::pipe::{Before, Pipe};
use super::request::{Operation, Place, ShellKey};
use super::session::Answered;
use super::shell::{Lease, Shells};
use super::soap::fits;
use super::wire::{CallError, Stage};
use crate::event::{ErrorKind, HostError};
use crate::transport::types::{ExecRequest, Exit, Output, OutputEvent, Process};

/// How long the first question for output may wait, while a command may want to hear that its input
/// has ended: the least that Windows allows.
const QUICK: Duration = Duration::from_millis(500);

/// After so much output larger messages are worth a question.
const MUCH: usize = 1 << 20;

/// Starts a command. To be run in a task of its own, as it must see what it has begun to its end.
pub(super) async fn start(shells: Arc<Shells>, request: ExecRequest) -> Result<Process, HostError> {
    let (key, line) = readable(&request)?;
    let mut renewed = false;
    loop {
        let lease = shells.lease(&key).await?;
        let operation = Operation::Command {
            shell: lease.id().to_owned(),
            line: line.clone(),
            bare: request.bare,
        };
        match shells.patiently(&operation).await {
            Ok(answered) => return process(shells, lease, answered),
            Err(CallError { stage, error }) => match stage {
                // A shell that the host has forgotten (restarted, idle for hours): nothing ran.
                Stage::Answered if error.kind == ErrorKind::Disconnected && !renewed => {
                    lease.forget();
                    renewed = true;
                }
                Stage::Answered => {
                    lease.release(None);
                    return Err(error);
                }
                Stage::NotTaken => return Err(error),
                Stage::NoAnswer | Stage::Cut => {
                    return Err(HostError::new(
                        ErrorKind::Disconnected,
                        format!(
                            "the connection was lost when the command was on its way ({}); it may have been started",
                            error.message
                        ),
                    )
                    .hint(hints::MAY_HAVE_STARTED));
                }
            },
        }
    }
}

/// What of a request WinRM can carry.
fn readable(request: &ExecRequest) -> Result<(ShellKey, String), HostError> {
    if request.pty.is_some() {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            "WinRM has no terminals",
        ));
    }
    let line = std::str::from_utf8(&request.command).map_err(|_| {
        HostError::new(
            ErrorKind::Arguments,
            "the command is not UTF-8, which WinRM wants",
        )
    })?;
    let line = fits(line, "the command")?.to_owned();
    for (name, value) in &request.env {
        fits(name, "a variable's name")?;
        fits(value, &format!("the variable {name}"))?;
    }
    if let Some(folder) = &request.chdir {
        fits(folder, "the folder")?;
    }
    let key = ShellKey {
        env: request.env.clone(),
        chdir: request.chdir.clone(),
    };
    Ok((key, line))
}

fn process(shells: Arc<Shells>, lease: Lease, answered: Answered) -> Result<Process, HostError> {
    let command = answered.response.command.ok_or_else(|| {
        HostError::new(
            ErrorKind::Protocol,
            format!(
                "{}: it starts a command and does not say which",
                shells.session.place
            ),
        )
    })?;
    let place = Place {
        shell: lease.id().to_owned(),
        command,
    };
    let pipe = Arc::<Pipe>::default();
    Ok(Process {
        input: Box::new(WinrmInput::new(shells.clone(), place.clone(), pipe.clone())),
        output: Box::new(WinrmOutput {
            shells,
            place,
            pipe,
            lease: Some(lease),
            queue: VecDeque::new(),
            asking: None,
            asked: false,
            received: 0,
            lost: false,
            over: false,
            ending: false,
        }),
    })
}

type Asking = Pin<Box<dyn Future<Output = Result<Answered, CallError>> + Send>>;

/// A command's output.
struct WinrmOutput {
    shells: Arc<Shells>,
    place: Place,
    pipe: Arc<Pipe>,
    /// Dropped, it takes the command with it.
    lease: Option<Lease>,
    queue: VecDeque<OutputEvent>,
    /// The question that is under way. It is kept here, so that whoever gives up waiting for it loses
    /// nothing; it goes on with the next who waits.
    asking: Option<Asking>,
    asked: bool,
    /// How much came so far, in bytes.
    received: usize,
    /// An answer broke off: bytes may be missing.
    lost: bool,
    /// Nothing more will come.
    over: bool,
    /// It is being ended: its shell goes with it, and all that it has started.
    ending: bool,
}

impl WinrmOutput {
    /// Asks the host what there is, and takes the answer. Safe to drop half-way.
    async fn ask(&mut self) {
        let asking = match &mut self.asking {
            Some(asking) => asking,
            none => {
                let first = !std::mem::replace(&mut self.asked, true);
                none.insert(ask(
                    self.shells.clone(),
                    self.place.clone(),
                    self.pipe.clone(),
                    first,
                    self.received > MUCH,
                ))
            }
        };
        let answered = asking.as_mut().await;
        self.asking = None;
        self.pipe.answered();
        match answered {
            Ok(answered) => self.take(answered),
            Err(failed) => self.fail(unreached(&failed)),
        }
    }

    fn take(&mut self, answered: Answered) {
        self.lost |= answered.lost;
        let response = answered.response;
        for (stream, bytes) in response.output {
            self.received += bytes.len();
            self.queue.push_back(OutputEvent::Data(stream, bytes));
        }
        if let Some(fault) = response.fault {
            match fault.meaning() {
                Meaning::TimedOut => {}
                Meaning::Gone => self.fail(HostError::new(
                    ErrorKind::Disconnected,
                    format!(
                        "{}: the command's shell is gone: the service was restarted, or somebody closed it ({})",
                        self.shells.session.place, fault.message
                    ),
                )),
                _ => {
                    let said = fault.error(&self.shells.session.place, "asking for output");
                    let hint = said.hint.clone();
                    let error = HostError::new(ErrorKind::Disconnected, said.message);
                    self.fail(match hint {
                        Some(hint) => error.hint(hint),
                        None => error,
                    });
                }
            }
        } else if response.done {
            self.ended(response.exit);
        }
    }

    fn ended(&mut self, exit: Option<i32>) {
        self.over = true;
        self.pipe.is_over();
        match exit {
            Some(exit) => self.queue.push_back(OutputEvent::Exit(Exit::Status(exit))),
            None => self.queue.push_back(OutputEvent::Lost(HostError::new(
                ErrorKind::Protocol,
                format!(
                    "{}: the command ended without an exit code",
                    self.shells.session.place
                ),
            ))),
        }
        if self.lost {
            self.queue.push_back(OutputEvent::Lost(HostError::new(
                ErrorKind::Disconnected,
                "the connection was lost in the middle of an answer: the command has ended, and part of its output is missing",
            )));
        }
        if !self.ending
            && let Some(lease) = self.lease.take()
        {
            lease.release(Some(self.place.command.clone()));
        }
    }

    /// No more can be learnt of the command.
    fn fail(&mut self, error: HostError) {
        self.over = true;
        self.pipe.is_over();
        self.queue.push_back(OutputEvent::Lost(error));
        // Dropping the lease deletes the shell, should it still be there.
        self.lease = None;
    }

    /// Ctrl+C, a while, and the end of it.
    async fn interrupt(&mut self, grace: Duration) {
        let until = Instant::now() + grace;
        let interrupt = Operation::Interrupt(self.place.clone());
        let shells = self.shells.clone();
        let interrupting = tokio::spawn(async move { shells.session.call(interrupt).await });
        if timeout_at(until, interrupting).await.is_err() {
            return;
        }
        while !self.over {
            if timeout_at(until, self.ask()).await.is_err() {
                return;
            }
        }
    }
}

/// One question for output.
fn ask(shells: Arc<Shells>, place: Place, pipe: Arc<Pipe>, first: bool, much: bool) -> Asking {
    Box::pin(async move {
        let session = &shells.session;
        if much {
            session.learn_envelope().await;
        }
        let receive = Operation::Receive(place.clone());
        match pipe.asks(first).await {
            Before::Nothing => session.call(receive).await,
            Before::Quick => session.call_for(receive, QUICK).await,
            Before::TellEnd => {
                let end = Operation::Send {
                    place,
                    bytes: bytes::Bytes::new(),
                    end: true,
                };
                // A command that is over wants no end of input: what it has said tells.
                let _ = session.call(end).await;
                session.call(receive).await
            }
        }
    })
}

fn unreached(failed: &CallError) -> HostError {
    let CallError { stage, error } = failed;
    if *stage == Stage::Answered {
        return error.clone();
    }
    let message = format!(
        "the connection was lost while the command ran, and could not be made again ({}); it may still be running",
        error.message
    );
    HostError::new(ErrorKind::Disconnected, message)
}

#[async_trait]
impl Output for WinrmOutput {
    async fn next(&mut self) -> OutputEvent {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            if self.over {
                return OutputEvent::Closed;
            }
            self.ask().await;
        }
    }

    async fn end(&mut self, grace: Duration) -> Option<Result<(), HostError>> {
        if !self.over {
            self.ending = true;
            self.interrupt(grace).await;
        }
        // A shell that was given back is one whose command has ended by itself.
        let Some(lease) = self.lease.take() else {
            return Some(Ok(()));
        };
        let over = std::mem::replace(&mut self.over, true);
        self.pipe.is_over();
        let terminate = Operation::Terminate(self.place.clone());
        let shells = self.shells.clone();
        let ending = tokio::spawn(async move {
            if !over {
                let _ = shells.session.call(terminate).await;
            }
            lease.delete().await
        });
        Some(match ending.await {
            Ok(ended) => ended,
            Err(_) => Ok(()),
        })
    }

    async fn close(&mut self) {
        self.over = true;
        self.pipe.is_over();
        self.queue.clear();
        self.lease = None;
    }
}
