//! What the script has sent: files by their paths, outputs by their names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::base::value::{Map, Value};

/// Facts as they are gathered, without `ansible_`.
pub(super) type Facts = serde_json::Map<String, Json>;

/// What came from the host.
pub(super) struct Raw<'a> {
    outputs: Option<&'a Map>,
    files: BTreeMap<&'a str, Vec<&'a str>>,
    there: BTreeSet<&'a str>,
}

impl<'a> Raw<'a> {
    pub(super) fn of(said: Option<&'a Value>) -> Self {
        let outputs = match said {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        };
        let mut raw = Self {
            outputs,
            files: BTreeMap::new(),
            there: BTreeSet::new(),
        };
        for line in raw.output("files").lines() {
            if let Some((path, line)) = line.split_once(':') {
                raw.files.entry(path).or_default().push(line);
            }
        }
        raw.there.extend(raw.output("there").lines());
        raw
    }

    /// What a command has printed; empty where it is not there.
    pub(super) fn output(&self, name: &str) -> &'a str {
        let value = self.outputs.and_then(|outputs| outputs.get(name));
        value.and_then(Value::as_str).unwrap_or_default()
    }

    /// A list that the script has made.
    pub(super) fn items(&self, name: &str) -> impl Iterator<Item = &'a Map> {
        let items = match self.outputs.and_then(|outputs| outputs.get(name)) {
            Some(Value::List(items)) => items.as_slice(),
            _ => &[],
        };
        items.iter().filter_map(|item| match item {
            Value::Map(map) => Some(map),
            _ => None,
        })
    }

    /// A file's lines; none where it could not be read.
    pub(super) fn lines(&self, path: &str) -> &[&'a str] {
        self.files.get(path).map_or(&[], Vec::as_slice)
    }

    /// A file's text, without blanks around it; `None` where it could not be read.
    pub(super) fn file(&self, path: &str) -> Option<String> {
        let lines = self.files.get(path)?;
        Some(lines.join("\n").trim().to_owned())
    }

    /// The files of which the paths begin so.
    pub(super) fn under(&self, prefix: &str) -> impl Iterator<Item = (&'a str, &[&'a str])> {
        let prefix = prefix.to_owned();
        let from = self.files.range::<str, _>((
            std::ops::Bound::Included(prefix.as_str()),
            std::ops::Bound::Unbounded,
        ));
        let found: Vec<_> = from
            .take_while(|(path, _)| path.starts_with(&prefix))
            .map(|(path, lines)| (*path, lines.as_slice()))
            .collect();
        found.into_iter()
    }

    /// Whether a path is there; only of those that the subset asks for.
    pub(super) fn there(&self, path: &str) -> bool {
        self.there.contains(path)
    }
}

/// A number at the beginning of a text.
pub(super) fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || (*at == 0 && *c == '-')))
        .map_or(text.len(), |(at, _)| at);
    text.get(..end)?.parse().ok()
}
