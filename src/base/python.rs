//! Values as Python prints them: what people know from Ansible.

use std::fmt::Write as _;

use super::secret::MASK;
use super::value::Value;

/// A value as Python's `str` prints it.
pub fn python(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Unsafe(text) => text.to_string(),
        _ => {
            let mut text = String::new();
            repr(value, &mut text);
            text
        }
    }
}

fn repr(value: &Value, text: &mut String) {
    match value {
        Value::Null | Value::Omit => text.push_str("None"),
        Value::Bool(true) => text.push_str("True"),
        Value::Bool(false) => text.push_str("False"),
        Value::Int(number) => _ = write!(text, "{number}"),
        Value::Float(number) => text.push_str(&float(*number)),
        Value::String(inner) | Value::Unsafe(inner) => quote(inner, text),
        Value::Vault(_) => text.push_str(MASK),
        Value::List(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                repr(item, text);
            }
            text.push(']');
        }
        Value::Map(map) => {
            text.push('{');
            for (at, (key, value)) in map.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                quote(key, text);
                text.push_str(": ");
                repr(value, text);
            }
            text.push('}');
        }
    }
}

/// Text in quotes, as Python's `repr` writes it.
fn quote(inner: &str, text: &mut String) {
    let quote = if inner.contains('\'') && !inner.contains('"') {
        '"'
    } else {
        '\''
    };
    text.push(quote);
    for c in inner.chars() {
        match c {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\\' => text.push_str("\\\\"),
            c if c == quote => text.extend(['\\', c]),
            c if c.is_ascii_control() => _ = write!(text, "\\x{:02x}", u32::from(c)),
            c => text.push(c),
        }
    }
    text.push(quote);
}

/// A number with a point as Python writes it: `1.0`, `1e+16`, `inf`.
pub fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => ('-', digits),
                None => ('+', exponent),
            };
            let mantissa = mantissa.strip_suffix(".0").unwrap_or(mantissa);
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::Map;

    #[test]
    fn values_print_as_in_python() {
        let map = Map::from_iter([
            ("a".into(), Value::Null),
            ("b".into(), Value::string("it's")),
        ]);
        let value = Value::List(vec![
            Value::Bool(true),
            Value::Float(1e16),
            Value::Float(0.5),
            Value::string("a\n'\"\\"),
            Value::Map(map),
        ]);
        assert_eq!(
            python(&value),
            r#"[True, 1e+16, 0.5, 'a\n\'"\\', {'a': None, 'b': "it's"}]"#
        );
        assert_eq!(python(&Value::string("it's")), "it's");
    }
}
