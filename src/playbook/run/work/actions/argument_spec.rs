//! `validate_argument_spec`: variables held against what a role says of its arguments.

use std::sync::Arc;

use super::super::context::Context;
use super::super::render;
use super::super::results::Outcome;
use crate::base::value::{Map, Value};
use crate::module::{Module, Parameter, Type};
use crate::playbook::as_bool;
use crate::template::Scope as _;

pub(super) fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    let Some(Value::Map(spec)) = params.get("argument_spec") else {
        return Outcome::failed("Incorrect type for argument_spec, expected dict");
    };
    let mut given = Map::new();
    for name in spec.keys() {
        match context.scope.lookup(name) {
            Ok(Some(found)) => match render::value(&context.scope, &found.value) {
                Ok(value) => _ = given.insert(name.clone(), value),
                Err(error) => return Outcome::failed(format!("{name}: {error}")),
            },
            Ok(None) => {}
            Err(why) => return Outcome::failed(why),
        }
    }
    if let Some(Value::Map(provided)) = params.get("provided_arguments") {
        given.extend(provided.clone());
    }
    let mut errors = Vec::new();
    check(spec, &given, "", &mut errors);
    let told = params
        .get("validate_args_context")
        .cloned()
        .unwrap_or(Value::Null);
    if errors.is_empty() {
        return Outcome::with([
            ("changed", Value::Bool(false)),
            (
                "msg",
                Value::Unsafe("The arg spec validation passed".into()),
            ),
            ("validate_args_context", told),
        ]);
    }
    let mut outcome = Outcome::failed(format!(
        "Validation of arguments failed:\n{}",
        errors.join("\n")
    ));
    let list = errors
        .iter()
        .map(|error| Value::Unsafe(error.as_str().into()))
        .collect();
    outcome
        .result
        .insert("argument_errors".into(), Value::List(list));
    outcome
        .result
        .insert("argument_spec_data".into(), Value::Map(spec.clone()));
    outcome.result.insert("validate_args_context".into(), told);
    outcome
}

/// Arguments against their specification, and what is within them against that of `options`.
fn check(spec: &Map, given: &Map, within: &str, errors: &mut Vec<String>) {
    let mut module = Module {
        name: Arc::from("validate_argument_spec"),
        any_parameters: true,
        ..Module::default()
    };
    module.parameters = spec
        .iter()
        .filter_map(|(name, option)| parameter(name, option))
        .collect();
    let place = if within.is_empty() {
        String::new()
    } else {
        format!(" found in {within}")
    };
    for parameter in &module.parameters {
        let known = given
            .get(&*parameter.name)
            .filter(|value| **value != Value::Null);
        if parameter.required && known.is_none() {
            errors.push(format!(
                "missing required arguments: {}{place}",
                parameter.name
            ));
        }
    }
    let own = given
        .iter()
        .filter(|(name, _)| module.parameter(name).is_some());
    for (name, value) in own {
        let one = Module {
            parameters: module
                .parameters
                .iter()
                .filter(|each| each.name == **name)
                .cloned()
                .map(optional)
                .collect(),
            ..module.clone()
        };
        let one_given = Map::from_iter([(name.clone(), value.clone())]);
        match one.settle(&one_given) {
            Err(error) => errors.push(format!("{}{place}", error.message)),
            Ok(settled) => inner(spec.get(name), settled.get(name), name, within, errors),
        }
    }
}

fn optional(parameter: Parameter) -> Parameter {
    Parameter {
        required: false,
        ..parameter
    }
}

fn inner(
    option: Option<&Value>,
    value: Option<&Value>,
    name: &str,
    within: &str,
    errors: &mut Vec<String>,
) {
    let Some(Value::Map(option)) = option else {
        return;
    };
    let Some(Value::Map(options)) = option.get("options") else {
        return;
    };
    let path = if within.is_empty() {
        name.to_owned()
    } else {
        format!("{within} -> {name}")
    };
    match value {
        Some(Value::Map(map)) => check(options, map, &path, errors),
        Some(Value::List(items)) => {
            for item in items {
                if let Value::Map(map) = item {
                    check(options, map, &path, errors);
                }
            }
        }
        _ => {}
    }
}

fn parameter(name: &str, option: &Value) -> Option<Parameter> {
    let Value::Map(option) = option else {
        return None;
    };
    let word = |key: &str| option.get(key).and_then(Value::as_str);
    let words = |key: &str| match option.get(key) {
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    Some(Parameter {
        name: name.to_owned(),
        aliases: Vec::new(),
        description: String::new(),
        kind: word("type").and_then(Type::of).unwrap_or_default(),
        elements: word("elements").and_then(Type::of),
        required: option.get("required").and_then(as_bool).unwrap_or(false),
        default: None,
        choices: words("choices"),
        no_log: option.get("no_log").and_then(as_bool).unwrap_or(false),
        only: None,
    })
}
