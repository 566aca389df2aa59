//! Writing learnt keys down.

use std::path::PathBuf;

use super::known_hosts::Learnt;
use crate::base::private_file::append_lines;
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
