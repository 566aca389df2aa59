//! Mappings too large to be made for every template: `hostvars`, `groups`, `vars`, `ansible_facts`. What
//! is touched of them is looked up.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::scope::{TaskScope, here};
use super::state::locked;
use crate::base::value::Value;
use crate::template::{LazyItem, LazyMap, Scope, ScopeMap};

/// The mapping of this name.
pub(super) fn of(scope: &TaskScope, name: &str) -> Option<Arc<dyn LazyMap>> {
    match name {
        "hostvars" => Some(Arc::new(HostVars(scope.clone()))),
        "groups" => Some(Arc::new(Groups(scope.clone()))),
        "ansible_delegated_vars" => scope
            .delegated
            .as_ref()
            .map(|_| Arc::new(Delegated(scope.clone())) as Arc<dyn LazyMap>),
        "vars" => Some(Arc::new(ScopeMap(scope.shared()))),
        "ansible_facts" => scope
            .host
            .as_ref()
            .map(|_| Arc::new(Facts(scope.clone())) as Arc<dyn LazyMap>),
        _ => None,
    }
}

/// `hostvars`: of every host its variables, without those of the task at hand.
struct HostVars(TaskScope);

impl LazyMap for HostVars {
    fn keys(&self) -> Vec<Arc<str>> {
        self.0
            .runner
            .hosts
            .inventory()
            .host_names()
            .cloned()
            .collect()
    }

    fn get(&self, key: &str) -> Result<Option<LazyItem>, String> {
        let name = self.0.runner.hosts.name(key);
        let implicit = || (key == "localhost").then(|| Arc::from(key));
        let Some(host) = name.or_else(implicit) else {
            return Ok(None);
        };
        let mut scope = self.0.of_host(&host);
        scope.task = None;
        scope.included = None;
        scope.delegated = None;
        scope.without_play = true;
        scope.local.clear();
        Ok(Some(LazyItem::Map(Arc::new(ScopeMap(scope.shared())))))
    }
}

/// `ansible_delegated_vars`: of the host that the task is delegated to.
struct Delegated(TaskScope);

impl LazyMap for Delegated {
    fn keys(&self) -> Vec<Arc<str>> {
        self.0.delegated.iter().cloned().collect()
    }

    fn get(&self, key: &str) -> Result<Option<LazyItem>, String> {
        let Some(host) = self.0.delegated.as_ref().filter(|host| ***host == *key) else {
            return Ok(None);
        };
        // With what says how it is reached, which members of `hostvars` have not.
        let mut scope = self.0.of_host(host);
        scope.local.clear();
        Ok(Some(LazyItem::Map(Arc::new(ScopeMap(scope.shared())))))
    }
}

/// `groups`: the hosts of each.
struct Groups(TaskScope);

impl LazyMap for Groups {
    fn keys(&self) -> Vec<Arc<str>> {
        self.0
            .runner
            .hosts
            .inventory()
            .group_names()
            .cloned()
            .collect()
    }

    fn get(&self, key: &str) -> Result<Option<LazyItem>, String> {
        let hosts = self.0.runner.hosts.hosts_of(key);
        Ok(hosts.map(|hosts| {
            let names = hosts.into_iter().map(Value::Unsafe).collect();
            LazyItem::Variable(here(Value::List(names), "groups"), self.0.shared())
        }))
    }
}

/// `ansible_facts` of a host.
struct Facts(TaskScope);

impl LazyMap for Facts {
    fn keys(&self) -> Vec<Arc<str>> {
        let state = self
            .0
            .host
            .as_ref()
            .and_then(|host| self.0.with_facts(host));
        let Some(state) = state else {
            return Vec::new();
        };
        let mut names: Vec<_> = locked(&state).facts.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    fn get(&self, key: &str) -> Result<Option<LazyItem>, String> {
        let state = self
            .0
            .host
            .as_ref()
            .and_then(|host| self.0.with_facts(host));
        let value =
            state.and_then(|state| locked(&state).facts.get(key).map(|fact| fact.value.clone()));
        Ok(value.map(|value| LazyItem::Variable(here((*value).clone(), "facts"), self.0.shared())))
    }
}

/// The magic variables that go with all variables of a host.
const MAGIC: &[&str] = &[
    "ansible_facts",
    "ansible_check_mode",
    "ansible_diff_mode",
    "ansible_forks",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_playbook_python",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "play_hosts",
    "playbook_dir",
    "role_names",
];

/// The names of all variables that a scope knows.
pub(super) fn names(scope: &TaskScope) -> Vec<Arc<str>> {
    let mut names: BTreeSet<Arc<str>> = if scope.without_play {
        BTreeSet::new()
    } else {
        scope.play.names()
    };
    names.extend(scope.local.keys().cloned());
    names.extend(scope.runner.hosts.extra.keys().cloned());
    if let Some(task) = &scope.task {
        task.layers.names(&mut names);
    }
    let mut around = scope.included.as_ref();
    while let Some(include) = around {
        names.extend(include.vars.keys().cloned());
        around = include.outer.as_ref();
    }
    if let Some(host) = &scope.host {
        if let Some(state) = scope.with_facts(host) {
            locked(&state).names(&mut names);
        }
        if let Ok(variables) = scope.runner.hosts.inventory().variables(host) {
            names.extend(variables.keys().cloned());
        }
    }
    let known =
        |name: &&&str| matches!(scope.lookup(name), Ok(Some(_))) || of(scope, name).is_some();
    names.extend(MAGIC.iter().filter(known).map(|name| Arc::from(*name)));
    names.into_iter().collect()
}
