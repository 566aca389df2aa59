//! Tasks done by SFTP's requests alone, for hosts where no shell works for us: forced `internal-sftp`,
//! a chroot. What needs a program there (many files in one stream) is refused, and done singly.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::hashing::Hashing;
use super::link::{Input, Pulse, Sink, Trouble};
use super::pump;
use super::remote::for_sftp;
use crate::event::{ErrorKind, HostError};
use crate::shell::files::{
    Account, Answer, Attributes, FileTask, Found, HostPath, Kind, NAMES_MAX, Origin, Receive,
    Received, Walk,
};
use crate::transport::{FileChange, FileStat, Files};

/// Single questions under way at a time.
const TOGETHER: usize = 64;

/// How long all names below one path may be together, in bytes: links that are followed may lead in
/// circles, which multiply.
const NAMES_LENGTH: usize = 64 << 20;

/// Does a task.
pub(super) async fn perform(
    files: &Arc<dyn Files>,
    task: &FileTask,
    input: Option<Input>,
    pulse: &Pulse,
) -> Result<Answer, Trouble> {
    let answer = match task {
        FileTask::Stat { paths, follow, .. } => {
            let asking: Vec<_> = paths
                .iter()
                .map(|asked| stat(files, &asked.path, *follow).boxed())
                .collect();
            let found = futures::stream::iter(asking).buffered(TOGETHER);
            Answer::Stat(account(), found.try_collect().await?)
        }
        FileTask::Hash { paths, algorithm } => {
            let mut hashes = Vec::with_capacity(paths.len());
            for path in paths {
                let mut hashing = Hashing::new(*algorithm);
                let read = read(files, path, 0, &mut hashing, pulse).await;
                hashes.push(read.is_ok().then(|| hashing.finish()));
            }
            Answer::Hash(hashes)
        }
        FileTask::ReadLinks(paths) => {
            let mut links = Vec::with_capacity(paths.len());
            for path in paths {
                let link = files.read_link(said(path)?).await.ok();
                links.push(link.map(HostPath::new));
            }
            Answer::Links(links)
        }
        FileTask::Walk(walk) => Answer::Walk(walked(files, walk).await?),
        FileTask::Receive(receive) => {
            Answer::Received(received(files, receive, input, pulse).await?)
        }
        FileTask::Adjust(items) => {
            for (path, change) in items {
                adjust(files, path, change).await?;
            }
            Answer::Done
        }
        FileTask::Remove(paths) => {
            for path in paths {
                remove(files, path.clone()).await?;
            }
            Answer::Done
        }
        FileTask::Identify { .. } | FileTask::Unpack(_) | FileTask::Place(_) => {
            return Err(no_shell().into());
        }
        FileTask::Send(_) | FileTask::Pack(_) => return Err(no_shell().into()),
    };
    Ok(answer)
}

/// Does a task whose answer is content.
pub(super) async fn fetch(
    files: &Arc<dyn Files>,
    task: &FileTask,
    sink: &mut dyn Sink,
    pulse: &Pulse,
) -> Result<(), Trouble> {
    match task {
        FileTask::Send(send) => Ok(read(files, &send.path, send.offset, sink, pulse).await?),
        _ => Err(no_shell().into()),
    }
}

fn no_shell() -> HostError {
    HostError::new(
        ErrorKind::Unsupported,
        "the host has SFTP only, and no shell that could do this",
    )
}

/// Nobody says who we are: what is there keeps its owner, new files are as the server makes them.
fn account() -> Account {
    Account {
        uid: None,
        gid: None,
        umask: 0o022,
    }
}

fn said(path: &HostPath) -> Result<&[u8], HostError> {
    for_sftp(path).ok_or_else(|| {
        HostError::new(
            ErrorKind::Unsupported,
            format!("{path}: over SFTP alone other accounts' homes are not known"),
        )
    })
}

async fn stat(
    files: &Arc<dyn Files>,
    path: &HostPath,
    follow: bool,
) -> Result<Option<Found>, HostError> {
    let text = said(path)?;
    let found = if text.len() > 1 && text.ends_with(b"/") {
        let found = files.stat(as_itself(text)).await?;
        found.filter(|found| kind(found) == Kind::Folder)
    } else if follow {
        files.stat(text).await?
    } else {
        files.lstat(text).await?
    };
    Ok(found.map(|found| Found {
        kind: kind(&found),
        size: found.size,
        mtime: found.mtime,
        mode: found.mode & 0o7777,
        uid: found.uid,
        gid: found.gid,
        digest: None,
    }))
}

