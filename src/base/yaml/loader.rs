//! From the parser's events to nodes with places: anchors, merge keys, tags, bounds.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag};
use indexmap::IndexMap;

use super::scalar::{resolve, resolve_json};
use super::{Content, Key, Node};
use crate::base::diag::{Diagnostic, Place};
use crate::base::value::Value;

/// Nodes that aliases stand for, counted each time: bounds documents that expand without end.
const ALIASED_MAX: usize = 2_000_000;
/// Depth of nesting.
const DEPTH_MAX: usize = 64;

pub(super) struct Loader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    file: &'a Path,
    text: &'a str,
    json: bool,
    anchors: HashMap<usize, Node>,
    aliased: usize,
}

type Result1<T> = Result<T, Box<Diagnostic>>;

/// What helps against the slips that people make most, by the parser's words for them.
fn way_out(message: &str) -> Option<&'static str> {
    [
        (
            "mapping values are not allowed",
            "a value that holds `: ` stands in quotes; keys of one mapping are indented alike",
        ),
        ("tabs disallowed", "indent with blanks"),
    ]
    .into_iter()
    .find_map(|(words, help)| message.contains(words).then_some(help))
}

impl<'a> Loader<'a> {
    pub(super) fn new(text: &'a str, file: &'a Path, json: bool) -> Self {
        let mut options = Options::default();
        options.set_emit_comments(false);
        // As PyYAML reads a last line without a line end.
        options.block_scalar_eof_without_line_feed = true;
        Self {
            parser: Parser::new_from_str_with_options(text, options),
            file,
            text,
            json,
            anchors: HashMap::new(),
            aliased: 0,
        }
    }

    pub(super) fn document(&mut self) -> Result1<Node> {
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
        Ok(root.unwrap_or_else(Node::nothing))
    }

    fn next(&mut self) -> Result1<(Event<'a>, Span)> {
        match self.parser.next() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => {
                let marker = error.marker();
                let place = Place::new(self.file, number(marker.line()), number(marker.col() + 1));
                let message = error.info().to_lowercase();
                let found = Diagnostic::new(message.as_str(), place, self.text);
                Err(match way_out(&message) {
                    Some(help) => found.help(help),
                    None => found,
                }
                .into())
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn text_at(&self, span: Span) -> &str {
        let line = self.text.lines().nth(span.start.line().saturating_sub(1));
        let line = line.unwrap_or_default();
        let at = line.char_indices().nth(span.start.col());
        at.and_then(|(at, _)| line.get(at..)).unwrap_or_default()
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
        if depth > DEPTH_MAX {
            return Err(self.error("the document is nested too deep", span).into());
        }
        let (content, anchor) = match event {
            Event::Alias(id) => {
                let node = self.anchors.get(&id).cloned();
                let node =
                    node.ok_or_else(|| self.error("an alias inside its own anchor", span))?;
                self.aliased += size(&node);
                if self.aliased > ALIASED_MAX {
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
            Event::MappingStart(_, anchor, _) => {
                let entries = self.mapping(depth)?;
                (
                    self.json_tag(&entries).unwrap_or(Content::Map(entries)),
                    anchor,
                )
            }
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

    /// What Ansible writes in JSON for `!vault` and `!unsafe`.
    fn json_tag(&self, entries: &[(Key, Node)]) -> Option<Content> {
        let [(key, node)] = entries else { return None };
        let Content::Scalar(Value::String(text)) = &node.content else {
            return None;
        };
        match &*key.name {
            "__ansible_vault" if self.json => {
                Some(Content::Scalar(Value::Vault(Arc::from(text.trim()))))
            }
            "__ansible_unsafe" if self.json => Some(Content::Scalar(Value::Unsafe(text.clone()))),
            _ => None,
        }
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
                merged = over(merged, self.merged(value, value_span)?);
                continue;
            }
            let Content::Scalar(name) = &key.content else {
                let found = self.error("a key must be text", span);
                // `name: {{ x }}` is a mapping with a mapping for a key.
                if self.text_at(span).starts_with('{') {
                    let help =
                        "a value that begins with a template stands in quotes: \"{{ name }}\"";
                    return Err(found.help(help).into());
                }
                return Err(found.into());
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
                    is_text: matches!(key.content, Content::Scalar(Value::String(_))),
                    line: key.line,
                    column: key.column,
                },
                value,
            ));
        }
        Ok(if merged.is_empty() {
            entries
        } else {
            over(merged, entries)
        })
    }

    fn merged(&self, value: Node, span: Span) -> Result1<Vec<(Key, Node)>> {
        match value.content {
            Content::Map(entries) => Ok(entries),
            Content::List(items) => {
                // The first is the strongest, and stands first.
                let mut all = IndexMap::new();
                for item in items {
                    for (key, node) in self.merged(item, span)? {
                        all.entry(key.name.clone()).or_insert((key, node));
                    }
                }
                Ok(all.into_values().collect())
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
            None if style == ScalarStyle::Plain && self.json => Ok(resolve_json(text)),
            None if style == ScalarStyle::Plain => Ok(resolve(text)),
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

/// Entries with stronger ones over them: those take the place of what they override, as `PyYAML`
/// orders merge keys.
fn over(weaker: Vec<(Key, Node)>, stronger: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    let mut all = IndexMap::new();
    for (key, node) in weaker.into_iter().chain(stronger) {
        all.insert(key.name.clone(), (key, node));
    }
    all.into_values().collect()
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
        Value::Null | Value::Omit => Arc::from("null"),
        Value::Bool(true) => Arc::from("true"),
        Value::Bool(false) => Arc::from("false"),
        Value::Int(number) => Arc::from(number.to_string()),
        Value::Float(number) => Arc::from(number.to_string()),
        Value::List(_) | Value::Map(_) => Arc::from(""),
    }
}
