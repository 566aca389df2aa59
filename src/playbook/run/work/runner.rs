//! What all tasks of a run share, put together once by whoever starts it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use indexmap::IndexMap;

use super::hosts::Hosts;
use super::jobs::Jobs;
use super::kept::Keep;
use super::layers::{Layer, Layers};
use super::play_vars::PlayVars;
use super::prepared::Prepared;
use super::recall::{EarlierFacts, Recall};
use super::scope::TaskScope;
use super::state::States;
use crate::base::secret::Secret;
use crate::base::seen::Seen;
use crate::base::value::Value;
use crate::engine::{Control, Halt};
use crate::event::{Emitter, HostError};
use crate::module::Library;
use crate::playbook::run::worker::{Scene, Worker};
use crate::playbook::{Play, Source, Task, Written};
use crate::target::{Target, Variables};
use crate::template::Found;
use crate::transport::Connections;

/// So many tasks are kept ready at a time.
const PREPARED: usize = 256;

/// How hosts are reached. The command line fills it: it knows flags, settings and `ssh_config`.
pub trait Ways: Send + Sync {
    /// The target of a host with these variables and keywords.
    fn resolve(&self, host: &Arc<str>, variables: &dyn Variables)
    -> Result<Arc<Target>, HostError>;

    /// What a settings file says for a keyword (`become_exe`), where no flag does.
    fn setting(&self, _keyword: &str) -> Option<Value> {
        None
    }
}

/// Asks the user: `pause` and `vars_prompt`.
pub trait Ask: Send + Sync {
    /// Shows the question and gives the line that was typed; `None` where nobody can be asked. An
    /// error where `stopped` says that nobody waits for it any more.
    fn line(
        &self,
        question: &str,
        echo: bool,
        stopped: &dyn Fn() -> bool,
    ) -> std::io::Result<Option<String>>;

    /// Shows the question, if there is one, and reads keys until there are enough of them, or
    /// `stopped` says that nobody waits for them any more.
    fn keys(
        &self,
        question: &str,
        echo: bool,
        until: Until,
        stopped: &dyn Fn() -> bool,
    ) -> std::io::Result<Keys>;
}

/// What ends the reading of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Enter; Ctrl-C interrupts.
    Enter,
    /// So much time; Ctrl-C interrupts.
    Time(Duration),
    /// One key, of either case; another interrupts.
    Key {
        /// That key.
        end: char,
        /// The other one.
        interrupt: char,
    },
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    /// It came to its end; all keys before.
    Typed(String),
    /// The user wants something else.
    Interrupted,
    /// Nobody can be asked.
    Nobody,
}

/// Says why a command line must not run; `None` where it may.
pub type Denies = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// For runs with nobody to ask.
#[derive(Debug, Clone, Copy, Default)]
pub struct NobodyToAsk;

impl Ask for NobodyToAsk {
    fn line(
        &self,
        _question: &str,
        _echo: bool,
        _stopped: &dyn Fn() -> bool,
    ) -> std::io::Result<Option<String>> {
        Ok(None)
    }

    fn keys(
        &self,
        _question: &str,
        _echo: bool,
        _until: Until,
        _stopped: &dyn Fn() -> bool,
    ) -> std::io::Result<Keys> {
        Ok(Keys::Nobody)
    }
}

/// What flags and settings say of the run.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are the flags'")]
pub struct RunOptions {
    pub check: bool,
    pub diff: bool,
    pub forks: usize,
    pub verbosity: i64,
    pub limit: Option<String>,
    pub tags: Vec<String>,
    pub skip_tags: Vec<String>,
    pub inventories: Vec<String>,
    /// `ansible.cfg` or `ioms.toml`, where there is one.
    pub config_file: Option<PathBuf>,
    /// How long a task may take on a host, where it does not say itself.
    pub task_timeout: Option<Duration>,
    /// How much of a task's output is kept, in bytes a stream.
    pub max_output: usize,
    /// What one play has gathered serves those after it.
    pub gathers_once: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            check: false,
            diff: false,
            forks: 50,
            verbosity: 0,
            limit: None,
            tags: vec!["all".to_owned()],
            skip_tags: Vec::new(),
            inventories: Vec::new(),
            config_file: None,
            task_timeout: Some(Duration::from_hours(1)),
            max_output: 10 << 20,
            gathers_once: false,
        }
    }
}

