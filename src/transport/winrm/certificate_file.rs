//! The file `known_certificates`: certificates of hosts that were approved, a line each:
//! `[address]:port SHA256:base64 # subject`. Reading, adding and taking away; no judgement.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::base::private_file::{append_lines, locked, replace};
use crate::event::{ErrorKind, HostError};

/// One approved certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownCertificate {
    /// Whose: `[address]:port`.
    pub name: String,
    /// `SHA256:...`.
    pub fingerprint: String,
    /// Whom it is for, as it says itself; for people.
    pub subject: String,
    /// Its line in the file; 0 while it stands in none.
    pub line: usize,
}

/// Under which name a host's certificates are kept.
pub(super) fn name(address: &str, port: u16) -> String {
    format!("[{}]:{port}", address.to_lowercase())
}

/// The entries of a file, by name. No file is no entries; lines that make no sense are passed over,
/// and said in the log.
pub(super) fn load(file: &Path) -> Result<HashMap<String, Vec<KnownCertificate>>, HostError> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(unusable(file, "can't be read", &error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut known: HashMap<String, Vec<KnownCertificate>> = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let Some(entry) = parse(trimmed, index + 1) else {
            tracing::warn!(file = %file.display(), line = index + 1, "not understood");
            continue;
        };
        known.entry(entry.name.clone()).or_default().push(entry);
    }
    Ok(known)
}

fn parse(text: &str, line: usize) -> Option<KnownCertificate> {
    let (entry, subject) = match text.split_once(" # ") {
        Some((entry, subject)) => (entry, subject.trim()),
        None => (text, ""),
    };
    let mut words = entry.split_whitespace();
    let (name, fingerprint) = (words.next()?, words.next()?);
    let plausible = name.starts_with('[')
        && name.contains("]:")
        && fingerprint.starts_with("SHA256:")
        && words.next().is_none();
    plausible.then(|| KnownCertificate {
        name: name.to_lowercase(),
        // Some tools pad base64.
        fingerprint: fingerprint.trim_end_matches('=').to_owned(),
        subject: subject.to_owned(),
        line,
    })
}

/// Adds entries, under a lock and in one write.
pub fn append(file: &Path, entries: &[KnownCertificate]) -> Result<(), HostError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut lines = String::new();
    for entry in entries {
        let subject = entry.subject.replace(['\n', '\r'], " ");
        let _ = writeln!(lines, "{} {} # {subject}", entry.name, entry.fingerprint);
    }
    append_lines(file, &lines)
        .map_err(|error| unusable(file, "new certificates can't be written", &error))
}

/// Takes all entries of these names away, every other line staying as it is. Says how many there
/// were.
pub fn forget(file: &Path, names: &[String]) -> Result<usize, HostError> {
    let edit = || -> std::io::Result<usize> {
        // Held until the new one is in its place: what others add meanwhile would be lost.
        let _held = match locked(file, false) {
            Ok(held) => held,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let before = std::fs::read(file)?;
        let (mut kept, mut gone) = (Vec::with_capacity(before.len()), 0);
        for line in before.split_inclusive(|byte| *byte == b'\n') {
            let entry = parse(String::from_utf8_lossy(line).trim(), 0);
            if entry.is_some_and(|entry| names.contains(&entry.name)) {
                gone += 1;
            } else {
                kept.extend_from_slice(line);
            }
        }
        if gone > 0 {
            replace(file, &file.with_extension("new"), &kept)?;
        }
        Ok(gone)
    };
    edit().map_err(|error| unusable(file, "can't be changed", &error))
}

fn unusable(file: &Path, what: &str, error: &std::io::Error) -> HostError {
    HostError::new(
        ErrorKind::LocalIo,
        format!("{}: {what}: {error}", file.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, fingerprint: &str) -> KnownCertificate {
        KnownCertificate {
            name: name.to_owned(),
            fingerprint: fingerprint.to_owned(),
            subject: "CN=中文, O=x".to_owned(),
            line: 0,
        }
    }

    #[test]
    fn what_was_written_is_read_back_and_can_be_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data/known_certificates");
        assert!(load(&file).unwrap().is_empty());
        let entries = [
            entry("[win1]:5986", "SHA256:abc"),
            entry("[::1]:5986", "SHA256:def"),
        ];
        append(&file, &entries).unwrap();
        // An editor that leaves no newline at the end.
        std::fs::write(&file, std::fs::read_to_string(&file).unwrap().trim_end()).unwrap();
        append(&file, &[entry("[win1]:5986", "SHA256:ghi")]).unwrap();
        let known = load(&file).unwrap();
        let of_win1: Vec<_> = known["[win1]:5986"]
            .iter()
            .map(|e| (&*e.fingerprint, e.line))
            .collect();
        assert_eq!(of_win1, [("SHA256:abc", 1), ("SHA256:ghi", 3)]);
        assert_eq!(known["[::1]:5986"][0].subject, "CN=中文, O=x");
        assert_eq!(forget(&file, &["[win1]:5986".to_owned()]).unwrap(), 2);
        assert_eq!(forget(&file, &["[win1]:5986".to_owned()]).unwrap(), 0);
        assert_eq!(load(&file).unwrap().len(), 1);
    }

    #[test]
    fn lines_that_make_no_sense_and_comments_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("known_certificates");
        std::fs::write(
            &file,
            "# mine\n\nwin1 SHA256:abc\n[Win2]:5986 SHA256:abc=\n[win3]:1 MD5:x\n",
        )
        .unwrap();
        let known = load(&file).unwrap();
        assert_eq!(known.len(), 1);
        assert_eq!(known["[win2]:5986"][0].fingerprint, "SHA256:abc");
    }

    #[test]
    fn what_is_added_while_others_are_forgotten_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("known_certificates");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    for i in 0..20 {
                        let keep = entry(&format!("[keep{thread}x{i}]:1"), "SHA256:x");
                        let drop = entry(&format!("[drop{thread}x{i}]:1"), "SHA256:y");
                        append(file, &[keep, drop.clone()]).unwrap();
                        assert_eq!(forget(file, &[drop.name]).unwrap(), 1);
                    }
                });
            }
        });
        assert_eq!(load(&file).unwrap().len(), 80);
    }

    #[test]
    fn forgetting_leaves_the_other_lines_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("known_certificates");
        std::fs::write(&file, "# mine\n[a]:1 SHA256:x\nwhat?\n[b]:1 SHA256:y # z\n").unwrap();
        assert_eq!(forget(&file, &["[a]:1".to_owned()]).unwrap(), 1);
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            "# mine\nwhat?\n[b]:1 SHA256:y # z\n"
        );
    }
}
