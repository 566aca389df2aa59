//! JSON as Python's `json.dumps(..., sort_keys=True)` writes it: what results are shown as.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// On one line, or with an indent of four.
pub(super) fn write(value: &Value, pretty: bool) -> String {
    let mut text = String::new();
    into(&mut text, value, pretty.then_some(0));
    text
}

fn into(text: &mut String, value: &Value, indent: Option<usize>) {
    match value {
        Value::Array(items) if items.is_empty() => text.push_str("[]"),
        Value::Object(map) if map.is_empty() => text.push_str("{}"),
        Value::Array(items) => {
            let inner = indent.map(|depth| depth + 1);
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(text, at, inner);
                into(text, item, inner);
            }
            end(text, indent);
            text.push(']');
        }
        Value::Object(map) => object(text, map, indent),
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

fn object(text: &mut String, map: &Map<String, Value>, indent: Option<usize>) {
    let inner = indent.map(|depth| depth + 1);
    let mut entries: Vec<(&String, &Value)> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    text.push('{');
    for (at, (key, value)) in entries.into_iter().enumerate() {
        separate(text, at, inner);
        let _ = write!(text, "{}: ", Value::String(key.clone()));
        into(text, value, inner);
    }
    end(text, indent);
    text.push('}');
}

fn separate(text: &mut String, at: usize, indent: Option<usize>) {
    match (at, indent) {
        (0, None) => {}
        (_, None) => text.push_str(", "),
        (at, Some(depth)) => {
            if at > 0 {
                text.push(',');
            }
            let _ = write!(text, "\n{:width$}", "", width = depth * 4);
        }
    }
}

fn end(text: &mut String, indent: Option<usize>) {
    if let Some(depth) = indent {
        let _ = write!(text, "\n{:width$}", "", width = depth * 4);
    }
}

#[cfg(test)]
mod tests {
    use super::write;
    use serde_json::json;

    #[test]
    fn json_looks_as_pythons() {
        let value = json!({"b": [1, {"x": "中\n"}], "a": {}, "c": [true, null, 1.5]});
        assert_eq!(
            write(&value, false),
            r#"{"a": {}, "b": [1, {"x": "中\n"}], "c": [true, null, 1.5]}"#
        );
        assert_eq!(
            write(&json!({"msg": ["a", {"b": 1}]}), true),
            "{\n    \"msg\": [\n        \"a\",\n        {\n            \"b\": 1\n        }\n    ]\n}"
        );
    }
}
