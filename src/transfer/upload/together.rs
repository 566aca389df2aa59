//! All that is small, in one stream: unpacked beside its place, compared, and only then put there.

use std::collections::{HashMap, HashSet};

use super::Upload;
use super::decide;
use super::packing::{Body, Format, Member, Packing};
use super::sending::{digest, ending, given_away, local};
use super::surveying::{Item, Survey, staging};
use crate::event::{ErrorKind, FileAction, HostError};
use crate::shell::files::{Answer, Asked, FileTask, Found, HostPath, Kind, Place, Unpack};
use crate::transfer::LARGE;
use crate::transfer::link::{Input, Trouble};
use crate::transfer::meter::Metered;
use crate::transfer::remote::{Remote, expect_answer};
use crate::transfer::report::Report;
use crate::transfer::source::EntryKind;

/// All that is small, in one stream.
pub(super) async fn send_together(
    order: &Upload,
    remote: &mut Remote<'_>,
    survey: &mut Survey<'_>,
    report: &mut Report,
) -> Result<(), Trouble> {
    let staging = staging(order, survey);
    let earlier = if survey.windows {
        // There each file is in its place as soon as it is whole.
        HashMap::new()
    } else {
        unpacked_before(order, remote, survey, &staging).await?
    };
    let mut members = Vec::new();
    let mut resumed = HashSet::new();
    for item in &survey.items {
        let mut expected = String::new();
        let body = match &item.entry.kind {
            EntryKind::Folder if item.entry.name.is_empty() && survey.root_exists => continue,
            EntryKind::Folder if item.entry.name.is_empty() && survey.windows => continue,
            EntryKind::Folder if item.send || item.entry.name.is_empty() => Body::Folder,
            EntryKind::Link(to) if item.send => Body::Link(to.as_bytes().to_vec()),
            EntryKind::File(content) if item.send && content.size() < LARGE => {
                expected = digest(order, content)?;
                if earlier.get(item.entry.name.as_slice()) == Some(&expected) {
                    order.meter.moved(0).await;
                    resumed.insert(item.entry.name.clone());
                    continue;
                }
                Body::File(content.clone())
            }
            _ => continue,
        };
        let found = item.found.as_ref();
        let owner = decide::owner(found, &survey.account, survey.ids).unwrap_or_default();
        let mut mode = decide::mode(item.entry, found, &survey.account, &order.options);
        if given_away(order, item, &survey.account, survey.ids).is_some() {
            // It is not its group's yet.
            mode &= 0o777;
        }
        members.push(Member {
            name: item.entry.name.clone(),
            body,
            mode,
            owner,
            mtime: order.options.times.then_some(item.entry.mtime),
            digest: expected,
        });
    }
    let format = if survey.windows {
        Format::Frames
    } else {
        Format::Tar
    };
    let packing = Packing::new(format, members);
    let input = Input {
        size: packing.size().map_err(local)?,
        chunks: Box::new(Metered {
            inner: Box::new(packing),
            meter: order.meter.clone(),
        }),
    };
    let unpack = Unpack {
        staging: staging.clone(),
        root: survey.root.clone(),
        algorithm: order.options.algorithm,
        mkdir: order.options.mkdir,
        backup: ending(order, survey.windows),
    };
    let answer = remote.feed(FileTask::Unpack(unpack), Some(input)).await?;
    let (digests, placed) =
        expect_answer!(answer, Answer::Unpacked { digests, placed } => (digests, placed))?;
    check(order, remote, survey, &staging, digests).await?;
    if !placed {
        let place = Place {
            staging,
            root: survey.root.clone(),
            backup: order.options.backup.clone(),
        };
        remote.ask(FileTask::Place(place)).await?;
    }
    survey.root_exists = true;
    let route = remote.stream();
    for item in &mut survey.items {
        if item.send && item.size() < LARGE {
            item.done = true;
            let action = if resumed.contains(&item.entry.name) {
                item.resume = item.size();
                FileAction::Resumed
            } else {
                FileAction::Sent
            };
            report.sent(item, action, route);
        }
    }
    Ok(())
}

