//! Results under Ansible's names: of attempts, items, tasks; as they are kept and as they are shown.

use std::sync::Arc;
use std::time::Duration;

use super::prepared::Prepared;
use super::render::Wrong;
use crate::base::value::{Map, Value};
use crate::event::{ErrorKind, FactsOf, HostError, TaskStatus};
use crate::module::ModuleError;
use crate::playbook::run::worker::{Include, Meta};

/// What stands for the result of a task with `no_log`.
const CENSORED: &str =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

/// Says that the facts of `set_fact` are the host's, too.
pub(super) const CACHEABLE: &str = "_ansible_facts_cacheable";

/// What came of an attempt, an item, or a task.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// The result under Ansible's names.
    pub(super) result: Map,
    /// Why there is none of the module's.
    pub(super) error: Option<HostError>,
    /// Whether the module was not even begun: no condition of the task's makes a success of that.
    pub(super) not_begun: bool,
    /// Files of tasks and roles to go on with.
    pub(super) includes: Vec<Include>,
    /// What a `meta` task wants of the strategy.
    pub(super) meta: Option<Meta>,
    /// The handlers that were named, should the task change something.
    pub(super) notify: Vec<String>,
    /// Whose facts it holds, where later runs may know them.
    pub(super) facts: Vec<FactsOf>,
}

fn text(text: impl Into<Arc<str>>) -> Value {
    Value::Unsafe(text.into())
}

impl Outcome {
    /// A module's result.
    pub(super) fn of(result: Map) -> Self {
        Self {
            result,
            ..Self::default()
        }
    }

    /// A result of these values.
    pub(super) fn with<const N: usize>(values: [(&str, Value); N]) -> Self {
        Self::of(
            values
                .into_iter()
                .map(|(name, value)| (Arc::from(name), value))
                .collect(),
        )
    }

    /// A failure that says why.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::with([
            ("changed", Value::Bool(false)),
            ("failed", Value::Bool(true)),
            ("msg", text(message.into())),
        ])
    }

    /// A failure by an error of the host's.
    pub(super) fn error(error: HostError) -> Self {
        Self {
            error: Some(error.clone()),
            ..Self::failed(error.message)
        }
    }

    /// A value that could not be rendered.
    pub(super) fn wrong(wrong: &Wrong) -> Self {
        Self {
            error: Some(wrong.error()),
            not_begun: true,
            ..Self::failed(format!("Task failed: {}", wrong.message))
        }
    }

    /// Arguments that the module does not take.
    pub(super) fn refused(error: &ModuleError, prepared: &Prepared) -> Self {
        let place = error
            .parameter
            .as_deref()
            .and_then(|name| prepared.argument(name))
            .map_or(&prepared.task.action.place, |argument| &argument.written);
        let mut found = HostError::new(
            ErrorKind::Arguments,
            place.error(&error.message).to_string(),
        );
        if let Some(hint) = &error.hint {
            found = found.hint(hint);
        }
        Self {
            error: Some(found),
            ..Self::failed(&error.message)
        }
    }

    /// No connection.
    pub(super) fn unreachable(error: HostError) -> Self {
        let message = format!("Task failed: {}", error.message);
        Self {
            error: Some(error),
            ..Self::with([
                ("changed", Value::Bool(false)),
                ("unreachable", Value::Bool(true)),
                ("msg", text(message)),
            ])
        }
    }

    /// The task's own limit has passed.
    pub(super) fn timed_out(error: HostError, limit: Duration) -> Self {
        let seconds = limit.as_secs_f64();
        let mut outcome =
            Self::failed(format!("Task failed: Timed out after {seconds} second(s)."));
        let period = Map::from_iter([("period".into(), Value::Float(seconds))]);
        outcome.result.insert("timedout".into(), Value::Map(period));
        outcome.error = Some(error);
        outcome
    }

    /// The limit of `async` has passed.
    pub(super) fn out_of_time(error: HostError) -> Self {
        let mut outcome = Self::failed("Task failed: Module failed: Timeout exceeded");
        for stream in ["stdout", "stderr"] {
            outcome.result.insert(stream.into(), text(""));
        }
        outcome.error = Some(error);
        outcome
    }

    /// Nothing was done, and why.
    pub(super) fn skipped(message: impl Into<String>) -> Self {
        Self::with([
            ("changed", Value::Bool(false)),
            ("skipped", Value::Bool(true)),
            ("msg", text(message.into())),
        ])
    }

    /// A condition did not hold.
    pub(super) fn unmet(condition: Value) -> Self {
        Self::with([
            ("changed", Value::Bool(false)),
            ("skipped", Value::Bool(true)),
            ("skip_reason", text("Conditional result was False")),
            ("false_condition", condition),
        ])
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        is_true(&self.result, name)
    }

    /// How it came out.
    pub(super) fn status(&self) -> TaskStatus {
        status(&self.result)
    }
}

