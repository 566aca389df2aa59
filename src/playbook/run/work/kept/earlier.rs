//! What an earlier run has kept, indexed: where each turn's entry is. The entries themselves stay in
//! their ledger until their turns come.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;

use super::entry::{self, Print};
use crate::base::pack::{Malformed, Unpacker};
use crate::base::secret::Secret;
use crate::base::value::Value;
use crate::playbook::run::play::Answer;

/// How far an earlier run came with a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// It began, and did not end.
    Begun,
    /// It ended: the place of its entry.
    Ended(u64),
}

/// An earlier run, or none.
#[derive(Default)]
pub struct Earlier {
    /// Turns of a task on a host, in their order: a loop around an include makes several of one.
    turns: HashMap<(Arc<str>, Print), VecDeque<u64>>,
    states: HashMap<u64, Before>,
    /// Hosts, each once.
    hosts: HashSet<Arc<str>>,
    answers: HashMap<u32, IndexMap<Arc<str>, Value>>,
    steps: VecDeque<(String, Answer)>,
    secrets: Vec<Secret>,
    next: u64,
}

impl Earlier {
    /// Takes in an entry, in the order in which they were appended.
    pub fn take(&mut self, place: u64, entry: &[u8]) -> Result<(), Malformed> {
        let mut entry = Unpacker::new(entry);
        match entry.byte()? {
            entry::BEGUN => self.turn(&mut entry, Before::Begun),
            entry::ENDED => self.turn(&mut entry, Before::Ended(place)),
            entry::SECRET => {
                self.secrets.push(Secret::new(entry.text()?));
                Ok(())
            }
            entry::ANSWERS => {
                let play = u32::try_from(entry.number()?).map_err(|_| Malformed)?;
                self.answers.insert(play, entry.map()?);
                Ok(())
            }
            entry::STEP => {
                let answer = entry::answer(entry.byte()?);
                self.steps.push_back((entry.text()?.to_owned(), answer));
                Ok(())
            }
            _ => Err(Malformed),
        }
    }

    fn turn(&mut self, entry: &mut Unpacker<'_>, state: Before) -> Result<(), Malformed> {
        let id = entry.number()?;
        let host = self.host(entry.text()?);
        let print: Print = entry.raw(16)?.try_into().map_err(|_| Malformed)?;
        if self.states.insert(id, state).is_none() {
            self.turns.entry((host, print)).or_default().push_back(id);
        }
        self.next = self.next.max(id + 1);
        Ok(())
    }

    fn host(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.hosts.get(name) {
            return known.clone();
        }
        let host: Arc<str> = name.into();
        self.hosts.insert(host.clone());
        host
    }

    /// The secrets that the run had met.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// How many turns are done, and on how many hosts.
    pub fn done(&self) -> (usize, usize) {
        let ended = |id: &u64| matches!(self.states.get(id), Some(Before::Ended(_)));
        let mut hosts = HashSet::new();
        let mut turns = 0;
        for ((host, _), ids) in &self.turns {
            let done = ids.iter().filter(|id| ended(id)).count();
            turns += done;
            if done > 0 {
                hosts.insert(host);
            }
        }
        (turns, hosts.len())
    }

    /// How many turns had begun, can't be done twice, and did not end.
    pub fn begun(&self) -> usize {
        let states = self.states.values();
        states.filter(|state| **state == Before::Begun).count()
    }

    /// Above the numbers of all turns.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The next turn of a task on a host.
    pub(super) fn next_of(&mut self, host: &Arc<str>, print: Print) -> Option<(u64, Before)> {
        if self.turns.is_empty() {
            return None;
        }
        let key = (host.clone(), print);
        let ids = self.turns.get_mut(&key)?;
        let id = ids.pop_front()?;
        if ids.is_empty() {
            self.turns.remove(&key);
        }
        Some((id, self.states.remove(&id)?))
    }

    pub(super) fn answers(&mut self, play: u32) -> IndexMap<Arc<str>, Value> {
        self.answers.remove(&play).unwrap_or_default()
    }

    /// What was said before, as long as the same is asked.
    pub(super) fn step(&mut self, task: &str) -> Option<Answer> {
        let (asked, answer) = self.steps.pop_front()?;
        if asked == task {
            return Some(answer);
        }
        self.steps.clear();
        None
    }
}
