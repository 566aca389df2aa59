//! What hosts have in common: findings that are not well, folded over hosts.

use std::fmt::Write as _;
use std::sync::Arc;

use super::case::Case;
use crate::doctor::{Check, State};
use crate::inventory::hostset;

/// Hosts with one finding.
struct Group<'a> {
    check: Check,
    state: State,
    topic: &'a str,
    hint: Option<&'a str>,
    hosts: Vec<&'a Arc<str>>,
}

/// The summary; the worst and the most common first. Empty where all is well.
pub fn summary(cases: &[Case]) -> String {
    let mut groups = groups(cases);
    groups.sort_by_key(|group| {
        (
            std::cmp::Reverse((group.state, group.hosts.len())),
            group.check,
        )
    });
    let mut text = String::new();
    for group in groups {
        let count = group.hosts.len();
        let hosts = if count == 1 { "host" } else { "hosts" };
        let names = hostset::fold(group.hosts.iter().map(|name| &***name));
        let _ = writeln!(
            text,
            "{} {}  {count} {hosts}: {}  ({names})",
            group.state.name(),
            group.check.name(),
            group.topic,
        );
        if let Some(hint) = group.hint {
            let _ = writeln!(text, "  fix: {hint}");
        }
    }
    text
}

fn groups(cases: &[Case]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for case in cases {
        for one in case.findings.iter().filter(|one| one.state >= State::Warn) {
            let key = (one.check, one.state, one.common());
            let at = *known.entry(key).or_insert_with(|| {
                groups.push(Group {
                    check: one.check,
                    state: one.state,
                    topic: one.common(),
                    hint: one.hint.as_deref(),
                    hosts: Vec::new(),
                });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(at) {
                group.hosts.push(&case.host);
            }
        }
    }
    groups
}
