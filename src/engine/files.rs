//! Lends a host to a transfer: tasks with files said as any command is, under the run's limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use tokio::time::{Instant, timeout};

use super::drive::{self, Drive, Start};
use super::host::{Activity, stopped};
use super::job::{Control, Limits, Work};
use super::listener::Listener;
use super::outcome::{End, failure_error};
use super::session::Turn;
use super::speak;
use crate::event::{ErrorKind, HostEmitter, HostError, Outcome, Stream};
use crate::shell::files::{FileTask, Said};
use crate::shell::{Command, Plan, Stdin, windows};
use crate::target::Target;
use crate::transfer::download::Single;
use crate::transfer::{Input, Link, Pulse, Report, Sink, Trouble, download, upload};
use crate::transport::{Connection, Connections, Files};

/// How long a command may take to be ended on its host.
const LETTING_GO: Duration = Duration::from_secs(25);

/// How much of a tool's complaints is read, in bytes.
const COMPLAINTS: usize = 64 * 1024;

/// One host, lent to a transfer.
pub(super) struct HostLink<'a> {
    pub(super) limits: Limits,
    /// When its time is up.
    pub(super) until: Option<Instant>,
    pub(super) connections: &'a Arc<dyn Connections>,
    pub(super) connection: &'a Arc<dyn Connection>,
    pub(super) target: &'a Arc<Target>,
    pub(super) activity: &'a Arc<Activity>,
    pub(super) halt: Control,
    /// Whether a command of ours is under way.
    pub(super) speaking: Arc<AtomicBool>,
    /// Whether what is given no content is done by the PowerShell that does the play's other tasks.
    pub(super) session: bool,
}

impl HostLink<'_> {
    /// Has a task done by a command of its own.
    async fn by_itself(
        &mut self,
        task: Arc<FileTask>,
        input: Option<Input>,
        ear: &mut Ear<'_>,
    ) -> Result<End, Trouble> {
        let (stdin, given) = match input {
            Some(Input { size, chunks }) => (Stdin::Given { size }, Some(chunks)),
            None => (Stdin::Empty, None),
        };
        let plan = Plan {
            command: Command::Files(task),
            env: Vec::new(),
            chdir: None,
            tty: false,
            stdin,
            detach: false,
        };
        let mut conversation = speak::conversation(&plan, self.target)?;
        self.speaking.store(true, Ordering::Relaxed);
        let drive = Drive {
            plan: &plan,
            limits: &self.limits,
            connections: self.connections,
            connection: self.connection,
            target: self.target,
            activity: self.activity,
            halt: &mut self.halt,
            output: ear,
            console: None,
            given,
        };
        Ok(drive.run(Start::Exec, &mut *conversation).await)
    }

    /// The same by the PowerShell that does the play's other tasks.
    async fn in_session(&mut self, task: &FileTask, ear: &mut Ear<'_>) -> Result<End, Trouble> {
        let script = windows::files::in_session(task, &drive::mark()).map_err(failure_error)?;
        self.speaking.store(true, Ordering::Relaxed);
        let turn = Turn {
            connections: self.connections,
            connection: self.connection,
            target: self.target,
            script: &script,
            timeout: self.limits.timeout,
            halt: &mut self.halt,
            output: ear,
            given: None,
        };
        Ok(turn.run().await)
    }
}

/// Does a transfer's work on one host.
pub(super) fn transfer<'a>(
    work: &'a Work,
    link: HostLink<'a>,
    host: &'a str,
    output: &'a mut HostEmitter,
) -> BoxFuture<'a, End> {
    Box::pin(work_on(work, link, host, output))
}

async fn work_on(work: &Work, mut link: HostLink<'_>, host: &str, output: &mut HostEmitter) -> End {
    let watch = Watch::over(&link);
    let mut report = Report::default();
    let working = async {
        match work {
            Work::Command(_) => Ok(()),
            Work::Upload(order) => upload::upload(order, &mut link, &mut report).await,
            Work::Download(order) => download::download(order, host, &mut link, &mut report).await,
        }
    };
    let done = watch.see(working).await;
    report.settle();
    if !report.text.is_empty() {
        let text = std::mem::take(&mut report.text);
        output.output(Stream::Stdout, Bytes::from(text)).await;
    }
    let mut end = match done {
        Ok(()) => End {
            outcome: if report.changed {
                Outcome::Changed
            } else {
                Outcome::Ok
            },
            exit: None,
            signal: None,
            error: None,
            started: true,
            files: Vec::new(),
        },
        Err(end) => End {
            started: true,
            ..end
        },
    };
    end.files = report.files;
    end
}

/// Fetches one file.
pub(super) async fn fetch(file: &Single, mut link: HostLink<'_>) -> Result<(), End> {
    let watch = Watch::over(&link);
    watch.see(download::single(file, &mut link)).await
}

