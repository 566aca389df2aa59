//! The dispatcher: owns the run's state, lets hosts begin, hears of their ends, and decides when to
//! stop. One loop; executors are tasks that report to it and share nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout_at};
use tracing::Instrument as _;

use super::host::{self, Activity};
use super::job::{Control, Halt, Job};
use crate::base::clock;
use crate::base::quantity::Share;
use crate::event::{
    Emitter, ErrorKind, Event, HostError, HostIx, Moved, Outcome, RunEnd, Stopped, Summary, Waiting,
};
use crate::transport::Connections;

/// How long hosts may take to let go of their commands when the run quits.
const LETTING_GO: Duration = Duration::from_secs(1);

/// How many waiting hosts are named.
const WAITING_NAMED: usize = 5;

/// Runs a job to its end. Emits everything from `RunStarted` to `RunFinished`.
#[tracing::instrument(level = "info", skip_all, fields(id = %job.header.run))]
pub async fn run(
    job: Job,
    connections: Arc<dyn Connections>,
    emitter: Emitter,
    control: Control,
) -> RunEnd {
    let deadline = job.limits.deadline.map(|after| Instant::now() + after);
    let dispatcher = Dispatcher::new(job, connections, emitter);
    dispatcher.work(control, deadline).await
}

/// Refuses a job, on record: every host is cancelled, none is contacted.
pub async fn refuse(
    job: Job,
    connections: Arc<dyn Connections>,
    emitter: Emitter,
    why: Stopped,
) -> RunEnd {
    let mut dispatcher = Dispatcher::new(job, connections, emitter);
    dispatcher.stopped = Some(why);
    dispatcher.work(watch::channel(Halt::No).1, None).await
}

struct Dispatcher {
    job: Arc<Job>,
    connections: Arc<dyn Connections>,
    emitter: Emitter,
    summary: Summary,
    /// The hosts of the current batch.
    batch: std::ops::Range<usize>,
    batches: usize,
    /// The next host to begin.
    next: usize,
    running: BTreeMap<HostIx, Arc<Activity>>,
    tasks: JoinSet<(HostIx, Outcome)>,
    stopped: Option<Stopped>,
    /// What the executors hear.
    halt: watch::Sender<Halt>,
}

impl Dispatcher {
    fn new(job: Job, connections: Arc<dyn Connections>, emitter: Emitter) -> Self {
        Self {
            summary: Summary::new(job.header.hosts.len()),
            batch: 0..0,
            batches: 0,
            next: 0,
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
            stopped: None,
            halt: watch::channel(Halt::No).0,
            job: Arc::new(job),
            connections,
            emitter,
        }
    }

    async fn work(mut self, mut control: Control, deadline: Option<Instant>) -> RunEnd {
        self.emitter
            .emit(Event::RunStarted(self.job.header.clone()))
            .await;
        let mut tick = interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.reset();
        let mut listening = true;
        loop {
            self.begin_hosts();
            if self.tasks.is_empty() {
                break;
            }
            tokio::select! {
                Some(ended) = self.tasks.join_next() => self.host_ended(ended).await,
                changed = control.changed(), if listening => {
                    listening = changed.is_ok();
                    let halt = *control.borrow_and_update();
                    if let Halt::Quit(why) = halt {
                        self.stopped = Some(why);
                        self.abandon(why).await;
                        break;
                    }
                    self.stop(halt);
                }
                () = wait_for(deadline), if matches!(self.stopped, None | Some(Stopped::Gate)) => {
                    self.stop(Halt::Stop(Stopped::Deadline));
                }
                _ = tick.tick() => self.say_who_is_waited_for(),
            }
        }
        self.cancel_the_rest().await;
        let end = RunEnd {
            finished: clock::now(),
            summary: self.summary,
            stopped: self.stopped,
        };
        self.emitter.emit(Event::RunFinished(end.clone())).await;
        end
    }

    /// Lets hosts begin, as far as forks and the batch allow.
    fn begin_hosts(&mut self) {
        if self.stopped.is_some() {
            return;
        }
        if self.next == self.batch.end && self.tasks.is_empty() {
            self.next_batch();
        }
        while self.next < self.batch.end && self.tasks.len() < self.job.limits.forks.max(1) {
            let host = HostIx(u32::try_from(self.next).unwrap_or(u32::MAX));
            self.next += 1;
            let activity = Arc::new(Activity::new());
            self.running.insert(host, activity.clone());
            let executor = host::Executor {
                job: self.job.clone(),
                connections: self.connections.clone(),
                emitter: self.emitter.clone(),
                halt: self.halt.subscribe(),
                activity,
                host,
            };
            let work = async move { (host, executor.run().await) };
            self.tasks.spawn(work.in_current_span());
        }
    }

