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
    let new = match (&entry.kind, options.mode) {
        (EntryKind::File(_), Some(mode)) => return mode,
        // The source's execute bits, under the host's umask.
        (EntryKind::File(_), None) => 0o666 | (entry.mode & 0o111),
        _ => 0o777,
    } & !account.umask;
    match (found.filter(same_kind), account.uid) {
        (None, _) => new,
        // It can't be given back to its owner. What ran as root must not run as this account, and
        // what was another's own (0600, 0755) is no word on what this account's should be.
        (Some(found), Some(uid)) if uid != 0 && uid != found.uid => match found.uid {
            0 => found.mode & 0o777,
            _ => new,
        },
        (Some(found), _) => found.mode,
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

/// What is to be set of a file whose content is kept, or of a folder that is there; `None`: nothing.
pub(super) fn touch_up(
    entry: &Entry,
    found: &Found,
    ids: Ids,
    options: &UploadOptions,
) -> Option<Attributes> {
    let is_file = match (&entry.kind, found.kind) {
        (EntryKind::File(_), Kind::File) => true,
        (EntryKind::Folder, Kind::Folder) => false,
        _ => return None,
    };
    let differs = |wanted: Option<u32>, is: u32| wanted.filter(|wanted| *wanted != is);
    let times = is_file && options.times && entry.mtime != found.mtime;
    let change = Attributes {
        // --mode is for files.
        mode: differs(options.mode.filter(|_| is_file), found.mode),
        owner: differs(ids.user, found.uid).map(|id| id.to_string()),
        group: differs(ids.group, found.gid).map(|id| id.to_string()),
        mtime: times.then_some(entry.mtime),
        ..Attributes::default()
    };
    (change != Attributes::default()).then_some(change)
}
