//! Feeds a command's standard input, whatever its size.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::host::Activity;
use crate::base::chunks::Chunks;
use crate::event::{ErrorKind, HostError};
use crate::shell::{Conversation, InputCoding, Plan, Stdin};
use crate::transport::Input;

/// How much of a file is read for a host at once.
const CHUNK: usize = 64 * 1024;

/// The feeding of one command.
#[derive(Default)]
pub(super) struct Feeding {
    task: Option<JoinHandle<Result<(), HostError>>>,
    reads: Arc<Notify>,
}

impl Feeding {
    /// Begins.
    pub(super) fn begin(
        &mut self,
        input: Box<dyn Input>,
        conversation: &dyn Conversation,
        plan: &Plan,
        given: Option<Box<dyn Chunks>>,
        activity: &Arc<Activity>,
    ) {
        let input: Box<dyn Input> = match conversation.input_coding() {
            InputCoding::Raw => input,
            InputCoding::Lines => Box::new(Lines { inner: input }),
        };
        let terminal = plan.tty.then(|| self.reads.clone());
        self.task = Some(tokio::spawn(feed(
            input,
            conversation.payload(),
            plan.stdin.clone(),
            given.map(|given| (given, activity.clone())),
            terminal,
        )));
    }

    /// The command itself reads now, nothing before it.
    pub(super) fn command_reads(&self) {
        self.reads.notify_one();
    }

    /// Waits for its end; an error when there was no more to be had here, or part of it
    /// may be lost on the way. Safe to drop half-way.
    pub(super) async fn ended(&mut self) -> Result<(), HostError> {
        let Some(task) = &mut self.task else {
            return std::future::pending().await;
        };
        let ended = task.await;
        self.task = None;
        ended.unwrap_or(Ok(()))
    }

    /// Stops it where it is.
    pub(super) fn stop(self) {
        if let Some(task) = self.task {
            task.abort();
        }
    }
}

/// Feeds a command: what belongs to the script, then what the user gave, then the end.
async fn feed(
    mut input: Box<dyn Input>,
    payload: Bytes,
    stdin: Stdin,
    given: Option<(Box<dyn Chunks>, Arc<Activity>)>,
    terminal: Option<Arc<Notify>>,
) -> Result<(), HostError> {
    let fed = async {
        if !payload.is_empty() {
            input.write(payload).await?;
        }
        match stdin {
            Stdin::Empty | Stdin::Given { .. } => {}
            Stdin::Bytes(bytes) => input.write(bytes).await?,
            Stdin::File { path, size } => {
                let local = |error: std::io::Error| {
                    HostError::new(ErrorKind::LocalIo, format!("{}: {error}", path.display()))
                };
                let file = tokio::fs::File::open(&path).await.map_err(local)?;
                // As much as was said: it may have grown.
                let mut file = file.take(size);
                loop {
                    let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
                    if file.read_buf(&mut chunk).await.map_err(local)? == 0 {
                        if file.limit() > 0 {
                            return Err(local(std::io::ErrorKind::UnexpectedEof.into()));
                        }
                        break;
                    }
                    input.write(chunk.freeze()).await?;
                }
            }
        }
        if let Some((mut chunks, activity)) = given {
            let local =
                |error: std::io::Error| HostError::new(ErrorKind::LocalIo, error.to_string());
            while let Some(chunk) = activity.not_its_fault(chunks.next()).await.map_err(local)? {
                input.write(chunk).await?;
                activity.saw_life();
            }
        }
        if let Some(reads) = terminal {
            // A terminal's way of saying that no more will come, once the command has it.
            reads.notified().await;
            input.write(Bytes::from_static(b"\x04")).await
        } else {
            input.close().await
        }
    };
    match fed.await {
        // The command would wait for the rest, or take a part for the whole.
        Err(error) if matches!(error.kind, ErrorKind::LocalIo | ErrorKind::Disconnected) => {
            Err(error)
        }
        Err(error) => {
            // A command need not read what it is given: `head` doesn't.
            tracing::debug!(%error, "standard input was not read to its end");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// How many bytes make a line: a multiple of three, so that no line but a last one is padded.
const LINE: usize = 48 * 1024;

/// What ends an input in lines.
pub(super) const END_OF_LINES: Bytes = Bytes::from_static(b".\n");

/// Writes bytes in lines of base64.
pub(super) async fn write_lines(input: &mut dyn Input, bytes: &[u8]) -> Result<(), HostError> {
    use base64::Engine as _;
    for piece in bytes.chunks(LINE) {
        let mut line = base64::engine::general_purpose::STANDARD.encode(piece);
        line.push('\n');
        input.write(line.into()).await?;
    }
    Ok(())
}

/// An input in lines of base64, ended by a line of a dot ([`InputCoding::Lines`]).
struct Lines {
    inner: Box<dyn Input>,
}

#[async_trait::async_trait]
impl Input for Lines {
    async fn write(&mut self, bytes: Bytes) -> Result<(), HostError> {
        write_lines(&mut *self.inner, &bytes).await
    }

    async fn close(&mut self) -> Result<(), HostError> {
        self.inner.write(END_OF_LINES).await?;
        self.inner.close().await
    }
}
