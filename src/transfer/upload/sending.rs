//! What differs, sent: many small files as one stream, large ones each by itself; then what is set
//! beside content, then what is to go.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;

use super::decide::{self, Ids};
use super::packing::{Body, Format, Member, Packing};
use super::pulling;
use super::report::Report;
use super::surveying::{Item, LARGE, Survey, staging};
use super::{Upload, part_of};
use crate::base::chunks::Chunks;
use crate::event::{ErrorKind, FileAction, HostError, Route};
use crate::shell::files::{
    Account, Answer, Attributes, FileTask, HostPath, Origin, Place, Receive, Received, Unpack,
};
use crate::transfer::hashing::Hashing;
use crate::transfer::link::{Input, Trouble};
use crate::transfer::meter::Metered;
use crate::transfer::pump;
use crate::transfer::remote::{Remote, expect_answer, for_sftp};
use crate::transfer::sftp;
use crate::transfer::source::{Content, EntryKind};

/// By SFTP goes what is worth a channel of its own.
const BY_SFTP: u64 = 256 * 1024;

/// A file here can't be read.
pub(super) fn local(error: io::Error) -> Trouble {
    HostError::new(ErrorKind::LocalIo, error.to_string()).into()
}

/// Sends.
pub(super) async fn send(
    order: &Upload,
    remote: &mut Remote<'_>,
    survey: &mut Survey<'_>,
    report: &mut Report,
) -> Result<(), Trouble> {
    let expected = survey.items.iter().filter(|item| item.send);
    order
        .meter
        .expect(expected.map(|item| item.size() - item.resume).sum());
    let small = |item: &Item<'_>| item.send && item.size() < LARGE;
    let together = survey.items.iter().filter(|item| small(item)).count();
    if remote.takes_streams() && (together > 1 || survey.items.len() > 1 && together == 1) {
        match send_together(order, remote, survey, report).await {
            // No tar there: one by one, then.
            Err(trouble) if trouble.error.kind == ErrorKind::Unsupported => {}
            sent => sent?,
        }
    }
    make_folders(order, remote, survey, report).await?;
    for index in 0..survey.items.len() {
        let Some(item) = survey.items.get(index) else {
            break;
        };
        if item.send && !item.done && item.is_file() {
            let action = send_one(order, remote, survey, item).await?;
            report.sent(item, action.0, action.1);
            if let Some(item) = survey.items.get_mut(index) {
                item.done = true;
            }
        }
    }
    finish(order, remote, survey, report).await
}

/// The name for what is replaced.
fn backup(order: &Upload, windows: bool, item: &Item<'_>) -> Option<HostPath> {
    let ending = ending(order, windows)?;
    item.found.as_ref()?;
    let path = [item.target.as_bytes(), ending.as_bytes()].concat();
    Some(HostPath::new(path))
}

/// What is added to the name; Windows has no colons in names.
fn ending(order: &Upload, windows: bool) -> Option<String> {
    let ending = order.options.backup.as_ref()?;
    Some(if windows {
        ending.replace(':', "-")
    } else {
        ending.clone()
    })
}

/// The digest by which a file is checked.
fn digest(order: &Upload, content: &Content) -> Result<String, Trouble> {
    content.digest(order.options.algorithm).map_err(local)
}

/// What is set of a sent file.
fn attributes(order: &Upload, survey: &Survey<'_>, item: &Item<'_>) -> Attributes {
    if survey.windows {
        return Attributes {
            mtime: order.options.times.then_some(item.entry.mtime),
            ..Attributes::default()
        };
    }
    let found = item.found.as_ref();
    Attributes {
        mode: Some(decide::mode(
            item.entry,
            found,
            &survey.account,
            &order.options,
        )),
        owner: survey.ids.user.map(|id| id.to_string()),
        group: survey.ids.group.map(|id| id.to_string()),
        kept: found.map(|found| (found.uid, found.gid)),
        mtime: order.options.times.then_some(item.entry.mtime),
        ..Attributes::default()
    }
}

/// One file, by the way that fits it.
async fn send_one(
    order: &Upload,
    remote: &mut Remote<'_>,
    survey: &Survey<'_>,
    item: &Item<'_>,
) -> Result<(FileAction, Route), Trouble> {
    let EntryKind::File(content) = &item.entry.kind else {
        return Ok((FileAction::Kept, remote.stream()));
    };
    let digest = digest(order, content)?;
    let mut receive = Receive {
        part: part_of(&item.target, &digest),
        target: item.target.clone(),
        offset: item.resume,
        size: content.size(),
        algorithm: order.options.algorithm,
        digest,
        origin: Origin::Input,
        attributes: attributes(order, survey, item),
        backup: backup(order, survey.windows, item),
        mkdir: order.options.mkdir || !item.entry.name.is_empty(),
    };
    let sent = send_content(order, remote, content, &mut receive).await;
    if let Err(trouble) = &sent
        && !trouble.keeps_part()
    {
        let _ = remote
            .ask(FileTask::Remove(vec![receive.part.clone()]))
            .await;
    }
    let route = sent?;
    let action = if item.resume > 0 {
        FileAction::Resumed
    } else {
        FileAction::Sent
    };
    Ok((action, route))
}

