//! Feeds a command's standard input, whatever its size.

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

use crate::event::{ErrorKind, HostError};
use crate::shell::Stdin;
use crate::transport::Input;

/// How much of a file is read for a host at once.
const CHUNK: usize = 64 * 1024;

/// Feeds a command: what belongs to the script, then what the user gave, then the end.
pub(super) async fn feed(mut input: Box<dyn Input>, payload: Bytes, stdin: Stdin, tty: bool) {
    let fed = async {
        if !payload.is_empty() {
            input.write(payload).await?;
        }
        match stdin {
            Stdin::Empty => {}
            Stdin::Bytes(bytes) => input.write(bytes).await?,
            Stdin::File(path) => {
                let local = |error: std::io::Error| {
                    HostError::new(ErrorKind::LocalIo, format!("{}: {error}", path.display()))
                };
                let mut file = tokio::fs::File::open(&path).await.map_err(local)?;
                loop {
                    let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
                    if file.read_buf(&mut chunk).await.map_err(local)? == 0 {
                        break;
                    }
                    input.write(chunk.freeze()).await?;
                }
            }
        }
        if tty {
            // A terminal's way of saying that no more will come.
            input.write(Bytes::from_static(b"\x04")).await
        } else {
            input.close().await
        }
    };
    let fed: Result<(), HostError> = fed.await;
    if let Err(error) = fed {
        // A command need not read what it is given: `head` doesn't.
        tracing::debug!(%error, "standard input was not read to its end");
    }
}
