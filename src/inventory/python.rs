//! What Python makes of a value: INI inventories are read with `ast.literal_eval`.

use std::sync::Arc;

use crate::base::value::{Map, Value};

/// Reads a value as Ansible's INI reader does: a Python literal where it is one, else text.
pub(super) fn literal(text: &str) -> Value {
    let mut reader = Reader {
        rest: text.trim_start_matches([' ', '\t']),
        depth: 0,
    };
    match reader.top() {
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
        self.rest = self.rest.trim_start_matches([' ', '\t', '\u{c}']);
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

    /// A value, or a tuple that needs no brackets: `80, 443`.
    fn top(&mut self) -> Option<Value> {
        let first = self.value()?;
        if self.at_end() {
            return Some(first);
        }
        let mut items = vec![first];
        while self.eat(',') {
            if self.at_end() {
                break;
            }
            items.push(self.value()?);
        }
        Some(Value::List(items))
    }

    fn value(&mut self) -> Option<Value> {
        self.skip();
        self.depth += 1;
        if self.depth > 32 {
            return None;
        }
        let value = match self.rest.chars().next()? {
            '[' => self.sequence('[', ']'),
            '(' => self.sequence('(', ')'),
            '{' => self.mapping(),
            _ if self.string_start().is_some() => self.strings(),
            _ if self.rest.starts_with("set()") => {
                self.rest = self.rest.strip_prefix("set()")?;
                Some(Value::List(Vec::new()))
            }
            _ => self.atom(),
        };
        self.depth -= 1;
        value
    }

    /// The prefix of a string that begins here: `r`, `b`, `u` or nothing.
    fn string_start(&self) -> Option<usize> {
        let prefix = self
            .rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .filter(|length| *length <= 2)?;
        let (letters, rest) = self.rest.split_at(prefix);
        let known = matches!(
            letters.to_ascii_lowercase().as_str(),
            "" | "r" | "u" | "b" | "br" | "rb"
        );
        (known && rest.starts_with(['\'', '"'])).then_some(prefix)
    }

    /// One or more strings beside each other, which Python joins.
    fn strings(&mut self) -> Option<Value> {
        let mut text = String::new();
        let mut bytes = None;
        while let Some(prefix) = self.string_start() {
            let (letters, rest) = self.rest.split_at(prefix);
            let letters = letters.to_ascii_lowercase();
            // Text and bytes don't join.
            if *bytes.get_or_insert(letters.contains('b')) != letters.contains('b') {
                return None;
            }
            self.rest = rest;
            self.string(letters.contains('r'), letters.contains('b'), &mut text)?;
            self.skip();
        }
        Some(Value::string(text))
    }

    fn string(&mut self, raw: bool, bytes: bool, text: &mut String) -> Option<()> {
        let quote = self.rest.get(..1)?;
        let triple = quote.repeat(3);
        let end = if self.rest.starts_with(&triple) {
            triple.as_str()
        } else {
            quote
        };
        self.rest = self.rest.get(end.len()..)?;
        loop {
            if let Some(rest) = self.rest.strip_prefix(end) {
                self.rest = rest;
                return Some(());
            }
            let mut chars = self.rest.chars();
            match chars.next()? {
                '\\' if raw => {
                    text.push('\\');
                    text.push(chars.next()?);
                }
                '\\' => {
                    self.rest = chars.as_str();
                    self.escape(bytes, text)?;
                    continue;
                }
                c if bytes && !c.is_ascii() => return None,
                c => text.push(c),
            }
            self.rest = chars.as_str();
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self, bytes: bool, text: &mut String) -> Option<()> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        let digits = match c {
            'x' => 2,
            'u' if !bytes => 4,
            'U' if !bytes => 8,
            '0'..='7' => {
                let end = self
                    .rest
                    .find(|c: char| !c.is_digit(8))
                    .unwrap_or(self.rest.len())
                    .min(2);
                let (more, rest) = self.rest.split_at(end);
                self.rest = rest;
                let code = u32::from_str_radix(&format!("{c}{more}"), 8).ok()?;
                text.push(char::from_u32(code)?);
                return Some(());
            }
            // A name of Unicode: nobody writes it; the value stays text.
            'N' if !bytes => return None,
            _ => {
                match c {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'a' => text.push('\u{7}'),
                    'b' => text.push('\u{8}'),
                    'f' => text.push('\u{c}'),
                    'v' => text.push('\u{b}'),
                    '\n' => {}
                    '\\' | '\'' | '"' => text.push(c),
                    c => text.extend(['\\', c]),
                }
                return Some(());
            }
        };
        let hex = self.rest.get(..digits)?;
        hex.chars().all(|c| c.is_ascii_hexdigit()).then_some(())?;
        text.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
        self.rest = self.rest.get(digits..)?;
        Some(())
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

    /// A mapping, or a set, of which Ansible makes a list.
    fn mapping(&mut self) -> Option<Value> {
        self.eat('{');
        let mut map = Map::new();
        let mut set: Vec<Value> = Vec::new();
        loop {
            if self.eat('}') {
                return Some(if set.is_empty() {
                    Value::Map(map)
                } else {
                    Value::List(set)
                });
            }
            let key = self.value()?;
            if map.is_empty() && !self.eat(':') {
                if !set.contains(&key) {
                    set.push(key);
                }
            } else {
                let colon = map.is_empty() || self.eat(':');
                (colon && set.is_empty()).then_some(())?;
                map.insert(key_text(&key)?, self.value()?);
            }
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
            "..." => Value::string("..."),
            atom => number(atom)?,
        };
        self.rest = rest;
        Some(value)
    }
}

/// A key as JSON has it.
fn key_text(value: &Value) -> Option<Arc<str>> {
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Int(number) => Arc::from(number.to_string()),
        Value::Float(number) => Arc::from(crate::base::python::float(*number)),
        Value::Bool(true) => Arc::from("true"),
        Value::Bool(false) => Arc::from("false"),
        Value::Null => Arc::from("null"),
        _ => return None,
    })
}

