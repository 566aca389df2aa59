//! From what the user named to entries: files, patterns, folders with all below.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use globset::GlobBuilder;

use super::{Content, Entry, EntryKind};
use crate::shell::files::HostPath;
use crate::transfer::leaving::leaves;

/// Files up to this size are kept in memory where many hosts get them, in bytes: they are rarely at the
/// same place. For a few, to fill that memory costs more than to read again.
const HELD: u64 = 64 << 20;
const MANY: usize = 4;

/// All of them together, in bytes.
const HELD_ALL: u64 = 256 << 20;

/// What the user named.
#[derive(Debug, Clone)]
pub enum Given {
    /// A file, a folder, or a pattern where nothing has that name. With a slash at its end: the
    /// folder's content.
    Path(PathBuf),
    /// A file that is open.
    Opened {
        /// It.
        file: Arc<File>,
        /// What it is called where it lands in a folder.
        name: String,
        /// How it is shown.
        shown: String,
    },
}

/// What it comes to.
#[derive(Debug, Clone)]
pub struct Collected {
    /// All there is, folders before what is in them.
    pub entries: Vec<Entry>,
    /// The name of the one thing that was given, if it goes under its name; `None`: the entries'
    /// names begin below the destination, which is a folder.
    pub name: Option<Vec<u8>>,
}

/// Why it can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing has that name.
    #[error("{0}: no such file or folder")]
    Missing(PathBuf),
    /// It can't be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is a device, a socket, a pipe.
    #[error("{0}: it is no file, folder or link")]
    Kind(PathBuf),
    /// It leads out of what is sent.
    #[error("{0}: this link leads out of the folder that is sent")]
    Leaves(PathBuf),
    /// Two sources would land on one another.
    #[error("{0} and {1} would land on the same name")]
    Twice(String, String),
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> SourceError + use<> {
    let path = path.to_owned();
    move |error| match error.kind() {
        io::ErrorKind::NotFound => SourceError::Missing(path),
        _ => SourceError::Unreadable { path, error },
    }
}

/// What is still to be read.
struct Pending {
    entry: usize,
    path: PathBuf,
    open: Option<Arc<File>>,
    size: u64,
}

/// The work.
#[derive(Default)]
struct Collecting {
    /// How many get it.
    hosts: usize,
    entries: Vec<Entry>,
    pending: Vec<Pending>,
    follow: bool,
}

/// Collects; `follow` sends what links lead to in their place. Reads and hashes all files.
pub fn collect(given: &[Given], follow: bool, hosts: usize) -> Result<Collected, SourceError> {
    let mut given = expanded(given)?;
    let mut work = Collecting {
        hosts,
        follow,
        ..Collecting::default()
    };
    let name = match given.as_mut_slice() {
        [one] => work.one(one)?,
        several => {
            for each in several {
                work.beneath_its_name(each)?;
            }
            None
        }
    };
    no_collisions(&work.entries)?;
    work.read()?;
    Ok(Collected {
        entries: work.entries,
        name,
    })
}

/// Patterns for what they stand for.
fn expanded(given: &[Given]) -> Result<Vec<Given>, SourceError> {
    let mut all = Vec::new();
    for each in given {
        let Given::Path(path) = each else {
            all.push(each.clone());
            continue;
        };
        let text = path.to_string_lossy();
        if path.symlink_metadata().is_ok() || !text.contains(['*', '?', '[']) {
            all.push(each.clone());
            continue;
        }
        let found = matching(path)?;
        if found.is_empty() {
            return Err(SourceError::Missing(path.clone()));
        }
        all.extend(found.into_iter().map(Given::Path));
    }
    Ok(all)
}

/// What a pattern matches, sorted. As a shell does it: `*` stays within a folder, and takes no
/// leading dot.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let text = component.as_os_str().to_string_lossy();
        let is_pattern =
            matches!(component, Component::Normal(_)) && text.contains(['*', '?', '[']);
        if !is_pattern {
            for each in &mut found {
                each.push(component);
            }
            found.retain(|path| path.symlink_metadata().is_ok());
            continue;
        }
        let glob = GlobBuilder::new(&text).literal_separator(true).build();
        let Ok(glob) = glob.map(|glob| glob.compile_matcher()) else {
            return Err(SourceError::Missing(pattern.to_owned()));
        };
        let mut next = Vec::new();
        for folder in &found {
            let shown = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            let Ok(names) = std::fs::read_dir(shown) else {
                continue;
            };
            for name in names.flatten().map(|entry| entry.file_name()) {
                let hidden = name.as_bytes().starts_with(b".") && !text.starts_with('.');
                if !hidden && glob.is_match(Path::new(&name)) {
                    next.push(folder.join(name));
                }
            }
        }
        next.sort();
        found = next;
    }
    Ok(found)
}

fn no_collisions(entries: &[Entry]) -> Result<(), SourceError> {
    let mut seen: HashMap<&[u8], &Entry> = HashMap::new();
    for entry in entries {
        if let Some(other) = seen.insert(&entry.name, entry) {
            return Err(SourceError::Twice(
                other.shown.to_string(),
                entry.shown.to_string(),
            ));
        }
    }
    Ok(())
}

/// Whether a path is said to be a folder's content.
fn says_content(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    bytes.ends_with(b"/") || bytes == b"." || bytes.ends_with(b"/.") || bytes.ends_with(b"..")
}

