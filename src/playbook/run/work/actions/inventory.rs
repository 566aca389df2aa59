//! `add_host` and `group_by`: the inventory grows for the rest of the run.

use super::super::context::Context;
use super::super::results::Outcome;
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
    let located = |value: &Value| Located {
        value: value.clone(),
        place: Place::new("add_host", 0, 0),
        secret: false,
    };
    let vars: Vars = params
        .iter()
        .map(|(name, value)| (name.clone(), located(value)))
        .collect();
    let changed = context
        .runner()
        .hosts
        .change(|inventory| inventory.grow_host(name, &groups, vars));
    if let Some(state) = context.runner().states.known(name) {
        locked(&state).reached.clear();
    }
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
    let changed = context
        .runner()
        .hosts
        .change(|inventory| inventory.grow_group(&host, &group, &parents));
    let state = context.runner().states.of(&host);
    locked(&state).reached.clear();
    Outcome::with([
        ("changed", Value::Bool(changed)),
        ("add_group", Value::Unsafe(group.into())),
        ("parent_groups", list(&parents)),
    ])
}
