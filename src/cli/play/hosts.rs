//! The hosts of plays: by their patterns, within what flags leave.

use std::sync::Arc;

use super::ChoiceArgs;
use crate::inventory::{Inventory, select};
use crate::playbook::run::{Fleet, Runner};
use crate::playbook::{Playbook, patterns};

/// Asks the inventory of a run, which may change while it lasts.
pub(super) struct OfPlays {
    pub(super) runner: Arc<Runner>,
    pub(super) limit: Vec<String>,
    pub(super) exclude: Vec<String>,
}

impl Fleet for OfPlays {
    fn hosts(&self, patterns: &[String]) -> Result<Vec<Arc<str>>, String> {
        let inventory = self.runner.hosts().inventory();
        chosen(&inventory, patterns, &self.limit, &self.exclude)
    }
}

fn chosen(
    inventory: &Inventory,
    patterns: &[String],
    limit: &[String],
    exclude: &[String],
) -> Result<Vec<Arc<str>>, String> {
    let found = select(inventory, &patterns.join(","), limit, exclude)
        .map_err(|error| error.to_string())?;
    Ok(found.names(inventory))
}

/// The hosts of all plays, as far as their patterns are constant; in inventory order.
pub(super) fn of(inventory: &Inventory, choice: &ChoiceArgs, playbook: &Playbook) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for play in &playbook.plays {
        let hosts = chosen(inventory, &patterns(play), &choice.limit, &choice.exclude);
        for host in hosts.unwrap_or_default() {
            if seen.insert(host.clone()) {
                all.push(host);
            }
        }
    }
    let order: std::collections::HashMap<&Arc<str>, usize> = inventory
        .host_names()
        .enumerate()
        .map(|(at, name)| (name, at))
        .collect();
    all.sort_by_key(|host| order.get(host).copied().unwrap_or(usize::MAX));
    all
}
