//! `ansible.cfg`: the keys that mean something to us; what else stands there is named, not obeyed.

use super::ansible::{changes_plays, meaning, put};
use super::error::ConfigError;
use super::files::Source;
use super::settings::{Ignored, Settings};
use super::table::Ansible;
use super::value::{Base, Origin};
use crate::base::diag::{Diagnostic, Place};

/// One `key = value`.
struct Entry {
    section: String,
    key: String,
    value: String,
    line: u32,
}

/// Reads the file's text into the settings.
pub(super) fn apply(
    settings: &mut Settings,
    source: &Source,
    base: Base<'_>,
) -> Result<(), ConfigError> {
    let mut reads = Vec::new();
    for entry in entries(&source.text) {
        let place = Place::new(source.path.as_path(), entry.line, 0);
        let of_entry = |each: &Ansible| (each.section, each.key) == (&entry.section, &entry.key);
        let Some(meaning) = meaning(of_entry) else {
            settings.ignored.push(Ignored {
                of_plays: entry.section == "defaults" && changes_plays(&entry.key, &entry.value),
                name: format!("[{}] {}", entry.section, entry.key),
                place: place.to_string(),
            });
            continue;
        };
        let read = meaning.read(&entry.value, base).map_err(|why| {
            Diagnostic::new(format!("{}: {why}", entry.key), place.clone(), &source.text)
        })?;
        reads.extend(read.map(|read| (meaning.rank(), read, place, entry.key)));
    }
    // Of flags that say the same thing, it is not the place in the file that counts.
    reads.sort_by_key(|(rank, ..)| *rank);
    for (_, read, place, key) in reads {
        put(settings, read, Origin::File(place), !source.upward, &key);
    }
    Ok(())
}

/// The entries of an INI file as Python's configparser reads them: `=` or `:`, comments by `#` and
/// `;`, indented lines go on with the value before.
fn entries(text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section = String::new();
    for (number, raw) in (1..).zip(text.lines()) {
        let line = raw.split(" ;").next().unwrap_or_default();
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut section);
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some(last) = entries.last_mut()
        {
            last.value.push(' ');
            last.value.push_str(trimmed);
            continue;
        }
        if let Some((key, value)) = trimmed.split_once(['=', ':']) {
            entries.push(Entry {
                section: section.clone(),
                key: key.trim().to_lowercase(),
                value: value.trim().to_owned(),
                line: number,
            });
        }
    }
    entries.retain(|entry| !entry.value.is_empty());
    entries
}
