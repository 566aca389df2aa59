//! A task's arguments held against its module's parameters: names, types, choices, constraints.

use super::call::Platform;
use super::error::ModuleError;
use super::spec::{Constraint, Module, Parameter, Type};
use crate::base::nearest::nearest;
use crate::base::python::python;
use crate::base::quantity;
use crate::base::value::{Map, Value};

/// Checks the arguments' names alone, before anything is known of values: unknown ones, required ones
/// that are missing, and constraints. `given` are the names as written.
pub(super) fn check_names<'a>(
    module: &Module,
    given: impl Iterator<Item = &'a str>,
) -> Vec<ModuleError> {
    let mut errors = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    for name in given {
        match module.parameter(name) {
            Some(parameter) if known.contains(&parameter.name.as_str()) => {
                errors.push(ModuleError::of(
                    name,
                    format!("`{}` is given twice, by different names", parameter.name),
                ));
            }
            Some(parameter) => known.push(&parameter.name),
            None if module.any_parameters => {}
            None => errors.push(unknown(module, name)),
        }
    }
    for parameter in module.parameters.iter().filter(|each| each.required) {
        if !known.contains(&parameter.name.as_str()) {
            errors.push(ModuleError::new(format!(
                "`{}` of module {} is required and missing",
                parameter.name, module.name
            )));
        }
    }
    for constraint in &module.constraints {
        if !matches!(constraint, Constraint::RequiredIf { .. }) {
            let has = |name: &str| known.contains(&name);
            errors.extend(broken(constraint, has, |_, _| false));
        }
    }
    errors
}

/// Its page says why a parameter that others' module of the name has is refused.
fn unknown(module: &Module, name: &str) -> ModuleError {
    let error = ModuleError::of(
        name,
        format!("module {} has no parameter `{name}`", module.name),
    );
    let quoted = format!("`{name}`");
    if let Some(why) = module.notes.iter().find(|note| note.contains(&quoted)) {
        return error.hint(why.trim());
    }
    let names = module
        .parameters
        .iter()
        .flat_map(|each| std::iter::once(&each.name).chain(&each.aliases));
    match nearest(name, names.map(String::as_str)) {
        Some(close) => error.hint(format!("did you mean `{close}`?")),
        None => error.hint(format!(
            "`iomsctl doc {}` shows its parameters",
            module.name
        )),
    }
}

/// The parameters of a task: names settled, types converted, defaults filled in, all checked. What is
/// null or [`Value::Null`] was not given.
pub(super) fn settle(module: &Module, given: &Map) -> Result<Map, ModuleError> {
    let mut settled = Map::new();
    for (name, value) in given {
        match module.parameter(name) {
            Some(_) if *value == Value::Null => {}
            Some(parameter) => {
                let value = convert(parameter, parameter.kind, value)?;
                check_choice(parameter, &value)?;
                settled.insert(parameter.name.as_str().into(), value);
            }
            None if module.any_parameters => {
                settled.insert(name.clone(), value.clone());
            }
            None => return Err(unknown(module, name)),
        }
    }
    for parameter in &module.parameters {
        if settled.contains_key(parameter.name.as_str()) {
            continue;
        }
        if parameter.required {
            return Err(ModuleError::new(format!(
                "missing required arguments: {}",
                parameter.name
            )));
        }
    }
    for constraint in &module.constraints {
        let has = |name: &str| settled.contains_key(name);
        // What holds by default is a value, too.
        let is = |name: &str, wanted: &Value| {
            let default = || module.parameter(name)?.default.as_ref();
            let value = settled.get(name).or_else(default);
            // Texts are the same wherever they are from.
            value.is_some_and(|value| match (value.as_str(), wanted.as_str()) {
                (Some(value), Some(wanted)) => value == wanted,
                _ => value == wanted,
            })
        };
        if let Some(error) = broken(constraint, has, is) {
            return Err(error);
        }
    }
    for parameter in &module.parameters {
        if let (false, Some(default)) = (
            settled.contains_key(parameter.name.as_str()),
            &parameter.default,
        ) && *default != Value::Null
        {
            settled.insert(
                parameter.name.as_str().into(),
                convert(parameter, parameter.kind, default)?,
            );
        }
    }
    Ok(settled)
}

