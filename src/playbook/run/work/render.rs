//! Values of tasks rendered for a host: keywords, arguments, conditions; and what is said where that
//! fails. With `scope` the only file of the executor that knows the template engine.

use super::scope::TaskScope;
use crate::base::value::Value;
use crate::event::{ErrorKind, HostError};
use crate::playbook::{Written, as_bool};
use crate::template::{self, TemplateError};

/// Why a value can't be rendered, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Wrong {
    /// As Ansible words it: `'foo' is undefined`.
    pub(super) message: String,
    /// The place with its line of the file.
    pub(super) place: String,
}

impl Wrong {
    pub(super) fn new(written: &Written, message: impl Into<String>) -> Self {
        let message = message.into();
        let place = written.error(message.clone()).to_string();
        Self { message, place }
    }

    /// A template's error; the place names the expression, too.
    pub(super) fn of(written: &Written, error: TemplateError) -> Self {
        let said = error.to_string();
        let place = match error.place {
            Some(within) => written.error_within(said, within.line, within.column),
            None => written.error(said),
        };
        Self {
            message: error.message,
            place: place.to_string(),
        }
    }

    /// With words before it.
    #[must_use]
    pub(super) fn because(self, what: &str) -> Self {
        Self {
            message: format!("{what}: {}", self.message),
            ..self
        }
    }

    /// As an error of a host.
    pub(super) fn error(&self) -> HostError {
        HostError::new(ErrorKind::Template, self.place.clone())
    }
}

/// A value that stands in the playbook, for a host. Texts that come out of templates are never
/// templates again.
pub(super) fn written(scope: &TaskScope, written: &Written) -> Result<Value, Wrong> {
    value(scope, &written.value()).map_err(|error| Wrong::of(written, error))
}

/// Any value.
pub(super) fn value(scope: &TaskScope, value: &Value) -> Result<Value, TemplateError> {
    if super::prepared::is_constant(value) {
        return Ok(value.clone());
    }
    template::render(value, &scope.shared()).map(|rendered| rendered.value)
}

/// A bare expression's value: `result.stdout`.
pub(super) fn expression(scope: &TaskScope, text: &str) -> Result<Value, TemplateError> {
    value(scope, &Value::string(format!("{{{{ {text} }}}}")))
}

/// Whether a condition holds.
pub(super) fn condition(scope: &TaskScope, written: &Written) -> Result<bool, Wrong> {
    let value = written.value();
    template::condition(&value, &scope.shared()).map_err(|error| Wrong::of(written, error))
}

/// The first condition that does not hold.
pub(super) fn first_false<'a>(
    scope: &TaskScope,
    conditions: &'a [Written],
) -> Result<Option<&'a Written>, Wrong> {
    for each in conditions {
        if !condition(scope, each)? {
            return Ok(Some(each));
        }
    }
    Ok(None)
}

/// A keyword that is yes or no.
pub(super) fn flag(scope: &TaskScope, keyword: Option<&Written>) -> Result<Option<bool>, Wrong> {
    let Some(keyword) = keyword else {
        return Ok(None);
    };
    let value = written(scope, keyword)?;
    if value == Value::Omit || value == Value::Null {
        return Ok(None);
    }
    as_bool(&value)
        .map(Some)
        .ok_or_else(|| Wrong::new(keyword, format!("{} is neither yes nor no", value.kind())))
}

/// A keyword that is a text.
pub(super) fn text(scope: &TaskScope, keyword: Option<&Written>) -> Result<Option<String>, Wrong> {
    let Some(keyword) = keyword else {
        return Ok(None);
    };
    let value = written(scope, keyword)?;
    Ok(match value {
        Value::Null | Value::Omit => None,
        value => Some(crate::base::python::python(&value)),
    })
}

/// A keyword that is a number.
pub(super) fn number(scope: &TaskScope, keyword: Option<&Written>) -> Result<Option<f64>, Wrong> {
    let Some(keyword) = keyword else {
        return Ok(None);
    };
    let value = written(scope, keyword)?;
    #[expect(clippy::cast_precision_loss, reason = "counts and seconds are small")]
    let number = match &value {
        Value::Null | Value::Omit => return Ok(None),
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        other => other.as_str().and_then(|text| text.trim().parse().ok()),
    };
    number
        .map(Some)
        .ok_or_else(|| Wrong::new(keyword, format!("{} is no number", value.kind())))
}

/// Texts that are not to be rendered again.
pub(super) fn final_texts(value: Value) -> Value {
    match value {
        Value::String(text) => Value::Unsafe(text),
        Value::List(items) => Value::List(items.into_iter().map(final_texts).collect()),
        Value::Map(map) => {
            let entries = map
                .into_iter()
                .map(|(key, value)| (key, final_texts(value)));
            Value::Map(entries.collect())
        }
        other => other,
    }
}
