//! What differs, sent: many small files as one stream, large ones each by itself; then what is set
//! beside content, then what is to go.

use std::io;

use super::Upload;
use super::decide::{self, Ids};
use super::singly::send_one;
use super::surveying::{Item, Survey, staging};
use super::together::send_together;
use crate::event::{ErrorKind, FileAction, HostError};
use crate::shell::files::{Account, Answer, Attributes, FileTask, HostPath};
use crate::transfer::LARGE;
use crate::transfer::link::Trouble;
use crate::transfer::remote::{Remote, expect_answer};
use crate::transfer::report::Report;
use crate::transfer::source::{Content, EntryKind};

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
            Err(trouble) => {
                if !survey.windows && !trouble.keeps_part() {
                    let staging = staging(order, survey);
                    let _ = remote.ask(FileTask::Remove(vec![staging])).await;
                }
                return Err(trouble);
            }
            Ok(()) => {}
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

/// What is added to the name; Windows has no colons in names.
pub(super) fn ending(order: &Upload, windows: bool) -> Option<String> {
    let ending = order.options.backup.as_ref()?;
    Some(if windows {
        ending.replace(':', "-")
    } else {
        ending.clone()
    })
}

/// The digest by which a file is checked.
pub(super) fn digest(order: &Upload, content: &Content) -> Result<String, Trouble> {
    content.digest(order.options.algorithm).map_err(local)
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
    let ids = survey.ids;
    for item in &mut survey.items {
        if item.send && !item.done && matches!(item.entry.kind, EntryKind::Folder) {
            let mode = decide::mode(item.entry, None, &account, &order.options);
            missing.push((
                item.target.clone(),
                Attributes {
                    folder: true,
                    // Where nobody says who we are, as the host makes them.
                    mode: account.uid.is_some().then_some(mode),
                    owner: ids.user.map(|id| id.to_string()),
                    group: ids.group.map(|id| id.to_string()),
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
    let mut touched = Vec::new();
    for (index, item) in survey.items.iter_mut().enumerate() {
        if let (EntryKind::Link(to), true) = (&item.entry.kind, item.send && !item.done) {
            changes.push((
                item.target.clone(),
                Attributes {
                    link: Some(to.clone()),
                    owner: survey.ids.user.map(|id| id.to_string()),
                    group: survey.ids.group.map(|id| id.to_string()),
                    ..Attributes::default()
                },
            ));
            links.push(index);
        }
        if let Some(change) = item.touch_up(order, survey.ids) {
            touched.push(index);
            changes.push((item.target.clone(), change));
        }
        if item.send && !matches!(item.entry.kind, EntryKind::Link(_)) && item.size() < LARGE {
            changes.extend(given_away(order, item, &survey.account, survey.ids));
        }
    }
    if !changes.is_empty() {
        remote.ask(FileTask::Adjust(changes)).await?;
    }
    for item in touched.into_iter().filter_map(|at| survey.items.get(at)) {
        report.touched(item);
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
pub(super) fn given_away(
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
        inherited: order.options.mode.is_none(),
        ..Attributes::default()
    };
    Some((item.target.clone(), change))
}
