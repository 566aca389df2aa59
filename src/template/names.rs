//! The names that templates may use: filters, tests, functions and lookups, short and full.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::filters::{self, Filter};
use super::functions::{self, Function};
use super::lookups::{self, Lookup};
use super::tests::{self, Test};

/// What full names may begin with.
const COLLECTIONS: &[&str] = &[
    "ansible.builtin.",
    "ansible.legacy.",
    "ansible.utils.",
    "ansible.netcommon.",
    "ansible.posix.",
    "community.general.",
    "community.crypto.",
];

fn short(name: &str) -> &str {
    COLLECTIONS
        .iter()
        .find_map(|collection| name.strip_prefix(collection))
        .unwrap_or(name)
}

/// A filter of that name.
pub(super) fn filter(name: &str) -> Option<&'static Filter> {
    static ALL: OnceLock<HashMap<&'static str, &'static Filter>> = OnceLock::new();
    ALL.get_or_init(|| filters::all().map(|entry| (entry.name, entry)).collect())
        .get(short(name))
        .copied()
}

/// What stands for a filter that is not there, in a template that is not run.
pub(super) fn no_filter() -> &'static Filter {
    &filters::NONE
}

/// A test of that name.
pub(super) fn test(name: &str) -> Option<&'static Test> {
    static ALL: OnceLock<HashMap<&'static str, &'static Test>> = OnceLock::new();
    ALL.get_or_init(|| tests::all().map(|entry| (entry.name, entry)).collect())
        .get(short(name))
        .copied()
}

/// What stands for a test that is not there.
pub(super) fn no_test() -> &'static Test {
    &tests::NONE
}

/// A function of that name.
pub(super) fn function(name: &str) -> Option<&'static Function> {
    functions::ALL.iter().find(|entry| entry.name == name)
}

/// A lookup of that name.
pub(super) fn lookup(name: &str) -> Option<&'static Lookup> {
    let name = short(name);
    lookups::all().find(|entry| entry.name == name)
}

/// All filters, by name.
pub fn filters() -> Vec<&'static str> {
    sorted(filters::all().map(|entry| entry.name))
}

/// All tests, by name.
pub fn tests() -> Vec<&'static str> {
    sorted(tests::all().map(|entry| entry.name))
}

/// All lookups, by name.
pub fn lookups() -> Vec<&'static str> {
    sorted(lookups::all().map(|entry| entry.name))
}

fn sorted(names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

/// The known name that is closest to one that isn't.
pub(super) fn closest(name: &str, known: Vec<&'static str>) -> Option<String> {
    let name = short(name);
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(name.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// How many letters to change, add, leave out or swap.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (
        one.chars().take(64).collect(),
        other.chars().take(64).collect(),
    );
    let width = other.len() + 1;
    let mut rows: Vec<Vec<usize>> = vec![(0..width).collect()];
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let at = |r: usize, c: usize| rows.get(r).and_then(|row| row.get(c)).copied();
            let replaced = at(i, j).unwrap_or(0) + usize::from(a != b);
            let removed = at(i, j + 1).unwrap_or(0) + 1;
            let added = row.get(j).copied().unwrap_or(0) + 1;
            let mut best = replaced.min(removed).min(added);
            let swapped =
                i > 0 && j > 0 && one.get(i - 1) == Some(b) && other.get(j - 1) == Some(a);
            if swapped {
                best = best.min(at(i - 1, j - 1).unwrap_or(0) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last()
        .and_then(|row| row.last())
        .copied()
        .unwrap_or(usize::MAX)
}
