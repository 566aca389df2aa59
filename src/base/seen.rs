//! The files that were read, each with the digest of what was in it: whether one of them has changed
//! can be asked later.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::digest::{self, ContentDigest};

/// Hears of each file once.
pub type Listener = Arc<dyn Fn(&Path, &Digest) + Send + Sync>;

/// What of a file is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// Of the content, or of what the program printed.
    pub digest: ContentDigest,
    /// Whether the file is a program that was run.
    pub output: bool,
}

/// The files. Clones share them. By default none are noted, which costs nothing.
#[derive(Clone, Default)]
pub struct Seen(Option<Arc<Mutex<Inner>>>);

#[derive(Default)]
struct Inner {
    files: BTreeMap<PathBuf, Digest>,
    listener: Option<Listener>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen")
    }
}

impl Seen {
    /// One that notes what it hears.
    pub fn noting() -> Self {
        Self(Some(Arc::default()))
    }

    /// A file was read, with this in it.
    pub fn file(&self, path: &Path, content: &[u8]) {
        self.note(path, content, false);
    }

    /// A program was run and printed this.
    pub fn output(&self, program: &Path, printed: &[u8]) {
        self.note(program, printed, true);
    }

    /// What was seen so far.
    pub fn all(&self) -> BTreeMap<PathBuf, Digest> {
        self.locked()
            .map(|inner| inner.files.clone())
            .unwrap_or_default()
    }

    /// Hears of what was seen so far, and of all that follows.
    pub fn listen(&self, listener: Listener) {
        let Some(mut inner) = self.locked() else {
            return;
        };
        for (path, digest) in &inner.files {
            listener(path, digest);
        }
        inner.listener = Some(listener);
    }

    fn note(&self, path: &Path, content: &[u8], output: bool) {
        let Some(mut inner) = self
            .locked()
            .filter(|inner| !inner.files.contains_key(path))
        else {
            return;
        };
        let digest = Digest {
            digest: digest::of(content),
            output,
        };
        inner.files.insert(path.to_owned(), digest);
        if let Some(listener) = &inner.listener {
            listener(path, &digest);
        }
    }

    fn locked(&self) -> Option<MutexGuard<'_, Inner>> {
        let inner = self.0.as_ref()?;
        Some(inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_told_once_those_before_the_listener_too() {
        let seen = Seen::noting();
        seen.file(Path::new("a"), b"1");
        let told = Arc::new(Mutex::new(Vec::new()));
        let to = told.clone();
        seen.listen(Arc::new(move |path, digest| {
            to.lock().unwrap().push((path.to_owned(), digest.output));
        }));
        seen.clone().output(Path::new("b"), b"2");
        seen.file(Path::new("a"), b"other");
        let told = told.lock().unwrap().clone();
        assert_eq!(told, [("a".into(), false), ("b".into(), true)]);
        assert_eq!(seen.all()[Path::new("a")].digest, digest::of(b"1"));
    }
}
