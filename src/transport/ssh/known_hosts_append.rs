//! Writing learnt keys down.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::known_hosts::Learnt;
use crate::event::{ErrorKind, HostError};

/// Appends keys to their files, each file under a lock and in one write.
pub fn append(learnt: &[Learnt]) -> Result<(), HostError> {
    let mut files: Vec<&PathBuf> = learnt.iter().map(|each| &each.file).collect();
    files.sort();
    files.dedup();
    for file in files {
        let lines: String = learnt
            .iter()
            .filter(|each| each.file == *file)
            .filter_map(|each| Some(format!("{} {}\n", each.name, each.key.to_openssh().ok()?)))
            .collect();
        append_lines(file, &lines).map_err(|error| {
            HostError::new(
                ErrorKind::LocalIo,
                format!(
                    "{}: new host keys can't be written: {error}",
                    file.display()
                ),
            )
        })?;
    }
    Ok(())
}

fn append_lines(file: &Path, lines: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut open = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .read(true)
        .mode(0o600)
        .open(file)?;
    rustix::fs::flock(&open, rustix::fs::FlockOperation::LockExclusive)?;
    // A file edited by hand may lack its last newline.
    let torn = std::fs::read(file)?
        .last()
        .is_some_and(|last| *last != b'\n');
    open.write_all(format!("{}{lines}", if torn { "\n" } else { "" }).as_bytes())
}
