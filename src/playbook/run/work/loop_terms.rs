//! What a loop goes over: the list of `loop`, or what the lookup of a `with_` makes of its terms.

use super::render::{self, Wrong};
use super::scope::TaskScope;
use crate::base::value::Value;
use crate::playbook::{Loop, Written};
use crate::template::{self, Cause, TemplateError};

/// The items of a loop on a host.
pub(super) fn items(scope: &TaskScope, over: &Loop) -> Result<Vec<Value>, Wrong> {
    if over.lookup.as_deref() == Some("first_found") {
        return first_found(scope, &over.over);
    }
    let value = render::written(scope, &over.over)?;
    let Some(lookup) = &over.lookup else {
        return match value {
            Value::List(items) => Ok(items),
            other => {
                let message = format!(
                    "The `loop` value must resolve to a list, not {}.",
                    other.kind()
                );
                Err(Wrong::new(&over.over, message))
            }
        };
    };
    let terms = match value {
        Value::List(items) => items,
        other => vec![other],
    };
    // The two that nearly all playbooks mean; the others are lookups as templates know them.
    match &**lookup {
        "list" => Ok(terms),
        "items" => Ok(flat(terms)),
        _ => found(scope, lookup, &over.over, &terms),
    }
}

/// `with_first_found`: of the names only those that are defined, looked for in the folder that the
/// task's module hints at.
fn first_found(scope: &TaskScope, over: &Written) -> Result<Vec<Value>, Wrong> {
    let module = scope
        .task
        .as_ref()
        .map_or("", |task| &*task.task.action.module);
    let mut scope = scope.clone();
    scope.suits = match module {
        _ if module.contains("template") => "templates",
        _ if module.contains("var") => "vars",
        _ => "files",
    };
    let terms = defined(&scope, &over.value()).map_err(|error| Wrong::of(over, error))?;
    let terms = match terms {
        Some(Value::List(items)) => items,
        other => other.into_iter().collect(),
    };
    found(&scope, "first_found", over, &terms)
}

/// A value, rendered, without what is undefined in it.
fn defined(scope: &TaskScope, value: &Value) -> Result<Option<Value>, TemplateError> {
    let found = match value {
        Value::List(items) => {
            let items = items
                .iter()
                .filter_map(|item| defined(scope, item).transpose());
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Value::Map(map) => {
            let entries = map.iter().filter_map(|(key, value)| {
                let value = defined(scope, value).transpose()?;
                Some(value.map(|value| (key.clone(), value)))
            });
            Value::Map(entries.collect::<Result<_, _>>()?)
        }
        other => match render::value(scope, other) {
            Err(error) if error.cause == Cause::Undefined => return Ok(None),
            rendered => rendered?,
        },
    };
    Ok(Some(found))
}

fn found(
    scope: &TaskScope,
    lookup: &str,
    over: &Written,
    terms: &[Value],
) -> Result<Vec<Value>, Wrong> {
    let found = template::lookup(lookup, terms, &[], &scope.shared());
    match found.map_err(|error| Wrong::of(over, error))?.value {
        Value::List(items) => Ok(items),
        other => Ok(vec![other]),
    }
}

/// Lists within the list as their items.
fn flat(terms: Vec<Value>) -> Vec<Value> {
    let mut items = Vec::with_capacity(terms.len());
    for term in terms {
        match term {
            Value::List(inner) => items.extend(inner),
            other => items.push(other),
        }
    }
    items
}
