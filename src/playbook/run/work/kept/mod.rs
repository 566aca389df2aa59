//! What a run keeps so that it can be gone on with when it was killed, and what an earlier run has
//! kept: the turns of tasks on hosts, each with its result and what it changed of the run's state.
//! Knows neither files nor keys: entries go to a ledger that whoever starts the run gives.

mod earlier;
mod entry;
mod replay;
mod turn;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;

pub use earlier::Earlier;
pub(super) use entry::Print;
pub(super) use replay::again;
pub(super) use turn::TurnKept;

use super::prepared::Prepared;
use crate::base::pack::Packer;
use crate::base::secret::Secret;
use crate::base::value::Value;
use crate::event::{ErrorKind, HostError};
use crate::playbook::run::play::{Answer, Steps};
use crate::playbook::run::worker::Turn;
use earlier::Before;

/// Where entries are kept; the command line fills it.
pub trait Ledger: Send + Sync {
    /// Appends an entry, before it returns; its place. `None` where that can't be done any more: the
    /// run goes on, and can't be resumed.
    fn append(&self, entry: &[u8]) -> Option<u64>;

    /// An entry by its place, as it was appended.
    fn entry(&self, place: u64) -> Option<Vec<u8>>;
}

/// What a run keeps.
pub struct Keep {
    ledger: Arc<dyn Ledger>,
    /// The number of the next turn that has none from before.
    next: AtomicU64,
    earlier: Mutex<Earlier>,
    /// `--redo`: what had begun and not ended is done again, whatever it is.
    redo: bool,
    /// Turns reported lost.
    lost: AtomicUsize,
}

/// A turn as it comes up.
pub(super) enum Found {
    /// An earlier run has done it; its entry.
    Done(Vec<u8>),
    /// It is to be done.
    Open(Arc<TurnKept>),
    /// An earlier run had begun it, and it can't be done twice.
    Lost(Arc<TurnKept>),
}

impl Keep {
    /// For a run that goes on with an earlier one, or with nothing.
    pub fn new(ledger: Arc<dyn Ledger>, earlier: Earlier, redo: bool) -> Arc<Self> {
        Arc::new(Self {
            ledger,
            next: AtomicU64::new(earlier.next()),
            earlier: Mutex::new(earlier),
            redo,
            lost: AtomicUsize::new(0),
        })
    }

    /// How many turns were reported lost: `--redo` may still do them.
    pub fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }

    /// `--step`: what was answered before is not asked again.
    pub fn steps(self: &Arc<Self>, asks: Arc<dyn Steps>) -> Arc<dyn Steps> {
        Arc::new(KeptSteps {
            keep: self.clone(),
            asks,
        })
    }

    /// What becomes of a turn.
    pub(super) fn turn(self: &Arc<Self>, prepared: &Prepared, turn: &Turn) -> Found {
        let host = turn.hosts.first().cloned().unwrap_or_else(|| "".into());
        let print = entry::print(prepared, turn.handler);
        let before = self.earlier().next_of(&host, print);
        let open = |id| Arc::new(TurnKept::new(self.clone(), id, host, print));
        match before {
            Some((_, Before::Ended(place))) => match self.ledger.entry(place) {
                Some(entry) => Found::Done(entry),
                None => Found::Open(open(self.new_id())),
            },
            Some((id, Before::Begun)) if self.redo => Found::Open(open(id)),
            Some((id, Before::Begun)) => Found::Lost(open(id)),
            None => Found::Open(open(self.new_id())),
        }
    }

    /// The result of a turn that was lost.
    pub(super) fn report_lost(&self) -> HostError {
        self.lost.fetch_add(1, Ordering::Relaxed);
        let message = "the earlier run had begun this task and has not seen its end: it may have done its \
                       work, or a part of it";
        HostError::new(ErrorKind::ControllerLost, message).hint(
            "look at the host; `iomsctl resume --redo` does such tasks again, `--rerun failed` the play",
        )
    }

    /// A secret came up.
    pub(super) fn secret(&self, secret: &Secret) {
        let mut entry = Packer::default();
        entry.byte(entry::SECRET);
        entry.text(secret.expose());
        self.ledger.append(&entry.finish());
    }

    /// What was answered before to a play's questions.
    pub(super) fn answers(&self, play: u32) -> IndexMap<Arc<str>, Value> {
        self.earlier().answers(play)
    }

    /// Keeps the answers to a play's questions.
    pub(super) fn answered(&self, play: u32, answers: &crate::base::value::Map) {
        let mut entry = Packer::default();
        entry.byte(entry::ANSWERS);
        entry.number(u64::from(play));
        entry.map(answers);
        self.ledger.append(&entry.finish());
    }

    fn new_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn earlier(&self) -> std::sync::MutexGuard<'_, Earlier> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks once.
struct KeptSteps {
    keep: Arc<Keep>,
    asks: Arc<dyn Steps>,
}

impl Steps for KeptSteps {
    fn perform(&self, task: &str, stopped: &dyn Fn() -> bool) -> Answer {
        let known = self.keep.earlier().step(task);
        known.unwrap_or_else(|| {
            let answer = self.asks.perform(task, stopped);
            if let Some(said) = entry::of_answer(answer) {
                let mut entry = Packer::default();
                entry.byte(entry::STEP);
                entry.byte(said);
                entry.text(task);
                self.keep.ledger.append(&entry.finish());
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests;
