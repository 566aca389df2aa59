//! `meta`: what is asked of the executor itself; most of it is the strategy's to do.

use super::super::context::Context;
use super::super::results::Outcome;
use super::super::state::locked;
use super::text;
use crate::base::value::{Map, Value};
use crate::event::{Event, PlayEvent};
use crate::playbook::run::worker::Meta;

pub(super) async fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    let wish = text(params, "free_form").unwrap_or_default();
    let meta = match wish {
        "flush_handlers" => Meta::FlushHandlers,
        "end_host" => Meta::EndHost,
        "end_batch" => Meta::EndBatch,
        "end_play" => Meta::EndPlay,
        "end_role" => Meta::EndRole,
        "clear_host_errors" => Meta::ClearHostErrors,
        "noop" => Meta::Nothing,
        "clear_facts" => {
            clear_facts(context).await;
            if let Some(kept) = &context.scope.kept {
                kept.clear_facts(&context.host());
            }
            Meta::Nothing
        }
        "reset_connection" => match context.target() {
            Ok(target) => {
                context.runner().connections.reset(&target).await;
                Meta::Nothing
            }
            Err(error) => return Outcome::error(error),
        },
        "refresh_inventory" => match context.runner().hosts.refresh() {
            Ok(()) => {
                context.runner().states.forget_ways();
                if let Some(kept) = &context.scope.kept {
                    kept.refresh();
                }
                Meta::Nothing
            }
            Err(why) => return Outcome::failed(why),
        },
        other => return Outcome::failed(format!("invalid meta action requested: {other}")),
    };
    let mut outcome = Outcome::with([("changed", Value::Bool(false))]);
    outcome.meta = Some(meta);
    outcome
}

/// Of all hosts of the play, as in Ansible; those on record too.
async fn clear_facts(context: &Context<'_>) {
    let runner = context.runner();
    let hosts = &context.scope.batch.all;
    runner.recall.forget(hosts);
    for host in hosts.iter() {
        locked(&runner.states.of(host)).clear_facts();
    }
    let event = PlayEvent::FactsCleared(hosts.clone());
    runner.emitter.emit(Event::Play(event)).await;
}

/// Its condition did not hold, in Ansible's words.
pub(in super::super) fn unmet(wish: &str, host: &str) -> Outcome {
    let stays = match wish {
        "flush_handlers" => format!(", not running handlers for {host}"),
        "clear_facts" => format!(", not clearing facts and fact cache for {host}"),
        "clear_host_errors" => format!(", not clearing host error state for {host}"),
        "end_batch" => ", continuing current batch".to_owned(),
        "end_play" => ", continuing play".to_owned(),
        "end_host" => format!(", continuing execution for {host}"),
        _ => String::new(),
    };
    let message = match wish {
        "end_host" => {
            format!("end_host conditional evaluated to false, continuing execution for {host}")
        }
        _ => wish.to_owned(),
    };
    Outcome::with([
        ("msg", Value::Unsafe(message.into())),
        ("skipped", Value::Bool(true)),
        (
            "skip_reason",
            Value::Unsafe(format!("{wish} conditional evaluated to False{stays}").into()),
        ),
    ])
}
