//! What people and machines read of a run: consumers of the one stream of events. They never call
//! back, and they know nothing of where the events come from: a run under way and one out of the
//! database look the same.

mod blocks;
mod diff;
mod document;
mod fold;
mod host;
mod json;
mod jsonl;
mod junit;
mod live;
mod outdir;
mod pace;
mod ping;
mod play;
mod progress;
mod reading;
mod screen;
mod status;
mod text;
mod words;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub use diff::difference;
pub use screen::{End, Look, Screen};
pub use status::exit_status;
pub use words::summary;

use text::one_line;

use crate::event::{Consumer, Event, HostIx, Recorded, RunEnd, RunHeader, Stamped};

/// The forms a run can be shown in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Live for one host, else folded; `ping` as a table.
    Human,
    /// As it comes, each line with its host.
    Live,
    /// Equal outputs once.
    Fold,
    /// A block a host, as they finish.
    Host,
    /// One JSON document at the end.
    Json,
    /// One JSON event a line, as it happens.
    Jsonl,
    /// Nothing.
    Quiet,
}

/// What to show and write.
#[derive(Debug, Clone)]
pub struct Options {
    /// The form.
    pub form: Form,
    /// Show outputs that differ as differences from the majority's.
    pub fold_diff: bool,
    /// `-v`, counted: how much of a play's results is shown.
    pub verbose: u8,
    /// Show how the run goes on.
    pub progress: bool,
    /// Write a JUnit report.
    pub junit: Option<PathBuf>,
    /// Write whole outputs to files of this folder.
    pub outdir: Option<PathBuf>,
}

/// What the parts of a report share.
pub(crate) struct Context {
    pub(crate) screen: Screen,
    pub(crate) header: Option<Arc<RunHeader>>,
}

impl Context {
    pub(crate) fn name(&self, host: HostIx) -> Arc<str> {
        self.header
            .as_ref()
            .and_then(|header| header.hosts.get(host.index()).cloned())
            .unwrap_or_else(|| Arc::from("?"))
    }

    /// The name as it may stand on a screen.
    pub(crate) fn shown(&self, host: HostIx) -> String {
        one_line(&self.name(host)).into_owned()
    }
}

/// One part of a report: a form, or a file written beside it.
pub(crate) trait Part: Send {
    /// Takes one event.
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()>;

    /// The run is over and it is known what became of its record.
    fn finish(&mut self, _cx: &mut Context, _end: &RunEnd, _recorded: Recorded) -> io::Result<()> {
        Ok(())
    }
}

struct Inner {
    cx: Context,
    options: Options,
    parts: Vec<Box<dyn Part>>,
    end: Option<RunEnd>,
    error: Option<io::Error>,
}

/// Shows a run. Clones share it: one is handed to the emitter, one kept for [`finish`](Self::finish).
#[derive(Clone)]
pub struct Report(Arc<Mutex<Inner>>);

impl Report {
    /// A report on this screen.
    pub fn new(screen: Screen, options: Options) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            cx: Context {
                screen,
                header: None,
            },
            options,
            parts: Vec::new(),
            end: None,
            error: None,
        })))
    }

    /// Ends the report, once it is known what became of the record. The error is the first that
    /// happened on the way: a file or standard output that could not be written. That somebody
    /// reads no more (a closed pipe) is none.
    pub fn finish(&self, recorded: Recorded) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        inner.cx.screen.end_progress();
        if let Some(end) = inner.end.clone() {
            for part in &mut inner.parts {
                let done = part.finish(&mut inner.cx, &end, recorded);
                note(&mut inner.error, done);
            }
        }
        let flushed = inner.cx.screen.flush();
        note(&mut inner.error, flushed);
        match inner.error.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}

/// Keeps the first error; one that matters rather than a reader who has gone.
fn note(first: &mut Option<io::Error>, done: io::Result<()>) {
    let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    if let Err(error) = done
        && first.as_ref().is_none_or(closed)
    {
        *first = Some(error);
    }
}

impl Consumer for Report {
    fn consume(&mut self, event: &Stamped) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        match &event.event {
            Event::RunStarted(header) => {
                inner.cx.header = Some(header.clone());
                inner.parts = parts(&inner.options, header, &inner.cx.screen);
            }
            Event::RunFinished(end) => inner.end = Some(end.clone()),
            Event::Notice(text) => {
                let shown = inner.cx.screen.note(text);
                note(&mut inner.error, shown);
            }
            _ => {}
        }
        // A part that can't go on is left out; the others go on.
        let mut at = 0;
        while let Some(part) = inner.parts.get_mut(at) {
            match part.event(&mut inner.cx, event) {
                Ok(()) => at += 1,
                failed => {
                    note(&mut inner.error, failed);
                    inner.parts.remove(at);
                }
            }
        }
        Ok(())
    }
}

/// Whether the verb moves files, and its hosts' objects tell of them.
fn has_files(verb: &str) -> bool {
    matches!(verb, "upload" | "download")
}

fn parts(options: &Options, header: &RunHeader, screen: &Screen) -> Vec<Box<dyn Part>> {
    let mut parts: Vec<Box<dyn Part>> = Vec::new();
    // Files first: they must be whole even where the screen's reader has gone.
    if let Some(folder) = &options.outdir {
        parts.push(Box::new(outdir::Outdir::new(folder.clone())));
    }
    if let Some(file) = &options.junit {
        parts.push(match &*header.verb {
            "play" => Box::new(play::Junit::new(file.clone(), header)),
            _ => Box::new(junit::Junit::new(file.clone())),
        });
    }
    let one = header.hosts.len() == 1;
    let is_play = header.verb == "play";
    let is_do = header.verb == "do";
    let shown: Option<Box<dyn Part>> = match options.form {
        Form::Human | Form::Live | Form::Fold | Form::Host if is_play => {
            // Its recap is the last word.
            parts.push(Box::new(play::Human::new(options.verbose)));
            return parts;
        }
        Form::Json if is_play => Some(Box::new(play::Document::new())),
        Form::Human | Form::Live | Form::Host if is_do => Some(Box::new(play::AdHoc::default())),
        Form::Human if header.verb == "ping" => Some(Box::new(ping::Table::new())),
        Form::Human if one => Some(Box::new(live::Live::new(true))),
        Form::Human | Form::Fold => Some(Box::new(fold::Fold::new(options.fold_diff))),
        Form::Live => Some(Box::new(live::Live::new(false))),
        Form::Host => Some(Box::new(blocks::Blocks)),
        Form::Json => Some(Box::new(document::Document::new())),
        Form::Jsonl => Some(Box::new(jsonl::Lines::new())),
        Form::Quiet => None,
    };
    parts.extend(shown);
    if options.progress {
        // A transfer's output is whole lines, at its end: the moving line is in nobody's way.
        let single =
            one && matches!(options.form, Form::Human | Form::Live) && !has_files(&header.verb);
        parts.push(Box::new(progress::Progress::new(
            header.hosts.len(),
            screen.has_bar() && !single,
        )));
    }
    if !matches!(options.form, Form::Json | Form::Jsonl | Form::Quiet) {
        parts.push(Box::new(words::Closing::new(one)));
    }
    parts
}

#[cfg(test)]
mod tests;
