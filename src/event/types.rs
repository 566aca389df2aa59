//! The events themselves and the results they carry.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::capture::Captured;
use super::error::{ErrorKind, HostError};
use super::files::{FileRecord, Moved};
use super::play::PlayEvent;
use crate::base::id::RunId;
use crate::base::text::Charset;

/// A host of a run: its place in [`RunHeader::hosts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostIx(pub u32);

impl HostIx {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A task's result on a host; the order is the contract's, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Ok,
    /// Nothing to do.
    Skipped,
    /// Done, and the host is changed.
    Changed,
    /// Kept for later.
    Deferred,
    /// Not begun or stopped by us.
    Cancelled,
    /// No connection or no login: no command was started.
    Unreachable,
    /// Ended by a time limit.
    TimedOut,
    /// Anything else that is not well.
    Failed,
}

impl Outcome {
    /// All of them, best first.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Skipped,
        Self::Changed,
        Self::Deferred,
        Self::Cancelled,
        Self::Unreachable,
        Self::TimedOut,
        Self::Failed,
    ];

    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Changed => "changed",
            Self::Deferred => "deferred",
            Self::Cancelled => "cancelled",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Failed => "failed",
        }
    }

    /// `ok`, `changed` or `skipped`: what `--rerun failed` leaves out.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Ok | Self::Changed | Self::Skipped)
    }

    /// Counts towards `--max-fail`.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Unreachable)
    }
}

/// A run's outcome: its hosts' worst, or how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// The worst of its hosts'.
    Hosts(Outcome),
    /// Stopped by the user, or its controller died.
    Interrupted,
    /// Under way.
    Running,
}

impl RunOutcome {
    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hosts(outcome) => outcome.name(),
            Self::Interrupted => "interrupted",
            Self::Running => "running",
        }
    }
}

/// How many hosts came out how; the field order is the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the contract's words")]
pub struct Summary {
    pub total: usize,
    pub ok: usize,
    pub changed: usize,
    pub skipped: usize,
    pub failed: usize,
    pub unreachable: usize,
    pub timed_out: usize,
    pub cancelled: usize,
    pub deferred: usize,
}

impl Summary {
    /// Of a run over `total` hosts, none done yet.
    pub fn new(total: usize) -> Self {
        Self {
            total,
            ..Self::default()
        }
    }

    fn slot(&mut self, outcome: Outcome) -> &mut usize {
        match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Changed => &mut self.changed,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Failed => &mut self.failed,
            Outcome::Unreachable => &mut self.unreachable,
            Outcome::TimedOut => &mut self.timed_out,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::Deferred => &mut self.deferred,
        }
    }

    /// Counts one host's outcome.
    pub fn add(&mut self, outcome: Outcome) {
        *self.slot(outcome) += 1;
    }

    /// How many hosts came out so.
    pub fn count(&self, outcome: Outcome) -> usize {
        *{ *self }.slot(outcome)
    }

    /// How many are done, however.
    pub fn done(&self) -> usize {
        Outcome::ALL
            .iter()
            .map(|outcome| self.count(*outcome))
            .sum()
    }

    /// Failed, timed out or unreachable: what `--max-fail` counts.
    pub fn failures(&self) -> usize {
        self.failed + self.timed_out + self.unreachable
    }

    /// The worst outcome there is; `ok` of none.
    pub fn worst(&self) -> Outcome {
        Outcome::ALL
            .into_iter()
            .rev()
            .find(|outcome| self.count(*outcome) > 0)
            .unwrap_or(Outcome::Ok)
    }
}

/// Who runs what on which hosts: the first event of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The run's id.
    pub run: RunId,
    /// `run`, `script`, `ping`, ...
    pub verb: String,
    /// What runs, as typed; masked under `--no-log`.
    pub command: Option<String>,
    /// The pattern that chose the hosts, as typed.
    pub pattern: String,
    /// The operating system's user on the controller.
    pub user: String,
    /// The account within ioms, once there are accounts.
    pub account: Option<String>,
    /// The controller's name and where the user's terminal comes from: `ctl1 (10.0.0.7)`.
    pub from: String,
    /// The options that bear on the run, as a JSON object.
    pub options: serde_json::Value,
    /// When it began.
    #[serde(with = "crate::base::clock::serde_rfc3339")]
    pub started: Timestamp,
    /// Keep command and output out of the record.
    pub no_log: bool,
    /// The hosts, in inventory order.
    pub hosts: Vec<Arc<str>>,
}

