//! The sentences of the forms for people: how a host came out, and how a run did.

use std::fmt::Write as _;
use std::io;

use super::text::one_line;
use super::{Context, Part};
use crate::base::quantity::show_duration;
use crate::base::quantity::show_size;
use crate::base::text::terminal_safe;
use crate::event::{
    Event, HostResult, Outcome, Recorded, RunEnd, RunHeader, Stamped, Stopped, Summary,
};

/// How a host came out, in a few words: `ok`, `failed, exit 3`, `unreachable, refused`.
pub(super) fn verdict(result: &HostResult) -> String {
    let mut words = result.outcome.name().replace('_', " ");
    if let Some(error) = &result.error {
        let kind = error.kind.name();
        if kind != result.outcome.name() && !(kind == "timeout" && words == "timed out") {
            let _ = write!(words, ", {kind}");
        }
    }
    match (result.exit, &result.signal) {
        (Some(0), _) | (None, None) => {}
        (Some(status), _) => {
            let _ = write!(words, ", exit {status}");
        }
        (None, Some(signal)) => {
            // Its name is the host's word.
            let _ = write!(words, ", killed by {}", one_line(signal));
        }
    }
    if result.truncated() {
        words.push_str(", output cut");
    }
    words
}

/// What happened and what to do, each on a line of its own.
pub(super) fn explanation(result: &HostResult) -> String {
    let Some(error) = &result.error else {
        return String::new();
    };
    let mut text = format!("{}\n", terminal_safe(&error.message));
    if let Some(hint) = &error.hint {
        let _ = writeln!(text, "hint: {}", terminal_safe(hint));
    }
    text
}

/// Where output was cut: how much there was.
pub(super) fn cut_notice(result: &HostResult) -> Option<String> {
    let parts: Vec<String> = [("stdout", &result.stdout), ("stderr", &result.stderr)]
        .into_iter()
        .filter(|(_, output)| output.truncated())
        .map(|(name, output)| {
            let (kept, total) = (show_size(output.kept), show_size(output.total));
            format!("{name} cut: {kept} of {total} kept")
        })
        .collect();
    (!parts.is_empty()).then(|| format!("[{}; --max-output keeps more]\n", parts.join(", ")))
}

/// `20 hosts: 18 ok, 1 failed, 1 unreachable`.
pub fn summary(summary: &Summary) -> String {
    let hosts = if summary.total == 1 { "host" } else { "hosts" };
    let counts: Vec<String> = Outcome::ALL
        .into_iter()
        .filter(|outcome| summary.count(*outcome) > 0)
        .map(|outcome| {
            format!(
                "{} {}",
                summary.count(outcome),
                outcome.name().replace('_', " ")
            )
        })
        .collect();
    let counts = if counts.is_empty() {
        "nothing done".to_owned()
    } else {
        counts.join(", ")
    };
    format!("{} {hosts}: {counts}", summary.total)
}

/// Why a run stopped early.
fn stopped(why: Stopped) -> &'static str {
    match why {
        Stopped::Gate => "stopped: more hosts failed than --max-fail allows",
        Stopped::Deadline => "stopped: the run's deadline passed",
        Stopped::Interrupted => "interrupted",
        Stopped::Terminated => "terminated",
        Stopped::Denied => "denied: a deny rule of the settings forbids this command",
    }
}

/// The last words of a run, on standard error.
pub(super) struct Closing {
    /// A run on one host that went well needs none.
    brief: bool,
}

impl Closing {
    pub(super) fn new(brief: bool) -> Self {
        Self { brief }
    }
}

impl Part for Closing {
    fn event(&mut self, _cx: &mut Context, _event: &Stamped) -> io::Result<()> {
        Ok(())
    }

    fn finish(&mut self, cx: &mut Context, end: &RunEnd, recorded: Recorded) -> io::Result<()> {
        let Some(header) = cx.header.clone() else {
            return Ok(());
        };
        cx.screen.flush()?;
        let text = closing(&header, end, recorded, self.brief);
        if cx.screen.quiet() || text.is_empty() {
            return Ok(());
        }
        cx.screen.err(|err| err.write_all(text.as_bytes()))
    }
}

fn closing(header: &RunHeader, end: &RunEnd, recorded: Recorded, brief: bool) -> String {
    let mut text = String::new();
    if let Some(why) = end.stopped {
        let _ = writeln!(text, "{}", stopped(why));
    }
    if !brief || end.stopped.is_some() {
        let took = end.finished.duration_since(header.started).unsigned_abs();
        let _ = writeln!(
            text,
            "{} in {}  (run {})",
            summary(&end.summary),
            show_duration(took),
            header.run
        );
    }
    match recorded {
        Recorded::Stored => {}
        Recorded::Spooled => text.push_str(
            "warning: the database did not take the record in time; it is kept in the journal and replayed later (iomsctl db replay)\n",
        ),
        Recorded::Lost => text.push_str("warning: the record of this run is lost\n"),
    }
    text
}

/// The result that an event brings, if it brings one.
pub(super) fn finished(
    event: &Stamped,
) -> Option<(crate::event::HostIx, &std::sync::Arc<HostResult>)> {
    match &event.event {
        Event::HostFinished(host, result) => Some((*host, result)),
        _ => None,
    }
}
