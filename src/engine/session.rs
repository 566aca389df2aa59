//! Tasks on Windows hosts: one PowerShell a connection, kept beside it, does one after another.
//! The framing is `shell`'s ([`Session`]); here are its process, the time, and its end. A task that does
//! not end in time takes the session with it; the next one begins another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::drive::{BEFORE_START, mark, request};
use super::ending;
use super::feed::{END_OF_LINES, write_lines};
use super::host::{quit, stopped};
use super::job::Control;
use super::listener::Listener;
use super::outcome::{End, failure_error, with_survivor};
use super::verdict::{halted_early, no_session, no_start, not_begun};
use crate::base::chunks::Chunks;
use crate::base::quantity::show_duration;
use crate::event::{ErrorKind, HostError, Outcome, Stopped, Stream};
use crate::shell::windows::{Carrier, Session, SessionStep};
use crate::target::{Target, Via};
use crate::transport::{Connection, Connections, Input, Output, OutputEvent};

/// How long the process may take to end by itself when the transport asks it to.
const GRACE: Duration = Duration::from_secs(2);

/// How long a transport may take to end it, the grace included.
const ENDING: Duration = Duration::from_secs(20);

/// How often it is looked whether what is on its way has gone out.
const PAUSE: Duration = Duration::from_millis(5);

/// One task for a host's session.
pub(super) struct Turn<'a> {
    pub(super) connections: &'a Arc<dyn Connections>,
    pub(super) connection: &'a Arc<dyn Connection>,
    pub(super) target: &'a Arc<Target>,
    /// Its text.
    pub(super) script: &'a str,
    /// How long it may take from its start; `None`: for ever.
    pub(super) timeout: Option<Duration>,
    pub(super) halt: &'a mut Control,
    pub(super) output: &'a mut dyn Listener,
    /// What the script may ask for: comes when it does.
    pub(super) given: Option<Box<dyn Chunks>>,
}

/// A session and its process.
struct Live {
    session: Session,
    input: Box<dyn Input>,
    output: Box<dyn Output>,
}

/// Why a task is not seen to its end.
enum Stop {
    Halted(Stopped),
    Timeout,
    /// Output can't be kept, or what the script is given can't be had here.
    Broken(HostError),
    /// The session has ended.
    Lost(HostError),
}

