//! What goes wrong in a template: the message, the expression, and its place in the text.

use std::fmt;

/// A place in a template's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextPlace {
    /// In bytes.
    pub offset: usize,
    /// Where it ends, in bytes.
    pub end: usize,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

impl TextPlace {
    /// The place of a range of bytes.
    pub fn of(text: &str, start: usize, end: usize) -> Self {
        let before = text.get(..start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            offset: start,
            end: end.max(start),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

/// What kind of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Something named isn't there.
    Undefined,
    /// The text is no template.
    Syntax,
    /// A condition that is neither true nor false.
    Condition,
    /// Anything else.
    Other,
}

/// Why a value can't be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TemplateError {
    /// As Ansible words it: `'foo' is undefined`.
    pub message: String,
    /// What kind of mistake it is.
    pub cause: Cause,
    /// The innermost expression that failed, as written; empty where there is none.
    pub expression: String,
    /// Its place in the text that was to be rendered; of a variable's own template, where the
    /// variable is named.
    pub place: Option<TextPlace>,
    /// The variable or file that the failing expression stands in, where it isn't the text itself.
    pub origin: Option<String>,
}

/// Errors on their way up; boxed, since they are rare and results are everywhere.
pub(super) type Fail = Box<TemplateError>;

impl TemplateError {
    /// An error without a place.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cause,
            expression: String::new(),
            place: None,
            origin: None,
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.expression.is_empty() {
            write!(f, " in `{}`", shown(&self.expression))?;
        }
        match &self.origin {
            Some(origin) => write!(f, " ({origin})"),
            None => Ok(()),
        }
    }
}

/// The beginning of a text, for messages.
fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut shown: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = shown.char_indices().nth(LONGEST) {
        shown.truncate(at);
        shown.push('…');
    }
    shown
}

/// An error of no special kind.
pub(super) fn fail<T>(message: impl Into<String>) -> Result<T, Fail> {
    Err(failure(message))
}

/// The same, bare.
pub(super) fn failure(message: impl Into<String>) -> Fail {
    Box::new(TemplateError::new(Cause::Other, message))
}
