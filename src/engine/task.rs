//! One task of a play on one host: one exchange on a connection of the pool. Its result goes back to
//! whoever asked, not into events. Knows no playbook.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::drive::{Drive, Start};
use super::files::{self, HostLink};
use super::host::{Activity, stopped};
use super::job::{Control, Limits};
use super::listener::Listener;
use super::outcome::End;
use super::session::Turn;
use super::shell;
use super::speak;
use crate::base::chunks::Chunks;
use crate::event::{ErrorKind, HostError, Outcome, Stream};
use crate::shell::record::{Record, RecordReader};
use crate::shell::{Answers, Command, Payload, Piece, Plan, Source, windows};
use crate::target::Target;
use crate::transfer::download::Single;
use crate::transport::Connections;

/// How much of a file is read at once.
const CHUNK: usize = 256 * 1024;

/// What a task needs to be done on a host.
pub struct Order<'a> {
    /// The connections of the play.
    pub connections: &'a Arc<dyn Connections>,
    /// How the host is reached, and as whom.
    pub target: &'a Arc<Target>,
    /// What to do.
    pub plan: &'a Plan,
    /// How long it may take from its start; `None`: for ever.
    pub timeout: Option<Duration>,
    /// How much of its output is kept, in bytes a stream.
    pub max_output: usize,
    /// Hears when the play is to stop.
    pub halt: Control,
}

/// A file that a task brings here.
pub struct Fetch<'a> {
    /// The connections of the play.
    pub connections: &'a Arc<dyn Connections>,
    /// How the host is reached, and as whom.
    pub target: &'a Arc<Target>,
    /// What is fetched.
    pub file: &'a Single,
    /// How long it may take from its start; `None`: for ever.
    pub timeout: Option<Duration>,
    /// Hears when the play is to stop.
    pub halt: Control,
}

/// A mark for a module's program: random, and this task's alone.
pub fn mark() -> String {
    super::drive::mark()
}

/// How a task ended on a host.
#[derive(Debug)]
pub struct TaskEnd {
    /// As the engine sees it: `ok` also where the exit status is not 0 or the record says `failed`.
    pub outcome: Outcome,
    /// The exit status, where there was one.
    pub exit: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<String>,
    /// Why there is no plain end.
    pub error: Option<HostError>,
    /// Whether the host may have begun it.
    pub started: bool,
    /// What a module's script said.
    pub record: Option<Record>,
    /// Standard output of what is no module's script.
    pub stdout: Bytes,
    /// Standard error.
    pub stderr: Bytes,
    /// Whether some of the output was dropped.
    pub truncated: bool,
}

impl From<End> for TaskEnd {
    fn from(end: End) -> Self {
        Self {
            outcome: end.outcome,
            exit: end.exit,
            signal: end.signal,
            error: end.error,
            started: end.started,
            record: None,
            stdout: Bytes::new(),
            stderr: Bytes::new(),
            truncated: false,
        }
    }
}

/// Does a task. A connection of the pool that turns out to be dead is replaced, once, where the host
/// can't have begun.
pub async fn perform(order: Order<'_>) -> TaskEnd {
    let first = attempt(&order).await;
    if first.started || !is_stale(first.error.as_ref()) {
        return first;
    }
    attempt(&order).await
}

/// Fetches a file, as a task of its own: another connection is tried where one of the pool turns out
/// to be dead. Where it did not come, how that ended.
pub async fn fetch(order: &Fetch<'_>) -> Result<(), TaskEnd> {
    let first = fetch_once(order).await;
    match &first {
        Err(end) if is_stale(end.error.as_ref()) => fetch_once(order).await,
        _ => first,
    }
    .map_err(TaskEnd::from)
}

async fn fetch_once(order: &Fetch<'_>) -> Result<(), End> {
    let mut halt = order.halt.clone();
    let connection = tokio::select! {
        connection = order.connections.get(order.target) => connection.map_err(End::unreachable)?,
        why = stopped(&mut halt) => return Err(End::halted(why, None)),
    };
    let link = HostLink {
        limits: limits(order.timeout),
        until: order.timeout.map(|limit| Instant::now() + limit),
        connections: order.connections,
        connection: &connection,
        target: order.target,
        activity: &Arc::new(Activity::new()),
        halt,
        speaking: Arc::default(),
        session: order.target.is_windows() && order.target.r#become.is_none(),
    };
    files::fetch(order.file, link).await
}

