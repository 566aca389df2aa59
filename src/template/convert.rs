//! Between our values and minijinja's.

use std::sync::Arc;

use minijinja::value::{Value as Jinja, ValueKind};

use crate::base::value::{Map, Value};

/// Ours as minijinja's. Vaults must have been opened.
pub(super) fn to_jinja(value: &Value) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Bool(yes) => Jinja::from(*yes),
        Value::Int(number) => Jinja::from(*number),
        Value::Float(number) => Jinja::from(*number),
        Value::String(text) | Value::Unsafe(text) | Value::Vault(text) => Jinja::from(text.clone()),
        Value::List(items) => items.iter().map(to_jinja).collect(),
        Value::Map(map) => Jinja::from_pairs(
            map.iter()
                .map(|(key, value)| (key.clone(), to_jinja(value))),
        ),
    }
}

/// minijinja's as ours.
pub(super) fn from_jinja(value: &Jinja) -> Value {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => match i64::try_from(value.clone()) {
            Ok(number) if value.is_integer() => Value::Int(number),
            _ => f64::try_from(value.clone())
                .map_or_else(|_| Value::string(value.to_string()), Value::Float),
        },
        ValueKind::Seq | ValueKind::Iterable => match value.try_iter() {
            Ok(items) => Value::List(items.map(|item| from_jinja(&item)).collect()),
            Err(_) => Value::Null,
        },
        ValueKind::Map => match value.try_iter() {
            Ok(keys) => Value::Map(
                keys.map(|key| {
                    let item = value.get_item(&key).unwrap_or_default();
                    (Arc::from(key.to_string()), from_jinja(&item))
                })
                .collect::<Map>(),
            ),
            Err(_) => Value::Null,
        },
        _ => Value::string(value.to_string()),
    }
}
