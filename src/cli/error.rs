//! How a verb ends: the contract's exit statuses, and errors as people see them.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use crate::base::text::terminal_safe;

/// How a verb ended that could do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    /// All ok.
    pub const OK: Self = Self(0);
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.0)
    }
}

/// Why a verb could not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// What went wrong: shown after `error: `.
    pub message: String,
    /// What to do: shown after `hint: `.
    pub hint: Option<String>,
    /// The exit status: 1 unless the contract says otherwise.
    pub status: u8,
}

impl CliError {
    /// A usage, configuration or internal error: status 1.
    pub fn new(message: impl Display) -> Self {
        Self {
            message: message.to_string(),
            hint: None,
            status: 1,
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Another exit status.
    #[must_use]
    pub fn status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }

    /// Writes it to standard error.
    pub fn show(&self) {
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "error: {}", terminal_safe(&self.message));
        if let Some(hint) = &self.hint {
            let _ = writeln!(stderr, "hint: {}", terminal_safe(hint));
        }
    }
}

/// Any error of the library, as it describes itself.
impl<E: std::error::Error> From<E> for CliError {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            source = cause.source();
        }
        Self::new(message)
    }
}
