//! One text that hosts or variables come from: its file for places, and whether it was a vault, so
//! that what stands in it is not shown.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::error::InventoryError;
use super::model::{Located, Vars, VaultFile};
use crate::base::diag::{Diagnostic, Place};
use crate::base::seen::Seen;
use crate::base::value::Value;
use crate::base::yaml::{self, Node};

/// No inventory file is larger, in bytes.
const FILE_MAX: u64 = 256 << 20;

/// A text and where it is from.
pub(super) struct Source<'a> {
    pub(super) file: &'a Arc<Path>,
    pub(super) text: &'a str,
    /// Whether the file is a vault.
    pub(super) secret: bool,
}

impl Source<'_> {
    /// Reads the text as YAML, or as JSON where the file says so.
    pub(super) fn parse(&self) -> Result<Node, Box<Diagnostic>> {
        let json = self.file.extension().is_some_and(|ending| ending == "json")
            || self.text.trim_start().starts_with('{');
        let found = if json {
            yaml::parse_json(self.text, self.file)
        } else {
            yaml::parse(self.text, self.file)
        };
        found.map_err(|mut diagnostic| {
            if self.secret {
                diagnostic.snippet = None;
            }
            diagnostic
        })
    }

    /// Something wrong at a place; a vault's lines are not shown.
    pub(super) fn error(&self, place: Place, message: impl Into<String>) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(message, place, self.text);
        if self.secret {
            diagnostic.snippet = None;
        }
        diagnostic
    }

    pub(super) fn error_at(&self, node: &Node, message: impl Into<String>) -> Diagnostic {
        self.error(node.place(self.file), message)
    }

    pub(super) fn place(&self, line: u32, column: u32) -> Place {
        Place {
            file: self.file.clone(),
            line,
            column,
        }
    }

    pub(super) fn located(&self, value: Value, line: u32, column: u32) -> Located {
        Located {
            value,
            place: self.place(line, column),
            secret: self.secret,
        }
    }

    /// The entries of a mapping as variables.
    pub(super) fn vars(&self, node: &Node) -> Result<Vars, InventoryError> {
        let entries = node.entries().ok_or_else(|| {
            self.error_at(node, "expected a mapping of variables")
                .help("write `name: value` lines")
        })?;
        Ok(entries
            .iter()
            .map(|(key, value)| {
                let located = self.located(value.value(), key.line, key.column);
                (key.name.clone(), located)
            })
            .collect())
    }
}

/// What reading files needs, and who hears of it.
#[derive(Clone, Default)]
pub(super) struct Reading {
    pub(super) vault: Option<VaultFile>,
    pub(super) seen: Seen,
}

/// Reads what is left of a file that begins with `head` and opens it where it is a vault; the text,
/// and whether it was one.
pub(super) fn read(
    path: &Path,
    head: &[u8],
    file: std::fs::File,
    reading: &Reading,
) -> Result<(String, bool), InventoryError> {
    let unreadable = |why: String| InventoryError::Read {
        path: path.to_owned(),
        why,
    };
    let mut bytes = head.to_vec();
    file.take(FILE_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(unreadable("is larger than 256 MiB".into()));
    }
    reading.seen.file(path, &bytes);
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..good).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        unreadable(format!("line {line} is not UTF-8: save the file as UTF-8"))
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    if !text.starts_with("$ANSIBLE_VAULT;") {
        return Ok((text, false));
    }
    let fail = |why: String| InventoryError::Vault {
        path: path.to_owned(),
        why,
    };
    let open = reading
        .vault
        .as_ref()
        .ok_or_else(|| fail("is a vault, and no password was given".into()))?;
    Ok((open(&text).map_err(fail)?, true))
}
