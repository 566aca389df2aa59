//! What a loop goes over: the list of `loop`, or what the lookup of a `with_` makes of its terms.

use super::render::{self, Wrong};
use super::scope::TaskScope;
use crate::base::value::Value;
use crate::playbook::{Loop, Written};
use crate::template;

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
    // The two that nearly all playbooks mean; the others are lookups as templates know them.
    match &**lookup {
        "list" => Ok(terms),
        "items" => Ok(flat(terms)),
        _ => found(scope, lookup, &over.over, &terms),
    }
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
