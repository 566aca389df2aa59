//! What an entry needs, by what is there. Pure.

use crate::shell::files::{Account, Attributes, Found, Kind};
use crate::transfer::source::{Entry, EntryKind};

use super::UploadOptions;

/// What an entry needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing.
    Keep,
    /// To know whether the contents are the same.
    Compare,
    /// To be sent: a file's content, a folder, a link.
    Send,
    /// Where a link leads must be known: it may be a folder, or lead where ours does.
    LookBehind,
    /// Something else is in the way.
    Blocked(&'static str),
}

/// By a first look.
pub(super) fn first_look(entry: &Entry, found: Option<&Found>, force: bool) -> Need {
    let Some(found) = found else {
        return Need::Send;
    };
    match (&entry.kind, found.kind) {
        (EntryKind::File(_) | EntryKind::Link(_), Kind::Folder) => {
            Need::Blocked("a folder of that name is there")
        }
        (EntryKind::File(_), Kind::Other) => Need::Blocked("a device or socket is there"),
        (EntryKind::File(content), Kind::File) if found.size == content.size() && !force => {
            Need::Compare
        }
        (EntryKind::Folder, Kind::Folder) => Need::Keep,
        (EntryKind::Folder | EntryKind::Link(_), Kind::Link) => Need::LookBehind,
        (EntryKind::Folder, Kind::File | Kind::Other) => {
            Need::Blocked("a file of that name is there")
        }
        (EntryKind::File(_), Kind::File | Kind::Link)
        | (EntryKind::Link(_), Kind::File | Kind::Other) => Need::Send,
    }
}

/// The numbers that `--owner` and `--group` stand for on a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) user: Option<u32>,
    pub(super) group: Option<u32>,
}

/// The mode a file or folder is to have.
pub(super) fn mode(
    entry: &Entry,
    found: Option<&Found>,
    account: &Account,
    options: &UploadOptions,
) -> u32 {
    let same_kind = |found: &&Found| match entry.kind {
        EntryKind::File(_) => found.kind == Kind::File,
        EntryKind::Folder => found.kind == Kind::Folder,
        EntryKind::Link(_) => false,
    };
    match (&entry.kind, options.mode) {
        (EntryKind::File(_), Some(mode)) => mode,
        (EntryKind::File(_), None) => match found.filter(same_kind) {
            Some(found) => found.mode,
            // The source's execute bits, under the host's umask.
            None => (0o666 | (entry.mode & 0o111)) & !account.umask,
        },
        _ => match found.filter(same_kind) {
            Some(found) => found.mode,
            None => 0o777 & !account.umask,
        },
    }
}

/// Owner and group it is to have, as numbers.
pub(super) fn owner(found: Option<&Found>, account: &Account, ids: Ids) -> Option<(u32, u32)> {
    let (uid, gid) = (account.uid?, account.gid?);
    // Only root can give a file back to whom it belonged.
    let kept = found.filter(|_| uid == 0);
    let user = ids.user.unwrap_or(kept.map_or(uid, |found| found.uid));
    let group = ids.group.unwrap_or(kept.map_or(gid, |found| found.gid));
    Some((user, group))
}

/// What is to be set of a file whose content is kept; `None`: nothing.
pub(super) fn touch_up(
    entry: &Entry,
    found: &Found,
    ids: Ids,
    options: &UploadOptions,
) -> Option<Attributes> {
    if !matches!(entry.kind, EntryKind::File(_)) || found.kind != Kind::File {
        return None;
    }
    let differs = |wanted: Option<u32>, is: u32| wanted.filter(|wanted| *wanted != is);
    let change = Attributes {
        mode: differs(options.mode, found.mode),
        owner: differs(ids.user, found.uid).map(|id| id.to_string()),
        group: differs(ids.group, found.gid).map(|id| id.to_string()),
        mtime: (options.times && entry.mtime != found.mtime).then_some(entry.mtime),
        ..Attributes::default()
    };
    (change != Attributes::default()).then_some(change)
}
