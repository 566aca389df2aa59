//! A logged-in connection and the commands on it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, Sig};

use super::client::Client;
use super::stream::Carrier;
use crate::event::{ErrorKind, HostError, Stream, Timings};
use crate::transport::Kept;
use crate::transport::files::Files;
use crate::transport::types::{
    Connection, ExecRequest, Exit, Input, Output, OutputEvent, Process, Pty,
};

/// One connection.
pub(super) struct SshConnection {
    handle: Handle<Client>,
    kept: Kept,
    timings: Timings,
}

impl SshConnection {
    pub(super) fn new(handle: Handle<Client>, timings: Timings) -> Self {
        Self {
            handle,
            kept: Kept::default(),
            timings,
        }
    }

    /// Returns once the host answered, or is gone.
    pub(super) async fn ping(&self) {
        let _ = self.handle.send_ping().await;
    }

    /// Whether it was closed or lost.
    pub(super) fn is_gone(&self) -> bool {
        self.handle.is_closed()
    }

    /// A channel for a command or a subsystem (RFC 4254, 6.1). `before` what the connection was lost,
    /// if it was.
    async fn session(&self, before: &str) -> Result<Channel<Msg>, HostError> {
        let mut opened = self.handle.channel_open_session().await;
        // A host that grants few sessions gets back one that is kept; it takes a moment to see that.
        if is_too_many(&opened) {
            self.kept.clear();
            for _ in 0..SECOND_TRIES {
                tokio::time::sleep(BETWEEN_TRIES).await;
                opened = self.handle.channel_open_session().await;
                if !is_too_many(&opened) {
                    break;
                }
            }
        }
        opened.map_err(|error| match error {
            russh::Error::ChannelOpenFailure(why) => HostError::new(
                ErrorKind::Quota,
                format!("the host opens no more sessions on one connection ({why:?})"),
            )
            .hint("see MaxSessions of its sshd"),
            other => HostError::new(
                ErrorKind::Reset,
                format!("the connection was lost before {before}: {other}"),
            ),
        })
    }

    /// A stream through this host to another (RFC 4254, 7.2).
    pub(super) async fn forward(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Box<dyn Carrier>, HostError> {
        let opened = self
            .handle
            .channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0)
            .await;
        match opened {
            Ok(channel) => Ok(Box::new(channel.into_stream())),
            Err(error) => Err(match error {
                russh::Error::ChannelOpenFailure(russh::ChannelOpenFailure::ConnectFailed) => {
                    HostError::new(
                        ErrorKind::Refused,
                        format!("the bastion can't connect to {host}:{port}"),
                    )
                }
                russh::Error::ChannelOpenFailure(why) => HostError::new(
                    ErrorKind::Protocol,
                    format!("the bastion does not forward to {host}:{port} ({why:?})"),
                )
                .hint("does its sshd allow AllowTcpForwarding?"),
                other => HostError::new(ErrorKind::Reset, format!("the bastion hung up: {other}")),
            }),
        }
    }
}

/// How often, and how long after one another, a session is asked for once one was given back.
const SECOND_TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

fn is_too_many(opened: &Result<Channel<Msg>, russh::Error>) -> bool {
    matches!(opened, Err(russh::Error::ChannelOpenFailure(_)))
}

#[async_trait]
impl Connection for SshConnection {
    async fn exec(&self, request: ExecRequest) -> Result<Process, HostError> {
        super::super::types::sets_up_nothing(&request)?;
        let channel = self.session("the command was started").await?;
        let lost = |error: russh::Error| {
            HostError::new(
                ErrorKind::Reset,
                format!("the connection was lost before the command was started: {error}"),
            )
        };
        if let Some(Pty { columns, rows }) = request.pty {
            channel
                .request_pty(
                    false,
                    "xterm",
                    columns.into(),
                    rows.into(),
                    0,
                    0,
                    QUIET_TERMINAL,
                )
                .await
                .map_err(lost)?;
        }
        channel.exec(true, request.command).await.map_err(lost)?;
        let (read, write) = channel.split();
        Ok(Process {
            input: Box::new(SshInput(write)),
            output: Box::new(SshOutput {
                read,
                closed: false,
            }),
        })
    }

    async fn files(&self) -> Result<Arc<dyn Files>, HostError> {
        let channel = self.session("the host's files could be reached").await?;
        super::sftp::open(channel).await
    }

    fn kept(&self) -> &Kept {
        &self.kept
    }

    fn timings(&self) -> Timings {
        self.timings
    }

    fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    async fn close(&self) {
        let _ = self
            .handle
            .disconnect(Disconnect::ByApplication, "", "")
            .await;
    }
}

/// A terminal that neither echoes what we write nor changes what the command writes, and takes
/// lines of any length until the command asks for more (RFC 4254, 8).
const QUIET_TERMINAL: &[(russh::Pty, u32)] = &[
    (russh::Pty::ECHO, 0),
    (russh::Pty::ECHOE, 0),
    (russh::Pty::ECHOK, 0),
    (russh::Pty::ECHONL, 0),
    (russh::Pty::ICANON, 0),
    (russh::Pty::OPOST, 0),
    (russh::Pty::ONLCR, 0),
];

struct SshInput(ChannelWriteHalf<Msg>);

#[async_trait]
impl Input for SshInput {
    async fn write(&mut self, bytes: Bytes) -> Result<(), HostError> {
        self.0.data_bytes(bytes).await.map_err(gone)
    }

    async fn close(&mut self) -> Result<(), HostError> {
        self.0.eof().await.map_err(gone)
    }
}

fn gone(error: russh::Error) -> HostError {
    HostError::new(
        ErrorKind::RemoteIo,
        format!("the command reads no more: {error}"),
    )
}

struct SshOutput {
    read: ChannelReadHalf,
    closed: bool,
}

#[async_trait]
impl Output for SshOutput {
    async fn next(&mut self) -> OutputEvent {
        if self.closed {
            return OutputEvent::Closed;
        }
        while let Some(message) = self.read.wait().await {
            return match message {
                ChannelMsg::Data { data } => OutputEvent::Data(Stream::Stdout, data),
                ChannelMsg::ExtendedData { data, ext: 1 } => {
                    OutputEvent::Data(Stream::Stderr, data)
                }
                ChannelMsg::ExitStatus { exit_status } => {
                    OutputEvent::Exit(Exit::Status(exit_status.cast_signed()))
                }
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    OutputEvent::Exit(Exit::Signal(signal_text(&signal_name)))
                }
                ChannelMsg::Failure => OutputEvent::Refused,
                ChannelMsg::Close => break,
                _ => continue,
            };
        }
        self.closed = true;
        OutputEvent::Closed
    }

    async fn close(&mut self) {
        self.closed = true;
    }
}

fn signal_text(signal: &Sig) -> String {
    match signal {
        Sig::ABRT => "ABRT".into(),
        Sig::ALRM => "ALRM".into(),
        Sig::FPE => "FPE".into(),
        Sig::HUP => "HUP".into(),
        Sig::ILL => "ILL".into(),
        Sig::INT => "INT".into(),
        Sig::KILL => "KILL".into(),
        Sig::PIPE => "PIPE".into(),
        Sig::QUIT => "QUIT".into(),
        Sig::SEGV => "SEGV".into(),
        Sig::TERM => "TERM".into(),
        Sig::USR1 => "USR1".into(),
        Sig::Custom(name) => name.clone(),
    }
}
