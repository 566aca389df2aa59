//! Text files that a task changes: the host sends the content, a pure function makes of it what it shall
//! be, and the host replaces the file. Modules that edit (lineinfile, `ini_file`, cron, ...) are that
//! function; regular expressions mean what Python means, and no tool of the host reads them.
//!
//! How a module does it: `uses: [file, edit]`, a script that says which file (`edit "$p_path"; edit_done "$p_path" backup_file`, or
//! what belongs to it: see `posix/edit.sh`), and a hook whose `prepare` says
//! `call.edit_with(function)`. The function gets the parameters and the old content, and returns an
//! [`Edit`]. Check mode, diff, backup, validate, attributes and atomic replacement come with it.

use std::sync::Arc;

use super::answer::{Answer, Question};
use super::call::Call;
use super::error::ModuleError;
use crate::base::value::{Map, Value};
use crate::shell::Piece;
use crate::shell::record::Record;

/// What a function that edits gets.
pub(super) struct Old<'a> {
    /// The task's parameters.
    pub(super) params: &'a Map,
    /// The file's path, as the script has it.
    pub(super) path: &'a str,
    /// Its content; `None`: it is not there.
    pub(super) content: Option<&'a [u8]>,
    /// What the script has said so far.
    pub(super) record: Option<&'a Record>,
}

/// What a function that edits makes of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Edit {
    /// The new content. The old one, or none where there was none: nothing changes.
    pub(super) content: Option<Vec<u8>>,
    /// Changed, whatever the content says.
    pub(super) changed: bool,
    /// What becomes part of the result: `msg`, `found`.
    pub(super) result: Map,
    /// Variables for the script: `r_NAME`.
    pub(super) variables: Map,
}

impl Edit {
    /// The content, and the result's `msg`.
    pub(super) fn new(content: impl Into<Vec<u8>>, message: impl AsRef<str>) -> Self {
        Self {
            content: Some(content.into()),
            ..Self::default()
        }
        .with("msg", Value::Unsafe(message.as_ref().into()))
    }

    /// Nothing changes.
    pub(super) fn nothing(message: impl AsRef<str>) -> Self {
        Self::default().with("msg", Value::Unsafe(message.as_ref().into()))
    }

    /// These lines; the text that was there, where only blanks at the end tell them apart.
    pub(super) fn of_lines(lines: &[String], text: &str) -> Self {
        let mut content = lines.join("\n");
        if !content.is_empty() {
            content.push('\n');
        }
        let same = content.trim_end() == text.trim_end();
        Self {
            content: (!same).then(|| content.into_bytes()),
            ..Self::default()
        }
    }

    /// Adds to the result.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.result.insert(name.into(), value);
        self
    }
}

impl<'a> Old<'a> {
    /// The content as text; what is no UTF-8 is an error.
    pub(super) fn text(&self) -> Result<&'a str, ModuleError> {
        std::str::from_utf8(self.content.unwrap_or_default())
            .map_err(|_| ModuleError::new(format!("{} is no UTF-8", self.path)))
    }

    /// A parameter's text.
    pub(super) fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name).and_then(Value::as_str)
    }

    /// A field that the script has said, with `put ioms/NAME` before it asked.
    pub(super) fn said(&self, name: &str) -> Option<&'a [u8]> {
        Some(&self.record?.field(name)?[..])
    }

    /// Whether a parameter is yes.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.params.get(name) == Some(&Value::Bool(true))
    }

    /// Whether `state` is `absent`.
    pub(super) fn absent(&self) -> bool {
        self.param("state") == Some("absent")
    }
}

/// How a result shows what was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DiffForm {
    /// A list: of the content, then of the attributes.
    List,
    /// One of the content.
    One,
}