fn kind(stat: &FileStat) -> Kind {
    match stat.mode & 0o170_000 {
        0o100_000 => Kind::File,
        0o040_000 => Kind::Folder,
        0o120_000 => Kind::Link,
        _ => Kind::Other,
    }
}

async fn read(
    files: &Arc<dyn Files>,
    path: &HostPath,
    offset: u64,
    sink: &mut dyn Sink,
    pulse: &Pulse,
) -> Result<(), HostError> {
    let text = said(path)?;
    let found = files.stat(text).await?;
    let size = found.map_or(0, |found| found.size);
    pump::read(files, text, offset, size, sink, pulse).await
}

async fn walked(files: &Arc<dyn Files>, walk: &Walk) -> Result<Vec<HostPath>, HostError> {
    let is_pattern = |root: &HostPath| root.as_bytes().iter().any(|b| b"*?[".contains(b));
    if walk.patterns
        && let Some(root) = walk.roots.iter().find(|root| is_pattern(root))
        // As a shell has it: what is no pattern of anything is a name.
        && stat(files, root, false).await?.is_none()
    {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            format!("{root}: the host has SFTP only, and no shell that could expand patterns"),
        ));
    }
    let mut names = Vec::new();
    let mut length = 0;
    let mut left = walk.roots.clone();
    left.reverse();
    while let Some(path) = left.pop() {
        let Some(found) = stat(files, &path, walk.follow).await? else {
            continue;
        };
        let is_root = walk.roots.contains(&path);
        names.push(path.clone());
        let folder = found.kind == Kind::Folder
            || (is_root
                && found.kind == Kind::Link
                && stat(files, &path.with_slash(), true).await?.is_some());
        if folder {
            let below = listed(files, &path, said(&path)?).await?;
            length += below
                .iter()
                .map(|name| name.as_bytes().len())
                .sum::<usize>();
            left.extend(below);
        }
        bounded(names.len() + left.len())?;
        if length > NAMES_LENGTH {
            return Err(too_many());
        }
    }
    Ok(names)
}

/// What is in a folder.
async fn listed(
    files: &Arc<dyn Files>,
    folder: &HostPath,
    text: &[u8],
) -> Result<Vec<HostPath>, HostError> {
    let names = files.list(text).await?;
    let path = |name: &[u8]| {
        if name.is_empty() || name.contains(&b'/') || matches!(name, b"." | b"..") {
            return Err(no_name(folder, name));
        }
        Ok(folder.join(name))
    };
    names.iter().map(|(name, _)| path(name)).collect()
}

fn bounded(names: usize) -> Result<(), HostError> {
    if names > NAMES_MAX {
        return Err(too_many());
    }
    Ok(())
}

fn too_many() -> HostError {
    HostError::new(
        ErrorKind::Protocol,
        "the host names more files than is believable",
    )
}

/// A path without the slashes that would have it stand for what it leads to.
fn as_itself(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b'/'] = text
        && !rest.is_empty()
    {
        text = rest;
    }
    text
}

/// A host that lists what can't be listed is none to be believed.
fn no_name(folder: &HostPath, name: &[u8]) -> HostError {
    HostError::new(
        ErrorKind::Protocol,
        format!(
            "{folder}: the host lists {:?} in it, which is no name of a file",
            String::from_utf8_lossy(name)
        ),
    )
    .hint("what the host says of its files can't be trusted")
}

async fn received(
    files: &Arc<dyn Files>,
    receive: &Receive,
    input: Option<Input>,
    pulse: &Pulse,
) -> Result<Received, Trouble> {
    let (part, target) = (said(&receive.part)?, said(&receive.target)?);
    if receive.mkdir {
        make_folders(files, &receive.target.folder()).await?;
    }
    if let Some(there) = files.stat(target).await?
        && kind(&there) == Kind::Folder
    {
        let why = format!("{}: is a folder", receive.target);
        return Err(HostError::new(ErrorKind::RemoteIo, why).into());
    }
    match (&receive.origin, input) {
        (Origin::Input, Some(input)) => {
            if receive.offset > 0 && !pump::holds(files, part, receive.offset).await? {
                return Ok(Received::Short { size: 0 });
            }
            let private = receive.attributes.mode.is_some();
            let written =
                pump::write(files, part, private, receive.offset, input.chunks, pulse).await;
            if let Err(error) = written {
                return Err(explained(files, &receive.part, input.size, error)
                    .await
                    .into());
            }
        }
        (Origin::There, _) => {}
        _ => return Err(no_shell().into()),
    }
    let size = files.stat(part).await?.map_or(0, |found| found.size);
    if size != receive.size {
        return Ok(Received::Short { size });
    }
    if !receive.digest.is_empty() {
        let mut hashing = Hashing::new(receive.algorithm);
        pump::read(files, part, 0, size, &mut hashing, pulse).await?;
        let digest = hashing.finish();
        if digest != receive.digest {
            files.remove(part).await?;
            return Ok(Received::Mismatch { digest });
        }
    }
    set_attributes(files, &receive.part, &receive.attributes).await?;
    let mut kept = None;
    if let Some(backup) = &receive.backup
        && files.lstat(target).await?.is_some()
    {
        let backup = said(backup)?;
        files.rename(target, backup).await?;
        kept = Some(backup);
    }
    let placed = files.rename(part, target).await;
    if let (Err(_), Some(backup)) = (&placed, kept) {
        // As it was.
        let _ = files.rename(backup, target).await;
    }
    placed?;
    Ok(Received::Placed)
}

