//! A turn that an earlier run has done, as if it were done now: what it changed of the run's state is
//! changed, what was said of it is said, and the strategy hears how it came out. No host is asked.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::actions::{inventory, set_stats};
use super::super::prepared::Prepared;
use super::super::register;
use super::super::results::{self, Outcome};
use super::super::runner::Runner;
use super::super::scope::TaskScope;
use super::super::state::locked;
use super::super::task::{self, Verdict};
use super::turn;
use crate::base::pack::{Malformed, Unpacker};
use crate::base::value::{Map, Value};
use crate::event::{Event, PlayEvent, Retry, TaskResult};
use crate::playbook::run::worker::{Done, Include, Meta, Turn};

/// What a `meta` task may want, by the number under which it is kept.
pub(super) const METAS: [Option<Meta>; 8] = [
    None,
    Some(Meta::FlushHandlers),
    Some(Meta::EndHost),
    Some(Meta::EndBatch),
    Some(Meta::EndPlay),
    Some(Meta::EndRole),
    Some(Meta::ClearHostErrors),
    Some(Meta::Nothing),
];

/// Does it. An entry that can't be read says so: the task is done anew.
pub(in super::super) async fn again(
    scope: &TaskScope,
    prepared: &Arc<Prepared>,
    turn: &Turn,
    entry: &[u8],
) -> Result<Done, Malformed> {
    let mut entry = Unpacker::new(entry);
    let (outcome, verdict) = ended(&mut entry)?;
    let replay = Replay {
        scope,
        prepared,
        turn,
        result: &outcome.result,
    };
    replay.notes(entry).await?;
    register::keep(scope, prepared, &turn.hosts, &outcome);
    Ok(task::conclude(scope, turn, outcome, verdict).await)
}

fn ended(entry: &mut Unpacker<'_>) -> Result<(Outcome, Verdict), Malformed> {
    entry.byte()?;
    entry.number()?;
    entry.text()?;
    entry.raw(16)?;
    let result = entry.map()?;
    let error = serde_json::from_slice(entry.bytes()?).map_err(|_| Malformed)?;
    let delegated = entry.optional()?.map(Arc::from);
    let (ignored, no_log) = (entry.flag()?, entry.flag()?);
    let notify = entry.texts()?.into_iter().map(str::to_owned).collect();
    let (began, took) = (entry.number()?.cast_signed(), entry.number()?);
    let mut includes = Vec::new();
    for _ in 0..entry.number()? {
        includes.push(Include {
            params: entry.map()?,
            vars: entry.map()?,
            label: entry.optional()?.map(str::to_owned),
        });
    }
    let meta = METAS.get(usize::from(entry.byte()?)).ok_or(Malformed)?;
    let outcome = Outcome {
        result,
        error,
        includes,
        meta: *meta,
        // They are on record since.
        facts: Vec::new(),
    };
    let verdict = Verdict {
        delegated,
        ignored,
        no_log,
        notify,
        began: Timestamp::from_microsecond(began).unwrap_or_default(),
        duration: Duration::from_micros(took),
    };
    Ok((outcome, verdict))
}

/// The notes of a turn, gone through again.
struct Replay<'a> {
    scope: &'a TaskScope,
    prepared: &'a Arc<Prepared>,
    turn: &'a Turn,
    result: &'a Map,
}

impl Replay<'_> {
    fn runner(&self) -> &Arc<Runner> {
        &self.scope.runner
    }

    async fn notes(&self, mut notes: Unpacker<'_>) -> Result<(), Malformed> {
        let mut items = 0;
        while !notes.is_empty() {
            match notes.byte()? {
                turn::ITEM => {
                    let said = self.said(notes.bytes()?)?;
                    let no_log = notes.flag()?;
                    let result = results::shown(self.item(items)?, no_log);
                    let result = Arc::new(result);
                    let said = TaskResult { result, ..said };
                    self.say(PlayEvent::ItemFinished(Arc::new(said))).await;
                    items += 1;
                }
                turn::RETRY => {
                    let said = self.said(notes.bytes()?)?;
                    let retry = Retry {
                        made: short(notes.number()?)?,
                        left: short(notes.number()?)?,
                    };
                    self.say(PlayEvent::Retrying(Arc::new(said), retry)).await;
                }
                turn::FACTS => {
                    let hosts: Vec<Arc<str>> = notes.texts()?.into_iter().map(Arc::from).collect();
                    let result = match self.prepared.task.r#loop {
                        Some(_) => self.item(items)?,
                        None => self.result,
                    };
                    let module = &self.prepared.task.action.module;
                    register::take_facts(self.runner(), module, &hosts, result);
                }
                other => self.state(other, &mut notes)?,
            }
        }
        Ok(())
    }

    /// What changes the state of the run and is not in the result.
    fn state(&self, kind: u8, notes: &mut Unpacker<'_>) -> Result<(), Malformed> {
        let runner = self.runner();
        match kind {
            turn::ADD_HOST => {
                let name = notes.text()?;
                inventory::grow_host(runner, name, &owned(notes.texts()?), &notes.map()?);
            }
            turn::GROUP_BY => {
                let (host, group) = (Arc::from(notes.text()?), notes.text()?);
                inventory::grow_group(runner, &host, group, &owned(notes.texts()?));
            }
            turn::CLEAR_FACTS => {
                let state = runner.states.of(&Arc::from(notes.text()?));
                locked(&state).clear_facts();
            }
            turn::REFRESH => {
                // It was loaded when this run began.
                runner.states.forget_ways();
            }
            turn::STATS => {
                let host = notes.optional()?.map(Arc::from);
                let aggregate = notes.flag()?;
                set_stats::add(runner, host, aggregate, &notes.map()?);
            }
            _ => return Err(Malformed),
        }
        Ok(())
    }

    /// The result of an item.
    fn item(&self, at: usize) -> Result<&Map, Malformed> {
        match self.result.get("results") {
            Some(Value::List(items)) => match items.get(at) {
                Some(Value::Map(item)) => Ok(item),
                _ => Err(Malformed),
            },
            _ => Err(Malformed),
        }
    }

    /// Something said of it, under the number that the task has in this run.
    fn said(&self, json: &[u8]) -> Result<TaskResult, Malformed> {
        let said: TaskResult = serde_json::from_slice(json).map_err(|_| Malformed)?;
        Ok(TaskResult {
            task: self.turn.number,
            ..said
        })
    }

    async fn say(&self, event: PlayEvent) {
        self.runner().emitter.emit(Event::Play(event)).await;
    }
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn short(number: u64) -> Result<u32, Malformed> {
    u32::try_from(number).map_err(|_| Malformed)
}
