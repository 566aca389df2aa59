//! `set_fact`: variables of a host for the rest of the run.

use std::sync::Arc;

use super::super::context::Context;
use super::super::render::{self, Wrong};
use super::super::results::{CACHEABLE, Outcome};
use crate::base::python::python;
use crate::base::value::{Map, Value};
use crate::playbook::kinds::{as_bool, is_variable_name};

pub(super) fn perform(context: &Context<'_>, mut params: Map) -> Outcome {
    let cacheable = params.shift_remove("cacheable");
    if params.is_empty() {
        return Outcome::failed(
            "No key/value pairs provided, at least one is required for this action to succeed",
        );
    }
    // Texts of `k=v` say yes and no in words.
    let of_line = |name: &str| {
        let argument = context.prepared.argument(name);
        argument.is_some_and(|argument| {
            argument.written.place() == context.prepared.task.action.place.place()
        })
    };
    let mut facts = Map::new();
    for (written, mut value) in params {
        let in_playbook = context.prepared.argument(&written).is_some();
        let name = match named(context, &written, in_playbook) {
            Ok(name) => name,
            Err(refused) => return *refused,
        };
        if let (Some(text), true) = (value.as_str(), of_line(&written))
            && matches!(
                text.to_ascii_lowercase().as_str(),
                "true" | "false" | "yes" | "no"
            )
            && let Some(flag) = as_bool(&value)
        {
            value = Value::Bool(flag);
        }
        facts.insert(name, value);
    }
    let mut outcome = Outcome::with([
        ("changed", Value::Bool(false)),
        ("ansible_facts", Value::Map(facts)),
    ]);
    if cacheable == Some(Value::Bool(true)) {
        outcome.result.insert(CACHEABLE.into(), Value::Bool(true));
    }
    outcome
}

/// The variable's name, which may be a template where the playbook itself says it: names that come
/// from elsewhere may be a host's.
pub(super) fn named(
    context: &Context<'_>,
    name: &Arc<str>,
    in_playbook: bool,
) -> Result<Arc<str>, Box<Outcome>> {
    let value = Value::String(name.clone());
    let name = if in_playbook && value.is_template() {
        let place = &context.prepared.task.action.place;
        let rendered = render::value(&context.scope, &value)
            .map_err(|why| Box::new(Outcome::wrong(&Wrong::of(place, why))))?;
        python(&rendered).into()
    } else {
        name.clone()
    };
    if is_variable_name(&name) {
        Ok(name)
    } else {
        let why = format!("Task failed: Invalid variable name '{name}'.");
        Err(Box::new(Outcome {
            not_begun: true,
            ..Outcome::failed(why)
        }))
    }
}
