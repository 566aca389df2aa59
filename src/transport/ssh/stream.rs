//! The bytes beneath SSH: a TCP connection, a command's standard streams, or a channel of a
//! bastion; with an ear for the first of what the other side says, for messages.

use std::io;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How much of the other side's first words is kept.
const HEARD_MAX: usize = 96;

/// How much is read at once. russh asks for the length of each packet, then for the rest of it: what a
/// host says of a task is mostly here by then, in one piece. Larger packets go past it.
const READ_AHEAD: usize = 2 * 1024;

/// Anything that carries bytes both ways.
pub(super) trait Carrier: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Carrier for T {}

/// The first of what was heard.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    /// The bytes so far.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().map(|heard| heard.clone()).unwrap_or_default()
    }
}

/// A carrier that is listened to until enough was heard.
pub(super) struct Listened {
    inner: BufReader<Box<dyn Carrier>>,
    heard: Option<Heard>,
}

impl Listened {
    pub(super) fn new(inner: Box<dyn Carrier>) -> (Self, Heard) {
        let heard = Heard::default();
        (
            Self {
                inner: BufReader::with_capacity(READ_AHEAD, inner),
                heard: Some(heard.clone()),
            },
            heard,
        )
    }
}

impl AsyncRead for Listened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let (Some(heard), Poll::Ready(Ok(()))) = (&self.heard, &polled) {
            let new = buf.filled().get(before..).unwrap_or_default();
            let full = heard.0.lock().is_ok_and(|mut bytes| {
                let room = HEARD_MAX.saturating_sub(bytes.len());
                bytes.extend_from_slice(new.get(..room).unwrap_or(new));
                bytes.len() >= HEARD_MAX
            });
            if full {
                self.heard = None;
            }
        }
        polled
    }
}

impl AsyncWrite for Listened {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A line that is down already is no error: it would hide why the server hung up.
        Pin::new(&mut self.inner).poll_shutdown(cx).map(|_| Ok(()))
    }
}

/// A `ProxyCommand`: the shell runs it, it dies with the connection.
pub(super) struct ProxyStream {
    process: ProxyProcess,
    stdin: ChildStdin,
    stdout: ChildStdout,
}

/// The process of a `ProxyCommand`, killed when nobody holds it any more.
#[derive(Clone)]
pub(super) struct ProxyProcess(Arc<tokio::sync::Mutex<Child>>);

impl ProxyProcess {
    /// How it ended, if it does so now.
    pub(super) async fn ended(&self) -> Option<ExitStatus> {
        let mut child = self.0.lock().await;
        timeout(ENDING, child.wait()).await.ok()?.ok()
    }
}

/// So long after a command's last byte its end may take.
const ENDING: Duration = Duration::from_millis(300);

impl ProxyStream {
    /// Its process.
    pub(super) fn process(&self) -> ProxyProcess {
        self.process.clone()
    }
}

/// Starts a `ProxyCommand`, as ssh(1) does: `exec` by the user's shell. What it says on standard
/// error goes to ours, as with ssh. In a process group of its own: an interrupt at the terminal is
/// ours to act on, and commands that are stopped in order need their connections.
pub(super) fn proxy_command(command: &str) -> io::Result<ProxyStream> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(stdin), Some(stdout)) => Ok(ProxyStream {
            process: ProxyProcess(Arc::new(tokio::sync::Mutex::new(child))),
            stdin,
            stdout,
        }),
        _ => Err(io::Error::other("the command has no standard streams")),
    }
}

impl AsyncRead for ProxyStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(cx, buf)
    }
}

impl AsyncWrite for ProxyStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stdin).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdin).poll_shutdown(cx)
    }
}
