//! Digests of contents: outputs are folded and stored by SHA-256, files compared by MD5 or SHA-256.

use std::fmt::Write as _;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// A SHA-256 (FIPS 180-4) of some content.
pub type ContentDigest = [u8; 32];

/// Hashes content as it comes.
#[derive(Debug, Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that came.
    pub fn finish(self) -> ContentDigest {
        self.0.finalize().into()
    }
}

/// The same by MD5 (RFC 1321): detects change, not tampering.
#[derive(Debug, Clone, Default)]
pub struct Md5Hasher(Md5);

impl Md5Hasher {
    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that came.
    pub fn finish(self) -> [u8; 16] {
        self.0.finalize().into()
    }
}

/// The digest of `bytes`.
pub fn of(bytes: &[u8]) -> ContentDigest {
    Sha256::digest(bytes).into()
}

/// Hashes content as it comes by MD5 and by SHA-1 (FIPS 180-4), which Ansible's results show.
#[derive(Debug, Clone, Default)]
pub struct FileHasher {
    md5: Md5,
    sha1: Sha1,
}

impl FileHasher {
    /// Takes the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha1.update(bytes);
    }

    /// The MD5 and the SHA-1 of all that came.
    pub fn finish(self) -> ([u8; 16], [u8; 20]) {
        (self.md5.finalize().into(), self.sha1.finalize().into())
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_digest_of_pieces_is_that_of_the_whole() {
        let mut hasher = super::Hasher::default();
        hasher.update(b"ab");
        hasher.update(b"c");
        assert_eq!(hasher.finish(), super::of(b"abc"));
        assert!(super::hex(&super::of(b"abc")).starts_with("ba7816bf"));
        let mut hasher = super::Md5Hasher::default();
        hasher.update(b"ab");
        hasher.update(b"c");
        assert_eq!(
            super::hex(&hasher.finish()),
            "900150983cd24fb0d6963f7d28e17f72"
        );
    }
}
