//! One task on one host, from its condition to what is made of its result.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::actions;
use super::attempts;
use super::context::Context;
use super::jobs;
use super::kept::{self, Found};
use super::loops;
use super::prepared::Prepared;
use super::prompts;
use super::register;
use super::render;
use super::results::{self, Outcome};
use super::runner::Runner;
use super::scope::TaskScope;
use super::wants_facts;
use crate::base::clock;
use crate::base::value::{Map, Value};
use crate::event::{Event, PlayEvent, TaskResult, TaskStatus};
use crate::playbook::run::worker::{Batch, CustomStats, Done, Scene, Turn, Worker};
use crate::playbook::{Keyword, Loaded, Written};

/// Does a run's tasks.
pub(super) struct Hands(pub(super) Arc<Runner>);

#[async_trait]
impl Worker for Hands {
    async fn perform(&self, turn: &Turn) -> Done {
        let prepared = self.0.prepare(&turn.task);
        let scene = Scene {
            batch: &turn.batch,
            host: turn.hosts.first(),
            task: Some(&turn.task),
            scope: turn.scope.as_ref(),
        };
        let mut scope = self.0.scope(&scene, Some(&prepared));
        let Some(keep) = &self.0.keep else {
            return perform(&scope, &prepared, turn, None).await;
        };
        let mut lost = None;
        match keep.turn(&prepared, turn) {
            Found::Done(entry) => match kept::again(&scope, &prepared, turn, &entry).await {
                Ok(done) => return done,
                Err(error) => tracing::error!(%error, "a task is done again"),
            },
            Found::Open(turn) => scope.kept = Some(turn),
            Found::Lost(turn) => {
                scope.kept = Some(turn);
                lost = Some(Outcome::error(keep.report_lost()));
            }
        }
        perform(&scope, &prepared, turn, lost).await
    }

    fn render(&self, scene: &Scene<'_>, value: &Value) -> Result<Value, String> {
        let prepared = scene.task.map(|task| self.0.prepare(task));
        let scope = self.0.scope(scene, prepared.as_ref());
        render::value(&scope, value).map_err(|error| error.to_string())
    }

    async fn begin_play(&self, batch: &Arc<Batch>) -> Result<(), String> {
        self.0.hosts.beside(&batch.play.folder);
        prompts::ask(&self.0, batch).await
    }

    fn wants_facts(&self, turn: &Turn) -> bool {
        let (play, Some(host)) = (&turn.batch.play, turn.hosts.first()) else {
            return true;
        };
        // A task that somebody wrote is done.
        let implicit = Arc::ptr_eq(&turn.task.written.node, &play.written.node);
        !implicit || (wants_facts::of_play(&self.0, play, host) && !self.0.has_gathered(turn, host))
    }

    fn included(&self, batch: &Arc<Batch>, _hosts: &[Arc<str>], loaded: &Loaded) {
        let play = self.0.play(&batch.play, batch.number);
        for used in &loaded.roles {
            play.include(&self.0.layers, used);
        }
    }

    fn custom_stats(&self) -> CustomStats {
        let stats = self.0.stats.lock().unwrap_or_else(PoisonError::into_inner);
        stats
            .iter()
            .map(|(host, stats)| (host.clone(), stats.clone()))
            .collect()
    }

    fn rescued(&self, turn: &Turn, done: &Done) {
        let prepared = self.0.prepare(&turn.task);
        register::rescued(&self.0, &prepared, &turn.hosts, &done.result);
    }

    async fn end(&self) {
        jobs::remove_read(&self.0).await;
    }
}

/// What keywords say of a task's result.
pub(super) struct Verdict {
    pub(super) ignored: bool,
    pub(super) no_log: bool,
    pub(super) delegated: Option<Arc<str>>,
    pub(super) notify: Vec<String>,
    pub(super) began: Timestamp,
    pub(super) duration: Duration,
}

/// Does it, unless it is known what came of it.
async fn perform(
    scope: &TaskScope,
    prepared: &Arc<Prepared>,
    turn: &Turn,
    known: Option<Outcome>,
) -> Done {
    let began = clock::now();
    let mut outcome = match (known, &prepared.task.r#loop) {
        (Some(outcome), _) => outcome,
        (None, Some(over)) => loops::perform(scope, prepared, over, turn.number).await,
        (None, None) => once(scope, prepared, turn.number).await.0,
    };
    // Of an include this is said of the task, not of items.
    let changed = outcome.result.entry("changed".into());
    if !outcome.includes.is_empty() {
        changed.or_insert(Value::Bool(false));
    }
    let status = outcome.status();
    let ignored = ignored(scope, prepared, status);
    register::keep(scope, prepared, &turn.hosts, &outcome);
    let verdict = Verdict {
        ignored,
        no_log: no_log(scope, prepared),
        delegated: delegated(scope, prepared),
        notify: if status == TaskStatus::Changed {
            std::mem::take(&mut outcome.notify)
        } else {
            Vec::new()
        },
        began,
        duration: since(began),
    };
    if let Some(kept) = &scope.kept {
        let in_loop = prepared.task.r#loop.is_some();
        kept.end(&outcome, &verdict, in_loop, scope.runner.stopping());
    }
    conclude(scope, turn, outcome, verdict).await
}

