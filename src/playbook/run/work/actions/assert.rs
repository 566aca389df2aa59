//! `assert`: fails where a condition does not hold.

use super::super::context::Context;
use super::super::render;
use super::super::results::Outcome;
use crate::base::value::{Map, Value};
use crate::playbook::Written;

pub(super) fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    let mut outcome = come_to(context, params);
    if params.get("quiet") == Some(&Value::Bool(true)) {
        outcome
            .result
            .insert("_ansible_verbose_always".into(), Value::Bool(false));
    }
    outcome
}

fn come_to(context: &Context<'_>, params: &Map) -> Outcome {
    let conditions = context
        .prepared
        .argument("that")
        .map(|that| that.written.items());
    for condition in conditions.unwrap_or_default() {
        match holds(context, &condition) {
            Ok(true) => {}
            Ok(false) => return broken(params, &condition),
            Err(wrong) => return Outcome::wrong(&wrong),
        }
    }
    let message = params.get("success_msg").cloned();
    let message = message.unwrap_or_else(|| Value::Unsafe("All assertions passed".into()));
    Outcome::with([("changed", Value::Bool(false)), ("msg", message)])
}

fn holds(context: &Context<'_>, condition: &Written) -> Result<bool, render::Wrong> {
    // A template that gives a list of conditions has them all in one.
    if condition.is_template()
        && let Value::List(items) = render::written(&context.scope, condition)?
    {
        for item in items {
            if !render::condition(&context.scope, &condition.with_value(item))? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    render::condition(&context.scope, condition)
}

fn broken(params: &Map, condition: &Written) -> Outcome {
    let message = params.get("fail_msg").cloned();
    Outcome::with([
        ("changed", Value::Bool(false)),
        ("failed", Value::Bool(true)),
        ("assertion", condition.value()),
        ("evaluated_to", Value::Bool(false)),
        (
            "msg",
            message.unwrap_or_else(|| Value::Unsafe("Assertion failed".into())),
        ),
    ])
}
