//! Bytes that come piece by piece: what is sent to a host without ever being whole in memory.

use std::io;

use async_trait::async_trait;
use bytes::Bytes;

/// A source of bytes.
#[async_trait]
pub trait Chunks: Send {
    /// The next piece, of any size but none; `None` at the end.
    async fn next(&mut self) -> io::Result<Option<Bytes>>;
}

/// Bytes that are there already, as one piece.
pub struct Whole(pub Bytes);

#[async_trait]
impl Chunks for Whole {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let bytes = std::mem::take(&mut self.0);
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}
