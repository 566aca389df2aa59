//! What an upload has to say of its files.

use super::Upload;
use super::surveying::{Item, Survey};
use crate::event::{FileAction, FileRecord, Route};
use crate::transfer::records::removal;
use crate::transfer::report::Report;
use crate::transfer::source::EntryKind;

impl Report {
    /// One was sent.
    pub(super) fn sent(&mut self, item: &Item<'_>, action: FileAction, route: Route) {
        self.changed = true;
        if item.is_file() {
            let mut record = record(item, action);
            record.bytes = match action {
                FileAction::Resumed => item.size() - item.resume,
                _ => item.size(),
            };
            record.via = Some(route);
            self.files.push(record);
        } else if !matches!(item.entry.kind, EntryKind::Folder) {
            self.files.push(record(item, action));
        }
    }

    /// Something beside the content of a kept one was set.
    pub(super) fn touched(&mut self, item: &Item<'_>) {
        self.changed = true;
        self.touched.insert(item.target.to_string());
    }

    /// What was only there is gone.
    pub(super) fn removed(&mut self, survey: &Survey<'_>) {
        self.changed = true;
        for path in &survey.extra {
            self.files.push(removal(path.to_string()));
        }
    }

    /// What would be done.
    pub(super) fn would(&mut self, order: &Upload, survey: &Survey<'_>) {
        self.conditional = true;
        for item in &survey.items {
            if item.send {
                self.changed = true;
                if item.is_file() || matches!(item.entry.kind, EntryKind::Link(_)) {
                    self.files.push(record(item, FileAction::Sent));
                }
            } else if item.touch_up(order, survey.ids).is_some() {
                self.touched(item);
            }
        }
        self.removed_if_any(survey);
        self.finish(survey);
    }

    fn removed_if_any(&mut self, survey: &Survey<'_>) {
        if !survey.extra.is_empty() {
            self.removed(survey);
        }
    }

    /// What differs, and how many do.
    pub(super) fn verified(&mut self, survey: &Survey<'_>) -> usize {
        let mut differ = 0;
        for item in &survey.items {
            let action = match item.send {
                true => FileAction::Differs,
                false if item.is_file() => FileAction::Verified,
                // A folder or link that is as it should be is not worth a line.
                false => continue,
            };
            differ += usize::from(item.send);
            self.files.push(record(item, action));
        }
        for path in &survey.extra {
            differ += 1;
            let mut record = removal(path.to_string());
            record.action = FileAction::Differs;
            self.files.push(record);
        }
        self.write();
        differ
    }

    /// Adds what was kept, and writes it all down.
    pub(super) fn finish(&mut self, survey: &Survey<'_>) {
        for item in &survey.items {
            if !item.send && item.is_file() {
                let mut record = record(item, FileAction::Kept);
                record.changed = self.touched.contains(&record.target);
                self.files.push(record);
            }
        }
        if survey.windows {
            for record in &mut self.files {
                record.target = record.target.replace('/', "\\");
            }
        }
        self.write();
    }
}

fn record(item: &Item<'_>, action: FileAction) -> FileRecord {
    let (md5, sha256) = match &item.entry.kind {
        EntryKind::File(content) => (Some(content.md5().to_owned()), content.known_sha256()),
        _ => (None, None),
    };
    FileRecord {
        source: item.entry.shown.to_string(),
        target: item.target.to_string(),
        action,
        size: item.size(),
        md5,
        sha256,
        bytes: 0,
        via: None,
        files: None,
        changed: false,
    }
}