impl Turn<'_> {
    /// Does the task.
    pub(super) async fn run(mut self) -> End {
        let kept = self.connection.kept();
        let mut holding = tokio::select! {
            holding = kept.hold() => holding,
            why = stopped(self.halt) => return End::halted(why, None),
        };
        let mut kept = holding.take::<Live>();
        if kept.as_mut().is_some_and(|live| self.has_ended(live)) {
            kept = None;
        }
        let mut live = match kept {
            Some(live) => live,
            None => match self.begin().await {
                Ok(live) => Box::new(live),
                Err(end) => return end,
            },
        };
        if let Err(end) = self.say(&mut live).await {
            return end;
        }
        match self.listen(&mut live).await {
            Ok((exit, goes_on)) => {
                if goes_on {
                    holding.put(live);
                }
                End {
                    outcome: if exit == 0 {
                        Outcome::Ok
                    } else {
                        Outcome::Failed
                    },
                    exit: Some(exit),
                    signal: None,
                    error: None,
                    started: true,
                    files: Vec::new(),
                }
            }
            Err(stop) => End {
                started: true,
                ..self.conclude(stop, &mut live).await
            },
        }
    }

    /// Whether it is known that the session has ended since its last task. Over WinRM that is a question
    /// to the host, and told when the next task is said.
    fn has_ended(&self, live: &mut Live) -> bool {
        if matches!(self.target.via, Via::Winrm(_)) {
            return false;
        }
        loop {
            match live.output.next().now_or_never() {
                None => return false,
                Some(OutputEvent::Data(..)) => {}
                Some(_) => return true,
            }
        }
    }

    /// A new session, once it has said hello.
    async fn begin(&mut self) -> Result<Live, End> {
        let carrier = match self.target.via {
            Via::Winrm(_) => Carrier::Winrm,
            Via::Ssh(_) | Via::Local => Carrier::Channel,
        };
        let session = Session::new(&mark(), carrier);
        let request = request(session.opening());
        let departure = request.departure.clone();
        let opened = tokio::select! {
            opened = timeout(BEFORE_START, self.connection.exec(request)) => opened,
            why = stopped(self.halt) => return Err(End { started: false, ..halted_early(why, &departure) }),
        };
        let process = match opened {
            Ok(Ok(process)) => process,
            // A session without a task has done nothing.
            Ok(Err(error)) => {
                return Err(End {
                    started: false,
                    ..not_begun(error)
                });
            }
            Err(_) if departure.call_off() => return Err(End::unreachable(no_session())),
            Err(_) => return Err(End::unreachable(no_start())),
        };
        let mut live = Live {
            session,
            input: process.input,
            output: process.output,
        };
        let until = Instant::now() + BEFORE_START;
        let hello = Bytes::from(live.session.begin());
        let greeting = async {
            live.input.write(hello).await?;
            loop {
                let event = live.output.next().await;
                let step = hear(&mut live.session, event)?;
                if let Some(failure) = step.failed {
                    return Err(failure_error(failure));
                }
                if step.ready {
                    return Ok(());
                }
            }
        };
        let greeted = tokio::select! {
            greeted = greeting => greeted,
            () = sleep_until(until) => Err(no_hello()),
            why = stopped(self.halt) => {
                let survivor = self.end(&mut live).await;
                return Err(End::halted(why, survivor));
            }
        };
        match greeted {
            Ok(()) => Ok(live),
            Err(error) => {
                let survivor = self.end(&mut live).await;
                Err(End::unreachable(with_survivor(error, survivor)))
            }
        }
    }

    /// Says the script. An error: it was not said whole, so that it can't have begun, or nobody knows.
    async fn say(&mut self, live: &mut Live) -> Result<(), End> {
        let lines = live.session.say(self.script, &mark()).unwrap_or_default();
        let saying = timeout(BEFORE_START, live.input.write(lines.into()));
        let said = tokio::select! {
            said = saying => said,
            why = stopped(self.halt) => {
                let survivor = self.end(live).await;
                return Err(End { started: true, ..End::halted(why, survivor) });
            }
        };
        let error = match said {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => no_start(),
        };
        let survivor = self.end(live).await;
        let error = with_survivor(error, survivor);
        if error.kind == ErrorKind::Disconnected {
            return Err(End {
                started: true,
                ..End::failed(error)
            });
        }
        // It ended between two tasks: the next one to be tried begins another.
        Err(End::unreachable(HostError::new(
            ErrorKind::Reset,
            error.message,
        )))
    }

    /// Hears the task to its end: its exit code, and whether another task may follow.
    async fn listen(&mut self, live: &mut Live) -> Result<(i32, bool), Stop> {
        let due = self.timeout.map_or_else(
            || Instant::now() + Duration::from_hours(24 * 365),
            |limit| Instant::now() + limit,
        );
        let Live {
            session,
            input,
            output,
        } = live;
        let busy = AtomicBool::new(false);
        let given = self.given.take();
        let mut feeds = given.is_some();
        let feeding = feed(given, &mut **input, &busy);
        tokio::pin!(feeding);
        loop {
            let event = tokio::select! {
                biased;
                why = stopped(self.halt) => return Err(Stop::Halted(why)),
                () = sleep_until(due) => return Err(Stop::Timeout),
                fed = &mut feeding, if feeds => {
                    feeds = false;
                    fed.map_err(Stop::Broken)?;
                    continue;
                }
                event = output.next() => event,
            };
            let step = hear(session, event).map_err(Stop::Lost)?;
            for (stream, bytes) in [(Stream::Stdout, step.stdout), (Stream::Stderr, step.stderr)] {
                if !bytes.is_empty() {
                    let taken = self.output.output(stream, bytes).await;
                    taken.map_err(Stop::Broken)?;
                }
            }
            if let Some(failure) = step.failed {
                return Err(Stop::Lost(failure_error(failure)));
            }
            if let Some(frame) = step.done {
                // Half a line would be in the next one's way.
                let whole = async {
                    while feeds && busy.load(Ordering::Relaxed) {
                        tokio::select! {
                            _ = &mut feeding => break,
                            () = sleep(PAUSE) => {}
                        }
                    }
                };
                let whole = timeout(GRACE, whole).await.is_ok();
                return Ok((frame.exit, whole));
            }
        }
    }

    async fn conclude(&mut self, stop: Stop, live: &mut Live) -> End {
        let survivor = self.end(live).await;
        match stop {
            Stop::Halted(why) => End::halted(why, survivor),
            Stop::Timeout => {
                let limit = show_duration(self.timeout.unwrap_or_default());
                let error = HostError::new(ErrorKind::Timeout, format!("ran longer than {limit}"));
                End::with(Outcome::TimedOut, with_survivor(error, survivor))
            }
            Stop::Broken(error) => End::failed(with_survivor(error, survivor)),
            Stop::Lost(error) => End::failed(error),
        }
    }

    /// Ends the session on its host; says what may have survived.
    async fn end(&mut self, live: &mut Live) -> Option<String> {
        let mut halt = self.halt.clone();
        let ending = async {
            match timeout(ENDING, live.output.end(GRACE)).await {
                Ok(Some(Ok(()))) => None,
                Ok(Some(Err(error))) => Some(format!("it may still be running: {error}")),
                Err(_) => Some("it may still be running: the host does not answer".to_owned()),
                Ok(None) => match live.session.running() {
                    Some(running) => {
                        ending::end(self.connections, self.connection, self.target, &running).await
                    }
                    None => None,
                },
            }
        };
        let survivor = tokio::select! {
            survivor = ending => survivor,
            () = quit(&mut halt) => Some("it may still be running".to_owned()),
        };
        live.output.close().await;
        survivor
    }
}

/// What the session makes of something that happened to its process.
fn hear(session: &mut Session, event: OutputEvent) -> Result<SessionStep, HostError> {
    Ok(match event {
        OutputEvent::Data(Stream::Stdout, bytes) => session.stdout(&bytes),
        OutputEvent::Data(Stream::Stderr, bytes) => session.stderr(&bytes),
        OutputEvent::Exit(_) => SessionStep::default(),
        OutputEvent::Lost(error) => return Err(error),
        OutputEvent::Closed | OutputEvent::Refused => session.ended(),
    })
}

/// Gives a script what it asks for, in lines.
async fn feed(
    given: Option<Box<dyn Chunks>>,
    input: &mut dyn Input,
    busy: &AtomicBool,
) -> Result<(), HostError> {
    let Some(mut given) = given else {
        return Ok(());
    };
    let local = |error: std::io::Error| HostError::new(ErrorKind::LocalIo, error.to_string());
    while let Some(chunk) = given.next().await.map_err(local)? {
        busy.store(true, Ordering::Relaxed);
        write_lines(input, &chunk).await?;
        busy.store(false, Ordering::Relaxed);
    }
    input.write(END_OF_LINES).await
}

fn no_hello() -> HostError {
    HostError::new(
        ErrorKind::Unsupported,
        format!(
            "no PowerShell answered within {} s of the login",
            BEFORE_START.as_secs()
        ),
    )
    .hint("modules need PowerShell on a Windows host; `iomsctl doctor` says what is there")
}