fn number(atom: &str) -> Option<Value> {
    let (negative, digits) = match atom.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, atom.strip_prefix('+').unwrap_or(atom)),
    };
    digits
        .starts_with(|c: char| c.is_ascii_digit() || c == '.')
        .then_some(())?;
    // Python wants a digit on both sides of `_`.
    let single = digits.split('_').enumerate().all(|(at, part)| {
        let before = at == 0 || part.starts_with(|c: char| c.is_ascii_hexdigit());
        before && part.ends_with(|c: char| c.is_ascii_hexdigit() || c == '.' || c == 'x')
    });
    if digits.contains('_') && !single {
        return None;
    }
    let clean = digits.replace('_', "").to_ascii_lowercase();
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((clean.strip_prefix(prefix)?, radix)));
    let sign = if negative { -1 } else { 1 };
    if let Some((digits, radix)) = radix {
        let plain = digits.starts_with(|c: char| c.is_ascii_hexdigit());
        let value = plain.then(|| i64::from_str_radix(digits, radix).ok())??;
        return Some(Value::Int(sign * value));
    }
    if clean.chars().all(|c| c.is_ascii_digit()) {
        // `0644` is no Python number: it stays text, as in Ansible.
        if clean.len() > 1 && clean.starts_with('0') && !clean.trim_matches('0').is_empty() {
            return None;
        }
        return clean
            .parse::<i64>()
            .ok()
            .map(|value| Value::Int(sign * value));
    }
    let float = clean
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | '+' | '-'));
    let value: f64 = float.then(|| clean.parse().ok())??;
    Some(Value::Float(if negative { -value } else { value }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list<const N: usize>(items: [Value; N]) -> Value {
        Value::List(items.into())
    }

    #[test]
    fn values_are_python_literals_or_text() {
        let int = Value::Int;
        let text = |text: &str| Value::string(text);
        let table = [
            ("1", int(1)),
            ("-1", int(-1)),
            ("--1", text("--1")),
            ("0644", text("0644")),
            ("00", int(0)),
            ("0x10", int(16)),
            ("0x_1", int(1)),
            ("0x", text("0x")),
            ("1_000", int(1000)),
            ("1__0", text("1__0")),
            ("1.5", Value::Float(1.5)),
            (".5e1", Value::Float(5.0)),
            ("True", Value::Bool(true)),
            ("true", text("true")),
            ("yes", text("yes")),
            ("None", Value::Null),
            ("'a b'", text("a b")),
            ("'a' \"b\"", text("ab")),
            (r"r'\d'", text(r"\d")),
            ("b'x'", text("x")),
            (r"'\x41\u4e3b\101'", text("A主A")),
            ("'''it's'''", text("it's")),
            ("10.0.0.1", text("10.0.0.1")),
            ("1 # one", int(1)),
            ("a # b", text("a # b")),
            ("[1, 'a']", list([int(1), text("a")])),
            ("(1,)", list([int(1)])),
            ("80,443", list([int(80), int(443)])),
            ("80,", list([int(80)])),
            ("a,b", text("a,b")),
            ("{1, 2, 1}", list([int(1), int(2)])),
            ("{1: 2, 3}", text("{1: 2, 3}")),
            ("{'a': {'b': 1}}", {
                let inner = Map::from_iter([(Arc::from("b"), int(1))]);
                Value::Map(Map::from_iter([(Arc::from("a"), Value::Map(inner))]))
            }),
            ("{{ x }}", text("{{ x }}")),
            ("", text("")),
        ];
        for (text, expected) in table {
            assert_eq!(literal(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}", literal_like in "[-'\"\\\\rbx0-9a-f_.,:(){}\\[\\] ]{0,40}") {
            let _ = literal(&text);
            let _ = literal(&literal_like);
        }
    }
}
