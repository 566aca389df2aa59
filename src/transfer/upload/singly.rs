//! One file, sent by the way that fits it: fetched by its host, by SFTP, or down the standard input of the
//! task that receives it.

use std::sync::Arc;

use super::decide;
use super::pulling;
use super::sending::{digest, ending};
use super::surveying::{Item, Survey};
use super::{Upload, part_of};
use crate::base::chunks::Chunks;
use crate::event::{ErrorKind, FileAction, HostError, Route};
use crate::shell::files::{
    Answer, Attributes, FileTask, HostPath, Kind, Origin, Receive, Received,
};
use crate::transfer::BY_SFTP;
use crate::transfer::hashing::Hashing;
use crate::transfer::link::{Input, Trouble};
use crate::transfer::meter::Metered;
use crate::transfer::pump;
use crate::transfer::remote::{Remote, expect_answer, for_sftp};
use crate::transfer::sftp;
use crate::transfer::source::{Content, EntryKind};

/// One file, by the way that fits it.
pub(super) async fn send_one(
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
    let action = if receive.offset > 0 {
        FileAction::Resumed
    } else {
        FileAction::Sent
    };
    Ok((action, route))
}

/// Sends it; from the beginning where what it was to go on from is gone.
async fn send_content(
    order: &Upload,
    remote: &mut Remote<'_>,
    content: &Arc<Content>,
    receive: &mut Receive,
) -> Result<Route, Trouble> {
    let (mut received, mut route) = pass_content(order, remote, content, receive).await?;
    if matches!(received, Received::Short { size } if size < receive.offset) {
        tracing::info!(part = %receive.part, "the part file is gone, all is sent");
        order.meter.expect(receive.offset);
        receive.offset = 0;
        receive.origin = Origin::Input;
        (received, route) = pass_content(order, remote, content, receive).await?;
    }
    settle(remote, receive, received).await?;
    Ok(route)
}

/// Sends what is missing by the way that fits it.
async fn pass_content(
    order: &Upload,
    remote: &mut Remote<'_>,
    content: &Arc<Content>,
    receive: &mut Receive,
) -> Result<(Received, Route), Trouble> {
    let chunks = || -> Box<dyn Chunks> {
        Box::new(Metered {
            inner: content.chunks(receive.offset),
            meter: order.meter.clone(),
        })
    };
    let left = content.size() - receive.offset;
    if pulling::fits(order, remote, left)
        && let Some((fetched, received)) = pulling::pull(order, remote, content, receive).await?
    {
        // By the digest that it was to be checked by, not by ours for the comparison.
        *receive = fetched;
        return Ok((received, Route::Pull));
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
    let mut received = receive_by(remote, receive, input).await?;
    if let (Route::Sftp, &Received::Short { size }) = (route, &received)
        && size <= receive.offset
    {
        tracing::debug!("SFTP writes elsewhere than the shell, content goes through the shell");
        forget_by_sftp(remote, receive).await;
        receive.origin = Origin::Input;
        receive.offset = size;
        let input = Input {
            size: content.size() - size,
            chunks: content.chunks(size),
        };
        received = receive_by(remote, receive, Some(input)).await?;
        route = remote.stream();
    }
    Ok((received, route))
}

async fn receive_by(
    remote: &mut Remote<'_>,
    receive: &Receive,
    input: Option<Input>,
) -> Result<Received, Trouble> {
    let task = FileTask::Receive(Box::new(receive.clone()));
    let answer = remote.feed(task, input).await?;
    expect_answer!(answer, Answer::Received(received) => received)
}

/// Takes away what an SFTP server wrote where the shell does not find it: its root or its home is
/// another one.
async fn forget_by_sftp(remote: &mut Remote<'_>, receive: &Receive) {
    if let (Some(part), Some(files)) = (for_sftp(&receive.part), remote.channel().await) {
        let _ = files.remove(part).await;
    }
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
    let private = receive.attributes.mode.is_some();
    let written = pump::write(
        &files,
        part,
        private,
        receive.offset,
        chunks,
        &remote.pulse(),
    )
    .await;
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

/// What is set of a sent file.
fn attributes(order: &Upload, survey: &Survey<'_>, item: &Item<'_>) -> Attributes {
    if survey.windows {
        return Attributes {
            mtime: order.options.times.then_some(item.entry.mtime),
            ..Attributes::default()
        };
    }
    let found = item.found.as_ref();
    let mode = decide::mode(item.entry, found, &survey.account, &order.options);
    Attributes {
        mode: (!as_the_server_has_it(order, survey, item)).then_some(mode),
        inherited: order.options.mode.is_none(),
        owner: survey.ids.user.map(|id| id.to_string()),
        group: survey.ids.group.map(|id| id.to_string()),
        kept: found.map(|found| (found.uid, found.gid)),
        mtime: order.options.times.then_some(item.entry.mtime),
        ..Attributes::default()
    }
}

/// Whether a file is of the mode that the host gives new ones: over SFTP alone nobody says which it is.
fn as_the_server_has_it(order: &Upload, survey: &Survey<'_>, item: &Item<'_>) -> bool {
    survey.account.uid.is_none()
        && order.options.mode.is_none()
        && item.entry.mode & 0o111 == 0
        && item
            .found
            .as_ref()
            .is_none_or(|found| found.kind != Kind::File)
}

/// The name for what is replaced.
fn backup(order: &Upload, windows: bool, item: &Item<'_>) -> Option<HostPath> {
    let ending = ending(order, windows)?;
    item.found.as_ref()?;
    let path = [item.target.as_bytes(), ending.as_bytes()].concat();
    Some(HostPath::new(path))
}
