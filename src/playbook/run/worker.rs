//! What a strategy asks of whoever does tasks, and what it hears back.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use crate::base::value::{Map, Value};
pub use crate::event::CustomStats;
use crate::event::{HostError, TaskStatus};
use crate::playbook::{Loaded, Play, Task};

/// Names of hosts, in order.
type Names = Arc<[Arc<str>]>;

/// The hosts that go through a play together.
#[derive(Debug)]
pub struct Batch {
    /// The play.
    pub play: Arc<Play>,
    /// Its number in the run.
    pub number: u32,
    /// All hosts of the play, whatever their `order`: `ansible_play_hosts_all`.
    pub all: Arc<[Arc<str>]>,
    /// Those of this batch, also the lost ones.
    pub hosts: Arc<[Arc<str>]>,
    /// Of the play and of the batch.
    left: RwLock<(Names, Names)>,
}

impl Batch {
    /// A batch that has lost nobody.
    pub fn new(play: Arc<Play>, number: u32, all: Arc<[Arc<str>]>, hosts: Arc<[Arc<str>]>) -> Self {
        let left = RwLock::new((all.clone(), hosts.clone()));
        Self {
            play,
            number,
            all,
            hosts,
            left,
        }
    }

    /// Hosts of the play that have not failed, been unreachable, or ended: `ansible_play_hosts`.
    pub fn all_left(&self) -> Arc<[Arc<str>]> {
        let left = self.left.read().unwrap_or_else(PoisonError::into_inner);
        left.0.clone()
    }

    /// Those of this batch: `ansible_play_batch`, `play_hosts`.
    pub fn hosts_left(&self) -> Arc<[Arc<str>]> {
        let left = self.left.read().unwrap_or_else(PoisonError::into_inner);
        left.1.clone()
    }

    /// Who is left changes.
    pub(super) fn keep(&self, stays: impl Fn(&str) -> bool) {
        let keep = |hosts: &[Arc<str>]| hosts.iter().filter(|host| stays(host)).cloned().collect();
        let now = (keep(&self.all), keep(&self.hosts));
        *self.left.write().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

/// Variables that hold for what an include brought in, the innermost include's first.
#[derive(Debug)]
pub struct Scope {
    /// The item's variables of the including task.
    pub vars: Map,
    /// Those of the include around it; weaker.
    pub outer: Option<Arc<Scope>>,
}

/// A task's turn on a host.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Where in the run.
    pub batch: Arc<Batch>,
    /// The hosts. Of a `run_once` task all that its result holds for, the one that does it first; else
    /// one.
    pub hosts: Arc<[Arc<str>]>,
    /// The task.
    pub task: Arc<Task>,
    /// Its number, as `TaskStarted` has said it.
    pub number: u32,
    /// What it was included with.
    pub scope: Option<Arc<Scope>>,
    /// Whether it runs as a handler.
    pub handler: bool,
}

/// For whom a text is rendered.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Where in the run; before a play's hosts are known, a batch without any.
    pub batch: &'a Arc<Batch>,
    /// The host.
    pub host: Option<&'a Arc<str>>,
    /// The task.
    pub task: Option<&'a Arc<Task>>,
    /// What it was included with.
    pub scope: Option<&'a Arc<Scope>>,
}

/// Does tasks. A strategy may ask for many at a time, of different hosts.
#[async_trait]
pub trait Worker: Send + Sync {
    /// Does a task on a host: its condition, its loop, its attempts, and all that is made of its
    /// result. Says `ItemFinished`, `Retrying` and `TaskFinished` (of `meta` only where it is
    /// skipped); not `TaskStarted`.
    async fn perform(&self, turn: &Turn) -> Done;

    /// A keyword's or name's value, rendered as far as it can be: `serial`, `throttle`, names of
    /// tasks and handlers.
    fn render(&self, scene: &Scene<'_>, value: &Value) -> Result<Value, String>;

    /// A play is about to begin, its hosts not yet known: `vars_prompt` and the like. An error ends the run.
    async fn begin_play(&self, _batch: &Arc<Batch>) -> Result<(), String> {
        Ok(())
    }

    /// Whether facts are to be gathered: the play can use one, and they are not known. Else `Gathering
    /// Facts` is an empty success without a round trip.
    fn wants_facts(&self, _turn: &Turn) -> bool {
        true
    }

    /// Something was included for these hosts: public roles make their variables known to the play.
    fn included(&self, _batch: &Arc<Batch>, _hosts: &[Arc<str>], _loaded: &Loaded) {}

    /// What `set_stats` set, for the recap.
    fn custom_stats(&self) -> CustomStats {
        Vec::new()
    }

    /// A failure on a host leads to a `rescue`: `ansible_failed_task`, `ansible_failed_result`.
    fn rescued(&self, _turn: &Turn, _done: &Done) {}

    /// The plays are over: what was left on hosts for the run's time may go.
    async fn end(&self) {}
}

/// What came of a task on a host, as far as it matters for what is done next.
#[derive(Debug, Clone)]
pub struct Done {
    /// How it came out: the worst of its items.
    pub status: TaskStatus,
    /// Whether a failure (or the loss of the host) is to be passed over.
    pub ignored: bool,
    /// The handlers to be notified, since it changed something; templates rendered.
    pub notify: Vec<String>,
    /// Files of tasks and roles to go on with, in the order of the items.
    pub includes: Vec<Include>,
    /// What a `meta` task wants.
    pub meta: Option<Meta>,
    /// Why there is no result of the module's; nothing of a task with `no_log`.
    pub error: Option<HostError>,
    /// The result as it may be seen by `rescue` (`ansible_failed_result`).
    pub result: Arc<serde_json::Map<String, serde_json::Value>>,
}

/// What an `include_tasks` or `include_role` asks for on a host.
#[derive(Debug, Clone, PartialEq)]
pub struct Include {
    /// Its parameters, rendered: `file`; `name`, `tasks_from`, `apply`, `public`, ...
    pub params: Map,
    /// The item's variables, which hold for what is included: the loop variable, `index_var`.
    pub vars: Map,
    /// The item's label, of an item.
    pub label: Option<String>,
}

/// What a `meta` task wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meta {
    /// Notified handlers run now.
    FlushHandlers,
    /// This host is through with the play.
    EndHost,
    /// All hosts of the batch are.
    EndBatch,
    /// The play ends.
    EndPlay,
    /// The role ends, on this host.
    EndRole,
    /// Hosts that had failed take part again.
    ClearHostErrors,
    /// Nothing for a strategy to do: the worker has done it.
    Nothing,
}
