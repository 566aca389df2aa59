//! The strategies `free` and `host_pinned`: each host goes its own way as fast as it can. With
//! `host_pinned` a host that has begun is taken to its end before another begins.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::batch::{Going, Host, Next};
use super::cursor::{Group, Leaf};
use super::error::RunError;
use super::include::{Brought, Wanted, grouped};
use super::linear::ONCE;
use super::show;
use super::worker::{Done, Include, Turn};
use crate::event::Event;
use crate::playbook::Keyword;

/// What hosts share although each goes its own way.
#[derive(Default)]
struct Shared {
    /// Numbers of tasks that some host has begun, by the task's address (the tasks live as long as
    /// the batch: `brought` holds what is included).
    numbers: HashMap<usize, u32>,
    /// Hosts at work at a task that has a `throttle`.
    at_work: HashMap<usize, usize>,
    /// What was included at a task.
    brought: HashMap<usize, Vec<Known>>,
    warned: bool,
}

/// What was included, and by whom.
struct Known {
    include: Include,
    hosts: Vec<usize>,
    brought: Arc<Brought>,
}

/// Takes a batch through its play.
pub(super) async fn go(going: &mut Going<'_>, pinned: bool) -> Result<(), RunError> {
    let mut shared = Shared::default();
    let mut ready: VecDeque<usize> = (0..going.hosts.len()).collect();
    loop {
        begin(going, &mut shared, &mut ready).await?;
        let Some((host, turn, done)) = going.ended().await else {
            break;
        };
        if let Some(count) = shared.at_work.get_mut(&key(&turn)) {
            *count -= 1;
        }
        finish(going, &mut shared, host, turn, done).await?;
        if pinned {
            ready.push_front(host);
        } else {
            ready.push_back(host);
        }
    }
    Ok(())
}

/// Lets hosts begin what is next for them, as far as forks and throttles allow.
async fn begin(
    going: &mut Going<'_>,
    shared: &mut Shared,
    ready: &mut VecDeque<usize>,
) -> Result<(), RunError> {
    let forks = going.run.options.forks.max(1);
    let mut tries = ready.len();
    while tries > 0 && going.at_work.len() < forks && !going.run.is_stopped() {
        tries -= 1;
        let Some(host) = ready.pop_front() else { break };
        while let Some(Leaf::Flush) = going.hosts.get(host).and_then(Host::leaf) {
            going.flush(host);
        }
        let Some(next) = going.next_of(host) else {
            // It is through; `clear_host_errors` of another host may bring it back.
            continue;
        };
        let task = Arc::as_ptr(&next.task) as usize;
        let width = going.width(&next, host)?;
        let at_work = shared.at_work.entry(task).or_default();
        if *at_work >= width {
            ready.push_back(host);
            continue;
        }
        *at_work += 1;
        warn(going, shared, &next, host).await?;
        let number = if let Some(number) = shared.numbers.get(&task) {
            *number
        } else {
            let number = going.announce(&next, host).await?;
            shared.numbers.insert(task, number);
            number
        };
        going.begin(host, &[], &next, number);
    }
    Ok(())
}

async fn finish(
    going: &mut Going<'_>,
    shared: &mut Shared,
    host: usize,
    turn: Arc<Turn>,
    done: Done,
) -> Result<(), RunError> {
    let aftermath = going.take_in(host, &turn, done)?;
    if let Some(meta) = aftermath.meta {
        going.obey(host, meta);
    }
    if aftermath.goes_on {
        going.go_on(host);
    }
    if aftermath.includes.is_empty() {
        return Ok(());
    }
    let next = Next {
        task: turn.task.clone(),
        handler: turn.handler,
        scope: turn.scope.clone(),
    };
    let mut groups = Vec::new();
    for wanted in grouped([(host, aftermath.includes)]) {
        match known(going, shared, &next, &turn, &wanted).await {
            Ok(group) => groups.push(group),
            Err(why) => {
                let emitter = &going.run.emitter;
                let what = wanted.include.named();
                let done = show::not_included(emitter, &turn, &what, &why).await;
                going.take_in(host, &turn, done)?;
                return Ok(());
            }
        }
    }
    going.go_into(host, groups);
    Ok(())
}

/// What is included, loaded by the first host that comes to it.
async fn known(
    going: &mut Going<'_>,
    shared: &mut Shared,
    next: &Next,
    turn: &Turn,
    wanted: &Wanted,
) -> Result<Arc<Group>, String> {
    let host = wanted.hosts.first().copied().unwrap_or_default();
    let all = shared.brought.entry(key(turn)).or_default();
    let known = all
        .iter_mut()
        .find(|known| known.include == wanted.include && !known.hosts.contains(&host));
    let brought = if let Some(known) = known {
        known.hosts.push(host);
        known.brought.clone()
    } else {
        let brought = Arc::new(going.load(next, &wanted.include)?);
        all.push(Known {
            include: wanted.include.clone(),
            hosts: vec![host],
            brought: brought.clone(),
        });
        brought
    };
    going.brought(turn, wanted, &brought).await;
    Ok(brought.group.clone())
}

fn key(turn: &Turn) -> usize {
    Arc::as_ptr(&turn.task) as usize
}

/// What can't be had when each host goes its own way.
async fn warn(
    going: &mut Going<'_>,
    shared: &mut Shared,
    next: &Next,
    host: usize,
) -> Result<(), RunError> {
    if ONCE.contains(&&*next.task.action.module) {
        return Err(RunError::needs_linear(&next.task));
    }
    if !shared.warned && going.flag(Keyword::RunOnce, next, host)? {
        shared.warned = true;
        let text = "run_once has no meaning with the strategies free and host_pinned: the task is \
                    done on every host";
        going.run.emitter.emit(Event::Notice(text.to_owned())).await;
    }
    Ok(())
}