/// Why a file could not be written: of a full disk many servers say no more than `Failure`.
pub(super) async fn explained(
    files: &Arc<dyn Files>,
    part: &HostPath,
    left: u64,
    error: HostError,
) -> HostError {
    if error.kind != ErrorKind::RemoteIo {
        return error;
    }
    let folder = part.folder();
    let room = match for_sftp(&folder) {
        Some(folder) => files.room(folder).await,
        None => None,
    };
    if room.is_some_and(|room| room < left) {
        let why = format!("{part}: No space left on device");
        return HostError::new(ErrorKind::NoSpace, why);
    }
    error
}

/// Makes a folder and those above it, where they are not there.
async fn make_folders(files: &Arc<dyn Files>, folder: &HostPath) -> Result<(), HostError> {
    let mut missing = Vec::new();
    let mut at = folder.clone();
    while !at.is_empty() && at.as_bytes() != b"/" && files.stat(said(&at)?).await?.is_none() {
        missing.push(at.clone());
        at = at.folder();
    }
    for folder in missing.iter().rev() {
        files.make_folder(said(folder)?).await?;
    }
    Ok(())
}

async fn adjust(
    files: &Arc<dyn Files>,
    path: &HostPath,
    change: &Attributes,
) -> Result<(), HostError> {
    if change.folder {
        make_folders(files, path).await?;
    }
    if let Some(link) = &change.link {
        let text = said(path)?;
        if files.lstat(text).await?.is_some() {
            files.remove(text).await?;
        }
        return files.make_link(text, said(link)?).await;
    }
    set_attributes(files, path, change).await
}

async fn set_attributes(
    files: &Arc<dyn Files>,
    path: &HostPath,
    attributes: &Attributes,
) -> Result<(), HostError> {
    let text = said(path)?;
    let mut mode = attributes.mode;
    if let Some(owner) = attributes.kept {
        let change = FileChange {
            owner: Some(owner),
            ..FileChange::default()
        };
        if files.set(text, change).await.is_err() && attributes.inherited {
            mode = mode.map(|mode| mode & 0o777);
        }
    }
    let number = |given: &Option<String>, what: &str| match given {
        None => Ok(None),
        Some(text) => text.parse::<u32>().map(Some).map_err(|_| {
            HostError::new(
                ErrorKind::Unsupported,
                format!("{what} {text}: over SFTP alone names are not known, numbers are"),
            )
        }),
    };
    let owner = number(&attributes.owner, "owner")?;
    let group = number(&attributes.group, "group")?;
    let owner = match (owner, group) {
        (None, None) => None,
        (owner, group) => {
            let there = files.stat(text).await?;
            let there = there.map_or((0, 0), |there| (there.uid, there.gid));
            Some((owner.unwrap_or(there.0), group.unwrap_or(there.1)))
        }
    };
    let change = FileChange {
        mode,
        owner,
        mtime: attributes.mtime,
    };
    if change == FileChange::default() {
        return Ok(());
    }
    files.set(text, change).await
}

/// Removes what is there: a link as a link, a folder with all that is in it. What a link leads to is
/// never looked at.
async fn remove(files: &Arc<dyn Files>, path: HostPath) -> Result<(), HostError> {
    let mut found = Vec::new();
    let mut left = vec![path];
    while let Some(path) = left.pop() {
        let text = as_itself(said(&path)?);
        let Some(there) = files.lstat(text).await? else {
            continue;
        };
        let folder = kind(&there) == Kind::Folder;
        if folder {
            left.extend(listed(files, &path, text).await?);
        }
        found.push((path, folder));
        bounded(found.len() + left.len())?;
    }
    for (path, folder) in found.iter().rev() {
        let text = as_itself(said(path)?);
        if *folder {
            files.remove_folder(text).await?;
        } else {
            files.remove(text).await?;
        }
    }
    Ok(())
}