async fn send_content(
    order: &Upload,
    remote: &mut Remote<'_>,
    content: &Arc<Content>,
    receive: &mut Receive,
) -> Result<Route, Trouble> {
    let chunks = || -> Box<dyn Chunks> {
        Box::new(Metered {
            inner: content.chunks(receive.offset),
            meter: order.meter.clone(),
        })
    };
    let left = content.size() - receive.offset;
    if pulling::fits(order, remote, left)
        && let Some(received) = pulling::pull(order, remote, content, receive).await?
    {
        settle(remote, receive, received).await?;
        return Ok(Route::Pull);
    }
    let mut route = remote.stream();
    let mut input = None;
    if left == 0 && receive.offset > 0 {
        receive.origin = Origin::There;
    } else if left >= BY_SFTP && by_sftp(remote, receive, left, chunks()).await? {
        receive.origin = Origin::There;
        route = Route::Sftp;
    } else {
        input = Some(Input {
            size: left,
            chunks: chunks(),
        });
    }
    let answer = remote
        .feed(FileTask::Receive(Box::new(receive.clone())), input)
        .await?;
    let received = expect_answer!(answer, Answer::Received(received) => received)?;
    settle(remote, receive, received).await?;
    Ok(route)
}

/// Writes the part file by SFTP, where that is on offer; whether it was done.
async fn by_sftp(
    remote: &mut Remote<'_>,
    receive: &Receive,
    left: u64,
    chunks: Box<dyn Chunks>,
) -> Result<bool, Trouble> {
    let Some(part) = for_sftp(&receive.part) else {
        return Ok(false);
    };
    let Some(files) = remote.channel().await else {
        return Ok(false);
    };
    if receive.mkdir {
        make_folder(remote, &receive.target.folder()).await?;
    }
    if receive.offset == 0 {
        // What others may have put there is not written through.
        let _ = files.remove(part).await;
    }
    let written = pump::write(&files, part, receive.offset, chunks, &remote.pulse()).await;
    let Err(error) = written else {
        return Ok(true);
    };
    let error = sftp::explained(&files, &receive.part, left, error).await;
    if error.kind != ErrorKind::RemoteIo {
        return Err(error.into());
    }
    // The shell may do better, or say why not.
    tracing::debug!(%error, "not by SFTP, content goes through the shell");
    Ok(false)
}

/// What a host made of a file.
async fn settle(
    remote: &mut Remote<'_>,
    receive: &Receive,
    received: Received,
) -> Result<(), Trouble> {
    match received {
        Received::Placed => Ok(()),
        Received::Mismatch { digest } => Err(HostError::new(
            ErrorKind::VerifyMismatch,
            format!(
                "{}: what is on the host's disk is not what was sent ({digest}, not {})",
                receive.target, receive.digest
            ),
        )
        .hint("the part file is removed; is the host's disk sound?")
        .into()),
        Received::Short { size } => Err(HostError::new(
            ErrorKind::Disconnected,
            format!(
                "{}: {size} of {} bytes arrived",
                receive.target, receive.size
            ),
        )
        .hint("the same upload goes on from there")
        .into()),
        Received::Unchecked => read_back(remote, receive).await,
    }
}

/// No tool there that makes digests: the bytes are read back.
async fn read_back(remote: &mut Remote<'_>, receive: &Receive) -> Result<(), Trouble> {
    let mut hashing = Hashing::new(receive.algorithm);
    let task = FileTask::Send(crate::shell::files::Send {
        path: receive.part.clone(),
        offset: 0,
    });
    remote.fetch(task, &mut hashing).await?;
    let digest = hashing.finish();
    if digest != receive.digest {
        remote
            .ask(FileTask::Remove(vec![receive.part.clone()]))
            .await?;
        let mismatch = Received::Mismatch { digest };
        return Box::pin(settle(remote, receive, mismatch)).await;
    }
    let place = Receive {
        digest: String::new(),
        offset: receive.size,
        origin: Origin::There,
        ..receive.clone()
    };
    let answer = remote.ask(FileTask::Receive(Box::new(place))).await?;
    match expect_answer!(answer, Answer::Received(received) => received)? {
        Received::Placed => Ok(()),
        other => Err(HostError::new(
            ErrorKind::Protocol,
            format!(
                "{}: it could not be put in its place ({other:?})",
                receive.target
            ),
        )
        .into()),
    }
}

