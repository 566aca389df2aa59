//! The attempts of a task, or of one item: done until a condition holds, each judged by
//! `changed_when` and `failed_when`.

use std::time::Duration;

use jiff::Timestamp;

use super::context::Context;
use super::render::{self, Wrong};
use super::results::{Outcome, is_true};
use super::{actions, task};
use crate::base::clock;
use crate::base::value::{Map, Value};
use crate::event::{Event, PlayEvent, Retry};
use crate::playbook::Keyword;

/// Attempts after the first where `until` stands without `retries`.
const RETRIES: u32 = 3;
/// Seconds between attempts where nobody says.
const DELAY: f64 = 5.0;

/// What `failed_when` made no failure of; Ansible has the traceback there, and says so where it
/// has none.
const SUPPRESSED: &str = "failed_when_suppressed_exception";
const UNAVAILABLE: &str = "(traceback unavailable)";

/// Does it, as often as it takes.
pub(super) async fn perform(context: &Context<'_>) -> Outcome {
    let limits = match Limits::of(context) {
        Ok(limits) => limits,
        Err(wrong) => return Outcome::wrong(&wrong),
    };
    let mut made = 0;
    loop {
        made += 1;
        let began = clock::now();
        let mut outcome = actions::perform(context).await;
        if outcome.not_begun {
            return outcome;
        }
        if limits.attempts > 1 {
            outcome
                .result
                .insert("attempts".into(), Value::Int(i64::from(made)));
        }
        judge(context, &mut outcome);
        if limits.attempts == 1 || outcome.flag("unreachable") {
            return outcome;
        }
        match enough(context, &outcome) {
            Ok(true) => return outcome,
            Ok(false) => {}
            Err(wrong) => return Outcome::wrong(&wrong),
        }
        if made >= limits.attempts {
            // As Ansible counts them: without the first.
            outcome.result.insert(
                "attempts".into(),
                Value::Int(i64::from(limits.attempts - 1)),
            );
            outcome.result.insert("failed".into(), Value::Bool(true));
            return outcome;
        }
        outcome
            .result
            .insert("retries".into(), Value::Int(i64::from(limits.attempts)));
        let left = limits.attempts - made;
        say_retrying(context, &outcome, began, Retry { made, left }).await;
        if !context.runner().sleep(limits.delay).await {
            outcome.result.insert("failed".into(), Value::Bool(true));
            return outcome;
        }
    }
}

struct Limits {
    attempts: u32,
    delay: Duration,
}

impl Limits {
    fn of(context: &Context<'_>) -> Result<Self, Wrong> {
        let prepared = context.prepared;
        let number = |keyword| render::number(&context.scope, prepared.keyword(keyword));
        let retries = number(Keyword::Retries)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped"
        )]
        let attempts = match retries {
            Some(retries) => 1 + retries.clamp(0.0, 1e6) as u32,
            None if !prepared.until.is_empty() => 1 + RETRIES,
            None => 1,
        };
        let delay = match attempts {
            1 => 0.0,
            _ => number(Keyword::Delay)?.unwrap_or(DELAY),
        };
        let delay = Duration::try_from_secs_f64(delay.clamp(0.0, 1e6)).unwrap_or_default();
        Ok(Self { attempts, delay })
    }
}

/// Whether no further attempt is wanted.
fn enough(context: &Context<'_>, outcome: &Outcome) -> Result<bool, Wrong> {
    if context.prepared.until.is_empty() {
        return Ok(!outcome.flag("failed"));
    }
    let scope = task::with_result(&context.scope, context.prepared, &outcome.result);
    Ok(render::first_false(&scope, &context.prepared.until)?.is_none())
}

/// `failed` and `changed` of a result, by its `rc` and by the task's own conditions.
fn judge(context: &Context<'_>, outcome: &mut Outcome) {
    if !outcome.includes.is_empty() {
        return;
    }
    let result = &mut outcome.result;
    if !result.contains_key("failed")
        && result
            .get("rc")
            .is_some_and(|rc| !matches!(rc, Value::Int(0)) && rc.as_str() != Some("0"))
    {
        result.insert("failed".into(), Value::Bool(true));
    }
    if !result.contains_key("changed") {
        result.insert("changed".into(), Value::Bool(false));
    }
    let prepared = context.prepared;
    if result.contains_key("skipped") || is_true(result, "unreachable") {
        return;
    }
    if prepared.changed_when.is_empty() && prepared.failed_when.is_empty() {
        return;
    }
    let holds = |conditions: &[_], result: &Map| {
        let scope = task::with_result(&context.scope, prepared, result);
        render::first_false(&scope, conditions).map(|found| found.is_none())
    };
    let not_known = |result: &mut Map, name: &str, wrong: Wrong| {
        result.insert("failed".into(), Value::Bool(true));
        result.insert(name.into(), Value::Unsafe(wrong.message.as_str().into()));
        Some(wrong.error())
    };
    if !prepared.changed_when.is_empty() {
        match holds(&prepared.changed_when, result) {
            Ok(changed) => _ = result.insert("changed".into(), Value::Bool(changed)),
            Err(wrong) => {
                outcome.error = not_known(result, "changed_when_result", wrong);
                return;
            }
        }
    }
    if !prepared.failed_when.is_empty() {
        match holds(&prepared.failed_when, result) {
            Ok(failed) => {
                let had = result.insert("failed".into(), Value::Bool(failed));
                if !failed && had == Some(Value::Bool(true)) {
                    result.insert(SUPPRESSED.into(), Value::Unsafe(UNAVAILABLE.into()));
                }
                result.insert("failed_when_result".into(), Value::Bool(failed));
                outcome.error = outcome.error.take().filter(|_| failed);
            }
            Err(wrong) => outcome.error = not_known(result, "failed_when_result", wrong),
        }
    }
}

async fn say_retrying(context: &Context<'_>, outcome: &Outcome, began: Timestamp, retry: Retry) {
    let result = task::event(context, outcome, None, began);
    if let Some(kept) = &context.scope.kept {
        kept.retry(&result, retry);
    }
    let event = PlayEvent::Retrying(std::sync::Arc::new(result), retry);
    context.runner().emitter.emit(Event::Play(event)).await;
}
