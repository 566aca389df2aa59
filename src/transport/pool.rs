//! Connections by target: made once, lent to whoever works on the host, tried again when the host
//! or a bastion is too busy, and closed, the longest idle first, when there are too many.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rand::RngExt as _;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::types::{Connection, Connections, Transport};
use crate::event::{ErrorKind, HostError};
use crate::target::{Target, Via};

/// How often a connection that was cut while connecting is tried again.
const RESETS: u32 = 5;

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// The same where there is something to be tidied up: a shell that WinRM is not told to delete stays,
/// with all that runs in it, and counts against the user's quota.
const TIDYING: Duration = Duration::from_secs(15);

/// The files this process needs beside connections: standard streams, journal, database, outputs.
const OTHER_FILES: u64 = 64;

/// The ways to reach hosts.
#[derive(Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Transports {
    pub ssh: Arc<dyn Transport>,
    pub winrm: Arc<dyn Transport>,
    pub local: Arc<dyn Transport>,
}

/// The connections of one caller.
pub struct Pool {
    transports: Transports,
    slots: std::sync::Mutex<HashMap<Via, Arc<Slot>>>,
    places: Arc<Semaphore>,
    /// Close a connection as soon as its host is done, as one-shot runs do.
    keep: bool,
}

#[derive(Default)]
struct Slot {
    open: Mutex<Option<Open>>,
}

struct Open {
    connection: Arc<dyn Connection>,
    used: Instant,
    _place: OwnedSemaphorePermit,
}

impl Pool {
    /// A pool over the transports; `max` connections at a time; `keep` holds connections open for
    /// later work on the same hosts.
    pub fn new(transports: Transports, max: usize, keep: bool) -> Self {
        Self {
            transports,
            slots: std::sync::Mutex::default(),
            places: Arc::new(Semaphore::new(max.clamp(1, Semaphore::MAX_PERMITS))),
            keep,
        }
    }

    fn slot(&self, target: &Target) -> Arc<Slot> {
        match self.slots.lock() {
            Ok(mut slots) => slots.entry(target.via.clone()).or_default().clone(),
            Err(_) => Arc::default(),
        }
    }

    async fn connect(&self, target: &Target) -> Result<Arc<dyn Connection>, HostError> {
        let transport = match &target.via {
            Via::Ssh(_) => &self.transports.ssh,
            Via::Winrm(_) => &self.transports.winrm,
            Via::Local => &self.transports.local,
        };
        let mut resets = 0;
        loop {
            match transport.connect(target).await {
                Err(error) if error.kind == ErrorKind::Reset && resets < RESETS => {
                    resets += 1;
                    // Doubling, and spread, so that those turned away do not come back together.
                    let wait = 100 * (1 << resets);
                    let wait = rand::rng().random_range(wait / 2..=wait);
                    tracing::debug!(host = %target.host, resets, wait, "cut while connecting, again");
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                other => return other,
            }
        }
    }

    /// A place for one more connection, made by closing the longest idle one if need be.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        self.close_longest_idle().await;
        self.places.clone().acquire_owned().await.ok()
    }

    async fn close_longest_idle(&self) {
        let slots: Vec<(Via, Arc<Slot>)> = match self.slots.lock() {
            Ok(slots) => slots
                .iter()
                .map(|(via, slot)| (via.clone(), slot.clone()))
                .collect(),
            Err(_) => return,
        };
        let mut oldest: Option<(Via, Arc<Slot>, Instant)> = None;
        for (via, slot) in slots {
            let Ok(open) = slot.open.try_lock() else {
                continue;
            };
            let Some(open) = open.as_ref() else { continue };
            let idle = Arc::strong_count(&open.connection) == 1;
            if idle && oldest.as_ref().is_none_or(|(_, _, used)| open.used < *used) {
                oldest = Some((via, slot.clone(), open.used));
            }
        }
        if let Some((via, slot, _)) = oldest {
            self.close(&via, &slot).await;
        }
    }

    async fn close(&self, via: &Via, slot: &Arc<Slot>) {
        let open = slot.open.lock().await.take();
        if let Ok(mut slots) = self.slots.lock()
            && Arc::strong_count(slot) <= 2
        {
            slots.remove(via);
        }
        if let Some(open) = open {
            // A host that takes nothing any more needs no goodbye.
            let limit = match via {
                Via::Winrm(_) => TIDYING,
                Via::Ssh(_) | Via::Local => GOODBYE,
            };
            open.connection.kept().clear();
            let _ = tokio::time::timeout(limit, open.connection.close()).await;
        }
    }

    /// Closes everything.
    pub async fn close_all(&self) {
        let slots: Vec<(Via, Arc<Slot>)> = match self.slots.lock() {
            Ok(mut slots) => slots.drain().collect(),
            Err(_) => return,
        };
        let closing = slots.iter().map(|(via, slot)| self.close(via, slot));
        futures::future::join_all(closing).await;
    }
}

#[async_trait]
impl Connections for Pool {
    async fn get(&self, target: &Arc<Target>) -> Result<Arc<dyn Connection>, HostError> {
        let slot = self.slot(target);
        let mut open = slot.open.lock().await;
        if let Some(open) = open.as_mut().filter(|open| !open.connection.is_closed()) {
            open.used = Instant::now();
            return Ok(open.connection.clone());
        }
        *open = None;
        let Some(place) = self.place().await else {
            return Err(HostError::new(
                ErrorKind::LocalIo,
                "the pool of connections is closed",
            ));
        };
        let connection = self.connect(target).await?;
        *open = Some(Open {
            connection: connection.clone(),
            used: Instant::now(),
            _place: place,
        });
        Ok(connection)
    }

    async fn fresh(&self, target: &Arc<Target>) -> Result<Arc<dyn Connection>, HostError> {
        self.connect(target).await
    }

    async fn reset(&self, target: &Arc<Target>) {
        let slot = self.slot(target);
        self.close(&target.via, &slot).await;
    }

    async fn done(&self, target: &Arc<Target>) {
        if self.keep {
            return;
        }
        let slot = self.slot(target);
        // Two names may lead to one host: the last one done closes.
        let in_use = {
            let open = slot.open.lock().await;
            open.as_ref()
                .is_some_and(|open| Arc::strong_count(&open.connection) > 1)
        };
        if !in_use {
            self.close(&target.via, &slot).await;
        }
    }
}

/// Raises the soft limit of open files to the hard one and says how many connections fit in.
pub fn raise_open_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let before = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: before.maximum,
        maximum: before.maximum,
    };
    let now = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => before.maximum,
        Err(_) => before.current,
    };
    let files = now.unwrap_or(1 << 20).saturating_sub(OTHER_FILES).max(1);
    usize::try_from(files).unwrap_or(usize::MAX)
}
