//! What is kept of a host's output: a little in memory, more of it in a file of the run's journal
//! folder, and no more than `--max-output`.

use std::fs::{File, OpenOptions};
use std::io::{self, Cursor, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use crate::base::digest::{self, ContentDigest, Hasher};

/// Where a kept output is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// In memory.
    Inline(Bytes),
    /// In a file that lives as long as the run's journal.
    Spilled(Arc<PathBuf>),
}

/// What is kept of one output stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// How many bytes there were in all.
    pub total: u64,
    /// How many of them are kept: the first ones.
    pub kept: u64,
    /// SHA-256 of what is kept: equal outputs are folded and stored once by it.
    pub digest: ContentDigest,
    /// The kept bytes.
    pub body: Body,
}

impl Captured {
    /// An output that is in memory whole.
    pub fn inline(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let total = bytes.len() as u64;
        Self {
            total,
            kept: total,
            digest: digest::of(&bytes),
            body: Body::Inline(bytes),
        }
    }

    /// No output.
    pub fn empty() -> Self {
        Self::inline(Bytes::new())
    }

    /// Whether nothing came.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Whether something was dropped.
    pub fn truncated(&self) -> bool {
        self.kept < self.total
    }

    /// Reads the kept bytes from the start, without taking them into memory.
    pub fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match &self.body {
            Body::Inline(bytes) => Box::new(Cursor::new(bytes.clone())),
            // A write that broke off may have left more.
            Body::Spilled(path) => Box::new(File::open(path.as_ref())?.take(self.kept)),
        })
    }

    /// The kept bytes in memory; for outputs that must be whole, such as one JSON document.
    pub fn read(&self) -> io::Result<Bytes> {
        match &self.body {
            Body::Inline(bytes) => Ok(bytes.clone()),
            Body::Spilled(_) => {
                let mut bytes = Vec::new();
                self.reader()?.read_to_end(&mut bytes)?;
                Ok(bytes.into())
            }
        }
    }
}

/// Limits of capturing.
#[derive(Debug, Clone)]
pub struct CaptureLimits {
    /// Outputs beyond this go to a file, in bytes.
    pub inline: usize,
    /// Outputs beyond this are dropped, in bytes.
    pub max: u64,
    /// Where the files go: the run's journal folder.
    pub folder: PathBuf,
}

/// Outputs of one run in memory, in bytes; beyond, only the smallest go there.
const MEMORY: u64 = 32 << 20;
/// The smallest, in bytes.
const SMALL: usize = 2048;

/// The limits, and how much of the run's output is in memory.
#[derive(Debug)]
pub(super) struct Store {
    limits: CaptureLimits,
    memory: u64,
    in_memory: AtomicU64,
    failed: AtomicBool,
}

impl Store {
    pub(super) fn new(limits: CaptureLimits) -> Self {
        Self {
            limits,
            memory: MEMORY,
            in_memory: AtomicU64::new(0),
            failed: AtomicBool::new(false),
        }
    }

    /// What to say of outputs that can't be kept: once a run, many hosts meet the same full disk.
    fn first(&self, error: &io::Error) -> Option<String> {
        if self.failed.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(format!(
            "not all output can be kept, the run goes on: {}: {error}",
            self.limits.folder.display()
        ))
    }

    /// Whether an output of `length` bytes, `more` of them new, may stay in memory.
    fn takes(&self, length: usize, more: usize) -> bool {
        if length > self.limits.inline {
            return false;
        }
        let before = self.in_memory.load(Ordering::Relaxed);
        if length > SMALL && before > self.memory {
            return false;
        }
        self.in_memory.fetch_add(more as u64, Ordering::Relaxed);
        true
    }

    /// So many bytes went from memory to a file.
    fn gives_back(&self, bytes: usize) {
        self.in_memory.fetch_sub(bytes as u64, Ordering::Relaxed);
    }
}

/// Keeps one stream as it comes.
#[derive(Debug)]
pub(super) struct Capture {
    store: Arc<Store>,
    name: String,
    total: u64,
    kept: u64,
    hasher: Hasher,
    memory: Vec<u8>,
    file: Option<(Arc<PathBuf>, File)>,
    /// Something could not be written: nothing more is kept.
    failed: bool,
}

impl Capture {
    /// `name` is the file's, should one be needed.
    pub(super) fn new(store: Arc<Store>, name: String) -> Self {
        Self {
            store,
            name,
            total: 0,
            kept: 0,
            hasher: Hasher::default(),
            memory: Vec::new(),
            file: None,
            failed: false,
        }
    }

