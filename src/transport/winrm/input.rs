//! A command's standard input: `rsp:Send`, in pieces that the host's envelopes hold.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::fault::Meaning;
use super::pipe::Pipe;
use super::request::{Operation, Place, payload};
use super::shell::Shells;
use crate::event::{ErrorKind, HostError};
use crate::transport::types::Input;

/// Where input goes.
pub(super) struct WinrmInput {
    shells: Arc<Shells>,
    place: Place,
    pipe: Arc<Pipe>,
}

impl WinrmInput {
    pub(super) fn new(shells: Arc<Shells>, place: Place, pipe: Arc<Pipe>) -> Self {
        Self {
            shells,
            place,
            pipe,
        }
    }

    /// One message. `Ok(false)`: it is too large.
    async fn send(&self, bytes: Bytes, end: bool) -> Result<bool, HostError> {
        let operation = Operation::Send {
            place: self.place.clone(),
            bytes,
            end,
        };
        let shells = self.shells.clone();
        // In a task of its own: a message half-way sent would break the connection.
        let sending = tokio::spawn(async move { shells.session.call(operation).await });
        let sent = sending.await;
        self.pipe.sent();
        let answered = match sent {
            Ok(Ok(answered)) => answered,
            Ok(Err(failed)) if self.pipe.has_ended() => return Err(unread(&failed.error.message)),
            Ok(Err(failed)) => return Err(lost(&failed.error.message)),
            Err(_) => return Err(lost("it was given up")),
        };
        match answered.response.fault {
            None => Ok(true),
            Some(fault) => match fault.meaning() {
                // The command reads too slowly, and will have it: Windows has taken it.
                Meaning::TimedOut => Ok(true),
                Meaning::TooLarge => Ok(false),
                _ => Err(unread(&fault.message)),
            },
        }
    }
}

/// Nothing is missing to the command.
fn unread(why: &str) -> HostError {
    HostError::new(
        ErrorKind::RemoteIo,
        format!("the command reads no more: {why}"),
    )
}

/// It may have arrived: sent again it could arrive twice.
fn lost(why: &str) -> HostError {
    HostError::new(
        ErrorKind::Disconnected,
        format!(
            "the connection was lost when input was on its way ({why}); the command may have got a part of it"
        ),
    )
}

#[async_trait]
impl Input for WinrmInput {
    async fn write(&mut self, mut bytes: Bytes) -> Result<(), HostError> {
        while !bytes.is_empty() {
            if !self.pipe.writes() {
                return Err(unread("it is over"));
            }
            let envelope = self.shells.session.envelope();
            let piece = bytes.slice(..bytes.len().min(payload(envelope)));
            let length = piece.len();
            if self.send(piece, false).await? {
                bytes = bytes.slice(length..);
            } else if self.shells.session.shrink(envelope).is_none() {
                return Err(unread("the host takes no message, however small"));
            }
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<(), HostError> {
        if self.pipe.ends() {
            self.send(Bytes::new(), true).await?;
        }
        Ok(())
    }
}
