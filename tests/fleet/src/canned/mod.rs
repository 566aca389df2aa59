//! Hosts by the ten thousand: an SSH server that runs nothing and always answers the same. It speaks
//! as much of a shell as iomsctl asks for, and takes and gives files by SFTP.

mod files;
mod server;
mod speech;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub use files::{File, Files, Kind};

use crate::background::Background;
use crate::error::Result;
use crate::folder::Folder;
use crate::inventory::Inventory;
use crate::keys;
use crate::known_hosts::KnownHosts;

/// Who may log in.
const USER: &str = "canned";

/// What every command is answered with.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// What it prints.
    pub output: Output,
    /// How long it takes.
    pub delay: Duration,
    /// Its exit status.
    pub status: u32,
}

/// What a command prints.
#[derive(Debug, Clone)]
pub enum Output {
    /// A text, as it is.
    Text(String),
    /// So many bytes, in lines.
    Bytes(u64),
}

impl Default for Output {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// A running server. Ends when dropped.
#[derive(Debug)]
pub struct Canned {
    folder: Folder,
    key: PathBuf,
    host_key: String,
    known_hosts: KnownHosts,
    files: Files,
    background: Background,
}

impl Canned {
    /// Starts one that keeps its keys in `dir`, or in a temporary folder.
    pub fn start(answer: Answer, dir: Option<&Path>) -> Result<Self> {
        let folder = Folder::new(dir)?;
        let key = folder.join("key");
        let host = folder.join("host_ed25519");
        keys::generate(&key, &[])?;
        keys::generate(&host, &[])?;
        let host_key = keys::public_line(&host)?;
        raise_file_limit();
        let config = server::config(russh::keys::load_secret_key(&host, None)?);
        let allowed = russh::keys::load_public_key(keys::public(&key))?;
        let files = Files::default();
        let background = {
            let files = files.clone();
            Background::start(|listener| server::serve(listener, config, allowed, answer, files))?
        };
        let port = background.port();
        Ok(Self {
            known_hosts: KnownHosts::new(folder.join("known_hosts"), port, &host_key, None),
            folder,
            key,
            host_key,
            files,
            background,
        })
    }

    /// The port on every address.
    pub fn port(&self) -> u16 {
        self.background.port()
    }

    /// The hosts' files.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Who logs in.
    #[allow(clippy::unused_self, reason = "one user of each server, as of Sshd")]
    pub fn user(&self) -> &str {
        USER
    }

    /// The private key that opens every host.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// The folder with the keys.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The host key: kind and bytes.
    pub fn host_key(&self) -> String {
        self.host_key.clone()
    }

    /// Writes the file of known hosts for at least `n` hosts; its path.
    pub fn write_known_hosts(&self, n: usize) -> Result<PathBuf> {
        self.known_hosts.write(n)
    }

    /// Writes an inventory of `n` hosts, in Ansible's YAML format, and the file of known hosts.
    pub fn write_inventory(&self, n: usize, path: &Path) -> Result<()> {
        self.write_known_hosts(n)?;
        Inventory {
            hosts: n,
            down: None,
            port: self.port(),
            user: USER,
            key: &self.key,
            known_hosts: self.known_hosts.path(),
        }
        .write(path)
    }
}

/// A connection is a file.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Fewer connections then.
    let _ = setrlimit(Resource::Nofile, raised);
}
