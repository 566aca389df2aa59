//! The executor: one host's work from its turn to its result, with new attempts where the command
//! was not started.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::codepage::Console;
use super::job::{Control, Halt, Job, Work};
use super::outcome::End;
use super::{drive, files, speak};
use crate::event::emitter::HostEnd;
use crate::event::{Emitter, ErrorKind, HostEmitter, HostError, HostIx, Outcome, Stopped, Timings};
use crate::target::Target;
use crate::transport::{Connection, Connections};

/// What the dispatcher sees of a host at work, without asking it.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    /// Milliseconds from `began` to the last output.
    last: AtomicU64,
    /// The command's process group; 0 while unknown.
    group: AtomicU32,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            last: AtomicU64::new(0),
            group: AtomicU32::new(0),
        }
    }

    pub(super) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn silence(&self) -> Duration {
        self.age()
            .saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    /// It talks, or takes what it is given.
    pub(super) fn saw_life(&self) {
        let now = u64::try_from(self.age().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Waits for something of ours, which is no silence of the host's.
    pub(super) async fn not_its_fault<T>(&self, ours: impl Future<Output = T>) -> T {
        tokio::pin!(ours);
        loop {
            match tokio::time::timeout(Duration::from_secs(1), &mut ours).await {
                Ok(done) => return done,
                Err(_) => self.saw_life(),
            }
        }
    }

    /// When it was heard of last.
    pub(super) fn last(&self) -> Instant {
        self.began + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    pub(super) fn group(&self) -> Option<u32> {
        Some(self.group.load(Ordering::Relaxed)).filter(|group| *group != 0)
    }

    pub(super) fn set_group(&self, group: u32) {
        self.group.store(group, Ordering::Relaxed);
    }
}

/// All that one host's task needs.
pub(super) struct Executor {
    pub(super) job: Arc<Job>,
    pub(super) connections: Arc<dyn Connections>,
    pub(super) emitter: Emitter,
    pub(super) halt: Control,
    pub(super) activity: Arc<Activity>,
    pub(super) host: HostIx,
}

impl Executor {
    #[tracing::instrument(level = "info", name = "host", skip_all, fields(host = %self.name()))]
    pub(super) async fn run(mut self) -> Outcome {
        let mut output = self.emitter.host(self.host).await;
        let mut attempts = 0;
        let mut timings = None;
        let target = self.job.targets.resolve(self.host);
        if let Ok(Some(encoding)) = target.as_ref().map(|target| target.encoding) {
            output.speaks(encoding);
        }
        let end = match &target {
            Err(error) => End::failed(error.clone()),
            Ok(target) => loop {
                attempts += 1;
                let end = self.attempt(target, &mut output, &mut timings).await;
                let again = !end.started
                    && end.error.as_ref().is_some_and(|error| may_pass(error.kind))
                    && end.outcome == Outcome::Unreachable
                    && attempts <= self.job.limits.retries
                    && *self.halt.borrow() == Halt::No;
                if !again {
                    break end;
                }
                tracing::info!(attempts, "not reached, trying again");
                // A moment for whatever was wrong, longer each time.
                tokio::time::sleep(Duration::from_millis(200) * attempts.min(25)).await;
            },
        };
        if let Ok(target) = &target {
            self.connections.done(target).await;
        }
        tracing::info!(
            outcome = end.outcome.name(),
            error = end.error.as_ref().map(|e| e.kind.name()),
            "done"
        );
        let outcome = end.outcome;
        output
            .finish(HostEnd {
                outcome,
                exit: end.exit,
                signal: end.signal,
                duration: self.activity.age(),
                attempts: attempts.max(1),
                error: end.error,
                timings,
                files: end.files,
            })
            .await;
        outcome
    }

    fn name(&self) -> Arc<str> {
        self.job
            .header
            .hosts
            .get(self.host.index())
            .cloned()
            .unwrap_or_else(|| Arc::from("?"))
    }

    async fn attempt(
        &mut self,
        target: &Arc<Target>,
        output: &mut HostEmitter,
        timings: &mut Option<Timings>,
    ) -> End {
        let connection = tokio::select! {
            connection = self.connections.get(target) => connection,
            stopped = stopped(&mut self.halt) => return End::halted(stopped, None),
        };
        let connection = match connection {
            Ok(connection) => connection,
            Err(error) => return End::unreachable(error),
        };
        *timings = Some(connection.timings());
        self.converse(target, &connection, output).await
    }

    async fn converse(
        &mut self,
        target: &Arc<Target>,
        connection: &Arc<dyn Connection>,
        output: &mut HostEmitter,
    ) -> End {
        let job = self.job.clone();
        let plan = match &job.work {
            Work::Command(plan) => plan,
            files => return self.transfer(files, target, connection, output).await,
        };
        let mut conversation = match speak::conversation(plan, target) {
            Ok(conversation) => conversation,
            Err(error) => return End::failed(error),
        };
        drive::Drive {
            plan,
            limits: &job.limits,
            connections: &self.connections,
            connection,
            target,
            activity: &self.activity,
            halt: &mut self.halt,
            output,
            console: Some(Console::new(self.host, &job.targets, target, connection)),
            given: None,
        }
        .run(drive::Start::Exec, &mut *conversation)
        .await
    }

    async fn transfer(
        &mut self,
        work: &Work,
        target: &Arc<Target>,
        connection: &Arc<dyn Connection>,
        output: &mut HostEmitter,
    ) -> End {
        let name = self.name();
        let link = files::HostLink {
            limits: self.job.limits.clone(),
            until: self.job.limits.timeout.map(|limit| Instant::now() + limit),
            connections: &self.connections,
            connection,
            target,
            activity: &self.activity,
            halt: self.halt.clone(),
            speaking: Arc::default(),
            session: false,
        };
        files::transfer(work, link, &name, output).await
    }
}

/// Whether an error may be gone at the next attempt. A login that was denied is not tried again: that
/// locks accounts.
fn may_pass(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Dns
            | ErrorKind::Refused
            | ErrorKind::ConnectTimeout
            | ErrorKind::Reset
            | ErrorKind::Quota
    )
}

/// Waits until the run is asked to stop.
pub(super) async fn stopped(halt: &mut Control) -> Stopped {
    loop {
        if let Halt::Stop(why) | Halt::Quit(why) = *halt.borrow_and_update() {
            return why;
        }
        if halt.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Whether the run is not even to wait for its commands' ends.
pub(super) fn is_quit(halt: &Control) -> bool {
    matches!(*halt.borrow(), Halt::Quit(_))
}

/// Waits until that is so.
pub(super) async fn quit(halt: &mut Control) {
    if halt
        .wait_for(|halt| matches!(halt, Halt::Quit(_)))
        .await
        .is_err()
    {
        std::future::pending::<()>().await;
    }
}

/// Gives a host its result that never came to work, or whose work was left alone.
pub(super) async fn finish_unstarted(
    emitter: &Emitter,
    host: HostIx,
    outcome: Outcome,
    error: HostError,
    duration: Option<Duration>,
) -> Outcome {
    let end = HostEnd {
        outcome,
        exit: None,
        signal: None,
        duration: duration.unwrap_or_default(),
        attempts: 0,
        error: Some(error),
        timings: None,
        files: Vec::new(),
    };
    emitter.resume(host).finish(end).await;
    outcome
}