/// The parameters without those of the other system, which must not have been given.
pub(super) fn of_the_system(
    module: &Module,
    given: &Map,
    mut settled: Map,
    platform: Platform,
) -> Result<Map, ModuleError> {
    let (here, there) = match platform {
        Platform::Posix => ("posix", "Windows"),
        Platform::Windows => ("windows", "Unix"),
    };
    for parameter in &module.parameters {
        if parameter.only.as_deref().is_none_or(|only| only == here) {
            continue;
        }
        let names = std::iter::once(&parameter.name).chain(&parameter.aliases);
        for name in names {
            if given.get(name.as_str()).is_some_and(|v| *v != Value::Null) {
                return Err(ModuleError::of(
                    name,
                    format!(
                        "`{name}` of module {} is for {there} hosts only",
                        module.name
                    ),
                ));
            }
        }
        settled.shift_remove(parameter.name.as_str());
    }
    Ok(settled)
}

/// A constant held against a parameter's type and choices.
pub(super) fn check_constant(parameter: &Parameter, value: &Value) -> Result<(), ModuleError> {
    if *value == Value::Null || holds_template(value) {
        return Ok(());
    }
    check_choice(parameter, &convert(parameter, parameter.kind, value)?)
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::List(items) => items.iter().any(holds_template),
        Value::Map(map) => map.values().any(holds_template),
        Value::Vault(_) => true,
        other => other.is_template(),
    }
}

fn broken(
    constraint: &Constraint,
    has: impl Fn(&str) -> bool,
    is: impl Fn(&str, &Value) -> bool,
) -> Option<ModuleError> {
    let given = |names: &[String]| names.iter().filter(|name| has(name)).count();
    match constraint {
        Constraint::MutuallyExclusive(names) if given(names) > 1 => Some(ModuleError::new(
            format!("parameters are mutually exclusive: {}", names.join("|")),
        )),
        Constraint::RequiredTogether(names) if given(names) > 0 && given(names) < names.len() => {
            Some(ModuleError::new(format!(
                "parameters are required together: {}",
                names.join(", ")
            )))
        }
        Constraint::RequiredOneOf(names) if given(names) == 0 => Some(ModuleError::new(format!(
            "one of the following is required: {}",
            names.join(", ")
        ))),
        Constraint::RequiredIf {
            parameter,
            value,
            required,
            any,
        } if is(parameter, value) => {
            let enough = match any {
                true => given(required) > 0,
                false => given(required) == required.len(),
            };
            let what = if *any { "any of" } else { "all of" };
            (!enough).then(|| {
                ModuleError::new(format!(
                    "{parameter} is {} but {what} the following are missing: {}",
                    display(value),
                    required.join(", ")
                ))
            })
        }
        _ => None,
    }
}

