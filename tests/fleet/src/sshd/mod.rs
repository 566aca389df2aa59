//! A fleet of real OpenSSH hosts: one sshd on a free port, which every address 127.x.y.z reaches.

mod builder;
mod config;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use builder::SshdBuilder;

use crate::error::{Error, Result, Tried};
use crate::failing;
use crate::folder::Folder;
use crate::hosts;
use crate::inventory::Inventory;
use crate::keys;
use crate::known_hosts::KnownHosts;
use crate::process::{self, Server};

/// A running sshd. Killed when dropped, with everything that was started through it.
#[derive(Debug)]
pub struct Sshd {
    folder: Folder,
    port: u16,
    user: String,
    key: PathBuf,
    host_keys: Vec<(String, String)>,
    known_hosts: KnownHosts,
    /// In the environment of everything that is started through it.
    mark: String,
    server: Mutex<Option<Server>>,
    /// What is `/` in its sessions, if not `/`.
    chroot: Option<Folder>,
    /// Where the hosts that are down would listen.
    down: failing::Host,
}

impl Sshd {
    /// One with the usual settings.
    pub fn start() -> Result<Self> {
        Self::builder().start()
    }

    /// One with settings of the caller's.
    pub fn builder() -> SshdBuilder {
        SshdBuilder::default()
    }

    /// The port on every address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of host `n`, counted from 0.
    #[allow(clippy::unused_self, reason = "reads better as fleet.address(3)")]
    pub fn address(&self, n: usize) -> String {
        hosts::address(n)
    }

    /// Who logs in: the user we are.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The private key that opens every host.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// The folder with the server's files.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The root of its sessions: see [`SshdBuilder::only_sftp`].
    pub fn chroot(&self) -> &Path {
        self.chroot.as_ref().map_or(Path::new("/"), Folder::path)
    }

    /// The hosts' `HOME`, which is empty at first.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The server's log so far.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The first host key: kind and bytes.
    pub fn host_key(&self) -> String {
        let first = self.host_keys.first();
        first.map(|(_, line)| line.clone()).unwrap_or_default()
    }

    /// The host key of a kind that was asked for with [`SshdBuilder::host_keys`].
    pub fn host_key_of(&self, kind: &str) -> Option<String> {
        let found = self.host_keys.iter().find(|(known, _)| known == kind);
        found.map(|(_, line)| line.clone())
    }

    /// What a file of known hosts says of host `n`.
    pub fn known_hosts_line(&self, n: usize) -> String {
        self.known_hosts.line(n)
    }

    /// Makes a private key that opens nothing; `args` for ssh-keygen(1): `-t rsa -b 2048`.
    pub fn new_key(&self, name: &str, args: &[&str]) -> Result<PathBuf> {
        let path = self.folder.join(name);
        keys::generate(&path, args)?;
        Ok(path)
    }

    /// Lets the key at `path` in.
    pub fn authorize(&self, path: &Path) -> Result<()> {
        let line = keys::public_line(path)?;
        fs::OpenOptions::new()
            .append(true)
            .open(self.folder.join(config::AUTHORIZED_KEYS))
            .and_then(|mut file| writeln!(file, "{line}"))
            .tried(config::AUTHORIZED_KEYS)
    }

    /// Signs the key at `path` for `principals`, separated by commas: needs
    /// [`SshdBuilder::user_authority`]. The certificate's path.
    pub fn sign_user(&self, path: &Path, principals: &str) -> Result<PathBuf> {
        let authority = self.folder.join(config::USER_AUTHORITY);
        keys::sign(&authority, path, &["-n", principals])
    }

    /// Writes the file of known hosts for at least `n` hosts; its path.
    pub fn write_known_hosts(&self, n: usize) -> Result<PathBuf> {
        self.known_hosts.write(n)
    }

    /// Writes an inventory of `n` hosts, in Ansible's YAML format, and the file of known hosts.
    pub fn write_inventory(&self, n: usize, path: &Path) -> Result<()> {
        self.write_inventory_with_down(n, 0, path)
    }

    /// The same with the last `down` hosts at a port where nothing listens.
    pub fn write_inventory_with_down(&self, n: usize, down: usize, path: &Path) -> Result<()> {
        self.write_known_hosts(n)?;
        Inventory {
            hosts: n,
            down: Some((down, self.down.port())),
            port: self.port,
            user: &self.user,
            key: &self.key,
            known_hosts: self.known_hosts.path(),
        }
        .write(path)
    }

    /// Waits until it answers; not needed after a start.
    pub fn wait_ready(&self) -> Result<()> {
        let mut server = self.server();
        let Some(server) = server.as_mut() else {
            return Err(self.not_ready());
        };
        process::wait_until(|| !server.is_running() || process::says(self.port, b"SSH-"));
        if server.is_running() && process::says(self.port, b"SSH-") {
            return Ok(());
        }
        Err(self.not_ready())
    }

    /// Ends it and everything that was started through it.
    pub fn kill(&self) {
        if let Some(mut server) = self.server().take() {
            // No new connections while its offspring is sought.
            let _ = server.signal(rustix::process::Signal::STOP);
            process::kill_offspring(&mut server, &self.mark);
        }
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_ready(&self) -> Error {
        Error::NotReady {
            what: format!("sshd on port {}", self.port),
            said: self.log(),
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.kill();
    }
}
