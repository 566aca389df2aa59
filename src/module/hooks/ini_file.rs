//! `ini_file`: options of sections.

mod section;

use super::super::call::{Call, Controller};
use super::super::edit::{DiffForm, Edit, Old};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::value::{Map, Value};
use section::{Section, Wish, option_of};

pub(super) struct IniFile;

impl Hook for IniFile {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        let none = |name: &str| match call.params.get(name) {
            Some(Value::List(items)) => items.is_empty(),
            value => value.is_none(),
        };
        let no_value = none("value") && none("values");
        if call.text("state") != Some("absent") && no_value && !call.flag("allow_no_value") {
            return Err(ModuleError::new(
                "Parameter 'value(s)' must be defined if state=present and allow_no_value=False.",
            ));
        }
        if call.text("option").is_none() && !no_value {
            return Err(ModuleError::of("option", "a value needs an `option`"));
        }
        call.edit_with(DiffForm::One, edit);
        Ok(())
    }
}

fn edit(old: &Old<'_>) -> Result<Edit, ModuleError> {
    if old.content.is_none() && !old.flag("create") {
        return Err(ModuleError::new(format!(
            "Destination {} does not exist!",
            old.path
        )));
    }
    let wish = Wish::of(old);
    let name = old.param("section").unwrap_or_default().trim();
    let conditions = conditions(old);
    let text = old
        .text()?
        .trim_start_matches('\u{feff}')
        .replace("\r\n", "\n");
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if lines.is_empty() {
        lines.push("\n".to_owned());
    }
    let mut changed = false;
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push('\n');
        changed = true;
    }
    // What stands above all headers is a section of no name.
    lines.insert(0, String::new());

    let found = find(&lines, name, &conditions);
    let (from, to) = found.unwrap_or((0, 0));
    let mut section = Section {
        lines: lines.drain(from..to).map(|line| (line, false)).collect(),
        changed,
        message: "OK",
    };
    if old.absent() {
        section.remove(&wish);
    } else {
        section.set(wish.clone_values(), &wish);
    }
    let Section {
        lines: kept,
        changed,
        mut message,
    } = section;
    lines.splice(from..from, kept.into_iter().map(|(line, _)| line));
    let mut changed = changed;
    if found.is_none() && !old.absent() {
        lines.push(format!("[{}]\n", old.param("section").unwrap_or_default()));
        message = append(&mut lines, &wish, &conditions);
        changed = true;
    }
    let path = Value::Unsafe(old.path.into());
    let edit = if changed {
        Edit::new(lines.concat(), message)
    } else {
        Edit::nothing(message)
    };
    Ok(edit.with("path", path))
}

/// What a section must hold to be the one: options and their values, any if none.
fn conditions(old: &Old<'_>) -> Vec<(String, Vec<String>)> {
    let Some(Value::List(items)) = old.params.get("section_has_values") else {
        return Vec::new();
    };
    let text = |map: &Map, name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    items
        .iter()
        .filter_map(|item| match item {
            Value::Map(map) => Some((
                text(map, "option")?,
                match map.get("values") {
                    Some(Value::List(values)) => values
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                    _ => text(map, "value").into_iter().collect(),
                },
            )),
            _ => None,
        })
        .collect()
}

fn is_header(line: &str, name: &str) -> bool {
    let inner = line.strip_prefix('[').map(str::trim_start);
    let rest = inner.and_then(|inner| inner.strip_prefix(name));
    rest.is_some_and(|rest| rest.trim_start().starts_with(']'))
}

/// From which line to before which the section goes.
fn find(
    lines: &[String],
    name: &str,
    conditions: &[(String, Vec<String>)],
) -> Option<(usize, usize)> {
    let fits = |lines: &[String]| {
        conditions.iter().all(|(option, values)| {
            lines.iter().any(|line| {
                option_of(line, option, true).is_some_and(|(_, value)| {
                    values.is_empty() || values.iter().any(|v| v == value)
                })
            })
        })
    };
    let mut start = name.is_empty().then_some(0);
    for (at, line) in lines.iter().enumerate() {
        if let Some(from) = start.filter(|from| *from < at && line.starts_with('[')) {
            if fits(lines.get(from..at).unwrap_or_default()) {
                return Some((from, at));
            }
            start = None;
        }
        if !name.is_empty() && is_header(line, name) {
            start = Some(at);
        }
    }
    let start = start?;
    fits(lines.get(start..).unwrap_or_default()).then_some((start, lines.len()))
}

