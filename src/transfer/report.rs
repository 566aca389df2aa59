//! What became of the files on one host: records for documents, lines for people.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::base::quantity::show_size;
use crate::event::{FileAction, FileRecord};

/// So many files are named one by one.
const NAMED: usize = 20;

/// So many are in a document one by one; the rest of each kind is summed up.
const RECORDED: usize = 1000;

/// What became of the files on one host.
#[derive(Debug, Default)]
pub struct Report {
    /// For documents.
    pub files: Vec<FileRecord>,
    /// For people, lines each with its end.
    pub text: String,
    /// Whether anything on the host is another than before (or would be).
    pub changed: bool,
    pub(super) touched: HashSet<String>,
    pub(super) conditional: bool,
    fetches: bool,
    written: bool,
}

impl Report {
    /// Of files that come: lines name them as the host does, so that hosts' lines are alike.
    pub(super) fn is_of_download(&mut self) {
        self.fetches = true;
    }

    /// One more record.
    pub(super) fn add(&mut self, record: FileRecord) {
        let nothing = [FileAction::Kept, FileAction::Verified, FileAction::Differs];
        self.changed |= record.changed || !nothing.contains(&record.action);
        self.files.push(record);
    }

    /// Writes it all down; `would`: nothing of it was done.
    pub(super) fn write_down(&mut self, would: bool) {
        self.conditional = would;
        self.write();
    }

    /// At the end, whatever it was: all that is known is written down, and not too long.
    pub fn settle(&mut self) {
        if !self.written {
            self.write();
        }
        self.shorten();
    }

    pub(super) fn write(&mut self) {
        self.written = true;
        let lines = lines(&self.files, self.conditional, self.fetches);
        self.text.push_str(&lines);
    }

    /// A host's list of ten thousand files a thousand times over helps nobody.
    fn shorten(&mut self) {
        if self.files.len() <= RECORDED {
            return;
        }
        let files = std::mem::take(&mut self.files);
        let (interesting, kept): (Vec<_>, Vec<_>) = files
            .into_iter()
            .partition(|record| record.action != FileAction::Kept || record.changed);
        for group in [interesting, kept] {
            let room = RECORDED.saturating_sub(self.files.len());
            let mut rest: Vec<FileRecord> = Vec::new();
            for (index, record) in group.into_iter().enumerate() {
                if index < room {
                    self.files.push(record);
                    continue;
                }
                match rest.iter_mut().find(|sum| sum.action == record.action) {
                    Some(sum) => {
                        sum.files = Some(sum.files.unwrap_or(1) + 1);
                        sum.size = sum.size.saturating_add(record.size);
                        sum.bytes = sum.bytes.saturating_add(record.bytes);
                    }
                    None => rest.push(FileRecord {
                        files: Some(1),
                        md5: None,
                        sha256: None,
                        ..record
                    }),
                }
            }
            self.files.extend(rest);
        }
    }
}

/// A line for each file, or one for many. The same on every host where the same was done, so that
/// they fold: nothing in it of times and ways.
pub(super) fn lines(files: &[FileRecord], conditional: bool, fetches: bool) -> String {
    let mut text = String::new();
    let would = if conditional { "would have " } else { "" };
    let moved = if fetches { "fetched" } else { "sent" };
    for (action, word) in [
        (FileAction::Sent, moved),
        (FileAction::Resumed, moved),
        (FileAction::Removed, "removed"),
        (FileAction::Differs, "differs"),
        (FileAction::Verified, "equal"),
        (FileAction::Kept, "kept"),
    ] {
        let such: Vec<&FileRecord> = files.iter().filter(|file| file.action == action).collect();
        let would = match action {
            FileAction::Sent | FileAction::Removed => would,
            _ => "",
        };
        if such.len() <= NAMED {
            for file in such {
                let name = if fetches && file.action != FileAction::Removed {
                    &file.source
                } else {
                    &file.target
                };
                let _ = write!(text, "{would}{word} {name}");
                if action != FileAction::Removed {
                    let _ = write!(text, " ({})", show_size(file.size));
                }
                if file.changed {
                    text.push_str(", its attributes set");
                }
                text.push('\n');
            }
        } else {
            let sizes = such.iter().map(|file| file.size);
            let size = sizes.fold(0, u64::saturating_add);
            let _ = writeln!(
                text,
                "{would}{word} {} files ({})",
                such.len(),
                show_size(size)
            );
        }
    }
    text
}
