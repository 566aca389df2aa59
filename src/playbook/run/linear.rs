//! The strategy `linear`: a task is done on all hosts that stand at it before any goes on. Hosts that
//! stand elsewhere (in a `rescue`, in another include) wait: what is written first comes first.

use std::sync::Arc;

use super::batch::{Aftermath, Going, Host, Next};
use super::cursor::Leaf;
use super::error::RunError;
use super::play::Answer;
use super::worker::{Meta, Turn};
use crate::engine::Halt;
use crate::event::Stopped;
use crate::playbook::{Keyword, Task, Written};

/// Modules that are done once for all hosts.
pub(super) const ONCE: &[&str] = &["pause", "add_host"];

/// `meta` tasks that each host does for itself; the others are done once.
const OWN_META: &[&str] = &[
    "noop",
    "reset_connection",
    "end_host",
    "end_role",
    "flush_handlers",
];

/// Takes a batch through its play.
pub(super) async fn go(going: &mut Going<'_>) -> Result<(), RunError> {
    let mut last: Vec<u32> = Vec::new();
    while !going.run.is_stopped() {
        let hosts = foremost(going, &last);
        let Some(first) = hosts.first().copied() else {
            break;
        };
        if let Some(host) = going.hosts.get(first) {
            last = host.cursor.path().to_vec();
        }
        match going.hosts.get(first).and_then(Host::leaf) {
            Some(Leaf::Flush) => hosts.iter().for_each(|host| going.flush(*host)),
            _ => step(going, &hosts).await?,
        }
    }
    Ok(())
}

/// The hosts that stand at what comes next in the order of writing; once nothing does, those that
/// were left behind (`clear_host_errors` brings lost hosts back).
fn foremost(going: &Going<'_>, last: &[u32]) -> Vec<usize> {
    let mut best: Option<(bool, &[u32])> = None;
    let mut hosts = Vec::new();
    for (at, host) in going.hosts.iter().enumerate() {
        if !host.takes_part() {
            continue;
        }
        let path = host.cursor.path();
        let key = (path <= last, path);
        match best {
            Some(found) if found < key => continue,
            Some(found) if found == key => {}
            _ => {
                hosts.clear();
                best = Some(key);
            }
        }
        hosts.push(at);
    }
    hosts
}

/// Does one task on the hosts that stand at it.
async fn step(going: &mut Going<'_>, hosts: &[usize]) -> Result<(), RunError> {
    let Some((first, next)) = hosts
        .first()
        .and_then(|at| Some((*at, going.next_of(*at)?)))
    else {
        return Ok(());
    };
    if !is_meta(&next.task) {
        match ask(going, &next, first).await {
            Answer::Yes | Answer::Continue => {}
            Answer::No => {
                for at in hosts {
                    going.pass_over(*at);
                    going.go_on(*at);
                }
                return Ok(());
            }
            Answer::Stop => {
                if !going.run.is_stopped() {
                    going.run.stop(Halt::Stop(Stopped::Interrupted));
                }
                return Ok(());
            }
        }
    }
    let once = is_once(&next.task) || going.flag(Keyword::RunOnce, &next, first)?;
    let fatal = once || going.flag(Keyword::AnyErrorsFatal, &next, first)?;
    let width = if is_meta(&next.task) || &*next.task.action.module == "group_by" {
        // Nothing to wait for: one host after the other, so that groups list them in the play's order.
        1
    } else {
        going.width(&next, first)?
    };
    let number = going.announce(&next, first).await?;
    let mut results = Results::default();
    if once {
        let others: Vec<usize> = (0..going.hosts.len())
            .filter(|at| *at != first && going.hosts.get(*at).is_some_and(Host::takes_part))
            .collect();
        perform(
            going,
            (&[first], &others),
            &next,
            number,
            width,
            &mut results,
        )
        .await?;
        for at in hosts.iter().filter(|at| **at != first) {
            going.pass_over(*at);
            results.going_on.push(*at);
        }
    } else {
        perform(going, (hosts, &[]), &next, number, width, &mut results).await?;
    }
    settle(going, &next, results, fatal, once).await
}

