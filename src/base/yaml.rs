//! YAML as Ansible reads it: YAML 1.1 scalars, `!vault`, `!unsafe`, merge keys; with the place of
//! every node. The only file that knows the YAML crates, which also settles the dialect.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::diag::{Diagnostic, Place};
use super::value::{Map, Value};

/// Nodes of a document, aliases counted each time: bounds documents that expand without end.
const NODES_MAX: usize = 2_000_000;
/// Depth of nesting.
const DEPTH_MAX: usize = 64;

/// A node of a document with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub content: Content,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A scalar, resolved.
    Scalar(Value),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping: key, its place, value.
    Map(Vec<(Key, Node)>),
}

/// A mapping's key.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// As text; keys of other kinds as YAML shows them.
    pub name: Arc<str>,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

impl Node {
    /// The value without places.
    pub fn value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => Value::List(items.iter().map(Node::value).collect()),
            Content::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, node)| (key.name.clone(), node.value()))
                    .collect::<Map>(),
            ),
        }
    }

    /// The entries of a mapping; none of nothing.
    pub fn entries(&self) -> Option<&[(Key, Node)]> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            Content::Scalar(Value::Null) => Some(&[]),
            _ => None,
        }
    }

    /// Its place in `file`.
    pub fn place(&self, file: &Path) -> Place {
        Place::new(file, self.line, self.column)
    }
}

/// Reads one document. `file` is for messages. An empty document is nothing.
pub fn parse(text: &str, file: &Path) -> Result<Node, Box<Diagnostic>> {
    let mut loader = Loader {
        parser: Parser::new_from_str(text),
        file,
        text,
        anchors: HashMap::new(),
        nodes: 0,
    };
    loader.document()
}

/// Writes a value as YAML.
pub fn write(value: &Value) -> String {
    serde_yaml::to_string(&plain(value)).unwrap_or_default()
}

fn plain(value: &Value) -> serde_yaml::Value {
    use serde_yaml::Value as Yaml;
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(yes) => Yaml::Bool(*yes),
        Value::Int(number) => Yaml::from(*number),
        Value::Float(number) => Yaml::from(*number),
        Value::String(text) | Value::Unsafe(text) | Value::Vault(text) => {
            Yaml::String(text.to_string())
        }
        Value::List(items) => Yaml::Sequence(items.iter().map(plain).collect()),
        Value::Map(map) => Yaml::Mapping(
            map.iter()
                .map(|(key, value)| (Yaml::String(key.to_string()), plain(value)))
                .collect(),
        ),
    }
}

struct Loader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    file: &'a Path,
    text: &'a str,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

type Result1<T> = Result<T, Box<Diagnostic>>;

