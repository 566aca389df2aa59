//! What a template on a host may name while a task is done there: variables by Ansible's order of
//! precedence, looked up one by one and never merged.

use std::sync::Arc;

use super::kept::TurnKept;
use super::layers::{Layer, TaskLayers};
use super::play_vars::PlayVars;
use super::prepared::Prepared;
use super::runner::Runner;
use super::state::locked;
use super::template_vars::MANAGED;
use crate::base::secret::Secret;
use crate::base::value::{Map, Value};
use crate::playbook::run::worker::{Batch, Scope as Included};
use crate::template::{Controller, Found, LazyMap, Scope};

/// The variables of one task on one host. Cheap to make.
#[derive(Clone)]
pub(super) struct TaskScope {
    pub(super) runner: Arc<Runner>,
    pub(super) batch: Arc<Batch>,
    pub(super) play: Arc<PlayVars>,
    /// `None`: what is rendered before there are hosts, a play's name.
    pub(super) host: Option<Arc<str>>,
    pub(super) task: Option<Arc<Prepared>>,
    /// Variables of the includes that brought the task.
    pub(super) included: Option<Arc<Included>>,
    /// What holds for this item and attempt alone: the loop variable, the result before it is final.
    pub(super) local: Map,
    /// The host that the task is delegated to.
    pub(super) delegated: Option<Arc<str>>,
    /// Without `vars_files`: while their own names are rendered.
    pub(super) without_files: bool,
    /// Without the play's variables: a member of `hostvars`, as in Ansible.
    pub(super) without_play: bool,
    /// A variable that is only known by what is said elsewhere is being worked out: what the play is
    /// called, how a host is reached. What says so may ask for it, and is told nothing.
    pub(super) working_out: bool,
    /// The folder of roles that files are looked for in where no other is named.
    pub(super) suits: &'static str,
    /// The turn that is being done, where the run keeps what resuming it needs.
    pub(super) kept: Option<Arc<TurnKept>>,
}

impl TaskScope {
    /// The same task seen from another host: for the way to it.
    #[must_use]
    pub(super) fn of_host(&self, host: &Arc<str>) -> Self {
        let mut scope = self.clone();
        scope.host = Some(host.clone());
        scope
    }

    /// For the template engine.
    pub(super) fn shared(&self) -> Arc<dyn Scope> {
        Arc::new(self.clone())
    }

    /// A variable as somebody set it; the strongest that there is.
    pub(super) fn find(&self, name: &str) -> Result<Option<Found>, String> {
        match self.found(name, true)? {
            Some(found) => Ok(Some(found)),
            None => self.of_way(name),
        }
    }

    /// The same for what says how a host is reached: never by what the host itself says of it, which
    /// could lead its tasks elsewhere, to this machine even.
    pub(super) fn find_of_connection(&self, name: &str) -> Result<Option<Found>, String> {
        self.found(name, false)
    }

    fn found(&self, name: &str, facts: bool) -> Result<Option<Found>, String> {
        if let Some(found) = self.above_play(name) {
            return Ok(Some(found));
        }
        if !self.without_play
            && let Some(found) = self.of_play(name)?
        {
            return Ok(Some(found));
        }
        if let Some(host) = &self.host {
            if facts && let Some(found) = self.fact(host, name) {
                return Ok(Some(found));
            }
            if let Some(found) = self.runner.hosts.variable(host, name)? {
                return Ok(Some(found));
            }
        }
        if let Some(found) = self.role_default(name) {
            return Ok(Some(found));
        }
        if name == "ansible_managed" {
            return Ok(Some(here(Value::string(MANAGED), "ioms")));
        }
        Ok(self
            .host
            .as_ref()
            .and_then(|host| self.runner.hosts.fallback(host, name)))
    }

    /// Extra variables, parameters, what tasks set, and what the task and its role say.
    fn above_play(&self, name: &str) -> Option<Found> {
        if let Some(value) = self.local.get(name) {
            return Some(here(value.clone(), "the task"));
        }
        if let Some(found) = self.runner.hosts.extra.get(name) {
            return Some(found.clone());
        }
        let mut around = self.included.as_ref();
        while let Some(include) = around {
            if let Some(value) = include.vars.get(name) {
                return Some(here(value.clone(), "the include"));
            }
            around = include.outer.as_ref();
        }
        let layers = self.task.as_ref().map(|task| &task.layers);
        let param = |layers: &&TaskLayers| {
            layers
                .params
                .iter()
                .find_map(|params| params.get(name).cloned())
        };
        if let Some(found) = layers.as_ref().and_then(param) {
            return Some(found);
        }
        if let Some(state) = self
            .host
            .as_ref()
            .and_then(|host| self.runner.states.known(host))
        {
            let state = locked(&state);
            if let Some(value) = state.set.get(name) {
                return Some(here((**value).clone(), "set_fact or register"));
            }
            if let Some(value) = state.included.get(name) {
                return Some(here((**value).clone(), "include_vars"));
            }
        }
        let layers = layers?;
        let of = |layers: &[Layer]| layers.iter().find_map(|layer| layer.get(name).cloned());
        of(&layers.vars).or_else(|| of(&layers.role_vars))
    }

    /// Variables of the play: its roles', files', answers and own.
    fn of_play(&self, name: &str) -> Result<Option<Found>, String> {
        if let Some(found) = self.play.role_var(name) {
            return Ok(Some(found));
        }
        if !self.without_files
            && let Some(found) = self.play.of_files(self, name)?
        {
            return Ok(Some(found));
        }
        Ok(self.play.own(name))
    }

    fn fact(&self, host: &str, name: &str) -> Option<Found> {
        let state = self.with_facts(host)?;
        let state = locked(&state);
        let value = state.fact_variable(name)?;
        Some(here((**value).clone(), "facts"))
    }

    fn role_default(&self, name: &str) -> Option<Found> {
        let of = |layer: &Layer| layer.get(name).cloned();
        let task = self.task.as_ref();
        let own = task.and_then(|task| task.layers.role_defaults.iter().find_map(of));
        let of_play = || self.play.role_default(name).filter(|_| !self.without_play);
        own.or_else(of_play)
    }
}

/// A value that no file holds.
pub(super) fn here(value: Value, origin: &str) -> Found {
    Found {
        value,
        origin: origin.to_owned(),
        secret: false,
    }
}

impl Scope for TaskScope {
    fn lookup(&self, name: &str) -> Result<Option<Found>, String> {
        if let Some(value) = self.magic(name) {
            return Ok(Some(here(value, "ioms")));
        }
        let found = self.find(name)?;
        if let Some(found) = found.as_ref().filter(|found| found.secret) {
            self.runner.learn(found);
        }
        Ok(found)
    }

    fn open(&self, vault: &str) -> Result<Secret, String> {
        self.runner.hosts.open(vault)
    }

    fn lazy(&self, name: &str) -> Option<Arc<dyn LazyMap>> {
        super::lazy::of(self, name)
    }

    fn names(&self) -> Vec<Arc<str>> {
        super::lazy::names(self)
    }

    fn controller(&self) -> Option<&dyn Controller> {
        Some(self)
    }

    fn template(&self, name: &str) -> Result<Option<(String, Arc<str>)>, String> {
        let Ok(path) = self.find_file("templates", name) else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Some((path.to_string_lossy().into_owned(), text.into())))
    }
}