impl Call {
    /// Answers the questions of `edit.sh` by this function, which must be pure.
    pub(super) fn edit_with(
        &mut self,
        form: DiffForm,
        function: impl Fn(&Old<'_>) -> Result<Edit, ModuleError> + Send + Sync + 'static,
    ) {
        let function = Arc::new(function);
        self.answer_with(move |question| answer(question, form, &*function));
    }
}

fn answer(
    question: &Question<'_>,
    form: DiffForm,
    function: &dyn Fn(&Old<'_>) -> Result<Edit, ModuleError>,
) -> Answer {
    let said = |name: &str| question.said.field(name);
    let there = said("ioms/there").is_some_and(|flag| &flag[..] == b"1");
    let old = said("ioms/old").filter(|_| there).cloned();
    let path = said("ioms/path").cloned().unwrap_or_default();
    let path = String::from_utf8_lossy(&path).into_owned();
    let edited = function(&Old {
        params: question.params,
        path: &path,
        content: old.as_deref(),
        record: Some(question.said),
    });
    let mut answer = Answer::default();
    let mut say = |name: &str, value: &str| {
        let value = Value::Unsafe(value.into());
        answer.variables.insert(name.into(), value);
    };
    let edit = match edited {
        Ok(edit) => edit,
        Err(error) => {
            say("verdict", "fail");
            say("msg", &error.message);
            return answer;
        }
    };
    let changed = edit
        .content
        .as_deref()
        .is_some_and(|new| old.as_deref() != Some(new));
    say("verdict", if changed { "write" } else { "keep" });
    say("changed", if changed || edit.changed { "1" } else { "" });
    if let Some(message) = edit.result.get("msg").and_then(Value::as_str) {
        say("msg", message);
    }
    answer.variables.extend(edit.variables);
    answer.result = edit.result;
    if question.situation.diff {
        let new = edit.content.as_deref().or(old.as_deref());
        let diff = diff(question, &path, old.as_deref(), new);
        let diff = match form {
            DiffForm::List => Value::List(vec![diff]),
            DiffForm::One => diff,
        };
        answer.result.insert("diff".into(), diff);
    }
    if let (true, false, Some(new)) = (changed, question.situation.check, edit.content) {
        answer.content = vec![Piece::Bytes(new.into())];
    }
    answer
}

fn diff(question: &Question<'_>, path: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Value {
    let charset = question.situation.charset;
    let shown = |bytes: Option<&[u8]>| {
        let text = crate::base::text::decode(bytes.unwrap_or_default(), charset).text;
        Value::Unsafe(text.into())
    };
    let header = Value::Unsafe(format!("{path} (content)").into());
    let entries = [
        ("before", shown(old)),
        ("after", shown(new)),
        ("before_header", header.clone()),
        ("after_header", header),
    ];
    Value::Map(
        entries
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
    )
}

/// Lines with their endings, as Python's `readlines` of bytes cuts them.
pub(super) fn lines(content: &[u8]) -> Vec<Vec<u8>> {
    content
        .split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// That a function makes this of a content, and says so.
    #[track_caller]
    pub(in super::super) fn becomes(
        function: impl Fn(&Old<'_>) -> Result<Edit, ModuleError>,
        params: &serde_json::Value,
        content: &str,
        (wanted, message): (&str, &str),
    ) {
        let (new, said) = edited(function, params, Some(content)).unwrap();
        assert_eq!(new.as_deref().unwrap_or(content), wanted);
        assert_eq!(said, message);
    }

    /// What a function makes of a content, for modules' tests: the new content (`None`: unchanged)
    /// and the result's `msg`.
    pub(in super::super) fn edited(
        function: impl Fn(&Old<'_>) -> Result<Edit, ModuleError>,
        params: &serde_json::Value,
        content: Option<&str>,
    ) -> Result<(Option<String>, String), String> {
        let Value::Map(params) = Value::from_json(params) else {
            panic!("parameters are a mapping");
        };
        let edit = function(&Old {
            params: &params,
            path: "/f",
            content: content.map(str::as_bytes),
            record: None,
        })
        .map_err(|error| error.message)?;
        let new = edit.content.map(|bytes| String::from_utf8(bytes).unwrap());
        let message = edit
            .result
            .get("msg")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Ok((
            new.filter(|new| Some(new.as_str()) != content),
            message.to_owned(),
        ))
    }

    #[test]
    fn lines_keep_their_endings() {
        assert_eq!(
            lines(b"a\r\n\nb"),
            [b"a\r\n".to_vec(), b"\n".to_vec(), b"b".to_vec()]
        );
        assert!(lines(b"").is_empty());
    }
}
