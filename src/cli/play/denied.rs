//! Deny rules over the command lines of plays: what is known before the run is refused before it
//! begins, what only a host's variables make is refused at its task, and the run stops there.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::config::Settings;
use crate::engine::{Control, Halt};
use crate::event::Stopped;
use crate::playbook::run::Denies;
use crate::playbook::{Playbook, TagSelection, constant_commands};

/// The rules of a run under way; stops it where one is broken.
pub(super) struct Deny {
    settings: Settings,
    stop: watch::Sender<Halt>,
    control: Control,
    reasons: Arc<Mutex<Vec<String>>>,
}

impl Deny {
    /// Rules beside what the user's signals say; within a runtime.
    pub(super) fn new(settings: &Settings, mut signals: Control) -> Self {
        let (stop, control) = watch::channel(Halt::No);
        let on = stop.clone();
        tokio::spawn(async move {
            while signals.changed().await.is_ok() {
                on.send_replace(*signals.borrow_and_update());
            }
        });
        Self {
            settings: settings.clone(),
            stop,
            control,
            reasons: Arc::default(),
        }
    }

    /// Says when to stop, whoever wants it.
    pub(super) fn control(&self) -> Control {
        self.control.clone()
    }

    /// For whoever is about to run a command.
    pub(super) fn rule(&self) -> Denies {
        let (settings, stop) = (self.settings.clone(), self.stop.clone());
        let reasons = self.reasons.clone();
        Arc::new(move |command| {
            let reason = format!("denied: {}", settings.denied(command)?);
            stop.send_if_modified(|halt| {
                let first = *halt == Halt::No;
                if first {
                    *halt = Halt::Stop(Stopped::Denied);
                }
                first
            });
            let mut reasons = reasons.lock().unwrap_or_else(PoisonError::into_inner);
            if !reasons.contains(&reason) {
                reasons.push(reason.clone());
            }
            Some(reason)
        })
    }

    /// What was denied.
    pub(super) fn notices(&self) -> Vec<String> {
        let reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        reasons.clone()
    }
}

/// Why the playbook must not run, where that is known at once.
pub(in crate::cli) fn at_once(
    settings: &Settings,
    playbook: &Playbook,
    selection: &TagSelection,
) -> Option<String> {
    constant_commands(playbook, selection)
        .into_iter()
        .find_map(|(command, place)| {
            let reason = settings.denied(&command)?;
            Some(format!("{place}: denied: {reason}"))
        })
}
