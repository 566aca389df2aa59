//! `add_host` and `group_by`: the inventory grows for the rest of the run.

use std::sync::Arc;

use super::super::context::Context;
use super::super::results::Outcome;
use super::super::runner::Runner;
use super::super::state::locked;
use super::text;
use crate::base::diag::Place;
use crate::base::value::{Map, Value};
use crate::inventory::{Located, Vars};

fn words(params: &Map, name: &str) -> Vec<String> {
    match params.get(name) {
        Some(Value::List(items)) => {
            let texts = items.iter().filter_map(Value::as_str).map(str::trim);
            texts
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .collect()
        }
        _ => Vec::new(),
    }
}

fn list(words: &[String]) -> Value {
    Value::List(
        words
            .iter()
            .map(|word| Value::Unsafe(word.as_str().into()))
            .collect(),
    )
}

/// A host that the inventory may not know yet.
pub(super) fn add_host(context: &Context<'_>, mut params: Map) -> Outcome {
    let Some(named) = text(&params, "name").map(str::to_owned) else {
        return Outcome::failed("name, host or hostname needs to be provided");
    };
    let groups = words(&params, "groups");
    params.retain(|name, _| !matches!(&**name, "name" | "groups"));
    let (name, port) = match named.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.parse::<u16>().is_ok() => {
            (name, Some(port))
        }
        _ => (named.as_str(), None),
    };
    if let Some(port) = port.and_then(|port| port.parse().ok()) {
        params
            .entry("ansible_port".into())
            .or_insert(Value::Int(port));
    }
    if let Some(kept) = &context.scope.kept {
        kept.add_host(name, &groups, &params);
    }
    let changed = grow_host(context.runner(), name, &groups, &params);
    let told = Map::from_iter([
        ("host_name".into(), Value::Unsafe(name.into())),
        ("groups".into(), list(&groups)),
        ("host_vars".into(), Value::Map(params)),
    ]);
    Outcome::with([
        ("changed", Value::Bool(changed)),
        ("add_host", Value::Map(told)),
    ])
}

/// Adds a host, or to what is known of it; whether that changed anything.
pub(in super::super) fn grow_host(
    runner: &Runner,
    name: &str,
    groups: &[String],
    vars: &Map,
) -> bool {
    let located = |value: &Value| Located {
        value: value.clone(),
        place: Place::new("add_host", 0, 0),
        secret: false,
    };
    let vars: Vars = vars
        .iter()
        .map(|(name, value)| (name.clone(), located(value)))
        .collect();
    let changed = runner
        .hosts
        .change(|inventory| inventory.grow_host(name, groups, vars));
    if let Some(state) = runner.states.known(name) {
        locked(&state).reached.clear();
    }
    changed
}

/// The host comes into a group whose name is worked out for it.
pub(super) fn group_by(context: &Context<'_>, params: &Map) -> Outcome {
    let Some(key) = text(params, "key") else {
        return Outcome::failed("the 'key' param is required when using group_by");
    };
    let dashed = |text: &str| text.replace(' ', "-");
    let group = dashed(key);
    let parents: Vec<String> = words(params, "parents")
        .iter()
        .map(|each| dashed(each))
        .collect();
    let host = context.host();
    if let Some(kept) = &context.scope.kept {
        kept.group_by(&host, &group, &parents);
    }
    let changed = grow_group(context.runner(), &host, &group, &parents);
    Outcome::with([
        ("changed", Value::Bool(changed)),
        ("add_group", Value::Unsafe(group.into())),
        ("parent_groups", list(&parents)),
    ])
}

/// A host comes into a group; whether that changed anything.
pub(in super::super) fn grow_group(
    runner: &Runner,
    host: &Arc<str>,
    group: &str,
    parents: &[String],
) -> bool {
    let changed = runner
        .hosts
        .change(|inventory| inventory.grow_group(host, group, parents));
    let state = runner.states.of(host);
    locked(&state).reached.clear();
    changed
}