fn is_stale(error: Option<&HostError>) -> bool {
    let kind = error.map(|error| error.kind);
    matches!(kind, Some(ErrorKind::Reset | ErrorKind::Disconnected))
}

fn limits(timeout: Option<Duration>) -> Limits {
    Limits {
        forks: 1,
        timeout,
        idle_timeout: None,
        deadline: None,
        serial: Vec::new(),
        max_fail: None,
        retries: 0,
    }
}

async fn attempt(order: &Order<'_>) -> TaskEnd {
    let mut halt = order.halt.clone();
    let connection = tokio::select! {
        connection = order.connections.get(order.target) => connection,
        why = stopped(&mut halt) => return Ear::new(order.plan, 0).end(End::halted(why, None)),
    };
    let mut ear = Ear::new(order.plan, order.max_output);
    let connection = match connection {
        Ok(connection) => connection,
        Err(error) => return ear.end(End::unreachable(error)),
    };
    if let (Command::Module(script), true) = (&order.plan.command, order.target.is_windows()) {
        if order.target.r#become.is_none() {
            let script = windows::with_variables(&order.plan.env, &script.text);
            let turn = Turn {
                connections: order.connections,
                connection: &connection,
                target: order.target,
                script: &script,
                timeout: order.timeout,
                halt: &mut halt,
                given: ear.given(order.plan),
                output: &mut ear,
            };
            let end = turn.run().await;
            return ear.end(end);
        }
        // Another user's PowerShell is this task's alone, and can be asked nothing meanwhile.
        if script.answers.is_some() {
            let error = HostError::new(
                ErrorKind::Unsupported,
                "this task asks while it runs, which it can't as another user of a Windows host",
            )
            .hint("leave `become` away, or copy an archive and unpack it");
            return ear.end(End::failed(error));
        }
        ear.want_payload();
    }
    let limits = limits(order.timeout);
    let given = ear.given(order.plan);
    let drive = Drive {
        plan: order.plan,
        limits: &limits,
        connections: order.connections,
        connection: &connection,
        target: order.target,
        activity: &Arc::new(Activity::new()),
        halt: &mut halt,
        output: &mut ear,
        console: None,
        given,
    };
    let end = match &order.plan.command {
        Command::Module(script) if script.shares && shell::can_be_kept(order.target) => {
            match connection.kept().try_hold() {
                Some(holding) => shell::run(drive, script, holding).await,
                // The shell is at work for another task.
                None => alone(drive).await,
            }
        }
        _ => alone(drive).await,
    };
    ear.end(end)
}

/// By a process of the task's own.
async fn alone(drive: Drive<'_>) -> End {
    match speak::conversation(drive.plan, drive.target) {
        Ok(mut conversation) => drive.run(Start::Exec, &mut *conversation).await,
        Err(error) => End::failed(error),
    }
}

/// Hears what a task says.
struct Ear {
    record: Option<RecordReader>,
    stdout: BytesMut,
    stderr: BytesMut,
    max: usize,
    truncated: bool,
    /// Told what the script waits for.
    wants: mpsc::UnboundedSender<Wanted>,
    payload_wanted: bool,
    /// Taken by what it is read by.
    wanted: Option<mpsc::UnboundedReceiver<Wanted>>,
}

/// What a script waits for.
enum Wanted {
    /// Its payload.
    Payload,
    /// The answer to a question, and what it has said so far.
    Answer(String, Record),
}

impl Ear {
    fn new(plan: &Plan, max: usize) -> Self {
        let record = match &plan.command {
            Command::Module(script) => Some(RecordReader::new(&script.mark, max)),
            _ => None,
        };
        let (wants, wanted) = mpsc::unbounded_channel();
        Self {
            record,
            stdout: BytesMut::new(),
            stderr: BytesMut::new(),
            max,
            truncated: false,
            wants,
            payload_wanted: false,
            wanted: Some(wanted),
        }
    }

    /// What the script may ask for.
    fn given(&mut self, plan: &Plan) -> Option<Box<dyn Chunks>> {
        let Command::Module(script) = &plan.command else {
            return None;
        };
        let payload = script.payload.clone();
        let payload = payload.filter(|payload| payload.travels_along().is_none());
        if payload.is_none() && script.answers.is_none() {
            return None;
        }
        Some(Box::new(OnDemand {
            wanted: self.wanted.take()?,
            payload,
            answers: script.answers.clone(),
            pieces: VecDeque::new(),
            reading: None,
        }))
    }

