//! Taking a host's lines out of a file of known hosts, every other line staying byte for byte.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::known_hosts_file::line_is_for;
use crate::base::private_file::{locked, replace};

/// What an edit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHostsEdit {
    /// The file.
    pub file: PathBuf,
    /// How many lines were taken out.
    pub removed: usize,
}

/// Takes the lines of these names out of `file`; the file as it was is kept beside it as `.old`.
/// Lines for several names or patterns stay.
pub fn forget(file: &Path, names: &[String]) -> io::Result<KnownHostsEdit> {
    // Until it is replaced: a run may add to it meanwhile.
    let mut before = Vec::new();
    let _held = match locked(file, false) {
        Ok(mut held) => {
            held.read_to_end(&mut before)?;
            Some(held)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut kept = Vec::with_capacity(before.len());
    let mut removed = 0;
    for line in before.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        if names.iter().any(|name| line_is_for(&text, name)) {
            removed += 1;
        } else {
            kept.extend_from_slice(line);
        }
    }
    if removed > 0 {
        let beside = |ending: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        std::fs::copy(file, beside(".old"))?;
        replace(file, &beside(".new"), &kept)?;
    }
    Ok(KnownHostsEdit {
        file: file.to_owned(),
        removed,
    })
}
