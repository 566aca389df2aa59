//! How a connection ends: whether the other end has got all that was written. The kernel takes megabytes
//! that may never arrive, so that having written is not enough.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::timeout;

/// How long a host is given to close the connection by itself.
const COURTESY: Duration = Duration::from_secs(2);

/// A stream that is left open when HTTP is done with it.
pub(super) struct Open<S>(pub(super) S);

impl<S: AsyncRead + AsyncWrite + Unpin> Open<S> {
    /// Waits for the other end to go, and closes. True if it has got everything: it went with nothing
    /// left to read, while one that goes before resets the connection (RFC 9293, 3.6.1).
    pub(super) async fn farewell(&mut self, idle: Duration) -> bool {
        // Closing first would leave our own goodbye unread, which looks the same as a loss.
        if let Ok(gone) = timeout(COURTESY, self.gone()).await {
            return gone;
        }
        if self.0.shutdown().await.is_err() {
            return false;
        }
        timeout(idle, self.gone()).await.unwrap_or(false)
    }

    async fn gone(&mut self) -> bool {
        match self.0.read(&mut [0; 64]).await {
            Ok(more) => more == 0,
            // TLS without a goodbye; the end came in order all the same.
            Err(error) => error.kind() == io::ErrorKind::UnexpectedEof,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Open<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Open<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
