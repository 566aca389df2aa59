//! One file's content: in memory where it is small, else read from its file piece by piece, pieces
//! shared by all hosts that are at the same place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use bytes::Bytes;

use crate::base::chunks::Chunks;
use crate::base::digest::{self, Hasher, Md5Hasher};
use crate::shell::files::Algorithm;
use crate::transfer::hashing::Hashing;

/// How much is read and handed out at once: what OpenSSH's SFTP server takes in one piece.
const BLOCK: usize = 255 * 1024;

/// A file up to this size is in the system's memory still, as it was hashed just now, in bytes: to read a
/// block there takes less time than to have another thread do it.
const FRESH: u64 = 256 << 20;

/// Where the bytes are.
#[derive(Debug)]
enum Place {
    Memory(Bytes),
    File {
        /// Where it has no name that it could be opened by again.
        kept: Option<Arc<File>>,
        /// While somebody reads it: a tree may have more files than can be open.
        open: Mutex<Weak<File>>,
        blocks: Mutex<Vec<Weak<Vec<u8>>>>,
    },
}

/// A file's content and its digests.
#[derive(Debug)]
pub struct Content {
    path: PathBuf,
    size: u64,
    md5: String,
    sha256: OnceLock<String>,
    making: Mutex<()>,
    place: Place,
    /// Digests of beginnings that hosts have asked about: by length and algorithm.
    beginnings: Mutex<Vec<(u64, Algorithm, String)>>,
}

impl Content {
    /// Content that is in memory.
    pub fn of_bytes(shown: &Path, bytes: Bytes) -> Self {
        let mut hasher = Md5Hasher::default();
        hasher.update(&bytes);
        Self {
            path: shown.to_owned(),
            size: bytes.len() as u64,
            md5: digest::hex(&hasher.finish()),
            sha256: OnceLock::new(),
            making: Mutex::default(),
            place: Place::Memory(bytes),
            beginnings: Mutex::default(),
        }
    }

    /// A file's, read now, once; kept in memory where it is no larger than `held`.
    pub fn of_file(path: &Path, held: u64) -> io::Result<Self> {
        let mut content = Self::of_open(path, File::open(path)?, held)?;
        if let Place::File { kept, .. } = &mut content.place {
            *kept = None;
        }
        Ok(content)
    }

    /// The same of a file that is open.
    pub fn of_open(path: &Path, file: File, held: u64) -> io::Result<Self> {
        let size = file.metadata()?.len();
        if size <= held {
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
            io::Seek::rewind(&mut &file)?;
            io::Read::read_to_end(&mut &file, &mut bytes)?;
            return Ok(Self::of_bytes(path, bytes.into()));
        }
        let mut hasher = Md5Hasher::default();
        let mut buffer = vec![0; BLOCK];
        let mut at = 0;
        loop {
            let got = file.read_at(&mut buffer, at)?;
            if got == 0 {
                break;
            }
            hasher.update(buffer.get(..got).unwrap_or_default());
            at += got as u64;
        }
        let blocks = usize::try_from(at.div_ceil(BLOCK as u64)).unwrap_or_default();
        Ok(Self {
            path: path.to_owned(),
            size: at,
            md5: digest::hex(&hasher.finish()),
            sha256: OnceLock::new(),
            making: Mutex::default(),
            place: Place::File {
                kept: Some(Arc::new(file)),
                open: Mutex::default(),
                blocks: Mutex::new((0..blocks).map(|_| Weak::new()).collect()),
            },
            beginnings: Mutex::default(),
        })
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// In hex.
    pub fn md5(&self) -> &str {
        &self.md5
    }

    /// In hex; made when it is first asked for.
    pub fn sha256(&self) -> io::Result<String> {
        // Many hosts may need it at a time: one makes it, the others wait.
        let _alone = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.sha256.get() {
            return Ok(known.clone());
        }
        let mut hasher = Hasher::default();
        self.read(self.size, |bytes| hasher.update(bytes))?;
        let made = digest::hex(&hasher.finish());
        Ok(self.sha256.get_or_init(|| made).clone())
    }

    /// In hex, where it was asked for before.
    pub fn known_sha256(&self) -> Option<String> {
        self.sha256.get().cloned()
    }

    /// By the algorithm.
    pub fn digest(&self, algorithm: Algorithm) -> io::Result<String> {
        match algorithm {
            Algorithm::Md5 => Ok(self.md5.clone()),
            Algorithm::Sha256 => self.sha256(),
        }
    }

    /// The digest of the first `length` bytes. Many hosts may ask for the same.
    pub fn beginning(&self, length: u64, algorithm: Algorithm) -> io::Result<String> {
        // One makes it, the others wait.
        let mut known = self
            .beginnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let found = known
            .iter()
            .find(|(l, a, _)| (*l, *a) == (length, algorithm));
        if let Some((_, _, digest)) = found {
            return Ok(digest.clone());
        }
        let mut hashing = Hashing::new(algorithm);
        self.read(length, |bytes| hashing.update(bytes))?;
        let made = hashing.finish();
        known.push((length, algorithm, made.clone()));
        Ok(made)
    }

    fn read(&self, length: u64, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        match &self.place {
            Place::Memory(bytes) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                take(bytes.get(..length.min(bytes.len())).unwrap_or_default());
            }
            Place::File { .. } => {
                let file = self.file()?;
                let mut buffer = vec![0; BLOCK];
                let mut at = 0;
                while at < length {
                    let want = usize::try_from(length - at).unwrap_or(BLOCK).min(BLOCK);
                    let piece = buffer.get_mut(..want).unwrap_or_default();
                    file.read_exact_at(piece, at)
                        .map_err(|error| self.changed(&error))?;
                    take(piece);
                    at += want as u64;
                }
            }
        }
        Ok(())
    }

