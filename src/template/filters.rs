//! The filters of Ansible's that inventories use, beyond minijinja's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind};

use crate::base::digest;

/// Adds them.
pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("basename", |path: String| {
        path.rsplit('/').next().unwrap_or_default().to_owned()
    });
    env.add_filter("dirname", |path: String| {
        path.rsplit_once('/')
            .map(|(folder, _)| folder.to_owned())
            .unwrap_or_default()
    });
    env.add_filter("b64encode", |text: String| STANDARD.encode(text));
    env.add_filter("b64decode", |text: String| {
        STANDARD
            .decode(text.trim())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| wrong("b64decode: not base64 of text"))
    });
    env.add_filter("to_json", |value: Value| {
        serde_json::to_string(&value).map_err(|error| wrong(&error.to_string()))
    });
    env.add_filter("from_json", |text: String| {
        serde_json::from_str::<serde_json::Value>(&text)
            .map(|parsed| Value::from(minijinja::value::Serde(parsed)))
            .map_err(|error| wrong(&format!("from_json: {error}")))
    });
    env.add_filter("quote", |text: String| {
        let plain = !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-./=:,@%+".contains(&b));
        if plain {
            text
        } else {
            format!("'{}'", text.replace('\'', r#"'"'"'"#))
        }
    });
    env.add_filter(
        "ternary",
        |value: Value, yes: Value, no: Value, none: Option<Value>| match none {
            Some(none) if value.is_none() => none,
            _ if value.is_true() => yes,
            _ => no,
        },
    );
    env.add_filter("mandatory", |value: Value| {
        if value.is_undefined() {
            Err(wrong("a mandatory variable is not set"))
        } else {
            Ok(value)
        }
    });
    env.add_filter("regex_replace", regex_replace);
    env.add_filter("regex_search", |text: String, pattern: String| {
        Ok::<_, Error>(
            regex(&pattern)?
                .find(&text)
                .map(|found| found.as_str().to_owned()),
        )
    });
    env.add_filter("hash", |text: String, kind: Option<String>| {
        match kind.as_deref() {
            Some("sha256") => Ok(digest::hex(&digest::of(text.as_bytes()))),
            other => Err(wrong(&format!(
                "hash: only sha256 is known here, not {}",
                other.unwrap_or("sha1")
            ))),
        }
    });
    env.add_filter("combine", combine);
    env.add_filter("bool", |value: Value| match value.as_str() {
        Some(text) => matches!(
            text.to_ascii_lowercase().as_str(),
            "yes" | "on" | "1" | "true" | "t" | "y"
        ),
        None => value.is_true(),
    });
    env.add_function("lookup", lookup);
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.to_owned())
}

fn regex(pattern: &str) -> Result<regex::Regex, Error> {
    regex::Regex::new(pattern)
        .map_err(|_| wrong(&format!("`{pattern}` is not a regular expression")))
}

/// Python writes groups as `\1`, the regex crate as `${1}`.
fn regex_replace(
    text: String,
    pattern: String,
    replacement: Option<String>,
) -> Result<String, Error> {
    let replacement = replacement.unwrap_or_default().replace('$', "$$");
    let groups =
        regex::Regex::new(r"\\(?:g<(\w+)>|(\d+))").map_err(|error| wrong(&error.to_string()))?;
    let replacement = groups.replace_all(&replacement, "$${$1$2}").into_owned();
    Ok(regex(&pattern)?
        .replace_all(&text, replacement.as_str())
        .into_owned())
}

fn combine(
    value: Value,
    others: minijinja::value::Rest<Value>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let recursive: bool = kwargs.get::<Option<bool>>("recursive")?.unwrap_or(false);
    kwargs.assert_all_used()?;
    others
        .iter()
        .try_fold(value, |merged, other| merge(&merged, other, recursive))
}

fn merge(one: &Value, other: &Value, recursive: bool) -> Result<Value, Error> {
    let mut merged: indexmap::IndexMap<String, Value> = indexmap::IndexMap::new();
    for (source, second) in [(one, false), (other, true)] {
        for key in source.try_iter()? {
            let item = source.get_item(&key)?;
            let name = key.to_string();
            let both_maps = |before: &Value| {
                before.kind() == minijinja::value::ValueKind::Map
                    && item.kind() == minijinja::value::ValueKind::Map
            };
            let item = match merged.get(&name) {
                Some(before) if second && recursive && both_maps(before) => {
                    merge(before, &item, true)?
                }
                _ => item,
            };
            merged.insert(name, item);
        }
    }
    Ok(Value::from_pairs(merged))
}

fn lookup(kind: &str, name: &str, kwargs: Kwargs) -> Result<String, Error> {
    let default: Option<String> = kwargs.get("default")?;
    kwargs.assert_all_used()?;
    match kind {
        "env" | "ansible.builtin.env" => {
            Ok(std::env::var(name).ok().or(default).unwrap_or_default())
        }
        "file" | "ansible.builtin.file" => std::fs::read_to_string(name)
            .map(|text| text.trim_end().to_owned())
            .map_err(|error| wrong(&format!("lookup file {name}: {error}"))),
        other => Err(wrong(&format!(
            "lookup `{other}` is not there; env and file are"
        ))),
    }
}
