//! Every form of output, line by line: hand-made events go in where the engine's do, and what the
//! user reads comes out. A line of standard output begins with `1 `, one of standard error with
//! `2 `; `¬` stands where a line has no end.

mod clixml;
mod documents;
mod escaping;
mod files;
mod fold;
mod host;
mod jsonl;
mod junit;
mod live;
mod manual;
mod outdir;
mod ping;
mod play;
mod progress;
mod screen;
mod secrets;
mod size;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use super::{End, Form, Look, Options, Report, Screen};
use crate::base::id::RunId;
use crate::base::text::Charset;
use crate::event::{
    Captured, Consumer, ErrorKind, Event, FileAction, FileRecord, HostError, HostIx, HostResult,
    Moved, Outcome, Recorded, RunEnd, RunHeader, Stamped, Stopped, Stream, Summary, Timings,
    Waiting,
};

/// What was written, in order: to standard output (1) and error (2).
#[derive(Clone, Default)]
pub(super) struct Paper(Arc<Mutex<Written>>);

type Written = Vec<(u8, Vec<u8>)>;

struct Pen(Paper, u8);

impl Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.0.lock().unwrap();
        match written.last_mut() {
            Some((end, text)) if *end == self.1 => text.extend_from_slice(bytes),
            _ => written.push((self.1, bytes.to_vec())),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    /// The bytes of one of the two.
    pub(super) fn bytes(&self, end: u8) -> Vec<u8> {
        let written = self.0.lock().unwrap();
        let parts = written.iter().filter(|(of, _)| *of == end);
        parts.flat_map(|(_, text)| text.clone()).collect()
    }

    /// Standard output as text.
    pub(super) fn out(&self) -> String {
        String::from_utf8(self.bytes(1)).unwrap()
    }

    /// Both, for snapshots.
    pub(super) fn shown(&self) -> String {
        let mut shown = String::new();
        for (end, text) in self.0.lock().unwrap().iter() {
            // Control characters as their pictures: ␛ for an escape.
            let text: String = String::from_utf8_lossy(text)
                .chars()
                .map(|c| match c {
                    '\n' | '\t' => c,
                    '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap(),
                    _ => c,
                })
                .collect();
            for line in text.split_inclusive('\n') {
                let (line, missing) = match line.strip_suffix('\n') {
                    Some(line) => (line, ""),
                    None => (line, "¬"),
                };
                let _ = writeln!(shown, "{end} {line}{missing}");
            }
        }
        shown
    }

    pub(super) fn screen(&self, look: Look) -> Screen {
        Screen::new(
            Box::new(Pen(self.clone(), 1)),
            Box::new(Pen(self.clone(), 2)),
            look,
        )
    }
}

/// Both ends are terminals.
pub(super) const TERMINAL: Look = Look {
    out: TTY,
    err: TTY,
    raw: false,
    quiet: false,
};
const TTY: End = End {
    terminal: true,
    color: false,
};

pub(super) fn at(ms: i64) -> Timestamp {
    let start: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
    start + Duration::from_millis(ms.unsigned_abs())
}

pub(super) fn header(verb: &str, command: Option<&str>, hosts: &[&str]) -> RunHeader {
    RunHeader {
        run: run_id(),
        verb: verb.into(),
        command: command.map(str::to_owned),
        pattern: "web".into(),
        user: "ops".into(),
        account: None,
        from: "ctl1".into(),
        options: serde_json::json!({}),
        started: at(0),
        no_log: false,
        hosts: hosts.iter().map(|host| Arc::from(*host)).collect(),
    }
}

pub(super) fn run_id() -> RunId {
    "019ab000-0000-7000-8000-000000000001".parse().unwrap()
}

pub(super) fn options(form: Form) -> Options {
    Options {
        form,
        fold_diff: false,
        verbose: 0,
        progress: false,
        junit: None,
        outdir: None,
    }
}

/// The character set of a label.
pub(super) fn charset(label: &str) -> Charset {
    Charset::from_label(label).unwrap()
}

/// A result that is well, to be changed where it is not.
pub(super) fn result(stdout: impl AsRef<[u8]>) -> HostResult {
    HostResult {
        outcome: Outcome::Ok,
        exit: Some(0),
        signal: None,
        stdout: Captured::inline(stdout.as_ref().to_vec()),
        stderr: Captured::empty(),
        encoding: Charset::UTF_8,
        started: at(0),
        duration: Duration::from_micros(41_700),
        attempts: 1,
        error: None,
        timings: None,
        files: Vec::new(),
    }
}

/// A file of an upload.
pub(super) fn file(action: FileAction) -> FileRecord {
    FileRecord {
        source: "app.tar".into(),
        target: "/srv/app.tar".into(),
        action,
        size: 5,
        md5: None,
        sha256: None,
        bytes: 0,
        via: None,
        files: None,
        changed: false,
    }
}