/// What an upload that broke off has left in the staging folder: names and digests.
async fn unpacked_before(
    order: &Upload,
    remote: &mut Remote<'_>,
    survey: &Survey<'_>,
    staging: &HostPath,
) -> Result<HashMap<Vec<u8>, String>, Trouble> {
    // Its name can be guessed: a link, or another's folder, is not looked into.
    let task = FileTask::Stat {
        paths: vec![Asked {
            path: staging.clone(),
            size: None,
        }],
        algorithm: order.options.algorithm,
        follow: false,
    };
    let found = expect_answer!(remote.ask(task).await?, Answer::Stat(_, found) => found)?;
    let is_ours = |found: &Found| {
        found.kind == Kind::Folder && survey.account.uid.is_none_or(|uid| uid == found.uid)
    };
    if !found.first().and_then(Option::as_ref).is_some_and(is_ours) {
        return Ok(HashMap::new());
    }
    let paths: Vec<HostPath> = survey
        .items
        .iter()
        .filter(|item| item.is_small_file_to_send())
        .map(|item| staging.join(&item.entry.name))
        .collect();
    let root = staging.with_slash();
    let task = FileTask::Hash {
        paths: paths.clone(),
        algorithm: order.options.algorithm,
    };
    let hashes = expect_answer!(remote.ask(task).await?, Answer::Hash(hashes) => hashes)?;
    Ok(paths
        .into_iter()
        .zip(hashes)
        .filter_map(|(path, digest)| Some((path.below(&root)?, digest?)))
        .collect())
}

/// Compares what was unpacked with what was sent, before any of it is put in its place.
async fn check(
    order: &Upload,
    remote: &mut Remote<'_>,
    survey: &Survey<'_>,
    staging: &HostPath,
    digests: Vec<(HostPath, String)>,
) -> Result<(), Trouble> {
    let plain = |name: &HostPath| {
        let name = name.as_bytes();
        name.strip_prefix(b"./").unwrap_or(name).to_vec()
    };
    let mut known: HashMap<Vec<u8>, String> = digests
        .into_iter()
        .map(|(name, digest)| (plain(&name), digest))
        .collect();
    let sent: Vec<&Item<'_>> = survey
        .items
        .iter()
        .filter(|item| item.is_small_file_to_send())
        .collect();
    // Names that a tool's lines can't hold, or that look like others' lines, are asked for by
    // themselves.
    let is_good = |item: &&&Item<'_>| match &item.entry.kind {
        EntryKind::File(content) => digest(order, content)
            .is_ok_and(|expected| known.get(&item.entry.name) == Some(&expected)),
        _ => true,
    };
    let unknown: Vec<&&Item<'_>> = sent.iter().filter(|item| !is_good(item)).collect();
    if !unknown.is_empty() && !survey.windows {
        let task = FileTask::Hash {
            paths: unknown
                .iter()
                .map(|item| staging.join(&item.entry.name))
                .collect(),
            algorithm: order.options.algorithm,
        };
        let hashes = expect_answer!(remote.ask(task).await?, Answer::Hash(hashes) => hashes)?;
        for (item, digest) in unknown.into_iter().zip(hashes) {
            if let Some(digest) = digest {
                known.insert(item.entry.name.clone(), digest);
            }
        }
    }
    // What an upload that broke off has left, and is in its place by another way since.
    let wanted: HashSet<&[u8]> = sent.iter().map(|item| item.entry.name.as_slice()).collect();
    let stale = known
        .keys()
        .filter(|name| !wanted.contains(name.as_slice()));
    let stale: Vec<HostPath> = stale.map(|name| staging.join(name)).collect();
    if !stale.is_empty() && !survey.windows {
        remote.ask(FileTask::Remove(stale)).await?;
    }
    for item in sent {
        let EntryKind::File(content) = &item.entry.kind else {
            continue;
        };
        let expected = digest(order, content)?;
        if known.get(&item.entry.name) != Some(&expected) {
            let _ = remote.ask(FileTask::Remove(vec![staging.clone()])).await;
            let found = known
                .get(&item.entry.name)
                .map_or("nothing", String::as_str);
            return Err(HostError::new(
                ErrorKind::VerifyMismatch,
                format!(
                    "{}: what is on the host's disk is not what was sent ({found}, not {expected})",
                    item.target
                ),
            )
            .into());
        }
    }
    Ok(())
}
