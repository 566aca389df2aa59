//! Who is at the other end of a connection: a stranger, who has little time and one of few places,
//! until the token of an offer was said.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep};

use super::offer::{Entry, Lease};

/// How much is given to strangers, and to those who take nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Connections that have not yet said a token.
    pub(super) strangers: usize,
    /// Their time.
    pub(super) patience: Duration,
    /// Their time while others wait for a place. So places can't be held against hosts.
    pub(super) hurried: Duration,
    /// How long a host may take no byte.
    pub(super) idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            strangers: 256,
            patience: Duration::from_secs(10),
            hurried: Duration::from_secs(2),
            idle: Duration::from_mins(1),
        }
    }
}

/// A connection's other end.
pub(super) struct Guest {
    pub(super) client: IpAddr,
    place: Mutex<Option<OwnedSemaphorePermit>>,
    lease: Mutex<Option<Lease>>,
    known: watch::Sender<Option<Arc<Entry>>>,
}

impl Guest {
    pub(super) fn new(client: IpAddr, place: OwnedSemaphorePermit) -> Self {
        Self {
            client,
            place: Mutex::new(Some(place)),
            lease: Mutex::new(None),
            known: watch::Sender::new(None),
        }
    }

    /// A token was said that is good: no stranger any more.
    pub(super) fn welcome(&self, lease: Lease) {
        self.known.send_replace(Some(lease.entry.clone()));
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = Some(lease);
        self.place
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// Whether a token was said.
    pub(super) fn is_known(&self) -> bool {
        self.known.borrow().is_some()
    }

    /// The connection ended; in peace, or not.
    pub(super) fn leave(&self, in_peace: bool) {
        let lease = self
            .lease
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(lease) = lease.filter(|_| in_peace) {
            lease.finish();
        }
    }

    /// Returns once the guest has to go.
    pub(super) async fn outstays(&self, limits: &Limits, places: &Semaphore) {
        let mut known = self.known.subscribe();
        let entry = tokio::select! {
            entry = known.wait_for(Option::is_some) => match entry {
                Ok(entry) => entry.clone(),
                Err(_) => None,
            },
            () = loses_patience(limits, places) => return,
        };
        if let Some(entry) = entry {
            entry.revoked.cancelled().await;
        }
    }
}

async fn loses_patience(limits: &Limits, places: &Semaphore) {
    let begun = Instant::now();
    sleep(limits.hurried).await;
    while begun.elapsed() < limits.patience && places.available_permits() > 0 {
        sleep(limits.hurried / 8).await;
    }
}
