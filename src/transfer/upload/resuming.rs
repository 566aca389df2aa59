//! What an upload that broke off has left of a large file, and how much of it is good.

use super::surveying::{Item, Survey};
use super::{Upload, part_of};
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{Account, Answer, Asked, Attributes, FileTask, Found, HostPath, Kind};
use crate::transfer::LARGE;
use crate::transfer::link::Trouble;
use crate::transfer::remote::{Remote, expect_answer};
use crate::transfer::source::EntryKind;

/// A part file that may be there.
struct Part {
    item: usize,
    path: HostPath,
    /// The whole's size.
    size: u64,
    /// What is there, once it was looked at.
    #[expect(clippy::option_option, reason = "not looked at, or nothing there")]
    found: Option<Option<Found>>,
}

impl Part {
    /// What of it could be gone on from.
    fn usable(self, survey: &Survey<'_>) -> Option<(usize, HostPath, u64)> {
        let found = self.found??;
        let usable = found.kind == Kind::File
            && found.size > 0
            && found.size <= self.size
            && (survey.windows || is_own(&found, &survey.account));
        usable.then_some((self.item, self.path, found.size))
    }
}

/// Whether a part file is the account's own: anybody can make one of that name in a folder of many.
/// Over SFTP alone nobody says who the account is; there nobody else may be able to write to it.
pub(super) fn is_own(part: &Found, account: &Account) -> bool {
    match account.uid {
        Some(uid) => part.uid == uid,
        None => part.mode & 0o022 == 0,
    }
}

/// The part files of what is large and to be sent.
fn parts(order: &Upload, survey: &Survey<'_>) -> Result<Vec<Part>, Trouble> {
    let mut parts = Vec::new();
    for (index, item) in survey.items.iter().enumerate() {
        if let EntryKind::File(content) = &item.entry.kind
            && item.send
            && item.size() >= LARGE
        {
            let digest = content.digest(order.options.algorithm);
            let digest = digest.map_err(super::sending::local)?;
            parts.push(Part {
                item: index,
                path: part_of(&item.target, &digest),
                size: Item::size(item),
                found: survey.part.clone(),
            });
        }
    }
    Ok(parts)
}

/// What earlier uploads of the same have left.
pub(super) async fn look_at_parts(
    order: &Upload,
    remote: &mut Remote<'_>,
    survey: &mut Survey<'_>,
) -> Result<(), Trouble> {
    let algorithm = order.options.algorithm;
    let mut left = parts(order, survey)?;
    let unknown: Vec<&mut Part> = left
        .iter_mut()
        .filter(|part| part.found.is_none())
        .collect();
    if !unknown.is_empty() {
        let task = FileTask::Stat {
            paths: unknown
                .iter()
                .map(|part| Asked {
                    path: part.path.clone(),
                    size: None,
                })
                .collect(),
            algorithm,
            follow: false,
        };
        let found = expect_answer!(remote.ask(task).await?, Answer::Stat(_, found) => found)?;
        for (part, found) in unknown.into_iter().zip(found) {
            part.found = Some(found);
        }
    }
    let left: Vec<(usize, HostPath, u64)> = left
        .into_iter()
        .filter_map(|part| part.usable(survey))
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    let task = FileTask::Hash {
        paths: left.iter().map(|(_, part, _)| part.clone()).collect(),
        algorithm,
    };
    let hashes = match remote.ask(task).await {
        Ok(answer) => expect_answer!(answer, Answer::Hash(hashes) => hashes)?,
        // No tool there that could say whether they are good: they are written anew.
        Err(trouble) if trouble.error.kind == ErrorKind::Unsupported => return Ok(()),
        Err(trouble) => return Err(trouble),
    };
    let mut fresh = Vec::new();
    for ((index, path, size), digest) in left.into_iter().zip(hashes) {
        let Some(item) = survey.items.get_mut(index) else {
            continue;
        };
        if let EntryKind::File(content) = &item.entry.kind {
            let content = content.clone();
            let ours = tokio::task::spawn_blocking(move || content.beginning(size, algorithm));
            let ours = ours.await.map_err(|error| {
                Trouble::from(HostError::new(ErrorKind::LocalIo, error.to_string()))
            })?;
            if digest == Some(ours.map_err(super::sending::local)?) {
                item.resume = size;
                fresh.push((path, now()));
            }
        }
    }
    if !fresh.is_empty() {
        // Else what is sent before them would sweep those away that are older than a day. One that
        // has gone since is sent from its beginning.
        if let Err(trouble) = remote.ask(FileTask::Adjust(fresh)).await {
            tracing::debug!(error = %trouble.error, "a part file could not be made new");
        }
    }
    Ok(())
}

fn now() -> Attributes {
    Attributes {
        mtime: Some(crate::base::clock::now().as_second()),
        ..Attributes::default()
    }
}
