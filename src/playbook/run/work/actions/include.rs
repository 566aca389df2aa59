//! `include_tasks` and `include_role`: what is to be included, for the strategy to load.

use super::super::context::Context;
use super::super::layers;
use super::super::results::Outcome;
use super::text;
use crate::base::value::{Map, Value};
use crate::playbook::run::worker::Include;

/// A file of tasks.
pub(super) fn tasks(context: &Context<'_>, params: Map) -> Outcome {
    let Some(file) = text(&params, "file").map(str::to_owned) else {
        return Outcome::failed("No file specified for ansible.builtin.include_tasks");
    };
    wish(context, params, Some(&file))
}

/// A role.
pub(super) fn role(context: &Context<'_>, params: Map) -> Outcome {
    if text(&params, "name").is_none() {
        return Outcome::failed("'name' is a required field for include_role.");
    }
    wish(context, params, None)
}

/// The variables that hold above all that tasks set: those of the include itself, and its item's.
fn vars(context: &Context<'_>) -> Map {
    let mut vars = Map::new();
    let own = context.prepared.task.written.get("vars");
    if let Some(own) = own.filter(|own| !own.source.secret) {
        let own = layers::read(&own).into_iter();
        vars.extend(own.map(|(name, found)| (name, found.value)));
    }
    vars.extend(context.scope.local.clone());
    vars
}

fn wish(context: &Context<'_>, params: Map, file: Option<&str>) -> Outcome {
    let mut args = params.clone();
    args.shift_remove("file");
    let mut outcome = Outcome::with([("include_args", Value::Map(args))]);
    if let Some(file) = file {
        let file = Value::Unsafe(file.into());
        outcome.result.insert("include".into(), file);
    }
    outcome.includes = vec![Include {
        params,
        vars: vars(context),
        label: None,
    }];
    outcome
}
