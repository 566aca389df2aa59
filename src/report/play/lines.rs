//! A result in words: `changed: [web01] => (item=a)`.

use serde_json::{Map, Value};

use super::Tone;
use super::python_json;
use crate::event::{TaskResult, TaskStatus};

/// The host, and where the task was delegated to.
pub(super) fn host(result: &TaskResult) -> String {
    match result
        .delegated
        .as_ref()
        .filter(|other| **other != result.host)
    {
        Some(other) => format!("{} -> {other}", result.host),
        None => result.host.to_string(),
    }
}

/// The line of a result and its tone.
pub(super) fn of(result: &TaskResult, action: &str, verbose: u8) -> (Tone, String) {
    let host = host(result);
    let item = result.label.as_ref().map(|label| format!("(item={label})"));
    // What they came to; not that they could not be asked, nor that it is hidden or not to be said.
    let speaks = matches!(short(action), "debug" | "assert")
        && result.error.is_none()
        && !result.result.contains_key("censored")
        && result.result.get("_ansible_verbose_always") != Some(&Value::Bool(false));
    let shown = || python_json::write(&Value::Object(cleaned(result, action)), speaks);
    let told = verbose > 0 || speaks;
    let plain = |word: &str| match (&item, told) {
        (None, false) => format!("{word}: [{host}]"),
        (None, true) => format!("{word}: [{host}] => {}", shown()),
        (Some(item), false) => format!("{word}: [{host}] => {item}"),
        (Some(item), true) => format!("{word}: [{host}] => {item} => {}", shown()),
    };
    match result.status {
        TaskStatus::Ok => (Tone::Ok, plain("ok")),
        TaskStatus::Changed => (Tone::Changed, plain("changed")),
        TaskStatus::Skipped => {
            // It was done nowhere.
            let host = &result.host;
            let line = match (&item, verbose > 0) {
                (None, false) => format!("skipping: [{host}]"),
                (Some(item), false) => format!("skipping: [{host}] => {item} "),
                (None, true) => format!("skipping: [{host}] => {}", shown()),
                (Some(item), true) => format!("skipping: [{host}] => {item} => {}", shown()),
            };
            (Tone::Skipped, line)
        }
        TaskStatus::Failed => {
            let line = match item {
                None => format!("fatal: [{host}]: FAILED! => {}", shown()),
                Some(item) => format!("failed: [{host}] {item} => {}", shown()),
            };
            (Tone::Failed, line)
        }
        TaskStatus::Unreachable => {
            let line = match item {
                None => format!("fatal: [{host}]: UNREACHABLE! => {}", shown()),
                Some(item) => format!("failed: [{host}] {item} => {}", shown()),
            };
            (Tone::Unreachable, line)
        }
    }
}

/// A module's short name.
pub(super) fn short(action: &str) -> &str {
    action.rsplit('.').next().unwrap_or(action)
}

/// What of a result is shown.
pub(super) fn cleaned(result: &TaskResult, action: &str) -> Map<String, Value> {
    let mut shown: Map<String, Value> = result
        .result
        .iter()
        .filter(|(name, _)| {
            !name.starts_with("_ansible") && !matches!(name.as_str(), "diff" | "invocation")
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if short(action) == "debug" {
        // A message stands alone, without the item it is of.
        if shown.contains_key("msg") {
            shown.retain(|name, _| {
                matches!(&**name, "msg" | "exception" | "warnings" | "deprecations")
            });
        }
        for name in [
            "changed",
            "failed",
            "skipped",
            "ansible_loop_var",
            "ansible_index_var",
            "ansible_loop",
        ] {
            shown.remove(name);
        }
    }
    if result.status == TaskStatus::Failed {
        shown.remove("failed");
    }
    shown
}
