//! Where on a host things belong: in a folder that is there, or under a name.

use super::{Upload, part_of};
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{Account, Answer, Asked, FileTask, Found, HostPath, Kind};
use crate::transfer::link::Trouble;
use crate::transfer::remote::{Remote, expect_answer};
use crate::transfer::source::EntryKind;

/// Where things belong.
pub(super) struct Place {
    pub(super) account: Account,
    pub(super) root: HostPath,
    pub(super) root_exists: bool,
    /// What is at the root.
    pub(super) found: AtRoot,
}

/// What is at a root that is one file.
pub(super) enum AtRoot {
    /// It is no file, or was not looked at.
    NotAsked,
    Is {
        found: Option<Found>,
        /// Its part file.
        part: Option<Found>,
    },
}

impl AtRoot {
    fn of(one: bool, found: Option<Found>, part: Option<Found>) -> Self {
        if one {
            Self::Is { found, part }
        } else {
            Self::NotAsked
        }
    }
}

/// Finds out, with as little as one question.
pub(super) async fn locate(order: &Upload, remote: &mut Remote<'_>) -> Result<Place, Trouble> {
    let typed = if remote.is_windows() {
        order.dest.replace('\\', "/")
    } else {
        order.dest.clone()
    };
    let says_folder = typed.ends_with('/') || matches!(typed.as_str(), "." | "..");
    let trimmed = typed.trim_end_matches('/');
    let bare = match trimmed {
        "" => "/",
        drive if remote.is_windows() && drive.ends_with(':') => typed.as_str(),
        other => other,
    };
    let dest = HostPath::from(bare);
    let one = order.is_one_file();
    let below = order.collected.name.as_ref().map(|name| dest.join(name));
    let size = order
        .collected
        .entries
        .first()
        .map(|entry| match &entry.kind {
            EntryKind::File(content) => content.size(),
            _ => 0,
        });
    let asked = |path: &HostPath| Asked {
        path: path.clone(),
        size: size.filter(|_| one),
    };
    let digest = digest_of_one(order)?;
    let part = |path: &HostPath| Asked {
        path: part_of(path, &digest),
        size: None,
    };
    let mut paths = vec![asked(&dest), asked(&dest.with_slash())];
    if one {
        paths.push(part(&dest));
    }
    paths.extend(below.iter().map(asked));
    if one {
        paths.extend(below.iter().map(part));
    }
    let task = FileTask::Stat {
        paths,
        algorithm: order.options.algorithm,
        follow: false,
    };
    let (account, found) =
        expect_answer!(remote.ask(task).await?, Answer::Stat(account, found) => (account, found))?;
    let mut found = found.into_iter();
    let mut next = |asked: bool| if asked { found.next().flatten() } else { None };
    let (at_dest, behind, dest_part) = (next(true), next(true), next(one));
    let (at_below, below_part) = (next(true), next(one));
    let is_folder = [&at_dest, &behind]
        .into_iter()
        .flatten()
        .any(|found| found.kind == Kind::Folder);
    if !is_folder && says_folder && !order.options.mkdir {
        return Err(no_folder(&dest, at_dest.is_some()));
    }
    let needs_folder = says_folder || (order.collected.name.is_none() && !one);
    if needs_folder && !is_folder && at_dest.is_some() {
        return Err(no_folder(&dest, true));
    }
    Ok(match below {
        Some(below) if is_folder || says_folder => Place {
            account,
            root: below,
            root_exists: at_below.is_some(),
            found: AtRoot::of(one, at_below, below_part),
        },
        _ => Place {
            account,
            root: dest,
            root_exists: is_folder || at_dest.is_some(),
            found: AtRoot::of(one, at_dest, dest_part),
        },
    })
}

fn no_folder(dest: &HostPath, there: bool) -> Trouble {
    if there {
        return HostError::new(ErrorKind::RemoteIo, format!("{dest}: is no folder")).into();
    }
    HostError::new(ErrorKind::RemoteIo, format!("{dest}: no such folder"))
        .hint("--mkdir makes it")
        .into()
}

/// What the one file comes to, where it is one.
fn digest_of_one(order: &Upload) -> Result<String, Trouble> {
    match order.collected.entries.first().map(|entry| &entry.kind) {
        Some(EntryKind::File(content)) if order.is_one_file() => {
            let digest = content.digest(order.options.algorithm);
            digest.map_err(super::sending::local)
        }
        _ => Ok(String::new()),
    }
}
