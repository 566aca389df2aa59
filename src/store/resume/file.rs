//! The file of one run: a head, then entries, each `length, sealed(kind, form, content), tag`.
//! Written with one `write` each and never synced: it is the controller's death that it is for, not
//! the machine's.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::seal::{SALT, Seal, TAG, random};
use crate::base::id::RunId;
use crate::store::error::StoreError;

/// The folder of the files, in the data folder.
const FOLDER: &str = "plays";
/// What a file begins with, and the version of its form.
const MAGIC: &[u8; 8] = b"iomsrsm2";
/// What stands in place of a file whose run was resumed.
const RESUMED: &[u8; 8] = b"iomsrsm>";
const HEAD: u64 = (MAGIC.len() + SALT) as u64;
/// Kind and form, before the content.
const LEAD: usize = 2;
/// Contents from this size on are compressed, in bytes.
const COMPRESS: usize = 4096;
/// No entry is larger, opened and unpacked, in bytes.
const ENTRY_MAX: usize = 256 << 20;

/// One entry, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is; the writer's own number.
    pub kind: u8,
    /// Where it stands.
    pub place: u64,
    /// What is in it.
    pub content: Vec<u8>,
}

/// The file of a run under way: locked while it lives, and gone with it until it is to be kept.
pub struct ResumeFile {
    path: PathBuf,
    file: File,
    seal: Seal,
    end: Mutex<End>,
    keep: AtomicBool,
}

/// Where the next entry goes.
struct End {
    at: u64,
    /// A write failed: what is there may be torn, and no place may be used twice.
    failed: bool,
}

impl ResumeFile {
    /// Makes the file of a run.
    pub fn create(data_dir: &Path, run: RunId) -> Result<Self, StoreError> {
        let folder = data_dir.join(FOLDER);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(StoreError::file(&folder))?;
        // Under its name once it is locked: nobody must take it for one that was left behind.
        let (making, path) = (folder.join(format!(".{run}")), folder.join(run.to_string()));
        let salt = random::<SALT>().map_err(StoreError::file(&path))?;
        let seal = Seal::new(data_dir, &salt)?;
        let file = OpenOptions::new()
            .append(true)
            .read(true)
            .create_new(true)
            .mode(0o600)
            .open(&making)
            .map_err(StoreError::file(&making))?;
        let made = (|| {
            file.lock()?;
            (&file).write_all(&[MAGIC.as_slice(), &salt].concat())?;
            std::fs::rename(&making, &path)
        })();
        if let Err(error) = made {
            let _ = std::fs::remove_file(&making);
            return Err(StoreError::file(&path)(error));
        }
        Ok(Self {
            path,
            file,
            seal,
            end: Mutex::new(End {
                at: HEAD,
                failed: false,
            }),
            keep: AtomicBool::new(false),
        })
    }

    /// It is to outlive its run: there is something to resume from now on.
    pub fn keep(&self) {
        self.keep.store(true, Ordering::Relaxed);
    }

    /// Appends an entry; its place. Once that has failed, it fails for good.
    pub fn append(&self, kind: u8, content: &[u8]) -> io::Result<u64> {
        if content.len() > ENTRY_MAX - LEAD - TAG {
            return Err(io::Error::other("the entry is too large"));
        }
        let (form, packed) = match compressed(content) {
            Some(packed) => (1, packed),
            None => (0, content.to_vec()),
        };
        let length = LEAD + packed.len() + TAG;
        let mut line = Vec::with_capacity(4 + length);
        let too_large = |_| io::Error::other("the entry is too large");
        line.extend(u32::try_from(length).map_err(too_large)?.to_le_bytes());
        line.extend([kind, form]);
        line.extend(packed);
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.failed {
            return Err(io::Error::other("it could not be written before"));
        }
        let at = end.at;
        let sealed = line.split_at_mut_checked(4);
        let tag = sealed.and_then(|(_, sealed)| self.seal.seal(at, sealed));
        line.extend(tag.ok_or_else(|| io::Error::other("it can't be sealed"))?);
        if let Err(error) = (&self.file).write_all(&line) {
            end.failed = true;
            return Err(error);
        }
        end.at += line.len() as u64;
        Ok(at)
    }

    /// Reads an entry again.
    pub fn read(&self, place: u64) -> Result<Entry, StoreError> {
        let fail = StoreError::file(&self.path);
        let read = || -> io::Result<Option<Entry>> {
            let mut length = [0; 4];
            self.file.read_exact_at(&mut length, place)?;
            let mut sealed = vec![0; bounded(length)?];
            self.file.read_exact_at(&mut sealed, place + 4)?;
            Ok(opened(&self.seal, place, &mut sealed))
        };
        match read() {
            Ok(Some(entry)) => Ok(entry),
            Ok(None) => Err(fail(io::Error::other("an entry can't be opened"))),
            Err(error) => Err(fail(error)),
        }
    }

    /// Nothing is left to resume.
    pub fn remove(&self) -> Result<(), StoreError> {
        std::fs::remove_file(&self.path).map_err(StoreError::file(&self.path))
    }
}

