//! How texts differ from what is there.

use super::report::Report;
use super::surveying::Survey;
use crate::shell::files::{FileTask, Send};
use crate::transfer::link::Trouble;
use crate::transfer::remote::Remote;
use crate::transfer::source::EntryKind;

/// Larger files are not compared line by line, in bytes.
const MOST: u64 = 256 * 1024;

/// Writes down how the texts that will be replaced differ.
pub(super) async fn show(
    survey: &Survey<'_>,
    remote: &mut Remote<'_>,
    report: &mut Report,
) -> Result<(), Trouble> {
    for item in survey.items.iter().filter(|item| item.send) {
        let EntryKind::File(content) = &item.entry.kind else {
            continue;
        };
        let Some(new) = content.in_memory().filter(|new| new.len() as u64 <= MOST) else {
            continue;
        };
        let mut old = Vec::new();
        if let Some(found) = &item.found {
            if found.size > MOST || found.kind != crate::shell::files::Kind::File {
                continue;
            }
            let task = FileTask::Send(Send {
                path: item.target.clone(),
                offset: 0,
            });
            remote.fetch(task, &mut old).await?;
        }
        let (Ok(old), Ok(new)) = (std::str::from_utf8(&old), std::str::from_utf8(&new)) else {
            continue;
        };
        let target = item.target.to_string();
        let diff = similar::TextDiff::from_lines(old, new);
        let shown = diff
            .unified_diff()
            .header(&target, &item.entry.shown)
            .to_string();
        report.text.push_str(&shown);
        if !shown.is_empty() && !shown.ends_with('\n') {
            report.text.push('\n');
        }
    }
    Ok(())
}
