//! Services: what systemd says of a unit, as a mapping.

use super::super::call::{Call, Controller, Platform, Said};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::value::{Map, Value};

pub(super) struct Service;

impl Hook for Service {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        match (call.situation.platform, call.text("state")) {
            (Platform::Posix, Some(state @ ("paused" | "absent"))) => {
                let message = format!("state `{state}` is for Windows hosts only");
                Err(ModuleError::of("state", message))
            }
            _ => Ok(()),
        }
    }

    fn conclude(&self, _call: &Call, _said: &Said, result: &mut Map) {
        let Some(Value::Map(sd)) = result.shift_remove("sd") else {
            return;
        };
        let text = sd.get("status").and_then(Value::as_str).unwrap_or_default();
        result.insert("status".into(), Value::Map(properties(text)));
    }
}

/// Lines `NAME=VALUE`; what is no such line goes on with the value before it.
fn properties(text: &str) -> Map {
    let mut properties = Map::new();
    for line in text.lines() {
        let named = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        match (line.split_once('='), properties.last_mut()) {
            (Some((name, value)), _) if named(name) => {
                properties.insert(name.into(), Value::Unsafe(value.into()));
            }
            (_, Some((_, Value::Unsafe(value)))) => *value = format!("{value}\n{line}").into(),
            _ => {}
        }
    }
    properties
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_may_go_on_over_lines() {
        let read =
            properties("Id=a.service\nDescription=two\n lines = yes\nExecStart={ path=/x ; }\n");
        assert_eq!(
            Value::Map(read).to_json(),
            serde_json::json!({
                "Id": "a.service",
                "Description": "two\n lines = yes",
                "ExecStart": "{ path=/x ; }",
            })
        );
    }
}