/// A run that never began leaves nothing.
impl Drop for ResumeFile {
    fn drop(&mut self) {
        if !self.keep.load(Ordering::Relaxed) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn compressed(content: &[u8]) -> Option<Vec<u8>> {
    (content.len() >= COMPRESS)
        .then(|| zstd::bulk::compress(content, 1).ok())
        .flatten()
        .filter(|packed| packed.len() < content.len())
}

fn bounded(length: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(length) as usize;
    if !(LEAD + TAG..=ENTRY_MAX).contains(&length) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(length)
}

fn opened(seal: &Seal, place: u64, sealed: &mut [u8]) -> Option<Entry> {
    let plain = seal.open(place, sealed)?;
    let ([kind, form], content) = plain.split_first_chunk::<LEAD>()?;
    let content = match form {
        0 => content.to_vec(),
        _ => unpacked(content)?,
    };
    Some(Entry {
        kind: *kind,
        place,
        content,
    })
}

fn unpacked(content: &[u8]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let decoder = zstd::Decoder::new(content).ok()?;
    let mut bounded = decoder.take(ENTRY_MAX as u64 + 1);
    bounded.read_to_end(&mut all).ok()?;
    (all.len() <= ENTRY_MAX).then_some(all)
}

/// What a run has left.
pub enum Left {
    /// Nothing: it came to its end, or is too old, or was none of plays.
    Nothing,
    /// It was resumed already, as this run.
    Resumed(RunId),
    /// What resuming it needs.
    File(Box<ResumeReader>),
}

/// The file that a run has left: what was written to its end, in order. Locked, as by a run.
pub struct ResumeReader {
    path: PathBuf,
    file: BufReader<File>,
    seal: Seal,
    at: u64,
}

impl ResumeReader {
    /// Opens it. A run that still lives is an error.
    pub fn open(data_dir: &Path, run: RunId) -> Result<Left, StoreError> {
        let path = data_dir.join(FOLDER).join(run.to_string());
        let fail = |error| StoreError::file(&path)(error);
        let mut file = loop {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::Nothing),
                Err(error) => return Err(fail(error)),
            };
            match lock(&file, &path).map_err(fail)? {
                Lock::Held => break file,
                Lock::Elsewhere => return Err(StoreError::Alive(run)),
                Lock::Replaced => {}
            }
        };
        let (mut magic, mut salt) = ([0; MAGIC.len()], [0; SALT]);
        file.read_exact(&mut magic).map_err(fail)?;
        if magic == *RESUMED {
            let mut next = String::new();
            file.read_to_string(&mut next).map_err(fail)?;
            let next = next.trim().parse();
            let next = next.map_err(|_| fail(io::ErrorKind::InvalidData.into()))?;
            return Ok(Left::Resumed(next));
        }
        if magic != *MAGIC {
            let why = "another version of iomsctl wrote it, which may have taken hosts in another order: \
                       resume the run with that version, or run the playbook again";
            return Err(fail(io::Error::other(why)));
        }
        file.read_exact(&mut salt).map_err(fail)?;
        Ok(Left::File(Box::new(Self {
            seal: Seal::new(data_dir, &salt)?,
            path,
            file: BufReader::with_capacity(1 << 18, file),
            at: HEAD,
        })))
    }

    /// The next entry; `None` at the end, or where its writer was killed in the middle of one.
    #[expect(clippy::should_implement_trait, reason = "it may fail")]
    pub fn next(&mut self) -> Result<Option<Entry>, StoreError> {
        let fail = |error| StoreError::file(&self.path)(error);
        let mut length = [0; 4];
        if !filled(&mut self.file, &mut length).map_err(fail)? {
            return Ok(None);
        }
        // Room that the file system had given out when the machine went down, never written to.
        if length == [0; 4] {
            return Ok(None);
        }
        let wanted = bounded(length).map_err(fail)?;
        let mut sealed = Vec::new();
        let rest = (&mut self.file).take(wanted as u64);
        if { rest }.read_to_end(&mut sealed).map_err(fail)? != wanted {
            return Ok(None);
        }
        let entry = opened(&self.seal, self.at, &mut sealed).ok_or_else(|| {
            let why = "it can't be opened: it was changed, or sealed with another key";
            fail(io::Error::other(why))
        })?;
        self.at += 4 + wanted as u64;
        Ok(Some(entry))
    }

    /// The run goes on as another, which has taken over all that is here.
    pub fn resumed(self, next: RunId) -> Result<(), StoreError> {
        let name = self.path.file_name().unwrap_or_default();
        let making = self
            .path
            .with_file_name(format!(".{}.next", name.to_string_lossy()));
        let text = [RESUMED.as_slice(), next.to_string().as_bytes(), b"\n"].concat();
        let write = || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            options.open(&making)?.write_all(&text)?;
            std::fs::rename(&making, &self.path)
        };
        write().map_err(StoreError::file(&self.path))
    }
}

/// What came of locking a file.
#[derive(Debug, PartialEq, Eq)]
enum Lock {
    Held,
    /// Somebody else has it.
    Elsewhere,
    /// It was removed, or another has its name since it was opened: whoever did that had it locked.
    Replaced,
}

/// Locks a file that was opened by this path.
fn lock(file: &File, path: &Path) -> io::Result<Lock> {
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Ok(Lock::Elsewhere),
        Err(std::fs::TryLockError::Error(error)) => return Err(error),
    }
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Ok(Lock::Held),
        Ok(_) => Ok(Lock::Replaced),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Lock::Replaced),
        Err(error) => Err(error),
    }
}

/// Whether there was enough to fill it.
fn filled(from: &mut impl io::Read, into: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes what runs have left that were last at work before a time; how many they were.
pub fn prune_unfinished(data_dir: &Path, before: SystemTime) -> usize {
    let Ok(entries) = std::fs::read_dir(data_dir.join(FOLDER)) else {
        return 0;
    };
    // Removed while it is locked: nobody begins to read it meanwhile.
    let removed = |path: &Path| -> io::Result<bool> {
        let file = File::open(path)?;
        if file.metadata()?.modified()? >= before || lock(&file, path)? != Lock::Held {
            return Ok(false);
        }
        std::fs::remove_file(path)?;
        Ok(true)
    };
    entries
        .flatten()
        .filter(|entry| removed(&entry.path()).unwrap_or(false))
        .count()
}

#[cfg(test)]
mod tests;