/// Sees to a transfer's time, and that it ends when the run does.
struct Watch {
    halt: Control,
    activity: Arc<Activity>,
    limits: Limits,
    until: Option<Instant>,
    speaking: Arc<AtomicBool>,
}

impl Watch {
    fn over(link: &HostLink<'_>) -> Self {
        Self {
            halt: link.halt.clone(),
            activity: link.activity.clone(),
            limits: link.limits.clone(),
            until: link.until,
            speaking: link.speaking.clone(),
        }
    }

    async fn see(mut self, working: impl Future<Output = Result<(), Trouble>>) -> Result<(), End> {
        tokio::pin!(working);
        let stopped = tokio::select! {
            done = &mut working => Ok(done),
            why = stopped(&mut self.halt) => Err(End::halted(why, None)),
            trouble = overdue(&self.activity, &self.limits, self.until) => Err(ended(trouble)),
        };
        match stopped {
            Ok(done) => done.map_err(ended),
            // A command is ended on its host, and that is waited for; requests of SFTP end with us.
            Err(end) if self.speaking.load(Ordering::Relaxed) => {
                match timeout(LETTING_GO, &mut working).await {
                    Ok(Err(trouble)) => Err(ended(trouble)),
                    Ok(Ok(())) => Ok(()),
                    Err(_) => Err(end),
                }
            }
            Err(end) => Err(end),
        }
    }
}

fn ended(trouble: Trouble) -> End {
    End::with(trouble.outcome, trouble.error)
}

/// Waits until nothing has moved for too long, or the time is up; a little longer than commands are
/// given, which end themselves on their hosts.
async fn overdue(activity: &Activity, limits: &Limits, until: Option<Instant>) -> Trouble {
    const LATER: Duration = Duration::from_secs(3);
    loop {
        let idle = limits.idle_timeout.map(|limit| activity.last() + limit);
        let next = match (idle, until) {
            (Some(idle), Some(until)) => idle.min(until),
            (Some(at), None) | (None, Some(at)) => at,
            (None, None) => return std::future::pending().await,
        };
        tokio::time::sleep_until(next + LATER).await;
        let now = Instant::now();
        if until.is_some_and(|until| until <= now) {
            return timed_out(ErrorKind::Timeout, "its time was up");
        }
        if let Some(limit) = limits.idle_timeout
            && activity.last() + limit <= now
        {
            let limit = crate::base::quantity::show_duration(limit);
            return timed_out(
                ErrorKind::IdleTimeout,
                &format!("nothing moved for {limit}"),
            );
        }
    }
}

fn timed_out(kind: ErrorKind, why: &str) -> Trouble {
    Trouble {
        outcome: Outcome::TimedOut,
        error: HostError::new(kind, why).hint("the same transfer goes on from where it was"),
    }
}

#[async_trait]
impl Link for HostLink<'_> {
    fn target(&self) -> &Arc<Target> {
        self.target
    }

    async fn perform(
        &mut self,
        task: Arc<FileTask>,
        input: Option<Input>,
        sink: &mut dyn Sink,
    ) -> Result<Said, Trouble> {
        if let Some(until) = self.until {
            self.limits.timeout = Some(until.saturating_duration_since(Instant::now()));
        }
        self.activity.saw_life();
        let mut ear = Ear {
            sink,
            complaints: BytesMut::new(),
        };
        let end = match input {
            None if self.session => self.in_session(&task, &mut ear).await?,
            input => self.by_itself(task, input, &mut ear).await?,
        };
        self.speaking.store(false, Ordering::Relaxed);
        let stderr = ear.complaints.freeze();
        match end.error {
            Some(error) => Err(Trouble {
                outcome: end.outcome,
                error,
            }),
            None => Ok(Said {
                exit: end.exit,
                stdout: Bytes::new(),
                stderr,
            }),
        }
    }

    fn files(&self) -> BoxFuture<'static, Result<Arc<dyn Files>, HostError>> {
        let connection = self.connection.clone();
        Box::pin(async move { connection.files().await })
    }

    fn pulse(&self) -> Pulse {
        let activity = self.activity.clone();
        Arc::new(move || activity.saw_life())
    }
}

/// Content to its sink, complaints to be read afterwards.
struct Ear<'a> {
    sink: &'a mut dyn Sink,
    complaints: BytesMut,
}

#[async_trait]
impl Listener for Ear<'_> {
    async fn output(&mut self, stream: Stream, bytes: Bytes) -> Result<(), HostError> {
        match stream {
            Stream::Stdout => self.sink.take(bytes).await,
            Stream::Stderr => {
                let room = COMPLAINTS.saturating_sub(self.complaints.len());
                self.complaints
                    .extend_from_slice(bytes.get(..room).unwrap_or(&bytes));
                Ok(())
            }
        }
    }
}
