//! One property out of a host's variables, as text.

use super::names::{Property, keyword, names};
use super::{Resolved, Variables};
use crate::base::secret::Secret;
use crate::base::value::Value;
use crate::event::{ErrorKind, HostError};

/// A variable found, as text.
pub(super) struct Found {
    /// The variable's name, or the flag's.
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) origin: String,
}

impl Found {
    /// Whether it is of a settings file: meant for all hosts, whatever they are.
    pub(super) fn is_setting(&self) -> bool {
        self.origin == SETTINGS
    }

    /// The variable and where it is set; a flag is its own place.
    pub(super) fn place(&self) -> String {
        if self.origin == self.name {
            format!("`{}`", self.name)
        } else {
            format!("`{}`, {}", self.name, self.origin)
        }
    }
}

/// The origin of what settings files say.
pub(super) const SETTINGS: &str = "settings";

/// What is wrong with a value.
pub(super) fn wrong(found: &Found, expected: &str) -> HostError {
    HostError::new(
        ErrorKind::Arguments,
        format!(
            "`{}` is wrong ({}): expected {expected}",
            found.name, found.origin
        ),
    )
}

/// Yes or no, in any of YAML's and Ansible's words.
pub(super) fn boolean(found: &Found) -> Result<bool, HostError> {
    match found.text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "y" | "t" => Ok(true),
        "false" | "no" | "off" | "0" | "n" | "f" => Ok(false),
        _ => Err(wrong(found, "yes or no")),
    }
}

/// The strongest of a property's variables: one of `-e` before all, then in the table's order.
pub(super) fn get(vars: &dyn Variables, property: Property) -> Result<Option<Found>, HostError> {
    get_of(vars, property, |_| true)
}

/// The properties that may be lists; commas join them.
fn is_list(property: Property) -> bool {
    property == Property::WinrmTransport
}

fn no_text(name: &str, resolved: &Resolved, expected: &str) -> HostError {
    HostError::new(
        ErrorKind::Arguments,
        format!(
            "`{name}` is {} ({}): expected {expected}",
            resolved.value.kind(),
            resolved.origin
        ),
    )
}

/// The same among the names that are meant.
pub(super) fn get_of(
    vars: &dyn Variables,
    property: Property,
    meant: impl Fn(&str) -> bool,
) -> Result<Option<Found>, HostError> {
    let mut best: Option<Found> = None;
    for name in names(property).iter().filter(|name| meant(name)) {
        let Some(resolved) = vars.get(name)? else {
            continue;
        };
        let extra = resolved.origin.starts_with("-e");
        if best.is_some() && !extra {
            continue;
        }
        let Some(found) = as_text(vars, property, name, resolved)? else {
            continue;
        };
        best = Some(found);
        if extra {
            break;
        }
    }
    if best.is_none()
        && let Some(name) = keyword(property)
        && let Some(resolved) = vars.keyword(name)?
    {
        return as_text(vars, property, name, resolved);
    }
    Ok(best)
}

/// A value as text; nothing where it says nothing.
fn as_text(
    vars: &dyn Variables,
    property: Property,
    name: &'static str,
    resolved: Resolved,
) -> Result<Option<Found>, HostError> {
    let text = match &resolved.value {
        Value::Null => return Ok(None),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::String(text) | Value::Unsafe(text) if text.is_empty() => return Ok(None),
        Value::String(text) | Value::Unsafe(text) => text.to_string(),
        Value::List(items) if is_list(property) => {
            let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            match words {
                Some(words) if words.is_empty() => return Ok(None),
                Some(words) => words.join(","),
                None => return Err(no_text(name, &resolved, "a list of words")),
            }
        }
        _ => return Err(no_text(name, &resolved, "text or a number")),
    };
    if resolved.secret {
        vars.learn(&Secret::new(text.clone()));
    }
    Ok(Some(Found {
        name,
        text,
        origin: resolved.origin,
    }))
}

/// A variable that is a secret whatever it came from; the redactor hears of it.
pub(super) fn secret(
    vars: &dyn Variables,
    property: Property,
    meant: impl Fn(&str) -> bool,
) -> Result<Option<Secret>, HostError> {
    let found = get_of(vars, property, meant)?.map(|found| Secret::new(found.text));
    if let Some(secret) = &found {
        vars.learn(secret);
    }
    Ok(found)
}
