//! What is there before anything is sent: where things belong, what differs, what an earlier upload
//! has left.

use super::decide::{self, Ids, Need};
use super::locating::{AtRoot, locate};
use super::mirror;
use super::resuming::look_at_parts;
use super::{Upload, part_of};
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{Account, Answer, Asked, Attributes, FileTask, Found, HostPath, Kind};
use crate::transfer::link::Trouble;
use crate::transfer::part_name;
use crate::transfer::remote::{Remote, expect_answer};
use crate::transfer::source::{Entry, EntryKind};
use crate::transfer::{Act, LARGE};

/// What was found for one entry.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) entry: &'a Entry,
    pub(super) target: HostPath,
    pub(super) found: Option<Found>,
    pub(super) send: bool,
    /// How much of its part file is good, in bytes.
    pub(super) resume: u64,
    /// Set when it was done.
    pub(super) done: bool,
}

impl Item<'_> {
    /// Whether it is one of the files that go together, in one stream.
    pub(super) fn is_small_file_to_send(&self) -> bool {
        self.send && self.is_file() && self.size() < LARGE
    }

    /// Its size, where it is a file.
    pub(super) fn size(&self) -> u64 {
        match &self.entry.kind {
            EntryKind::File(content) => content.size(),
            _ => 0,
        }
    }

    /// What is to be set of it though its content is kept. The folder that was named as destination is
    /// nothing that was sent: whose it is stays as it is.
    pub(super) fn touch_up(&self, order: &Upload, ids: Ids) -> Option<Attributes> {
        let is_folder = matches!(self.entry.kind, EntryKind::Folder);
        let destination = is_folder && self.entry.name.is_empty() && order.collected.name.is_none();
        let found = self.found.as_ref().filter(|_| !self.send && !destination)?;
        decide::touch_up(self.entry, found, ids, &order.options)
    }

    pub(super) fn is_file(&self) -> bool {
        matches!(self.entry.kind, EntryKind::File(_))
    }
}

/// What one host has.
#[derive(Debug)]
pub(super) struct Survey<'a> {
    pub(super) account: Account,
    pub(super) ids: Ids,
    /// Where the tree begins, or the one file.
    pub(super) root: HostPath,
    /// Whether it is there.
    pub(super) root_exists: bool,
    pub(super) items: Vec<Item<'a>>,
    /// What is there and not here, for `--delete`.
    pub(super) extra: Vec<HostPath>,
    pub(super) windows: bool,
    /// The part file of the one file, where it was looked at already.
    #[expect(clippy::option_option, reason = "not looked at, or nothing there")]
    pub(super) part: Option<Option<Found>>,
}

/// Looks.
pub(super) async fn survey<'a>(
    order: &'a Upload,
    remote: &mut Remote<'_>,
) -> Result<Survey<'a>, Trouble> {
    let windows = remote.is_windows();
    if windows {
        mirror::distinct(&order.collected.entries)?;
    }
    let place = locate(order, remote).await?;
    if order.options.delete {
        mirror::allowed(&place.root, windows)?;
    }
    let mut survey = Survey {
        account: place.account,
        ids: Ids::default(),
        root_exists: place.root_exists,
        items: Vec::with_capacity(order.collected.entries.len()),
        extra: Vec::new(),
        root: place.root,
        windows,
        part: None,
    };
    survey.ids = identify(order, remote, &survey.account).await?;
    let wanted: Vec<(&Entry, HostPath)> = order
        .collected
        .entries
        .iter()
        .map(|entry| (entry, survey.root.join(&entry.name)))
        .collect();
    let found = match place.found {
        AtRoot::Is { found, part } => {
            survey.part = Some(part);
            vec![found]
        }
        AtRoot::NotAsked if !survey.root_exists => wanted.iter().map(|_| None).collect(),
        AtRoot::NotAsked => look(order, remote, &wanted).await?,
    };
    for ((entry, target), found) in wanted.into_iter().zip(found) {
        let force = order.options.force;
        let need = decide::first_look(entry, found.as_ref(), force);
        let item = Item {
            entry,
            target,
            found,
            send: need == Need::Send,
            resume: 0,
            done: false,
        };
        if let Need::Blocked(why) = need {
            return Err(blocked(&item, why));
        }
        if windows && matches!(entry.kind, EntryKind::Link(_)) {
            return Err(no_links(&item));
        }
        survey.items.push(item);
    }
    look_behind(remote, &mut survey).await?;
    compare(order, remote, &mut survey).await?;
    if order.options.act == Act::Send {
        look_at_parts(order, remote, &mut survey).await?;
    }
    if order.options.delete {
        survey.extra = mirror::extra(remote, &survey).await?;
    }
    Ok(survey)
}

fn blocked(item: &Item<'_>, why: &str) -> Trouble {
    HostError::new(ErrorKind::RemoteIo, format!("{}: {why}", item.target))
        .hint("remove it, or choose another destination")
        .into()
}

fn no_links(item: &Item<'_>) -> Trouble {
    HostError::new(
        ErrorKind::Unsupported,
        format!("{}: links are not made on Windows hosts", item.entry.shown),
    )
    .hint("--follow sends what it leads to")
    .into()
}

