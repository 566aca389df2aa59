//! What a play says while it runs: the events behind what Ansible's callbacks show.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::HostError;

/// One thing that a play says. Texts and results are redacted by the emitter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayEvent {
    /// A play begins; with `serial` once for each batch.
    PlayStarted(Arc<PlayInfo>),
    /// The play's pattern matches no host of the run.
    NoHostsMatched(u32),
    /// No host of the play is left to go on with.
    NoHostsRemaining(u32),
    /// A task or handler begins, on the first host that comes to it.
    TaskStarted(Arc<TaskInfo>),
    /// One item of a loop is done on a host.
    ItemFinished(Arc<TaskResult>),
    /// A task is tried again on a host (`until`).
    Retrying(Arc<TaskResult>, Retry),
    /// A task is done on a host.
    TaskFinished(Arc<TaskResult>),
    /// A file of tasks or a role was included for these hosts.
    Included {
        /// The including task.
        task: u32,
        /// The file, or the role's name.
        what: String,
        /// The item's label, where the including task loops.
        label: Option<String>,
        /// The hosts.
        hosts: Vec<Arc<str>>,
    },
    /// What is known of these hosts is forgotten: `meta: clear_facts`.
    FactsCleared(Arc<[Arc<str>]>),
    /// The last word: what happened on each host, in the order of the recap, and what `set_stats` set.
    Stats(Arc<PlayStats>),
}

/// A play, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlayInfo {
    /// Its number in the run, from 0.
    pub play: u32,
    /// Its name, else its pattern.
    pub name: String,
    /// Where it stands: `site.yml:1:3`.
    pub path: String,
    /// The strategy: with `free`, banners may come again.
    pub strategy: String,
    /// The hosts of this batch.
    pub hosts: Vec<Arc<str>>,
}

/// A task, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// Its number in the run, from 0.
    pub task: u32,
    /// Its play's.
    pub play: u32,
    /// Its name with the role before it: `web : restart nginx`; templates rendered where they could be.
    pub name: String,
    /// The module as written.
    pub action: String,
    /// Where it stands: `site.yml:12:5`.
    pub path: String,
    /// Whether it runs as a handler.
    pub handler: bool,
    /// Whether check mode holds for it.
    pub check: bool,
}

/// What came of a task, or of one item of its loop, on a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskResult {
    /// The task's number.
    pub task: u32,
    /// The host.
    pub host: Arc<str>,
    /// The host that it was delegated to.
    pub delegated: Option<Arc<str>>,
    /// How it came out.
    pub status: TaskStatus,
    /// Failed or unreachable, and ignored by the playbook's word.
    pub ignored: bool,
    /// The item's label, of an item.
    pub label: Option<String>,
    /// The result under Ansible's names; of a task with `no_log` only what tells of changes.
    pub result: Arc<serde_json::Map<String, serde_json::Value>>,
    /// Why there is none of the module's.
    pub error: Option<HostError>,
    /// Whose facts the result holds, where they are to be known to later runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<FactsOf>,
    /// When it began.
    #[serde(with = "crate::base::clock::serde_rfc3339")]
    pub started: Timestamp,
    /// How long it took.
    pub duration: Duration,
}

/// Whose facts `ansible_facts` of a result are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactsOf {
    /// The hosts.
    pub hosts: Vec<Arc<str>>,
    /// Of a loop: which of its `results`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// Whether they are those that plays gather.
    pub gathered: bool,
}

impl TaskResult {
    /// The facts that it holds for later runs, and whose they are.
    pub fn facts(&self) -> impl Iterator<Item = (&FactsOf, &Facts)> {
        self.facts.iter().filter_map(|of| {
            let facts = match of.item {
                None => self.result.get("ansible_facts"),
                Some(at) => self.result.get("results")?.get(at)?.get("ansible_facts"),
            };
            Some((of, facts?.as_object()?))
        })
    }
}

/// The fact that says that what plays gather was gathered, under Ansible's name.
pub const FACTS_GATHERED: &str = "_ansible_facts_gathered";

/// Facts by the names of the variables that they are: `ansible_distribution`.
pub type Facts = serde_json::Map<String, serde_json::Value>;

impl TaskStatus {
    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Changed => "changed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
        }
    }
}

/// How a task came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// As it should be already.
    Ok,
    /// The host is changed.
    Changed,
    /// Not to be done here.
    Skipped,
    /// It failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
}

/// Another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// How many attempts were made.
    pub made: u32,
    /// How many are left.
    pub left: u32,
}

/// What `set_stats` set, by host; the run's own without one.
pub type CustomStats = Vec<(Option<Arc<str>>, serde_json::Map<String, serde_json::Value>)>;

/// What happened on the hosts of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlayStats {
    /// Counts by host, in the order of names.
    pub hosts: Vec<(Arc<str>, HostCounts)>,
    /// What `set_stats` set, by host; the run's own without one.
    pub custom: CustomStats,
}

/// Ansible's counters for a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are Ansible's words")]
pub struct HostCounts {
    pub ok: u32,
    pub changed: u32,
    pub unreachable: u32,
    pub failed: u32,
    pub skipped: u32,
    pub rescued: u32,
    pub ignored: u32,
}
