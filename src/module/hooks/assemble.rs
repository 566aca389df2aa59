//! assemble: fragments in the order of their names; those of the controller are joined here.

use std::path::Path;

use super::super::answer::{Answer, Question};
use super::super::call::{Call, Controller, FileKind, Said};
use super::super::error::ModuleError;
use super::Hook;
use super::copy::show;
use crate::base::python_re::{Flags, Pattern};
use crate::base::value::{Map, Value};
use crate::shell::Piece;

pub(super) struct Assemble;

impl Hook for Assemble {
    fn prepare(&self, call: &mut Call, controller: &dyn Controller) -> Result<(), ModuleError> {
        let pattern = call
            .text("regexp")
            .map(|text| Pattern::new(text, Flags::default()));
        let pattern = pattern.transpose();
        let pattern = pattern
            .map_err(|error| ModuleError::of("regexp", format!("Invalid Regexp ({error})")))?;
        let choice = Choice {
            pattern,
            hidden: !call.flag("ignore_hidden"),
        };
        let delimiter = call.text("delimiter").map(unescape).unwrap_or_default();
        if call.flag("remote_src") {
            if !delimiter.is_empty() {
                let delimiter = Value::Unsafe(delimiter.into());
                call.extra.insert("delimiter".into(), delimiter);
            }
            call.answer_with(move |question| choice.answer(question));
            return Ok(());
        }
        let src = call.text("src").unwrap_or_default();
        let found = controller.file(FileKind::Files, src)?;
        if !found.folder {
            return Err(ModuleError::of(
                "src",
                format!("Source ({src}) is not a directory"),
            ));
        }
        let joined = choice.join(&found.path, delimiter.as_bytes());
        call.send_bytes(joined.map_err(|error| ModuleError::of("src", error.to_string()))?);
        Ok(())
    }

    fn conclude(&self, call: &Call, _said: &Said, result: &mut Map) {
        show(call, result);
    }
}

/// Which fragments are meant.
struct Choice {
    pattern: Option<Pattern>,
    hidden: bool,
}

impl Choice {
    fn fits(&self, name: &str) -> bool {
        let found = |pattern: &Pattern| {
            pattern
                .search(name.as_bytes(), 0)
                .is_ok_and(|f| f.is_some())
        };
        (self.hidden || !name.starts_with('.')) && self.pattern.as_ref().is_none_or(found)
    }

    fn answer(&self, question: &Question<'_>) -> Answer {
        let names = question
            .said
            .field("ioms/names")
            .cloned()
            .unwrap_or_default();
        let names = String::from_utf8_lossy(&names).into_owned();
        let mut names: Vec<&str> = names.lines().filter(|name| self.fits(name)).collect();
        names.sort_unstable();
        let list: String = names
            .iter()
            .fold(String::new(), |list, name| list + name + "\n");
        Answer {
            content: vec![Piece::Bytes(list.into())],
            ..Answer::default()
        }
    }

    fn join(&self, folder: &Path, delimiter: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if self.fits(&name) && entry.path().is_file() {
                names.push((name, entry.path()));
            }
        }
        names.sort();
        let mut joined: Vec<u8> = Vec::new();
        for (at, (_, path)) in names.iter().enumerate() {
            let content = std::fs::read(path)?;
            if at > 0 {
                if joined.last() != Some(&b'\n') {
                    joined.push(b'\n');
                }
                joined.extend_from_slice(delimiter);
            }
            joined.extend_from_slice(&content);
        }
        Ok(joined)
    }
}

/// A delimiter's escapes read, and a newline at its end.
fn unescape(text: &str) -> String {
    let mut made = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next @ ('n' | 't' | 'r' | '\\'))) => {
                chars.next();
                made.push(match next {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                });
            }
            (c, _) => made.push(c),
        }
    }
    if !made.is_empty() && !made.ends_with('\n') {
        made.push('\n');
    }
    made
}