/// What came of a task on hosts, by their place.
#[derive(Default)]
struct Results {
    /// Where all is well.
    going_on: Vec<usize>,
    /// Where something is to be decided.
    open: Vec<(usize, Arc<Turn>, Aftermath)>,
}

/// Has a task done on hosts, so many at a time; of these the `others` share the first one's result.
async fn perform(
    going: &mut Going<'_>,
    (hosts, others): (&[usize], &[usize]),
    next: &Next,
    number: u32,
    width: usize,
    results: &mut Results,
) -> Result<(), RunError> {
    let mut waiting = hosts.iter();
    loop {
        while going.at_work.len() < width && !going.run.is_stopped() {
            match waiting.next() {
                Some(host) => going.begin(*host, others, next, number),
                None => break,
            }
        }
        let Some((host, turn, done)) = going.ended().await else {
            break;
        };
        let aftermath = going.take_in(host, &turn, done)?;
        if aftermath.goes_on {
            results.going_on.push(host);
        }
        if aftermath.matters() {
            results.open.push((host, turn, aftermath));
        }
    }
    results.open.sort_by_key(|(host, ..)| *host);
    Ok(())
}

/// What follows from a task as a whole: includes, `meta`, and what failures mean for the others.
async fn settle(
    going: &mut Going<'_>,
    next: &Next,
    results: Results,
    fatal: bool,
    once: bool,
) -> Result<(), RunError> {
    let mut bad = Vec::new();
    let mut includes = Vec::new();
    for (host, turn, aftermath) in results.open {
        if aftermath.bad {
            bad.push(host);
        }
        if let Some(meta) = aftermath.meta {
            going.obey(host, meta);
        }
        if !aftermath.includes.is_empty() {
            includes.push((host, turn, aftermath.includes));
        }
    }
    if !includes.is_empty() {
        bad.extend(going.bring_in(next, includes).await?);
    }
    if fatal && !bad.is_empty() {
        // Those that are well stand at the task still, so they fail within its block.
        // That one host's result holds for all is no gate.
        going.fail_the_rest(&bad, !once);
        going.end_with_failures(&bad);
    } else {
        for host in results.going_on {
            going.go_on(host);
        }
    }
    if bad.is_empty() {
        return Ok(());
    }
    going.check_the_share().await
}

fn is_meta(task: &Task) -> bool {
    &*task.action.module == "meta"
}

fn is_once(task: &Task) -> bool {
    let what = task.action.args.free_form.as_ref().and_then(Written::text);
    ONCE.contains(&&*task.action.module)
        || (is_meta(task) && !what.is_some_and(|what| OWN_META.contains(&what)))
}

/// `--step`: whether the task is to be done.
async fn ask(going: &mut Going<'_>, next: &Next, first: usize) -> Answer {
    let Some(asks) = going.run.options.step.clone() else {
        return Answer::Yes;
    };
    let scene = going.scene(next, first);
    let name = super::show::task(&next.task, |written| going.run.text(written, &scene));
    let kind = if next.handler { "HANDLER" } else { "TASK" };
    let name = format!("{kind}: {name}");
    going.run.emitter.seen().await;
    let stopped = going.run.stopping();
    let asking = tokio::task::spawn_blocking(move || asks.perform(&name, &stopped));
    // (Nothing else is under way: a strategy that asks may wait.)
    let answer = going.run.asked(asking).await.unwrap_or(Answer::Stop);
    if going.run.is_stopped() {
        return Answer::Stop;
    }
    if answer == Answer::Continue {
        going.run.options.step = None;
    }
    answer
}

impl Aftermath {
    /// Whether anything is left to decide.
    fn matters(&self) -> bool {
        self.bad || !self.includes.is_empty() || !matches!(self.meta, None | Some(Meta::Nothing))
    }
}