impl<'a> Loader<'a> {
    fn document(&mut self) -> Result1<Node> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                _ if root.is_some() => {
                    return Err(self
                        .error("a second document in one file", span)
                        .help("split the file, or remove the line `---`")
                        .into());
                }
                event => root = Some(self.node(event, span, 0)?),
            }
        }
        Ok(root.unwrap_or(Node {
            content: Content::Scalar(Value::Null),
            line: 1,
            column: 1,
        }))
    }

    fn next(&mut self) -> Result1<(Event<'a>, Span)> {
        match self.parser.next() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => {
                let marker = error.marker();
                let place = Place::new(self.file, number(marker.line()), number(marker.col() + 1));
                Err(Diagnostic::new(error.info().to_lowercase(), place, self.text).into())
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn error(&self, message: impl Into<String>, span: Span) -> Diagnostic {
        let place = Place::new(
            self.file,
            number(span.start.line()),
            number(span.start.col() + 1),
        );
        Diagnostic::new(message, place, self.text)
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result1<Node> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            return Err(self
                .error("the document is too large or nested too deep", span)
                .into());
        }
        let (content, anchor) = match event {
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned();
                let node =
                    node.ok_or_else(|| self.error("an alias inside its own anchor", span))?;
                self.nodes += size(&node);
                if self.nodes > NODES_MAX {
                    return Err(self.error("aliases expand to too much", span).into());
                }
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => (
                Content::Scalar(self.scalar(&text, style, tag.as_deref(), span)?),
                anchor,
            ),
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
                (Content::List(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => (Content::Map(self.mapping(depth)?), anchor),
            _ => return Err(self.error("expected a value", span).into()),
        };
        let node = Node {
            content,
            line: number(span.start.line()),
            column: number(span.start.col() + 1),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn mapping(&mut self, depth: usize) -> Result1<Vec<(Key, Node)>> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut places: HashMap<Arc<str>, u32> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = match self.next()? {
                (Event::MappingEnd, _) => break,
                found => found,
            };
            let merge =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.node(event, span, depth + 1)?;
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span, depth + 1)?;
            if merge {
                merged.extend(self.merged(value, value_span)?);
                continue;
            }
            let Content::Scalar(name) = &key.content else {
                return Err(self.error("a key must be text", span).into());
            };
            let name: Arc<str> = key_text(name);
            if let Some(first) = places.insert(name.clone(), key.line) {
                return Err(self
                    .error(
                        format!("the key `{name}` stands twice in one mapping"),
                        span,
                    )
                    .help(format!("the first is on line {first}; keep one of them"))
                    .into());
            }
            entries.push((
                Key {
                    name,
                    line: key.line,
                    column: key.column,
                },
                value,
            ));
        }
        // What stands in the mapping itself is stronger than what is merged in.
        for (key, value) in merged {
            if places.insert(key.name.clone(), key.line).is_none() {
                entries.push((key, value));
            }
        }
        Ok(entries)
    }

    fn merged(&self, value: Node, span: Span) -> Result1<Vec<(Key, Node)>> {
        match value.content {
            Content::Map(entries) => Ok(entries),
            Content::List(items) => {
                let mut all = Vec::new();
                for item in items {
                    all.extend(self.merged(item, span)?);
                }
                Ok(all)
            }
            Content::Scalar(_) => Err(self.error("`<<` needs a mapping to merge in", span).into()),
        }
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        span: Span,
    ) -> Result1<Value> {
        let name = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
        match name.as_deref() {
            None | Some("!") if style == ScalarStyle::Plain && tag.is_none() => Ok(resolve(text)),
            None | Some("!" | "tag:yaml.org,2002:str") => Ok(Value::string(text)),
            Some("!vault" | "!vault-encrypted") => Ok(Value::Vault(Arc::from(text.trim()))),
            Some("!unsafe") => Ok(Value::Unsafe(Arc::from(text))),
            Some(
                "tag:yaml.org,2002:int"
                | "tag:yaml.org,2002:float"
                | "tag:yaml.org,2002:bool"
                | "tag:yaml.org,2002:null",
            ) => Ok(resolve(text)),
            Some(other) => Err(self
                .error(format!("the tag `{other}` is unknown"), span)
                .help("known are !vault and !unsafe")
                .into()),
        }
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn size(node: &Node) -> usize {
    match &node.content {
        Content::Scalar(_) => 1,
        Content::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Content::Map(entries) => {
            1 + entries
                .iter()
                .map(|(_, node)| 1 + size(node))
                .sum::<usize>()
        }
    }
}

/// A key as text, as Python shows it in Ansible's JSON.
fn key_text(value: &Value) -> Arc<str> {
    match value {
        Value::String(text) | Value::Unsafe(text) | Value::Vault(text) => text.clone(),
        Value::Null => Arc::from("null"),
        Value::Bool(true) => Arc::from("true"),
        Value::Bool(false) => Arc::from("false"),
        Value::Int(number) => Arc::from(number.to_string()),
        Value::Float(number) => Arc::from(number.to_string()),
        Value::List(_) | Value::Map(_) => Arc::from(""),
    }
}

/// Resolves a plain scalar by YAML 1.1's types, as `PyYAML` does: `yes` is true, `0644` is octal,
/// `1_000` a thousand, `1:30` ninety.
pub fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    if numeric {
        if let Some(value) = int(text).or_else(|| float(text)) {
            return value;
        }
    }
    Value::string(text)
}

fn int(text: &str) -> Option<Value> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let of = |digits: &str, radix: u32| {
        let clean: String = digits.chars().filter(|c| *c != '_').collect();
        i64::from_str_radix(&clean, radix).ok()
    };
    let only = |digits: &str, allowed: fn(char) -> bool| {
        !digits.is_empty() && digits.chars().all(|c| c == '_' || allowed(c))
    };
    let value = if let Some(rest) = digits.strip_prefix("0x") {
        only(rest, |c| c.is_ascii_hexdigit()).then(|| of(rest, 16))??
    } else if let Some(rest) = digits.strip_prefix("0b") {
        only(rest, |c| matches!(c, '0' | '1')).then(|| of(rest, 2))??
    } else if digits == "0" {
        0
    } else if let Some(rest) = digits.strip_prefix('0') {
        only(rest, |c| c.is_digit(8)).then(|| of(rest, 8))??
    } else if digits.contains(':') {
        let mut total: i64 = 0;
        for (index, part) in digits.split(':').enumerate() {
            let number = only(part, |c| c.is_ascii_digit()).then(|| of(part, 10))??;
            if index > 0 && (number > 59 || part.len() > 2) {
                return None;
            }
            total = total.checked_mul(60)?.checked_add(number)?;
        }
        total
    } else {
        digits
            .starts_with(|c: char| c.is_ascii_digit())
            .then_some(())?;
        only(digits, |c| c.is_ascii_digit()).then(|| of(digits, 10))??
    };
    Some(Value::Int(sign * value))
}

fn float(text: &str) -> Option<Value> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let negative = text.starts_with('-');
    let signed = |number: f64| Some(Value::Float(if negative { -number } else { number }));
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return signed(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(Value::Float(f64::NAN)),
        _ => {}
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, ""));
    let has_exponent = mantissa.len() < unsigned.len();
    // YAML 1.1: a point is needed, and an exponent has a sign.
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '_');
    let (whole, fraction) = mantissa.split_once('.')?;
    let exponent_ok = !has_exponent
        || exponent
            .strip_prefix(['+', '-'])
            .is_some_and(|rest| !rest.is_empty() && digits(rest));
    if !digits(whole)
        || !digits(fraction)
        || !exponent_ok
        || (whole.is_empty() && fraction.is_empty())
    {
        return None;
    }
    let clean: String = unsigned.chars().filter(|c| *c != '_').collect();
    signed(clean.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        parse(text, Path::new("t.yml")).unwrap().value()
    }

    fn error(text: &str) -> String {
        parse(text, Path::new("t.yml")).unwrap_err().to_string()
    }

    #[test]
    fn scalars_are_those_of_yaml_1_1() {
        let table = [
            ("yes", Value::Bool(true)),
            ("Off", Value::Bool(false)),
            ("y", Value::string("y")),
            ("0644", Value::Int(420)),
            ("0x1F", Value::Int(31)),
            ("1_000", Value::Int(1000)),
            ("1:30", Value::Int(90)),
            ("1:99", Value::string("1:99")),
            ("08", Value::string("08")),
            ("-5", Value::Int(-5)),
            ("1.5", Value::Float(1.5)),
            ("1e3", Value::string("1e3")),
            ("1.0e+3", Value::Float(1000.0)),
            ("1.2.3", Value::string("1.2.3")),
            ("10.0.0.1", Value::string("10.0.0.1")),
            ("~", Value::Null),
            ("2026-11-24", Value::string("2026-11-24")),
            ("'yes'", Value::string("yes")),
            ("\"0644\"", Value::string("0644")),
            (
                "99999999999999999999",
                Value::string("99999999999999999999"),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(
                value(&format!("- {text}")),
                Value::List(vec![expected]),
                "{text}"
            );
        }
    }

    #[test]
    fn tags_of_ansible_are_kept() {
        let text = "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nb: !unsafe '{{ x }}'\n";
        let Value::Map(map) = value(text) else {
            panic!()
        };
        assert_eq!(
            map["a"],
            Value::Vault("$ANSIBLE_VAULT;1.1;AES256\n6162".into())
        );
        assert_eq!(map["b"], Value::Unsafe("{{ x }}".into()));
    }

    #[test]
    fn merge_keys_give_way_to_the_mappings_own() {
        let text = "base: &b {x: 1, y: 2}\nthis:\n  <<: *b\n  y: 3\n";
        let Value::Map(map) = value(text) else {
            panic!()
        };
        let Value::Map(this) = &map["this"] else {
            panic!()
        };
        assert_eq!(
            (this["x"].clone(), this["y"].clone()),
            (Value::Int(1), Value::Int(3))
        );
    }

    #[test]
    fn mistakes_are_shown_at_their_place() {
        insta::assert_snapshot!(error("a: 1\nb: 2\na: 3\n"), @r"
        t.yml:3:1: the key `a` stands twice in one mapping
          |
        3 | a: 3
          | ^
        help: the first is on line 1; keep one of them
        ");
        assert!(error("a: !what x\n").contains("t.yml:1:"));
        assert!(error("a: [1, 2\n").contains("t.yml:"));
        assert!(error("a: 1\n---\nb: 2\n").contains("second document"));
    }

    #[test]
    fn documents_that_expand_without_end_are_refused() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..10 {
            let before = n - 1;
            text.push_str(&format!(
                "a{n}: &a{n} [{}]\n",
                vec![format!("*a{before}"); 10].join(",")
            ));
        }
        assert!(error(&text).contains("too much"));
        assert!(error(&"[".repeat(5000)).contains("t.yml"));
    }
}
