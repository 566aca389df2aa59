//! One PowerShell for one task after another: the framing of a long `exec`. Pure: bytes in, bytes
//! out; who drives it keeps the time, and ends the process when a task does not.
//!
//! A task's script runs in a scope of its own, its standard input is empty, and what it has changed
//! of the process (folder, variables, preferences) is put back. `exit` ends the task, not the
//! session. Its output ends with a random mark on each stream, whatever it prints.
//!
//! ```
//! # use ioms::shell::windows::{Carrier, Session};
//! let mut session = Session::new("0123456789abcdefghij", Carrier::Winrm);
//! let opening = session.opening(); // to be executed
//! let hello = session.begin(); // to be written at once
//! // What the host says, once it runs:
//! session.stderr(b"0123456789abcdefghij\n");
//! let step = session.stdout(b"0123456789abcdefghij 4711 936 5.1\n0123456789abcdefghij ok\n");
//! assert!(step.ready && session.process() == Some(4711));
//!
//! let task = session.say("'hello'; exit 3", "jihgfedcba9876543210").unwrap();
//! // `task` is to be written; what comes back is the task's, to its end:
//! assert_eq!(session.stdout(b"hello\r\njihgfedcba98").stdout, "hello\r\n");
//! assert_eq!(session.stderr(b"jihgfedcba9876543210\n").done, None);
//! let step = session.stdout(b"76543210 3\n");
//! assert_eq!(step.done.unwrap().exit, 3);
//! # let _ = (opening, hello, task);
//! ```

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};

use super::Carrier;
use super::dialogue::PowershellConversation;
use super::powershell::{self, Program};
use super::quote::powershell_text;
use crate::shell::conversation::{Conversation, Failure, Opening};
use crate::shell::find;

/// How much of a script is a line, in bytes: a multiple of three.
const PIECE: usize = 48 * 1024;

/// How much a host may say before its hello.
const NOISE_MAX: usize = 64 * 1024;

/// How long what follows a mark on standard output may be: a number.
const TAIL_MAX: usize = 16;

/// A script with variables in its environment, which a session takes back after it.
pub fn with_variables(env: &[(String, String)], script: &str) -> String {
    let mut text = String::new();
    for (name, value) in env {
        let (name, value) = (powershell_text(name), powershell_text(value));
        let _ = writeln!(
            text,
            "[Environment]::SetEnvironmentVariable({name}, {value})"
        );
    }
    text + script
}

/// Goes home: as `PowerShell` has it, and for what is not said in its words.
const AT_HOME: &str =
    "Set-Location -LiteralPath $HOME\n[IO.Directory]::SetCurrentDirectory($HOME)\n";

/// All that a PowerShell has to read to do one script and end, without anybody there: a session of one
/// task. It is done at home, wherever it is begun. It says the marks, as any session says its own: they are random, of letters and digits, and no
/// others'; two are used.
pub fn unattended(script: &str, marks: &[String]) -> String {
    let mark = |at: usize| marks.get(at).map(String::as_str).unwrap_or_default();
    let mut session = Session::new(mark(0), Carrier::Winrm);
    let mut lines = session.begin();
    session.ready = true;
    let script = format!("{AT_HOME}{script}");
    lines.extend(session.say(&script, mark(1)).unwrap_or_default());
    // All of it is base64 and ASCII.
    String::from_utf8_lossy(&lines).into_owned()
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Its status: of `exit`, of the native program it ended with, else 1 for an error, or 0.
    pub exit: i32,
}

/// What some bytes of the host's meant.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SessionStep {
    /// The task's own standard output.
    pub stdout: Bytes,
    /// The task's own standard error.
    pub stderr: Bytes,
    /// The session has begun: tasks may be said.
    pub ready: bool,
    /// The task is over, and all of its output was seen.
    pub done: Option<Frame>,
    /// There is no session, or it can't go on.
    pub failed: Option<Failure>,
}

/// Where one stream stands.
#[derive(Debug, Default)]
struct Stream {
    seen: BytesMut,
    /// Whether its mark came.
    ended: bool,
}

/// The framing of one session. One task at a time.
#[derive(Debug)]
pub struct Session {
    mark: String,
    carrier: Carrier,
    process: Option<u32>,
    codepage: Option<u16>,
    ready: bool,
    /// The mark of the task that runs.
    task: Option<String>,
    stdout: Stream,
    stderr: Stream,
    exit: Option<i32>,
}

impl Session {
    /// A session; `mark` is random and of letters and digits only.
    pub fn new(mark: &str, carrier: Carrier) -> Self {
        Self {
            mark: mark.to_owned(),
            carrier,
            process: None,
            codepage: None,
            ready: false,
            task: None,
            stdout: Stream::default(),
            stderr: Stream::default(),
            exit: None,
        }
    }

    /// What to execute.
    pub fn opening(&self) -> Opening {
        powershell::opening(self.carrier)
    }

    /// What to write at once.
    pub fn begin(&self) -> Vec<u8> {
        let mut program = Program::new(&self.mark);
        program.parts(&[
            powershell::INPUT,
            powershell::CHILD,
            powershell::TEXT,
            powershell::SESSION,
        ]);
        program.lines().into_bytes()
    }

