//! `wait_for`: whether what a file or a port says has what is waited for, by Python's regular expressions.

use super::super::answer::Answer;
use super::super::call::{Call, Controller, Said};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::python_re::{Flags, Pattern};
use crate::base::value::{Map, Value};

pub(super) struct WaitFor;

impl Hook for WaitFor {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        let has = |name: &str| call.params.contains_key(name);
        let state = call.text("state").unwrap_or_default();
        if has("path") && state == "stopped" {
            return Err(ModuleError::new(
                "state=stopped should only be used for checking a port in the wait_for module",
            ));
        }
        if has("path") && state == "drained" {
            return Err(ModuleError::new(
                "state=drained should only be used for checking a port in the wait_for module",
            ));
        }
        if has("exclude_hosts") && state != "drained" {
            return Err(ModuleError::new(
                "exclude_hosts should only be with state=drained",
            ));
        }
        let Some(text) = call.text("search_regex") else {
            return Ok(());
        };
        let flags = Flags {
            multiline: true,
            ..Flags::default()
        };
        let pattern = Pattern::bytes(text, flags)
            .map_err(|error| ModuleError::of("search_regex", error.to_string()))?;
        call.answer_with(move |question| {
            let said = question
                .said
                .field("ioms/text")
                .cloned()
                .unwrap_or_default();
            let found = pattern.search(&said, 0).ok().flatten();
            let mut answer = Answer::default();
            answer
                .variables
                .insert("found".into(), Value::Bool(found.is_some()));
            if let Some(found) = found {
                let group = |at: usize| {
                    let bytes = found.groups.get(at).copied().flatten();
                    let bytes = bytes.and_then(|(start, end)| said.get(start..end));
                    bytes.map_or(Value::Null, |bytes| {
                        Value::Unsafe(String::from_utf8_lossy(bytes).into())
                    })
                };
                let groups = (1..found.groups.len()).map(group).collect();
                answer
                    .result
                    .insert("match_groups".into(), Value::List(groups));
                let named = pattern.names();
                let named = named.map(|(name, at)| (name.into(), group(at)));
                answer
                    .result
                    .insert("match_groupdict".into(), Value::Map(named.collect()));
            }
            answer
        });
        Ok(())
    }

    fn conclude(&self, call: &Call, _said: &Said, result: &mut Map) {
        if result.contains_key("failed") {
            return;
        }
        for name in ["state", "port", "path", "search_regex"] {
            let value = call.params.get(name).cloned().unwrap_or(Value::Null);
            result.insert(name.into(), value);
        }
        let empty = [
            ("match_groups", Value::List(Vec::new())),
            ("match_groupdict", Value::Map(Map::new())),
        ];
        for (name, value) in empty {
            result.entry(name.into()).or_insert(value);
        }
    }
}
