//! An inventory of a fleet, in Ansible's YAML format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::error::Result;
use crate::folder;
use crate::hosts::{address, host_names, is_database};

/// A fleet's inventory.
pub(crate) struct Inventory<'a> {
    pub(crate) hosts: usize,
    /// How many of the hosts, the last ones, are down, and a port where nothing listens.
    pub(crate) down: Option<(usize, u16)>,
    pub(crate) port: u16,
    pub(crate) user: &'a str,
    pub(crate) key: &'a Path,
    pub(crate) known_hosts: &'a Path,
}

impl Inventory<'_> {
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        folder::write(path, &self.text())
    }

    fn text(&self) -> String {
        let mut text = format!(
            "all:
  vars:
    ansible_port: {}
    ansible_user: {}
    ansible_ssh_private_key_file: {}
    ansible_ssh_common_args: -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null
  children:
",
            self.port,
            self.user,
            self.key.display(),
            self.known_hosts.display()
        );
        let mut groups: BTreeMap<&str, String> = BTreeMap::new();
        let (down, down_port) = self.down.unwrap_or_default();
        for (i, name) in host_names(self.hosts).iter().enumerate() {
            let mut vars = format!("ansible_host: {}", address(i));
            if i + down >= self.hosts {
                let _ = write!(vars, ", ansible_port: {down_port}");
            }
            let kind = if is_database(i) { "db" } else { "web" };
            let centre = if i % 2 == 0 { "idc_a" } else { "idc_b" };
            let _ = writeln!(
                groups.entry(kind).or_default(),
                "        {name}: {{{vars}}}"
            );
            let _ = writeln!(groups.entry(centre).or_default(), "        {name}: {{}}");
        }
        for (group, hosts) in groups {
            let _ = write!(text, "    {group}:\n      hosts:\n{hosts}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hosts_are_down() {
        let inventory = Inventory {
            hosts: 4,
            down: Some((1, 7)),
            port: 22,
            user: "me",
            key: Path::new("/k"),
            known_hosts: Path::new("/h"),
        };
        let text = inventory.text();
        assert!(text.contains("web03: {ansible_host: 127.10.0.3}\n"));
        assert!(text.contains("db01: {ansible_host: 127.10.0.4, ansible_port: 7}\n"));
        assert!(text.contains("    idc_b:\n      hosts:\n        web02: {}\n        db01: {}\n"));
    }
}
