//! Paths on a host.

use std::fmt;

/// A path as its host has it: any bytes but NUL on Unix, UTF-8 on Windows. Joined by `/`, which
/// Windows takes too. Relative paths begin in the account's home folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HostPath(Vec<u8>);

impl HostPath {
    /// A path of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text, where it is.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of `below` within this one; this one where `below` is empty.
    #[must_use]
    pub fn join(&self, below: &[u8]) -> Self {
        let mut path = self.0.clone();
        if below.is_empty() {
            return Self(path);
        }
        if !path.is_empty() && !path.ends_with(b"/") && !path.ends_with(b"\\") {
            path.push(b'/');
        }
        path.extend_from_slice(below);
        Self(path)
    }

    /// With a slash at its end: what is behind it, if it is a link to a folder.
    #[must_use]
    pub fn with_slash(&self) -> Self {
        let mut path = self.0.clone();
        if !path.ends_with(b"/") {
            path.push(b'/');
        }
        Self(path)
    }

    /// What of it is below `root` (which ends with a slash), as a host names what it finds there.
    pub fn below(&self, root: &Self) -> Option<Vec<u8>> {
        let plain = |path: &[u8]| -> Vec<u8> {
            let mut path = path.strip_prefix(b"~/").unwrap_or(path);
            while let Some(rest) = path.strip_prefix(b"./") {
                path = rest;
            }
            path.to_vec()
        };
        let (path, root) = (plain(&self.0), plain(&root.0));
        let rest = match path.strip_prefix(root.as_slice()) {
            Some(rest) => rest,
            // The root itself.
            None if root.strip_suffix(b"/") == Some(&path) => b"",
            None => return None,
        };
        let from = rest.iter().position(|b| *b != b'/').unwrap_or(rest.len());
        Some(rest.get(from..).unwrap_or_default().to_vec())
    }

    fn cut(&self) -> Option<usize> {
        self.0.iter().rposition(|b| *b == b'/')
    }

    /// Its folder: what is before the last `/`; empty for a bare name, `/` for what lies there.
    #[must_use]
    pub fn folder(&self) -> Self {
        match self.cut() {
            None => Self::default(),
            Some(0) => Self(b"/".to_vec()),
            Some(at) => Self(self.0.get(..at).unwrap_or_default().to_vec()),
        }
    }

    /// Its last name.
    pub fn name(&self) -> &[u8] {
        let from = self.cut().map_or(0, |at| at + 1);
        self.0.get(from..).unwrap_or_default()
    }
}

impl From<&str> for HostPath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}
