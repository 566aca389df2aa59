//! `set_fact`: variables of a host for the rest of the run.

use super::super::context::Context;
use super::super::results::{CACHEABLE, Outcome};
use crate::base::value::{Map, Value};
use crate::playbook::as_bool;

pub(super) fn perform(context: &Context<'_>, mut params: Map) -> Outcome {
    let cacheable = params.shift_remove("cacheable");
    if params.is_empty() {
        return Outcome::failed(
            "No key/value pairs provided, at least one is required for this action to succeed",
        );
    }
    for name in params.keys() {
        if !is_variable_name(name) {
            return Outcome::failed(format!("Invalid variable name '{name}'."));
        }
    }
    // Texts of `k=v` say yes and no in words.
    let of_line = |name: &str| {
        let argument = context.prepared.argument(name);
        argument.is_some_and(|argument| {
            argument.written.place() == context.prepared.task.action.place.place()
        })
    };
    for (name, value) in &mut params {
        if let (Some(text), true) = (value.as_str(), of_line(name))
            && matches!(
                text.to_ascii_lowercase().as_str(),
                "true" | "false" | "yes" | "no"
            )
            && let Some(flag) = as_bool(value)
        {
            *value = Value::Bool(flag);
        }
    }
    let mut outcome = Outcome::with([
        ("changed", Value::Bool(false)),
        ("ansible_facts", Value::Map(params)),
    ]);
    if cacheable == Some(Value::Bool(true)) {
        outcome.result.insert(CACHEABLE.into(), Value::Bool(true));
    }
    outcome
}

/// Whether a text can be a variable's name.
pub(super) fn is_variable_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
