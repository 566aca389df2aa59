//! Drives one command: moves bytes between a conversation and a process, keeps the time, and ends
//! the command when its time is up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::ending;
use super::feed::feed;
use super::host::{Activity, stopped};
use super::job::{Control, Limits};
use super::outcome::{End, failure_error, with_survivor};
use crate::base::secret::Secret;
use crate::event::{ErrorKind, HostEmitter, HostError, Outcome, Stopped, Stream};
use crate::shell::{Conversation, Escalation, Failure, Plan, Step};
use crate::target::Target;
use crate::transport::{
    Connection, Connections, ExecRequest, Exit, Input, Output, OutputEvent, Process, Pty,
};

/// How long output is read after a command has exited while children in the background hold it.
const AFTER_EXIT: Duration = Duration::from_secs(2);

/// How long the host may take from login to the hello of a shell, and sudo to its own.
const BEFORE_START: Duration = Duration::from_mins(1);

/// How long a command that is to be ended may take to say its process group.
const HELLO: Duration = Duration::from_secs(2);

/// How much is kept of what a command says while it is being ended, in bytes.
const LAST_WORDS: usize = 1 << 20;

/// What one command needs.
pub(super) struct Drive<'a> {
    pub(super) plan: &'a Plan,
    pub(super) limits: &'a Limits,
    pub(super) connections: &'a Arc<dyn Connections>,
    pub(super) connection: &'a Arc<dyn Connection>,
    pub(super) target: &'a Arc<Target>,
    pub(super) activity: &'a Arc<Activity>,
    pub(super) halt: &'a mut Control,
    pub(super) output: &'a mut HostEmitter,
}

/// What the loop knows.
struct Progress {
    started: Option<Instant>,
    last_output: Instant,
    exit: Option<(Exit, Instant)>,
    waiting_since: Instant,
}

/// Why the loop stopped.
enum Stop {
    /// No more output will come.
    Closed,
    /// It could not be started.
    Failed(Failure),
    Timeout,
    Idle,
    NoHello,
    Halted(Stopped),
    LocalIo(std::io::Error),
}

