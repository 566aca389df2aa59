//! A turn that an earlier run has done, as if it were done now: what it changed of the run's state is
//! changed, what was said of it is said, and the strategy hears how it came out. No host is asked.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::actions::{inventory, set_stats};
use super::super::prepared::Prepared;
use super::super::register;
use super::super::results::{self, Outcome};
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

/// Does it. An entry that can't be read says so, before anything of it was done: the task is done anew.
pub(in super::super) async fn again(
    scope: &TaskScope,
    prepared: &Arc<Prepared>,
    turn: &Turn,
    entry: &[u8],
) -> Result<Done, Malformed> {
    let mut entry = Unpacker::new(entry);
    let (outcome, verdict) = ended(&mut entry)?;
    let in_loop = prepared.task.r#loop.is_some();
    for note in notes(entry, &outcome.result, in_loop)? {
        note.again(scope, prepared, turn).await;
    }
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
        not_begun: false,
        includes,
        meta: *meta,
        // They are the verdict's.
        notify: Vec::new(),
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

/// What was noted of a turn.
#[derive(Debug)]
enum Note<'a> {
    Item(TaskResult),
    Retry(TaskResult, Retry),
    Facts(Vec<Arc<str>>, &'a Map),
    Host(&'a str, Vec<String>, Map),
    Group(Arc<str>, &'a str, Vec<String>),
    FactsGone(Arc<str>),
    Refresh,
    Stats(Option<Arc<str>>, bool, Map),
}

/// The notes, in their order. `result`: the turn's, of a loop with those of its items.
fn notes<'a>(
    mut entry: Unpacker<'a>,
    result: &'a Map,
    in_loop: bool,
) -> Result<Vec<Note<'a>>, Malformed> {
    let mut notes = Vec::new();
    let mut items = 0;
    while !entry.is_empty() {
        notes.push(match entry.byte()? {
            turn::ITEM => {
                let said = said(entry.bytes()?)?;
                let shown = results::shown(item(result, items)?, entry.flag()?);
                items += 1;
                Note::Item(TaskResult {
                    result: Arc::new(shown),
                    ..said
                })
            }
            turn::RETRY => {
                let said = said(entry.bytes()?)?;
                let (made, left) = (short(entry.number()?)?, short(entry.number()?)?);
                Note::Retry(said, Retry { made, left })
            }
            turn::FACTS => {
                let hosts = entry.texts()?.into_iter().map(Arc::from).collect();
                let of = if in_loop {
                    item(result, items)?
                } else {
                    result
                };
                Note::Facts(hosts, of)
            }
            turn::ADD_HOST => Note::Host(entry.text()?, owned(entry.texts()?), entry.map()?),
            turn::GROUP_BY => {
                Note::Group(entry.text()?.into(), entry.text()?, owned(entry.texts()?))
            }
            turn::CLEAR_FACTS => Note::FactsGone(entry.text()?.into()),
            turn::REFRESH => Note::Refresh,
            turn::STATS => {
                let host = entry.optional()?.map(Arc::from);
                Note::Stats(host, entry.flag()?, entry.map()?)
            }
            _ => return Err(Malformed),
        });
    }
    Ok(notes)
}

impl Note<'_> {
    async fn again(self, scope: &TaskScope, prepared: &Prepared, turn: &Turn) {
        let runner = &scope.runner;
        // Under the number that the task has in this run.
        let now = |said: TaskResult| {
            Arc::new(TaskResult {
                task: turn.number,
                ..said
            })
        };
        let say = |event| runner.emitter.emit(Event::Play(event));
        match self {
            Self::Item(said) => say(PlayEvent::ItemFinished(now(said))).await,
            Self::Retry(said, retry) => say(PlayEvent::Retrying(now(said), retry)).await,
            Self::Facts(hosts, result) => {
                register::take_facts(runner, &prepared.task.action.module, &hosts, result);
            }
            Self::Host(name, groups, vars) => {
                inventory::grow_host(runner, name, &groups, &vars);
            }
            Self::Group(host, group, parents) => {
                inventory::grow_group(runner, &host, group, &parents);
            }
            Self::FactsGone(host) => locked(&runner.states.of(&host)).clear_facts(),
            // It was loaded when this run began.
            Self::Refresh => runner.states.forget_ways(),
            Self::Stats(host, aggregate, data) => {
                set_stats::add(runner, host, aggregate, &data);
            }
        }
    }
}

/// The result of an item.
fn item(result: &Map, at: usize) -> Result<&Map, Malformed> {
    match result.get("results") {
        Some(Value::List(items)) => match items.get(at) {
            Some(Value::Map(item)) => Ok(item),
            _ => Err(Malformed),
        },
        _ => Err(Malformed),
    }
}

fn said(json: &[u8]) -> Result<TaskResult, Malformed> {
    serde_json::from_slice(json).map_err(|_| Malformed)
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn short(number: u64) -> Result<u32, Malformed> {
    u32::try_from(number).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::pack::Packer;

    #[test]
    fn notes_are_read_to_their_end_before_any_is_acted_upon() {
        let mut packed = Packer::default();
        packed.byte(turn::CLEAR_FACTS);
        packed.text("web01");
        packed.byte(turn::GROUP_BY);
        packed.text("web01");
        packed.text("blue");
        packed.texts(&["all"]);
        let whole = packed.finish();
        let result = Map::new();
        let read = |bytes| notes(Unpacker::new(bytes), &result, false);
        assert!(
            matches!(read(&whole).as_deref(), Ok([Note::FactsGone(_), Note::Group(_, "blue", parents)]) if parents == &["all"])
        );
        let first = 1 + 1 + "web01".len();
        for cut in (first + 1)..whole.len() {
            assert_eq!(
                read(whole.get(..cut).unwrap()).unwrap_err(),
                Malformed,
                "{cut}"
            );
        }
        // Facts of an item that the result does not have.
        let mut packed = Packer::default();
        packed.byte(turn::CLEAR_FACTS);
        packed.text("web01");
        packed.byte(turn::FACTS);
        packed.texts(&["web01"]);
        let looped = packed.finish();
        assert!(notes(Unpacker::new(&looped), &result, true).is_err());
        assert!(notes(Unpacker::new(&looped), &result, false).is_ok());
    }
}
