//! Drives one command: moves bytes between a conversation and a process, keeps the time, and ends
//! the command when its time is up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::codepage::Console;
use super::ending;
use super::feed::Feeding;
use super::host::{Activity, is_quit, quit, stopped};
use super::job::{Control, Limits};
use super::listener::Listener;
use super::outcome::{End, failure_error, with_survivor};
use super::verdict::{closed, halted_early, no_session, no_start, not_begun};
use crate::base::chunks::Chunks;
use crate::event::{ErrorKind, HostError, Outcome, Stopped, Stream};
use crate::shell::{Command, Conversation, Failure, Opening, Plan, Step};
use crate::target::Target;
use crate::transport::{
    Connection, Connections, Departure, ExecRequest, Exit, Input, Output, OutputEvent, Process, Pty,
};

/// How long output is read after a command has exited while children in the background hold it.
const AFTER_EXIT: Duration = Duration::from_secs(2);

/// How long the host may take from login to the hello of a shell, and sudo to its own.
pub(super) const BEFORE_START: Duration = Duration::from_mins(1);

/// How long a command that is to be ended may take to say its process group.
const HELLO: Duration = Duration::from_secs(2);

/// How long a command may take to end by itself when the transport asks it to.
const GRACE: Duration = Duration::from_secs(2);

/// How long a transport may take to end a command, the grace included.
const ENDING: Duration = Duration::from_secs(20);

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
    pub(super) output: &'a mut dyn Listener,
    /// Where it matters in what the command speaks.
    pub(super) console: Option<Console<'a>>,
    /// What the command reads, where the plan says that it is given.
    pub(super) given: Option<Box<dyn Chunks>>,
}

/// What the loop knows.
struct Progress {
    started: Option<Instant>,
    last_output: Instant,
    exit: Option<(Exit, Instant)>,
    waiting_since: Instant,
    /// Whether the user's work went out: from then on it may have begun.
    sent: bool,
}

/// Why the loop stopped.
enum Stop {
    /// No more output will come.
    Closed,
    /// Its end, or part of its output, can't be learnt.
    Lost(HostError),
    /// It could not be started.
    Failed(Failure),
    Timeout,
    Idle,
    NoHello,
    Halted(Stopped),
    /// What the command reads could not be read here, or was lost on the way; or what it says can't be
    /// kept here.
    Broken(HostError),
}

/// How a command gets its process.
pub(super) enum Start {
    /// By what the conversation begins with.
    Exec,
    /// It has one.
    Begun(Process),
}

/// A process on a host; else how that ended.
pub(super) async fn open(
    connection: &Arc<dyn Connection>,
    request: ExecRequest,
    halt: &mut Control,
) -> Result<Process, End> {
    let departure = request.departure.clone();
    let opened = tokio::select! {
        opened = timeout(BEFORE_START, connection.exec(request)) => opened,
        why = stopped(halt) => return Err(halted_early(why, &departure)),
    };
    match opened {
        Ok(Ok(process)) => Ok(process),
        Ok(Err(error)) => Err(not_begun(error)),
        Err(_) if departure.call_off() => Err(End::unreachable(no_session())),
        Err(_) => Err(not_begun(no_start())),
    }
}

