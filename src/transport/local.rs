//! The controller itself as a host: commands are children of this process, each in a process group
//! of its own, as sshd would start them.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::kept::Kept;
use super::types::{Connection, ExecRequest, Exit, Input, Output, OutputEvent, Process, Transport};
use crate::event::{ErrorKind, HostError, Stream, Timings};
use crate::target::Target;

/// How much is read at once, in bytes.
const CHUNK: usize = 32 * 1024;

/// Opens "connections" to the controller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Local;

#[async_trait]
impl Transport for Local {
    async fn connect(&self, _target: &Target) -> Result<Arc<dyn Connection>, HostError> {
        Ok(Arc::new(LocalConnection::default()))
    }
}

/// The controller, as if it were reached.
#[derive(Default)]
struct LocalConnection {
    kept: Kept,
}

#[async_trait]
impl Connection for LocalConnection {
    async fn exec(&self, request: ExecRequest) -> Result<Process, HostError> {
        super::types::sets_up_nothing(&request)?;
        if request.pty.is_some() {
            return Err(HostError::new(
                ErrorKind::Unsupported,
                "the local connection has no terminal: --tty, su and doas need one",
            )
            .hint("use sudo, or reach the controller by ssh"));
        }
        let command = String::from_utf8_lossy(&request.command).into_owned();
        let mut child = Command::new("/bin/sh")
            .args(["-c", &command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| HostError::new(ErrorKind::LocalIo, format!("/bin/sh: {error}")))?;
        let input = LocalInput(child.stdin.take());
        let output = LocalOutput {
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            child: Some(child),
            buffers: [BytesMut::new(), BytesMut::new()],
        };
        Ok(Process {
            input: Box::new(input),
            output: Box::new(output),
        })
    }

    fn kept(&self) -> &Kept {
        &self.kept
    }

    fn timings(&self) -> Timings {
        Timings::default()
    }

    fn is_closed(&self) -> bool {
        false
    }

    async fn close(&self) {}
}

struct LocalInput(Option<ChildStdin>);

#[async_trait]
impl Input for LocalInput {
    async fn write(&mut self, bytes: Bytes) -> Result<(), HostError> {
        let Some(stdin) = &mut self.0 else {
            return Ok(());
        };
        stdin.write_all(&bytes).await.map_err(|error| {
            HostError::new(
                ErrorKind::RemoteIo,
                format!("the command reads no more: {error}"),
            )
        })
    }

    async fn close(&mut self) -> Result<(), HostError> {
        self.0 = None;
        Ok(())
    }
}

struct LocalOutput {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    child: Option<Child>,
    /// Standard output's and standard error's next bytes.
    buffers: [BytesMut; 2],
}

#[async_trait]
impl Output for LocalOutput {
    async fn next(&mut self) -> OutputEvent {
        let [out, err] = &mut self.buffers;
        out.reserve(CHUNK);
        err.reserve(CHUNK);
        loop {
            if self.child.is_none() && self.stdout.is_none() && self.stderr.is_none() {
                return OutputEvent::Closed;
            }
            // Output first, so that what was written before the end is seen before it.
            tokio::select! {
                biased;
                read = read(&mut self.stdout, out), if self.stdout.is_some() => match read {
                    Some(bytes) => return OutputEvent::Data(Stream::Stdout, bytes),
                    None => self.stdout = None,
                },
                read = read(&mut self.stderr, err), if self.stderr.is_some() => match read {
                    Some(bytes) => return OutputEvent::Data(Stream::Stderr, bytes),
                    None => self.stderr = None,
                },
                status = wait(&mut self.child), if self.child.is_some() => {
                    self.child = None;
                    return OutputEvent::Exit(status);
                }
            }
        }
    }

    async fn close(&mut self) {
        self.stdout = None;
        self.stderr = None;
    }
}

/// The next bytes of a pipe; `None` at its end.
async fn read<R: tokio::io::AsyncRead + Unpin>(
    pipe: &mut Option<R>,
    buffer: &mut BytesMut,
) -> Option<Bytes> {
    match pipe.as_mut()?.read_buf(buffer).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(buffer.split().freeze()),
    }
}

async fn wait(child: &mut Option<Child>) -> Exit {
    match child.as_mut() {
        Some(child) => child.wait().await.map_or(Exit::Status(255), exit),
        None => std::future::pending().await,
    }
}

fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Status(code),
        (None, Some(signal)) => Exit::Signal(signal_name(signal)),
        (None, None) => Exit::Status(255),
    }
}

/// The name of a signal, without `SIG`.
fn signal_name(number: i32) -> String {
    use rustix::process::Signal;
    let names = [
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::ILL, "ILL"),
        (Signal::ABORT, "ABRT"),
        (Signal::BUS, "BUS"),
        (Signal::FPE, "FPE"),
        (Signal::KILL, "KILL"),
        (Signal::SEGV, "SEGV"),
        (Signal::PIPE, "PIPE"),
        (Signal::ALARM, "ALRM"),
        (Signal::TERM, "TERM"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
    ];
    names
        .iter()
        .find(|(signal, _)| signal.as_raw() == number)
        .map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}
