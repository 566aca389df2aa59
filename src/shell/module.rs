//! A module's program, ready to be said to a host, and what may follow it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::record::Record;

/// A program that does one task of a playbook and says a record of it ([`super::record`]).
#[derive(Clone)]
pub struct ModuleScript {
    /// What it leans on, in its order, for a Unix shell: definitions alone, the same for every task.
    pub parts: Vec<Part>,
    /// The program, after its parts: for a Unix shell, or PowerShell, as the host has one or the other.
    pub text: String,
    /// The mark of its frames: random, of letters and digits, and this task's alone.
    pub mark: String,
    /// What the program may read on standard input.
    pub payload: Option<Payload>,
    /// What it is told when it asks.
    pub answers: Option<Answers>,
    /// Whether it may share a Unix host's shell with other programs: it leaves nothing running there that
    /// holds the shell's streams, and says its end itself.
    pub shares: bool,
}

/// A named piece of programs: functions of a Unix shell. A shell that is kept is told each once.
#[derive(Clone)]
pub struct Part {
    /// What it is known by.
    pub name: Arc<str>,
    /// Its lines.
    pub text: Arc<str>,
}

impl ModuleScript {
    /// All of it in one text.
    pub fn whole(&self) -> String {
        self.parts
            .iter()
            .map(|part| &*part.text)
            .chain([&*self.text])
            .collect()
    }
}

impl fmt::Debug for ModuleScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleScript")
            .field("mark", &self.mark)
            .field("payload", &self.payload)
            .field("answers", &self.answers)
            .finish_non_exhaustive()
    }
}

/// Answers a program's questions while it runs: the name of the question and what the program has
/// said so far become the bytes that it reads. Pure; it may take its time.
#[derive(Clone)]
pub struct Answers(Arc<Answering>);

type Answering = dyn Fn(&str, &Record) -> Vec<Piece> + Send + Sync;

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Bytes(Bytes),
    /// The first bytes of a file of the controller: it must be as long.
    File {
        /// Where it is.
        path: PathBuf,
        /// How many.
        size: u64,
    },
}

impl Piece {
    /// How long it is, in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }
}

impl Answers {
    /// By this function.
    pub fn new(answer: impl Fn(&str, &Record) -> Vec<Piece> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    /// The answer to a question.
    pub fn to(&self, question: &str, said: &Record) -> Vec<Piece> {
        (self.0)(question, said)
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers")
    }
}

/// Content that goes with a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Its size, in bytes.
    pub size: u64,
    /// Its MD5.
    pub md5: [u8; 16],
    /// Where it comes from.
    pub source: Source,
}

/// Where a payload comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is at hand.
    Bytes(Bytes),
    /// It is in a file of the controller.
    File(PathBuf),
}

/// Payloads up to this go along with the program; larger ones when it asks for them. In bytes.
pub const TRAVELS_ALONG: u64 = 64 * 1024;

impl Payload {
    /// Whether it goes along with the program, asked for or not.
    pub fn travels_along(&self) -> Option<&Bytes> {
        match &self.source {
            Source::Bytes(bytes) if self.size <= TRAVELS_ALONG => Some(bytes),
            _ => None,
        }
    }
}
