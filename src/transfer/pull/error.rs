//! Why hosts can't fetch from here.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why there is no server to fetch from.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The address that hosts are to use makes no sense.
    #[error("pull.url `{url}`: {why}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Nobody can listen there.
    #[error("pull.listen {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// The operating system's word.
        source: std::io::Error,
    },
    /// A file of the certificate or its key is no good.
    #[error("{path}: {why}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// TLS can't be set up.
    #[error("the certificate of pull mode: {0}")]
    Certificate(String),
    /// The operating system gave no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
}