impl HostResult {
    fn err(mut self, stderr: impl AsRef<[u8]>) -> Self {
        self.stderr = Captured::inline(stderr.as_ref().to_vec());
        self
    }

    fn exit(mut self, status: i32) -> Self {
        (self.outcome, self.exit) = (Outcome::Failed, Some(status));
        self
    }

    fn speaks(mut self, label: &str) -> Self {
        self.encoding = crate::base::text::encoding(label).unwrap();
        self
    }

    fn ping(mut self, connect: u64, auth: u64, whole: u64) -> Self {
        self.timings = Some(Timings {
            connect: Duration::from_micros(connect),
            auth: Duration::from_micros(auth),
        });
        self.duration = Duration::from_micros(whole);
        self
    }
}

/// A host that has no plain result.
pub(super) fn error(outcome: Outcome, kind: ErrorKind, message: &str) -> HostResult {
    HostResult {
        outcome,
        exit: None,
        error: Some(HostError::new(kind, message)),
        ..result("")
    }
}

/// A run under way: events go in, the paper fills.
pub(super) struct Show {
    report: Report,
    pub(super) paper: Paper,
    summary: Summary,
    now: Timestamp,
}

impl Show {
    pub(super) fn new(options: Options, look: Look, header: RunHeader) -> Self {
        let paper = Paper::default();
        let report = Report::new(paper.screen(look), options);
        let mut show = Self {
            report,
            paper,
            summary: Summary::new(header.hosts.len()),
            now: at(0),
        };
        show.say(Event::RunStarted(Arc::new(header)));
        show
    }

    /// `run uname -s` on these hosts.
    pub(super) fn run(form: Form, look: Look, hosts: &[&str]) -> Self {
        Self::new(options(form), look, header("run", Some("uname -s"), hosts))
    }

    pub(super) fn say(&mut self, event: Event) -> &mut Self {
        let event = Stamped {
            at: self.now,
            event,
        };
        self.report.consume(&event).unwrap();
        self
    }

    pub(super) fn after(&mut self, ms: u64) -> &mut Self {
        self.now += Duration::from_millis(ms);
        self
    }

    pub(super) fn start(&mut self, host: u32) -> &mut Self {
        self.say(Event::HostStarted(HostIx(host)))
    }

    pub(super) fn output(
        &mut self,
        host: u32,
        stream: Stream,
        bytes: impl AsRef<[u8]>,
        encoding: Charset,
    ) -> &mut Self {
        self.say(Event::Output {
            host: HostIx(host),
            stream,
            bytes: bytes.as_ref().to_vec().into(),
            encoding,
        })
    }

    pub(super) fn out(&mut self, host: u32, text: &str) -> &mut Self {
        self.output(host, Stream::Stdout, text, Charset::UTF_8)
    }

    pub(super) fn err(&mut self, host: u32, text: &str) -> &mut Self {
        self.output(host, Stream::Stderr, text, Charset::UTF_8)
    }

    pub(super) fn waiting(&mut self, waiting: &[(u32, u64, u64)]) -> &mut Self {
        let each = |(host, running, silent): &(u32, u64, u64)| Waiting {
            host: HostIx(*host),
            running: Duration::from_secs(*running),
            silent: Duration::from_secs(*silent),
        };
        self.say(Event::Waiting(waiting.iter().map(each).collect()))
    }

    /// A host's end alone.
    pub(super) fn done(&mut self, host: u32, result: HostResult) -> &mut Self {
        self.summary.add(result.outcome);
        self.say(Event::HostFinished(HostIx(host), Arc::new(result)))
    }

    /// A host from beginning to end.
    pub(super) fn host(&mut self, host: u32, result: HostResult) -> &mut Self {
        self.start(host);
        for (stream, output) in [
            (Stream::Stdout, &result.stdout),
            (Stream::Stderr, &result.stderr),
        ] {
            let bytes = output.read().unwrap();
            if !bytes.is_empty() {
                self.output(host, stream, bytes, result.encoding);
            }
        }
        self.done(host, result)
    }

    pub(super) fn end(&mut self) -> String {
        self.end_with(None, Recorded::Stored)
    }

    pub(super) fn end_with(&mut self, stopped: Option<Stopped>, recorded: Recorded) -> String {
        self.try_end(stopped, recorded).unwrap();
        self.paper.shown()
    }

    pub(super) fn try_end(
        &mut self,
        stopped: Option<Stopped>,
        recorded: Recorded,
    ) -> io::Result<()> {
        let end = RunEnd {
            finished: at(1500),
            summary: self.summary,
            stopped,
        };
        self.say(Event::RunFinished(end));
        self.report.finish(recorded)
    }
}
