//! The one table of keys and certificates.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::base::clock::rfc3339;
use crate::base::text::terminal_safe;
use crate::cli::{CliError, Setup};
use crate::event::HostError;

/// How what was shown stands to what is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// On record.
    Known,
    /// Not on record.
    New,
    /// Another is on record.
    Changed,
    /// The host shows nothing of the kind.
    None,
    /// The host was not asked.
    Unreachable,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::New => "new",
            Self::Changed => "changed",
            Self::None => "none",
            Self::Unreachable => "unreachable",
        }
    }
}

/// One key or certificate of a host.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) host: Arc<str>,
    pub(super) state: State,
    /// `ssh-ed25519`, `x509`.
    pub(super) kind: Option<String>,
    pub(super) fingerprint: Option<String>,
    /// Where it stands on record.
    pub(super) place: Option<(PathBuf, usize)>,
    /// Of a certificate: whom it is for.
    pub(super) subject: Option<String>,
    /// Of a certificate: until when.
    pub(super) expires: Option<Timestamp>,
    /// Why there is nothing.
    pub(super) note: Option<&'static str>,
    pub(super) error: Option<HostError>,
}

/// What a host has shown: its rows, and what is kept of it for `approve`, by its name on record.
pub(super) struct Seen {
    pub(super) rows: Vec<Row>,
    pub(super) kept: Option<(String, Vec<String>)>,
}

impl Row {
    /// A row that says no more than how it stands.
    pub(super) fn new(host: &Arc<str>, state: State) -> Self {
        Self {
            host: host.clone(),
            state,
            kind: None,
            fingerprint: None,
            place: None,
            subject: None,
            expires: None,
            note: None,
            error: None,
        }
    }

    /// Of a host that was not asked.
    pub(super) fn unreachable(host: &Arc<str>, error: HostError) -> Self {
        Self {
            error: Some(error),
            ..Self::new(host, State::Unreachable)
        }
    }

    fn document(&self) -> Json {
        let mut row = json!({
            "host": self.host, "type": self.kind, "fingerprint": self.fingerprint,
            "state": self.state.name(), "error": self.error,
        });
        if let Some(row) = row.as_object_mut() {
            let mut add = |name: &str, value: Json| {
                if !value.is_null() {
                    row.insert(name.to_owned(), value);
                }
            };
            add("subject", json!(self.subject));
            add("expires", json!(self.expires.map(rfc3339)));
            add("note", json!(self.note));
            if let Some((file, line)) = &self.place {
                add("file", json!(file));
                add("line", json!(line));
            }
        }
        row
    }

    fn line(&self, width: usize) -> String {
        let host = terminal_safe(&self.host);
        let state = self.state.name();
        let mut line = format!("{host:width$}  {state:8}");
        if let Some(error) = &self.error {
            let _ = write!(line, "  {}", error.message);
        } else if let Some(note) = self.note {
            let _ = write!(line, "  {note}");
        } else {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let _ = write!(
                line,
                "  {:19}  {}",
                text(&self.kind),
                text(&self.fingerprint)
            );
        }
        if let Some(subject) = &self.subject {
            let _ = write!(line, "  {}", terminal_safe(subject));
        }
        if let Some(expires) = self.expires {
            let _ = write!(line, "  until {}", expires.strftime("%Y-%m-%d"));
        }
        if let Some((file, number)) = &self.place {
            let _ = write!(line, "  {}:{number}", file.display());
        }
        line
    }
}

/// Prints rows, as a table or a document.
pub(super) fn print_rows(setup: &Setup, rows: &[Row]) -> Result<(), CliError> {
    if setup.json() {
        let rows: Vec<Json> = rows.iter().map(Row::document).collect();
        return setup.print_document(&json!({ "hostkeys": rows }));
    }
    let width = rows.iter().map(|row| row.host.len()).max().unwrap_or(0);
    let lines: Vec<String> = rows.iter().map(|row| row.line(width) + "\n").collect();
    setup.print(&lines.concat())
}