    /// The file, opened again if nobody has it open.
    fn file(&self) -> io::Result<Arc<File>> {
        let Place::File { kept, open, .. } = &self.place else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        if let Some(kept) = kept {
            return Ok(kept.clone());
        }
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.upgrade() {
            return Ok(file);
        }
        let file = File::open(&self.path).map_err(|error| self.changed(&error))?;
        let file = Arc::new(file);
        *open = Arc::downgrade(&file);
        Ok(file)
    }

    /// All of it if it is small.
    pub fn in_memory(&self) -> Option<Bytes> {
        match &self.place {
            Place::Memory(bytes) => Some(bytes.clone()),
            Place::File { .. } => None,
        }
    }

    /// It, from `offset` to the end.
    pub fn chunks(self: &Arc<Self>, offset: u64) -> Box<dyn Chunks> {
        Box::new(Reading {
            content: self.clone(),
            file: None,
            at: offset,
        })
    }

    /// The block that holds the byte at `at`; read if nobody has it now.
    async fn block(
        self: &Arc<Self>,
        file: &Arc<File>,
        blocks: &Mutex<Vec<Weak<Vec<u8>>>>,
        at: u64,
    ) -> io::Result<Arc<Vec<u8>>> {
        let index = usize::try_from(at / BLOCK as u64).unwrap_or(usize::MAX);
        let lock = || blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = lock().get(index).and_then(Weak::upgrade) {
            return Ok(block);
        }
        let begin = index as u64 * BLOCK as u64;
        let length = usize::try_from(self.size - begin)
            .unwrap_or(BLOCK)
            .min(BLOCK);
        let of_file = file.clone();
        let read = move || {
            let mut block = vec![0; length];
            of_file
                .read_exact_at(&mut block, begin)
                .map(|()| Arc::new(block))
        };
        let block = if self.size <= FRESH {
            read()
        } else {
            let read = tokio::task::spawn_blocking(read);
            read.await.map_err(io::Error::other)?
        };
        let block = block.map_err(|error| self.changed(&error))?;
        if let Some(place) = lock().get_mut(index) {
            *place = Arc::downgrade(&block);
        }
        Ok(block)
    }

    fn changed(&self, error: &io::Error) -> io::Error {
        let path = self.path.display();
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::other(format!("{path}: it became shorter while it was sent"))
            }
            kind => io::Error::new(kind, format!("{path}: {error}")),
        }
    }
}

/// Bytes that a block of a file keeps alive.
struct Block(Arc<Vec<u8>>);

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

struct Reading {
    content: Arc<Content>,
    file: Option<Arc<File>>,
    at: u64,
}

#[async_trait]
impl Chunks for Reading {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.at >= self.content.size {
            return Ok(None);
        }
        let chunk = match &self.content.place {
            Place::Memory(bytes) => {
                let from = usize::try_from(self.at).unwrap_or(usize::MAX);
                bytes.slice(from..bytes.len().min(from + BLOCK))
            }
            Place::File { blocks, .. } => {
                let file = match &self.file {
                    Some(file) => file.clone(),
                    None => self.file.insert(self.content.file()?).clone(),
                };
                let block = self.content.block(&file, blocks, self.at).await?;
                let from = usize::try_from(self.at % BLOCK as u64).unwrap_or_default();
                let whole = Bytes::from_owner(Block(block));
                whole.slice(from..)
            }
        };
        self.at += chunk.len() as u64;
        Ok(Some(chunk))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(content: &Arc<Content>, offset: u64) -> Vec<u8> {
        let mut chunks = content.chunks(offset);
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await.unwrap() {
            bytes.extend_from_slice(&chunk);
        }
        bytes
    }

    #[tokio::test]
    async fn a_large_file_reads_as_a_small_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a file");
        let bytes: Vec<u8> = (0..700_001u32).map(|n| (n % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let held = Arc::new(Content::of_file(&path, 1 << 20).unwrap());
        let read = Arc::new(Content::of_file(&path, 0).unwrap());
        for offset in [0, 1, 262_144, 300_000, 700_000, 700_001] {
            let expected = bytes.get(offset..).unwrap();
            assert_eq!(all(&held, offset as u64).await, expected);
            assert_eq!(all(&read, offset as u64).await, expected);
        }
        assert_eq!(held.md5(), read.md5());
        assert_eq!(held.sha256().unwrap(), read.sha256().unwrap());
        assert_eq!(
            held.beginning(300_000, Algorithm::Md5).unwrap(),
            read.beginning(300_000, Algorithm::Md5).unwrap()
        );
    }

    #[tokio::test]
    async fn a_file_that_shrinks_on_the_way_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shrinking");
        std::fs::write(&path, vec![7; 600_000]).unwrap();
        let content = Arc::new(Content::of_file(&path, 0).unwrap());
        std::fs::write(&path, b"short").unwrap();
        let error = content.chunks(0).next().await.unwrap_err();
        assert!(error.to_string().contains("shrinking"), "{error}");
    }
}
