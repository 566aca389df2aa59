//! What callers use: rendering values, texts and conditions, and looking things up.

use std::sync::Arc;

use super::convert;
use super::error::{Cause, Fail, TemplateError, failure};
use super::eval::{Context, Run};
use super::lookups;
use super::lower::Form;
use super::python;
use super::scope::Scope;
use super::val::Val;
use crate::base::value::Value;

/// A value ready for use.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Without templates and vaults; what was omitted within is gone, at the top it is
    /// [`Value::Omit`].
    pub value: Value,
    /// Whether a vault had a part in it.
    pub secret: bool,
}

/// How a file's text is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextOptions {
    /// The line end after a block is no part of the text.
    pub trim_blocks: bool,
    /// Blanks before a block that begins a line are no part of the text.
    pub lstrip_blocks: bool,
    /// Line ends at the end of the text stay.
    pub keep_trailing_newline: bool,
    /// What the text's own line ends become.
    pub newline: Arc<str>,
    /// `{%`
    pub block_start: Arc<str>,
    /// `%}`
    pub block_end: Arc<str>,
    /// `{{`
    pub variable_start: Arc<str>,
    /// `}}`
    pub variable_end: Arc<str>,
    /// `{#`
    pub comment_start: Arc<str>,
    /// `#}`
    pub comment_end: Arc<str>,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: true,
            newline: Arc::from("\n"),
            block_start: Arc::from("{%"),
            block_end: Arc::from("%}"),
            variable_start: Arc::from("{{"),
            variable_end: Arc::from("}}"),
            comment_start: Arc::from("{#"),
            comment_end: Arc::from("#}"),
        }
    }
}

/// Renders a value: its templates, also within lists and mappings, and its vaults.
pub fn render(value: &Value, scope: &Arc<dyn Scope>) -> Result<Rendered, TemplateError> {
    if !holds_more(value) {
        return Ok(Rendered {
            value: value.clone(),
            secret: false,
        });
    }
    with_run(scope, |cx| written(value, cx))
}

/// Renders a text as the template module does: the result is text, whatever it holds.
pub fn render_text(
    text: &str,
    options: &TextOptions,
    scope: &Arc<dyn Scope>,
) -> Result<Rendered, TemplateError> {
    with_run(scope, |cx| {
        let value = cx.template(&Arc::from(text), &Form::File(options.clone()))?;
        convert::from_val(&Val::Str(python::text(&value)?))
    })
}

/// Whether a condition holds, and whether a vault had a part in it: what `when`, `changed_when`,
/// `failed_when`, `until` and `that` hold. Text is a bare expression; what it gives must be a boolean.
pub fn condition(value: &Value, scope: &Arc<dyn Scope>) -> Result<bool, TemplateError> {
    let text = match value {
        Value::Bool(yes) => return Ok(*yes),
        Value::String(text) => text.clone(),
        Value::Unsafe(_) => {
            return Err(TemplateError::new(
                Cause::Condition,
                "Conditional expressions must not be text that came from a host.",
            ));
        }
        other => {
            let run = Run::new();
            let cx = Context { run: &run, scope };
            let settled = cx.settle(&convert::to_val(other, scope, &Arc::from("condition")));
            return settled
                .and_then(|value| boolean(&value))
                .map_err(|fail| *fail);
        }
    };
    // A condition that is one template: an old habit that still works.
    let form = if text.trim_start().starts_with("{{") && text.trim_end().ends_with("}}") {
        Form::Value
    } else {
        Form::Expression
    };
    let run = Run::new();
    let cx = Context { run: &run, scope };
    let form = if form == Form::Value && text.matches("{{").count() > 1 {
        Form::Expression
    } else {
        form
    };
    cx.template(&text, &form)
        .and_then(|value| boolean(&value))
        .map_err(|mut error| {
            if error.cause == Cause::Undefined {
                error.message = format!("Error while evaluating conditional: {}", error.message);
            }
            if error.expression.is_empty() {
                error.expression = text.to_string();
            }
            *error
        })
}

/// Looks something up by name, as `lookup(name, *terms, **options)` with `wantlist` does: what the
/// `with_*` loops call.
pub fn lookup(
    name: &str,
    terms: &[Value],
    options: &[(Arc<str>, Value)],
    scope: &Arc<dyn Scope>,
) -> Result<Rendered, TemplateError> {
    with_run(scope, |cx| {
        let origin = Arc::from("lookup");
        let given = |value: &Value| cx.force(&convert::to_val(value, scope, &origin));
        let terms = terms.iter().map(given).collect::<Result<Vec<_>, _>>()?;
        let options = options
            .iter()
            .map(|(key, value)| Ok((key.clone(), given(value)?)))
            .collect::<Result<Vec<_>, Fail>>()?;
        let found = lookups::run(cx, name, terms, options)?;
        convert::from_val(&cx.settle(&Val::list(found))?)
    })
}

fn with_run(
    scope: &Arc<dyn Scope>,
    work: impl FnOnce(&Context<'_>) -> Result<Value, Fail>,
) -> Result<Rendered, TemplateError> {
    let run = Run::new();
    let value = work(&Context { run: &run, scope }).map_err(|fail| *fail)?;
    Ok(Rendered {
        value,
        secret: run.is_secret(),
    })
}

/// Whether there is anything to render in a value.
fn holds_more(value: &Value) -> bool {
    match value {
        Value::Vault(_) => true,
        Value::List(items) => items.iter().any(holds_more),
        Value::Map(map) => map
            .iter()
            .any(|(key, value)| Value::String(key.clone()).is_template() || holds_more(value)),
        other => other.is_template(),
    }
}

/// A value with templates within.
fn written(value: &Value, cx: &Context<'_>) -> Result<Value, Fail> {
    Ok(match value {
        Value::Vault(text) => {
            cx.run.mark_secret();
            let opened = cx.scope.open(text).map_err(failure)?;
            Value::string(opened.expose())
        }
        Value::String(text) if value.is_template() => {
            let result = cx.template(text, &Form::Value)?;
            convert::from_val(&cx.settle(&result)?).map_err(|mut error| {
                if error.expression.is_empty() {
                    error.expression = text.to_string();
                }
                error
            })?
        }
        Value::List(items) => {
            let items = items.iter().map(|item| written(item, cx));
            let items = items.collect::<Result<Vec<_>, _>>()?;
            Value::List(
                items
                    .into_iter()
                    .filter(|item| *item != Value::Omit)
                    .collect(),
            )
        }
        Value::Map(map) => {
            let mut rendered = crate::base::value::Map::with_capacity(map.len());
            for (key, item) in map {
                let item = written(item, cx)?;
                if item != Value::Omit {
                    rendered.insert(written_key(key, cx)?, item);
                }
            }
            Value::Map(rendered)
        }
        plain => plain.clone(),
    })
}

fn written_key(key: &Arc<str>, cx: &Context<'_>) -> Result<Arc<str>, Fail> {
    if !Value::String(key.clone()).is_template() {
        return Ok(key.clone());
    }
    python::text(&cx.template(key, &Form::Value)?)
}

fn boolean(value: &Val) -> Result<bool, Fail> {
    match value {
        Val::Bool(yes) => Ok(*yes),
        Val::Undefined(why) => Err(super::eval::undefined(why)),
        Val::Omit => Err(failure("A template was resolved to an Omit scalar.")),
        other => Err(Box::new(TemplateError::new(
            Cause::Condition,
            format!(
                "Conditional result ({}) was derived from value of type '{}'. Conditionals must have \
                 a boolean result.",
                python::repr(&Val::Bool(python::truth(other))),
                other.type_name()
            ),
        ))),
    }
}
