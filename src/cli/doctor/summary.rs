//! What hosts have in common: findings that are not well, folded over hosts, and how many are well.

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
    hint: Option<String>,
    hosts: Vec<&'a Arc<str>>,
}

/// How many hosts there are, and how many are well: `5 hosts: 3 good, 2 bad`.
pub fn totals(cases: &[Case]) -> String {
    let count = |is: fn(&Case) -> bool| cases.iter().filter(|case| is(case)).count();
    let (good, bad) = (
        count(Case::good),
        count(|case| case.failed() || case.unreachable()),
    );
    let mut text = format!("{} hosts: {good} good, {bad} bad", cases.len());
    // Only where somebody stopped it.
    let others = cases.len().saturating_sub(good + bad);
    if others > 0 {
        let _ = write!(text, ", {others} not asked");
    }
    text.push('\n');
    text
}

/// What several hosts have; the worst and the most common first. Empty where that is nothing.
pub fn summary(cases: &[Case]) -> String {
    let mut groups = groups(cases);
    groups.retain(|group| group.hosts.len() > 1);
    groups.sort_by_key(|group| {
        (
            std::cmp::Reverse((group.state, group.hosts.len())),
            group.check,
        )
    });
    let mut text = String::new();
    for group in groups {
        let count = group.hosts.len();
        let names = hostset::fold(group.hosts.iter().map(|name| &***name));
        let _ = writeln!(
            text,
            "{} {}  {count} hosts: {}  ({names})",
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
            let hint = one
                .hint
                .as_deref()
                .map(|hint| of_any_host(hint, &case.host));
            let key = (one.check, one.state, one.common(), hint.clone());
            let at = *known.entry(key).or_insert_with(|| {
                groups.push(Group {
                    check: one.check,
                    state: one.state,
                    topic: one.common(),
                    hint,
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

/// A hint without the name of the one host.
fn of_any_host(hint: &str, host: &str) -> String {
    let words = hint.split(' ').map(|word| match word {
        word if word == host => "HOST",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}
