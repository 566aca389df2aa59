//! Filters between values and their written forms: JSON, YAML, queries.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::super::args::Args;
use super::super::convert;
use super::super::error::{Fail, fail, failure};
use super::super::eval::undefined;
use super::super::python;
use super::super::val::{Key, Val};
use super::{Filter, deep};
use crate::base::yaml;

pub(super) const ALL: &[Filter] = &[
    deep(
        "to_json",
        "value vault_to_text preprocess_unsafe sort_keys indent ensure_ascii separators **",
        |args| json(args, false),
    ),
    deep("tojson", "value indent", |args| {
        let mut out = String::new();
        let style = Style {
            indent: args.some(1).map(|_| args.count(1, 0)).transpose()?,
            sort: true,
            ascii: true,
            comma: ", ",
        };
        write_json(args.input()?, style, 0, &mut out)?;
        Ok(Val::from(
            out.replace('<', "\\u003c")
                .replace('>', "\\u003e")
                .replace('&', "\\u0026")
                .replace('\'', "\\u0027"),
        ))
    }),
    deep(
        "to_nice_json",
        "value vault_to_text preprocess_unsafe sort_keys indent ensure_ascii separators **",
        |args| json(args, true),
    ),
    deep("from_json", "value profile **", from_json),
    deep(
        "to_yaml",
        "value default_flow_style vault_behavior indent width sort_keys **",
        |args| super::yaml_out::filter(args, false),
    ),
    deep(
        "to_nice_yaml",
        "value default_flow_style vault_behavior indent width sort_keys **",
        |args| super::yaml_out::filter(args, true),
    ),
    deep("from_yaml", "data", |args| match args.input()? {
        Val::Str(text) => parse_yaml(args, text),
        other => Ok(other.clone()),
    }),
    deep("from_yaml_all", "data", from_yaml_all),
    deep("json_query", "data expr", json_query),
];

#[derive(Clone, Copy)]
struct Style {
    indent: Option<usize>,
    sort: bool,
    ascii: bool,
    comma: &'static str,
}

fn json(args: &Args<'_>, nice: bool) -> Result<Val, Fail> {
    let indent = match args.some(4) {
        Some(_) => Some(args.count(4, 4)?.min(64)),
        None => nice.then_some(4),
    };
    let style = Style {
        indent,
        sort: args.flag(3, nice),
        ascii: args.flag(5, true),
        comma: if indent.is_some() { "," } else { ", " },
    };
    let mut out = String::new();
    write_json(args.input()?, style, 0, &mut out)?;
    if let Some(separators) = args.some(6) {
        let separators = args.cx.items(separators)?;
        let compact = separators.first().and_then(Val::as_str) == Some(",")
            && separators.get(1).and_then(Val::as_str) == Some(":");
        if compact && indent.is_none() {
            out.clear();
            compact_json(args.input()?, style, &mut out)?;
        }
    }
    args.cx.run.memory(out.len())?;
    Ok(Val::from(out))
}

fn compact_json(value: &Val, style: Style, out: &mut String) -> Result<(), Fail> {
    let mut spaced = String::new();
    write_json(
        value,
        Style {
            indent: Some(0),
            comma: ",",
            ..style
        },
        0,
        &mut spaced,
    )?;
    // Line ends stand between members only: within text they are escaped.
    out.push_str(&spaced.replace('\n', "").replace("\": ", "\":"));
    Ok(())
}

fn write_json(value: &Val, style: Style, level: usize, out: &mut String) -> Result<(), Fail> {
    match value {
        Val::Undefined(why) => return Err(undefined(why)),
        Val::None => out.push_str("null"),
        Val::Bool(yes) => _ = write!(out, "{yes}"),
        Val::Int(number) => _ = write!(out, "{number}"),
        Val::Float(number) => out.push_str(&match python::float_text(*number).as_str() {
            "inf" => "Infinity".to_owned(),
            "-inf" => "-Infinity".to_owned(),
            "nan" => "NaN".to_owned(),
            text => text.to_owned(),
        }),
        Val::Str(text) => json_string(text, style.ascii, out),
        Val::List(_) | Val::Tuple(_) => {
            let items = python::items(value)?;
            between(
                items.len(),
                ['[', ']'],
                style,
                level,
                out,
                |at, out| match items.get(at) {
                    Some(item) => write_json(item, style, level + 1, out),
                    None => Ok(()),
                },
            )?;
        }
        Val::Dict(dict) => {
            let mut entries: Vec<(Arc<str>, Val)> = dict
                .read()
                .iter()
                .map(|(Key(key), value)| Ok((json_key(key)?, value.clone())))
                .collect::<Result<_, Fail>>()?;
            if style.sort {
                entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            }
            between(entries.len(), ['{', '}'], style, level, out, |at, out| {
                if let Some((key, value)) = entries.get(at) {
                    json_string(key, style.ascii, out);
                    out.push_str(": ");
                    write_json(value, style, level + 1, out)?;
                }
                Ok(())
            })?;
        }
        other => match python::text(other) {
            Ok(text) if other.type_name() == "datetime" => {
                json_string(&text.replace(' ', "T"), style.ascii, out);
            }
            _ => {
                return fail(format!(
                    "Object of type {} is not JSON serializable",
                    other.type_name()
                ));
            }
        },
    }
    Ok(())
}