/// All that a run of playbooks needs.
pub struct Setup {
    /// The hosts, extra variables, vaults, and the redactor.
    pub hosts: Hosts,
    /// Hears of each file of variables that is read.
    pub seen: Seen,
    /// How they are reached.
    pub ways: Arc<dyn Ways>,
    /// Their connections; a pool that keeps them open.
    pub connections: Arc<dyn Connections>,
    /// The modules.
    pub library: Arc<Library>,
    /// Where events go.
    pub emitter: Emitter,
    /// Hears when the run is to stop.
    pub halt: Control,
    /// Hears what makes the run stop: before the run itself, which may be waiting for a template.
    pub control: Control,
    /// Who is asked.
    pub ask: Arc<dyn Ask>,
    /// Says why a command line must not run.
    pub deny: Denies,
    /// What earlier runs found of the hosts; none where that does not serve.
    pub earlier: Option<Arc<dyn EarlierFacts>>,
    /// Keeps what resuming the run needs.
    pub keep: Option<Arc<Keep>>,
    /// Flags and settings.
    pub options: RunOptions,
}

/// What `set_stats` set, by host; the run's own without one.
type Custom = IndexMap<Option<Arc<str>>, serde_json::Map<String, serde_json::Value>>;

/// A run: what its tasks share.
pub struct Runner {
    pub(super) hosts: Hosts,
    seen: Seen,
    pub(super) targets: Arc<dyn Ways>,
    pub(super) connections: Arc<dyn Connections>,
    pub(super) library: Arc<Library>,
    pub(super) emitter: Emitter,
    pub(super) halt: Control,
    control: Control,
    pub(super) ask: Arc<dyn Ask>,
    pub(super) deny: Denies,
    pub(super) keep: Option<Arc<Keep>>,
    pub(super) options: RunOptions,
    pub(super) states: States,
    pub(super) recall: Recall,
    pub(super) layers: Layers,
    /// Files of variables that were read.
    pub(super) files: Mutex<HashMap<PathBuf, Result<Layer, String>>>,
    plays: RwLock<HashMap<u32, Arc<PlayVars>>>,
    prepared: Mutex<IndexMap<usize, Arc<Prepared>>>,
    /// Values of files that are vaults as a whole, of which the redactor has heard: their places.
    learnt: Mutex<HashSet<String>>,
    /// Tasks in the background.
    pub(super) jobs: Jobs,
    /// What `set_stats` set.
    pub(super) stats: Mutex<Custom>,
}

impl Runner {
    /// A run that has done nothing yet.
    pub fn new(setup: Setup) -> Arc<Self> {
        Arc::new(Self {
            hosts: setup.hosts.keeping(setup.keep.clone()),
            seen: setup.seen,
            targets: setup.ways,
            connections: setup.connections,
            library: setup.library,
            emitter: setup.emitter,
            halt: setup.halt,
            control: setup.control,
            ask: setup.ask,
            deny: setup.deny,
            keep: setup.keep,
            options: setup.options,
            states: States::default(),
            recall: Recall::new(setup.earlier),
            layers: Layers::default(),
            files: Mutex::default(),
            plays: RwLock::default(),
            prepared: Mutex::default(),
            learnt: Mutex::default(),
            jobs: Jobs::default(),
            stats: Mutex::default(),
        })
    }

    /// Who does its tasks.
    pub fn worker(self: &Arc<Self>) -> Arc<dyn Worker> {
        Arc::new(super::task::Hands(self.clone()))
    }

