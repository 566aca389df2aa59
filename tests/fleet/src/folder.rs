//! Where a part of the test bed keeps its files: a temporary folder, or one the caller names.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Result, Tried};

/// A folder; removed at the end if it is temporary.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl Folder {
    /// The folder `named`, made if it isn't there, else a temporary one. Other users may look into
    /// it, as a server reads some files as the user who logs in.
    pub(crate) fn new(named: Option<&Path>) -> Result<Self> {
        let folder = if let Some(path) = named {
            fs::create_dir_all(path).tried(path.to_string_lossy())?;
            Self {
                path: fs::canonicalize(path).tried(path.to_string_lossy())?,
                _temporary: None,
            }
        } else {
            return Self::temporary_in(&std::env::temp_dir());
        };
        permit(&folder.path, 0o755)?;
        Ok(folder)
    }

    /// A temporary one in a folder of the caller's choice.
    pub(crate) fn temporary_in(parent: &Path) -> Result<Self> {
        let temporary = tempfile::Builder::new()
            .prefix("ioms-fleet.")
            .tempdir_in(parent)
            .tried("a temporary folder")?;
        permit(temporary.path(), 0o755)?;
        Ok(Self {
            path: temporary.path().to_owned(),
            _temporary: Some(temporary),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// The folder for what is built.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |path| root().join(path))
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("/"))
        .to_owned()
}

/// Sets a file's permissions.
pub(crate) fn permit(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).tried(path.to_string_lossy())
}

/// Writes a file at once: a reader sees the old one or the new one.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let aside = path.with_extension(format!("new-{:x}", rand::random::<u32>()));
    fs::write(&aside, text).tried(aside.to_string_lossy())?;
    fs::rename(&aside, path).tried(path.to_string_lossy())
}
