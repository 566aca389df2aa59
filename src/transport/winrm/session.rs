//! A host's connections and the requests on them: which connection takes a request, what is repeated
//! when one is lost, and what must not be. Connections come and go; shells belong to the user, and
//! every connection of the user reaches them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt as _;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::certificates::Certificates;
use super::fault::Meaning;
use super::request::{Common, ENVELOPE, LARGEST_ENVELOPE, Operation, SMALLEST_ENVELOPE};
use super::response::Response;
use super::wire::{CallError, Stage, Wire, authority};
use crate::event::{ErrorKind, HostError};
use crate::target::WinrmTarget;

/// Connections to one host: one is enough but for input while output is waited for, and commands
/// beside each other.
const WIRES: usize = 4;

/// How often a lost connection is made again for one request, and for how long that is tried.
const ATTEMPTS: u32 = 5;
const PERSISTENCE: Duration = Duration::from_mins(1);

/// Where the target sets no time for an operation.
const OPERATION: Duration = Duration::from_secs(20);

/// All connections to one host.
pub(super) struct Session {
    target: Arc<WinrmTarget>,
    certificates: Arc<Certificates>,
    /// `address:port`, for messages.
    pub(super) place: String,
    to: String,
    idle: Mutex<Vec<Wire>>,
    wires: Semaphore,
    /// Waiting for output takes a connection for long: one is always left for the rest.
    receives: Semaphore,
    envelope: AtomicUsize,
    asked_envelope: AtomicBool,
    closed: AtomicBool,
}

/// An answer, and what happened on the way to it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) response: Response,
    /// An earlier answer broke off: what was in it is gone.
    pub(super) lost: bool,
}

