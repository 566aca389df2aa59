//! How a run goes on: a moving line at a terminal, now and then a plain line elsewhere, and for whom
//! it waits.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use super::pace::Pace;
use super::{Context, Part};
use crate::event::{Event, HostIx, Outcome, Stamped, Summary, Waiting};

/// Hosts that run longer than this are named.
const LONG: Duration = Duration::from_secs(5);
/// How often a plain line is written.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

pub(super) struct Progress {
    summary: Summary,
    running: HashSet<HostIx>,
    moving: bool,
    waiting: String,
    pace: Pace,
    /// When the last plain line was written.
    said: Option<jiff::Timestamp>,
}

impl Progress {
    pub(super) fn new(total: usize, moving: bool) -> Self {
        Self {
            summary: Summary::new(total),
            running: HashSet::new(),
            moving,
            waiting: String::new(),
            pace: Pace::default(),
            said: None,
        }
    }

    /// What is said beside the number of hosts; `pace` where that is not said before it.
    fn message(&self, pace: Vec<String>) -> String {
        let mut parts: Vec<String> = Outcome::ALL
            .into_iter()
            .filter(|outcome| self.summary.count(*outcome) > 0)
            .map(|outcome| {
                let name = outcome.name().replace('_', " ");
                format!("{} {name}", self.summary.count(outcome))
            })
            .collect();
        parts.push(format!("{} running", self.running.len()));
        parts.extend(pace);
        if !self.waiting.is_empty() {
            parts.push(self.waiting.clone());
        }
        parts.join(", ")
    }

    /// The moving line: about bytes once there are some, else about hosts.
    fn show(&self, cx: &mut Context) {
        let (done, message) = (self.summary.done(), self.message(Vec::new()));
        if !self.pace.is_known() {
            cx.screen.show_progress(done as u64, message);
            return;
        }
        let hosts = format!("{done}/{} hosts", self.summary.total);
        let mut parts = vec![hosts];
        parts.extend(self.pace.parts());
        parts.push(message);
        let (moved, expected) = (self.pace.moved(), self.pace.expected());
        cx.screen.show_moved(moved, expected, parts.join("  "));
    }

    fn plain(&mut self, cx: &mut Context, at: jiff::Timestamp) -> io::Result<()> {
        let since = *self.said.get_or_insert(at);
        if at.duration_since(since).unsigned_abs() < PLAIN_EVERY || cx.screen.quiet() {
            return Ok(());
        }
        self.said = Some(at);
        let line = format!(
            "{}/{} done: {}",
            self.summary.done(),
            self.summary.total,
            self.message(self.pace.parts())
        );
        cx.screen.err(|err| writeln!(err, "{line}"))
    }
}

/// `waiting on: db17 (214 s, last output 180 s ago)`.
fn waiting_on(cx: &Context, waiting: &[Waiting]) -> String {
    let named: Vec<String> = waiting
        .iter()
        .filter(|each| each.running >= LONG)
        .take(3)
        .map(|each| {
            let name = cx.shown(each.host);
            let (running, silent) = (each.running.as_secs(), each.silent.as_secs());
            if silent + 1 >= running {
                format!("{name} ({running} s, no output)")
            } else {
                format!("{name} ({running} s, last output {silent} s ago)")
            }
        })
        .collect();
    if named.is_empty() {
        String::new()
    } else {
        format!("waiting on: {}", named.join(", "))
    }
}

impl Part for Progress {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        match &event.event {
            Event::RunStarted(_) => {
                self.said = Some(event.at);
                if self.moving {
                    cx.screen.begin_progress(self.summary.total as u64);
                }
            }
            Event::HostStarted(host) => {
                self.running.insert(*host);
            }
            Event::HostFinished(host, result) => {
                // Cancelled hosts may end without having begun.
                self.running.remove(host);
                self.summary.add(result.outcome);
            }
            Event::Waiting(waiting) => {
                self.waiting = waiting_on(cx, waiting);
                if !cx.screen.has_bar() {
                    self.plain(cx, event.at)?;
                }
            }
            Event::Moved(moved) => {
                let known = self.pace.is_known();
                self.pace.note(event.at, *moved);
                if !known && self.pace.is_known() {
                    cx.screen.measure_bytes();
                }
            }
            Event::Output { .. } | Event::Play(_) | Event::Notice(_) => return Ok(()),
            Event::RunFinished(_) => {
                cx.screen.end_progress();
                return Ok(());
            }
        }
        if self.moving {
            self.show(cx);
        }
        Ok(())
    }
}