async fn make_folder(remote: &mut Remote<'_>, folder: &HostPath) -> Result<(), Trouble> {
    if folder.is_empty() {
        return Ok(());
    }
    let attributes = Attributes {
        folder: true,
        ..Attributes::default()
    };
    let task = FileTask::Adjust(vec![(folder.clone(), attributes)]);
    remote.ask(task).await.map(drop)
}

/// All that is small, in one stream.
async fn send_together(
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
        members.push(Member {
            name: item.entry.name.clone(),
            body,
            mode: decide::mode(item.entry, found, &survey.account, &order.options),
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
    let walk = crate::shell::files::Walk {
        roots: vec![staging.with_slash()],
        patterns: false,
        follow: false,
    };
    let names =
        expect_answer!(remote.ask(FileTask::Walk(walk)).await?, Answer::Walk(names) => names)?;
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let paths: Vec<HostPath> = survey
        .items
        .iter()
        .filter(|item| item.send && item.is_file() && item.size() < LARGE)
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
        .filter(|item| item.send && item.is_file() && item.size() < LARGE)
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

/// Folders that are still missing.
async fn make_folders(
    order: &Upload,
    remote: &mut Remote<'_>,
    survey: &mut Survey<'_>,
    report: &mut Report,
) -> Result<(), Trouble> {
    let mut missing = Vec::new();
    let account = survey.account.clone();
    for item in &mut survey.items {
        if item.send && !item.done && matches!(item.entry.kind, EntryKind::Folder) {
            let mode = decide::mode(item.entry, None, &account, &order.options);
            missing.push((
                item.target.clone(),
                Attributes {
                    folder: true,
                    mode: (!survey.windows).then_some(mode),
                    ..Attributes::default()
                },
            ));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    if !survey.root_exists && !order.options.mkdir {
        let parent = survey.root.folder();
        let there = parent.is_empty() || {
            let task = FileTask::Stat {
                paths: vec![crate::shell::files::Asked {
                    path: parent.with_slash(),
                    size: None,
                }],
                algorithm: order.options.algorithm,
                follow: false,
            };
            let found = expect_answer!(remote.ask(task).await?, Answer::Stat(_, found) => found)?;
            found.first().is_some_and(Option::is_some)
        };
        if !there {
            return Err(HostError::new(
                ErrorKind::RemoteIo,
                format!("{parent}: No such file or directory"),
            )
            .hint("--mkdir makes the folder")
            .into());
        }
    }
    remote.ask(FileTask::Adjust(missing)).await?;
    let route = remote.stream();
    for item in &mut survey.items {
        if item.send && !item.done && matches!(item.entry.kind, EntryKind::Folder) {
            item.done = true;
            report.sent(item, FileAction::Sent, route);
        }
    }
    Ok(())
}

/// Links, attributes of what was kept, what is to go.
async fn finish(
    order: &Upload,
    remote: &mut Remote<'_>,
    survey: &mut Survey<'_>,
    report: &mut Report,
) -> Result<(), Trouble> {
    let mut changes = Vec::new();
    let mut links = Vec::new();
    for (index, item) in survey.items.iter_mut().enumerate() {
        if let (EntryKind::Link(to), true) = (&item.entry.kind, item.send && !item.done) {
            changes.push((
                item.target.clone(),
                Attributes {
                    link: Some(to.clone()),
                    ..Attributes::default()
                },
            ));
            links.push(index);
        }
        if let (false, Some(found)) = (item.send, &item.found)
            && let Some(change) = decide::touch_up(item.entry, found, survey.ids, &order.options)
        {
            report.touched(item);
            changes.push((item.target.clone(), change));
        }
        if item.send && item.is_file() && item.size() < LARGE {
            changes.extend(given_away(order, item, &survey.account, survey.ids));
        }
    }
    if !changes.is_empty() {
        remote.ask(FileTask::Adjust(changes)).await?;
    }
    let route = remote.stream();
    for index in links {
        if let Some(item) = survey.items.get_mut(index) {
            item.done = true;
            report.sent(item, FileAction::Sent, route);
        }
    }
    if !survey.extra.is_empty() {
        remote.ask(FileTask::Remove(survey.extra.clone())).await?;
        report.removed(survey);
    }
    Ok(())
}

/// What tar can't give away as another than root: the group that was asked for, or that the file had.
fn given_away(
    order: &Upload,
    item: &Item<'_>,
    account: &Account,
    ids: Ids,
) -> Option<(HostPath, Attributes)> {
    if account.uid.is_none_or(|uid| uid == 0) {
        return None;
    }
    let found = item.found.as_ref();
    let had = found.filter(|found| account.gid != Some(found.gid));
    if ids.group.is_none() && had.is_none() {
        return None;
    }
    let change = Attributes {
        group: ids.group.map(|group| group.to_string()),
        kept: had.map(|found| (found.uid, found.gid)),
        // A change of the group takes set-id bits away.
        mode: Some(decide::mode(item.entry, found, account, &order.options)),
        ..Attributes::default()
    };
    Some((item.target.clone(), change))
}
