//! Reading a content once: its size, MD5 and SHA-256, copied on the way where it has to be.

use std::io::{self, Read, Write};

use crate::base::digest::{ContentDigest, Hasher, Md5Hasher};

/// Read at a time, in bytes.
const PIECE: usize = 256 * 1024;

/// What tells a content from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digests {
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    pub(super) sha256: ContentDigest,
}

/// Which side of a copy failed.
#[derive(Debug)]
pub(super) enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

/// Copies to the end.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<Digests, CopyError> {
    let (mut md5, mut sha256, mut size) = (Md5Hasher::default(), Hasher::default(), 0);
    let mut buffer = vec![0; PIECE];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        md5.update(bytes);
        sha256.update(bytes);
        size += bytes.len() as u64;
        to.write_all(bytes).map_err(CopyError::Write)?;
    }
    Ok(Digests {
        size,
        md5: md5.finish(),
        sha256: sha256.finish(),
    })
}

/// Reads to the end.
pub(super) fn digests(from: &mut impl Read) -> io::Result<Digests> {
    copy(from, &mut io::sink()).map_err(|error| match error {
        CopyError::Read(error) | CopyError::Write(error) => error,
    })
}

/// A digest from its hexadecimal form; `None` where it is none.
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::{hex, of};

    #[test]
    fn a_copy_is_hashed_on_its_way() {
        let content = vec![7; PIECE * 2 + 1];
        let mut copied = Vec::new();
        let seen = copy(&mut content.as_slice(), &mut copied).unwrap();
        assert_eq!(
            (seen.size, seen.sha256),
            (content.len() as u64, of(&content))
        );
        assert_eq!(
            (copied.len(), digests(&mut content.as_slice()).unwrap()),
            (content.len(), seen)
        );
        let nothing = digests(&mut io::empty()).unwrap();
        assert_eq!(hex(&nothing.md5), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn only_hexadecimal_of_the_right_length_is_a_digest() {
        assert_eq!(unhex("0aFf"), Some([10, 255]));
        for bad in ["", "0a", "0aff00", "0ag0", "../a", "中a", "+a-1"] {
            assert_eq!(unhex::<2>(bad), None, "{bad}");
        }
    }
}
