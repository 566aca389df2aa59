//! What a run learns of its hosts: facts, variables that tasks set, results that were registered. The
//! only state of a host that grows; everything else is shared.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::reach::Reached;
use crate::base::value::{Map, Value};

/// One host.
#[derive(Debug, Default)]
pub(super) struct HostState {
    /// Facts without `ansible_` before their names: what `ansible_facts` holds.
    pub(super) facts: HashMap<Arc<str>, Fact>,
    /// Of `set_fact` and `register`.
    pub(super) set: HashMap<Arc<str>, Arc<Value>>,
    /// Of `include_vars`.
    pub(super) included: HashMap<Arc<str>, Arc<Value>>,
    /// How it was reached before.
    pub(super) reached: Vec<Reached>,
}

/// A fact.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) value: Arc<Value>,
    /// Whether its variable begins with `ansible_`; `services` and `packages` do not.
    prefixed: bool,
}

impl HostState {
    /// Takes a variable of `set_fact` or `register`.
    pub(super) fn set(&mut self, name: &Arc<str>, value: Arc<Value>) {
        self.changed(name);
        self.set.insert(name.clone(), value);
    }

    /// Takes a variable of `include_vars`.
    pub(super) fn include(&mut self, name: &Arc<str>, value: Value) {
        self.changed(name);
        self.included.insert(name.clone(), Arc::new(value));
    }

    /// Takes facts that a module returned, under `ansible_distribution` or `distribution`.
    pub(super) fn facts(&mut self, facts: &Map) {
        for (name, value) in facts {
            self.changed(name);
            let short = name.strip_prefix("ansible_");
            let fact = Fact {
                value: Arc::new(value.clone()),
                prefixed: short.is_some(),
            };
            self.facts
                .insert(short.map_or_else(|| name.clone(), Arc::from), fact);
        }
    }

    /// Takes facts that an earlier run found, where this one has not found better.
    pub(super) fn recall(&mut self, facts: &Map) {
        let unknown = |name: &Arc<str>| {
            let short = name.strip_prefix("ansible_").unwrap_or(name);
            !self.facts.contains_key(short)
        };
        let fresh: Map = facts
            .iter()
            .filter(|(name, _)| unknown(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        self.facts(&fresh);
    }

    /// A fact by the name of the variable that it is.
    pub(super) fn fact_variable(&self, name: &str) -> Option<&Arc<Value>> {
        let short = name.strip_prefix("ansible_");
        let fact = self.facts.get(short.unwrap_or(name))?;
        (fact.prefixed == short.is_some()).then_some(&fact.value)
    }

    /// Forgets all facts.
    pub(super) fn clear_facts(&mut self) {
        self.facts.clear();
        self.reached.clear();
    }

    /// The names of all variables.
    pub(super) fn names(&self, into: &mut BTreeSet<Arc<str>>) {
        into.extend(self.set.keys().chain(self.included.keys()).cloned());
        into.extend(self.facts.iter().map(|(name, fact)| {
            if fact.prefixed {
                Arc::from(format!("ansible_{name}"))
            } else {
                name.clone()
            }
        }));
    }

    /// The way to the host may have changed.
    fn changed(&mut self, name: &str) {
        let of_connection = name.starts_with("ansible_") || name.starts_with("ioms_");
        self.reached
            .retain(|known| !known.rendered && !of_connection);
    }
}

/// All hosts that have a state.
#[derive(Debug, Default)]
pub(super) struct States {
    hosts: RwLock<HashMap<Arc<str>, Arc<Mutex<HostState>>>>,
}

impl States {
    /// A host's state, made where it has none.
    pub(super) fn of(&self, host: &Arc<str>) -> Arc<Mutex<HostState>> {
        if let Some(known) = self.known(host) {
            return known;
        }
        let mut hosts = self.hosts.write().unwrap_or_else(PoisonError::into_inner);
        hosts.entry(host.clone()).or_default().clone()
    }

    /// A host's state, where it has one.
    pub(super) fn known(&self, host: &str) -> Option<Arc<Mutex<HostState>>> {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        hosts.get(host).cloned()
    }

    /// Forgets the ways to all hosts: their variables may be others now.
    pub(super) fn forget_ways(&self) {
        let hosts = self.hosts.read().unwrap_or_else(PoisonError::into_inner);
        for state in hosts.values() {
            locked(state).reached.clear();
        }
    }
}

/// The state itself. Held for look-ups only, never while anybody is waited for.
pub(super) fn locked(state: &Mutex<HostState>) -> MutexGuard<'_, HostState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
