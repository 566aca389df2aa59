//! One task of a play on one host: one exchange on a connection of the pool. Its result goes back to
//! whoever asked, not into events. Knows no playbook.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;

use super::drive::{Drive, Listener};
use super::host::{Activity, stopped};
use super::job::{Control, Limits};
use super::outcome::End;
use super::speak;
use crate::base::chunks::Chunks;
use crate::event::{ErrorKind, HostError, Outcome, Stream};
use crate::shell::record::{Record, RecordReader};
use crate::shell::{Command, Payload, Plan, Source};
use crate::target::Target;
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

/// Does a task. A connection of the pool that turns out to be dead is replaced, once, where the host
/// can't have begun.
pub async fn perform(order: Order<'_>) -> TaskEnd {
    let first = attempt(&order).await;
    let stale = matches!(
        first.error.as_ref().map(|error| error.kind),
        Some(ErrorKind::Reset | ErrorKind::Disconnected)
    );
    if first.started || !stale {
        return first;
    }
    attempt(&order).await
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
    let conversation = match speak::conversation(order.plan, order.target) {
        Ok(conversation) => conversation,
        Err(error) => return ear.end(End::failed(error)),
    };
    let limits = Limits {
        forks: 1,
        timeout: order.timeout,
        idle_timeout: None,
        deadline: None,
        serial: Vec::new(),
        max_fail: None,
        retries: 0,
    };
    let given = ear.payload(order.plan);
    let end = Drive {
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
    }
    .run(conversation)
    .await;
    ear.end(end)
}

/// Hears what a task says.
struct Ear {
    record: Option<RecordReader>,
    stdout: BytesMut,
    stderr: BytesMut,
    max: usize,
    truncated: bool,
    /// Told when the script asks for its payload.
    needs: watch::Sender<bool>,
}

impl Ear {
    fn new(plan: &Plan, max: usize) -> Self {
        let record = match &plan.command {
            Command::Module(script) => Some(RecordReader::new(&script.mark, max)),
            _ => None,
        };
        Self {
            record,
            stdout: BytesMut::new(),
            stderr: BytesMut::new(),
            max,
            truncated: false,
            needs: watch::channel(false).0,
        }
    }

    /// What the script may ask for.
    fn payload(&self, plan: &Plan) -> Option<Box<dyn Chunks>> {
        let Command::Module(script) = &plan.command else {
            return None;
        };
        let payload = script.payload.as_ref()?;
        if payload.travels_along().is_some() {
            return None;
        }
        Some(Box::new(OnDemand {
            payload: payload.clone(),
            asked: self.needs.subscribe(),
            file: None,
            left: payload.size,
        }))
    }

    fn end(self, end: End) -> TaskEnd {
        let record = self.record.map(RecordReader::finish);
        TaskEnd {
            outcome: end.outcome,
            exit: end.exit,
            signal: end.signal,
            error: end.error,
            started: end.started,
            truncated: self.truncated || record.as_ref().is_some_and(|record| record.truncated),
            record,
            stdout: self.stdout.freeze(),
            stderr: self.stderr.freeze(),
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
            if record.needs_payload() {
                self.needs.send_replace(true);
            }
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
}

/// A payload that is read when it is asked for, not before.
struct OnDemand {
    payload: Payload,
    asked: watch::Receiver<bool>,
    file: Option<tokio::fs::File>,
    left: u64,
}

#[async_trait]
impl Chunks for OnDemand {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        if self.asked.wait_for(|asked| *asked).await.is_err() || self.left == 0 {
            return Ok(None);
        }
        let path = match &self.payload.source {
            Source::Bytes(bytes) => {
                self.left = 0;
                return Ok(Some(bytes.clone()));
            }
            Source::File(path) => path,
        };
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tokio::fs::File::open(path).await?),
        };
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let room = CHUNK.min(usize::try_from(self.left).unwrap_or(CHUNK));
        let read = file.take(room as u64).read_buf(&mut chunk).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(Some(chunk.freeze()))
    }
}
