//! A play as JSON lines, as it goes: `play_started`, `task_started`, `item_finished`, `task_finished`.

use std::io;

use serde_json::{Map, Value, json as value};

use super::super::Context;
use super::super::jsonl::line;
use super::document::{counters, shown};
use crate::event::{PlayEvent, TaskResult};

/// Writes an event's line.
pub(in crate::report) fn write(
    cx: &mut Context,
    at: jiff::Timestamp,
    event: &PlayEvent,
) -> io::Result<()> {
    let (name, fields) = match event {
        PlayEvent::PlayStarted(play) => (
            "play_started",
            value!({"play": play.play, "name": play.name, "path": play.path, "hosts": play.hosts}),
        ),
        PlayEvent::NoHostsMatched(play) => ("no_hosts_matched", value!({"play": play})),
        PlayEvent::NoHostsRemaining(play) => ("no_hosts_remaining", value!({"play": play})),
        PlayEvent::TaskStarted(task) => (
            "task_started",
            value!({
                "task": task.task, "play": task.play, "name": task.name, "action": task.action,
                "path": task.path, "handler": task.handler,
            }),
        ),
        PlayEvent::ItemFinished(result) => ("item_finished", of(result)),
        PlayEvent::Retrying(result, retry) => {
            let mut fields = of(result);
            if let Value::Object(fields) = &mut fields {
                fields.insert("attempts".into(), retry.made.into());
                fields.insert("retries_left".into(), retry.left.into());
            }
            ("task_retrying", fields)
        }
        PlayEvent::TaskFinished(result) => ("task_finished", of(result)),
        PlayEvent::Included {
            task,
            what,
            label,
            hosts,
        } => {
            let mut fields = value!({"task": task, "file": what, "hosts": hosts});
            if let (Value::Object(fields), Some(label)) = (&mut fields, label) {
                fields.insert("item".into(), label.as_str().into());
            }
            ("included", fields)
        }
        PlayEvent::FactsCleared(hosts) => ("facts_cleared", value!({"hosts": hosts})),
        PlayEvent::Stats(stats) => {
            let hosts: Map<String, Value> = (stats.hosts.iter())
                .map(|(host, counts)| (host.to_string(), counters(counts)))
                .collect();
            ("stats", value!({"stats": hosts}))
        }
    };
    let fields = match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    line(cx, at, name, fields)
}

fn of(result: &TaskResult) -> Value {
    let mut fields = value!({
        "task": result.task, "host": result.host, "status": result.status.name(),
        "ignored": result.ignored, "duration_ms": result.duration.as_secs_f64() * 1000.0,
        "result": shown(result, ""),
    });
    if let Value::Object(fields) = &mut fields {
        if let Some(label) = &result.label {
            fields.insert("item".into(), label.as_str().into());
        }
        if let Some(host) = &result.delegated {
            fields.insert("delegated_to".into(), (**host).into());
        }
        if let Some(Value::Object(result)) = fields.get_mut("result") {
            result.remove("action");
        }
    }
    fields
}
