//! The file of known hosts of a fleet, which several tests share: it only ever grows.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::folder;
use crate::hosts::address;

/// A file of known hosts.
#[derive(Debug)]
pub(crate) struct KnownHosts {
    path: PathBuf,
    port: u16,
    key: String,
    /// The whole text, if it isn't one line a host.
    fixed: Option<String>,
    written: Mutex<usize>,
}

impl KnownHosts {
    /// A line a host with `key`; `authority`: one line instead, with the key that signs the hosts'.
    pub(crate) fn new(path: PathBuf, port: u16, key: &str, authority: Option<&str>) -> Self {
        Self {
            path,
            port,
            key: key.to_owned(),
            fixed: authority.map(|key| format!("@cert-authority [127.*]:{port} {key}\n")),
            written: Mutex::new(0),
        }
    }

    /// The line of host `n`.
    pub(crate) fn line(&self, n: usize) -> String {
        format!("[{}]:{} {}", address(n), self.port, self.key)
    }

    /// Writes the file with the lines of at least `n` hosts.
    pub(crate) fn write(&self, n: usize) -> Result<PathBuf> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if n > *written {
            let text = self.fixed.clone().unwrap_or_else(|| self.lines(n));
            folder::write(&self.path, &text)?;
            *written = n;
        }
        Ok(self.path.clone())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn lines(&self, n: usize) -> String {
        (0..n).fold(String::new(), |mut text, i| {
            let _ = writeln!(text, "{}", self.line(i));
            text
        })
    }
}
