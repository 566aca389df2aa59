//! `debug`: shows a text or a variable.

use super::super::context::Context;
use super::super::render;
use super::super::results::Outcome;
use crate::base::value::{Map, Value};

pub(super) fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    let verbosity = match params.get("verbosity") {
        Some(Value::Int(level)) => *level,
        _ => 0,
    };
    if verbosity > context.runner().options.verbosity {
        let mut outcome = Outcome::skipped("");
        outcome.result.shift_remove("msg");
        outcome.result.insert(
            "skipped_reason".into(),
            Value::Unsafe("Verbosity threshold not met.".into()),
        );
        return outcome;
    }
    let Some(var) = params.get("var") else {
        let message = params.get("msg").cloned().unwrap_or(Value::Null);
        return Outcome::with([("changed", Value::Bool(false)), ("msg", message)]);
    };
    let shown = match var {
        // The name of a variable that holds a name, or an expression.
        Value::String(text) | Value::Unsafe(text) => {
            let expression = text.trim();
            let inner = expression
                .strip_prefix("{{")
                .and_then(|text| text.strip_suffix("}}"));
            (
                expression.to_owned(),
                render::expression(&context.scope, inner.unwrap_or(expression)),
            )
        }
        other => (format!("{other:?}"), render::value(&context.scope, other)),
    };
    match shown {
        (name, Ok(value)) => Outcome::with([("changed", Value::Bool(false)), (&name, value)]),
        // As ansible-core: that it is not there is what is shown.
        (name, Err(error)) => Outcome::with([
            ("changed", Value::Bool(false)),
            (
                &name,
                Value::Unsafe(format!("<< error 1 - {} >>", error.message).into()),
            ),
        ]),
    }
}
