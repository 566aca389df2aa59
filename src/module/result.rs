//! From a record to a result under Ansible's names. What comes from a host is never a template.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::call::{Call, Said};
use crate::base::text::{self, Charset};
use crate::base::value::{Map, Value};
use crate::shell::record::{Field, Kind, Record};

/// How long a field of JSON may be, in bytes.
const JSON_MAX: usize = 8 << 20;

/// How deep a record's paths may lead.
const DEPTH_MAX: usize = 16;

/// The result of a call.
pub(super) fn of(call: &Call, said: &Said) -> Map {
    let charset = said.charset(call.situation.charset);
    let mut result = call.known.clone();
    result.extend(call.answering.result());
    read(&said.record, charset, &mut result);
    let abrupt = said.exit.is_some_and(|exit| exit != 0) && !result.contains_key("failed");
    if !said.record.ended || abrupt {
        died(said, charset, &mut result);
    }
    if !result.contains_key("changed") {
        result.insert("changed".into(), Value::Bool(false));
    }
    result
}

/// Gives outputs their lines.
pub(super) fn lines(result: &mut Map) {
    for (stream, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if let Some(text) = result.get(stream).and_then(Value::as_str) {
            let split = text
                .lines()
                .map(|line| Value::Unsafe(line.into()))
                .collect();
            result.insert(lines.into(), Value::List(split));
        }
    }
}

/// The program did not come to its end: a tool it leans on is missing, or it was killed.
fn died(said: &Said, charset: Charset, result: &mut Map) {
    let stderr = text::decode(&said.stderr, charset).text;
    let noise = text::decode(&said.record.noise, charset).text;
    let last = stderr
        .lines()
        .chain(noise.lines())
        .rfind(|line| !line.trim().is_empty());
    let message = match (last, said.exit) {
        (Some(line), _) => format!("the module's program ended early: {}", line.trim()),
        (None, Some(exit)) => format!("the module's program ended early, with status {exit}"),
        (None, None) => "the module's program ended early".to_owned(),
    };
    result.insert("failed".into(), Value::Bool(true));
    if said.record.field("msg").is_none() {
        result.insert("msg".into(), Value::Unsafe(message.into()));
    }
    result.insert("module_stderr".into(), Value::Unsafe(stderr.into()));
    result.insert("module_stdout".into(), Value::Unsafe(noise.into()));
}

/// Reads a record's fields into a mapping.
fn read(record: &Record, charset: Charset, into: &mut Map) {
    for field in &record.fields {
        let path: Vec<&str> = field.name.split('/').collect();
        if path.len() <= DEPTH_MAX && path.first() != Some(&"ioms") {
            let value = value(field, charset);
            place(into, &path, value);
        }
    }
}

fn value(field: &Field, charset: Charset) -> Value {
    let plain = || std::str::from_utf8(&field.bytes).unwrap_or_default().trim();
    match field.kind {
        Kind::Text => Value::Unsafe(text::decode(&field.bytes, charset).text.into()),
        Kind::Utf8 => Value::Unsafe(String::from_utf8_lossy(&field.bytes).into()),
        Kind::Bool => Value::Bool(&field.bytes[..] == b"1"),
        Kind::Int => plain().parse().map_or(Value::Null, Value::Int),
        Kind::Float => plain().parse().map_or(Value::Null, Value::Float),
        Kind::Null => Value::Null,
        // Values take many times the room of their text.
        Kind::Json if field.bytes.len() > JSON_MAX => Value::Null,
        Kind::Json => {
            serde_json::from_slice(&field.bytes).map_or(Value::Null, |json| Value::from_json(&json))
        }
        Kind::Bytes => Value::Unsafe(STANDARD.encode(&field.bytes).into()),
    }
}

/// Puts a value at its path. What is in the way of it is replaced.
fn place(map: &mut Map, path: &[&str], value: Value) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    let slot = map.entry(Arc::from(*name)).or_insert(Value::Null);
    into(slot, rest, value);
}

fn into(slot: &mut Value, path: &[&str], value: Value) {
    let Some(first) = path.first() else {
        *slot = value;
        return;
    };
    if matches!(*first, "+" | "-") {
        if !matches!(slot, Value::List(_)) {
            *slot = Value::List(Vec::new());
        }
        if let Value::List(items) = slot {
            if *first == "+" || items.is_empty() {
                items.push(Value::Null);
            }
            if let Some(last) = items.last_mut() {
                into(last, path.get(1..).unwrap_or_default(), value);
            }
        }
        return;
    }
    if !matches!(slot, Value::Map(_)) {
        *slot = Value::Map(Map::new());
    }
    if let Value::Map(map) = slot {
        place(map, path, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::record::RecordReader;

    #[test]
    fn paths_make_mappings_and_lists() {
        let mut reader = RecordReader::new("M", 1000);
        let said = "M stat/exists b 1\n1\nM files/+/path s 2\n/a\nM files/-/size i 1\n7\nM files/+/path s 2\n/b\n\
                    M names/+ s 1\nx\nM names/+ s 1\ny\nM facts j 7\n{\"a\":1}\nM end\n";
        reader.take(said.as_bytes()).unwrap();
        let mut map = Map::new();
        read(&reader.finish(), Charset::UTF_8, &mut map);
        assert_eq!(
            Value::Map(map).to_json(),
            serde_json::json!({
                "stat": {"exists": true},
                "files": [{"path": "/a", "size": 7}, {"path": "/b"}],
                "names": ["x", "y"],
                "facts": {"a": 1},
            })
        );
    }
}
