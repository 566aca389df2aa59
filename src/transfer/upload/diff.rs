//! How texts differ from what is there.

use super::surveying::Survey;
use crate::shell::files::Kind;
use crate::transfer::diff::{MOST, text, unified};
use crate::transfer::link::Trouble;
use crate::transfer::remote::Remote;
use crate::transfer::report::Report;
use crate::transfer::source::EntryKind;

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
        let old = match &item.found {
            Some(found) if found.size > MOST || found.kind != Kind::File => continue,
            Some(_) => text(remote, &item.target).await?,
            None => Vec::new(),
        };
        let target = item.target.to_string();
        let shown = unified((&target, &old), (&item.entry.shown, &new));
        report.text.push_str(&shown);
    }
    Ok(())
}
