//! What a mirror removes: what is here and not there, within what was asked for.

use std::collections::HashSet;
use std::io;

use super::beneath::{Beneath, Here};
use super::names::Typed;
use super::parts::part_of;
use super::surveying::Item;
use crate::shell::files::{HostPath, Kind};

/// What a mirror leaves alone: what is there, and parts of it that are to be gone on with.
pub(super) fn names_here(items: &[Item]) -> HashSet<Vec<u8>> {
    let wanted = items.iter().filter(|item| item.fetch && item.is_file());
    let parts = wanted.map(part_of);
    items
        .iter()
        .map(|item| item.name.clone())
        .chain(parts)
        .collect()
}

/// The folders that a mirror is of, and nothing beside them.
pub(super) fn roots(typed: &Typed, items: &[Item]) -> Vec<Vec<u8>> {
    if typed.content {
        return vec![Vec::new()];
    }
    let folders = items.iter().filter(|item| item.found.kind == Kind::Folder);
    let roots = folders.filter(|item| typed.is_root(&item.name));
    roots.map(|item| item.name.clone()).collect()
}

/// The uppermost of what is here and not there.
pub(super) fn extra(
    here: &Beneath,
    names: &HashSet<Vec<u8>>,
    roots: Vec<Vec<u8>>,
) -> io::Result<Vec<Vec<u8>>> {
    let mut extra = Vec::new();
    let mut folders = roots;
    while let Some(folder) = folders.pop() {
        for last in here.names(&folder)? {
            let name = HostPath::new(folder.as_slice())
                .join(&last)
                .as_bytes()
                .to_vec();
            if !names.contains(&name) {
                extra.push(name);
            } else if here.look(&name)? == Here::Folder {
                folders.push(name);
            }
        }
    }
    Ok(extra)
}
