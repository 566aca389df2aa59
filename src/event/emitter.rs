//! From the engine to the consumers: every event is stamped, redacted and captured once, then handed
//! to each consumer, in order, on one thread of their own.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::capture::{Capture, CaptureLimits, Store};
use super::error::HostError;
use super::files::FileRecord;
use super::redact::{Redactor, StreamRedactor};
use super::types::{Event, HostIx, HostResult, Outcome, Stamped, Stream, Timings};
use crate::base::clock;
use crate::base::text::Charset;

/// How many events may wait for a slow consumer before hosts have to wait for it.
const QUEUE: usize = 512;

/// Reads the events of a run, in order, on the consumers' thread. An error ends this consumer, not
/// the run; a closed pipe ends it quietly.
pub trait Consumer: Send {
    /// Takes one event.
    fn consume(&mut self, event: &Stamped) -> io::Result<()>;
}

/// How long the consumers' thread waits after an event for others that it then takes along.
const LINGER: Duration = Duration::from_millis(5);

/// What goes to the consumers' thread.
#[derive(Debug)]
enum Item {
    Event(Stamped),
    /// Everything before it was seen: whoever asked is told.
    Seen(oneshot::Sender<()>),
}

/// Gives an event to all consumers; who can't take it is left out from then on.
fn take(consumers: &mut Vec<Box<dyn Consumer>>, item: Item) {
    let event = match item {
        Item::Event(event) => event,
        Item::Seen(asks) => {
            let _ = asks.send(());
            return;
        }
    };
    consumers.retain_mut(|consumer| match consumer.consume(&event) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => false,
        Err(error) => {
            tracing::error!(%error, "a consumer of the run's events failed and is left out");
            false
        }
    });
}

/// The engine's end of the stream.
#[derive(Debug, Clone)]
pub struct Emitter {
    queue: mpsc::Sender<Item>,
    redactor: Arc<Redactor>,
    captured: Arc<Store>,
}

impl Emitter {
    /// Starts the consumers' thread. It ends when the last clone of the emitter is gone; joining it
    /// waits until the consumers have seen everything.
    pub fn start(
        redactor: Arc<Redactor>,
        limits: CaptureLimits,
        mut consumers: Vec<Box<dyn Consumer>>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (queue, mut events) = mpsc::channel::<Item>(QUEUE);
        let thread = std::thread::Builder::new()
            .name("consumers".into())
            .spawn(move || {
                while let Some(item) = events.blocking_recv() {
                    take(&mut consumers, item);
                    // Who is woken for each event spends more on that than on the events.
                    std::thread::sleep(LINGER);
                    while let Ok(item) = events.try_recv() {
                        take(&mut consumers, item);
                    }
                }
            })?;
        Ok((
            Self {
                queue,
                redactor,
                captured: Arc::new(Store::new(limits)),
            },
            thread,
        ))
    }

    /// Says something that is not one host's output or result.
    pub async fn emit(&self, event: Event) {
        let event = match event {
            Event::Notice(text) => Event::Notice(self.redactor.text(&text).into_owned()),
            Event::RunStarted(header) => Event::RunStarted(self.redactor.header(header)),
            Event::Play(said) => Event::Play(self.redactor.play(said)),
            other => other,
        };
        // The receiver lives as long as any sender does.
        let _ = self
            .queue
            .send(Item::Event(Stamped {
                at: clock::now(),
                event,
            }))
            .await;
    }

    /// Waits until all that was said so far has been seen: what is asked after it stands below it.
    pub async fn seen(&self) {
        let (tells, told) = oneshot::channel();
        if self.queue.send(Item::Seen(tells)).await.is_ok() {
            let _ = told.await;
        }
    }

    /// Says something only if somebody has an ear for it now.
    pub fn mention(&self, event: Event) {
        let _ = self.queue.try_send(Item::Event(Stamped {
            at: clock::now(),
            event,
        }));
    }

    /// The secrets that are taken out.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    /// Begins a host: emits `HostStarted`.
    pub async fn host(&self, host: HostIx) -> HostEmitter {
        self.emit(Event::HostStarted(host)).await;
        self.resume(host)
    }

    /// A host whose beginning was said already, or that never begins: only its end is emitted.
    pub fn resume(&self, host: HostIx) -> HostEmitter {
        let sink = |stream: &str| Sink {
            redact: StreamRedactor::default(),
            capture: Capture::new(self.captured.clone(), format!("{}.{stream}", host.0)),
        };
        HostEmitter {
            emitter: self.clone(),
            host,
            encoding: Charset::UTF_8,
            started: clock::now(),
            stdout: sink("stdout"),
            stderr: sink("stderr"),
        }
    }
}

#[derive(Debug)]
struct Sink {
    redact: StreamRedactor,
    capture: Capture,
}

/// How a host's work ended: its result but for the outputs, which the emitter has captured.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are those of HostResult")]
pub struct HostEnd {
    pub outcome: Outcome,
    pub exit: Option<i32>,
    pub signal: Option<String>,
    pub duration: Duration,
    pub attempts: u32,
    pub error: Option<HostError>,
    pub timings: Option<Timings>,
    pub files: Vec<FileRecord>,
}

/// One host's end of the stream.
#[derive(Debug)]
pub struct HostEmitter {
    emitter: Emitter,
    host: HostIx,
    encoding: Charset,
    started: Timestamp,
    stdout: Sink,
    stderr: Sink,
}

impl HostEmitter {
    /// What the host speaks, once that is known; UTF-8 before.
    pub fn speaks(&mut self, encoding: Charset) {
        self.encoding = encoding;
    }

    /// Takes a piece of output: redacts, captures and emits it. What can't be kept is shown and no
    /// error: a full disk here must not end a command there.
    pub async fn output(&mut self, stream: Stream, bytes: Bytes) {
        let redactor = self.emitter.redactor.clone();
        let bytes = self.sink(stream).redact.push(&redactor, bytes);
        self.pass_on(stream, bytes).await;
    }

    async fn pass_on(&mut self, stream: Stream, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        if let Some(warning) = self.sink(stream).capture.push(&bytes) {
            self.emitter.emit(Event::Notice(warning)).await;
        }
        self.emitter
            .emit(Event::Output {
                host: self.host,
                stream,
                bytes,
                encoding: self.encoding,
            })
            .await;
    }

    fn sink(&mut self, stream: Stream) -> &mut Sink {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// Ends the host: emits `HostFinished` and gives the result back.
    pub async fn finish(mut self, end: HostEnd) -> Arc<HostResult> {
        let mut error = end.error;
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = self.sink(stream).redact.finish();
            self.pass_on(stream, rest).await;
        }
        if let Some(error) = &mut error {
            error.message = self.emitter.redactor.text(&error.message).into_owned();
            error.hint = error
                .hint
                .take()
                .map(|hint| self.emitter.redactor.text(&hint).into_owned());
        }
        let mut files = end.files;
        for text in files
            .iter_mut()
            .flat_map(|file| [&mut file.source, &mut file.target])
        {
            *text = self.emitter.redactor.text(text).into_owned();
        }
        let result = Arc::new(HostResult {
            outcome: end.outcome,
            exit: end.exit,
            signal: end.signal,
            stdout: self.stdout.capture.finish(),
            stderr: self.stderr.capture.finish(),
            encoding: self.encoding,
            started: self.started,
            duration: end.duration,
            attempts: end.attempts,
            error,
            timings: end.timings,
            files,
        });
        self.emitter
            .emit(Event::HostFinished(self.host, result.clone()))
            .await;
        result
    }
}
