//! How each host of a run of plays came out, said once: at the run's end, or with `do` as soon as its
//! one task is done there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::base::clock;
use crate::base::value::Value;
use crate::event::emitter::HostEnd;
use crate::event::{
    Emitter, HostCounts, HostError, HostIx, Outcome, PlayStats, RunHeader, Stopped, Stream,
    Summary, TaskStatus,
};
use crate::playbook::Loaded;
use crate::playbook::run::{Batch, CustomStats, Done, PlayEnd, Scene, Turn, Worker};

/// Says them.
pub(super) struct Ends {
    header: Arc<RunHeader>,
    emitter: Emitter,
    said: Mutex<HashMap<Arc<str>, Outcome>>,
}

impl Ends {
    pub(super) fn new(header: Arc<RunHeader>, emitter: Emitter) -> Arc<Self> {
        Arc::new(Self {
            header,
            emitter,
            said: Mutex::default(),
        })
    }

    /// A worker whose tasks are their hosts' ends.
    pub(super) fn each(self: Arc<Self>, worker: Arc<dyn Worker>) -> Arc<dyn Worker> {
        Arc::new(Each { ends: self, worker })
    }

    /// Says how the rest came out; all are counted.
    pub(super) async fn finish(&self, end: &PlayEnd) -> Summary {
        let mut summary = Summary::new(self.header.hosts.len());
        for (index, host) in self.header.hosts.iter().enumerate() {
            let said = self.said(host);
            let outcome = said.unwrap_or_else(|| outcome(end, host));
            summary.add(outcome);
            if said.is_some() {
                continue;
            }
            let error = match (outcome, end.stopped) {
                (Outcome::Cancelled, Some(why)) => Some(why.not_begun()),
                _ => None,
            };
            let took = match outcome {
                Outcome::Cancelled | Outcome::Skipped => Duration::ZERO,
                _ => self.took(),
            };
            let emitter = self.emitter.resume(index_of(index));
            emitter.finish(host_end(outcome, None, took, error)).await;
        }
        summary
    }

    /// Since the run began.
    fn took(&self) -> Duration {
        let took = clock::now().duration_since(self.header.started);
        took.try_into().unwrap_or_default()
    }

    fn said(&self, host: &str) -> Option<Outcome> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.get(host).copied()
    }

    fn index(&self, host: &str) -> Option<HostIx> {
        let mut hosts = self.header.hosts.iter();
        hosts.position(|each| &**each == host).map(index_of)
    }
}

fn index_of(index: usize) -> HostIx {
    HostIx(u32::try_from(index).unwrap_or(u32::MAX))
}

fn host_end(
    outcome: Outcome,
    exit: Option<i32>,
    duration: Duration,
    error: Option<HostError>,
) -> HostEnd {
    HostEnd {
        outcome,
        exit,
        signal: None,
        duration,
        attempts: 1,
        error,
        timings: None,
        files: Vec::new(),
    }
}

/// How a host came out of a run.
fn outcome(end: &PlayEnd, host: &Arc<str>) -> Outcome {
    if end.failed.binary_search(host).is_ok() {
        Outcome::Failed
    } else if end.unreachable.binary_search(host).is_ok() {
        Outcome::Unreachable
    } else {
        of_counts(counts(&end.stats, host), end.stopped)
    }
}

fn counts(stats: &PlayStats, host: &str) -> HostCounts {
    let found = stats
        .hosts
        .binary_search_by(|(name, _)| (**name).cmp(host))
        .ok()
        .and_then(|at| stats.hosts.get(at));
    found.map(|(_, counts)| *counts).unwrap_or_default()
}

fn of_counts(counts: HostCounts, stopped: Option<Stopped>) -> Outcome {
    if counts.changed > 0 {
        Outcome::Changed
    } else if counts.ok > 0 {
        Outcome::Ok
    } else if stopped.is_some() {
        Outcome::Cancelled
    } else {
        Outcome::Skipped
    }
}

/// Does tasks, and says that their hosts are done with them.
struct Each {
    ends: Arc<Ends>,
    worker: Arc<dyn Worker>,
}

#[async_trait]
impl Worker for Each {
    async fn perform(&self, turn: &Turn) -> Done {
        let mut emitters = Vec::new();
        for host in turn.hosts.iter() {
            if let Some(index) = self.ends.index(host) {
                emitters.push((host.clone(), self.ends.emitter.host(index).await));
            }
        }
        let began = Instant::now();
        let done = self.worker.perform(turn).await;
        let outcome = match done.status {
            TaskStatus::Ok => Outcome::Ok,
            TaskStatus::Changed => Outcome::Changed,
            TaskStatus::Skipped => Outcome::Skipped,
            TaskStatus::Failed => Outcome::Failed,
            TaskStatus::Unreachable => Outcome::Unreachable,
        };
        let exit = done.result.get("rc").and_then(Json::as_i64);
        let exit = exit.and_then(|exit| i32::try_from(exit).ok());
        for (host, mut emitter) in emitters {
            for (stream, name) in [(Stream::Stdout, "stdout"), (Stream::Stderr, "stderr")] {
                if let Some(Json::String(text)) = done.result.get(name)
                    && !text.is_empty()
                {
                    emitter.output(stream, format!("{text}\n").into()).await;
                }
            }
            emitter
                .finish(host_end(outcome, exit, began.elapsed(), done.error.clone()))
                .await;
            let mut said = (self.ends.said.lock()).unwrap_or_else(PoisonError::into_inner);
            said.insert(host, outcome);
        }
        done
    }

    fn render(&self, scene: &Scene<'_>, value: &Value) -> Result<Value, String> {
        self.worker.render(scene, value)
    }

    async fn begin_play(&self, batch: &Arc<Batch>) -> Result<(), String> {
        self.worker.begin_play(batch).await
    }

    fn wants_facts(&self, turn: &Turn) -> bool {
        self.worker.wants_facts(turn)
    }

    fn included(&self, batch: &Arc<Batch>, hosts: &[Arc<str>], loaded: &Loaded) {
        self.worker.included(batch, hosts, loaded);
    }

    fn custom_stats(&self) -> CustomStats {
        self.worker.custom_stats()
    }

    fn rescued(&self, turn: &Turn, done: &Done) {
        self.worker.rescued(turn, done);
    }

    async fn end(&self) {
        self.worker.end().await;
    }
}
