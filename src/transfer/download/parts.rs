//! Part files: where something is written before it is whole, and how it is put in its place then.

use std::fs::{File, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::Mode;

use super::beneath::{Beneath, Here, set_mode};
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

/// What our new files are not allowed. Asked for once: there is no way to ask without setting it, and
/// what is made in that moment has narrower bits, never wider ones.
fn umask() -> u32 {
    static UMASK: OnceLock<u32> = OnceLock::new();
    *UMASK.get_or_init(|| {
        let was = rustix::process::umask(Mode::from_raw_mode(0o077));
        rustix::process::umask(was);
        was.as_raw_mode()
    })
}

/// Opens a part file: nobody else's to read while it is written, whoever had made it.
pub(super) fn open_own(here: &Beneath, part: &[u8]) -> io::Result<File> {
    let file = here.append(part, OWN)?;
    set_mode(&file, Permissions::from_mode(OWN)).map_err(|error| here.named(part, &error))?;
    Ok(file)
}

/// The bits of what is written to.
const OWN: u32 = 0o600;

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
    let named = |error: io::Error| here.named(&item.name, &error);
    if let Some(seconds) = item.mtime {
        set_time(file, seconds).map_err(named)?;
    }
    let mode = match here.look(&item.name)? {
        Here::File { mode, .. } => mode,
        _ => item.mode & !umask(),
    };
    set_mode(file, Permissions::from_mode(mode)).map_err(named)?;
    swap(here, part, item)
}

/// Puts a link in its place.
pub(super) fn place_link(here: &Beneath, part: &[u8], to: &[u8], item: &Placing) -> io::Result<()> {
    let placed = here.link(part, to).and_then(|()| swap(here, part, item));
    if placed.is_err() {
        let _ = here.remove(part);
    }
    placed
}

/// Replaces what is at the name, in one step: what is kept of it has a second name before.
fn swap(here: &Beneath, part: &[u8], item: &Placing) -> io::Result<()> {
    let Some(ending) = &item.backup else {
        return here.rename(part, &item.name);
    };
    let second = [&item.name, ending.as_bytes()].concat();
    let kept = here.keep(&item.name, &second)?;
    let replaced = here.rename(part, &item.name);
    if replaced.is_err() && kept {
        let _ = here.remove(&second);
    }
    replaced
}

/// What is known of a file that is put in its place.
#[derive(Debug, Clone)]
pub(super) struct Placing {
    pub(super) name: Vec<u8>,
    /// Its permission bits, if it is new here.
    pub(super) mode: u32,
    pub(super) mtime: Option<i64>,
    pub(super) backup: Option<String>,
}

impl Placing {
    /// `windows`: a host that knows of no permission bits.
    pub(super) fn of(order: &Download, item: &Item, windows: bool) -> Self {
        let mode = if windows {
            0o666
        } else {
            item.found.mode & 0o777
        };
        Self {
            name: item.name.clone(),
            mode,
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
    algorithm: Algorithm,
    size: u64,
    known: bool,
) -> io::Result<Opened> {
    remove_old(here, part)?;
    let mut file = open_own(here, part)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_it_can_not_be_replaced_the_old_file_is_where_it_was_and_no_backup_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let here = Beneath::open(folder.path(), false).unwrap().unwrap();
        std::fs::write(folder.path().join("a"), "old").unwrap();
        let file = open_own(&here, b".part").unwrap();
        let placing = Placing {
            name: b"a".to_vec(),
            mode: 0o644,
            mtime: None,
            backup: Some("~".to_owned()),
        };
        assert!(place(&here, &file, b"nowhere", &placing).is_err());
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"old");
        assert!(!folder.path().join("a~").exists());
        place(&here, &file, b".part", &placing).unwrap();
        assert_eq!(std::fs::read(folder.path().join("a~")).unwrap(), b"old");
        place_link(&here, b".part", b"to", &placing).unwrap();
        assert!(folder.path().join("a").is_symlink());
        assert_eq!(std::fs::read(folder.path().join("a~")).unwrap(), b"");
    }
}