/// Whether a value of a result is yes.
pub(super) fn is_true(result: &Map, name: &str) -> bool {
    match result.get(name) {
        Some(Value::Bool(yes)) => *yes,
        Some(other) => crate::playbook::as_bool(other).unwrap_or(false),
        None => false,
    }
}

fn status(result: &Map) -> TaskStatus {
    if is_true(result, "unreachable") {
        TaskStatus::Unreachable
    } else if is_true(result, "failed") {
        TaskStatus::Failed
    } else if is_true(result, "skipped") {
        TaskStatus::Skipped
    } else if is_true(result, "changed") {
        TaskStatus::Changed
    } else {
        TaskStatus::Ok
    }
}

/// A loop's result of its items'.
pub(super) fn of_items(items: Vec<Map>) -> Map {
    let any = |name: &str| items.iter().any(|item| is_true(item, name));
    let skipped = items.iter().all(|item| is_true(item, "skipped"));
    let failed = any("failed");
    let unreachable = any("unreachable");
    let message = match (failed || unreachable, skipped) {
        (true, _) => "One or more items failed",
        (false, true) => "All items skipped",
        (false, false) => "All items completed",
    };
    let mut result = Map::from_iter([("changed".into(), Value::Bool(any("changed")))]);
    if failed {
        result.insert("failed".into(), Value::Bool(true));
    }
    if unreachable {
        result.insert("unreachable".into(), Value::Bool(true));
    }
    result.insert("msg".into(), text(message));
    result.insert("skipped".into(), Value::Bool(skipped));
    result.insert(
        "results".into(),
        Value::List(items.into_iter().map(Value::Map).collect()),
    );
    result
}

/// The result of a loop over nothing.
pub(super) fn of_no_items() -> Map {
    Outcome::with([
        ("changed", Value::Bool(false)),
        ("skipped", Value::Bool(true)),
        ("skipped_reason", text("No items in the list")),
        ("results", Value::List(Vec::new())),
    ])
    .result
}

/// A result as `register` keeps it; that of a loop is as it is.
pub(super) fn kept(mut result: Map, of_loop: bool) -> Map {
    result.retain(|name, _| !name.starts_with("_ansible_"));
    if !of_loop && !is_true(&result, "skipped") && !result.contains_key("failed") {
        result.insert("failed".into(), Value::Bool(false));
    }
    result
}

/// A result as it is shown: nothing of a task with `no_log` but what tells of changes.
pub(super) fn shown(result: &Map, no_log: bool) -> serde_json::Map<String, serde_json::Value> {
    if !no_log {
        let json = |(name, value): (&Arc<str>, &Value)| (name.to_string(), value.to_json());
        // What did not happen is not worth a word; what is said between us is nobody's.
        let told = |(name, value): &(&Arc<str>, &Value)| {
            let untrue = matches!(&***name, "skipped" | "failed") && **value == Value::Bool(false);
            !untrue && &***name != CACHEABLE
        };
        return result.iter().filter(told).map(json).collect();
    }
    let mut shown = serde_json::Map::new();
    shown.insert("censored".into(), CENSORED.into());
    for name in [
        "changed",
        "failed",
        "unreachable",
        "skipped",
        "attempts",
        "retries",
    ] {
        let told = result
            .get(name)
            .filter(|value| **value != Value::Bool(false) || name == "changed");
        if let Some(value) = told {
            shown.insert(name.to_owned(), value.to_json());
        }
    }
    if let Some(Value::List(items)) = result.get("results") {
        let item = |item: &Value| match item {
            Value::Map(item) => self::shown(item, true).into(),
            _ => serde_json::Value::Null,
        };
        shown.insert("results".into(), items.iter().map(item).collect());
    }
    shown
}
