//! What is sent: bytes that can be read again and again from any place, and how fast they may go.
//! Knows no host.

use async_trait::async_trait;

use crate::base::chunks::Chunks;

/// Content of a known size and digest, which any number of hosts may be reading.
pub trait Handout: Send + Sync {
    /// Bytes.
    fn size(&self) -> u64;
    /// What it comes to, in hex.
    fn sha256(&self) -> String;
    /// Its bytes from `offset` to the end.
    fn chunks(&self, offset: u64) -> Box<dyn Chunks>;
}

/// What bytes have to wait for (`--limit-rate`).
#[async_trait]
pub trait Pace: Send + Sync {
    /// Returns once so many bytes may go.
    async fn take(&self, bytes: u64);
}
