//! Diagnostics about files that people wrote: file, line, column, a snippet, and what to do.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place in a file, both counted from 1; the column in characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, as the user named it.
    pub file: Arc<Path>,
    /// The line, from 1; 0 when only the file is known.
    pub line: u32,
    /// The column, from 1; 0 when only the line is known.
    pub column: u32,
}

impl Place {
    /// A place in `file`.
    pub fn new(file: impl Into<PathBuf>, line: u32, column: u32) -> Self {
        Self {
            file: file.into().into(),
            line,
            column,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}

/// What is wrong in a file, where, and what to do. `Display` gives all of it, in lines:
///
/// ```text
/// inventory/hosts.yml:7:3: this key stands twice in one mapping
///   |
/// 7 |   web: {}
///   |   ^
/// help: the first is on line 3
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong: a lower-case fragment without a full stop.
    pub message: String,
    /// Where.
    pub place: Place,
    /// The line of the file, where it could be read.
    pub snippet: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic whose snippet is cut from `source`, the file's text.
    pub fn new(message: impl Into<String>, place: Place, source: &str) -> Self {
        let snippet = (place.line as usize)
            .checked_sub(1)
            .and_then(|index| source.lines().nth(index))
            .map(|line| line.chars().take(200).collect());
        Self {
            message: message.into(),
            place,
            snippet,
            help: None,
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some(snippet) = &self.snippet {
            let number = self.place.line.to_string();
            let gutter = " ".repeat(number.len());
            let safe = super::text::terminal_safe(snippet).replace('\t', " ");
            write!(f, "\n{gutter} |\n{number} | {safe}")?;
            if self.place.column > 0 {
                let before: String = safe.chars().take(self.place.column as usize - 1).collect();
                let indent = " ".repeat(unicode_width::UnicodeWidthStr::width(before.as_str()));
                write!(f, "\n{gutter} | {indent}^")?;
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_points_at_its_column_under_wide_characters() {
        let found =
            Diagnostic::new("odd", Place::new("主机.yml", 2, 4), "a: 1\n中文: x\n").help("mend it");
        insta::assert_snapshot!(found, @r"
        主机.yml:2:4: odd
          |
        2 | 中文: x
          |      ^
        help: mend it
        ");
    }
}
