//! Between the values of variables and those of templates.

use std::sync::{Arc, OnceLock};

use super::error::{Cause, Fail, TemplateError, fail};
use super::eval::{NESTING_MAX, undefined};
use super::object::Object;
use super::python;
use super::scope::Scope;
use super::val::{Key, Thunk, Val};
use crate::base::value::{Map, Value};

/// A variable's value for templates: what is to be rendered or opened waits until it is touched.
pub(super) fn to_val(value: &Value, scope: &Arc<dyn Scope>, origin: &Arc<str>) -> Val {
    match value {
        Value::Null => Val::None,
        Value::Omit => Val::Omit,
        Value::Bool(yes) => Val::Bool(*yes),
        Value::Int(number) => Val::Int(i128::from(*number)),
        Value::Float(number) => Val::Float(*number),
        Value::Unsafe(text) => Val::Str(text.clone()),
        Value::String(text) if !value.is_template() => Val::Str(text.clone()),
        Value::String(_) | Value::Vault(_) => Val::Thunk(Arc::new(Thunk {
            value: value.clone(),
            scope: scope.clone(),
            origin: origin.clone(),
            done: OnceLock::new(),
        })),
        Value::List(items) => Val::list(
            items
                .iter()
                .map(|item| to_val(item, scope, origin))
                .collect(),
        ),
        Value::Map(map) => Val::dict(
            map.iter()
                .map(|(key, item)| (Key(Val::Str(key.clone())), to_val(item, scope, origin)))
                .collect(),
        ),
    }
}

/// A settled value as a variable's: never to be rendered again.
pub(super) fn from_val(value: &Val) -> Result<Value, Fail> {
    nested(value, 0)
}

fn nested(value: &Val, depth: u32) -> Result<Value, Fail> {
    if depth > NESTING_MAX * 2 {
        return fail("the value nests too deep");
    }
    Ok(match value {
        Val::Undefined(why) => return Err(undefined(why)),
        Val::None => Value::Null,
        Val::Omit => Value::Omit,
        Val::Bool(yes) => Value::Bool(*yes),
        Val::Int(number) => match i64::try_from(*number) {
            Ok(number) => Value::Int(number),
            // Larger than variables hold: its digits.
            Err(_) => Value::string(number.to_string()),
        },
        Val::Float(number) => Value::Float(*number),
        Val::Str(text) => string(text),
        Val::List(list) => list_of(list.read().iter(), depth)?,
        Val::Tuple(items) => list_of(items.iter(), depth)?,
        Val::Dict(dict) => {
            let entries = dict.read();
            let mut map = Map::with_capacity(entries.len());
            for (key, item) in entries.iter() {
                if !matches!(item, Val::Omit) {
                    map.insert(key_text(&key.0), nested(item, depth + 1)?);
                }
            }
            Value::Map(map)
        }
        Val::Object(object) => match &**object {
            Object::Moment(at, zone) => string(&Arc::from(python::moment_text(*at, *zone, ' '))),
            _ => return unsupported(value),
        },
        Val::Lazy(_) | Val::Thunk(_) => return unsupported(value),
    })
}

fn unsupported(value: &Val) -> Result<Value, Fail> {
    Err(Box::new(TemplateError::new(
        Cause::Other,
        format!(
            "Type '{}' is unsupported for variable storage.",
            value.type_name()
        ),
    )))
}

fn list_of<'a>(items: impl Iterator<Item = &'a Val>, depth: u32) -> Result<Value, Fail> {
    items
        .filter(|item| !matches!(item, Val::Omit))
        .map(|item| nested(item, depth + 1))
        .collect::<Result<_, _>>()
        .map(Value::List)
}

/// What a template gave is no template, even if it looks like one.
fn string(text: &Arc<str>) -> Value {
    let value = Value::String(text.clone());
    if value.is_template() {
        return Value::Unsafe(text.clone());
    }
    value
}

/// Keys that are no text, as YAML shows them.
fn key_text(key: &Val) -> Arc<str> {
    match key {
        Val::Str(text) => text.clone(),
        Val::None => Arc::from("null"),
        Val::Bool(yes) => Arc::from(yes.to_string()),
        other => Arc::from(python::repr(other)),
    }
}
