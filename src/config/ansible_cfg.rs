//! `ansible.cfg`: the keys that mean something to us; what else stands there is named, not obeyed.

use std::path::Path;

use super::error::ConfigError;
use super::settings::{Ignored, Settings};
use super::table::SETTINGS;
use super::value::{Base, Origin, Value, parse};
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
    path: &Path,
    text: &str,
    base: Base<'_>,
) -> Result<(), ConfigError> {
    for entry in entries(text) {
        let place = Place::new(path, entry.line, 0);
        let wrong = |why: String| {
            ConfigError::from(Diagnostic::new(
                format!("{}: {why}", entry.key),
                place.clone(),
                text,
            ))
        };
        if (entry.section.as_str(), entry.key.as_str()) == ("defaults", "host_key_checking") {
            let checks = parse(super::table::Kind::Bool, &entry.value, base).map_err(wrong)?;
            let mode = if checks == Value::Bool(true) {
                "strict"
            } else {
                "off"
            };
            settings.put(
                "host_key",
                Value::Text(mode.to_owned()),
                Origin::File(place),
            );
            continue;
        }
        let known = SETTINGS
            .iter()
            .find(|setting| setting.ansible == Some((&entry.section, &entry.key)));
        match known {
            Some(setting) => {
                let value = parse(setting.kind, &entry.value, base).map_err(wrong)?;
                settings.put(setting.name, value, Origin::File(place));
            }
            None => settings.ignored.push(Ignored {
                name: format!("[{}] {}", entry.section, entry.key),
                place: place.to_string(),
            }),
        }
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
