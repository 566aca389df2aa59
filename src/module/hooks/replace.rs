//! replace: all that matches in a text file.

use super::super::call::{Call, Controller};
use super::super::edit::{DiffForm, Edit, Old};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::python_re::{Flags, Pattern, PatternError};
use crate::base::text::{self, Charset};
use crate::base::value::Value;

pub(super) struct Replace;

impl Hook for Replace {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        call.known.insert("rc".into(), Value::Int(0));
        call.edit_with(DiffForm::One, edit);
        Ok(())
    }
}

fn wrong(error: PatternError) -> ModuleError {
    ModuleError::new(format!("Unable to process replace due to error: {error}"))
}

fn edit(old: &Old<'_>) -> Result<Edit, ModuleError> {
    let encoding = old.param("encoding").unwrap_or("utf-8");
    let charset = text::encoding(encoding)
        .ok_or_else(|| ModuleError::of("encoding", format!("unknown encoding: {encoding}")))?;
    let decoded;
    let content = if charset == Charset::UTF_8 {
        old.text()?
    } else {
        decoded = text::decode(old.content.unwrap_or_default(), charset).text;
        &*decoded
    };
    let multiline = Flags {
        multiline: true,
        ..Flags::default()
    };
    let regexp = old.param("regexp").unwrap_or_default();
    let pattern = Pattern::new(regexp, multiline).map_err(wrong)?;
    let template = pattern
        .template(old.param("replace").unwrap_or_default())
        .map_err(wrong)?;
    let (from, to) = match section(old, content)? {
        Ok(section) => section,
        Err(message) => return Ok(Edit::nothing(message)),
    };
    let part = content.get(from..to).unwrap_or_default();
    let (replaced, count) = pattern
        .replace_all(part.as_bytes(), &template)
        .map_err(wrong)?;
    if count == 0 || replaced == part.as_bytes() {
        return Ok(Edit::nothing(""));
    }
    let mut new = content.as_bytes().get(..from).unwrap_or_default().to_vec();
    new.extend_from_slice(&replaced);
    new.extend_from_slice(content.as_bytes().get(to..).unwrap_or_default());
    if charset != Charset::UTF_8 {
        let (encoded, fits) = charset.encode(&String::from_utf8_lossy(&new));
        if !fits {
            return Err(ModuleError::new(format!(
                "{encoding} can't say the new content"
            )));
        }
        new = encoded;
    }
    Ok(Edit::new(new, format!("{count} replacements made")))
}

/// The part of the text that `after` and `before` leave; a message where they match nothing.
fn section(old: &Old<'_>, text: &str) -> Result<Result<(usize, usize), String>, ModuleError> {
    let given = |name: &str| old.param(name).filter(|text| !text.is_empty());
    let pattern = match (given("after"), given("before")) {
        (Some(after), Some(before)) => format!("{after}(?P<subsection>.*?){before}"),
        (Some(after), None) => format!("{after}(?P<subsection>.*)"),
        (None, Some(before)) => format!("(?P<subsection>.*){before}"),
        (None, None) => return Ok(Ok((0, text.len()))),
    };
    let dotall = Flags {
        dotall: true,
        ..Flags::default()
    };
    let compiled = Pattern::new(&pattern, dotall).map_err(wrong)?;
    let found = compiled.search(text.as_bytes(), 0).map_err(wrong)?;
    let section = found.and_then(|found| compiled.named(&found, "subsection"));
    Ok(section.ok_or_else(|| {
        format!("Pattern for before/after params did not match the given file: {pattern}")
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::edit::tests::edited;
    use super::*;

    #[track_caller]
    fn becomes(params: &serde_json::Value, content: &str, wanted: &str, message: &str) {
        let (new, said) = edited(edit, params, Some(content)).unwrap();
        assert_eq!(new.as_deref().unwrap_or(content), wanted);
        assert_eq!(said, message);
    }

    #[test]
    fn all_that_matches_is_replaced() {
        let params = json!({"regexp": r"^(\s*)old\.(\w+)$", "replace": r"\1new.\2"});
        becomes(
            &params,
            "old.a\n  old.b\nxold.c\n",
            "new.a\n  new.b\nxold.c\n",
            "2 replacements made",
        );
        becomes(&params, "none\n", "none\n", "");
        becomes(
            &json!({"regexp": "a"}),
            "banana\n",
            "bnn\n",
            "3 replacements made",
        );
        becomes(&json!({"regexp": "a", "replace": "a"}), "a\n", "a\n", "");
        becomes(
            &json!({"regexp": "é(.)", "replace": r"\1"}),
            "éx",
            "x",
            "1 replacements made",
        );
    }

    #[test]
    fn only_the_part_between_is_meant() {
        let params =
            json!({"regexp": "^(.+)$", "replace": r"# \1", "after": "<a>\n", "before": "</a>"});
        becomes(
            &params,
            "x\n<a>\ny\nz\n</a>\nw\n",
            "x\n<a>\n# y\n# z\n</a>\nw\n",
            "2 replacements made",
        );
        let message =
            "Pattern for before/after params did not match the given file: q(?P<subsection>.*)";
        becomes(&json!({"regexp": "a", "after": "q"}), "a\n", "a\n", message);
    }
}