impl Session {
    /// With its first connection.
    pub(super) fn new(
        target: Arc<WinrmTarget>,
        certificates: Arc<Certificates>,
        first: Wire,
    ) -> Self {
        let scheme = if target.options.https {
            "https"
        } else {
            "http"
        };
        let place = format!("{}:{}", target.address, target.port);
        let to = format!("{scheme}://{}{}", authority(&target), target.options.path);
        Self {
            target,
            certificates,
            place,
            to,
            idle: Mutex::new(vec![first]),
            wires: Semaphore::new(WIRES),
            receives: Semaphore::new(WIRES - 1),
            envelope: AtomicUsize::new(ENVELOPE),
            asked_envelope: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// How long an operation may take before the host says that nothing came.
    pub(super) fn operation_timeout(&self) -> Duration {
        match self.target.options.operation_timeout {
            Duration::ZERO => OPERATION,
            // Windows refuses less (MaxTimeoutms).
            set => set.max(Duration::from_millis(500)),
        }
    }

    /// How large a message may be.
    pub(super) fn envelope(&self) -> usize {
        self.envelope.load(Ordering::Relaxed)
    }

    /// Messages must be smaller than `refused`. `None`: they can't be.
    pub(super) fn shrink(&self, refused: usize) -> Option<usize> {
        if refused <= SMALLEST_ENVELOPE {
            return None;
        }
        let smaller = (refused / 2).max(SMALLEST_ENVELOPE);
        self.envelope.fetch_min(smaller, Ordering::Relaxed);
        Some(self.envelope())
    }

    /// Asks the host, once, how large messages may be: worth a round trip where there is much to carry.
    /// Who may not ask stays with what every host takes.
    pub(super) async fn learn_envelope(&self) {
        if self.asked_envelope.swap(true, Ordering::Relaxed) {
            return;
        }
        let Ok(answered) = self.call(Operation::Config).await else {
            return;
        };
        if let Some(kilobytes) = answered.response.max_envelope_kb {
            let allowed = usize::try_from(kilobytes).unwrap_or_default() * 1024;
            let wanted = allowed.clamp(SMALLEST_ENVELOPE, LARGEST_ENVELOPE);
            self.envelope.store(wanted, Ordering::Relaxed);
        }
    }

    /// From now on connections are not made again.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Lets go of all connections that nobody uses.
    pub(super) fn hang_up(&self) {
        if let Ok(mut idle) = self.idle.lock() {
            idle.clear();
        }
    }

    /// One request, repeated over new connections where that is safe. It is to be run in a task of its
    /// own: dropped half-way, it leaves a request behind of which nobody knows the end.
    pub(super) async fn call(&self, operation: Operation) -> Result<Answered, CallError> {
        let timeout = self.operation_timeout();
        self.call_for(operation, timeout).await
    }

    /// The same with a time of its own.
    pub(super) async fn call_for(
        &self,
        operation: Operation,
        timeout: Duration,
    ) -> Result<Answered, CallError> {
        let began = Instant::now();
        let mut lost = false;
        let mut attempt = 0;
        loop {
            let envelope = self.envelope();
            match self.once(&operation, timeout, envelope).await {
                Ok(response) => {
                    let too_large = response
                        .fault
                        .as_ref()
                        .is_some_and(|fault| fault.meaning() == Meaning::TooLarge);
                    let fixed = matches!(operation, Operation::Send { .. });
                    if too_large && !fixed && self.shrink(envelope).is_some() {
                        continue;
                    }
                    return Ok(Answered { response, lost });
                }
                Err(failed) => {
                    attempt += 1;
                    let again = self.may_repeat(&operation, &failed)
                        && attempt <= ATTEMPTS
                        && began.elapsed() < PERSISTENCE;
                    if !again {
                        return Err(failed);
                    }
                    lost |= failed.stage == Stage::Cut;
                    tracing::debug!(
                        place = self.place, doing = operation.name(), attempt, error = %failed.error,
                        "lost, trying again"
                    );
                    pause(attempt).await;
                }
            }
        }
    }

    /// Whether a request that failed so may be sent again.
    fn may_repeat(&self, operation: &Operation, failed: &CallError) -> bool {
        let harmless = match failed.stage {
            Stage::NotTaken => true,
            Stage::NoAnswer | Stage::Cut => !matches!(
                operation,
                Operation::Command { .. } | Operation::Send { .. }
            ),
            Stage::Answered => false,
        };
        let passing = matches!(
            failed.error.kind,
            ErrorKind::Reset | ErrorKind::Refused | ErrorKind::ConnectTimeout | ErrorKind::Dns
        );
        harmless && passing && !self.is_closed()
    }

    async fn once(
        &self,
        operation: &Operation,
        timeout: Duration,
        max_envelope: usize,
    ) -> Result<Response, CallError> {
        let _receiving = match operation {
            Operation::Receive(_) => self.receives.acquire().await.ok(),
            _ => None,
        };
        let _place = self.wires.acquire().await.ok();
        let mut wire = self.wire().await.map_err(|error| CallError {
            stage: Stage::NotTaken,
            error,
        })?;
        let message_id = message_id();
        let common = Common {
            to: &self.to,
            timeout,
            max_envelope,
        };
        let envelope = operation.render(&common, &message_id);
        let response = wire.call(envelope, &message_id, timeout).await?;
        if !wire.is_closed()
            && let Ok(mut idle) = self.idle.lock()
        {
            idle.push(wire);
        }
        Ok(response)
    }

    /// A connection that nobody uses, or a new one.
    async fn wire(&self) -> Result<Wire, HostError> {
        let idle = self.idle.lock().ok().and_then(|mut idle| {
            idle.retain_mut(|wire| !wire.is_closed());
            idle.pop()
        });
        match idle {
            Some(wire) => Ok(wire),
            // In a box: it is large, rare, and part of every request otherwise.
            None => Ok(Box::pin(Wire::open(&self.certificates, &self.target))
                .await?
                .0),
        }
    }
}

/// Longer each time, and spread, so that those cut off together do not come back together. The first
/// time nearly at once: most often it is a connection that was idle for too long.
async fn pause(attempt: u32) {
    if attempt > 1 {
        let wait = 250_u64 << attempt.min(6);
        let wait = rand::rng().random_range(wait / 2..=wait);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

/// A name for a message (DSP0226 5.4.6; RFC 9562, version 4).
fn message_id() -> String {
    let mut name = [0; 36];
    let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
    format!("uuid:{}", id.hyphenated().encode_upper(&mut name))
}
