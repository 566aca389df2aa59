//! What of a folder there is to go, so that it is as the one here, and what is never touched.

use std::collections::HashSet;

use super::surveying::Survey;
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{Answer, FileTask, HostPath, Walk};
use crate::transfer::link::Trouble;
use crate::transfer::remote::{Remote, expect_answer};
use crate::transfer::source::Entry;

/// Refuses to mirror to where far more lies than anybody's folder: the root, the home folder, a drive,
/// a share.
pub(super) fn allowed(root: &HostPath, windows: bool) -> Result<(), Trouble> {
    if is_own_folder(root, windows) {
        return Ok(());
    }
    let what = match root.as_bytes() {
        b"" | b"." | b"~" => "the home folder".to_owned(),
        _ => root.to_string(),
    };
    Err(HostError::new(
        ErrorKind::Arguments,
        format!("--delete does not mirror to {what}"),
    )
    .hint("give a folder below it: all that is there and not here would be removed")
    .into())
}

/// Whether a path names a folder below the root, home, a drive or a share.
pub(super) fn is_own_folder(root: &HostPath, windows: bool) -> bool {
    let text = String::from_utf8_lossy(root.as_bytes()).into_owned();
    let mut path = text.as_str();
    // Names that belong to the place rather than to a folder in it.
    let mut of_place = 0;
    if windows {
        for prefix in ["//?/UNC/", "//?/unc/", "//?/", "//./", "//"] {
            if let Some(rest) = path.strip_prefix(prefix) {
                path = rest;
                // Server and share; else a drive, which has its turn.
                let share = prefix == "//" || prefix.to_ascii_uppercase().ends_with("UNC/");
                of_place = if share { 2 } else { 0 };
                break;
            }
        }
        if path.as_bytes().get(1) == Some(&b':') {
            path = path.get(2..).unwrap_or_default();
        }
    }
    let mut below: usize = 0;
    for (at, name) in path.split('/').filter(|name| !name.is_empty()).enumerate() {
        match name {
            "." => {}
            ".." if below == 0 => return false,
            ".." => below -= 1,
            // This account's home, another's.
            home if at == 0 && home.starts_with('~') && path.starts_with('~') => {}
            _ => below += 1,
        }
    }
    below > of_place
}

/// Refuses sources that would overwrite each other where case does not tell names apart.
pub(super) fn distinct(entries: &[Entry]) -> Result<(), Trouble> {
    let mut names = std::collections::HashMap::new();
    for entry in entries {
        if let Some(other) = names.insert(folded(&entry.name), entry) {
            return Err(HostError::new(
                ErrorKind::Unsupported,
                format!(
                    "{} and {} are one name on Windows hosts",
                    other.shown, entry.shown
                ),
            )
            .hint("give one of them another name")
            .into());
        }
    }
    Ok(())
}

/// A name as file systems compare it that don't tell case apart. (Those of Unix may be such, too.)
fn folded(name: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(name) {
        Ok(text) => text.to_lowercase().into_bytes(),
        Err(_) => name.to_ascii_lowercase(),
    }
}

/// What is below the root there and not here, the uppermost of each.
pub(super) async fn extra(
    remote: &mut Remote<'_>,
    survey: &Survey<'_>,
) -> Result<Vec<HostPath>, Trouble> {
    if !survey.root_exists {
        return Ok(Vec::new());
    }
    let root = survey.root.with_slash();
    let walk = Walk {
        roots: vec![root.clone()],
        patterns: false,
        follow: false,
    };
    let names =
        expect_answer!(remote.ask(FileTask::Walk(walk)).await?, Answer::Walk(names) => names)?;
    let there = names.iter().filter_map(|name| name.below(&root)).collect();
    let ours = survey.items.iter().map(|item| item.entry.name.as_slice());
    let extra = not_here(there, ours);
    Ok(extra.iter().map(|name| survey.root.join(name)).collect())
}

/// Which of the names there are to go.
pub(super) fn not_here<'a>(
    mut there: Vec<Vec<u8>>,
    ours: impl Iterator<Item = &'a [u8]>,
) -> Vec<Vec<u8>> {
    let ours: HashSet<Vec<u8>> = ours.map(folded).collect();
    // What stays keeps the folders that it lies in.
    let mut stays: HashSet<Vec<u8>> = HashSet::new();
    for name in there.iter().filter(|name| is_ours_to_keep(name)) {
        stays.extend(above(name).map(<[u8]>::to_vec));
    }
    there.retain(|name| {
        !name.is_empty()
            && !ours.contains(&folded(name))
            && !stays.contains(name)
            && !is_ours_to_keep(name)
    });
    there.sort();
    let mut extra: HashSet<&[u8]> = HashSet::new();
    let mut uppermost = Vec::new();
    for name in &there {
        if !above(name).any(|folder| extra.contains(folder)) {
            uppermost.push(name.clone());
        }
        extra.insert(name);
    }
    uppermost
}

/// The folders that a name lies in, below the root.
fn above(name: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = name.iter().enumerate().filter(|(_, b)| **b == b'/');
    ends.filter_map(|(at, _)| name.get(..at))
}

fn is_ours_to_keep(name: &[u8]) -> bool {
    name.split(|b| *b == b'/')
        .any(|name| is_part(name) || is_backup(name))
}

/// Whether it is what some upload has under way, or has left to be gone on from:
/// `.NAME.ioms-DIGEST.part`, with `.pem` the certificate that one is fetched by.
pub(super) fn is_part(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".pem").unwrap_or(name);
    let parts = || {
        let (rest, digest) = name.strip_suffix(b".part")?.split_last_chunk::<32>()?;
        let named = rest.strip_suffix(b".ioms-")?.starts_with(b".");
        let hex = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        Some(named && digest.iter().all(hex))
    };
    parts() == Some(true)
}

/// Whether it is what `--backup` has kept: `NAME.YYYY-MM-DD@HH:MM:SS~`, on Windows with `-` for `:`.
pub(super) fn is_backup(name: &[u8]) -> bool {
    const SHAPE: &[u8] = b".0000-00-00@00:00:00~";
    let Some((kept, ending)) = name
        .len()
        .checked_sub(SHAPE.len())
        .and_then(|at| name.split_at_checked(at))
    else {
        return false;
    };
    !kept.is_empty()
        && ending.iter().zip(SHAPE).all(|(is, shape)| match shape {
            b'0' => is.is_ascii_digit(),
            b':' => matches!(is, b':' | b'-'),
            other => is == other,
        })
}
