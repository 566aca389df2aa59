//! Files that take another's place: whole or not at all, with its mode and owner, and what was clear
//! in it overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

const MODE_BITS: u32 = 0o7777;

/// What becomes of the old content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    /// It is a vault: nothing.
    Sealed,
    /// It is clear: it is overwritten where it lies.
    Clear,
}

/// All of something, without copies left behind as it grows.
pub(super) fn whole(mut from: impl io::Read, expected: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let expected = usize::try_from(expected).unwrap_or_default();
    let mut all = Zeroizing::new(Vec::with_capacity(expected.saturating_add(1)));
    let mut piece = Zeroizing::new(vec![0; 64 * 1024]);
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => return Ok(all),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if all.capacity() - all.len() < count {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * all.capacity() + count));
            larger.extend_from_slice(&all);
            all = larger;
        }
        all.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
}

/// What a file holds.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    whole(file, length)
}

/// Whether a file can be replaced where it is: to know it before somebody has edited it.
pub(super) fn replaceable(path: &Path) -> io::Result<()> {
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    Ok(rustix::fs::access(folder, rustix::fs::Access::WRITE_OK)?)
}

/// Replaces a file that holds `before`; one that a link names, not the link.
pub(super) fn replace(path: &Path, before: &[u8], after: &[u8], old: Old) -> io::Result<()> {
    let path = path.canonicalize()?;
    let writable = OpenOptions::new()
        .read(true)
        .write(old == Old::Clear)
        .open(&path);
    let mut file = writable.or_else(|_| File::open(&path))?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("is not a regular file"));
    }
    if *whole(&mut file, metadata.len())? != *before {
        return Err(io::Error::other("was changed by somebody else meanwhile"));
    }
    let mut fresh = Fresh::beside(&path)?;
    fresh.file.write_all(after)?;
    let ours = fresh.file.metadata()?;
    if (ours.uid(), ours.gid()) != (metadata.uid(), metadata.gid()) {
        std::os::unix::fs::fchown(&fresh.file, Some(metadata.uid()), Some(metadata.gid()))?;
    }
    let mode = std::fs::Permissions::from_mode(metadata.mode() & MODE_BITS);
    fresh.file.set_permissions(mode)?;
    fresh.file.sync_all()?;
    std::fs::rename(&fresh.path, &path)?;
    fresh.kept = true;
    sync_folder(&path);
    // Another link to it may be somebody's file.
    if old == Old::Clear && file.metadata()?.nlink() == 0 {
        // It may be open for reading only; the replacement is done all the same.
        let _ = overwrite(&mut file);
    }
    Ok(())
}

/// Writes a file that is not there yet, for its owner alone.
pub(super) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut fresh = Fresh::at(path.to_owned())?;
    fresh.file.write_all(content)?;
    fresh.file.sync_all()?;
    fresh.kept = true;
    sync_folder(path);
    Ok(())
}

/// Overwrites what a file holds. What keeps old blocks (flash, file systems that copy on write)
/// keeps these too.
pub(super) fn overwrite(file: &mut File) -> io::Result<()> {
    let mut left = file.metadata()?.len();
    file.rewind()?;
    let noise: [u8; 4096] = std::array::from_fn(|_| rand::random());
    while left > 0 {
        let count = left.min(noise.len() as u64);
        let piece = usize::try_from(count).unwrap_or_default();
        file.write_all(noise.get(..piece).unwrap_or_default())?;
        left -= count;
    }
    file.sync_all()
}

/// A file on its way; removed unless it is kept.
struct Fresh {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Fresh {
    fn beside(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self::at(path.with_file_name(format!(".{name}.{:016x}", rand::random::<u64>())))
    }

    fn at(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let kept = false;
        Ok(Self { path, file, kept })
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// So that the name survives a crash too; not all file systems can.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "clear").unwrap();
        (folder, path)
    }

    #[test]
    fn a_replaced_file_keeps_its_mode_and_its_old_content_is_gone() {
        let (folder, path) = folder();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let mut reader = File::open(&path).unwrap();
        replace(&path, b"clear", b"sealed", Old::Clear).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"sealed");
        let mode = std::fs::metadata(&path).unwrap().mode() & MODE_BITS;
        assert_eq!(mode, 0o640);
        let mut left = Vec::new();
        reader.read_to_end(&mut left).unwrap();
        assert!(left.len() == 5 && left != b"clear");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_stay_links_and_other_names_keep_the_content() {
        let (folder, path) = folder();
        let (link, other) = (folder.path().join("link"), folder.path().join("other"));
        std::os::unix::fs::symlink("file", &link).unwrap();
        std::fs::hard_link(&path, &other).unwrap();
        replace(&link, b"clear", b"sealed", Old::Clear).unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&path).unwrap(), b"sealed");
        assert_eq!(std::fs::read(&other).unwrap(), b"clear");
    }

    #[test]
    fn what_somebody_else_changed_is_not_replaced() {
        let (folder, path) = folder();
        let error = replace(&path, b"before", b"after", Old::Sealed).unwrap_err();
        assert!(error.to_string().contains("meanwhile"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"clear");
        assert!(create(&path, b"new").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"clear");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn all_of_an_input_is_read_whatever_its_length_was_said_to_be() {
        let long = vec![7; 300_000];
        assert_eq!(*whole(long.as_slice(), 3).unwrap(), long);
        assert_eq!(*whole(long.as_slice(), 300_000).unwrap(), long);
    }
}
