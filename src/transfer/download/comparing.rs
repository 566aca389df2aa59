//! What of a host's files is here already, by size and digest.

use super::beneath::Here;
use super::surveying::{Item, Survey};
use super::{Download, local};
use crate::event::ErrorKind;
use crate::shell::files::{Answer, FileTask, HostPath, Kind};
use crate::transfer::link::Trouble;
use crate::transfer::remote::{Remote, expect_answer};

/// What the files come to there.
pub(super) async fn hash(
    order: &Download,
    remote: &mut Remote<'_>,
    survey: &mut Survey,
) -> Result<(), Trouble> {
    // Without a shell all bytes would come here for it: only where it decides whether they must.
    if !remote.takes_streams() {
        mark_comparable(order, survey).await?;
    }
    let files = survey.items.iter_mut();
    let files: Vec<&mut Item> = files
        .filter(|item| item.is_file() && item.compare)
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    let task = FileTask::Hash {
        paths: files.iter().map(|item| item.path.clone()).collect(),
        algorithm: order.options.algorithm,
    };
    match remote.ask(task).await {
        Ok(answer) => {
            let hashes = expect_answer!(answer, Answer::Hash(hashes) => hashes)?;
            for (item, digest) in files.into_iter().zip(hashes) {
                item.digest = digest;
            }
            Ok(())
        }
        // Nobody there can tell; what comes is all there is to go by.
        Err(trouble) if trouble.error.kind == ErrorKind::Unsupported => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

/// Leaves to be compared what is here in the same size.
async fn mark_comparable(order: &Download, survey: &mut Survey) -> Result<(), Trouble> {
    let (here, force) = (survey.here.clone(), order.options.force);
    let items = std::mem::take(&mut survey.items);
    survey.items = local::run(move || {
        let mut items = items;
        for item in &mut items {
            item.compare = match &here {
                Some(here) if !force => {
                    matches!(here.look(&item.name)?, Here::File { size, .. } if size == item.found.size)
                }
                _ => false,
            };
        }
        Ok(items)
    })
    .await?;
    Ok(())
}

/// What of it is here.
pub(super) async fn compare(order: &Download, survey: &mut Survey) -> Result<(), Trouble> {
    let Some(here) = survey.here.clone() else {
        return Ok(());
    };
    let (algorithm, force) = (order.options.algorithm, order.options.force);
    let times = order.options.times;
    let items = std::mem::take(&mut survey.items);
    survey.items = local::run(move || {
        let mut items = items;
        for item in &mut items {
            let there = here.look(&item.name)?;
            item.fetch = match (item.found.kind, &there) {
                (Kind::Folder, Here::Folder) => false,
                (Kind::File, Here::File { size, mtime, .. })
                    if *size == item.found.size && !force =>
                {
                    let digest = local::digest(&here, &item.name, algorithm)?;
                    let equal = item.digest.as_deref() == Some(digest.as_str());
                    item.touch = equal && times && *mtime != item.found.mtime;
                    !equal
                }
                (Kind::Link, Here::Link(to)) => {
                    item.link.as_ref().map(HostPath::as_bytes) != Some(to.as_slice())
                }
                (Kind::Folder, Here::Nothing) => true,
                (Kind::Folder, _) | (_, Here::Folder | Here::Other) => {
                    let why = std::io::Error::other("something else is in the way");
                    return Err(here.named(&item.name, &why));
                }
                _ => true,
            };
        }
        Ok(items)
    })
    .await?;
    Ok(())
}
