//! Digests by the algorithm that was chosen, of content as it comes.

use async_trait::async_trait;
use bytes::Bytes;

use super::link::Sink;
use crate::base::digest::{self, Hasher, Md5Hasher};
use crate::event::HostError;
use crate::shell::files::Algorithm;

/// A digest in the making.
#[derive(Debug, Clone)]
pub(super) enum Hashing {
    Md5(Md5Hasher),
    Sha256(Hasher),
}

impl Hashing {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5Hasher::default()),
            Algorithm::Sha256 => Self::Sha256(Hasher::default()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// In hexadecimal.
    pub(super) fn finish(self) -> String {
        match self {
            Self::Md5(hasher) => digest::hex(&hasher.finish()),
            Self::Sha256(hasher) => digest::hex(&hasher.finish()),
        }
    }
}

#[async_trait]
impl Sink for Hashing {
    async fn take(&mut self, bytes: Bytes) -> Result<(), HostError> {
        self.update(&bytes);
        Ok(())
    }
}
