//! Part files: where something is written before it is whole, and how it is put in its place then.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::beneath::{Beneath, Here};
use super::surveying::{Item, Survey};
use super::{Download, local};
use crate::shell::files::{Algorithm, HostPath};
use crate::transfer::hashing::Hashing;
use crate::transfer::link::Trouble;
use crate::transfer::part_name;

/// The name of the file that something is written to before it is whole.
pub(super) fn part_of(item: &Item) -> Vec<u8> {
    let path = HostPath::new(item.name.as_slice());
    let digest = item.digest.clone().unwrap_or_else(|| "unknown".to_owned());
    let part = part_name(path.name(), &digest);
    path.folder().join(&part).as_bytes().to_vec()
}

/// The bits a new file here is made with: execute bits come along, the rest is our umask's matter.
pub(super) fn mode(item: &Item) -> u32 {
    0o666 | (item.found.mode & 0o111)
}

fn set_time(file: &File, seconds: i64) -> io::Result<()> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = match seconds {
        0.. => UNIX_EPOCH.checked_add(distance),
        _ => UNIX_EPOCH.checked_sub(distance),
    };
    time.map_or(Ok(()), |time| file.set_modified(time))
}

/// Sets the times of what is equal otherwise.
pub(super) async fn touch(survey: &Survey, here: &Arc<Beneath>) -> Result<(), Trouble> {
    let such = survey.items.iter().filter(|item| item.touch);
    let such: Vec<_> = such
        .map(|item| (item.name.clone(), item.found.mtime))
        .collect();
    let here = here.clone();
    local::run(move || {
        such.iter().try_for_each(|(name, seconds)| {
            let set = set_time(&here.read(name)?, *seconds);
            set.map_err(|error| here.named(name, &error))
        })
    })
    .await
}

/// Puts a whole, checked part file in its place. What can't be put there is removed.
pub(super) fn place(here: &Beneath, file: &File, part: &[u8], item: &Placing) -> io::Result<()> {
    let placed = try_place(here, file, part, item);
    if placed.is_err() {
        let _ = here.remove(part);
    }
    placed
}

fn try_place(here: &Beneath, file: &File, part: &[u8], item: &Placing) -> io::Result<()> {
    if let Some(seconds) = item.mtime {
        set_time(file, seconds).map_err(|error| here.named(&item.name, &error))?;
    }
    if let Some(ending) = &item.backup
        && here.look(&item.name)? != Here::Nothing
    {
        here.rename(&item.name, &[&item.name, ending.as_bytes()].concat())?;
    }
    here.rename(part, &item.name)
}

/// What is known of a file that is put in its place.
#[derive(Debug, Clone)]
pub(super) struct Placing {
    pub(super) name: Vec<u8>,
    pub(super) mtime: Option<i64>,
    pub(super) backup: Option<String>,
}

impl Placing {
    pub(super) fn of(order: &Download, item: &Item) -> Self {
        Self {
            name: item.name.clone(),
            mtime: order.options.times.then_some(item.found.mtime),
            backup: order.options.backup.clone(),
        }
    }
}

/// A part file that is written to.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) hashing: Hashing,
}

/// Parts of what a file was earlier are of use to nobody after this long, in seconds.
const PART_AGE: i64 = 24 * 60 * 60;

/// Removes old parts of the same file, which was another then. `.NAME.ioms-DIGEST.part`
fn remove_old(here: &Beneath, part: &[u8]) -> io::Result<()> {
    const MARK: &[u8] = b".ioms-";
    const END: &[u8] = b".part";
    let path = HostPath::new(part);
    let (folder, own) = (path.folder(), path.name());
    let Some(at) = own.windows(MARK.len()).rposition(|some| some == MARK) else {
        return Ok(());
    };
    let begin = own.get(..at + MARK.len()).unwrap_or_default();
    let is_digest = |text: &[u8]| text.len() == 32 && text.iter().all(u8::is_ascii_hexdigit);
    let before = crate::base::clock::now().as_second() - PART_AGE;
    for name in here.names(folder.as_bytes())? {
        let digest = name
            .strip_prefix(begin)
            .and_then(|rest| rest.strip_suffix(END));
        if name == own || !digest.is_some_and(is_digest) {
            continue;
        }
        let name = folder.join(&name);
        if let Here::File { mtime, .. } = here.look(name.as_bytes())?
            && mtime < before
        {
            here.remove(name.as_bytes())?;
        }
    }
    Ok(())
}

/// Opens a part file, and takes in what an earlier download has left in it.
pub(super) fn open_part(
    here: &Beneath,
    part: &[u8],
    mode: u32,
    algorithm: Algorithm,
    size: u64,
    known: bool,
) -> io::Result<Opened> {
    remove_old(here, part)?;
    let mut file = here.append(part, mode)?;
    let mut opened = Opened {
        length: file.metadata()?.len(),
        hashing: Hashing::new(algorithm),
        file: file.try_clone()?,
    };
    if opened.length > size || !known {
        file.set_len(0)?;
        opened.length = 0;
    }
    let mut buffer = vec![0; 128 * 1024];
    let mut left = opened.length;
    while left > 0 {
        let got = file.read(&mut buffer)?;
        if got == 0 {
            break;
        }
        opened.hashing.update(buffer.get(..got).unwrap_or_default());
        left = left.saturating_sub(got as u64);
    }
    Ok(opened)
}