    /// The hosts, with what tasks have added to them.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// The variables of a play of the run.
    pub(super) fn play(&self, play: &Play, number: u32) -> Arc<PlayVars> {
        let known = self
            .plays
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&number)
            .cloned();
        known.unwrap_or_else(|| {
            let mut plays = self.plays.write().unwrap_or_else(PoisonError::into_inner);
            let make = || Arc::new(PlayVars::of(&self.layers, play));
            plays.entry(number).or_insert_with(make).clone()
        })
    }

    /// What is known of a task for all hosts.
    pub(super) fn prepare(&self, task: &Arc<Task>) -> Arc<Prepared> {
        let address = Arc::as_ptr(task) as usize;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = prepared.get(&address) {
            return known.clone();
        }
        if prepared.len() >= PREPARED {
            prepared.shift_remove_index(0);
        }
        let made = Arc::new(Prepared::new(task, &self.layers, &self.library));
        prepared.insert(address, made.clone());
        made
    }

    /// What templates may name in a scene.
    pub(super) fn scope(
        self: &Arc<Self>,
        scene: &Scene<'_>,
        task: Option<&Arc<Prepared>>,
    ) -> TaskScope {
        TaskScope {
            runner: self.clone(),
            batch: scene.batch.clone(),
            play: self.play(&scene.batch.play, scene.batch.number),
            host: scene.host.cloned(),
            task: task.cloned(),
            included: scene.scope.cloned(),
            local: crate::base::value::Map::new(),
            delegated: None,
            without_files: false,
            without_play: false,
            working_out: false,
            suits: "files",
            kept: None,
        }
    }

    /// A value of a file that is a vault as a whole is in use: it is taken out of all that is shown.
    pub(super) fn learn(&self, found: &Found) {
        let mut learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        if learnt.insert(found.origin.clone()) {
            learn_texts(&found.value, &self.hosts);
        }
    }

    /// All of a file that is a vault as a whole is in use.
    pub(super) fn learn_all(&self, value: &Value) {
        learn_texts(value, &self.hosts);
    }

    /// A YAML document of the controller, a vault opened.
    pub(super) fn document(&self, path: &Path) -> Result<Written, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.seen.file(path, &bytes);
        let text =
            String::from_utf8(bytes).map_err(|_| format!("{}: it is not UTF-8", path.display()))?;
        let text = text.trim_start_matches('\u{feff}');
        let secret = text.starts_with("$ANSIBLE_VAULT;");
        let opened = if secret {
            self.hosts
                .open_file(text)
                .map_err(|why| format!("{}: {why}", path.display()))?
        } else {
            text.to_owned()
        };
        let node = crate::base::yaml::parse(&opened, path).map_err(|mut wrong| {
            wrong.snippet = wrong.snippet.filter(|_| !secret);
            wrong.to_string()
        })?;
        let source = Arc::new(Source {
            path: path.into(),
            text: if secret { String::new() } else { opened },
            secret,
        });
        Ok(Written::new(&node, &source))
    }

    /// Whether the run is to stop.
    pub(super) fn stopping(&self) -> bool {
        *self.halt.borrow() != Halt::No || *self.control.borrow() != Halt::No
    }

    /// Waits; false where the run is to stop meanwhile.
    pub(super) async fn sleep(&self, time: Duration) -> bool {
        let mut halt = self.halt.clone();
        let stopped = async {
            // Nobody who could stop it is left: the time still passes.
            if halt.wait_for(|halt| *halt != Halt::No).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = stopped => false,
        }
    }
}

fn learn_texts(value: &Value, hosts: &Hosts) {
    match value {
        Value::String(text) | Value::Unsafe(text) if !value.is_template() => {
            hosts.learn(&Secret::new(&**text));
        }
        Value::Int(number) => hosts.learn(&Secret::new(number.to_string())),
        Value::List(items) => items.iter().for_each(|item| learn_texts(item, hosts)),
        Value::Map(map) => map.values().for_each(|item| learn_texts(item, hosts)),
        _ => {}
    }
}
