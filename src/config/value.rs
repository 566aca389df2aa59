//! Values of settings and where they came from.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::Kind;
use crate::base::diag::Place;
use crate::base::quantity;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Of text and choices.
    Text(String),
    /// Of paths.
    Path(PathBuf),
    /// Of yes and no.
    Bool(bool),
    /// Of numbers.
    Count(u64),
    /// Of durations.
    Duration(Duration),
    /// Of sizes, in bytes.
    Size(u64),
    /// Of lists.
    List(Vec<String>),
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A place in a file.
    File(Place),
    /// A variable of the environment.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => write!(f, "{}:{}", place.file.display(), place.line),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// What paths of a source are relative to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base<'a> {
    pub(super) folder: &'a Path,
    pub(super) home: &'a Path,
}

impl Base<'_> {
    pub(super) fn path(self, text: &str) -> PathBuf {
        match text.strip_prefix('~') {
            Some("") => self.home.to_owned(),
            Some(rest) if rest.starts_with('/') => self.home.join(rest.trim_start_matches('/')),
            _ => self.folder.join(text),
        }
    }

    /// An address of a database; SQLite's holds a path.
    fn database(self, text: &str) -> String {
        let Some(path) = text.strip_prefix("sqlite:") else {
            return text.to_owned();
        };
        match path.strip_prefix("//").unwrap_or(path) {
            "" | ":memory:" => text.to_owned(),
            path => format!("sqlite:{}", self.path(path).display()),
        }
    }

    /// A path, or a list of hosts, which stays as it is.
    fn source(self, text: &str) -> String {
        if text.contains(',') {
            return text.to_owned();
        }
        self.path(text).to_string_lossy().into_owned()
    }
}

/// What `LABEL@FILE` means, its file found by `path`; a prompt and standard input are none.
pub fn vault_id(text: &str, path: impl FnOnce(&str) -> PathBuf) -> String {
    let (label, source) = text.split_once('@').unwrap_or(("", text));
    if matches!(source, "-" | "prompt" | "prompt_ask_vault_pass") {
        return text.to_owned();
    }
    format!("{label}@{}", path(source).display())
}

/// Reads a value as people write it.
pub(super) fn parse(kind: Kind, text: &str, base: Base<'_>) -> Result<Value, String> {
    let text = text.trim();
    Ok(match kind {
        Kind::Text => Value::Text(text.to_owned()),
        Kind::Path => Value::Path(base.path(text)),
        Kind::Bool => Value::Bool(match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "y" | "t" => true,
            "false" | "no" | "off" | "0" | "n" | "f" => false,
            _ => return Err(format!("`{text}` is neither true nor false")),
        }),
        Kind::Count => Value::Count(text.parse().map_err(|_| format!("`{text}` is no number"))?),
        Kind::Duration => {
            Value::Duration(quantity::duration(text).map_err(|error| error.to_string())?)
        }
        Kind::Size => Value::Size(quantity::size(text).map_err(|error| error.to_string())?),
        Kind::Choice(choices) if choices.contains(&text) => Value::Text(text.to_owned()),
        Kind::Choice(choices) => {
            return Err(format!("`{text}` is none of {}", choices.join(", ")));
        }
        Kind::Database => Value::Text(base.database(text)),
        Kind::Listen if text == "off" => Value::Text(text.to_owned()),
        Kind::Listen => match text.parse::<SocketAddr>() {
            Ok(address) => Value::Text(address.to_string()),
            Err(_) => {
                return Err(format!(
                    "`{text}` is no address: write `0.0.0.0:8443` or `off`"
                ));
            }
        },
        Kind::VaultIds => list(kind, split(text), base),
        Kind::Paths => {
            let parts = split(text);
            // `h1,h2,` is a list of hosts, not of files.
            let files = parts.iter().all(|part| base.path(part).exists());
            if text.contains(',') && !files {
                Value::List(vec![text.to_owned()])
            } else {
                Value::List(parts.iter().map(|part| base.source(part)).collect())
            }
        }
    })
}

/// A list as people write it in a file.
pub(super) fn list(kind: Kind, items: Vec<String>, base: Base<'_>) -> Value {
    match kind {
        Kind::Paths => Value::List(items.iter().map(|item| base.source(item)).collect()),
        Kind::VaultIds => {
            let ids = items.iter();
            Value::List(ids.map(|id| vault_id(id, |file| base.path(file))).collect())
        }
        _ => Value::List(items),
    }
}

fn split(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}
