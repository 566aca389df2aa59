//! What is on offer: content for one host, under a token that only the host is told. Whoever holds an
//! [`Offer`] keeps it open; nobody fetches after that.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng as _;
use rand::rngs::SysRng;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::error::PullError;
use super::handout::{Handout, Pace};
use crate::base::digest::{self, ContentDigest};
use crate::shell::files::Pull;

/// What a host is to have.
pub struct Wanted {
    /// The content.
    pub content: Arc<dyn Handout>,
    /// The host's name, for the log.
    pub host: String,
    /// The only address it is handed out to, where that is known. (Behind a translation of addresses
    /// a host comes from another one than it is reached at.)
    pub client: Option<IpAddr>,
    /// How long fetching may begin; what has begun by then goes on.
    pub lifetime: Duration,
    /// What its bytes wait for.
    pub pace: Option<Arc<dyn Pace>>,
    /// Told of bytes as they are handed out.
    pub progress: Option<Arc<dyn Fn(u64) + Send + Sync>>,
}

/// Under what a token is known: its hash. Looking that up tells nothing of tokens by its time.
type Key = ContentDigest;

/// An offer as the server knows it.
pub(super) struct Entry {
    pub(super) wanted: Wanted,
    expires: Instant,
    key: Key,
    busy: AtomicBool,
    sent: AtomicU64,
    contacted: AtomicBool,
    whole: AtomicBool,
    fetched: AtomicBool,
    /// Ends the connection that fetches.
    pub(super) revoked: CancellationToken,
}

impl Entry {
    /// The token's hash, as far as a log may have it.
    pub(super) fn label(&self) -> String {
        digest::hex(self.key.get(..4).unwrap_or_default())
    }

    /// So many bytes were handed out.
    pub(super) fn count(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
        if let Some(progress) = &self.wanted.progress {
            progress(bytes);
        }
    }

    /// The last byte is under way.
    pub(super) fn reach_end(&self) {
        self.whole.store(true, Ordering::Release);
    }
}

/// All that is on offer.
#[derive(Default)]
pub(super) struct Table(Mutex<HashMap<Key, Arc<Entry>>>);

/// Why a token opens nothing now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// There is no such offer, or no more, or not for this client.
    Unknown,
    /// It is being fetched on another connection.
    Busy,
}

impl Table {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Key, Arc<Entry>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Offers something.
    pub(super) fn add(self: &Arc<Self>, wanted: Wanted) -> Result<(Offer, String), PullError> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        SysRng
            .try_fill_bytes(bytes.as_mut())
            .map_err(|error| PullError::Random(error.to_string()))?;
        let token = URL_SAFE_NO_PAD.encode(bytes.as_ref());
        let key = digest::of(token.as_bytes());
        let entry = Arc::new(Entry {
            expires: Instant::now() + wanted.lifetime,
            wanted,
            key,
            busy: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            contacted: AtomicBool::new(false),
            whole: AtomicBool::new(false),
            fetched: AtomicBool::new(false),
            revoked: CancellationToken::new(),
        });
        self.with(|offers| offers.insert(key, entry.clone()));
        let offer = Offer {
            pull: Pull {
                url: String::new().into(),
                pin: None,
                sha256: entry.wanted.content.sha256(),
            },
            entry,
            table: self.clone(),
        };
        Ok((offer, token))
    }

    /// Opens what a token stands for, for one connection.
    pub(super) fn open(self: &Arc<Self>, token: &str, client: IpAddr) -> Result<Lease, Closed> {
        let entry = self
            .with(|offers| offers.get(&digest::of(token.as_bytes())).cloned())
            .ok_or(Closed::Unknown)?;
        let stranger = entry
            .wanted
            .client
            .is_some_and(|expected| expected.to_canonical() != client.to_canonical());
        if stranger || Instant::now() >= entry.expires {
            tracing::debug!(host = entry.wanted.host, offer = entry.label(), %client, stranger, "not handed out");
            return Err(Closed::Unknown);
        }
        entry.contacted.store(true, Ordering::Relaxed);
        if entry.busy.swap(true, Ordering::AcqRel) {
            return Err(Closed::Busy);
        }
        Ok(Lease {
            entry,
            table: self.clone(),
        })
    }
}

/// The one connection that an offer has at a time.
pub(super) struct Lease {
    pub(super) entry: Arc<Entry>,
    table: Arc<Table>,
}

impl Lease {
    /// The connection ended in peace: if all of the content went over it, the offer is used up.
    pub(super) fn finish(&self) {
        if self.entry.whole.load(Ordering::Acquire) {
            self.table.with(|offers| offers.remove(&self.entry.key));
            self.entry.fetched.store(true, Ordering::Release);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.entry.whole.store(false, Ordering::Release);
        self.entry.busy.store(false, Ordering::Release);
    }
}

/// Content that one host can fetch for as long as this is kept.
pub struct Offer {
    /// What the host is told.
    pub pull: Pull,
    entry: Arc<Entry>,
    table: Arc<Table>,
}

impl Offer {
    /// How many bytes were handed out, those of broken-off attempts included.
    pub fn sent(&self) -> u64 {
        self.entry.sent.load(Ordering::Relaxed)
    }

    /// Whether anybody came with the token: where not, the host does not reach this controller.
    pub fn contacted(&self) -> bool {
        self.entry.contacted.load(Ordering::Relaxed)
    }

    /// Whether it was fetched to its end, and is used up. Known a moment after the host knows.
    pub fn fetched(&self) -> bool {
        self.entry.fetched.load(Ordering::Acquire)
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.table.with(|offers| offers.remove(&self.entry.key));
        self.entry.revoked.cancel();
    }
}