/// Says what came of a task, to all and to its strategy.
pub(super) async fn conclude(
    scope: &TaskScope,
    turn: &Turn,
    mut outcome: Outcome,
    said: Verdict,
) -> Done {
    let status = outcome.status();
    let result = Arc::new(results::shown(&outcome.result, said.no_log));
    let seen = if said.no_log && status == TaskStatus::Failed {
        Arc::new(results::shown(&outcome.result, false))
    } else {
        result.clone()
    };
    let error = outcome.error.filter(|_| !said.no_log);
    let event = TaskResult {
        task: turn.number,
        host: scope.host.clone().unwrap_or_else(|| Arc::from("localhost")),
        delegated: said.delegated,
        status,
        ignored: said.ignored,
        label: None,
        result,
        error: error.clone(),
        facts: if said.no_log {
            Vec::new()
        } else {
            std::mem::take(&mut outcome.facts)
        },
        started: said.began,
        duration: said.duration,
    };
    // What `meta` asks for, the strategy says itself.
    if outcome.meta.is_none() {
        let event = PlayEvent::TaskFinished(Arc::new(event));
        scope.runner.emitter.emit(Event::Play(event)).await;
    }
    Done {
        status,
        ignored: said.ignored,
        notify: said.notify,
        includes: outcome.includes,
        meta: outcome.meta,
        error,
        result: seen,
    }
}

/// A task without a loop, or one item of it: the condition, then the attempts. Also the host that it
/// was delegated to.
pub(super) async fn once(
    scope: &TaskScope,
    prepared: &Arc<Prepared>,
    number: u32,
) -> (Outcome, Option<Arc<str>>) {
    match render::first_false(scope, &prepared.when) {
        Err(wrong) => return (Outcome::wrong(&wrong), None),
        Ok(Some(condition)) => return (unmet(scope, prepared, condition.value()), None),
        Ok(None) => {}
    }
    let context = match Context::new(scope.clone(), prepared, number) {
        Ok(context) => context,
        Err(wrong) => return (Outcome::wrong(&wrong), None),
    };
    let mut outcome = attempts::perform(&context).await;
    outcome.facts.extend(register::facts(&context, &outcome));
    outcome.notify = context.notify;
    (outcome, context.scope.delegated)
}

fn unmet(scope: &TaskScope, prepared: &Prepared, condition: Value) -> Outcome {
    let action = &prepared.task.action;
    if &*action.module != "meta" {
        return Outcome::unmet(condition);
    }
    let wish = action.args.free_form.as_ref().and_then(Written::text);
    let host = scope.host.as_deref().unwrap_or_default();
    actions::meta::unmet(wish.unwrap_or_default(), host)
}

/// With the result, as far as it is known, under the name it will be registered by.
pub(super) fn with_result(scope: &TaskScope, prepared: &Prepared, result: &Map) -> TaskScope {
    let mut scope = scope.clone();
    if let Some(name) = &prepared.register {
        scope.local.insert(
            name.clone(),
            Value::Map(results::kept(result.clone(), false)),
        );
    }
    if let Some(Value::Map(facts)) = result.get("ansible_facts") {
        // Of `set_fact` and the like, under their own names.
        let facts = facts
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()));
        scope.local.extend(facts);
    }
    scope
}

/// Whether the result is not to be shown; where that can't be told, it is not.
pub(super) fn no_log(scope: &TaskScope, prepared: &Prepared) -> bool {
    let keyword = prepared.keyword(Keyword::NoLog);
    keyword.is_some() && !matches!(render::flag(scope, keyword), Ok(Some(false) | None))
}

fn ignored(scope: &TaskScope, prepared: &Prepared, status: TaskStatus) -> bool {
    let keyword = match status {
        TaskStatus::Failed => Keyword::IgnoreErrors,
        TaskStatus::Unreachable => Keyword::IgnoreUnreachable,
        TaskStatus::Ok | TaskStatus::Changed | TaskStatus::Skipped => return false,
    };
    matches!(
        render::flag(scope, prepared.keyword(keyword)),
        Ok(Some(true))
    )
}

/// The host that a task as a whole is delegated to; of a loop, where it is one for all items.
fn delegated(scope: &TaskScope, prepared: &Prepared) -> Option<Arc<str>> {
    if prepared.task.action.local {
        return Some(Arc::from("localhost"));
    }
    let keyword = prepared.keyword(Keyword::DelegateTo);
    let name = render::text(scope, keyword).ok().flatten();
    name.filter(|name| !name.is_empty()).map(Arc::from)
}

pub(super) fn since(began: Timestamp) -> std::time::Duration {
    clock::now()
        .duration_since(began)
        .try_into()
        .unwrap_or_default()
}

/// What is shown of an attempt or an item.
pub(super) fn event(
    context: &Context<'_>,
    outcome: &Outcome,
    label: Option<String>,
    began: Timestamp,
) -> TaskResult {
    let no_log = no_log(&context.scope, context.prepared);
    let status = outcome.status();
    TaskResult {
        task: context.number,
        host: context.host(),
        delegated: context.scope.delegated.clone(),
        status,
        ignored: ignored(&context.scope, context.prepared, status),
        // The item may be what is not to be seen.
        label: label.map(|label| {
            if no_log {
                "(censored due to no_log)".to_owned()
            } else {
                label
            }
        }),
        result: Arc::new(results::shown(&outcome.result, no_log)),
        error: outcome.error.clone().filter(|_| !no_log),
        facts: Vec::new(),
        started: began,
        duration: since(began),
    }
}
