//! Bodies of requests: JSON, forms.

use std::fmt::Write as _;
use std::path::Path;

use super::args::display;
use super::call::{Controller, FileKind};
use super::error::ModuleError;
use crate::base::value::{Map, Value};

/// JSON as Python writes it.
pub(super) fn json(value: &serde_json::Value) -> String {
    use serde_json::Value as Json;
    match value {
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| format!("{}: {}", Json::from(key.as_str()), json(value)));
            format!("{{{}}}", entries.collect::<Vec<String>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// A body's bytes, and the type that its format means.
pub(super) fn encode(
    body: &Value,
    format: &str,
    controller: &dyn Controller,
) -> Result<(Vec<u8>, Option<String>), ModuleError> {
    let text = body.as_str().map(|text| text.as_bytes().to_vec());
    Ok(match format {
        "json" => {
            let bytes = text.unwrap_or_else(|| json(&body.to_json()).into_bytes());
            (bytes, Some("application/json".to_owned()))
        }
        "form-urlencoded" => {
            let bytes = match text {
                Some(text) => text,
                None => form(body)?.into_bytes(),
            };
            (bytes, Some("application/x-www-form-urlencoded".to_owned()))
        }
        "form-multipart" => {
            let Value::Map(fields) = body else {
                return Err(ModuleError::of(
                    "body",
                    "a form-multipart body is a mapping",
                ));
            };
            multipart(fields, controller)?
        }
        _ => (text.unwrap_or_else(|| display(body).into_bytes()), None),
    })
}

/// `a=1&b=2`: of a mapping, whose lists are many values, or of a list of pairs.
fn form(body: &Value) -> Result<String, ModuleError> {
    let mut pairs: Vec<(String, &Value)> = Vec::new();
    match body {
        Value::Map(map) => pairs.extend(map.iter().map(|(name, value)| (name.to_string(), value))),
        Value::List(items) => {
            for item in items {
                match item {
                    Value::List(pair) if pair.len() == 2 => {
                        if let [name, value] = pair.as_slice() {
                            pairs.push((display(name), value));
                        }
                    }
                    _ => {
                        return Err(ModuleError::of(
                            "body",
                            "failed to parse body as form_urlencoded: pairs are wanted",
                        ));
                    }
                }
            }
        }
        _ => {
            return Err(ModuleError::of(
                "body",
                "failed to parse body as form_urlencoded",
            ));
        }
    }
    let mut made = Vec::new();
    for (name, value) in pairs {
        let values = match value {
            Value::List(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        made.extend(
            values
                .iter()
                .map(|value| format!("{}={}", plus(&name), plus(&display(value)))),
        );
    }
    Ok(made.join("&"))
}

/// As Python's `quote_plus`.
fn plus(text: &str) -> String {
    let mut made = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                made.push(char::from(byte));
            }
            b' ' => made.push('+'),
            byte => _ = write!(made, "%{byte:02X}"),
        }
    }
    made
}

fn multipart(
    fields: &Map,
    controller: &dyn Controller,
) -> Result<(Vec<u8>, Option<String>), ModuleError> {
    let boundary = format!("{:032x}", rand::random::<u128>());
    let mut made = Vec::new();
    for (name, field) in fields {
        let mut disposition = format!("form-data; name=\"{}\"", header(name));
        let mut kind = None;
        let content = match field {
            Value::Map(map) => {
                let text = |name: &str| map.get(name).and_then(Value::as_str);
                let filename = text("filename");
                if let Some(filename) = filename {
                    let name = Path::new(filename).file_name().unwrap_or_default();
                    let _ = write!(
                        disposition,
                        "; filename=\"{}\"",
                        header(&name.to_string_lossy())
                    );
                    kind = Some("application/octet-stream");
                }
                kind = text("mime_type").or(kind);
                match (text("content"), filename) {
                    (Some(content), _) => content.as_bytes().to_vec(),
                    (None, Some(filename)) => read(filename, controller)?,
                    (None, None) => {
                        return Err(ModuleError::of(
                            "body",
                            format!("`{name}` has neither content nor filename"),
                        ));
                    }
                }
            }
            value => display(value).into_bytes(),
        };
        let kind = kind
            .map(|kind| format!("Content-Type: {}\r\n", header(kind)))
            .unwrap_or_default();
        let head = format!("--{boundary}\r\nContent-Disposition: {disposition}\r\n{kind}\r\n");
        made.extend_from_slice(head.as_bytes());
        made.extend_from_slice(&content);
        made.extend_from_slice(b"\r\n");
    }
    made.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((
        made,
        Some(format!("multipart/form-data; boundary={boundary}")),
    ))
}

fn read(name: &str, controller: &dyn Controller) -> Result<Vec<u8>, ModuleError> {
    let found = controller.file(FileKind::Files, name)?;
    match found.opened {
        Some(bytes) => Ok(bytes.to_vec()),
        None => std::fs::read(&found.path)
            .map_err(|error| ModuleError::of("body", format!("{}: {error}", found.path.display()))),
    }
}

/// What may stand in a header's quotes.
fn header(text: &str) -> String {
    text.replace(['\r', '\n'], " ").replace('"', "%22")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_written_as_python_writes_them() {
        let body = Value::from_json(&serde_json::json!({"a b": "c&d é", "n": [1, 2]}));
        assert_eq!(form(&body).unwrap(), "a+b=c%26d+%C3%A9&n=1&n=2");
        let body = Value::from_json(&serde_json::json!([["a", 1], ["a", "2"]]));
        assert_eq!(form(&body).unwrap(), "a=1&a=2");
    }
}