/// How long it took to get in; what `ping` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// From the first packet to an agreed key.
    pub connect: Duration,
    /// From there to a login.
    pub auth: Duration,
}

/// What came out on one host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostResult {
    /// The outcome.
    pub outcome: Outcome,
    /// The exit status, where the command exited. Signed as Windows shows it.
    pub exit: Option<i32>,
    /// The signal that killed it, without `SIG`: `TERM`.
    pub signal: Option<String>,
    /// Standard output, redacted.
    pub stdout: Captured,
    /// Standard error, redacted.
    pub stderr: Captured,
    /// The encoding the host speaks: `utf-8`, `gb18030`.
    pub encoding: Charset,
    /// When work on the host began.
    pub started: Timestamp,
    /// From there to its end.
    pub duration: Duration,
    /// How often a connection was tried.
    pub attempts: u32,
    /// Why there is no plain result; `None` also for a plain non-zero exit.
    pub error: Option<HostError>,
    /// Where a connection was made by this run.
    pub timings: Option<Timings>,
    /// What became of the files of `upload` and `download`, redacted; empty for other verbs.
    pub files: Vec<FileRecord>,
}

impl HostResult {
    /// Whether output was dropped because there was too much of it.
    pub fn truncated(&self) -> bool {
        self.stdout.truncated() || self.stderr.truncated()
    }
}

/// A host that the run is waiting for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The host.
    pub host: HostIx,
    /// Since its work began.
    pub running: Duration,
    /// Since its last output (or since its work began).
    pub silent: Duration,
}

/// What stopped a run early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// `--max-fail` closed the gate.
    Gate,
    /// `--deadline` passed.
    Deadline,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// A deny rule.
    Denied,
}

impl Stopped {
    /// Why a host was not begun.
    pub fn not_begun(self) -> HostError {
        let (kind, message) = match self {
            Self::Gate => (ErrorKind::Gate, "not begun: too many hosts had failed"),
            Self::Deadline => (ErrorKind::Deadline, "not begun: the run's deadline passed"),
            Self::Denied => (ErrorKind::Denied, "not begun: the command is denied"),
            Self::Interrupted | Self::Terminated => {
                (ErrorKind::Interrupted, "not begun: the run was stopped")
            }
        };
        HostError::new(kind, message)
    }
}

/// The last event of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// When it ended.
    pub finished: Timestamp,
    /// The counts.
    pub summary: Summary,
    /// What stopped it early.
    pub stopped: Option<Stopped>,
}

impl RunEnd {
    /// The run's outcome.
    pub fn outcome(&self) -> RunOutcome {
        match self.stopped {
            Some(Stopped::Interrupted | Stopped::Terminated) => RunOutcome::Interrupted,
            _ => RunOutcome::Hosts(self.summary.worst()),
        }
    }
}

/// What became of a run's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// In the database.
    Stored,
    /// In its journal, to be replayed.
    Spooled,
    /// Nowhere.
    Lost,
}

/// One thing a run says.
#[derive(Debug, Clone)]
pub enum Event {
    /// First of all.
    RunStarted(Arc<RunHeader>),
    /// Work on a host begins.
    HostStarted(HostIx),
    /// A piece of output, redacted; all of it, also what is over `--max-output`.
    Output {
        /// From where.
        host: HostIx,
        /// Which stream.
        stream: Stream,
        /// As it came, at any border.
        bytes: Bytes,
        /// What the host speaks.
        encoding: Charset,
    },
    /// A host is done.
    HostFinished(HostIx, Arc<HostResult>),
    /// The longest-running hosts, longest first; about once a second while some run.
    Waiting(Vec<Waiting>),
    /// How far the files of `upload` and `download` are; about once a second while some move.
    Moved(Moved),
    /// What a play says.
    Play(PlayEvent),
    /// Something the user should know that is no host's result: a check that is off, a key learnt.
    Notice(String),
    /// Last of all.
    RunFinished(RunEnd),
}

/// An event with its time.
#[derive(Debug, Clone)]
pub struct Stamped {
    /// When the engine said it.
    pub at: Timestamp,
    /// What.
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_outcome_is_the_runs() {
        let mut summary = Summary::new(3);
        assert_eq!(summary.worst(), Outcome::Ok);
        summary.add(Outcome::Changed);
        summary.add(Outcome::Unreachable);
        assert_eq!(summary.worst(), Outcome::Unreachable);
        summary.add(Outcome::TimedOut);
        assert_eq!(summary.worst(), Outcome::TimedOut);
        assert_eq!((summary.done(), summary.failures()), (3, 2));
    }
}
