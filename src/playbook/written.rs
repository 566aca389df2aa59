//! A value as somebody wrote it: its node and its file, so that an error can point to it however much
//! later it is found.

use std::path::Path;
use std::sync::Arc;

use crate::base::diag::{Diagnostic, Place};
use crate::base::value::Value;
use crate::base::yaml::{Content, Key, Node};

/// A file that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, as the user named it or as it was found.
    pub path: Arc<Path>,
    /// Its text; empty where it must not be shown (the file is a vault).
    pub text: String,
    /// Whether the file is a vault as a whole: its values are secrets.
    pub secret: bool,
}

impl Source {
    /// A file that is no secret.
    pub fn new(path: &Path, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
            secret: false,
        })
    }

    /// A diagnostic at a place in the file.
    pub fn error(&self, message: impl Into<String>, line: u32, column: u32) -> Diagnostic {
        let place = Place::new(&*self.path, line, column);
        Diagnostic::new(message, place, &self.text)
    }

    /// A diagnostic at a key.
    pub fn error_at(&self, message: impl Into<String>, key: &Key) -> Diagnostic {
        self.error(message, key.line, key.column)
    }
}

/// A value as written. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The value with its place.
    pub node: Arc<Node>,
    /// The file.
    pub source: Arc<Source>,
}

impl Written {
    /// A node of a file.
    pub fn new(node: &Node, source: &Arc<Source>) -> Self {
        Self {
            node: Arc::new(node.clone()),
            source: source.clone(),
        }
    }

    /// A part of it, or what was read out of it.
    #[must_use]
    pub fn with(&self, node: &Node) -> Self {
        Self::new(node, &self.source)
    }

    /// A value that stands, for people, where this one does.
    #[must_use]
    pub fn with_value(&self, value: Value) -> Self {
        self.with(&Node {
            content: Content::Scalar(value),
            line: self.node.line,
            column: self.node.column,
        })
    }

    /// The value, without places.
    pub fn value(&self) -> Value {
        self.node.value()
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.node.content {
            Content::Scalar(value) => value.as_str(),
            _ => None,
        }
    }

    /// The text, where it is one and holds no template.
    pub fn constant(&self) -> Option<&str> {
        self.text().filter(|_| !self.is_template())
    }

    /// Whether it is one text with template marks.
    pub fn is_template(&self) -> bool {
        matches!(&self.node.content, Content::Scalar(value) if value.is_template())
    }

    /// The items of a list; else itself alone; none of nothing.
    pub fn items(&self) -> Vec<Self> {
        match &self.node.content {
            Content::List(items) => items.iter().map(|item| self.with(item)).collect(),
            Content::Scalar(Value::Null) => Vec::new(),
            _ => vec![self.clone()],
        }
    }

    /// The value of a key, where it is a mapping that has it.
    pub fn get(&self, name: &str) -> Option<Self> {
        let entries = self.node.entries()?;
        let (_, node) = entries.iter().find(|(key, _)| &*key.name == name)?;
        Some(self.with(node))
    }

    /// The entries of a mapping; none of anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&Key, Self)> {
        let entries = self.node.entries().unwrap_or_default();
        entries.iter().map(|(key, node)| (key, self.with(node)))
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        self.node.place(&self.source.path)
    }

    /// A diagnostic that points to it.
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        self.source.error(message, self.node.line, self.node.column)
    }

    /// A diagnostic that points into its text: to a line and column of it, both from 1. Where the text
    /// does not stand in the file as it is (escapes, folded lines), to its beginning.
    pub fn error_within(
        &self,
        message: impl Into<String>,
        line: usize,
        column: usize,
    ) -> Diagnostic {
        match self.spot(line, column) {
            Some((line, column)) => self.source.error(message, line, column),
            None => self.error(message),
        }
    }

    fn spot(&self, line: usize, column: usize) -> Option<(u32, u32)> {
        let meant = self.text()?.lines().nth(line.checked_sub(1)?)?;
        let (indent, bare) = (meant.len() - meant.trim_start().len(), meant.trim());
        let first = self.node.line as usize;
        // A block's text begins below its mark; nothing else lies in between.
        let lines = self
            .source
            .text
            .lines()
            .enumerate()
            .skip(first.checked_sub(1)?);
        let (number, before) = lines.take(line + 2).find_map(|(number, text)| {
            let from = if number + 1 == first {
                let begin = self.node.column.checked_sub(1)? as usize;
                text.char_indices().nth(begin).map(|(at, _)| at)?
            } else {
                0
            };
            let at = text.get(from..)?.find(bare)? + from;
            Some((number + 1, text.get(..at)?.chars().count()))
        })?;
        let inner = column.checked_sub(1 + indent)?;
        Some((
            u32::try_from(number).ok()?,
            u32::try_from(before + inner + 1).ok()?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::yaml;

    #[test]
    fn a_place_within_a_text_is_found_in_its_file() {
        let text =
            "a: {b: 'x {{ y }}'}\nc: |\n  one\n    {{ two }}\nd: \"folded\\ttext {{ z }}\"\n";
        let node = yaml::parse(text, Path::new("t.yml")).unwrap();
        let root = Written::new(&node, &Source::new(Path::new("t.yml"), text));
        let spot = |written: Written, line, column| {
            written.error_within("odd", line, column).place.to_string()
        };
        let b = root.get("a").unwrap().get("b").unwrap();
        assert_eq!(spot(b, 1, 3), "t.yml:1:11");
        let c = root.get("c").unwrap();
        assert_eq!(spot(c.clone(), 1, 1), "t.yml:3:3");
        assert_eq!(spot(c, 2, 3), "t.yml:4:5");
        let d = root.get("d").unwrap();
        assert_eq!(spot(d, 1, 9), "t.yml:5:4", "escapes: its beginning");
    }
}