/// The numbers of `--owner` and `--group`.
async fn identify(
    order: &Upload,
    remote: &mut Remote<'_>,
    account: &Account,
) -> Result<Ids, Trouble> {
    let (owner, group) = (&order.options.owner, &order.options.group);
    if owner.is_none() && group.is_none() {
        return Ok(Ids::default());
    }
    if remote.is_windows() {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            "--owner and --group are for Unix hosts",
        )
        .into());
    }
    let number = |given: &Option<String>| given.as_ref().and_then(|text| text.parse().ok());
    let mut ids = Ids {
        user: number(owner),
        group: number(group),
    };
    let named = |given: &Option<String>, id: Option<u32>| given.clone().filter(|_| id.is_none());
    let (user, group) = (named(owner, ids.user), named(group, ids.group));
    if user.is_some() || group.is_some() {
        let task = FileTask::Identify {
            user: user.clone(),
            group: group.clone(),
        };
        let (uid, gid) = expect_answer!(remote.ask(task).await?, Answer::Identified(user, group) => (user, group))?;
        for (what, name, id) in [("user", &user, uid), ("group", &group, gid)] {
            if let (Some(name), None) = (name, id) {
                let why = format!("there is no {what} {name} on the host");
                return Err(HostError::new(ErrorKind::RemoteIo, why).into());
            }
        }
        ids = Ids {
            user: ids.user.or(uid),
            group: ids.group.or(gid),
        };
    }
    if let (Some(wanted), Some(own)) = (ids.user, account.uid)
        && own != 0
        && wanted != own
    {
        let why = "only root can give files to another user";
        return Err(HostError::new(ErrorKind::RemoteIo, why)
            .hint("--become makes it root")
            .into());
    }
    Ok(ids)
}

/// What is at the entries' places.
async fn look(
    order: &Upload,
    remote: &mut Remote<'_>,
    wanted: &[(&Entry, HostPath)],
) -> Result<Vec<Option<Found>>, Trouble> {
    let paths = wanted.iter().map(|(entry, target)| Asked {
        path: target.clone(),
        size: match &entry.kind {
            EntryKind::File(content) => Some(content.size()),
            _ => None,
        },
    });
    let task = FileTask::Stat {
        paths: paths.collect(),
        algorithm: order.options.algorithm,
        follow: false,
    };
    expect_answer!(remote.ask(task).await?, Answer::Stat(_, found) => found)
}

/// Links where folders or links should be: a link to a folder will do for one.
async fn look_behind(remote: &mut Remote<'_>, survey: &mut Survey<'_>) -> Result<(), Trouble> {
    let links: Vec<usize> = indices(survey, |item| {
        !item.is_file()
            && item
                .found
                .as_ref()
                .is_some_and(|found| found.kind == Kind::Link)
    });
    if links.is_empty() {
        return Ok(());
    }
    let path = |index: &usize| survey.items.get(*index).map(|item| item.target.clone());
    let paths: Vec<HostPath> = links.iter().filter_map(path).collect();
    let task = FileTask::Stat {
        paths: paths
            .iter()
            .map(|path| Asked {
                path: path.with_slash(),
                size: None,
            })
            .collect(),
        algorithm: crate::shell::files::Algorithm::Md5,
        follow: false,
    };
    let behind = expect_answer!(remote.ask(task).await?, Answer::Stat(_, found) => found)?;
    let task = FileTask::ReadLinks(paths);
    let targets = expect_answer!(remote.ask(task).await?, Answer::Links(links) => links)?;
    for ((index, behind), target) in links.into_iter().zip(behind).zip(targets) {
        let Some(item) = survey.items.get_mut(index) else {
            continue;
        };
        match &item.entry.kind {
            EntryKind::Folder if behind.is_some() => item.send = false,
            EntryKind::Folder => return Err(blocked(item, "a link to no folder is there")),
            EntryKind::Link(to) => item.send = target.as_ref() != Some(to),
            EntryKind::File(_) => {}
        }
    }
    Ok(())
}

fn indices(survey: &Survey<'_>, which: impl Fn(&Item<'_>) -> bool) -> Vec<usize> {
    let items = survey.items.iter().enumerate();
    items
        .filter(|(_, item)| which(item))
        .map(|(index, _)| index)
        .collect()
}

/// The contents of what has the right size.
async fn compare(
    order: &Upload,
    remote: &mut Remote<'_>,
    survey: &mut Survey<'_>,
) -> Result<(), Trouble> {
    let algorithm = order.options.algorithm;
    let same_size: Vec<usize> = indices(survey, |item| {
        item.is_file()
            && !item.send
            && item
                .found
                .as_ref()
                .is_some_and(|found| found.digest.is_none())
    });
    let path = |index: &usize| survey.items.get(*index).map(|item| item.target.clone());
    let paths: Vec<HostPath> = same_size.iter().filter_map(path).collect();
    if !paths.is_empty() {
        let task = FileTask::Hash { paths, algorithm };
        let hashes = match remote.ask(task).await {
            Ok(answer) => expect_answer!(answer, Answer::Hash(hashes) => hashes)?,
            // No tool there: what is equal can't be told, and is read back as what was sent is.
            Err(trouble) if trouble.error.kind == ErrorKind::Unsupported => Vec::new(),
            Err(trouble) => return Err(trouble),
        };
        let hashes = hashes.into_iter().chain(std::iter::repeat(None));
        for (index, digest) in same_size.into_iter().zip(hashes) {
            if let Some(found) = survey
                .items
                .get_mut(index)
                .and_then(|item| item.found.as_mut())
            {
                found.digest = digest;
            }
        }
    }
    for item in &mut survey.items {
        let EntryKind::File(content) = &item.entry.kind else {
            continue;
        };
        if item.send || item.found.is_none() {
            continue;
        }
        let expected = content.digest(algorithm).map_err(super::sending::local)?;
        let digest = item
            .found
            .as_ref()
            .and_then(|found| found.digest.as_deref());
        item.send = digest != Some(expected.as_str());
    }
    Ok(())
}

/// The folder that many small files are unpacked to: in the root's own file system.
pub(super) fn staging(order: &Upload, survey: &Survey<'_>) -> HostPath {
    if survey.root_exists {
        survey.root.join(&part_name(b"", &order.fingerprint))
    } else {
        part_of(&survey.root, &order.fingerprint)
    }
}
