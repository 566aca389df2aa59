//! Ansible's counters, as the recap shows them.

use std::collections::HashMap;
use std::sync::Arc;

use super::worker::Done;
use crate::event::{HostCounts, TaskStatus};

/// The counts of a run. Hosts on which nothing happened are not among them.
#[derive(Debug, Default)]
pub(super) struct Stats {
    hosts: HashMap<Arc<str>, HostCounts>,
}

impl Stats {
    /// Counts a task's result; of an include each thing that it brought in. `rescued`: a failure leads
    /// to a `rescue`.
    pub(super) fn count(&mut self, host: &Arc<str>, done: &Done, rescued: bool) {
        let counts = self.of(host);
        match done.status {
            TaskStatus::Skipped => counts.skipped += 1,
            TaskStatus::Failed | TaskStatus::Unreachable if done.ignored => {
                counts.ok += 1;
                counts.ignored += 1;
                counts.changed += u32::from(changed(done));
            }
            TaskStatus::Failed if rescued => counts.rescued += 1,
            TaskStatus::Failed => counts.failed += 1,
            TaskStatus::Unreachable => counts.unreachable += 1,
            TaskStatus::Ok => counts.ok += 1,
            TaskStatus::Changed => {
                counts.ok += 1;
                counts.changed += 1;
            }
        }
    }

    /// The counts of a host.
    pub(super) fn of(&mut self, host: &Arc<str>) -> &mut HostCounts {
        if !self.hosts.contains_key(host) {
            self.hosts.insert(host.clone(), HostCounts::default());
        }
        self.hosts.entry(host.clone()).or_default()
    }

    /// In the order of names.
    pub(super) fn sorted(&self) -> Vec<(Arc<str>, HostCounts)> {
        let mut sorted: Vec<_> = self
            .hosts
            .iter()
            .map(|(host, counts)| (host.clone(), *counts))
            .collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        sorted
    }
}

fn changed(done: &Done) -> bool {
    done.result
        .get("changed")
        .and_then(serde_json::Value::as_bool)
        == Some(true)
}
