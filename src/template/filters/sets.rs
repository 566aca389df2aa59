//! Lists as sets: no item twice, in the order of the first list.

use std::collections::HashSet;

use super::super::args::Args;
use super::super::error::Fail;
use super::super::eval::defined;
use super::super::python;
use super::super::val::{Key, Val};
use super::lists::by_attribute;

/// Which items were seen: by their hash where they have one, else by comparing.
#[derive(Default)]
struct Seen {
    keys: HashSet<Key>,
    others: Vec<Val>,
}

impl Seen {
    fn of(items: &[Val]) -> Self {
        let mut seen = Self::default();
        for item in items {
            seen.add(item);
        }
        seen
    }

    fn has(&self, item: &Val) -> bool {
        match python::key(item) {
            Ok(key) => self.keys.contains(&key),
            Err(_) => self.others.iter().any(|other| python::equal(other, item)),
        }
    }

    /// Whether it is new.
    fn add(&mut self, item: &Val) -> bool {
        match python::key(item) {
            Ok(key) => self.keys.insert(key),
            Err(_) => {
                let new = !self.has(item);
                if new {
                    self.others.push(item.clone());
                }
                new
            }
        }
    }
}

pub(super) fn unique(args: &Args<'_>) -> Result<Val, Fail> {
    let case_sensitive = args.flag(1, false);
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    for item in args.items(0)? {
        let by = match args.some(2) {
            Some(attribute) => by_attribute(&args.cx, &item, attribute)?,
            None => item.clone(),
        };
        let by = match defined(by)? {
            Val::Str(text) if !case_sensitive => Val::from(text.to_lowercase()),
            other => other,
        };
        if seen.add(&by) {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

fn both(args: &Args<'_>) -> Result<(Vec<Val>, Vec<Val>), Fail> {
    Ok((args.items(0)?, args.items(1)?))
}

fn kept<'a>(items: impl IntoIterator<Item = &'a Val>, wanted: impl Fn(&Val) -> bool) -> Vec<Val> {
    let mut seen = Seen::default();
    items
        .into_iter()
        .filter(|item| wanted(item) && seen.add(item))
        .cloned()
        .collect()
}

pub(super) fn difference(args: &Args<'_>) -> Result<Val, Fail> {
    let (a, b) = both(args)?;
    let b = Seen::of(&b);
    Ok(Val::list(kept(&a, |item| !b.has(item))))
}

pub(super) fn intersect(args: &Args<'_>) -> Result<Val, Fail> {
    let (a, b) = both(args)?;
    let b = Seen::of(&b);
    Ok(Val::list(kept(&a, |item| b.has(item))))
}

pub(super) fn union(args: &Args<'_>) -> Result<Val, Fail> {
    let (a, b) = both(args)?;
    Ok(Val::list(kept(a.iter().chain(&b), |_| true)))
}

pub(super) fn symmetric_difference(args: &Args<'_>) -> Result<Val, Fail> {
    let (a, b) = both(args)?;
    let (in_a, in_b) = (Seen::of(&a), Seen::of(&b));
    Ok(Val::list(kept(a.iter().chain(&b), |item| {
        !(in_a.has(item) && in_b.has(item))
    })))
}