impl Drive<'_> {
    /// Runs the plan's command to its end.
    pub(super) async fn run(mut self, escalation: Option<(Escalation, Option<Secret>)>) -> End {
        let mark = mark();
        let mut conversation =
            Conversation::new(self.plan, escalation, self.target.tmpdir.as_deref(), &mark);
        let request = ExecRequest {
            command: conversation.command(),
            pty: conversation.pty().then_some(Pty {
                columns: 80,
                rows: 24,
            }),
        };
        let mut process = match self.connection.exec(request).await {
            Ok(process) => process,
            Err(error) => return End::unreachable(error),
        };
        let now = Instant::now();
        let mut progress = Progress {
            started: None,
            last_output: now,
            exit: None,
            waiting_since: now,
        };
        let stop = self
            .converse(&mut conversation, &mut process, &mut progress)
            .await;
        let end = self
            .conclude(stop, &mut conversation, &progress, &mut *process.output)
            .await;
        process.output.close().await;
        end
    }

    async fn converse(
        &mut self,
        conversation: &mut Conversation,
        process: &mut Process,
        progress: &mut Progress,
    ) -> Stop {
        let opening = conversation.opening();
        if !opening.is_empty() {
            match timeout(BEFORE_START, process.input.write(opening.into())).await {
                Ok(Ok(())) => {}
                // The host's side tells why, by its exit or by the end of the connection.
                Ok(Err(_)) => tracing::debug!("the host took no script"),
                Err(_) => return Stop::NoHello,
            }
        }
        let mut input = Some(std::mem::replace(&mut process.input, Box::new(Nowhere)));
        let mut pump = None;
        loop {
            let due = self.due(progress);
            // Output last: a command that never stops talking must not outlive its time.
            let event = tokio::select! {
                biased;
                why = stopped(self.halt), if progress.exit.is_none() => return Stop::Halted(why),
                () = sleep_until(due.0) => match due.1 {
                    Some(stop) => return stop,
                    None => return Stop::Closed,
                },
                event = process.output.next() => event,
            };
            let step = match event {
                OutputEvent::Closed => return Stop::Closed,
                OutputEvent::Refused => {
                    return Stop::Failed(Failure::NoShell("it refused to execute anything".into()));
                }
                OutputEvent::Exit(exit) => {
                    progress.exit = Some((exit, Instant::now()));
                    continue;
                }
                OutputEvent::Data(stream, bytes) => {
                    progress.last_output = Instant::now();
                    self.activity.saw_output();
                    match stream {
                        Stream::Stdout => conversation.stdout(bytes),
                        Stream::Stderr => conversation.stderr(bytes),
                    }
                }
            };
            if let Some(group) = conversation.group() {
                self.activity.set_group(group);
            }
            match self.take(step, conversation, progress, &mut input).await {
                Ok(Some(feed)) => pump = Some(tokio::spawn(feed)),
                Ok(None) => {}
                Err(stop) => {
                    if let Some(pump) = pump {
                        pump.abort();
                    }
                    return stop;
                }
            }
        }
    }

    /// Does what a step says; gives the feeding of standard input when it is time for that.
    async fn take(
        &mut self,
        step: Step,
        conversation: &Conversation,
        progress: &mut Progress,
        input: &mut Option<Box<dyn Input>>,
    ) -> Result<Option<impl Future<Output = ()> + Send + use<>>, Stop> {
        for (stream, bytes) in [(Stream::Stdout, step.stdout), (Stream::Stderr, step.stderr)] {
            if !bytes.is_empty() {
                self.output
                    .output(stream, bytes)
                    .await
                    .map_err(Stop::LocalIo)?;
            }
        }
        if let Some(failure) = step.failed {
            return Err(Stop::Failed(failure));
        }
        if let (false, Some(input)) = (step.write.is_empty(), input.as_mut()) {
            let written = timeout(BEFORE_START, input.write(step.write.into())).await;
            if written.is_err() {
                return Err(Stop::NoHello);
            }
        }
        if !step.started {
            return Ok(None);
        }
        let now = Instant::now();
        progress.started = Some(now);
        progress.last_output = now;
        let Some(input) = input.take() else {
            return Ok(None);
        };
        Ok(Some(feed(
            input,
            conversation.payload(),
            self.plan.stdin.clone(),
            self.plan.tty,
        )))
    }

    /// When the loop must look up at the latest, and why.
    fn due(&self, progress: &Progress) -> (Instant, Option<Stop>) {
        if let Some((_, at)) = &progress.exit {
            return (*at + AFTER_EXIT, None);
        }
        let Some(started) = progress.started else {
            return (progress.waiting_since + BEFORE_START, Some(Stop::NoHello));
        };
        let far = started + Duration::from_hours(24 * 365);
        let timeout = self.limits.timeout.map_or(far, |limit| started + limit);
        let idle = self
            .limits
            .idle_timeout
            .map_or(far, |limit| progress.last_output + limit);
        if idle < timeout {
            (idle, Some(Stop::Idle))
        } else {
            (timeout, Some(Stop::Timeout))
        }
    }

    async fn conclude(
        &mut self,
        stop: Stop,
        conversation: &mut Conversation,
        progress: &Progress,
        output: &mut dyn Output,
    ) -> End {
        let started = progress.started.is_some();
        let mut end = match stop {
            Stop::Closed => closed(conversation, progress),
            // Nothing of the command was started; sudo, su and doas end with their input.
            Stop::Failed(failure) => End::failed(failure_error(failure)),
            Stop::Timeout => {
                let survivor = self.end(conversation, output).await;
                let limit = self.limits.timeout.unwrap_or_default();
                let message = format!(
                    "ran longer than {}",
                    crate::base::quantity::show_duration(limit)
                );
                End::with(
                    Outcome::TimedOut,
                    with_survivor(HostError::new(ErrorKind::Timeout, message), survivor),
                )
            }
            Stop::Idle => {
                let survivor = self.end(conversation, output).await;
                let limit = self.limits.idle_timeout.unwrap_or_default();
                let message = format!(
                    "said nothing for {}",
                    crate::base::quantity::show_duration(limit)
                );
                End::with(
                    Outcome::TimedOut,
                    with_survivor(HostError::new(ErrorKind::IdleTimeout, message), survivor),
                )
            }
            Stop::NoHello => {
                let survivor = self.end(conversation, output).await;
                let error = HostError::new(
                    ErrorKind::Unsupported,
                    format!("no shell answered within {} s of the login", BEFORE_START.as_secs()),
                )
                .hint("is the login shell waiting for something, or not a Unix shell? set ansible_shell_type");
                End::failed(with_survivor(error, survivor))
            }
            Stop::Halted(why) => {
                let survivor = self.end(conversation, output).await;
                End::halted(why, survivor)
            }
            Stop::LocalIo(error) => {
                let survivor = self.end(conversation, output).await;
                let error = HostError::new(
                    ErrorKind::LocalIo,
                    format!("the output could not be kept: {error}"),
                );
                End::failed(with_survivor(error, survivor))
            }
        };
        end.started = started;
        end
    }

    /// Ends the command on the host; says what may have survived.
    async fn end(
        &mut self,
        conversation: &mut Conversation,
        output: &mut dyn Output,
    ) -> Option<String> {
        let mut last_words = Vec::new();
        let mut kept = 0;
        // The script is on its way already: what it starts is known by the hello before it.
        let until = Instant::now() + HELLO;
        while conversation.group().is_none() {
            match timeout_at(until, output.next()).await {
                Ok(OutputEvent::Data(Stream::Stdout, bytes)) => drop(conversation.stdout(bytes)),
                Ok(OutputEvent::Data(Stream::Stderr, bytes)) => drop(conversation.stderr(bytes)),
                Ok(OutputEvent::Exit(_)) => {}
                Ok(OutputEvent::Closed | OutputEvent::Refused) | Err(_) => break,
            }
        }
        let survivor = {
            let ending = ending::end(self.connections, self.connection, self.target, conversation);
            tokio::pin!(ending);
            let mut open = true;
            loop {
                // Its output is read on: a full channel would keep the second command waiting.
                tokio::select! {
                    survivor = &mut ending => break survivor,
                    event = output.next(), if open => match event {
                        OutputEvent::Data(stream, bytes) if kept < LAST_WORDS => {
                            kept += bytes.len();
                            last_words.push((stream, bytes));
                        }
                        OutputEvent::Closed => open = false,
                        _ => {}
                    },
                }
            }
        };
        for (stream, bytes) in last_words {
            let step = match stream {
                Stream::Stdout => conversation.stdout(bytes),
                Stream::Stderr => conversation.stderr(bytes),
            };
            for (stream, bytes) in [(Stream::Stdout, step.stdout), (Stream::Stderr, step.stderr)] {
                if let Err(error) = self.output.output(stream, bytes).await {
                    tracing::warn!(%error, "the last output could not be kept");
                }
            }
        }
        survivor
    }
}

