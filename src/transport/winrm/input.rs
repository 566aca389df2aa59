//! A command's standard input: `rsp:Send`, in pieces that the host's envelopes hold. One message after
//! another, as their order counts; while one is under way the next is gathered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use super::fault::Meaning;
use super::pipe::Pipe;
use super::request::{Operation, Place, payload};
use super::shell::Shells;
use crate::event::{ErrorKind, HostError};
use crate::transport::types::Input;

/// What is shorter is waited for: whoever writes a line wants to know that it is there.
const SHORT: usize = 32 * 1024;

/// After so much input larger messages are worth a question.
const MUCH: u64 = 256 * 1024;

/// Where input goes. Dropped, what was not sent yet is not sent any more.
pub(super) struct WinrmInput {
    link: Arc<Link>,
    /// Whether somebody sends what is held.
    sends: bool,
}

/// What the writer and the sender share.
struct Link {
    shells: Arc<Shells>,
    place: Place,
    pipe: Arc<Pipe>,
    state: Mutex<State>,
    /// There is something to send, or nothing ever more.
    wanted: Notify,
    /// Something was sent, or can't be.
    sent: Notify,
}

#[derive(Default)]
struct State {
    held: VecDeque<Bytes>,
    length: usize,
    /// A message is under way.
    busy: bool,
    failed: Option<HostError>,
    /// Nobody writes any more.
    dropped: bool,
}

impl State {
    fn is_idle(&self) -> bool {
        self.length == 0 && !self.busy
    }

    /// The next piece, of so many bytes at most.
    fn take(&mut self, most: usize) -> Bytes {
        let most = most.min(self.length);
        self.length -= most;
        if let Some(first) = self.held.front_mut()
            && first.len() > most
        {
            return first.split_to(most);
        }
        let mut piece = BytesMut::new();
        while piece.len() < most
            && let Some(mut next) = self.held.pop_front()
        {
            let rest = next.split_off(next.len().min(most - piece.len()));
            if !rest.is_empty() {
                self.held.push_front(rest);
            }
            if piece.is_empty() && next.len() == most {
                return next;
            }
            piece.extend_from_slice(&next);
        }
        piece.freeze()
    }
}

impl WinrmInput {
    pub(super) fn new(shells: Arc<Shells>, place: Place, pipe: Arc<Pipe>) -> Self {
        Self {
            link: Arc::new(Link {
                shells,
                place,
                pipe,
                state: Mutex::default(),
                wanted: Notify::new(),
                sent: Notify::new(),
            }),
            sends: false,
        }
    }
}

impl Drop for WinrmInput {
    fn drop(&mut self) {
        self.link.with(|state| state.dropped = true);
        self.link.wanted.notify_one();
    }
}

impl Link {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> Option<T> {
        self.state.lock().ok().map(|mut state| work(&mut state))
    }

    /// Waits until no more than `left` bytes are held; none: until all is sent.
    async fn until(&self, left: Option<usize>) -> Result<(), HostError> {
        loop {
            let sent = self.sent.notified();
            tokio::pin!(sent);
            sent.as_mut().enable();
            let done = self.with(|state| match (&state.failed, left) {
                (Some(error), _) => Some(Err(error.clone())),
                (None, Some(left)) => (state.length <= left).then_some(Ok(())),
                (None, None) => state.is_idle().then_some(Ok(())),
            });
            match done {
                Some(Some(done)) => return done,
                Some(None) => sent.await,
                None => return Err(lost("it was given up")),
            }
        }
    }

    /// Sends what is held, as it comes. To be run in a task of its own: a message half-way sent would
    /// break the connection.
    async fn send_all(self: Arc<Self>) {
        let mut sent = 0;
        loop {
            let session = &self.shells.session;
            if sent > MUCH {
                session.learn_envelope().await;
            }
            let envelope = session.envelope();
            let next = self.with(|state| {
                if state.dropped {
                    return None;
                }
                let piece = state.take(payload(envelope));
                state.busy = !piece.is_empty();
                Some(piece)
            });
            let Some(Some(piece)) = next else {
                return self.pipe.sent();
            };
            if piece.is_empty() {
                self.wanted.notified().await;
                continue;
            }
            let sending = self.send(piece.clone(), false).await;
            let failed = match sending {
                Ok(true) => None,
                Ok(false) if session.shrink(envelope).is_some() => {
                    self.with(|state| {
                        state.length += piece.len();
                        state.held.push_front(piece.clone());
                    });
                    continue;
                }
                Ok(false) => Some(unread("the host takes no message, however small")),
                Err(error) => Some(error),
            };
            sent += piece.len() as u64;
            let over = failed.is_some();
            let idle = self.with(|state| {
                state.busy = false;
                state.failed = failed;
                over || state.is_idle()
            });
            if idle.unwrap_or(true) {
                self.pipe.sent();
            }
            self.sent.notify_waiters();
            if over {
                return;
            }
        }
    }

    /// One message. `Ok(false)`: it is too large.
    async fn send(&self, bytes: Bytes, end: bool) -> Result<bool, HostError> {
        if !end && self.pipe.has_ended() {
            return Err(unread("it is over"));
        }
        let operation = Operation::Send {
            place: self.place.clone(),
            bytes,
            end,
        };
        let answered = match self.shells.session.call(operation).await {
            Ok(answered) => answered,
            Err(failed) if self.pipe.has_ended() => return Err(unread(&failed.error.message)),
            Err(failed) => return Err(lost(&failed.error.message)),
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
    async fn write(&mut self, bytes: Bytes) -> Result<(), HostError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if !self.link.pipe.writes() {
            return Err(unread("it is over"));
        }
        if !std::mem::replace(&mut self.sends, true) {
            tokio::spawn(self.link.clone().send_all());
        }
        let short = bytes.len() < SHORT;
        self.link.with(|state| {
            state.length += bytes.len();
            state.held.push_back(bytes);
        });
        self.link.wanted.notify_one();
        // One message's worth is gathered ahead.
        let ahead = payload(self.link.shells.session.envelope());
        self.link.until((!short).then_some(ahead)).await
    }

    async fn close(&mut self) -> Result<(), HostError> {
        self.link.until(None).await?;
        if self.link.pipe.ends() {
            let link = self.link.clone();
            let ending = tokio::spawn(async move {
                let ended = link.send(Bytes::new(), true).await;
                link.pipe.sent();
                ended
            });
            ending.await.map_err(|_| lost("it was given up"))??;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_goes_in_pieces_of_any_size_in_order() {
        for most in 1..12 {
            let mut state = State::default();
            for piece in ["abc", "d", "efghij", "k"] {
                state.length += piece.len();
                state.held.push_back(Bytes::from_static(piece.as_bytes()));
            }
            let mut seen = Vec::new();
            while state.length > 0 {
                let piece = state.take(most);
                assert!(piece.len() == most || state.length == 0);
                seen.extend_from_slice(&piece);
            }
            assert_eq!(seen, b"abcdefghijk");
            assert!(state.take(most).is_empty() && state.held.is_empty());
        }
    }
}
