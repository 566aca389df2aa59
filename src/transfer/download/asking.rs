//! What is at the names that a host has given: it has to say something of each.

use super::Download;
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{Answer, Asked, FileTask, Found, HostPath, Kind, Walk};
use crate::transfer::link::Trouble;
use crate::transfer::remote::{Remote, expect_answer};

/// So many names without an answer are looked into; more of them are no accident.
const SILENT_MAX: usize = 64;

/// What is there, as the host says.
pub(super) async fn stat(
    order: &Download,
    remote: &mut Remote<'_>,
    paths: &[HostPath],
    follow: bool,
) -> Result<Vec<Option<Found>>, Trouble> {
    let task = FileTask::Stat {
        paths: paths
            .iter()
            .map(|path| Asked {
                path: path.clone(),
                size: None,
            })
            .collect(),
        algorithm: order.options.algorithm,
        follow,
    };
    expect_answer!(remote.ask(task).await?, Answer::Stat(_, found) => found)
}

/// The same of all that the host has named. Where it says nothing it is asked once more: that may be
/// gone since, which becomes a notice, but nothing is left out in silence.
pub(super) async fn stat_all(
    order: &Download,
    remote: &mut Remote<'_>,
    paths: &[HostPath],
    notices: &mut Vec<String>,
) -> Result<Vec<Option<Found>>, Trouble> {
    let follow = order.options.follow;
    let mut found = stat(order, remote, paths, follow).await?;
    let silent: Vec<(usize, HostPath)> = paths
        .iter()
        .enumerate()
        .filter(|(index, _)| found.get(*index).is_none_or(Option::is_none))
        .map(|(index, path)| (index, path.clone()))
        .collect();
    if silent.is_empty() {
        return Ok(found);
    }
    let again: Vec<HostPath> = silent.iter().map(|(_, path)| path.clone()).collect();
    let answers = stat(order, remote, &again, false).await?;
    let mut gone = Vec::new();
    for ((index, path), answer) in silent.into_iter().zip(answers) {
        match answer {
            None => gone.push(path),
            Some(link) if follow && link.kind == Kind::Link => {
                notices.push(format!("{path}: leads nowhere, left out"));
            }
            answer => {
                if let Some(found) = found.get_mut(index) {
                    *found = answer;
                }
            }
        }
    }
    are_gone(order, remote, &gone).await?;
    let lines = gone
        .iter()
        .map(|path| format!("{path}: has gone meanwhile, left out"));
    notices.extend(lines);
    Ok(found)
}

/// Whether it is well that the host says nothing of these: they are gone, and no mirror is made.
async fn are_gone(
    order: &Download,
    remote: &mut Remote<'_>,
    gone: &[HostPath],
) -> Result<(), Trouble> {
    let Some(first) = gone.first() else {
        return Ok(());
    };
    let there = if gone.len() > SILENT_MAX {
        Some(first.clone())
    } else {
        let walk = Walk {
            roots: gone.to_vec(),
            patterns: false,
            follow: false,
        };
        let names =
            expect_answer!(remote.ask(FileTask::Walk(walk)).await?, Answer::Walk(names) => names)?;
        names.into_iter().next()
    };
    let (why, hint) = match there {
        Some(path) => (
            format!("{path}: the host names it and does not say what it is"),
            "nothing was fetched; does much come and go there? then try again",
        ),
        None if order.options.delete => (
            format!("{first}: has gone while the host was asked, and a mirror would lack it"),
            "nothing was fetched or removed; try again",
        ),
        None => return Ok(()),
    };
    Err(HostError::new(ErrorKind::RemoteIo, why).hint(hint).into())
}
