//! Content of the controller that goes to hosts: files and texts with their digests. A file is read once
//! for all hosts, as long as it stays as it is.

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;

use super::call::Call;
use super::error::ModuleError;
use crate::base::digest::{FileHasher, hex};
use crate::base::value::Value;
use crate::shell::{Payload, Source, TRAVELS_ALONG};

/// What is known of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digested {
    /// Its size, in bytes.
    pub(super) size: u64,
    /// Its MD5.
    pub(super) md5: [u8; 16],
    /// Its SHA-1.
    pub(super) sha1: [u8; 20],
    /// The content itself, where it is small.
    small: Option<Bytes>,
}

type Seen = HashMap<PathBuf, (SystemTime, Digested)>;

/// What is kept of a file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Of a small one its content too, as it goes along with programs.
    Content,
    /// No content: folders have any number of small files.
    Digests,
}

/// A file's digests.
pub(super) fn digested(path: &Path, keep: Keep) -> Result<Digested, ModuleError> {
    static SEEN: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);
    let wrong = |error: std::io::Error| ModuleError::new(format!("{}: {error}", path.display()));
    let about = fs::metadata(path).map_err(wrong)?;
    let changed = about.modified().map_err(wrong)?;
    {
        let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, digested)) = seen.get(path)
            && (*at, digested.size) == (changed, about.len())
        {
            return Ok(digested.clone());
        }
    }
    let mut file = fs::File::open(path).map_err(wrong)?;
    let mut hasher = FileHasher::default();
    let (mut size, mut small) = (0, Vec::new());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer).map_err(wrong)?;
        let piece = buffer.get(..read).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        hasher.update(piece);
        size += read as u64;
        if keep == Keep::Content && size <= TRAVELS_ALONG {
            small.extend_from_slice(piece);
        }
    }
    let (md5, sha1) = hasher.finish();
    let digested = Digested {
        size,
        md5,
        sha1,
        small: (keep == Keep::Content && size <= TRAVELS_ALONG).then(|| small.into()),
    };
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.insert(path.to_owned(), (changed, digested.clone()));
    Ok(digested)
}

/// Bytes' digests.
pub(super) fn digested_bytes(bytes: &[u8]) -> Digested {
    let mut hasher = FileHasher::default();
    hasher.update(bytes);
    let (md5, sha1) = hasher.finish();
    Digested {
        size: bytes.len() as u64,
        md5,
        sha1,
        small: None,
    }
}

/// A file's mode here: `0644`.
pub(super) fn mode_of(path: &Path) -> Result<String, ModuleError> {
    use std::os::unix::fs::PermissionsExt as _;
    let about = fs::metadata(path);
    let about = about.map_err(|error| ModuleError::new(format!("{}: {error}", path.display())))?;
    Ok(format!("{:04o}", about.permissions().mode() & 0o7777))
}

impl Call {
    /// Makes a file of the controller what goes to the host.
    pub(super) fn send_file(&mut self, path: &Path) -> Result<(), ModuleError> {
        let digested = digested(path, Keep::Content)?;
        let source = match &digested.small {
            Some(bytes) => Source::Bytes(bytes.clone()),
            None => Source::File(path.to_owned()),
        };
        self.send(&digested, source);
        Ok(())
    }

    /// Makes bytes what goes to the host.
    pub(super) fn send_bytes(&mut self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.send(&digested_bytes(&bytes), Source::Bytes(bytes));
    }

    fn send(&mut self, digested: &Digested, source: Source) {
        let sha1 = Value::Unsafe(hex(&digested.sha1).into());
        self.extra.insert("sha1".into(), sha1);
        self.payload = Some(Payload {
            size: digested.size,
            md5: digested.md5,
            source,
        });
    }

    /// The payload, if it is at hand and no longer than `most`.
    pub(super) fn sent(&self, most: u64) -> Option<Bytes> {
        let payload = self
            .payload
            .as_ref()
            .filter(|payload| payload.size <= most)?;
        match &payload.source {
            Source::Bytes(bytes) => Some(bytes.clone()),
            Source::File(path) => fs::read(path).ok().map(Bytes::from),
        }
    }
}
