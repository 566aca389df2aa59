//! A fleet of whole Debian systems: systemd, cron, sshd, sudo and apt on each, in a container that
//! boots in half a second. Needs root, `debootstrap` and `systemd-container`.
//!
//! A test starts a fleet of its own: that is cheap, and no test sees another's changes. The base is
//! made once a machine, in a minute. The hosts share the machine's network: what they listen on, others
//! can't; what is to change the network itself runs with [`SystemFleetBuilder::private_network`].

mod base;
mod host;
mod slot;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

pub use base::Base;
pub use host::SystemHost;

use crate::error::{Result, Tried};
use crate::folder;
use crate::keys;
use host::Plan;
use slot::Slot;

/// Running hosts; off and gone when dropped. Their users: root, ops (sudo without password), dev (sudo
/// with [`password`](Self::password)) and app (no sudo); [`key`](Self::key) lets each of them in.
#[derive(Debug)]
pub struct SystemFleet {
    hosts: Vec<SystemHost>,
    folder: PathBuf,
    key: PathBuf,
    password: String,
    /// Dropped last: it is what says that the folder is in use.
    slot: Slot,
}

/// Settings of a [`SystemFleet`].
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct SystemFleetBuilder {
    base: Base,
    private_network: bool,
    folder: Option<PathBuf>,
}

impl SystemFleetBuilder {
    /// What the hosts have.
    pub fn base(mut self, base: Base) -> Self {
        self.base = base;
        self
    }

    /// Each host has a network of its own with one line to the machine and none to the world: firewall
    /// and net sysctls are its own.
    pub fn private_network(mut self) -> Self {
        self.private_network = true;
        self
    }

    /// Uses this folder for keys and the hosts' files, and leaves it. It must be on a file system that
    /// can lie over another: not on an overlay.
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.folder = Some(path.into());
        self
    }

    /// Brings up `n` hosts, 60 at most, and waits until they have booted.
    pub fn start(self, n: usize) -> Result<SystemFleet> {
        let layers = self.base.layers()?;
        let mut slot = Slot::take()?;
        let (folder, passing) = if let Some(folder) = self.folder {
            (folder.clone(), folder.join("hosts"))
        } else {
            let folder = base::place().join(format!("hosts/{}", slot.number()));
            (folder.clone(), folder)
        };
        let _ = fs::remove_dir_all(&passing);
        fs::create_dir_all(&folder).tried(folder.to_string_lossy())?;
        let folder = fs::canonicalize(&folder).tried(folder.to_string_lossy())?;
        slot.leaves(&std::path::absolute(&passing).tried("a folder")?)?;
        let key = folder.join("key");
        keys::generate(&key, &[])?;
        let authorized = format!("{}\n", keys::public_line(&key)?);
        let plan = |i: usize| {
            let name = format!("sys{:02}", i + 1);
            let net = format!("198.18.{}", slot.number());
            let line = (
                format!("ioms{}-{i}", slot.number()),
                format!("{net}.{}", 4 * i + 1),
            );
            Plan {
                address: if self.private_network {
                    format!("{net}.{}", 4 * i + 2)
                } else {
                    format!("127.40.{}.{}", slot.number(), i + 1)
                },
                folder: folder.join("hosts").join(&name),
                name,
                group: slot.group(i),
                layers: layers.clone(),
                line: self.private_network.then_some(line),
                key: authorized.clone(),
            }
        };
        let hosts = (0..n)
            .map(plan)
            .map(SystemHost::prepare)
            .collect::<Result<Vec<_>>>()?;
        let fleet = SystemFleet {
            hosts,
            key,
            password: format!("pw-{:x}", rand::random::<u64>()),
            folder,
            slot,
        };
        fleet.hosts.iter().try_for_each(SystemHost::power_on)?;
        for host in &fleet.hosts {
            host.wait_ready()?;
            host.is_new(&fleet.password)?;
        }
        fleet.write_known_hosts()?;
        Ok(fleet)
    }
}

impl SystemFleet {
    /// Hosts without Python on the machine's network.
    pub fn start(n: usize) -> Result<Self> {
        Self::builder().start(n)
    }

    /// A fleet with settings.
    pub fn builder() -> SystemFleetBuilder {
        SystemFleetBuilder::default()
    }

    /// Its hosts.
    pub fn hosts(&self) -> &[SystemHost] {
        &self.hosts
    }

    /// Host `n`, counted from 0.
    ///
    /// # Panics
    /// If there are not so many.
    #[expect(
        clippy::indexing_slicing,
        reason = "as documented: for tests, that know"
    )]
    pub fn host(&self, n: usize) -> &SystemHost {
        &self.hosts[n]
    }

    /// The folder of keys, known hosts and the hosts' files.
    pub fn dir(&self) -> &Path {
        &self.folder
    }

    /// The private key that opens every account.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// The password of `dev`.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The file of known hosts.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.join("known_hosts")
    }

    fn write_known_hosts(&self) -> Result<()> {
        let mut text = String::new();
        for host in &self.hosts {
            let _ = writeln!(text, "{}", host.known_hosts_line()?);
        }
        folder::write(&self.known_hosts(), &text)
    }

    /// Writes an inventory in Ansible's YAML format: hosts sys01, sys02, ..., as root.
    pub fn write_inventory(&self, path: &Path) -> Result<()> {
        self.write_inventory_as("root", path)
    }

    /// The same as another user.
    pub fn write_inventory_as(&self, user: &str, path: &Path) -> Result<()> {
        let mut text = format!(
            "all:
  vars:
    ansible_port: {}
    ansible_user: {user}
    ansible_ssh_private_key_file: {}
    ansible_ssh_common_args: -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null
  hosts:
",
            host::PORT,
            self.key.display(),
            self.known_hosts().display()
        );
        for host in &self.hosts {
            let _ = writeln!(
                text,
                "    {}: {{ansible_host: {}}}",
                host.name(),
                host.address()
            );
        }
        folder::write(path, &text)
    }
}

impl Drop for SystemFleet {
    fn drop(&mut self) {
        self.hosts.clear();
        let _ = self.slot.tidy();
    }
}