impl Drive<'_> {
    /// Runs the plan's command to its end.
    pub(super) async fn run(mut self, start: Start, conversation: &mut dyn Conversation) -> End {
        let begun = match start {
            Start::Begun(process) => Ok(process),
            Start::Exec => open(self.connection, request(conversation.begin()), self.halt).await,
        };
        let mut process = match begun {
            Ok(process) => process,
            Err(end) => return end,
        };
        let now = Instant::now();
        let mut progress = Progress {
            started: None,
            last_output: now,
            exit: None,
            waiting_since: now,
            sent: false,
        };
        let mut feeding = Feeding::default();
        let stop = self
            .converse(conversation, &mut process, &mut progress, &mut feeding)
            .await;
        feeding.stop();
        let end = self
            .conclude(stop, conversation, &progress, &mut *process.output)
            .await;
        process.output.close().await;
        end
    }

    async fn converse(
        &mut self,
        conversation: &mut dyn Conversation,
        process: &mut Process,
        progress: &mut Progress,
        feeding: &mut Feeding,
    ) -> Stop {
        let opening = conversation.opening();
        progress.sent = conversation.opens_with_the_work();
        if !opening.is_empty() {
            match timeout(BEFORE_START, process.input.write(opening)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if error.kind == ErrorKind::Disconnected => {
                    return Stop::Broken(error);
                }
                // The host's side tells why, by its exit or by the end of the connection.
                Ok(Err(_)) => tracing::debug!("the host took no script"),
                Err(_) => return Stop::NoHello,
            }
        }
        let mut input = Some(std::mem::replace(&mut process.input, Box::new(Nowhere)));
        if conversation.opens_with_all()
            && self.plan.stdin.is_empty()
            && let Some(mut input) = input.take()
        {
            match input.close().await {
                Err(error) if error.kind == ErrorKind::Disconnected => return Stop::Broken(error),
                _ => {}
            }
        }
        if conversation.starts_at_once() {
            let step = Step {
                started: true,
                ..Step::default()
            };
            let taken = self
                .take(step, conversation, progress, &mut input, feeding)
                .await;
            if let Err(stop) = taken {
                return stop;
            }
            feeding.command_reads();
        }
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
                fed = feeding.ended() => match fed {
                Ok(()) => continue,
                Err(error) => return Stop::Broken(error),
            },
                event = process.output.next() => event,
            };
            let step = match event {
                OutputEvent::Closed => return Stop::Closed,
                OutputEvent::Lost(error) => return Stop::Lost(error),
                OutputEvent::Refused => {
                    return Stop::Failed(Failure::NoShell("it refused to execute anything".into()));
                }
                OutputEvent::Exit(exit) => {
                    progress.exit = Some((exit, Instant::now()));
                    continue;
                }
                OutputEvent::Data(stream, bytes) => {
                    progress.last_output = Instant::now();
                    self.activity.saw_life();
                    match stream {
                        Stream::Stdout => conversation.stdout(bytes),
                        Stream::Stderr => conversation.stderr(bytes),
                    }
                }
            };
            if let Some(group) = conversation.group() {
                self.activity.set_group(group);
            }
            let taken = self
                .take(step, conversation, progress, &mut input, feeding)
                .await;
            if let Err(stop) = taken {
                return stop;
            }
            if conversation.is_started() {
                feeding.command_reads();
            }
            if progress.exit.is_none() && self.output.has_heard_all() {
                // What it has left behind may hold its streams.
                progress.exit = Some((Exit::Status(0), Instant::now()));
            }
        }
    }

    /// Does what a step says; begins to feed standard input when it is time for that.
    async fn take(
        &mut self,
        step: Step,
        conversation: &dyn Conversation,
        progress: &mut Progress,
        input: &mut Option<Box<dyn Input>>,
        feeding: &mut Feeding,
    ) -> Result<(), Stop> {
        for (stream, bytes) in [(Stream::Stdout, step.stdout), (Stream::Stderr, step.stderr)] {
            if !bytes.is_empty() {
                let due = self.due(progress).0;
                // To know how to show it is worth no delay of an end.
                if let Some(console) = &mut self.console {
                    tokio::select! {
                        () = console.look_at(&bytes, conversation, self.output) => {}
                        _ = stopped(self.halt) => {}
                        () = sleep_until(due) => {}
                    }
                }
                let taking = self.output.output(stream, bytes);
                let kept = self.activity.not_its_fault(taking).await;
                self.activity.saw_life();
                kept.map_err(Stop::Broken)?;
            }
        }
        if let Some(failure) = step.failed {
            return Err(Stop::Failed(failure));
        }
        if let (false, Some(input)) = (step.write.is_empty(), input.as_mut()) {
            match timeout(BEFORE_START, input.write(step.write.into())).await {
                Ok(Err(error)) if error.kind == ErrorKind::Disconnected => {
                    return Err(Stop::Broken(error));
                }
                Ok(_) => {}
                Err(_) => return Err(Stop::NoHello),
            }
        }
        if !step.started {
            return Ok(());
        }
        progress.sent = true;
        let now = Instant::now();
        progress.started = Some(now);
        progress.last_output = now;
        if let Some(input) = input.take() {
            let given = self.given.take();
            feeding.begin(input, conversation, self.plan, given, self.activity);
        }
        Ok(())
    }

    /// When the loop must look up at the latest, and why.
    fn due(&self, progress: &Progress) -> (Instant, Option<Stop>) {
        if let Some((_, at)) = &progress.exit {
            // A command's children may go on talking; a file that comes slowly is to come whole.
            let whole = matches!(self.plan.command, Command::Files(_));
            let at = if whole {
                progress.last_output.max(*at)
            } else {
                *at
            };
            return (at + AFTER_EXIT, None);
        }
        let Some(started) = progress.started else {
            return (progress.waiting_since + BEFORE_START, Some(Stop::NoHello));
        };
        let far = started + Duration::from_hours(24 * 365);
        let timeout = self.limits.timeout.map_or(far, |limit| started + limit);
        // What it reads is life too.
        let last = progress.last_output.max(self.activity.last());
        let idle = self.limits.idle_timeout.map_or(far, |limit| last + limit);
        if idle < timeout {
            (idle, Some(Stop::Idle))
        } else {
            (timeout, Some(Stop::Timeout))
        }
    }

    async fn conclude(
        &mut self,
        stop: Stop,
        conversation: &mut dyn Conversation,
        progress: &Progress,
        output: &mut dyn Output,
    ) -> End {
        let started = progress.sent;
        let mut end = match stop {
            Stop::Closed => {
                let exit = progress.exit.as_ref().map(|(exit, _)| exit);
                closed(conversation, exit, progress.sent)
            }
            Stop::Lost(error) => End {
                exit: progress.exit.as_ref().and_then(|(exit, _)| match exit {
                    Exit::Status(status) => Some(*status),
                    Exit::Signal(_) => None,
                }),
                ..End::failed(error)
            },
            // Nothing of the command was started; sudo, su and doas end with their input.
            Stop::Failed(failure) => End::failed(failure_error(failure)),
            Stop::Timeout => {
                let survivor = self.end(conversation, progress, output).await;
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
                let survivor = self.end(conversation, progress, output).await;
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
                let survivor = self.end(conversation, progress, output).await;
                let error = HostError::new(
                    ErrorKind::Unsupported,
                    format!("no shell answered within {} s of the login", BEFORE_START.as_secs()),
                )
                .hint("is the login shell waiting for something, or not a Unix shell? set ansible_shell_type");
                End::failed(with_survivor(error, survivor))
            }
            Stop::Halted(why) => {
                let survivor = self.end(conversation, progress, output).await;
                End::halted(why, survivor)
            }
            Stop::Broken(error) => {
                let survivor = self.end(conversation, progress, output).await;
                End::failed(with_survivor(error, survivor))
            }
        };
        end.started = started;
        end
    }

    /// Ends the command on the host; says what may have survived.
    async fn end(
        &mut self,
        conversation: &mut dyn Conversation,
        progress: &Progress,
        output: &mut dyn Output,
    ) -> Option<String> {
        let mut halt = self.halt.clone();
        let asked = tokio::select! {
            asked = timeout(ENDING, output.end(GRACE)) => asked,
            () = quit(&mut halt) => return Some("it may still be running".to_owned()),
        };
        let survivor = match asked {
            Ok(None) => return self.end_by_command(conversation, progress, output).await,
            Ok(Some(Ok(()))) => None,
            Ok(Some(Err(error))) => Some(format!("it may still be running: {error}")),
            Err(_) => Some("it may still be running: the host does not answer".to_owned()),
        };
        let until = Instant::now() + HELLO;
        while let Ok(OutputEvent::Data(stream, bytes)) = timeout_at(until, output.next()).await {
            self.last_words(conversation, stream, bytes).await;
        }
        if survivor.is_none() {
            // What it has left on the host is removed in any case.
            ending::tidy(self.connection, conversation).await;
        }
        survivor
    }

    /// What a command said while it was being ended.
    async fn last_words(
        &mut self,
        conversation: &mut dyn Conversation,
        stream: Stream,
        bytes: Bytes,
    ) {
        let step = match stream {
            Stream::Stdout => conversation.stdout(bytes),
            Stream::Stderr => conversation.stderr(bytes),
        };
        for (stream, bytes) in [(Stream::Stdout, step.stdout), (Stream::Stderr, step.stderr)] {
            if !bytes.is_empty() {
                let _ = self.output.output(stream, bytes).await;
            }
        }
    }

    /// The same where the transport can't: by a command of ours.
    async fn end_by_command(
        &mut self,
        conversation: &mut dyn Conversation,
        progress: &Progress,
        output: &mut dyn Output,
    ) -> Option<String> {
        let mut last_words = Vec::new();
        let mut kept = 0;
        // The script is on its way already: what it starts is known by the hello before it.
        let until = Instant::now() + HELLO;
        let mut halt = self.halt.clone();
        while conversation.group().is_none() && !is_quit(&halt) {
            match timeout_at(until, output.next()).await {
                Ok(OutputEvent::Data(Stream::Stdout, bytes)) => drop(conversation.stdout(bytes)),
                Ok(OutputEvent::Data(Stream::Stderr, bytes)) => drop(conversation.stderr(bytes)),
                Ok(OutputEvent::Exit(_)) => {}
                Ok(OutputEvent::Closed | OutputEvent::Refused | OutputEvent::Lost(_)) | Err(_) => {
                    break;
                }
            }
        }
        if conversation.group().is_none() && progress.sent {
            return Some("it may have been started".to_owned());
        }
        let group = conversation.group();
        let survivor = {
            let ending = ending::end(self.connections, self.connection, self.target, conversation);
            tokio::pin!(ending);
            let mut open = true;
            loop {
                // Its output is read on: a full channel would keep the second command waiting.
                tokio::select! {
                    survivor = &mut ending => break survivor,
                    () = quit(&mut halt) => {
                        break group.map(|group| format!("it may still be running, pgid {group}"));
                    }
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
            self.last_words(conversation, stream, bytes).await;
        }
        survivor
    }
}

/// What a transport is asked for to begin a conversation.
pub(super) fn request(opening: Opening) -> ExecRequest {
    ExecRequest {
        command: opening.command,
        pty: opening.pty.then_some(Pty {
            columns: 80,
            rows: 24,
        }),
        env: opening.env,
        chdir: opening.chdir,
        bare: opening.bare,
        departure: Departure::default(),
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
