//! What a mirror removes: what is here and not there, within what was asked for.

use std::collections::HashSet;
use std::io;

use super::Download;
use super::beneath::{Beneath, Here};
use super::names::Typed;
use super::surveying::Item;
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{HostPath, Kind};
use crate::transfer::link::Trouble;

/// What a mirror leaves alone: what is there.
pub(super) fn names_here(items: &[Item]) -> HashSet<Vec<u8>> {
    items.iter().map(|item| item.name.clone()).collect()
}

/// The one folder that a mirror is of, and nothing beside it; its name is empty where it is a folder's
/// content. What is no folder, or several, can't be mirrored.
pub(super) fn root(order: &Download, typed: &Typed, items: &[Item]) -> Result<Vec<u8>, Trouble> {
    if typed.pattern {
        return Err(no_folder(order));
    }
    if typed.content {
        return Ok(Vec::new());
    }
    let mut roots = items.iter().filter(|item| typed.is_root(&item.name));
    match (roots.next(), roots.next()) {
        (Some(root), None) if root.found.kind == Kind::Folder => Ok(root.name.clone()),
        _ => Err(no_folder(order)),
    }
}

fn no_folder(order: &Download) -> Trouble {
    let why = format!(
        "{}: --delete mirrors one folder, and this is none",
        order.source
    );
    HostError::new(ErrorKind::Arguments, why)
        .hint("without --delete it is fetched")
        .into()
}

/// Whether a name is of a file that is ours and no part of any mirror: one that is written to
/// (`.NAME.ioms-<32 hex>.part`), or one that was kept (`NAME.2026-11-25@08:00:00~`).
fn is_ours(name: &[u8]) -> bool {
    is_part(name) || is_backup(name)
}

fn is_part(name: &[u8]) -> bool {
    let Some(rest) = name
        .strip_prefix(b".")
        .and_then(|rest| rest.strip_suffix(b".part"))
    else {
        return false;
    };
    let Some((before, digest)) = rest.split_at_checked(rest.len().saturating_sub(32)) else {
        return false;
    };
    before.ends_with(b".ioms-") && digest.iter().all(u8::is_ascii_hexdigit)
}

fn is_backup(name: &[u8]) -> bool {
    const SHAPE: &[u8] = b".0000-00-00@00:00:00~";
    let Some((before, ending)) = name.split_at_checked(name.len().saturating_sub(SHAPE.len()))
    else {
        return false;
    };
    let fits = |(is, shape): (&u8, &u8)| match shape {
        b'0' => is.is_ascii_digit(),
        shape => is == shape,
    };
    !before.is_empty() && ending.len() == SHAPE.len() && ending.iter().zip(SHAPE).all(fits)
}

/// The uppermost of what is here and not there.
pub(super) fn extra(
    here: &Beneath,
    names: &HashSet<Vec<u8>>,
    root: Vec<u8>,
) -> io::Result<Vec<Vec<u8>>> {
    let mut extra = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for last in here.names(&folder)? {
            let name = HostPath::new(folder.as_slice())
                .join(&last)
                .as_bytes()
                .to_vec();
            if !names.contains(&name) {
                if !is_ours(&last) {
                    extra.push(name);
                }
            } else if here.look(&name)? == Here::Folder {
                folders.push(name);
            }
        }
    }
    Ok(extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_shaped_as_ours_is_taken_for_ours() {
        let zeros = "0".repeat(32);
        let part = format!(".big.ioms-{zeros}.part");
        for ours in [part.as_str(), "a.conf.2026-11-25@08:00:00~"] {
            assert!(is_ours(ours.as_bytes()), "{ours}");
        }
        let bare = format!("big.ioms-{zeros}.part");
        let other = [
            bare.as_str(),
            ".big.ioms-00.part",
            ".part",
            "x",
            "a~",
            ".2026-11-25@08:00:00~",
            "a.2026-11-25 08:00:00~",
            "",
        ];
        for other in other {
            assert!(!is_ours(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn what_is_ours_stays_and_what_is_gone_already_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let here = Beneath::open(folder.path(), true).unwrap().unwrap();
        let part = format!(".big.ioms-{}.part", "0".repeat(32));
        for name in ["site/a", "site/gone", "site/a.2026-11-25@08:00:00~"] {
            here.append(name.as_bytes(), 0o600).unwrap();
        }
        here.append(format!("site/{part}").as_bytes(), 0o600)
            .unwrap();
        let names = [&b"site"[..], b"site/a"].map(<[u8]>::to_vec);
        let extra = extra(&here, &HashSet::from(names), b"site".to_vec()).unwrap();
        assert_eq!(extra, [b"site/gone".to_vec()]);
        here.remove_all(b"site/gone").unwrap();
        here.remove_all(b"site/gone").unwrap();
        here.remove_all(b"nowhere/x").unwrap();
    }
}