    /// What to write for a task. `mark` is random, of letters and digits, and the task's alone. None
    /// while there is no session, or while a task runs.
    pub fn say(&mut self, script: &str, mark: &str) -> Option<Vec<u8>> {
        if !self.ready || self.task.is_some() {
            return None;
        }
        // What came between two tasks belongs to neither.
        self.stdout = Stream::default();
        self.stderr = Stream::default();
        self.exit = None;
        self.task = Some(mark.to_owned());
        let pieces: Vec<&[u8]> = script.as_bytes().chunks(PIECE).collect();
        let mut lines = format!("run {mark} {}\n", pieces.len());
        for piece in pieces {
            STANDARD.encode_string(piece, &mut lines);
            lines.push('\n');
        }
        Some(lines.into_bytes())
    }

    /// The process on the host, by which it is ended.
    pub fn process(&self) -> Option<u32> {
        self.process
    }

    /// The same for who has to end it where the transport can't.
    pub fn running(&self) -> Option<impl Conversation + use<>> {
        let process = self.process?;
        Some(PowershellConversation::of_process(
            process,
            self.carrier,
            &self.mark,
        ))
    }

    /// The code page in which native programs write.
    pub fn codepage(&self) -> Option<u16> {
        self.codepage
    }

    /// Whether a task runs.
    pub fn is_busy(&self) -> bool {
        self.task.is_some()
    }

    /// Standard output was seen.
    pub fn stdout(&mut self, bytes: &[u8]) -> SessionStep {
        let mut step = SessionStep::default();
        if !self.ready {
            self.stdout.seen.extend_from_slice(bytes);
            while self.greet(&mut step) {}
            return step;
        }
        let Some(mark) = &self.task else {
            return step;
        };
        if self.stdout.ended {
            return step;
        }
        self.stdout.seen.extend_from_slice(bytes);
        step.stdout = until(&mut self.stdout.seen, mark.as_bytes());
        if let Some(rest) = self.stdout.seen.strip_prefix(mark.as_bytes()) {
            if let Some(end) = rest.iter().position(|b| *b == b'\n') {
                let number = String::from_utf8_lossy(rest.get(..end).unwrap_or_default());
                self.exit = number.trim().parse().ok();
                self.stdout.ended = true;
                if self.exit.is_none() {
                    step.failed = Some(broken());
                }
            } else if rest.len() > TAIL_MAX {
                step.failed = Some(broken());
            }
        }
        self.conclude(&mut step);
        step
    }

    /// Standard error was seen.
    pub fn stderr(&mut self, bytes: &[u8]) -> SessionStep {
        let mut step = SessionStep::default();
        if !self.ready {
            let room = NOISE_MAX.saturating_sub(self.stderr.seen.len());
            self.stderr
                .seen
                .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            return step;
        }
        let Some(mark) = &self.task else {
            return step;
        };
        if self.stderr.ended {
            return step;
        }
        self.stderr.seen.extend_from_slice(bytes);
        step.stderr = until(&mut self.stderr.seen, mark.as_bytes());
        self.stderr.ended = self.stderr.seen.starts_with(mark.as_bytes());
        self.conclude(&mut step);
        step
    }

    /// The process has ended, or its channel: what a running task had said last, and why there is no
    /// more. A new session has to be begun.
    pub fn ended(&mut self) -> SessionStep {
        let mut step = SessionStep::default();
        let failure = if self.ready {
            step.stdout = self.stdout.seen.split().freeze();
            step.stderr = self.stderr.seen.split().freeze();
            Failure::Remote("the PowerShell session ended before the task did".to_owned())
        } else {
            let said = String::from_utf8_lossy(&self.stderr.seen);
            let line = said.lines().map(str::trim).find(|line| !line.is_empty());
            Failure::Unsupported(match line {
                Some(line) => format!("no PowerShell answered: it said `{line}`"),
                None => "no PowerShell answered".to_owned(),
            })
        };
        self.ready = false;
        self.task = None;
        step.failed = Some(failure);
        step
    }

    fn conclude(&mut self, step: &mut SessionStep) {
        if let (true, true, Some(exit)) = (self.stdout.ended, self.stderr.ended, self.exit) {
            step.done = Some(Frame { exit });
            self.task = None;
        }
    }

    /// Reads a line of what comes before the first task; whether there may be another.
    fn greet(&mut self, step: &mut SessionStep) -> bool {
        let Some(length) = self.stdout.seen.iter().position(|b| *b == b'\n') else {
            if self.stdout.seen.len() > NOISE_MAX {
                step.failed = Some(broken());
            }
            return false;
        };
        let line = self.stdout.seen.split_to(length + 1);
        let line = String::from_utf8_lossy(&line);
        let Some((_, said)) = line.split_once(&format!("{} ", self.mark)) else {
            return true;
        };
        let mut words = said.split_whitespace();
        let first = words.next().unwrap_or_default();
        if self.process.is_none() {
            self.process = first.parse().ok();
            self.codepage = words.next().and_then(|word| word.parse().ok());
        } else if first == "ok" {
            self.ready = true;
            step.ready = true;
            return false;
        } else {
            step.failed = Some(Failure::Remote(said.trim().to_owned()));
        }
        true
    }
}

/// Takes everything before `mark` away, but for what may be the beginning of it.
fn until(seen: &mut BytesMut, mark: &[u8]) -> Bytes {
    let length = find(seen, mark).unwrap_or_else(|| {
        let longest = mark.len().saturating_sub(1).min(seen.len());
        let held = (1..=longest)
            .rev()
            .find(|length| seen.ends_with(mark.get(..*length).unwrap_or_default()));
        seen.len() - held.unwrap_or(0)
    });
    seen.split_to(length).freeze()
}

fn broken() -> Failure {
    Failure::Remote("the PowerShell session said what no session says".to_owned())
}
