//! One turn of a task on a host, kept as it goes: a mark before what can't be done twice, notes of
//! what it says and changes, and at its end all of it in one entry.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::results::Outcome;
use super::super::task::Verdict;
use super::entry::{self, Print};
use super::{Keep, replay};
use crate::base::pack::Packer;
use crate::base::value::Map;
use crate::event::{ErrorKind, Retry, TaskResult, TaskStatus};
use crate::playbook::run::worker::{Include, Meta};

/// Kinds of notes.
pub(super) const ITEM: u8 = 1;
pub(super) const RETRY: u8 = 2;
pub(super) const FACTS: u8 = 3;
pub(super) const ADD_HOST: u8 = 4;
pub(super) const GROUP_BY: u8 = 5;
pub(super) const CLEAR_FACTS: u8 = 6;
pub(super) const REFRESH: u8 = 7;
pub(super) const STATS: u8 = 8;

/// A turn that is being done.
pub(in super::super) struct TurnKept {
    keep: Arc<Keep>,
    id: u64,
    host: Arc<str>,
    print: Print,
    begun: AtomicBool,
    notes: Mutex<Packer>,
}

impl TurnKept {
    pub(super) fn new(keep: Arc<Keep>, id: u64, host: Arc<str>, print: Print) -> Self {
        Self {
            keep,
            id,
            host,
            print,
            begun: AtomicBool::new(false),
            notes: Mutex::default(),
        }
    }

    /// What can't be done twice is about to be done.
    pub(in super::super) fn begin(&self) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            let mark = self.entry(entry::BEGUN);
            self.keep.ledger.append(&mark.finish());
        }
    }

    fn entry(&self, kind: u8) -> Packer {
        let mut entry = Packer::default();
        entry.byte(kind);
        entry.number(self.id);
        entry.text(&self.host);
        entry.raw(&self.print);
        entry
    }

    fn note(&self, kind: u8) -> MutexGuard<'_, Packer> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.byte(kind);
        notes
    }

    /// An item is done. Its result is in the loop's.
    pub(in super::super) fn item(&self, said: &TaskResult, no_log: bool) {
        let mut note = self.note(ITEM);
        note.bytes(&head(said));
        note.flag(no_log);
    }

    /// It is tried again.
    pub(in super::super) fn retry(&self, said: &TaskResult, retry: Retry) {
        let mut note = self.note(RETRY);
        note.bytes(&serde_json::to_vec(said).unwrap_or_default());
        note.number(u64::from(retry.made));
        note.number(u64::from(retry.left));
    }

    /// Facts of the result, or of the item at work, are those of these hosts.
    pub(in super::super) fn facts(&self, hosts: &[Arc<str>]) {
        self.note(FACTS).texts(hosts);
    }

    pub(in super::super) fn add_host(&self, name: &str, groups: &[String], vars: &Map) {
        let mut note = self.note(ADD_HOST);
        note.text(name);
        note.texts(groups);
        note.map(vars);
    }

    pub(in super::super) fn group_by(&self, host: &str, group: &str, parents: &[String]) {
        let mut note = self.note(GROUP_BY);
        note.text(host);
        note.text(group);
        note.texts(parents);
    }

    pub(in super::super) fn clear_facts(&self, host: &str) {
        self.note(CLEAR_FACTS).text(host);
    }

    pub(in super::super) fn refresh(&self) {
        drop(self.note(REFRESH));
    }

    pub(in super::super) fn stats(&self, host: Option<&str>, aggregate: bool, data: &Map) {
        let mut note = self.note(STATS);
        note.optional(host);
        note.flag(aggregate);
        note.map(data);
    }

    /// It is done. `cut`: the run is being stopped, and may have cut it short.
    pub(in super::super) fn end(
        &self,
        outcome: &Outcome,
        said: &Verdict,
        in_loop: bool,
        cut: bool,
    ) {
        let failed = matches!(
            outcome.status(),
            TaskStatus::Failed | TaskStatus::Unreachable
        );
        if (cut && (failed || in_loop)) || outcome.error.as_ref().is_some_and(|e| ends_not(e.kind))
        {
            return;
        }
        let mut entry = self.entry(entry::ENDED);
        entry.map(&outcome.result);
        entry.bytes(&serde_json::to_vec(&outcome.error).unwrap_or_default());
        entry.optional(said.delegated.as_deref());
        entry.flag(said.ignored);
        entry.flag(said.no_log);
        entry.texts(&said.notify);
        entry.number(said.began.as_microsecond().cast_unsigned());
        entry.number(u64::try_from(said.duration.as_micros()).unwrap_or(u64::MAX));
        includes(&mut entry, &outcome.includes);
        entry.byte(meta(outcome.meta));
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        entry.raw(&std::mem::take(&mut *{ notes }).finish());
        self.keep.ledger.append(&entry.finish());
    }
}

/// What is said when the run is stopped, not when the task has ended.
fn ends_not(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Interrupted
            | ErrorKind::Deadline
            | ErrorKind::ControllerLost
            | ErrorKind::Denied
    )
}

/// What is said of an item, without its result.
fn head(said: &TaskResult) -> Vec<u8> {
    let head = TaskResult {
        host: said.host.clone(),
        delegated: said.delegated.clone(),
        label: said.label.clone(),
        error: said.error.clone(),
        result: Arc::default(),
        // They are on record since.
        facts: Vec::new(),
        ..*said
    };
    serde_json::to_vec(&head).unwrap_or_default()
}

fn includes(entry: &mut Packer, includes: &[Include]) {
    entry.number(includes.len() as u64);
    for include in includes {
        entry.map(&include.params);
        entry.map(&include.vars);
        entry.optional(include.label.as_deref());
    }
}

fn meta(meta: Option<Meta>) -> u8 {
    let known = replay::METAS.iter().position(|known| *known == meta);
    known.and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}
