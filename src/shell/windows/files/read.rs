//! What the texts print, read. A host may print anything: what can't be meant is refused.

use super::exit;
use crate::shell::files::{
    Account, Answer, FileFailure, FileTask, Found, HostPath, Kind, NAMES_MAX, Received, Said,
};

/// How much of what makes no sense is shown.
const EXCERPT: usize = 300;

/// Reads what a task's program printed.
pub fn read(task: &FileTask, said: &Said) -> Result<Answer, FileFailure> {
    if said.exit != Some(0) {
        return Err(failure(said));
    }
    let fields = Fields(&said.stdout);
    match task {
        FileTask::Stat { paths, .. } => {
            let found: Option<Vec<_>> = fields
                .exactly(paths.len())?
                .iter()
                .map(|one| found(one))
                .collect();
            found
                .map(|found| Answer::Stat(Account::default(), found))
                .ok_or_else(|| garbled(said))
        }
        FileTask::Hash { paths, .. } => {
            let digests: Option<Vec<_>> = fields
                .exactly(paths.len())?
                .iter()
                .map(|one| digest(one))
                .collect();
            digests.map(Answer::Hash).ok_or_else(|| garbled(said))
        }
        FileTask::Identify { .. } => Ok(Answer::Identified(None, None)),
        FileTask::ReadLinks(paths) => {
            let links = fields.exactly(paths.len())?;
            let path = |text: &&str| Some(HostPath::from(*text)).filter(|path| !path.is_empty());
            Ok(Answer::Links(links.iter().map(path).collect()))
        }
        FileTask::Walk(_) if said.stdout.split(|b| *b == 0).count() > NAMES_MAX + 1 => {
            Err(FileFailure::too_many_names())
        }
        FileTask::Walk(_) => Ok(Answer::Walk(
            fields.all()?.into_iter().map(HostPath::from).collect(),
        )),
        FileTask::Receive(_) => received(&fields.all()?)
            .map(Answer::Received)
            .ok_or_else(|| garbled(said)),
        FileTask::Unpack(_) => {
            let digests: Option<Vec<_>> = fields
                .all()?
                .chunks(2)
                .map(|pair| match pair {
                    [name, is] => Some((HostPath::from(*name), digest(is)??)),
                    _ => None,
                })
                .collect();
            digests
                .map(|digests| Answer::Unpacked {
                    digests,
                    placed: true,
                })
                .ok_or_else(|| garbled(said))
        }
        FileTask::Adjust(_) | FileTask::Remove(_) if fields.all()? != ["done"] => {
            Err(garbled(said))
        }
        FileTask::Place(_)
        | FileTask::Adjust(_)
        | FileTask::Remove(_)
        | FileTask::Send(_)
        | FileTask::Pack(_) => Ok(Answer::Done),
    }
}

/// Why a task was not done: its exit code says of what kind it is.
fn failure(said: &Said) -> FileFailure {
    let text = String::from_utf8_lossy(&said.stderr);
    let text: String = text.trim().chars().take(4096).collect();
    match said.exit {
        Some(exit::NO_SPACE) => FileFailure::NoSpace(text),
        Some(exit::REFUSED) => FileFailure::Refused(text),
        Some(exit::NO_TOOL) => FileFailure::NoTool(text),
        Some(_) if !text.is_empty() => FileFailure::Garbled(text),
        _ => garbled(said),
    }
}

/// Fields that end in NUL.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn all(&self) -> Result<Vec<&'a str>, FileFailure> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let text = std::str::from_utf8(self.0).map_err(|_| excerpt(self.0))?;
        let text = text.strip_suffix('\0').ok_or_else(|| excerpt(self.0))?;
        Ok(text.split('\0').collect())
    }

    fn exactly(&self, count: usize) -> Result<Vec<&'a str>, FileFailure> {
        let all = self.all()?;
        if all.len() == count {
            Ok(all)
        } else {
            Err(excerpt(self.0))
        }
    }
}

/// `-`, or kind, size, seconds and perhaps a digest.
#[expect(
    clippy::option_option,
    reason = "the outer one: whether it makes sense"
)]
fn found(text: &str) -> Option<Option<Found>> {
    if text == "-" {
        return Some(None);
    }
    let mut words = text.split(' ');
    let kind = match words.next()? {
        "f" => Kind::File,
        "d" => Kind::Folder,
        "l" => Kind::Link,
        _ => return None,
    };
    let size = words.next()?.parse().ok()?;
    let mtime = words.next()?.parse().ok()?;
    Some(Some(Found {
        kind,
        size,
        mtime,
        mode: 0,
        uid: 0,
        gid: 0,
        digest: digest(words.next()?)?,
    }))
}

#[expect(
    clippy::option_option,
    reason = "the outer one: whether it makes sense"
)]
fn digest(text: &str) -> Option<Option<String>> {
    if text.is_empty() {
        return Some(None);
    }
    let is_hex = matches!(text.len(), 32 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then(|| Some(text.to_owned()))
}

fn received(fields: &[&str]) -> Option<Received> {
    Some(match fields {
        ["placed"] => Received::Placed,
        ["mismatch", is] => Received::Mismatch {
            digest: digest(is)??,
        },
        ["short", size] => Received::Short {
            size: size.parse().ok()?,
        },
        _ => return None,
    })
}

fn garbled(said: &Said) -> FileFailure {
    excerpt(&said.stdout)
}

fn excerpt(bytes: &[u8]) -> FileFailure {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text.trim().chars().take(EXCERPT).collect();
    FileFailure::Garbled(format!("it answered `{}`", text.escape_debug()))
}
