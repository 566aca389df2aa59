//! What a loop goes over: the list of `loop`, or what the lookup of a `with_` makes of its terms.

use super::render::{self, Wrong};
use super::scope::TaskScope;
use crate::base::value::{Map, Value};
use crate::playbook::{Loop, Written};

/// The items of a loop on a host.
pub(super) fn items(scope: &TaskScope, over: &Loop) -> Result<Vec<Value>, Wrong> {
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
    let wrong = |message: String| Wrong::new(&over.over, message);
    match &**lookup {
        "list" => Ok(terms),
        "items" => Ok(flat(terms, 1)),
        "flattened" => Ok(flat(terms, usize::MAX)),
        "indexed_items" => Ok(flat(terms, 1)
            .into_iter()
            .enumerate()
            .map(indexed)
            .collect()),
        "dict" => dict(terms).map_err(wrong),
        "together" => Ok(together(&lists(terms))),
        "nested" | "cartesian" => Ok(nested(&lists(terms))),
        _ => other(scope, lookup, &over.over, terms),
    }
}

fn other(
    _scope: &TaskScope,
    lookup: &str,
    over: &Written,
    _terms: Vec<Value>,
) -> Result<Vec<Value>, Wrong> {
    Err(Wrong::new(over, format!("there is no lookup `{lookup}`")))
}

/// Lists within lists as their items, so many levels deep.
fn flat(terms: Vec<Value>, levels: usize) -> Vec<Value> {
    let mut items = Vec::with_capacity(terms.len());
    for term in terms {
        match term {
            Value::List(inner) if levels > 1 => items.extend(flat(inner, levels - 1)),
            Value::List(inner) => items.extend(inner),
            other => items.push(other),
        }
    }
    items
}

fn indexed((at, item): (usize, Value)) -> Value {
    Value::List(vec![
        Value::Int(i64::try_from(at).unwrap_or(i64::MAX)),
        item,
    ])
}

fn dict(terms: Vec<Value>) -> Result<Vec<Value>, String> {
    let mut items = Vec::new();
    for term in terms {
        let Value::Map(map) = term else {
            return Err(format!(
                "the 'dict' lookup plugin expects a dictionary, got {}",
                term.kind()
            ));
        };
        items.extend(map.into_iter().map(|(key, value)| {
            Value::Map(Map::from_iter([
                ("key".into(), Value::Unsafe(key)),
                ("value".into(), value),
            ]))
        }));
    }
    Ok(items)
}

fn lists(terms: Vec<Value>) -> Vec<Vec<Value>> {
    let list = |term| match term {
        Value::List(items) => items,
        other => vec![other],
    };
    terms.into_iter().map(list).collect()
}

fn together(lists: &[Vec<Value>]) -> Vec<Value> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |at: usize| {
        lists
            .iter()
            .map(|list| list.get(at).cloned().unwrap_or(Value::Null))
            .collect()
    };
    (0..longest).map(row).map(Value::List).collect()
}

fn nested(lists: &[Vec<Value>]) -> Vec<Value> {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists {
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter()
                    .map(|item| row.iter().cloned().chain([item.clone()]).collect())
            })
            .collect();
    }
    // As Ansible: what is nested one level deep in an element lies flat in the row.
    rows.into_iter()
        .filter(|row| !row.is_empty())
        .map(|row| Value::List(flat(row, 1)))
        .collect()
}
