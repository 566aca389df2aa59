//! The hosts of plays: by their patterns, within what flags leave.

use std::collections::HashSet;
use std::sync::Arc;

use crate::inventory::{Inventory, select};
use crate::playbook::run::{Fleet, Runner};
use crate::playbook::{Playbook, patterns};

/// What flags leave of each play's hosts.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// `--limit`
    pub limit: Vec<String>,
    /// `--exclude`
    pub exclude: Vec<String>,
    /// `--rerun`: of these alone.
    pub only: Option<HashSet<Arc<str>>>,
}

impl Limits {
    /// What of the patterns is the name of nothing.
    pub(super) fn unmatched(&self, inventory: &Inventory) -> Vec<String> {
        let found = select(inventory, "all", &self.limit, &self.exclude);
        found.map(|found| found.unmatched).unwrap_or_default()
    }
}

/// Who says which hosts a play has.
#[derive(Debug, Clone)]
pub enum Chosen {
    /// Its own pattern, within limits.
    ByPlays(Limits),
    /// They are chosen already.
    Before(Vec<Arc<str>>),
}

/// Asks the inventory of a run, which may change while it lasts.
pub(super) struct OfPlays {
    pub(super) runner: Arc<Runner>,
    pub(super) chosen: Chosen,
}

impl Fleet for OfPlays {
    fn hosts(&self, patterns: &[String]) -> Result<Vec<Arc<str>>, String> {
        match &self.chosen {
            Chosen::ByPlays(limits) => {
                let inventory = self.runner.hosts().inventory();
                within(&inventory, patterns, limits)
            }
            Chosen::Before(hosts) => Ok(hosts.clone()),
        }
    }
}

pub(super) fn within(
    inventory: &Inventory,
    patterns: &[String],
    limits: &Limits,
) -> Result<Vec<Arc<str>>, String> {
    let found = select(
        inventory,
        &patterns.join(","),
        &limits.limit,
        &limits.exclude,
    )
    .map_err(|error| error.to_string())?;
    let mut names = found.counted_names(inventory);
    if let Some(only) = &limits.only {
        names.retain(|name| only.contains(name));
    }
    Ok(names)
}

/// The hosts of all plays, as far as their patterns are constant; in inventory order.
pub(super) fn of(inventory: &Inventory, limits: &Limits, playbook: &Playbook) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for play in &playbook.plays {
        let hosts = within(inventory, &patterns(play), limits);
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
