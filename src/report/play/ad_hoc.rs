//! One module on many hosts (`do`), as Ansible's ad-hoc command shows it: a block a host, commands as
//! their text, other modules as JSON.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::text::one_line;
use super::super::words::{explanation, finished};
use super::super::{Context, Part};
use super::{Tone, diff, lines, python_json, say};
use crate::event::{Event, HostResult, Outcome, PlayEvent, Stamped, TaskResult, TaskStatus};

/// Modules whose result is a command's text.
const COMMANDS: &[&str] = &[
    "command",
    "shell",
    "raw",
    "script",
    "win_command",
    "win_shell",
];

/// Whether the run is one of `do`.
pub(in crate::report) fn is_do(cx: &Context) -> bool {
    cx.header.as_ref().is_some_and(|header| header.verb == "do")
}

/// What a module gave on each host.
#[derive(Default)]
pub(in crate::report) struct ModuleResults(HashMap<Arc<str>, Arc<Map<String, Value>>>);

impl ModuleResults {
    /// Keeps a result of `do`.
    pub(in crate::report) fn hear(&mut self, cx: &Context, event: &Stamped) {
        if let Event::Play(PlayEvent::TaskFinished(result)) = &event.event
            && is_do(cx)
        {
            self.0.insert(result.host.clone(), result.result.clone());
        }
    }

    pub(in crate::report) fn of(&self, host: &str) -> Option<&Map<String, Value>> {
        self.0.get(host).map(|result| &**result)
    }

    pub(in crate::report) fn take(&mut self, host: &str) -> Option<Arc<Map<String, Value>>> {
        self.0.remove(host)
    }
}

/// Shows hosts as they finish.
#[derive(Default)]
pub(in crate::report) struct AdHoc {
    action: String,
    /// Results whose hosts' ends are still to come.
    shown: std::collections::HashSet<Arc<str>>,
}

impl AdHoc {
    fn result(&mut self, cx: &mut Context, result: &TaskResult) -> io::Result<()> {
        self.shown.insert(result.host.clone());
        if let Some(found) = result.result.get("diff") {
            diff::write(cx, found)?;
        }
        let host = lines::host(result);
        let (tone, word) = word(result.status);
        let host = one_line(&host);
        if result.status == TaskStatus::Skipped {
            return say(cx, tone, &format!("{host} | {word}"));
        }
        let rc = result.result.get("rc");
        let action = lines::short(&self.action);
        let spoke = matches!(
            result.status,
            TaskStatus::Ok | TaskStatus::Changed | TaskStatus::Failed
        ) && COMMANDS.contains(&action);
        if let Some(rc) = rc.filter(|_| spoke) {
            let head = format!("{host} | {word} | rc={rc} >>");
            return say(cx, tone, &format!("{head}{}", text(result)));
        }
        let mark = match result.status {
            TaskStatus::Failed | TaskStatus::Unreachable => "!",
            _ => "",
        };
        let shown = Value::Object(lines::cleaned(result, &self.action));
        let shown = python_json::write(&shown, true);
        say(cx, tone, &format!("{host} | {word}{mark} => {shown}"))
    }

    /// A host whose turn never came.
    fn ended(&mut self, cx: &mut Context, host: &str, result: &HostResult) -> io::Result<()> {
        if self.shown.remove(host) || result.outcome == Outcome::Skipped {
            return Ok(());
        }
        let word = result.outcome.name().to_uppercase();
        let line = format!("{} | {word}", one_line(host));
        match explanation(result).trim_end() {
            "" => say(cx, Tone::Skipped, &line),
            why => say(cx, Tone::Skipped, &format!("{line} >>\n{why}")),
        }
    }
}

fn word(status: TaskStatus) -> (Tone, &'static str) {
    match status {
        TaskStatus::Ok => (Tone::Ok, "SUCCESS"),
        TaskStatus::Changed => (Tone::Changed, "CHANGED"),
        TaskStatus::Skipped => (Tone::Skipped, "SKIPPED"),
        TaskStatus::Failed => (Tone::Failed, "FAILED"),
        TaskStatus::Unreachable => (Tone::Unreachable, "UNREACHABLE"),
    }
}

/// What a command said, each part on lines of its own.
fn text(result: &TaskResult) -> String {
    let said = ["stdout", "stderr", "msg"];
    said.into_iter()
        .filter_map(|name| result.result.get(name)?.as_str())
        .filter(|text| !text.is_empty())
        .fold(String::new(), |mut all, text| {
            all.push('\n');
            all.push_str(text.trim_end_matches('\n'));
            all
        })
}

impl Part for AdHoc {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        match &event.event {
            Event::Play(PlayEvent::TaskStarted(task)) => self.action.clone_from(&task.action),
            Event::Play(PlayEvent::TaskFinished(result)) => self.result(cx, result)?,
            _ => {
                if let Some((host, result)) = finished(event) {
                    let name = cx.name(host);
                    self.ended(cx, &name, result)?;
                }
                return Ok(());
            }
        }
        cx.screen.flush()
    }
}