    /// Passes on what the script waits for. (Where nothing is given, nobody listens.)
    fn pass_on(&mut self) {
        let Some(record) = &mut self.record else {
            return;
        };
        let needs_payload = record.needs_payload();
        while let Some((name, said)) = record.question() {
            let _ = self.wants.send(Wanted::Answer(name, said));
        }
        if needs_payload {
            self.want_payload();
        }
    }

    /// The script waits for its payload.
    fn want_payload(&mut self) {
        if !std::mem::replace(&mut self.payload_wanted, true) {
            let _ = self.wants.send(Wanted::Payload);
        }
    }

    fn end(self, end: End) -> TaskEnd {
        let record = self.record.map(RecordReader::finish);
        TaskEnd {
            truncated: self.truncated || record.as_ref().is_some_and(|record| record.truncated),
            record,
            stdout: self.stdout.freeze(),
            stderr: self.stderr.freeze(),
            ..TaskEnd::from(end)
        }
    }
}

#[async_trait]
impl Listener for Ear {
    async fn output(&mut self, stream: Stream, bytes: Bytes) -> Result<(), HostError> {
        if let (Stream::Stdout, Some(record)) = (stream, &mut self.record) {
            record
                .take(&bytes)
                .map_err(|error| HostError::new(ErrorKind::Protocol, error.to_string()))?;
            self.pass_on();
            return Ok(());
        }
        let kept = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let room = self.max.saturating_sub(kept.len());
        self.truncated |= bytes.len() > room;
        kept.extend_from_slice(bytes.get(..room).unwrap_or(&bytes));
        Ok(())
    }

    fn has_heard_all(&self) -> bool {
        self.record.as_ref().is_some_and(RecordReader::has_ended)
    }
}

/// What a script is given when it asks for it, not before.
struct OnDemand {
    wanted: mpsc::UnboundedReceiver<Wanted>,
    payload: Option<Payload>,
    answers: Option<Answers>,
    /// What is to be sent, the piece under way first.
    pieces: VecDeque<Piece>,
    /// The file under way, and how much of it is left.
    reading: Option<(tokio::fs::File, u64)>,
}

#[async_trait]
impl Chunks for OnDemand {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        loop {
            if let Some((file, left)) = &mut self.reading {
                if *left > 0 {
                    return piece(file, left).await.map(Some);
                }
                self.reading = None;
            }
            match self.pieces.pop_front() {
                Some(Piece::Bytes(bytes)) if bytes.is_empty() => continue,
                Some(Piece::Bytes(bytes)) => return Ok(Some(bytes)),
                Some(Piece::File { path, size }) => {
                    self.reading = Some((tokio::fs::File::open(path).await?, size));
                    continue;
                }
                None => {}
            }
            if self.payload.is_none() && self.answers.is_none() {
                return Ok(None);
            }
            match self.wanted.recv().await {
                None => return Ok(None),
                Some(Wanted::Payload) => self.pieces.extend(self.payload.take().map(whole)),
                Some(Wanted::Answer(question, said)) => {
                    if let Some(answers) = self.answers.clone() {
                        let answer = move || answers.to(&question, &said);
                        let answer = tokio::task::spawn_blocking(answer).await;
                        self.pieces.extend(answer.map_err(std::io::Error::other)?);
                    }
                }
            }
        }
    }
}

fn whole(payload: Payload) -> Piece {
    match payload.source {
        Source::Bytes(bytes) => Piece::Bytes(bytes),
        Source::File(path) => Piece::File {
            path,
            size: payload.size,
        },
    }
}

/// The next piece of a file of which `left` bytes are still to come.
async fn piece(file: &mut tokio::fs::File, left: &mut u64) -> std::io::Result<Bytes> {
    let mut chunk = BytesMut::with_capacity(CHUNK);
    let room = CHUNK.min(usize::try_from(*left).unwrap_or(CHUNK));
    let read = file.take(room as u64).read_buf(&mut chunk).await?;
    if read == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    *left -= read as u64;
    Ok(chunk.freeze())
}
