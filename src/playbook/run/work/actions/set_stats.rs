//! `set_stats`: values for the end of the run.

use std::sync::{Arc, PoisonError};

use serde_json::Value as Json;

use super::super::context::Context;
use super::super::results::Outcome;
use super::super::runner::Runner;
use super::set_fact;
use crate::base::value::{Map, Value};

pub(super) fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    let flag = |name: &str| params.get(name) == Some(&Value::Bool(true));
    let (per_host, aggregate) = (flag("per_host"), flag("aggregate"));
    let Some(Value::Map(data)) = params.get("data") else {
        return Outcome::failed("The 'data' option needs to be a dictionary/hash");
    };
    let mut named = Map::new();
    let written = context.prepared.argument("data");
    for (name, value) in data {
        let in_playbook = written.is_some_and(|data| data.written.get(name).is_some());
        match set_fact::named(context, name, in_playbook) {
            Ok(name) => _ = named.insert(name, value.clone()),
            Err(refused) => return *refused,
        }
    }
    let data = named;
    let host: Option<Arc<str>> = per_host.then(|| context.host());
    if let Some(kept) = &context.scope.kept {
        kept.stats(host.as_deref(), aggregate, &data);
    }
    add(context.runner(), host, aggregate, &data);
    let told = Map::from_iter([
        ("data".into(), Value::Map(data)),
        ("per_host".into(), Value::Bool(per_host)),
        ("aggregate".into(), Value::Bool(aggregate)),
    ]);
    Outcome::with([
        ("changed", Value::Bool(false)),
        ("ansible_stats", Value::Map(told)),
    ])
}

/// Adds values to those of a host, or of the run.
pub(in super::super) fn add(runner: &Runner, host: Option<Arc<str>>, aggregate: bool, data: &Map) {
    let mut stats = runner.stats.lock().unwrap_or_else(PoisonError::into_inner);
    let stats = stats.entry(host).or_default();
    for (name, value) in data {
        let value = value.to_json();
        match stats.get_mut(&**name) {
            Some(known) if aggregate => join(known, value),
            _ => _ = stats.insert(name.to_string(), value),
        }
    }
}

/// Numbers are summed, texts and lists put together, mappings merged; what does not fit replaces.
fn join(known: &mut Json, value: Json) {
    match (known, value) {
        (Json::Object(known), Json::Object(more)) => known.extend(more),
        (Json::Array(known), Json::Array(more)) => known.extend(more),
        (Json::String(known), Json::String(more)) => known.push_str(&more),
        (known @ Json::Number(_), more @ Json::Number(_)) => {
            *known = match (known.as_i64(), more.as_i64()) {
                (Some(one), Some(other)) => one.saturating_add(other).into(),
                _ => (known.as_f64().unwrap_or(0.0) + more.as_f64().unwrap_or(0.0)).into(),
            };
        }
        (known, value) => *known = value,
    }
}
