//! Facts of earlier runs: brought in for many hosts at a time when those of one are first asked for.
//! Where nobody keeps any, nothing is looked for.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock, TryLockError};

use super::runner::Runner;
use super::scope::TaskScope;
use super::state::{HostState, locked};
use crate::base::value::{Map, Value};
use crate::base::waiting::blocking;
use crate::event::FACTS_GATHERED;
use crate::playbook::run::worker::Turn;
use crate::playbook::{Task, Written};

/// Hosts whose facts are asked for together.
const TOGETHER: usize = 250;

/// What earlier runs found, as far as it may serve this one. The command line fills it.
pub trait EarlierFacts: Send + Sync {
    /// The facts of these hosts, under the names of the variables that they are. Waited for.
    fn of(&self, hosts: &[Arc<str>]) -> Vec<(Arc<str>, Map)>;
}

/// Whose facts of earlier runs were asked for.
pub(super) struct Recall {
    earlier: Option<Arc<dyn EarlierFacts>>,
    asked: RwLock<HashSet<Arc<str>>>,
}

impl Recall {
    pub(super) fn new(earlier: Option<Arc<dyn EarlierFacts>>) -> Self {
        Self {
            earlier,
            asked: RwLock::default(),
        }
    }

    /// Nothing that earlier runs found of these hosts holds any more.
    pub(super) fn forget(&self, hosts: &[Arc<str>]) {
        let mut asked = self.asked.write().unwrap_or_else(PoisonError::into_inner);
        asked.extend(hosts.iter().cloned());
    }

    /// Whether those of a host were asked for, as far as that is known without waiting.
    fn has_asked(&self, host: &str) -> bool {
        match self.asked.try_read() {
            Ok(asked) => asked.contains(host),
            Err(TryLockError::Poisoned(asked)) => asked.into_inner().contains(host),
            Err(TryLockError::WouldBlock) => false,
        }
    }

    /// Brings in those of a host, and of its neighbours among the hosts of the play, else of the
    /// inventory.
    fn bring(&self, runner: &Runner, host: &str, of_play: &[Arc<str>]) {
        if let Some(earlier) = self.earlier.as_ref().filter(|_| !self.has_asked(host)) {
            blocking(|| self.bring_by(&**earlier, runner, host, of_play));
        }
    }

    fn bring_by(
        &self,
        earlier: &dyn EarlierFacts,
        runner: &Runner,
        host: &str,
        of_play: &[Arc<str>],
    ) {
        let mut asked = self.asked.write().unwrap_or_else(PoisonError::into_inner);
        if asked.contains(host) {
            return;
        }
        let mut together = around(host, of_play.iter());
        if together.is_empty() {
            together = around(host, runner.hosts.inventory().host_names());
        }
        if together.is_empty() {
            together.push(host.into());
        }
        together.retain(|host| !asked.contains(host));
        for (host, facts) in earlier.of(&together) {
            locked(&runner.states.of(&host)).recall(&facts);
        }
        asked.extend(together);
    }
}

/// The stretch of hosts that one is in; none where it is not among them.
fn around<'a>(host: &str, hosts: impl Iterator<Item = &'a Arc<str>>) -> Vec<Arc<str>> {
    let mut stretch = Vec::new();
    let mut found = false;
    for (at, each) in hosts.enumerate() {
        if at % TOGETHER == 0 {
            if found {
                break;
            }
            stretch.clear();
        }
        found |= **each == *host;
        stretch.push(each.clone());
    }
    if !found {
        stretch.clear();
    }
    stretch
}

impl TaskScope {
    /// A host's state, with the facts that earlier runs found of it.
    pub(super) fn with_facts(&self, host: &str) -> Option<Arc<Mutex<HostState>>> {
        let runner = &self.runner;
        runner.recall.bring(runner, host, &self.batch.all);
        runner.states.known(host)
    }
}

impl Runner {
    /// Whether the facts that a play gathers are known of a host already, which they only count as
    /// where facts of earlier runs serve.
    pub(super) fn has_gathered(&self, turn: &Turn, host: &str) -> bool {
        if self.recall.earlier.is_none() {
            return false;
        }
        self.recall.bring(self, host, &turn.batch.all);
        let Some(state) = self.states.known(host) else {
            return false;
        };
        let state = locked(&state);
        match (state.gathered_subset(), subset(&turn.task)) {
            (Some(known), Some(wanted)) => known == wanted || known == ["all"],
            _ => false,
        }
    }
}

/// What a play says of the facts it wants, where that is plain.
fn subset(task: &Task) -> Option<Vec<String>> {
    let mut subset = vec!["all".to_owned()];
    for (name, written) in &task.action.args.named {
        match &**name {
            "gather_timeout" => {}
            "gather_subset" => {
                let items = written.items();
                let words = items.iter().map(Written::constant);
                subset = words
                    .map(|word| word.map(str::to_owned))
                    .collect::<Option<_>>()?;
            }
            _ => return None,
        }
    }
    Some(subset)
}

impl HostState {
    /// That what plays gather was gathered, as Ansible notes it.
    pub(super) fn note_gathering(&mut self) {
        let marker = Map::from_iter([(FACTS_GATHERED.into(), Value::Bool(true))]);
        self.facts(&marker);
    }

    /// Which facts a play has gathered.
    fn gathered_subset(&self) -> Option<Vec<String>> {
        self.facts.get(FACTS_GATHERED)?;
        match &*self.facts.get("gather_subset")?.value {
            Value::List(items) => {
                let words = items.iter().map(|item| item.as_str().map(str::to_owned));
                words.collect()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_asked_for_in_stretches() {
        let hosts: Vec<Arc<str>> = (0..600).map(|at| Arc::from(format!("h{at}"))).collect();
        let stretch = |host: &str| {
            let found = around(host, hosts.iter());
            found.first().map(|first| (first.to_string(), found.len()))
        };
        assert_eq!(stretch("h0"), Some(("h0".into(), 250)));
        assert_eq!(stretch("h250"), Some(("h250".into(), 250)));
        assert_eq!(stretch("h599"), Some(("h500".into(), 100)));
        assert_eq!(stretch("x"), None);
    }
}