fn closed(conversation: &Conversation, progress: &Progress) -> End {
    let never_started = conversation.ended();
    match (&progress.exit, never_started) {
        (Some((Exit::Status(_) | Exit::Signal(_), _)), Some(failure)) => {
            End::failed(failure_error(failure))
        }
        (Some((Exit::Status(status), _)), None) => End {
            outcome: if *status == 0 {
                Outcome::Ok
            } else {
                Outcome::Failed
            },
            exit: Some(*status),
            signal: None,
            error: None,
            started: true,
        },
        (Some((Exit::Signal(signal), _)), None) => End {
            outcome: Outcome::Failed,
            exit: None,
            signal: Some(signal.clone()),
            error: None,
            started: true,
        },
        (None, None) => End::failed(HostError::new(
            ErrorKind::Disconnected,
            match conversation.group() {
                Some(group) => format!(
                    "the connection was lost while the command ran; it may still be running, pgid {group}"
                ),
                None => "the connection was lost while the command ran".to_owned(),
            },
        )),
        (None, Some(_)) => End::unreachable(HostError::new(
            ErrorKind::Reset,
            "the connection was lost before the command was started",
        )),
    }
}

/// A mark that nothing on the host can guess: 20 random letters and digits.
pub(super) fn mark() -> String {
    use rand::distr::{Alphanumeric, SampleString as _};
    Alphanumeric.sample_string(&mut rand::rng(), 20)
}

/// Stands where an input was taken from.
struct Nowhere;

#[async_trait::async_trait]
impl Input for Nowhere {
    async fn write(&mut self, _: Bytes) -> Result<(), HostError> {
        Ok(())
    }
    async fn close(&mut self) -> Result<(), HostError> {
        Ok(())
    }
}
