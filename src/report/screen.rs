//! Where a report is written: standard output and error, whether they are terminals, colours, and
//! the progress line that must get out of the way.

use std::ffi::OsStr;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::text::Manner;
use crate::base::prompt::set_hold;
use crate::base::text::terminal_safe;
use crate::event::{Outcome, Stream};

/// What one of the two streams leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    /// A terminal: control characters of hosts are shown there, not obeyed.
    pub terminal: bool,
    /// With colours.
    pub color: bool,
}

impl End {
    /// `color` is `--color always|never`; without it a terminal has colours unless `NO_COLOR` is
    /// set to something (<https://no-color.org>).
    pub fn new(terminal: bool, color: Option<bool>, no_color: Option<&OsStr>) -> Self {
        let unwanted = no_color.is_some_and(|value| !value.is_empty());
        Self {
            terminal,
            color: color.unwrap_or(terminal && !unwanted),
        }
    }
}

/// How the screen looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Standard output.
    pub out: End,
    /// Standard error. At a terminal, progress is a line that moves.
    pub err: End,
    /// Pass control characters on (`--raw`).
    pub raw: bool,
    /// No notes on standard error (`-q`).
    pub quiet: bool,
}

/// Both ends of the user's screen.
pub struct Screen {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    look: Look,
    /// Where the moving line is drawn.
    target: fn() -> ProgressDrawTarget,
    bar: Option<ProgressBar>,
}

/// `, 69.6/s, 3s left`; nothing while no host is done.
fn rate(state: &ProgressState, to: &mut dyn std::fmt::Write) {
    if state.pos() > 0 {
        let left = HumanDuration(state.eta());
        let _ = write!(to, ", {:.1}/s, {left:#} left", state.per_sec());
    }
}

impl Screen {
    /// This process's standard output and error.
    pub fn of_process(color: Option<bool>, raw: bool, quiet: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR");
        let look = Look {
            out: End::new(io::stdout().is_terminal(), color, no_color.as_deref()),
            err: End::new(io::stderr().is_terminal(), color, no_color.as_deref()),
            raw,
            quiet,
        };
        Self::new(
            Box::new(BufWriter::with_capacity(64 * 1024, io::stdout())),
            Box::new(io::stderr()),
            look,
        )
    }

    /// Any two writers.
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, look: Look) -> Self {
        Self {
            out,
            err,
            look,
            target: || ProgressDrawTarget::stderr_with_hz(5),
            bar: None,
        }
    }

    /// Draws the moving line elsewhere.
    #[cfg(test)]
    pub(super) fn draw_on(mut self, target: fn() -> ProgressDrawTarget) -> Self {
        self.target = target;
        self
    }

    /// How outputs of hosts are to be written to one of the two.
    pub(super) fn manner(&self, to: Stream) -> Manner {
        match (self.end(to).terminal, self.look.raw) {
            (false, _) => Manner::Bytes,
            (true, true) => Manner::Text,
            (true, false) => Manner::Safe,
        }
    }

    /// Writes results: to standard output, whole at once.
    pub(super) fn out<T>(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> io::Result<T> {
        let out = &mut self.out;
        match &self.bar {
            Some(bar) => bar.suspend(|| {
                let done = write(out)?;
                out.flush()?;
                Ok(done)
            }),
            None => write(out),
        }
    }

    /// Writes what is no result: to standard error.
    pub(super) fn err<T>(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> io::Result<T> {
        let err = &mut self.err;
        match &self.bar {
            Some(bar) => bar.suspend(|| write(err)),
            None => write(err),
        }
    }

    /// What was written gets to its reader.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Something the user should know.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        if self.look.quiet {
            return Ok(());
        }
        self.err(|err| writeln!(err, "note: {}", terminal_safe(text)))
    }

    /// Whether a moving line can be shown.
    pub(super) fn has_bar(&self) -> bool {
        self.look.err.terminal && !self.look.quiet
    }

    /// What one of the two leads to.
    pub(super) fn end(&self, to: Stream) -> End {
        match to {
            Stream::Stdout => self.look.out,
            Stream::Stderr => self.look.err,
        }
    }

    pub(super) fn quiet(&self) -> bool {
        self.look.quiet
    }

    /// Begins the moving line.
    pub(super) fn begin_progress(&mut self, total: u64) {
        let bar = ProgressBar::with_draw_target(Some(total), (self.target)());
        let template = "[{bar:20}] {pos}/{len} {elapsed}{rate}  {wide_msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> ").with_key("rate", rate));
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        let held = bar.clone();
        set_hold(Some(Box::new(move |work| held.suspend(work))));
        self.bar = Some(bar);
    }

    /// From here on the moving line is about bytes, no longer about hosts: its message says all.
    pub(super) fn measure_bytes(&mut self) {
        if let (Some(bar), Ok(style)) = (
            &self.bar,
            ProgressStyle::with_template("[{bar:20}] {wide_msg}"),
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
    }

    pub(super) fn show_moved(&mut self, moved: u64, expected: u64, message: String) {
        if let Some(bar) = &self.bar {
            bar.set_message(message);
            bar.set_length(expected);
            bar.set_position(moved);
        }
    }

    pub(super) fn show_progress(&mut self, done: u64, message: String) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(message);
        }
    }

    pub(super) fn end_progress(&mut self) {
        if let Some(bar) = self.bar.take() {
            set_hold(None);
            bar.finish_and_clear();
        }
    }

    /// The colour of an outcome on one of the two, or none.
    pub(super) fn style(&self, to: Stream, outcome: Outcome) -> Style {
        if !self.end(to).color {
            return Style::new();
        }
        let color = match outcome {
            Outcome::Ok | Outcome::Changed => AnsiColor::Green,
            Outcome::Skipped | Outcome::Deferred | Outcome::Cancelled => AnsiColor::Cyan,
            Outcome::Unreachable => AnsiColor::Magenta,
            Outcome::TimedOut => AnsiColor::Yellow,
            Outcome::Failed => AnsiColor::Red,
        };
        Style::new().bold().fg_color(Some(color.into()))
    }
}