/// A new section's options, at the end; the message.
fn append(
    lines: &mut Vec<String>,
    wish: &Wish<'_>,
    conditions: &[(String, Vec<String>)],
) -> &'static str {
    let mut values = wish.clone_values();
    for (option, wanted) in conditions {
        if wish.option != Some(option) {
            lines.extend(wanted.iter().map(|value| wish.line(option, value)));
            if wanted.is_empty() && wish.allow_no_value {
                lines.push(format!("{option}\n"));
            }
        } else if !wish.exclusive {
            for value in wanted {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
        }
    }
    let Some(option) = wish.option else {
        return "only section added";
    };
    if values.is_empty() {
        lines.push(format!("{option}\n"));
    }
    lines.extend(values.iter().map(|value| wish.line(option, value)));
    "section and option added"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::edit::tests;
    use super::*;

    #[track_caller]
    fn becomes(params: &[(&str, serde_json::Value)], content: &str, wanted: &str, message: &str) {
        let mut all = json!({"exclusive": true, "modify_inactive_option": true, "create": true});
        for (name, value) in params {
            all[*name] = value.clone();
        }
        tests::becomes(edit, &all, content, (wanted, message));
    }

    fn set(option: &str, value: &str) -> Vec<(&'static str, serde_json::Value)> {
        vec![
            ("section", json!("s")),
            ("option", json!(option)),
            ("value", json!(value)),
        ]
    }

    #[test]
    fn options_are_set_in_their_section() {
        becomes(
            &set("a", "1"),
            "a = 0\n[s]\na=0\n[t]\n",
            "a = 0\n[s]\na = 1\n[t]\n",
            "option changed",
        );
        becomes(
            &set("b", "1"),
            "[s]\na = 0\n\n[t]\n",
            "[s]\na = 0\nb = 1\n\n[t]\n",
            "option added",
        );
        becomes(
            &set("a", "1"),
            "[s]\n;a = 0\n",
            "[s]\na = 1\n",
            "option changed",
        );
        becomes(
            &set("a", "1"),
            "[t]\n",
            "[t]\n[s]\na = 1\n",
            "section and option added",
        );
        becomes(&set("a", "1"), "[ s ]\na = 1\n", "[ s ]\na = 1\n", "OK");
        becomes(
            &set("a", "1"),
            "[s]\na = 1\na = 2\n",
            "[s]\na = 1\n",
            "option changed",
        );
        becomes(
            &set("a", "1"),
            "",
            "\n[s]\na = 1\n",
            "section and option added",
        );
        becomes(
            &[("option", json!("a")), ("value", json!("1"))],
            "[s]\n",
            "a = 1\n[s]\n",
            "option added",
        );
        let mut spaces = set("a", "1");
        spaces.push(("ignore_spaces", json!(true)));
        becomes(&spaces, "[s]\na=1\n", "[s]\na=1\n", "OK");
        let mut tight = set("a", "2");
        tight.push(("no_extra_spaces", json!(true)));
        becomes(&tight, "[s]\na=1\n", "[s]\na=2\n", "option changed");
    }

    #[test]
    fn many_values_and_none() {
        let values = |exclusive: bool| {
            vec![
                ("section", json!("s")),
                ("option", json!("a")),
                ("values", json!(["1", "2"])),
                ("exclusive", json!(exclusive)),
            ]
        };
        becomes(
            &values(true),
            "[s]\na = 2\na = 3\n",
            "[s]\na = 2\na = 1\n",
            "option changed",
        );
        becomes(
            &values(false),
            "[s]\na = 2\na = 3\n",
            "[s]\na = 2\na = 3\na = 1\n",
            "option added",
        );
        let bare = [
            ("section", json!("s")),
            ("option", json!("skip")),
            ("allow_no_value", json!(true)),
        ];
        becomes(&bare, "[s]\n", "[s]\nskip\n", "option added");
        becomes(&bare, "[s]\nskip\n", "[s]\nskip\n", "OK");
    }

    #[test]
    fn options_and_sections_are_removed() {
        let gone = |more: &[(&'static str, serde_json::Value)]| {
            let mut all = vec![("section", json!("s")), ("state", json!("absent"))];
            all.extend_from_slice(more);
            all
        };
        becomes(
            &gone(&[("option", json!("a"))]),
            "[s]\na=1\nb=2\n#a=3\n",
            "[s]\nb=2\n#a=3\n",
            "option changed",
        );
        becomes(
            &gone(&[]),
            "[s]\na=1\n[t]\nb=2\n",
            "[t]\nb=2\n",
            "section removed",
        );
        becomes(&gone(&[]), "[t]\n", "[t]\n", "OK");
    }

    #[test]
    fn of_sections_with_one_name_the_one_with_the_values_is_meant() {
        let mut params = set("port", "2");
        params.push((
            "section_has_values",
            json!([{"option": "name", "value": "x"}]),
        ));
        becomes(
            &params,
            "[s]\nname = y\n[s]\nname = x\n",
            "[s]\nname = y\n[s]\nname = x\nport = 2\n",
            "option added",
        );
        becomes(
            &params,
            "[s]\nname = y\n",
            "[s]\nname = y\n[s]\nname = x\nport = 2\n",
            "section and option added",
        );
    }
}
