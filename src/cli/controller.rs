//! What lookups in an inventory's variables may reach on this machine: files, patterns, commands, the
//! environment.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::base::private_file;
use crate::template::{Change, Controller, PathKind, WebRequest};

/// How large a file may be.
const FILE_MAX: u64 = 64 << 20;

/// This machine, with the folder that relative names begin in.
pub struct ThisMachine {
    folder: PathBuf,
}

impl ThisMachine {
    /// With the working folder.
    pub fn here() -> Self {
        Self {
            folder: PathBuf::from("."),
        }
    }

    /// Beside the sources of an inventory or playbook: its `files/`, then the folder itself.
    fn path(&self, name: &str, folder: &str) -> PathBuf {
        let name = match name.strip_prefix("~/") {
            Some(rest) => match std::env::home_dir() {
                Some(home) => home.join(rest),
                None => PathBuf::from(name),
            },
            None => PathBuf::from(name),
        };
        let within = self.folder.join(folder).join(&name);
        if name.is_relative() && within.exists() {
            return within;
        }
        self.folder.join(name)
    }
}

impl Controller for ThisMachine {
    fn read(&self, path: &str, folder: &str) -> Result<Vec<u8>, String> {
        let found = self.path(path, folder);
        let wrong = |error: std::io::Error| format!("Unable to access the file '{path}': {error}");
        if std::fs::metadata(&found).map_err(wrong)?.len() > FILE_MAX {
            return Err(format!("the file '{path}' is too large"));
        }
        std::fs::read(&found).map_err(wrong)
    }

    fn find(&self, path: &str, folder: Option<&str>) -> Option<String> {
        let found = self.path(path, folder.unwrap_or("files"));
        found.exists().then(|| found.to_string_lossy().into_owned())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let whole = self.path(pattern, "files");
        let folder = whole.parent().unwrap_or(Path::new("."));
        let name = whole.file_name().unwrap_or_default().to_string_lossy();
        let glob = globset::Glob::new(&name).map_err(|error| error.to_string())?;
        let glob = glob.compile_matcher();
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Ok(Vec::new());
        };
        let mut found: Vec<String> = entries
            .flatten()
            .filter(|entry| glob.is_match(Path::new(&entry.file_name())))
            .map(|entry| entry.path().to_string_lossy().into_owned())
            .collect();
        found.sort();
        Ok(found)
    }

    fn run(&self, command: &str) -> Result<Vec<u8>, String> {
        let out = Command::new("/bin/sh")
            .args(["-c", command])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| error.to_string())?;
        match out.status.code() {
            Some(0) => Ok(out.stdout),
            Some(code) => Err(format!("lookup_plugin.pipe({command}) returned {code}")),
            None => Err(format!("lookup_plugin.pipe({command}) was killed")),
        }
    }

    fn fetch(&self, _wanted: &WebRequest) -> Result<Vec<u8>, String> {
        Err("nothing is fetched while variables are read".to_owned())
    }

    fn amend(&self, path: &str, change: &Change<'_>) -> Result<String, String> {
        private_file::amend(&self.path(path, ""), change)
    }

    fn kind(&self, path: &str) -> Option<PathKind> {
        let place = self.path(path, "");
        let itself = std::fs::symlink_metadata(&place).ok()?;
        let target = std::fs::metadata(&place).ok();
        let above = place
            .parent()
            .and_then(|above| std::fs::metadata(above).ok());
        Some(PathKind {
            exists: target.is_some(),
            file: target.as_ref().is_some_and(std::fs::Metadata::is_file),
            folder: target.as_ref().is_some_and(std::fs::Metadata::is_dir),
            link: itself.is_symlink(),
            mount: itself.is_dir() && above.is_none_or(|above| above.dev() != itself.dev()),
        })
    }

    fn real_path(&self, path: &str) -> Option<String> {
        let real = std::fs::canonicalize(self.path(path, "")).ok()?;
        Some(real.to_string_lossy().into_owned())
    }

    fn hosts(&self, _pattern: &str) -> Result<Vec<String>, String> {
        Err("hosts are not selected while variables are read".to_owned())
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}
