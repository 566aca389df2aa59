//! A client of ssh-agent (draft-ietf-sshm-ssh-agent) that many hosts share: requests go out one
//! after the other over one socket without waiting, answers come back in the same order.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey, PublicKeyBase64 as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const RSA_SHA2_256: u32 = 2;
const RSA_SHA2_512: u32 = 4;
/// No answer of an agent is larger.
const ANSWER_MAX: usize = 256 * 1024;

/// What an agent holds.
#[derive(Debug, Clone)]
pub(super) enum Identity {
    /// A key.
    Key(PublicKey),
    /// A certificate.
    Certificate(Box<Certificate>),
}

/// Who waits for answers, in order; `None` once the agent went away.
type Waiting = Arc<Mutex<Option<VecDeque<oneshot::Sender<Bytes>>>>>;

/// A whole message, and who waits for its answer.
type Request = (Bytes, oneshot::Sender<Bytes>);

/// One agent.
pub(super) struct Agent {
    requests: mpsc::UnboundedSender<Request>,
    identities: Vec<Identity>,
}

impl Agent {
    /// Connects and asks what it holds.
    pub(super) async fn connect(socket: &Path) -> io::Result<Self> {
        let (reader, writer) = UnixStream::connect(socket).await?.into_split();
        let waiting: Waiting = Arc::new(Mutex::new(Some(VecDeque::new())));
        let (requests, requested) = mpsc::unbounded_channel();
        tokio::spawn(answers(reader, waiting.clone()));
        tokio::spawn(questions(writer, requested, waiting));
        let mut agent = Self {
            requests,
            identities: Vec::new(),
        };
        let answer = agent.ask(&[REQUEST_IDENTITIES]).await?;
        agent.identities = identities(answer).unwrap_or_default();
        Ok(agent)
    }

    /// What it holds, in its order.
    pub(super) fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// Signs `data`; the signature in SSH's form.
    pub(super) async fn sign(
        &self,
        identity: &Identity,
        hash: Option<HashAlg>,
        data: &[u8],
    ) -> io::Result<Bytes> {
        let (blob, algorithm) = match identity {
            Identity::Key(key) => (key.public_key_bytes(), key.algorithm()),
            Identity::Certificate(certificate) => (
                certificate.to_bytes().map_err(io::Error::other)?,
                certificate.algorithm(),
            ),
        };
        let flags = match (algorithm, hash) {
            (Algorithm::Rsa { .. }, Some(HashAlg::Sha512)) => RSA_SHA2_512,
            (Algorithm::Rsa { .. }, Some(HashAlg::Sha256)) => RSA_SHA2_256,
            _ => 0,
        };
        let mut request = BytesMut::with_capacity(blob.len() + data.len() + 16);
        request.put_u8(SIGN_REQUEST);
        put_string(&mut request, &blob);
        put_string(&mut request, data);
        request.put_u32(flags);
        let mut answer = self.ask(&request).await?;
        if answer.is_empty() || answer.get_u8() != SIGN_RESPONSE {
            return Err(io::Error::other("the agent did not sign"));
        }
        take_string(&mut answer).ok_or_else(|| io::Error::other("the agent's answer is cut"))
    }

    async fn ask(&self, request: &[u8]) -> io::Result<Bytes> {
        let gone = || io::Error::other("the agent went away");
        let (answer, waiting) = oneshot::channel();
        let mut message = BytesMut::with_capacity(request.len() + 4);
        put_string(&mut message, request);
        self.requests
            .send((message.freeze(), answer))
            .map_err(|_| gone())?;
        waiting.await.map_err(|_| gone())
    }
}

/// Writes requests, each whole, whether or not who asked still waits: half a message, or one whose
/// answer nobody is queued for, would shift all later answers.
async fn questions(
    mut writer: OwnedWriteHalf,
    mut requested: mpsc::UnboundedReceiver<Request>,
    waiting: Waiting,
) {
    while let Some((message, answer)) = requested.recv().await {
        {
            let Ok(mut queue) = waiting.lock() else {
                return;
            };
            let Some(queue) = queue.as_mut() else { return };
            queue.push_back(answer);
        }
        if writer.write_all(&message).await.is_err() {
            end(&waiting);
            return;
        }
    }
}

/// Hands answers to whoever waits, in order, until the agent goes away.
async fn answers(mut reader: OwnedReadHalf, waiting: Waiting) {
    while let Ok(length) = reader.read_u32().await {
        let length = length as usize;
        if length > ANSWER_MAX {
            break;
        }
        let mut answer = vec![0; length];
        if reader.read_exact(&mut answer).await.is_err() {
            break;
        }
        let next = waiting
            .lock()
            .ok()
            .and_then(|mut queue| queue.as_mut()?.pop_front());
        if let Some(next) = next {
            let _ = next.send(answer.into());
        }
    }
    end(&waiting);
}

/// Whoever waits hears that nobody will answer.
fn end(waiting: &Waiting) {
    if let Ok(mut queue) = waiting.lock() {
        *queue = None;
    }
}

fn put_string(to: &mut BytesMut, bytes: &[u8]) {
    to.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    to.put_slice(bytes);
}

fn take_string(from: &mut Bytes) -> Option<Bytes> {
    if from.len() < 4 {
        return None;
    }
    let length = from.get_u32() as usize;
    (length <= from.len()).then(|| from.split_to(length))
}

fn identities(mut answer: Bytes) -> Option<Vec<Identity>> {
    if answer.is_empty() || answer.get_u8() != IDENTITIES_ANSWER || answer.len() < 4 {
        return None;
    }
    let count = answer.get_u32();
    let mut found = Vec::new();
    for _ in 0..count.min(1024) {
        let blob = take_string(&mut answer)?;
        let _comment = take_string(&mut answer)?;
        // Keys of kinds that are unknown here are passed over.
        if let Ok(certificate) = Certificate::from_bytes(&blob) {
            found.push(Identity::Certificate(Box::new(certificate)));
        } else if let Ok(key) = PublicKey::from_bytes(&blob)
            && !matches!(key.key_data(), KeyData::Other(_))
        {
            found.push(Identity::Key(key));
        }
    }
    Some(found)
}