fn check_choice(parameter: &Parameter, value: &Value) -> Result<(), ModuleError> {
    if parameter.choices.is_empty() {
        return Ok(());
    }
    let values = match value {
        Value::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    for value in values {
        let fits = |choice: &Value| choice == value || display(choice) == display(value);
        if !parameter.choices.iter().any(fits) {
            let choices: Vec<String> = parameter.choices.iter().map(display).collect();
            return Err(ModuleError::of(
                &parameter.name,
                format!(
                    "value of {} must be one of: {}, got: {}",
                    parameter.name,
                    choices.join(", "),
                    display(value)
                ),
            ));
        }
    }
    Ok(())
}

/// A value as the parameter's type; what can't be it is an error.
pub(super) fn convert(
    parameter: &Parameter,
    kind: Type,
    value: &Value,
) -> Result<Value, ModuleError> {
    let wrong = || {
        ModuleError::of(
            &parameter.name,
            format!(
                "`{}` is {}: {} is wanted",
                parameter.name,
                value.kind(),
                kind.name()
            ),
        )
    };
    let text = value.as_str();
    Ok(match kind {
        Type::Raw => value.clone(),
        Type::Str | Type::Path => match value {
            Value::List(_) | Value::Map(_) => return Err(wrong()),
            scalar => Value::Unsafe(display(scalar).into()),
        },
        Type::Mode => match value {
            Value::Int(mode) => Value::Unsafe(format!("0{mode:o}").into()),
            Value::List(_) | Value::Map(_) | Value::Bool(_) => return Err(wrong()),
            scalar => {
                let mode = display(scalar);
                // As Python writes octal numbers.
                let octal = mode.strip_prefix("0o").or_else(|| mode.strip_prefix("0O"));
                Value::Unsafe(
                    octal.map_or_else(|| mode.as_str().into(), |octal| format!("0{octal}").into()),
                )
            }
        },
        Type::Json => match (value, text) {
            (_, Some(text)) => Value::Unsafe(text.into()),
            (value, None) => Value::Unsafe(value.to_json().to_string().into()),
        },
        Type::Int => match value {
            Value::Int(_) => value.clone(),
            Value::Bool(flag) => Value::Int(i64::from(*flag)),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the fraction was looked at"
            )]
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Value::Int(*number as i64)
            }
            _ => Value::Int(
                text.ok_or_else(wrong)?
                    .trim()
                    .parse()
                    .map_err(|_| wrong())?,
            ),
        },
        Type::Float => match value {
            #[expect(clippy::cast_precision_loss, reason = "as Ansible's float()")]
            Value::Int(number) => Value::Float(*number as f64),
            Value::Float(_) => value.clone(),
            _ => Value::Float(
                text.ok_or_else(wrong)?
                    .trim()
                    .parse()
                    .map_err(|_| wrong())?,
            ),
        },
        Type::Bool => match (value, text) {
            (Value::Bool(_), _) => value.clone(),
            (Value::Int(1), _) => Value::Bool(true),
            (Value::Int(0), _) => Value::Bool(false),
            (_, Some(text)) => match text.to_ascii_lowercase().as_str() {
                "yes" | "y" | "on" | "true" | "t" | "1" | "1.0" => Value::Bool(true),
                "no" | "n" | "off" | "false" | "f" | "0" | "0.0" => Value::Bool(false),
                _ => return Err(wrong()),
            },
            _ => return Err(wrong()),
        },
        Type::Bytes => match (value, text) {
            (Value::Int(_), _) => value.clone(),
            (_, Some(text)) => Value::Int(
                quantity::size(text)
                    .ok()
                    .and_then(|size| i64::try_from(size).ok())
                    .ok_or_else(wrong)?,
            ),
            _ => return Err(wrong()),
        },
        Type::List => list(parameter, value).ok_or_else(wrong)??,
        Type::Dict => match (value, text) {
            (Value::Map(_), _) => value.clone(),
            (_, Some(text)) => Value::Map(dict(text).ok_or_else(wrong)?),
            _ => return Err(wrong()),
        },
    })
}

/// A list: a text is split at commas, unless its elements are raw. `None`: it can't be one.
fn list(parameter: &Parameter, value: &Value) -> Option<Result<Value, ModuleError>> {
    let items = match value {
        Value::List(items) => items.clone(),
        Value::Map(_) | Value::Vault(_) => return None,
        scalar => match scalar.as_str() {
            Some(text) if parameter.elements == Some(Type::Raw) => {
                vec![Value::string(text)]
            }
            Some(text) => text
                .split(',')
                .map(|part| Value::Unsafe(part.trim().into()))
                .collect(),
            None => vec![scalar.clone()],
        },
    };
    let element = parameter.elements.unwrap_or(Type::Raw);
    let items: Result<Vec<Value>, ModuleError> = items
        .iter()
        .map(|item| convert(parameter, element, item))
        .collect();
    Some(items.map(Value::List))
}

/// A mapping written as JSON or as `a=1 b=2` (also with commas).
fn dict(text: &str) -> Option<Map> {
    if text.trim_start().starts_with('{') {
        return match Value::from_json(&serde_json::from_str(text).ok()?) {
            Value::Map(map) => Some(map),
            _ => None,
        };
    }
    text.split([',', ' '])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=')?;
            Some((name.trim().into(), Value::Unsafe(value.trim().into())))
        })
        .collect()
}

/// A scalar as Python shows it; nothing of nothing.
pub(super) fn display(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => python(other),
    }
}
