//! Questions and answers on one channel: any number under way at once, each answer to whoever asked.
//! Knows messages and their numbers, not what they mean.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::errors::Ending;
use super::packets::{Packets, TooLong};
use super::wire::{Garbled, Message, Reply, kind};
use crate::event::{ErrorKind, HostError};

/// Messages that wait for the channel to take them; who has more to say waits too.
const QUEUE: usize = 4;

/// One channel. Closed when dropped.
pub(super) struct Asking {
    out: mpsc::Sender<Outgoing>,
    desk: Arc<Desk>,
}

/// A message, whose last part need not be copied behind the first.
struct Outgoing(Bytes, Bytes);

/// Where answers are waited for.
#[derive(Default)]
struct Desk(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    next: u32,
    /// The one who waits for the server to introduce itself.
    version: Option<oneshot::Sender<Reply>>,
    begun: bool,
    answers: HashMap<u32, oneshot::Sender<Reply>>,
    /// Why there will be no more answers.
    lost: Option<HostError>,
}

impl Asking {
    /// On a channel whose other end is an SFTP server.
    pub(super) fn new(channel: Channel<Msg>) -> Self {
        let (read, write) = channel.split();
        let (out, queue) = mpsc::channel(QUEUE);
        let desk = Arc::new(Desk::default());
        // Tasks of their own: who gives up waiting must not leave half a message behind.
        let speaker = tokio::spawn(speak(write, queue));
        tokio::spawn(listen(read, desk.clone(), speaker.abort_handle()));
        Self { out, desk }
    }

    /// Introduces us; the server's introduction.
    pub(super) async fn begin(&self, init: Message) -> Result<Reply, HostError> {
        let place = self.place().await?;
        let answer = {
            let mut desk = self.desk.open()?;
            let (sender, answer) = oneshot::channel();
            desk.version = Some(sender);
            answer
        };
        place.send(Outgoing(init.finish(b""), Bytes::new()));
        self.wait(answer).await
    }

    /// Sends a message, with `payload` as its last string's content, and waits for the answer.
    pub(super) async fn ask(&self, message: Message, payload: Bytes) -> Result<Reply, HostError> {
        let place = self.place().await?;
        let (number, answer) = {
            let mut desk = self.desk.open()?;
            let (sender, answer) = oneshot::channel();
            // Numbers come round after 2^32 questions: not those that are still open.
            let mut number = desk.next;
            while desk.answers.contains_key(&number) {
                number = number.wrapping_add(1);
            }
            desk.next = number.wrapping_add(1);
            desk.answers.insert(number, sender);
            (number, answer)
        };
        place.send(Outgoing(message.numbered(number).finish(&payload), payload));
        self.wait(answer).await
    }

    async fn place(&self) -> Result<mpsc::Permit<'_, Outgoing>, HostError> {
        self.out.reserve().await.map_err(|_| self.desk.lost())
    }

    async fn wait(&self, answer: oneshot::Receiver<Reply>) -> Result<Reply, HostError> {
        answer.await.map_err(|_| self.desk.lost())
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For one more question; an error once nobody answers any more.
    fn open(&self) -> Result<MutexGuard<'_, Waiting>, HostError> {
        let waiting = self.lock();
        match &waiting.lost {
            None => Ok(waiting),
            Some(error) => Err(error.clone()),
        }
    }

    fn lost(&self) -> HostError {
        let lost = self.lock().lost.clone();
        lost.unwrap_or_else(|| Ending::default().error(true))
    }

    /// An answer has come. One nobody waits for any more is forgotten, one to no question too.
    fn answer(&self, packet: Bytes) -> Result<(), Garbled> {
        let reply = Reply::read(packet)?;
        let mut waiting = self.lock();
        let who = if reply.kind == kind::VERSION {
            waiting.begun = true;
            waiting.version.take()
        } else if waiting.begun {
            waiting.answers.remove(&reply.number)
        } else {
            return Err(Garbled);
        };
        drop(waiting);
        if let Some(who) = who {
            let _ = who.send(reply);
        }
        Ok(())
    }

    /// No more answers will come.
    fn close(&self, ending: &Ending) {
        let mut waiting = self.lock();
        waiting.lost = Some(ending.error(waiting.begun));
        waiting.version = None;
        waiting.answers.clear();
    }
}

/// Ends, and closes the channel, once there is nobody left to ask.
async fn speak(write: ChannelWriteHalf<Msg>, mut queue: mpsc::Receiver<Outgoing>) {
    while let Some(Outgoing(head, payload)) = queue.recv().await {
        if write.data_bytes(head).await.is_err() || write.data_bytes(payload).await.is_err() {
            return;
        }
    }
    let _ = write.eof().await;
    let _ = write.close().await;
}

/// Until the channel or the connection has ended. `speaker` would wait for ever for room in the
/// channel.
async fn listen(mut read: ChannelReadHalf, desk: Arc<Desk>, speaker: AbortHandle) {
    let mut packets = Packets::default();
    let mut ending = Ending::default();
    while let Some(message) = read.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                let start = data.clone();
                let mut garbled = false;
                let taken = packets.take(data, |packet| garbled |= desk.answer(packet).is_err());
                if garbled || taken.is_err() {
                    if let Err(TooLong(head)) = taken
                        && !start.starts_with(&head)
                    {
                        ending.hear(&head);
                    }
                    ending.hear(&start);
                    ending.nonsense = true;
                    break;
                }
            }
            ChannelMsg::ExtendedData { data, .. } => ending.hear(&data),
            ChannelMsg::ExitStatus { exit_status } => ending.status = Some(exit_status),
            ChannelMsg::Close => {
                ending.closed = true;
                break;
            }
            _ => {}
        }
    }
    desk.close(&ending);
    speaker.abort();
}

/// Starts the SFTP server on a channel. `false`: the host refuses.
pub(super) async fn start(channel: &mut Channel<Msg>) -> Result<bool, HostError> {
    let lost = |error: Option<russh::Error>| {
        let error = error.map_or_else(String::new, |error| format!(": {error}"));
        HostError::new(
            ErrorKind::Reset,
            format!("the connection was lost before the host's files could be reached{error}"),
        )
    };
    channel
        .request_subsystem(true, "sftp")
        .await
        .map_err(|error| lost(Some(error)))?;
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Success => return Ok(true),
            ChannelMsg::Failure | ChannelMsg::Close => return Ok(false),
            _ => {}
        }
    }
    Err(lost(None))
}
