//! What a folder holds, to be compared with what another holds.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use md5::{Digest as _, Md5};

use crate::error::{Result, Tried};

/// Files by their paths, without times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<PathBuf, Entry>);

/// One file, folder or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `file`, `folder`, `link`, `removed` (an overlay's mark), `other`.
    pub kind: &'static str,
    /// Permissions; 0 of a link.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// A file's digest, a link's target.
    pub content: String,
}

impl Tree {
    /// What is in a folder, but for what `left_out` says, by relative paths, and all in it.
    pub fn of(folder: &Path, left_out: impl Fn(&Path) -> bool) -> Result<Self> {
        let mut tree = Self::default();
        tree.add(folder, Path::new(""), &left_out)?;
        Ok(tree)
    }

    fn add(&mut self, top: &Path, below: &Path, left_out: &dyn Fn(&Path) -> bool) -> Result<()> {
        let folder = top.join(below);
        for entry in fs::read_dir(&folder).tried(folder.to_string_lossy())? {
            let entry = entry.tried(folder.to_string_lossy())?;
            let path = below.join(entry.file_name());
            if left_out(&path) {
                continue;
            }
            // What goes while we look was never there.
            let Some(found) = Entry::of(&entry.path()) else {
                continue;
            };
            let is_folder = found.kind == "folder";
            self.0.insert(path.clone(), found);
            if is_folder {
                self.add(top, &path, left_out)?;
            }
        }
        Ok(())
    }

    /// What is not as it was before; what is no more has the kind `removed`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let gone = |(path, was): (&PathBuf, &Entry)| {
            let kind = "removed";
            let mark = Entry {
                kind,
                mode: 0,
                content: String::new(),
                ..was.clone()
            };
            (!self.0.contains_key(path)).then(|| (path.clone(), mark))
        };
        let changed = self
            .0
            .iter()
            .filter(|(path, entry)| before.0.get(*path) != Some(entry));
        Self(
            changed
                .map(|(path, entry)| (path.clone(), entry.clone()))
                .chain(before.0.iter().filter_map(gone))
                .collect(),
        )
    }
}

impl Entry {
    fn of(path: &Path) -> Option<Self> {
        let meta = fs::symlink_metadata(path).ok()?;
        let kind = meta.file_type();
        let (kind, mode, content) = if kind.is_dir() {
            ("folder", meta.mode() & 0o7777, String::new())
        } else if kind.is_symlink() {
            let target = fs::read_link(path).ok()?;
            ("link", 0, target.to_string_lossy().into_owned())
        } else if kind.is_file() {
            ("file", meta.mode() & 0o7777, digest(path)?)
        } else if kind.is_char_device() && meta.rdev() == 0 {
            ("removed", 0, String::new())
        } else {
            ("other", meta.mode() & 0o7777, String::new())
        };
        let (uid, gid) = (meta.uid(), meta.gid());
        Some(Self {
            kind,
            mode,
            uid,
            gid,
            content,
        })
    }
}

fn digest(path: &Path) -> Option<String> {
    fs::read(path).ok().map(md5_of)
}

/// An MD5 digest, in hexadecimal.
pub(crate) fn md5_of(bytes: impl AsRef<[u8]>) -> String {
    let digest = Md5::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(path, entry)| writeln!(f, "{} {entry}", path.display()))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            mode,
            uid,
            gid,
            content,
        } = self;
        write!(f, "{kind} {mode:04o} {uid}:{gid} {content}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_what_differs_or_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        fs::create_dir(file("sub")).unwrap();
        fs::write(file("sub/kept"), "1").unwrap();
        fs::write(file("sub/changed"), "1").unwrap();
        fs::write(file("gone"), "1").unwrap();
        let before = Tree::of(folder.path(), |_| false).unwrap();
        fs::write(file("sub/changed"), "2").unwrap();
        fs::remove_file(file("gone")).unwrap();
        std::os::unix::fs::symlink("there", file("link")).unwrap();
        fs::write(file("noise"), "1").unwrap();
        let after = Tree::of(folder.path(), |path| path == Path::new("noise")).unwrap();
        let changes = after.since(&before);
        let kinds: Vec<_> = changes
            .0
            .iter()
            .map(|(path, entry)| (path.to_str().unwrap(), entry.kind))
            .collect();
        assert_eq!(
            kinds,
            [
                ("gone", "removed"),
                ("link", "link"),
                ("sub/changed", "file")
            ]
        );
    }
}
