//! What the executor itself says of tasks: their names, and results that no worker made.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};

use super::worker::{Done, Turn};
use crate::base::clock;
use crate::event::{Emitter, ErrorKind, Event, HostError, PlayEvent, TaskResult, TaskStatus};
use crate::playbook::{Task, Written};

/// A task's name as it is shown; as written where it can't be rendered.
pub(super) fn task(task: &Task, render: impl Fn(&Written) -> Result<String, String>) -> String {
    let own = match task.name() {
        Some(name) => {
            let written = || name.text().map(str::to_owned);
            render(name).ok().or_else(written)
        }
        None => None,
    };
    let own = own
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| unnamed(task));
    match &task.role {
        Some(used) => format!("{} : {own}", used.role.shown_name()),
        None => own,
    }
}

fn unnamed(task: &Task) -> String {
    let args = &task.action.args.named;
    match args
        .get("name")
        .or_else(|| args.get("role"))
        .and_then(Written::text)
    {
        Some(role) if &*task.action.module == "include_role" => {
            format!("{} : {role}", task.action.written)
        }
        _ => task.action.written.to_string(),
    }
}

/// Facts that nobody can use are not gathered.
pub(super) async fn no_facts(emitter: &Emitter, turn: &Turn) -> Done {
    let result = json!({"ansible_facts": {}, "changed": false});
    let done = of(TaskStatus::Ok, result);
    say(emitter, turn, &done, None).await;
    done
}

/// A defect of ours on one host must not lose that host: it is failed, and said so.
pub(super) async fn broken(emitter: &Emitter, turn: &Turn) -> Done {
    let message = "internal error while working on the host";
    let done = of(
        TaskStatus::Failed,
        json!({"changed": false, "msg": message}),
    );
    let error =
        HostError::new(ErrorKind::Protocol, message).hint("please report this; -vv has more");
    say(emitter, turn, &done, Some(error)).await;
    done
}

/// What was to be included is not there or not right.
pub(super) async fn not_included(emitter: &Emitter, turn: &Turn, what: &str, why: &str) -> Done {
    let result = json!({"changed": false, "include": what, "reason": why});
    let done = of(TaskStatus::Failed, result);
    let error = HostError::new(ErrorKind::Arguments, why);
    say(emitter, turn, &done, Some(error)).await;
    done
}

fn of(status: TaskStatus, result: serde_json::Value) -> Done {
    let result = match result {
        serde_json::Value::Object(map) => map,
        _ => Map::new(),
    };
    Done {
        status,
        ignored: false,
        notify: Vec::new(),
        includes: Vec::new(),
        meta: None,
        error: None,
        result: Arc::new(result),
    }
}

async fn say(emitter: &Emitter, turn: &Turn, done: &Done, error: Option<HostError>) {
    let Some(host) = turn.hosts.first() else {
        return;
    };
    let result = TaskResult {
        task: turn.number,
        host: host.clone(),
        delegated: None,
        status: done.status,
        ignored: false,
        label: None,
        result: done.result.clone(),
        error,
        facts: Vec::new(),
        started: clock::now(),
        duration: Duration::ZERO,
    };
    emitter
        .emit(Event::Play(PlayEvent::TaskFinished(Arc::new(result))))
        .await;
}
