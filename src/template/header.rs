//! `#jinja2: NAME: VALUE, ...`: a file's first line may say how the file is to be read; it is no part
//! of what is read.

use std::borrow::Cow;
use std::sync::Arc;

use super::error::{Cause, Fail, TemplateError};
use super::render::TextOptions;

const MARK: &str = "#jinja2:";

/// What the first line says.
pub(super) struct Header {
    /// How the rest is to be read.
    pub(super) options: TextOptions,
    /// The line's length, with its end.
    length: usize,
}

impl Header {
    /// That of a text, if it has one; what it does not say stands in `options`.
    pub(super) fn of(text: &str, options: &TextOptions) -> Result<Option<Self>, Fail> {
        let Some(rest) = text.strip_prefix(MARK) else {
            return Ok(None);
        };
        let Some((line, _)) = rest.split_once('\n') else {
            return Err(wrong(format!("Missing newline after '{MARK}' override.")));
        };
        let mut header = Self {
            options: options.clone(),
            length: MARK.len() + line.len() + 1,
        };
        for pair in line.split(',') {
            let Some((name, value)) = pair.split_once(':') else {
                return Err(wrong(format!("'{MARK}' takes `name: value`: `{pair}`")));
            };
            header.set(name.trim(), value.trim())?;
        }
        Ok(Some(header))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Fail> {
        let options = &mut self.options;
        let mark = match name {
            "trim_blocks" => return flag(&mut options.trim_blocks, value),
            "lstrip_blocks" => return flag(&mut options.lstrip_blocks, value),
            "block_start_string" => &mut options.block_start,
            "block_end_string" => &mut options.block_end,
            "variable_start_string" => &mut options.variable_start,
            "variable_end_string" => &mut options.variable_end,
            "comment_start_string" => &mut options.comment_start,
            "comment_end_string" => &mut options.comment_end,
            _ => return Err(wrong(format!("'{MARK}' can't set `{name}`"))),
        };
        let quoted = ['\'', '"'].into_iter().find_map(|quote| {
            let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
            (!inner.is_empty()).then_some(inner)
        });
        let Some(text) = quoted else {
            return Err(wrong(format!("`{value}` is no text in quotes")));
        };
        *mark = Arc::from(text);
        Ok(())
    }

    /// The text with blanks for the line, so that all places in it stay.
    pub(super) fn hidden<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let rest = text.get(self.length..).unwrap_or_default();
        Cow::Owned(format!("{}{rest}", self.blanks()))
    }

    /// What stands for the line.
    pub(super) fn blanks(&self) -> String {
        " ".repeat(self.length - 1) + "\n"
    }
}

fn flag(option: &mut bool, value: &str) -> Result<(), Fail> {
    *option = match value {
        "True" | "1" => true,
        "False" | "0" => false,
        _ => return Err(wrong(format!("`{value}` is neither True nor False"))),
    };
    Ok(())
}

fn wrong(message: String) -> Fail {
    Box::new(TemplateError::new(Cause::Syntax, message))
}
