//! The host's own facts: files `*.fact` of JSON, of INI, or programs that print either.

use serde_json::{Value as Json, json};

use super::raw::{Facts, Raw};
use crate::base::value::{Map, Value};

pub(super) fn facts(raw: &Raw<'_>, facts: &mut Facts) {
    let mut local = Facts::new();
    for file in raw.items("local") {
        let text = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default();
        let path = text("path");
        let name = path.rsplit('/').next().unwrap_or(path).replace(".fact", "");
        local.insert(name, fact(file, path, text("text"), text("err")));
    }
    facts.insert("local".into(), Json::Object(local));
}

fn fact(file: &Map, path: &str, text: &str, err: &str) -> Json {
    match file.get("rc") {
        None | Some(Value::Int(0)) => {}
        Some(Value::Int(124)) if err.is_empty() => {
            return json!(format!(
                "Failure executing fact script ({path}): it took too long"
            ));
        }
        Some(rc) => {
            let rc = rc.to_json();
            return json!(format!(
                "Failure executing fact script ({path}), rc: {rc}, err: {err}"
            ));
        }
    }
    if let Ok(json) = serde_json::from_str(text) {
        return json;
    }
    ini(text).map_or_else(
        || {
            json!(format!(
                "error loading facts as JSON or ini - please check content: {path}"
            ))
        },
        Json::Object,
    )
}

/// Sections of options, as Python's `configparser` reads them: names in lower case, `=` or `:`,
/// indented lines go on, `DEFAULT` holds for all. `None`: this is no INI.
fn ini(text: &str) -> Option<Facts> {
    let mut sections: Vec<(String, Facts)> = Vec::new();
    let mut last: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[') {
            let name = name.split(']').next().filter(|_| trimmed.contains(']'))?;
            if sections.iter().any(|(there, _)| there == name) {
                return None;
            }
            sections.push((name.to_owned(), Facts::new()));
            last = None;
            continue;
        }
        let (_, options) = sections.last_mut()?;
        let indented = line.starts_with([' ', '\t']);
        if let (true, Some(Json::String(value))) = (
            indented,
            last.as_ref().and_then(|name| options.get_mut(name)),
        ) {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        let (name, value) = trimmed.split_once(['=', ':'])?;
        let name = name.trim().to_lowercase();
        options.insert(name.clone(), json!(value.trim()));
        last = Some(name);
    }
    let default = sections.iter().find(|(name, _)| name == "DEFAULT");
    let default = default
        .map(|(_, options)| options.clone())
        .unwrap_or_default();
    let mut facts = Facts::new();
    for (name, options) in sections.into_iter().filter(|(name, _)| name != "DEFAULT") {
        let mut all = default.clone();
        all.extend(options);
        facts.insert(name, Json::Object(all));
    }
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ini_is_read_as_configparser_reads_it() {
        let read =
            ini("# c\n[DEFAULT]\nbase=1\n[One]\nKey = a b\nother: x=y\n  more\n[two]\n").unwrap();
        assert_eq!(
            Json::Object(read),
            json!({"One": {"base": "1", "key": "a b", "other": "x=y\nmore"}, "two": {"base": "1"}})
        );
        assert!(ini("no section = 1\n").is_none());
        assert!(ini("[a]\nnothing here\n").is_none());
    }
}
