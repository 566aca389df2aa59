//! Equal results shown once, with the folded set of their hosts, as `clush -b` does: well first, the
//! largest first; what went wrong last, where the eye is.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use indexmap::IndexMap;

use super::diff::difference;
use super::reading::digest;
use super::text::write_outputs;
use super::words::{cut_notice, explanation, finished, verdict};
use super::{Context, Part};
use crate::base::digest::ContentDigest;
use crate::event::{ErrorKind, Event, HostIx, HostResult, Outcome, Stamped, Stream};
use crate::inventory::hostset;

const RULE: &str = "---------------";

/// What makes results equal. Messages are not part of it: they name the host, as hints do not. But those
/// of host keys are: whoever compares fingerprints must see each host's own.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    outcome: Outcome,
    exit: Option<i32>,
    signal: Option<String>,
    error: Option<(ErrorKind, Option<String>)>,
    stdout: ContentDigest,
    stderr: ContentDigest,
    totals: (u64, u64),
    identity: Option<String>,
}

impl Key {
    fn of(result: &HostResult) -> Self {
        let (stderr, length) = digest(&result.stderr, Stream::Stderr, result.encoding);
        Self {
            outcome: result.outcome,
            exit: result.exit,
            signal: result.signal.clone(),
            error: result
                .error
                .as_ref()
                .map(|error| (error.kind, error.hint.clone())),
            stdout: result.stdout.digest,
            stderr,
            totals: (result.stdout.total, length),
            identity: result
                .error
                .as_ref()
                .filter(|error| {
                    matches!(
                        error.kind,
                        ErrorKind::HostKeyUnknown
                            | ErrorKind::HostKeyChanged
                            | ErrorKind::HostKeyRevoked
                    )
                })
                .map(|error| error.message.clone()),
        }
    }
}

struct Group {
    hosts: Vec<HostIx>,
    sample: Arc<HostResult>,
    /// The messages that differ.
    messages: HashSet<String>,
}

pub(super) struct Fold {
    diff: bool,
    groups: IndexMap<Key, Group>,
}

impl Fold {
    pub(super) fn new(diff: bool) -> Self {
        Self {
            diff,
            groups: IndexMap::new(),
        }
    }

    fn add(&mut self, host: HostIx, result: &Arc<HostResult>) {
        let group = self.groups.entry(Key::of(result)).or_insert_with(|| Group {
            hosts: Vec::new(),
            sample: result.clone(),
            messages: HashSet::new(),
        });
        // The message shown is that of the host that is named first.
        if group.hosts.iter().all(|other| host < *other) {
            group.sample = result.clone();
        }
        group.hosts.push(host);
        if let Some(error) = &result.error
            && !group.messages.contains(&error.message)
        {
            group.messages.insert(error.message.clone());
        }
    }

    fn show(&mut self, cx: &mut Context) -> io::Result<()> {
        let mut groups: Vec<Group> = std::mem::take(&mut self.groups).into_values().collect();
        for group in &mut groups {
            group.hosts.sort();
        }
        groups.sort_by_key(|group| {
            let failed = !group.sample.outcome.is_success();
            (
                failed,
                std::cmp::Reverse(group.hosts.len()),
                group.hosts.first().copied(),
            )
        });
        // Of equal ones the first that is shown.
        let majority = groups
            .iter()
            .filter(|group| has_run(&group.sample))
            .rev()
            .max_by_key(|group| group.hosts.len())
            .map(|group| group.sample.clone());
        for group in &groups {
            let base = majority.as_ref().filter(|majority| {
                self.diff && has_run(&group.sample) && !Arc::ptr_eq(majority, &group.sample)
            });
            show_group(cx, group, base.map(|base| &**base))?;
        }
        cx.screen.flush()
    }
}

/// Whether there was a command whose output can differ from others'.
fn has_run(result: &HostResult) -> bool {
    let kept_from_it = matches!(
        result.outcome,
        Outcome::Unreachable | Outcome::Cancelled | Outcome::Deferred | Outcome::Skipped
    );
    !kept_from_it || !result.stdout.is_empty() || !result.stderr.is_empty()
}

fn show_group(cx: &mut Context, group: &Group, majority: Option<&HostResult>) -> io::Result<()> {
    let names: Vec<String> = group.hosts.iter().map(|host| cx.shown(*host)).collect();
    let folded = hostset::fold(names.iter().map(String::as_str));
    let count = match group.hosts.len() {
        1 => String::new(),
        many => format!(" ({many})"),
    };
    let sample = &group.sample;
    let verdict = match (sample.outcome, verdict(sample)) {
        (Outcome::Ok, verdict) if verdict == "ok" => String::new(),
        (_, verdict) => format!(": {verdict}"),
    };
    let (manner, style) = (
        cx.screen.manner(Stream::Stdout),
        cx.screen.style(Stream::Stdout, sample.outcome),
    );
    let first = names.first().map_or("?", String::as_str);
    let others = group.messages.len().saturating_sub(1);
    cx.screen.out(|out| {
        writeln!(
            out,
            "{RULE}\n{style}{folded}{count}{verdict}{style:#}\n{RULE}"
        )?;
        let shown = match majority {
            Some(majority) => difference(majority, sample, ["of most hosts", "here"], out)?,
            None => false,
        };
        if !shown {
            write_outputs(sample, manner, out)?;
        }
        out.write_all(cut_notice(sample).unwrap_or_default().as_bytes())?;
        let text = explanation(sample);
        if others == 0 {
            return out.write_all(text.as_bytes());
        }
        let messages = if others == 1 { "message" } else { "messages" };
        writeln!(
            out,
            "{first}: {text}(and {others} other {messages}: --output host shows all)"
        )
    })
}

impl Part for Fold {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        if let Some((host, result)) = finished(event) {
            self.add(host, result);
        }
        if matches!(event.event, Event::RunFinished(_)) {
            cx.screen.end_progress();
            self.show(cx)?;
        }
        Ok(())
    }
}
