//! What stays of a task's result: registered variables, facts, and what `rescue` may ask for.

use std::sync::Arc;

use super::context::Context;
use super::prepared::Prepared;
use super::render;
use super::results::{self, Outcome};
use super::runner::Runner;
use super::scope::TaskScope;
use super::state::locked;
use crate::base::value::{Map, Value};
use crate::event::FactsOf;
use crate::playbook::Keyword;
use crate::playbook::run::program::GATHER_FACTS;

/// Registers the result for all hosts that it holds for.
pub(super) fn keep(scope: &TaskScope, prepared: &Prepared, hosts: &[Arc<str>], outcome: &Outcome) {
    let Some(name) = &prepared.register else {
        return;
    };
    let result = Arc::new(Value::Map(results::kept(
        outcome.result.clone(),
        prepared.task.r#loop.is_some(),
    )));
    for host in hosts {
        let state = scope.runner.states.of(host);
        locked(&state).set(name, result.clone());
    }
}

/// What the tasks of a `rescue` may ask for.
pub(super) fn rescued(
    runner: &Runner,
    prepared: &Prepared,
    hosts: &[Arc<str>],
    result: &serde_json::Map<String, serde_json::Value>,
) {
    let result = Arc::new(Value::from_json(&serde_json::Value::Object(result.clone())));
    let task = Arc::new(Value::Map(described(prepared)));
    for host in hosts {
        let state = runner.states.of(host);
        let mut state = locked(&state);
        state.set(&Arc::from("ansible_failed_result"), result.clone());
        state.set(&Arc::from("ansible_failed_task"), task.clone());
    }
}

/// A task as `rescue` sees it.
fn described(prepared: &Prepared) -> Map {
    let text = |text: &str| Value::Unsafe(text.into());
    let name = prepared
        .task
        .name()
        .and_then(|name| name.text())
        .unwrap_or_default();
    let args = prepared.args.iter().map(|argument| {
        (
            argument.name.clone(),
            render::final_texts(argument.value.clone()),
        )
    });
    Map::from_iter([
        ("name".into(), text(name)),
        ("action".into(), text(&prepared.task.action.written)),
        ("args".into(), Value::Map(args.collect())),
        ("path".into(), text(&prepared.task.place().to_string())),
    ])
}

/// Keeps the facts of an attempt, where it went well. Gives whose they are, where they are facts of
/// the hosts themselves rather than variables.
pub(super) fn facts(context: &Context<'_>, outcome: &Outcome) -> Option<FactsOf> {
    let result = &outcome.result;
    if !matches!(result.get("ansible_facts"), Some(Value::Map(_))) {
        return None;
    }
    if outcome.flag("failed") || outcome.flag("unreachable") || outcome.flag("skipped") {
        return None;
    }
    let module = &*context.prepared.task.action.module;
    let hosts = context.facts_of();
    if let Some(kept) = &context.scope.kept {
        kept.facts(&hosts);
    }
    take_facts(context.runner(), module, &hosts, result);
    are_of_hosts(module, result).then(|| FactsOf {
        hosts,
        item: None,
        gathered: module == GATHER_FACTS,
    })
}

/// Whether a result's facts are what hosts are like, rather than variables.
fn are_of_hosts(module: &str, result: &Map) -> bool {
    match module {
        "set_fact" => results::is_true(result, results::CACHEABLE),
        "include_vars" => false,
        _ => true,
    }
}

/// Facts of a result, for hosts.
pub(super) fn take_facts(runner: &Runner, module: &str, hosts: &[Arc<str>], result: &Map) {
    let Some(Value::Map(facts)) = result.get("ansible_facts") else {
        return;
    };
    for host in hosts {
        let state = runner.states.of(host);
        let mut state = locked(&state);
        for (name, value) in facts {
            match module {
                "set_fact" => state.set(name, Arc::new(value.clone())),
                "include_vars" => state.include(name, value.clone()),
                _ => {}
            }
        }
        if are_of_hosts(module, result) {
            state.facts(facts);
        }
        if module == GATHER_FACTS {
            state.note_gathering();
        }
    }
}

impl Context<'_> {
    /// The hosts that the task's facts are of.
    fn facts_of(&self) -> Vec<Arc<str>> {
        let prepared = self.prepared;
        let flag = |keyword| {
            matches!(
                render::flag(&self.scope, prepared.keyword(keyword)),
                Ok(Some(true))
            )
        };
        if self.scope.delegated.is_some() && flag(Keyword::DelegateFacts) {
            return vec![self.place()];
        }
        if prepared.keyword(Keyword::RunOnce).is_some() && flag(Keyword::RunOnce) {
            return self.scope.batch.hosts.iter().cloned().collect();
        }
        vec![self.host()]
    }
}
