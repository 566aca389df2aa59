//! Why a task failed, and where it stands in the playbook: said once for all hosts to which the same
//! happened, before their lines, as ansible-core 2.19 does.

use std::collections::HashSet;
use std::io;

use super::{Tone, say};
use crate::event::{ErrorKind, TaskInfo, TaskResult};
use crate::report::Context;
use crate::report::text::one_line;

/// So much of a module's message is shown here; all of it is in the result.
const LONGEST: usize = 200;
/// So many different failures of one task are placed.
const MOST: usize = 100;

/// What was said of the task under way.
#[derive(Default)]
pub(super) struct Failures {
    task: u32,
    told: HashSet<String>,
}

impl Failures {
    /// Says why, unless that was said of this task already.
    pub(super) fn write(
        &mut self,
        cx: &mut Context,
        task: &TaskInfo,
        result: &TaskResult,
    ) -> io::Result<()> {
        if self.task != task.task {
            self.task = task.task;
            self.told.clear();
        }
        let why = why(task, result);
        if self.told.len() >= MOST || self.told.contains(&why) {
            return Ok(());
        }
        say(cx, Tone::Failed, &format!("[ERROR]: {why}\n"))?;
        self.told.insert(why);
        Ok(())
    }
}

/// A template's or an argument's error has a place of its own; else it is the task's.
fn why(task: &TaskInfo, result: &TaskResult) -> String {
    if let Some(error) = &result.error
        && matches!(error.kind, ErrorKind::Template | ErrorKind::Arguments)
    {
        return error.message.clone();
    }
    let message = result.result.get("msg").and_then(|msg| msg.as_str());
    let first = message.unwrap_or_default().trim().lines().next();
    let message = one_line(first.unwrap_or_default());
    // Some messages begin with it themselves.
    let message = message.strip_prefix("Task failed: ").unwrap_or(&message);
    let mut shown: String = message.chars().take(LONGEST).collect();
    if shown.len() < message.len() {
        shown.push('…');
    }
    let before = if shown.is_empty() { "" } else { ": " };
    format!("Task failed{before}{shown}\nOrigin: {}", task.path)
}