impl Collecting {
    /// The only thing that was given; its name, if it goes under it.
    fn one(&mut self, given: &Given) -> Result<Option<Vec<u8>>, SourceError> {
        if let Given::Path(path) = given {
            let kind = std::fs::metadata(path).map_err(unreadable(path))?;
            if kind.is_dir() {
                self.folder(path, &[])?;
                return Ok((!says_content(path)).then(|| name_of(path)));
            }
        }
        let name = self.file(given, Vec::new())?;
        Ok(Some(name))
    }

    /// One of several.
    fn beneath_its_name(&mut self, given: &Given) -> Result<(), SourceError> {
        if let Given::Path(path) = given {
            let kind = std::fs::metadata(path).map_err(unreadable(path))?;
            if kind.is_dir() {
                let name = if says_content(path) {
                    Vec::new()
                } else {
                    name_of(path)
                };
                return self.folder(path, &name);
            }
        }
        let name = match given {
            Given::Path(path) => name_of(path),
            Given::Opened { name, .. } => name.clone().into_bytes(),
        };
        self.file(given, name).map(drop)
    }

    /// A file as the entry `name`; gives its own name.
    fn file(&mut self, given: &Given, name: Vec<u8>) -> Result<Vec<u8>, SourceError> {
        match given {
            Given::Path(path) => {
                let meta = std::fs::metadata(path).map_err(unreadable(path))?;
                if !meta.is_file() {
                    return Err(SourceError::Kind(path.clone()));
                }
                let shown = path.to_string_lossy().into();
                self.push_file(name, path, &meta, shown);
                Ok(name_of(path))
            }
            Given::Opened {
                file,
                name: own,
                shown,
            } => {
                let path = Path::new(shown);
                let meta = file.metadata().map_err(unreadable(path))?;
                self.push_file(name, path, &meta, shown.as_str().into());
                if let Some(pending) = self.pending.last_mut() {
                    pending.open = Some(file.clone());
                }
                Ok(own.clone().into_bytes())
            }
        }
    }

    fn push_file(&mut self, name: Vec<u8>, path: &Path, meta: &std::fs::Metadata, shown: Arc<str>) {
        self.pending.push(Pending {
            entry: self.entries.len(),
            path: path.to_owned(),
            open: None,
            size: meta.len(),
        });
        self.entries.push(Entry {
            name,
            // Read later, all together.
            kind: EntryKind::Folder,
            mode: meta.mode() & 0o7777,
            mtime: meta.mtime(),
            shown,
        });
    }

    /// A folder and all below, below `name`.
    fn folder(&mut self, root: &Path, name: &[u8]) -> Result<(), SourceError> {
        let walk = walkdir::WalkDir::new(root)
            .follow_links(self.follow)
            .follow_root_links(true)
            .sort_by_file_name();
        for found in walk {
            let found = found.map_err(|error| {
                let path = error.path().unwrap_or(root).to_owned();
                unreadable(&path)(error.into())
            })?;
            let below = found.path().strip_prefix(root).unwrap_or(found.path());
            let name = HostPath::new(name).join(below.as_os_str().as_bytes());
            let name = name.as_bytes().to_vec();
            let shown: Arc<str> = found.path().to_string_lossy().into();
            let meta = found
                .metadata()
                .map_err(|error| unreadable(found.path())(error.into()))?;
            let kind = meta.file_type();
            if kind.is_file() {
                self.push_file(name, found.path(), &meta, shown);
                continue;
            }
            let kind = if found.depth() == 0 || kind.is_dir() {
                EntryKind::Folder
            } else if kind.is_symlink() {
                let to = std::fs::read_link(found.path()).map_err(unreadable(found.path()))?;
                if leaves(below.as_os_str().as_bytes(), to.as_os_str().as_bytes(), 0) {
                    return Err(SourceError::Leaves(found.path().to_owned()));
                }
                EntryKind::Link(HostPath::new(to.as_os_str().as_bytes()))
            } else {
                return Err(SourceError::Kind(found.path().to_owned()));
            };
            self.entries.push(Entry {
                name,
                kind,
                mode: meta.mode() & 0o7777,
                mtime: meta.mtime(),
                shown,
            });
        }
        Ok(())
    }

    /// Reads and hashes all files, on all processors.
    fn read(&mut self) -> Result<(), SourceError> {
        let room = AtomicU64::new(HELD_ALL);
        let most = if self.hosts > MANY { HELD } else { 1 << 20 };
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::with_capacity(self.pending.len()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(self.pending.len().div_ceil(16));
        std::thread::scope(|scope| {
            let work = || {
                while let Some(file) = self.pending.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let take = |left: u64| left.checked_sub(file.size);
                    let fits = file.size <= most
                        && room
                            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                            .is_ok();
                    let held = if fits { file.size } else { 0 };
                    let content = match &file.open {
                        Some(open) => open
                            .try_clone()
                            .and_then(|open| Content::of_open(&file.path, open, held)),
                        None => Content::of_file(&file.path, held),
                    };
                    let content = content.map_err(unreadable(&file.path));
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((file.entry, content));
                }
            };
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        for (entry, content) in done.into_inner().unwrap_or_else(PoisonError::into_inner) {
            if let Some(entry) = self.entries.get_mut(entry) {
                entry.kind = EntryKind::File(Arc::new(content?));
            }
        }
        Ok(())
    }
}

fn name_of(path: &Path) -> Vec<u8> {
    match path.file_name() {
        Some(name) => name.as_bytes().to_vec(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
