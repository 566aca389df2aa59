//! `ansible.cfg`: the keys that mean something to us; what else stands there is named, not obeyed.

use super::error::ConfigError;
use super::files::Source;
use super::identity::weakens;
use super::settings::{Ignored, Overruled, Settings};
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
    source: &Source,
    base: Base<'_>,
) -> Result<(), ConfigError> {
    for entry in entries(&source.text) {
        let place = Place::new(source.path.as_path(), entry.line, 0);
        let Some((setting, value)) = read(&entry, base).map_err(|why| {
            Diagnostic::new(format!("{}: {why}", entry.key), place.clone(), &source.text)
        })?
        else {
            settings.ignored.push(Ignored {
                name: format!("[{}] {}", entry.section, entry.key),
                place: place.to_string(),
                of_plays: changes_plays(&entry),
            });
            continue;
        };
        if source.upward && weakens(setting, &value) {
            settings.overruled.push(Overruled {
                key: entry.key,
                setting,
                place: place.to_string(),
            });
        } else {
            let origin = Origin::File(place);
            if setting == "host_key" {
                settings.of_ssh_alone = Some(origin.clone());
            }
            settings.put(setting, value, origin);
        }
    }
    Ok(())
}

/// Whether playbooks mean something else with it.
fn changes_plays(entry: &Entry) -> bool {
    let no = ["false", "no", "off", "0"].contains(&entry.value.to_ascii_lowercase().as_str());
    match (entry.section.as_str(), entry.key.as_str()) {
        ("defaults", "hash_behaviour") => entry.value.eq_ignore_ascii_case("merge"),
        ("defaults", "error_on_undefined_vars") => no,
        ("defaults", "ansible_managed") => true,
        _ => false,
    }
}

/// The setting an entry means, if it means one, and its value.
fn read(entry: &Entry, base: Base<'_>) -> Result<Option<(&'static str, Value)>, String> {
    if (entry.section.as_str(), entry.key.as_str()) == ("defaults", "host_key_checking") {
        let checks = parse(super::table::Kind::Bool, &entry.value, base)?;
        let mode = if checks == Value::Bool(true) {
            "strict"
        } else {
            "off"
        };
        return Ok(Some(("host_key", Value::Text(mode.to_owned()))));
    }
    let known = SETTINGS
        .iter()
        .find(|setting| setting.ansible == Some((&entry.section, &entry.key)));
    known
        .map(|setting| Ok((setting.name, parse(setting.kind, &entry.value, base)?)))
        .transpose()
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