    fn next_batch(&mut self) {
        let total = self.summary.total;
        let serial = &self.job.limits.serial;
        let size = match serial.get(self.batches).or(serial.last()) {
            None => total,
            // A percentage that comes to nothing still means a host, as in Ansible.
            Some(share) => share.of(total).max(1),
        };
        self.batches += 1;
        self.batch = self.batch.end..self.batch.end.saturating_add(size).min(total);
    }

    async fn host_ended(&mut self, ended: Result<(HostIx, Outcome), tokio::task::JoinError>) {
        match ended {
            Ok((host, outcome)) => {
                self.running.remove(&host);
                self.summary.add(outcome);
            }
            Err(error) => self.executor_died(&error).await,
        }
        if self.stopped.is_none() && self.gate_is_closed() && self.next < self.summary.total {
            self.stopped = Some(Stopped::Gate);
        }
    }

    /// A defect of ours on one host must not lose that host: it is failed, and said so.
    async fn executor_died(&mut self, error: &tokio::task::JoinError) {
        tracing::error!(%error, "an executor ended unexpectedly");
        let lost: Vec<HostIx> = self
            .running
            .iter()
            .filter(|(_, activity)| Arc::strong_count(activity) == 1)
            .map(|(host, _)| *host)
            .collect();
        for host in lost {
            self.running.remove(&host);
            let failure = HostError::new(
                ErrorKind::Protocol,
                "internal error while working on the host",
            )
            .hint("please report this; -vv has more");
            let outcome =
                host::finish_unstarted(&self.emitter, host, Outcome::Failed, failure, None).await;
            self.summary.add(outcome);
        }
    }

    fn gate_is_closed(&self) -> bool {
        let limit = match self.job.limits.max_fail {
            None => return false,
            Some(share @ Share::Percent(_)) => share.of(self.summary.total),
            Some(Share::Count(count)) => count,
        };
        self.summary.failures() > limit
    }

    fn stop(&mut self, halt: Halt) {
        if let Halt::Stop(why) | Halt::Quit(why) = halt {
            // Whoever interrupts a run that is already stopping wins: it is the user.
            self.stopped = Some(why);
            self.halt.send_replace(halt);
        }
    }

    /// Leaves the running hosts as they are, each marked.
    async fn abandon(&mut self, why: Stopped) {
        self.halt.send_replace(Halt::Quit(why));
        // They let go at once, with what they have heard of their hosts so far.
        let until = Instant::now() + LETTING_GO;
        while let Ok(Some(ended)) = timeout_at(until, self.tasks.join_next()).await {
            if let Ok((host, outcome)) = ended {
                self.running.remove(&host);
                self.summary.add(outcome);
            }
        }
        self.tasks.abort_all();
        while let Some(ended) = self.tasks.join_next().await {
            if let Ok((host, outcome)) = ended {
                self.running.remove(&host);
                self.summary.add(outcome);
            }
        }
        for (host, activity) in std::mem::take(&mut self.running) {
            let message = match activity.group() {
                Some(group) => {
                    format!("interrupted; the command may still be running, pgid {group}")
                }
                None => "interrupted before the command was known to run".to_owned(),
            };
            let error = HostError::new(ErrorKind::Interrupted, message);
            let outcome = host::finish_unstarted(
                &self.emitter,
                host,
                Outcome::Cancelled,
                error,
                Some(activity.age()),
            )
            .await;
            self.summary.add(outcome);
        }
    }

    /// Hosts that never began.
    async fn cancel_the_rest(&mut self) {
        let Some(why) = self.stopped else { return };
        let error = why.not_begun();
        for index in self.next..self.summary.total {
            let host = HostIx(u32::try_from(index).unwrap_or(u32::MAX));
            let error = error.clone();
            let outcome =
                host::finish_unstarted(&self.emitter, host, Outcome::Cancelled, error, None).await;
            self.summary.add(outcome);
        }
    }

    fn say_who_is_waited_for(&self) {
        let mut waiting: Vec<Waiting> = self
            .running
            .iter()
            .map(|(host, activity)| Waiting {
                host: *host,
                running: activity.age(),
                silent: activity.silence(),
            })
            .collect();
        waiting.sort_by_key(|each| std::cmp::Reverse(each.running));
        waiting.truncate(WAITING_NAMED);
        self.emitter.mention(Event::Waiting(waiting));
        if let Some(meter) = self.job.work.meter() {
            let (moved, expected) = meter.read();
            self.emitter
                .mention(Event::Moved(Moved { moved, expected }));
        }
    }
}

async fn wait_for(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