fn between(
    count: usize,
    marks: [char; 2],
    style: Style,
    level: usize,
    out: &mut String,
    mut write: impl FnMut(usize, &mut String) -> Result<(), Fail>,
) -> Result<(), Fail> {
    out.push(marks[0]);
    let line = |level: usize, out: &mut String| {
        if let Some(indent) = style.indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * level));
        }
    };
    for at in 0..count {
        if at > 0 {
            out.push_str(style.comma);
        }
        line(level + 1, out);
        write(at, out)?;
    }
    if count > 0 {
        line(level, out);
    }
    out.push(marks[1]);
    Ok(())
}

fn json_key(key: &Val) -> Result<Arc<str>, Fail> {
    Ok(match key {
        Val::None => Arc::from("null"),
        Val::Bool(yes) => Arc::from(yes.to_string()),
        Val::Tuple(_) => return fail("keys must be str, int, float, bool or None, not tuple"),
        other => python::text(other)?,
    })
}

fn json_string(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            c if (c as u32) < 0x20 => _ = write!(out, "\\u{:04x}", c as u32),
            c if c.is_ascii() || !ascii => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

fn from_json(args: &Args<'_>) -> Result<Val, Fail> {
    let Val::Str(text) = args.input()? else {
        return fail(format!(
            "the JSON object must be str, bytes or bytearray, not {}",
            args.input()?.type_name()
        ));
    };
    args.cx.run.memory(text.len().saturating_mul(8))?;
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(parsed) => Ok(of_json(&parsed)),
        Err(error) => {
            let message = error.to_string();
            let expected = [
                "expected value",
                "expected ident",
                "EOF while parsing a value",
            ];
            if expected.iter().any(|what| message.starts_with(what)) {
                return fail(format!(
                    "Expecting value: line {} column 1 (char 0)",
                    error.line().max(1)
                ));
            }
            fail(message)
        }
    }
}

/// A parsed document as a value.
pub(in super::super) fn of_json(value: &serde_json::Value) -> Val {
    match value {
        serde_json::Value::Null => Val::None,
        serde_json::Value::Bool(yes) => Val::Bool(*yes),
        serde_json::Value::Number(number) => match number.as_i128() {
            Some(whole) => Val::Int(whole),
            None => number.as_f64().map_or(Val::None, Val::Float),
        },
        serde_json::Value::String(text) => Val::str(text),
        serde_json::Value::Array(items) => Val::list(items.iter().map(of_json).collect()),
        serde_json::Value::Object(members) => Val::dict(
            members
                .iter()
                .map(|(key, value)| (Key::from(&**key), of_json(value)))
                .collect(),
        ),
    }
}

fn parse_yaml(args: &Args<'_>, text: &str) -> Result<Val, Fail> {
    args.cx.run.memory(text.len().saturating_mul(8))?;
    let node = yaml::parse(text, Path::new("<unicode string>"))
        .map_err(|diagnostic| failure(diagnostic.to_string()))?;
    let value = plain(&node.value());
    Ok(convert::to_val(
        &value,
        args.cx.scope,
        &Arc::from("from_yaml"),
    ))
}

/// What is parsed from a value's text is no template and no vault.
fn plain(value: &crate::base::value::Value) -> crate::base::value::Value {
    use crate::base::value::Value;
    match value {
        Value::String(text) | Value::Vault(text) => Value::Unsafe(text.clone()),
        Value::List(items) => Value::List(items.iter().map(plain).collect()),
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(key, item)| (key.clone(), plain(item)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn from_yaml_all(args: &Args<'_>) -> Result<Val, Fail> {
    let Val::Str(text) = args.input()? else {
        return Ok(args.input()?.clone());
    };
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line == "---" || line.starts_with("--- ") {
            documents.push(String::new());
        }
        if line == "..." {
            continue;
        }
        if let Some(last) = documents.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    // What stands before the first mark is a document only where there is something.
    if documents.len() > 1
        && documents
            .first()
            .is_some_and(|first| first.trim().is_empty())
    {
        documents.remove(0);
    }
    let documents = documents.iter().map(|document| parse_yaml(args, document));
    Ok(Val::list(documents.collect::<Result<_, _>>()?))
}

fn json_query(args: &Args<'_>) -> Result<Val, Fail> {
    let query = args.text(1)?;
    let compiled = jmespath::compile(&query).map_err(|error| {
        failure(format!(
            "JMESPathError in json_query filter plugin: {error}"
        ))
    })?;
    let mut document = String::new();
    let style = Style {
        indent: None,
        sort: false,
        ascii: false,
        comma: ", ",
    };
    write_json(args.input()?, style, 0, &mut document)?;
    args.cx.run.memory(document.len().saturating_mul(8))?;
    let data = jmespath::Variable::from_json(&document).map_err(failure)?;
    let found = compiled.search(data).map_err(|error| {
        failure(format!(
            "JMESPathError in json_query filter plugin: {error}"
        ))
    })?;
    let found = serde_json::to_value(&*found).map_err(|error| failure(error.to_string()))?;
    Ok(of_json(&found))
}
