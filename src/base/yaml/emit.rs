//! Writing YAML that readers of YAML 1.1 and of 1.2 read the same: text that either would take for
//! something else (`yes`, `0644`, `1:30`, `1e3`) stands in quotes.

use std::fmt::Write as _;

use super::scalar::resolve;
use crate::base::value::Value;

/// Writes a value, the entries of mappings indented by two.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::List(items) if !items.is_empty() => list(items, 0, &mut text),
        Value::Map(map) if !map.is_empty() => mapping(map, 0, &mut text),
        other => {
            scalar(other, 0, &mut text);
            text.push('\n');
        }
    }
    text
}

fn mapping(map: &crate::base::value::Map, indent: usize, text: &mut String) {
    for (at, (key, value)) in map.iter().enumerate() {
        // The first stands where the writer is, behind a dash perhaps.
        pad(if at > 0 { indent } else { 0 }, text);
        text.push_str(&inline(key));
        text.push(':');
        match value {
            Value::List(items) if !items.is_empty() => {
                text.push('\n');
                pad(indent, text);
                list(items, indent, text);
            }
            Value::Map(map) if !map.is_empty() => {
                text.push('\n');
                pad(indent + 2, text);
                mapping(map, indent + 2, text);
            }
            other => {
                text.push(' ');
                scalar(other, indent + 2, text);
                text.push('\n');
            }
        }
    }
}

fn list(items: &[Value], indent: usize, text: &mut String) {
    for (at, item) in items.iter().enumerate() {
        pad(if at > 0 { indent } else { 0 }, text);
        text.push_str("- ");
        match item {
            Value::List(items) if !items.is_empty() => list(items, indent + 2, text),
            Value::Map(map) if !map.is_empty() => mapping(map, indent + 2, text),
            other => {
                scalar(other, indent + 2, text);
                text.push('\n');
            }
        }
    }
}

fn pad(indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', indent));
}

fn scalar(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Null | Value::Omit => text.push_str("null"),
        Value::Bool(yes) => _ = write!(text, "{yes}"),
        Value::Int(number) => _ = write!(text, "{number}"),
        Value::Float(number) => text.push_str(&float(*number)),
        Value::String(inner) => string(inner, indent, text),
        Value::Unsafe(inner) => {
            text.push_str("!unsafe ");
            string(inner, indent, text);
        }
        Value::Vault(inner) => {
            text.push_str("!vault ");
            string(inner, indent, text);
        }
        Value::List(_) => text.push_str("[]"),
        Value::Map(_) => text.push_str("{}"),
    }
}

/// A number with a point that YAML 1.1 reads: it wants the point, and a sign in the exponent.
fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{mantissa}{point}e{sign}{exponent}")
        }
        None => text,
    }
}

