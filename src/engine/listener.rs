//! Who hears what a command says on a host: the run's emitter, or a part of the engine that reads it.

use async_trait::async_trait;
use bytes::Bytes;

use crate::base::text::Charset;
use crate::event::{HostEmitter, HostError, Stream};

/// Who hears what a command says.
#[async_trait]
pub(super) trait Listener: Send {
    /// Takes a piece of it. An error ends the command.
    async fn output(&mut self, stream: Stream, bytes: Bytes) -> Result<(), HostError>;

    /// Whether the command has said its last word, though its streams may still be open.
    fn has_heard_all(&self) -> bool {
        false
    }

    /// What it speaks is known now.
    fn speaks(&mut self, _encoding: Charset) {}
}

#[async_trait]
impl Listener for HostEmitter {
    async fn output(&mut self, stream: Stream, bytes: Bytes) -> Result<(), HostError> {
        Self::output(self, stream, bytes).await;
        Ok(())
    }

    fn speaks(&mut self, encoding: Charset) {
        Self::speaks(self, encoding);
    }
}
