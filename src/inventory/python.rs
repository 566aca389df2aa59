//! Two habits of Python that INI inventories rely on: `shlex.split` for host lines and
//! `ast.literal_eval` for values.

use std::sync::Arc;

use crate::base::value::{Map, Value};

/// Splits a line into words as `shlex.split(line, comments=True)` does.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a quote ' is not closed".into()),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err("a quote \" is not closed".into()),
                        },
                        Some(c) => word.push(c),
                        None => return Err("a quote \" is not closed".into()),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Reads a value as Ansible's INI reader does: a Python literal where it is one, else text.
pub(super) fn literal(text: &str) -> Value {
    let mut reader = Reader {
        rest: text.trim(),
        depth: 0,
    };
    match reader.value() {
        Some(value) if reader.at_end() => value,
        _ => Value::string(text),
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn at_end(&mut self) -> bool {
        self.skip();
        // Python takes a comment at the end of the expression.
        self.rest.is_empty() || self.rest.starts_with('#')
    }

    fn eat(&mut self, token: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.skip();
        self.depth += 1;
        if self.depth > 32 {
            return None;
        }
        let value = match self.rest.chars().next()? {
            '\'' | '"' => self.text(),
            '[' => self.sequence('[', ']'),
            '(' => self.sequence('(', ')'),
            '{' => self.mapping(),
            _ => self.atom(),
        };
        self.depth -= 1;
        value
    }

    fn text(&mut self) -> Option<Value> {
        let mut chars = self.rest.char_indices();
        let (_, quote) = chars.next()?;
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.rest = self.rest.get(at + c.len_utf8()..)?;
                    return Some(Value::string(text));
                }
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    c @ ('\\' | '\'' | '"') => text.push(c),
                    c => text.extend(['\\', c]),
                },
                c => text.push(c),
            }
        }
        None
    }

    fn sequence(&mut self, open: char, close: char) -> Option<Value> {
        self.eat(open);
        let mut items: Vec<Value> = Vec::new();
        let mut comma = false;
        loop {
            if self.eat(close) {
                // `(1)` is a number in brackets, `(1,)` a tuple.
                return match (open, items.as_slice(), comma) {
                    ('(', [one], false) => Some(one.clone()),
                    _ => Some(Value::List(items)),
                };
            }
            items.push(self.value()?);
            comma = self.eat(',');
            if !comma {
                self.skip();
                self.rest.starts_with(close).then_some(())?;
            }
        }
    }

    fn mapping(&mut self) -> Option<Value> {
        self.eat('{');
        let mut map = Map::new();
        loop {
            if self.eat('}') {
                return Some(Value::Map(map));
            }
            let key: Arc<str> = match self.value()? {
                Value::String(text) => text,
                Value::Int(number) => Arc::from(number.to_string()),
                Value::Bool(yes) => Arc::from(if yes { "true" } else { "false" }),
                _ => return None,
            };
            self.eat(':').then_some(())?;
            let value = self.value()?;
            map.insert(key, value);
            if !self.eat(',') {
                self.skip();
                self.rest.starts_with('}').then_some(())?;
            }
        }
    }

    fn atom(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | ')' | '}' | ':' | '#'))
            .unwrap_or(self.rest.len());
        let (atom, rest) = self.rest.split_at(end);
        let value = match atom {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::Null,
            atom => number(atom)?,
        };
        self.rest = rest;
        Some(value)
    }
}

fn number(atom: &str) -> Option<Value> {
    let (negative, digits) = match atom.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, atom.strip_prefix('+').unwrap_or(atom)),
    };
    digits
        .starts_with(|c: char| c.is_ascii_digit() || c == '.')
        .then_some(())?;
    if digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let clean = digits.replace('_', "");
    let lower = clean.to_ascii_lowercase();
    let radix = |prefix: &str, radix: u32| {
        lower
            .strip_prefix(prefix)
            .and_then(|rest| i64::from_str_radix(rest, radix).ok())
    };
    let value = radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0b", 2));
    let sign = if negative { -1 } else { 1 };
    if let Some(value) = value {
        return Some(Value::Int(sign * value));
    }
    if clean.chars().all(|c| c.is_ascii_digit()) {
        // `0644` is no Python number: it stays text, as in Ansible.
        if clean.len() > 1 && clean.starts_with('0') && clean.trim_matches('0') != "" {
            return None;
        }
        return clean
            .parse::<i64>()
            .ok()
            .map(|value| Value::Int(sign * value));
    }
    let float = clean
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let value: f64 = float.then(|| clean.parse().ok())??;
    Some(Value::Float(if negative { -value } else { value }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_python_literals_or_text() {
        let table = [
            ("1", Value::Int(1)),
            ("-1", Value::Int(-1)),
            ("0644", Value::string("0644")),
            ("0x10", Value::Int(16)),
            ("1.5", Value::Float(1.5)),
            ("True", Value::Bool(true)),
            ("true", Value::string("true")),
            ("yes", Value::string("yes")),
            ("None", Value::Null),
            ("'a b'", Value::string("a b")),
            ("10.0.0.1", Value::string("10.0.0.1")),
            ("1 # one", Value::Int(1)),
            ("a # b", Value::string("a # b")),
            (
                "[1, 'a']",
                Value::List(vec![Value::Int(1), Value::string("a")]),
            ),
            ("(1,)", Value::List(vec![Value::Int(1)])),
            ("{'a': {'b': 1}}", {
                let inner = Map::from_iter([(Arc::from("b"), Value::Int(1))]);
                Value::Map(Map::from_iter([(Arc::from("a"), Value::Map(inner))]))
            }),
            ("{{ x }}", Value::string("{{ x }}")),
            ("", Value::string("")),
        ];
        for (text, expected) in table {
            assert_eq!(literal(text), expected, "{text}");
        }
    }

    #[test]
    fn words_split_as_in_shlex() {
        let words = split(r#"web a=1 b='x y' c="p \"q\"" d=e\ f # no"#).unwrap();
        assert_eq!(words, ["web", "a=1", "b=x y", "c=p \"q\"", "d=e f"]);
        assert!(split("a='b").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let _ = literal(&text);
            let _ = split(&text);
        }
    }
}
