//! What lookups and filters of templates reach on the controller: files on the task's search path,
//! commands, the environment.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::scope::TaskScope;
use crate::base::private_file;
use crate::base::waiting::blocking;
use crate::inventory::select;
use crate::template::{Change, Controller, PathKind, WebRequest};

/// No file that a lookup reads is larger, in bytes.
const FILE_MAX: u64 = 64 << 20;

/// How soon a lookup hears that its run is stopped.
const MOMENT: Duration = Duration::from_millis(100);

impl TaskScope {
    /// Where files of the task may be, in the order they are looked for.
    fn folders_of_files(&self) -> Vec<PathBuf> {
        let bases = self.search_path().into_iter();
        bases
            .flat_map(|base| [base.join("files"), base])
            .filter(|folder| folder.is_dir())
            .collect()
    }
}

/// The files of a folder that a pattern means, by name. As in a shell, what begins with a dot is meant
/// only by a dot.
fn files_like(
    folder: &Path,
    names: &str,
    glob: &globset::GlobMatcher,
) -> Result<Vec<String>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut found: Vec<String> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let hidden = name.as_encoded_bytes().starts_with(b".") && !names.starts_with('.');
            !hidden && glob.is_match(&name) && entry.path().is_file()
        })
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .collect();
    found.sort();
    Ok(found)
}

impl Controller for TaskScope {
    fn read(&self, path: &str, folder: &str) -> Result<Vec<u8>, String> {
        let path = self.find_file(folder, path)?;
        let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
        if std::fs::metadata(&path).map_err(unreadable)?.len() > FILE_MAX {
            return Err(format!("{}: it is larger than 64 MiB", path.display()));
        }
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        match std::str::from_utf8(&bytes) {
            Ok(text) if text.starts_with("$ANSIBLE_VAULT;") => {
                let opened = self.runner.hosts.open(text);
                let opened = opened.map_err(|why| format!("{}: {why}", path.display()))?;
                Ok(opened.expose().as_bytes().to_vec())
            }
            _ => Ok(bytes),
        }
    }

    fn find(&self, path: &str, folder: Option<&str>) -> Option<String> {
        let found = self.find_file(folder.unwrap_or(self.suits), path).ok()?;
        Some(found.to_string_lossy().into_owned())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let (folders, names): (Vec<PathBuf>, _) = match pattern.rsplit_once('/') {
            Some(("", names)) => (vec!["/".into()], names),
            Some((folder, names)) => (self.find_file("files", folder).into_iter().collect(), names),
            // A bare name is tried everywhere: the first folder that has such files holds.
            None => (self.folders_of_files(), pattern),
        };
        let glob = globset::GlobBuilder::new(names)
            .literal_separator(true)
            .build();
        let glob = glob
            .map_err(|error| format!("{pattern}: {error}"))?
            .compile_matcher();
        for folder in folders {
            let found = files_like(&folder, names, &glob)?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    fn run(&self, command: &str) -> Result<Vec<u8>, String> {
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", command])
            .current_dir(&self.batch.play.folder)
            .stdin(Stdio::null());
        let output = blocking(|| shell.output()).map_err(|error| format!("{command}: {error}"))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "`{command}` ended with {}: {}",
            output.status,
            stderr.trim()
        ))
    }

    fn fetch(&self, wanted: &WebRequest) -> Result<Vec<u8>, String> {
        let (url, wanted) = (&wanted.url, wanted.clone());
        let (answer, answered) = mpsc::channel();
        std::thread::Builder::new()
            .name("lookup".into())
            .spawn(move || answer.send(super::web::fetch(&wanted)))
            .map_err(|error| error.to_string())?;
        // Not waited for longer than the run lasts.
        blocking(|| {
            loop {
                match answered.recv_timeout(MOMENT) {
                    Ok(answer) => return answer,
                    Err(RecvTimeoutError::Timeout) if !self.runner.stopping() => {}
                    Err(RecvTimeoutError::Timeout) => {
                        return Err(format!("{url}: the run was stopped meanwhile"));
                    }
                    Err(error) => return Err(format!("{url}: {error}")),
                }
            }
        })
    }

    fn amend(&self, path: &str, change: &Change<'_>) -> Result<String, String> {
        let path =
            super::files::expand_home(path).unwrap_or_else(|| self.batch.play.folder.join(path));
        private_file::amend(&path, change)
    }

    fn kind(&self, path: &str) -> Option<PathKind> {
        let path = Path::new(path);
        let link = std::fs::symlink_metadata(path).ok()?;
        let real = std::fs::metadata(path).ok();
        let above = path
            .parent()
            .and_then(|folder| std::fs::metadata(folder).ok());
        Some(PathKind {
            exists: real.is_some(),
            file: real.as_ref().is_some_and(std::fs::Metadata::is_file),
            folder: real.as_ref().is_some_and(std::fs::Metadata::is_dir),
            link: link.is_symlink(),
            mount: match (&real, &above) {
                (Some(real), Some(above)) => real.dev() != above.dev(),
                (Some(real), None) => real.is_dir(),
                (None, _) => false,
            },
        })
    }

    fn real_path(&self, path: &str) -> Option<String> {
        let path = std::fs::canonicalize(path).ok()?;
        Some(path.to_string_lossy().into_owned())
    }

    fn hosts(&self, pattern: &str) -> Result<Vec<String>, String> {
        let inventory = self.runner.hosts.inventory();
        let selection = select(&inventory, pattern, &[], &[]).map_err(|error| error.to_string())?;
        Ok(selection
            .counted_names(&inventory)
            .iter()
            .map(ToString::to_string)
            .collect())
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}