/// Text: as it is, over several lines, or in quotes.
fn string(inner: &str, indent: usize, text: &mut String) {
    if !fits_block(inner) {
        text.push_str(&inline(inner));
        return;
    }
    let body = inner.trim_end_matches('\n');
    text.push_str(match inner.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    // All line ends but the last, which whoever called writes.
    let shown = inner.strip_suffix('\n').unwrap_or(inner);
    for line in shown.split('\n') {
        text.push('\n');
        if !line.is_empty() {
            pad(indent, text);
            text.push_str(line);
        }
    }
}

/// Whether text can stand as a block of lines.
fn fits_block(inner: &str) -> bool {
    let odd = |c: char| c.is_control() && c != '\n' || "\u{feff}\u{2028}\u{2029}".contains(c);
    let first = inner.chars().next();
    inner.trim_end_matches('\n').contains('\n')
        && !first.is_some_and(char::is_whitespace)
        && !inner.contains(odd)
        && !inner.lines().any(|line| line.ends_with(' '))
}

/// Text on one line.
fn inline(inner: &str) -> String {
    if is_plain(inner) {
        return inner.to_owned();
    }
    if !inner.contains(|c: char| c.is_control() || "\u{feff}\u{2028}\u{2029}".contains(c)) {
        return format!("'{}'", inner.replace('\'', "''"));
    }
    let mut text = String::from("\"");
    for c in inner.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c if c.is_control() || "\u{feff}\u{2028}\u{2029}".contains(c) => {
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// Whether text may stand without quotes: no sign of the syntax, and nothing but text to any reader.
fn is_plain(inner: &str) -> bool {
    let first = |c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '.' | '$' | '+' | '(');
    let inside =
        |c: char| !c.is_control() && (c.is_alphanumeric() || "/_.$+()-=@;^<>~ ".contains(c));
    let colon = |text: &str| text.replace(": ", "\u{0}").replace(" #", "\u{0}");
    inner.starts_with(first)
        && !inner.ends_with([' ', ':'])
        && colon(inner).chars().all(|c| inside(c) || matches!(c, ':' | '#' | '\'' | '"' | '%' | '!'))
        && matches!(resolve(inner), Value::String(_))
        // What readers of YAML 1.2, or careless ones, take for numbers and truths.
        && inner.parse::<f64>().is_err()
        && !matches!(inner, "y" | "Y" | "n" | "N")
        && !looks_numeric(inner)
}

/// `0o17`, `1_000`, `08`, `1:30`, `2026-11-24`: digits and little else.
fn looks_numeric(inner: &str) -> bool {
    let rest = inner.trim_start_matches(['+', '.']);
    let digits = rest.starts_with(|c: char| c.is_ascii_digit());
    let address = rest.split('.').count() == 4 && rest.parse::<std::net::Ipv4Addr>().is_ok();
    let number = |c: char| c.is_ascii_hexdigit() || "_:.xoT+- Z".contains(c);
    digits && !address && rest.chars().all(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::Map;

    /// What a reader of YAML 1.2 that is not ours makes of a text.
    fn read_elsewhere(text: &str) -> serde_json::Value {
        serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
    }

    proptest::proptest! {
        #[test]
        fn other_readers_take_text_for_the_same_text(
            texts in proptest::collection::vec("\\PC{0,12}|[yYnNoOfF01:.e+_~-]{1,6}|[a-z\n ]{0,20}", 1..6),
        ) {
            let items = texts.iter().map(Value::string).collect();
            let map = Map::from_iter([("a".into(), Value::List(items))]);
            let read = read_elsewhere(&document(&Value::Map(map)));
            proptest::prop_assert_eq!(read, serde_json::json!({"a": texts}));
        }
    }

    #[test]
    fn documents_look_as_people_write_them() {
        let of = |entries: &[(&str, Value)]| {
            let entries = entries.iter();
            Value::Map(
                entries
                    .map(|(key, value)| ((*key).into(), value.clone()))
                    .collect::<Map>(),
            )
        };
        let value = of(&[
            ("host", Value::string("10.0.0.1")),
            ("mode", Value::string("0644")),
            ("time", Value::string("1:30")),
            ("yes", Value::string("yes")),
            ("n", Value::Float(1e20)),
            ("note", Value::string("一区: 新服")),
            ("url", Value::string("http://web01:80/a#b")),
            ("text", Value::string("two\nlines\n")),
            ("end", Value::string("two\nlines")),
            (
                "list",
                Value::List(vec![
                    of(&[("a", Value::Null), ("b", Value::List(vec![]))]),
                    Value::List(vec![Value::Int(1), Value::Bool(true)]),
                ]),
            ),
            ("open", Value::Unsafe("{{ x }}".into())),
            (
                "closed",
                Value::Vault("$ANSIBLE_VAULT;1.1;AES256\n6162".into()),
            ),
            ("tab", Value::string("a\tb")),
            ("nothing", of(&[])),
        ]);
        insta::assert_snapshot!(document(&value), @r#"
        host: 10.0.0.1
        mode: '0644'
        time: '1:30'
        'yes': 'yes'
        'n': 1.0e+20
        note: '一区: 新服'
        url: http://web01:80/a#b
        text: |
          two
          lines
        end: |-
          two
          lines
        list:
        - a: null
          b: []
        - - 1
          - true
        open: !unsafe '{{ x }}'
        closed: !vault |-
          $ANSIBLE_VAULT;1.1;AES256
          6162
        tab: "a\tb"
        nothing: {}
        "#);
    }
}
