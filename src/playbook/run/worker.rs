//! What a strategy asks of whoever does tasks, and what it hears back.

use std::sync::Arc;

use async_trait::async_trait;

use crate::base::value::Value;
use crate::event::TaskStatus;
use crate::playbook::{Play, Task};

/// The hosts that go through a play together.
#[derive(Debug)]
pub struct Batch {
    /// The play.
    pub play: Arc<Play>,
    /// Its number in the run.
    pub number: u32,
    /// All hosts of the play, in order: `ansible_play_hosts_all`.
    pub all: Arc<[Arc<str>]>,
    /// Those of this batch: `ansible_play_batch`.
    pub hosts: Arc<[Arc<str>]>,
}

/// Does tasks. A strategy may ask for many at a time, of different hosts.
#[async_trait]
pub trait Worker: Send + Sync {
    /// Does a task on a host: its condition, its loop, its attempts, and all that is made of its
    /// result. Says `ItemFinished`, `Retrying` and `TaskFinished`; not `TaskStarted`. Of a `run_once`
    /// task `hosts` are all that its result holds for, the one that does it first; else one.
    async fn perform(
        &self,
        batch: &Arc<Batch>,
        hosts: &[Arc<str>],
        task: &Arc<Task>,
        number: u32,
    ) -> Done;

    /// A host is out of its play (`gone`), or takes part again: `ansible_play_hosts` names it or not.
    fn lose(&self, _batch: &Arc<Batch>, _host: &Arc<str>, _gone: bool) {}

    /// A keyword's or name's text, rendered for a host as far as it can be: `serial`, `throttle`, names of
    /// tasks and handlers, notifications.
    fn render(
        &self,
        batch: &Arc<Batch>,
        host: Option<&Arc<str>>,
        task: Option<&Arc<Task>>,
        value: &Value,
    ) -> Result<Value, String>;
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
    /// The result as it may be seen by `rescue` (`ansible_failed_result`).
    pub result: Arc<serde_json::Map<String, serde_json::Value>>,
}

/// What an `include_tasks` or `include_role` asks for on a host.
#[derive(Debug, Clone, PartialEq)]
pub struct Include {
    /// Its parameters, rendered: `file`; `name`, `tasks_from`, `apply`, `public`, ...
    pub params: crate::base::value::Map,
    /// The item's variables, which hold for what is included: the loop variable, `index_var`.
    pub vars: crate::base::value::Map,
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