    /// Takes a piece. What can't be written is counted and dropped, and so is all that follows: the
    /// kept bytes are the first ones. Gives what is to be said of that, once a run.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<String> {
        self.total += bytes.len() as u64;
        if self.failed {
            return None;
        }
        let room = usize::try_from(self.store.limits.max - self.kept).unwrap_or(usize::MAX);
        let keep = bytes.get(..room).unwrap_or(bytes);
        if keep.is_empty() {
            return None;
        }
        if let Err(error) = self.keep(keep) {
            self.failed = true;
            return self.store.first(&error);
        }
        self.kept += keep.len() as u64;
        self.hasher.update(keep);
        None
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some((_, file)) = &mut self.file {
            return file.write_all(bytes);
        }
        if self
            .store
            .takes(self.memory.len() + bytes.len(), bytes.len())
        {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        let path = self.store.limits.folder.join(&self.name);
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        if let Err(error) = file.write_all(&self.memory) {
            // It stays in memory.
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        self.store.gives_back(self.memory.len());
        self.memory = Vec::new();
        let written = file.write_all(bytes);
        self.file = Some((Arc::new(path), file));
        written
    }

    pub(super) fn finish(self) -> Captured {
        let body = match self.file {
            Some((path, _)) => Body::Spilled(path),
            None => Body::Inline(self.memory.into()),
        };
        Captured {
            total: self.total,
            kept: self.kept,
            digest: self.hasher.finish(),
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(limits: CaptureLimits, pieces: &[&[u8]]) -> Captured {
        let mut capture = Capture::new(Arc::new(Store::new(limits)), "0.stdout".into());
        for piece in pieces {
            assert_eq!(capture.push(piece), None);
        }
        capture.finish()
    }

    #[test]
    fn little_stays_in_memory_more_goes_to_a_file_of_ones_own() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let at_most = |inline, max| CaptureLimits {
            inline,
            max,
            folder: folder.path().to_owned(),
        };
        let little = kept(at_most(8, 100), &[b"abc", b"def"]);
        assert_eq!(little.body, Body::Inline("abcdef".into()));
        let more = kept(at_most(4, 100), &[b"abc", b"def"]);
        assert!(matches!(more.body, Body::Spilled(_)));
        assert_eq!(
            (&more.read().unwrap()[..], more.digest),
            (&b"abcdef"[..], little.digest)
        );
        let permissions = folder
            .path()
            .join("0.stdout")
            .metadata()
            .unwrap()
            .permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
    }

    #[test]
    fn all_outputs_of_a_run_together_stay_within_memory_but_for_the_smallest() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(CaptureLimits {
            inline: 8192,
            max: 1 << 20,
            folder: folder.path().to_owned(),
        });
        store.memory = 20_000;
        let store = Arc::new(store);
        let run = |name: usize, size: usize| {
            let mut capture = Capture::new(store.clone(), name.to_string());
            for piece in vec![b'x'; size].chunks(1000) {
                assert_eq!(capture.push(piece), None);
            }
            assert!(capture.file.is_none() || capture.memory.capacity() == 0);
            capture.finish()
        };
        let inline = |output: &Captured| matches!(output.body, Body::Inline(_));
        // What went to a file is no longer counted.
        assert!((0..10).all(|name| !inline(&run(name, 10_000))));
        assert_eq!(store.in_memory.load(Ordering::Relaxed), 0);
        let middling: Vec<_> = (10..30).map(|name| run(name, 5000)).collect();
        assert!((4..=6).contains(&middling.iter().filter(|output| inline(output)).count()));
        assert!((30..40).all(|name| inline(&run(name, 1000))));
    }

    #[test]
    fn what_is_over_the_limit_is_counted_and_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let four_bytes = CaptureLimits {
            inline: 64,
            max: 4,
            folder: folder.path().to_owned(),
        };
        let cut = kept(four_bytes, &[b"abc", b"def", b"ghi"]);
        assert_eq!(&cut.read().unwrap()[..], b"abcd");
        assert_eq!((cut.total, cut.kept, cut.truncated()), (9, 4, true));
    }

    #[test]
    fn what_cant_be_written_is_dropped_and_said_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::new(CaptureLimits {
            inline: 4,
            max: 100,
            folder: folder.path().to_owned(),
        }));
        let full = |name: &str| {
            let name = folder.path().join(name);
            std::os::unix::fs::symlink("/dev/full", name).unwrap();
        };
        full("0.stdout");
        full("1.stdout");
        let mut said = Vec::new();
        for name in ["0.stdout", "1.stdout", "2.stdout"] {
            let mut capture = Capture::new(store.clone(), name.into());
            for piece in [&b"abc"[..], b"def", b"g"] {
                said.extend(capture.push(piece));
            }
            let output = capture.finish();
            let whole = name == "2.stdout";
            let kept: &[u8] = if whole { b"abcdefg" } else { b"abc" };
            assert_eq!(output.read().unwrap(), kept, "{name}");
            assert_eq!((output.total, output.truncated()), (7, !whole), "{name}");
            assert_eq!(output.digest, digest::of(kept), "{name}");
        }
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("No space left"), "{said:?}");
    }

    #[test]
    fn a_file_that_holds_more_than_was_counted_is_read_to_the_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0.stdout");
        std::fs::write(&path, "abcdef").unwrap();
        let output = Captured {
            total: 9,
            kept: 3,
            digest: digest::of(b"abc"),
            body: Body::Spilled(Arc::new(path)),
        };
        assert_eq!(output.read().unwrap(), "abc");
    }
}
