//! A play as people know it from Ansible's default callback: banners, a line a host, the recap.

mod ad_hoc;
mod diff;
mod document;
mod failures;
mod junit;
mod lines;
mod lines_of_json;
mod python_json;
mod recap;

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use anstyle::{AnsiColor, Color, Effects, Style};

use super::text::one_line;
use super::{Context, Part};
use crate::base::text::terminal_safe;
use crate::event::{Event, PlayEvent, PlayInfo, Stamped, Stream, TaskInfo, TaskResult, TaskStatus};

pub(super) use ad_hoc::{AdHoc, ModuleResults, is_do};
pub(super) use document::Document;
pub(super) use junit::Junit;
pub(super) use lines_of_json::write as json_line;

/// How wide banners are, in columns.
const WIDTH: usize = 79;

/// Ansible's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Ok,
    Changed,
    Skipped,
    Failed,
    Unreachable,
    Faint,
}

/// Shows plays.
pub(super) struct Human {
    /// `-v`: results are shown.
    verbose: u8,
    plays: HashMap<u32, Arc<PlayInfo>>,
    tasks: HashMap<u32, Arc<TaskInfo>>,
    /// The task whose banner was written last.
    shown: Option<u32>,
    /// Hosts of the tasks under way whose items were shown.
    looped: HashSet<(u32, Arc<str>)>,
    failures: failures::Failures,
}

impl Human {
    pub(super) fn new(verbose: u8) -> Self {
        Self {
            verbose,
            plays: HashMap::new(),
            tasks: HashMap::new(),
            shown: None,
            looped: HashSet::new(),
            failures: failures::Failures::default(),
        }
    }

    fn play(&mut self, cx: &mut Context, event: &PlayEvent) -> io::Result<()> {
        match event {
            PlayEvent::PlayStarted(play) => {
                self.tasks.clear();
                self.plays.insert(play.play, play.clone());
                banner(cx, &format!("PLAY [{}]", one_line(&play.name)))
            }
            PlayEvent::NoHostsMatched(_) => say(cx, Tone::Skipped, "skipping: no hosts matched"),
            PlayEvent::NoHostsRemaining(_) => {
                self.shown = None;
                banner(cx, "NO MORE HOSTS LEFT")
            }
            PlayEvent::TaskStarted(task) => {
                self.tasks.insert(task.task, task.clone());
                // With the free strategy a banner comes with the first result.
                let free = self
                    .plays
                    .get(&task.play)
                    .is_some_and(|play| play.strategy != "linear");
                if free {
                    Ok(())
                } else {
                    self.task_banner(cx, task.task)
                }
            }
            PlayEvent::ItemFinished(result) => {
                self.looped.insert((result.task, result.host.clone()));
                self.result(cx, result)
            }
            PlayEvent::Retrying(result, retry) => {
                let task = self.tasks.get(&result.task);
                let name = task.map_or("", |task| &task.name);
                let line = format!(
                    "FAILED - RETRYING: [{}]: {} ({} retries left).",
                    lines::host(result),
                    one_line(name),
                    retry.left
                );
                say(cx, Tone::Faint, &line)
            }
            PlayEvent::TaskFinished(result) => self.finished(cx, result),
            PlayEvent::Included {
                what, label, hosts, ..
            } => {
                let hosts: Vec<&str> = hosts.iter().map(|host| &**host).collect();
                let mut line = format!("included: {} for {}", one_line(what), hosts.join(", "));
                if let Some(label) = label {
                    let _ = write!(line, " => (item={})", one_line(label));
                }
                say(cx, Tone::Skipped, &line)
            }
            PlayEvent::FactsCleared(_) => Ok(()),
            PlayEvent::Stats(stats) => {
                self.shown = None;
                banner(cx, "PLAY RECAP")?;
                recap::write(cx, stats)
            }
        }
    }

    fn finished(&mut self, cx: &mut Context, result: &TaskResult) -> io::Result<()> {
        let had_items = self.looped.remove(&(result.task, result.host.clone()));
        let again = matches!(result.status, TaskStatus::Skipped | TaskStatus::Unreachable);
        if !had_items || again {
            self.result(cx, result)?;
        }
        if result.ignored {
            say(cx, Tone::Skipped, "...ignoring")?;
        }
        Ok(())
    }

    fn result(&mut self, cx: &mut Context, result: &TaskResult) -> io::Result<()> {
        self.task_banner(cx, result.task)?;
        let action = self.tasks.get(&result.task).map_or("", |task| &task.action);
        if action.ends_with("include_tasks") || action.ends_with("include_role") {
            // What was included is said for all hosts together.
            if matches!(result.status, TaskStatus::Ok | TaskStatus::Changed) {
                return Ok(());
            }
        }
        if let (Some(diff), TaskStatus::Changed | TaskStatus::Ok) =
            (result.result.get("diff"), result.status)
        {
            diff::write(cx, diff)?;
        }
        if let (TaskStatus::Failed, Some(task)) = (result.status, self.tasks.get(&result.task)) {
            self.failures.write(cx, task, result)?;
        }
        let (tone, line) = lines::of(result, action, self.verbose);
        say(cx, tone, &line)
    }

    fn task_banner(&mut self, cx: &mut Context, task: u32) -> io::Result<()> {
        if self.shown == Some(task) {
            return Ok(());
        }
        self.shown = Some(task);
        let Some(task) = self.tasks.get(&task).cloned() else {
            return Ok(());
        };
        let kind = if task.handler {
            "RUNNING HANDLER"
        } else {
            "TASK"
        };
        banner(cx, &format!("{kind} [{}]", one_line(&task.name)))?;
        if self.verbose > 1 {
            let line = format!("task path: {}", task.path);
            say(cx, Tone::Faint, &line)?;
        }
        Ok(())
    }
}

fn banner(cx: &mut Context, text: &str) -> io::Result<()> {
    let width = unicode_width::UnicodeWidthStr::width(text);
    let stars = "*".repeat(WIDTH.saturating_sub(width).max(3));
    cx.screen.out(|out| writeln!(out, "\n{text} {stars}"))
}

impl Part for Human {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        match &event.event {
            Event::Play(said) => {
                self.play(cx, said)?;
                cx.screen.flush()
            }
            _ => Ok(()),
        }
    }
}

/// A line in a colour; control characters of hosts are shown, not obeyed.
fn say(cx: &mut Context, tone: Tone, line: &str) -> io::Result<()> {
    let style = style(cx, tone);
    let line = if cx.screen.end(Stream::Stdout).terminal {
        terminal_safe(line)
    } else {
        line.into()
    };
    cx.screen.out(|out| {
        for line in line.split('\n') {
            writeln!(out, "{style}{line}{style:#}")?;
        }
        Ok(())
    })
}

/// A tone's colour on standard output, or none.
fn style(cx: &Context, tone: Tone) -> Style {
    if !cx.screen.end(Stream::Stdout).color {
        return Style::new();
    }
    let (color, bold) = match tone {
        Tone::Ok => (AnsiColor::Green, false),
        Tone::Changed => (AnsiColor::Yellow, false),
        Tone::Skipped => (AnsiColor::Cyan, false),
        Tone::Failed => (AnsiColor::Red, false),
        Tone::Unreachable => (AnsiColor::Red, true),
        Tone::Faint => (AnsiColor::Black, true),
    };
    let style = Style::new().fg_color(Some(Color::Ansi(color)));
    if bold {
        style.effects(Effects::BOLD)
    } else {
        style
    }
}
