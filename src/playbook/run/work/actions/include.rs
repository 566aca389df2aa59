//! `include_tasks` and `include_role`: what is to be included, for the strategy to load.

use super::super::context::Context;
use super::super::results::Outcome;
use super::text;
use crate::base::value::{Map, Value};
use crate::playbook::run::worker::Include;

/// A file of tasks.
pub(super) fn tasks(context: &Context<'_>, params: Map) -> Outcome {
    let Some(file) = text(&params, "file").map(str::to_owned) else {
        return Outcome::failed("No file specified for ansible.builtin.include_tasks");
    };
    wish(context, params, ("include", &file))
}

/// A role.
pub(super) fn role(context: &Context<'_>, params: Map) -> Outcome {
    let Some(name) = text(&params, "name").map(str::to_owned) else {
        return Outcome::failed("'name' is a required field for include_role.");
    };
    wish(context, params, ("include_role", &name))
}

fn wish(context: &Context<'_>, params: Map, (key, named): (&str, &str)) -> Outcome {
    let mut args = params.clone();
    args.shift_remove("file");
    let mut outcome = Outcome::with([
        (key, Value::Unsafe(named.into())),
        ("include_args", Value::Map(args)),
    ]);
    outcome.includes = vec![Include {
        params,
        vars: context.scope.local.clone(),
        label: None,
    }];
    outcome
}
