//! The inventory in memory: hosts and groups with their variables. A host's variables are looked
//! up through its layers, never merged ahead: ten thousand hosts share their groups' maps.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;

use super::error::InventoryError;
use super::source::Reading;
use super::vars::{Layers, VarFiles};
use crate::base::diag::Place;
use crate::base::value::Value;

/// A group's place in the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupIx(pub(super) usize);

/// The group of all hosts.
pub(super) const ALL: GroupIx = GroupIx(0);
/// The group of hosts in no other group.
pub(super) const UNGROUPED: GroupIx = GroupIx(1);

/// The variable that makes a group stronger than others of its depth; it is the group's, no host has
/// it.
pub(super) const PRIORITY: &str = "ansible_group_priority";

/// A value and where it is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The value, as written.
    pub value: Value,
    /// The place.
    pub place: Place,
    /// Whether the file is a vault: the value must not be shown.
    pub secret: bool,
}

/// Variables by name, in the order they were written.
pub type Vars = IndexMap<Arc<str>, Located>;

/// Opens a vault file's text; `cli` fills it.
pub type VaultFile = Arc<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: Arc<str>,
    pub(super) vars: Vars,
    pub(super) groups: Vec<GroupIx>,
    pub(super) source: Option<Arc<Path>>,
    /// All groups it is in, weakest first; shared by hosts of the same groups.
    pub(super) ancestry: Arc<[GroupIx]>,
    pub(super) files: OnceLock<Result<Option<Arc<Vars>>, InventoryError>>,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: Arc<str>,
    pub(super) vars: Vars,
    pub(super) children: Vec<GroupIx>,
    pub(super) parents: Vec<GroupIx>,
    pub(super) hosts: Vec<usize>,
    pub(super) depth: usize,
    /// `ansible_group_priority`.
    pub(super) priority: i64,
    pub(super) files: OnceLock<Result<Layers, InventoryError>>,
}

/// All hosts and groups.
pub struct Inventory {
    pub(super) hosts: Vec<Host>,
    pub(super) host_index: HashMap<Arc<str>, usize>,
    pub(super) groups: Vec<Group>,
    pub(super) group_index: HashMap<Arc<str>, GroupIx>,
    pub(super) var_files: VarFiles,
    pub(super) reading: Reading,
    /// What is odd but no error.
    pub(super) warnings: Vec<String>,
}

impl Default for Inventory {
    fn default() -> Self {
        let mut inventory = Self {
            hosts: Vec::new(),
            host_index: HashMap::new(),
            groups: Vec::new(),
            group_index: HashMap::new(),
            var_files: VarFiles::default(),
            reading: Reading::default(),
            warnings: Vec::new(),
        };
        inventory.group("all");
        inventory.group("ungrouped");
        inventory.add_child(ALL, UNGROUPED);
        inventory
    }
}

impl Inventory {
    /// The names of all hosts, in inventory order.
    pub fn host_names(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.hosts.iter().map(|host| &host.name)
    }

    /// Whether there is such a host.
    pub fn has_host(&self, name: &str) -> bool {
        self.host_index.contains_key(name)
    }

    /// The names of all groups, in the order they were first named.
    pub fn group_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.groups.iter().map(|group| &group.name)
    }

    /// What was odd while loading.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(super) fn group(&mut self, name: &str) -> GroupIx {
        if let Some(found) = self.group_index.get(name) {
            return *found;
        }
        let ix = GroupIx(self.groups.len());
        let name: Arc<str> = Arc::from(name);
        self.groups.push(Group {
            name: name.clone(),
            vars: Vars::new(),
            children: Vec::new(),
            parents: Vec::new(),
            hosts: Vec::new(),
            depth: 0,
            priority: 1,
            files: OnceLock::new(),
        });
        self.group_index.insert(name, ix);
        ix
    }

    pub(super) fn host(&mut self, name: &str, source: Option<&Arc<Path>>) -> usize {
        if let Some(found) = self.host_index.get(name) {
            return *found;
        }
        let name: Arc<str> = Arc::from(name);
        self.hosts.push(Host {
            name: name.clone(),
            vars: Vars::new(),
            groups: Vec::new(),
            source: source.cloned(),
            ancestry: Arc::from([]),
            files: OnceLock::new(),
        });
        self.host_index.insert(name, self.hosts.len() - 1);
        self.hosts.len() - 1
    }

    pub(super) fn add_host_to(&mut self, group: GroupIx, host: usize) {
        if let (Some(host_entry), Some(group_entry)) =
            (self.hosts.get_mut(host), self.groups.get_mut(group.0))
            && !host_entry.groups.contains(&group)
        {
            host_entry.groups.push(group);
            group_entry.hosts.push(host);
        }
    }

    /// Sets a group's variables; false when its priority is no number.
    #[must_use]
    pub(super) fn set_group_vars(&mut self, group: GroupIx, mut vars: Vars) -> bool {
        let priority = vars.shift_remove(PRIORITY).map(|found| found.value);
        let entry = &mut self.groups[group.0];
        entry.vars.extend(vars);
        entry.priority = match priority {
            None => return true,
            Some(Value::Int(priority)) => priority,
            Some(Value::String(text)) => match text.trim().parse() {
                Ok(priority) => priority,
                Err(_) => return false,
            },
            Some(_) => return false,
        };
        true
    }

    /// Adds a host to a group; a port is only taken for a new host, as in Ansible.
    pub(super) fn add_named_host(
        &mut self,
        group: GroupIx,
        name: &str,
        port: Option<&Located>,
        source: Option<&Arc<Path>>,
    ) -> usize {
        let new = !self.has_host(name);
        let host = self.host(name, source);
        self.add_host_to(group, host);
        let Some(port) = port else { return host };
        let vars = &mut self.hosts[host].vars;
        if new {
            vars.insert(Arc::from("ansible_port"), port.clone());
        } else if vars.get("ansible_port").map(|known| &known.value) != Some(&port.value) {
            self.warnings.push(format!(
                "{}: the port of `{name}` is not used, as the host was named before without it; set ansible_port",
                port.place
            ));
        }
        host
    }

    /// Makes a group another's child; false when that would close a loop.
    pub(super) fn add_child(&mut self, parent: GroupIx, child: GroupIx) -> bool {
        if parent == child || self.reaches(child, parent) {
            return false;
        }
        if let Some(group) = self.groups.get_mut(parent.0)
            && !group.children.contains(&child)
        {
            group.children.push(child);
        }
        if let Some(group) = self.groups.get_mut(child.0)
            && !group.parents.contains(&parent)
        {
            group.parents.push(parent);
        }
        true
    }

    /// Whether `to` is below `from`.
    fn reaches(&self, from: GroupIx, to: GroupIx) -> bool {
        let mut seen = vec![false; self.groups.len()];
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if let Some(seen) = seen.get_mut(at.0).filter(|seen| !**seen) {
                *seen = true;
                open.extend(&self.groups[at.0].children);
            }
        }
        false
    }

    /// Settles what follows from all files together: depths, `ungrouped`, each host's groups.
    pub(super) fn settle(&mut self) {
        for ix in 2..self.groups.len() {
            if self.groups[ix].parents.is_empty() {
                self.add_child(ALL, GroupIx(ix));
            }
        }
        let mut open = vec![(ALL, 0)];
        while let Some((at, depth)) = open.pop() {
            if let Some(group) = self.groups.get_mut(at.0)
                && (group.depth < depth || depth == 0)
            {
                group.depth = depth;
                open.extend(group.children.iter().map(|child| (*child, depth + 1)));
            }
        }
        for host in 0..self.hosts.len() {
            let groups = &mut self.hosts[host].groups;
            if groups
                .iter()
                .any(|group| !matches!(*group, ALL | UNGROUPED))
            {
                groups.retain(|group| *group != UNGROUPED);
            } else {
                self.add_host_to(UNGROUPED, host);
            }
        }
        let hosts = &self.hosts;
        self.groups[UNGROUPED.0]
            .hosts
            .retain(|host| hosts[*host].groups.contains(&UNGROUPED));
        for group in &self.groups {
            if self.host_index.contains_key(&group.name) {
                self.warnings.push(format!(
                    "`{0}` is a group and a host: `{0}` in a pattern means the group",
                    group.name
                ));
            }
        }
        let mut shared: HashMap<Vec<GroupIx>, Arc<[GroupIx]>> = HashMap::new();
        for host in 0..self.hosts.len() {
            let mut direct = self.hosts[host].groups.clone();
            direct.sort();
            if let Some(known) = shared.get(&direct) {
                self.hosts[host].ancestry = known.clone();
            } else {
                let ancestry: Arc<[GroupIx]> = self.ancestry(&direct).into();
                self.hosts[host].ancestry = ancestry.clone();
                shared.insert(direct, ancestry);
            }
        }
    }

    /// All groups above, weakest first: by depth, `ansible_group_priority`, name; as in Ansible.
    pub(super) fn ancestry(&self, direct: &[GroupIx]) -> Vec<GroupIx> {
        let mut found: Vec<GroupIx> = vec![ALL];
        let mut open = direct.to_vec();
        while let Some(at) = open.pop() {
            if !found.contains(&at) {
                found.push(at);
                open.extend(&self.groups[at.0].parents);
            }
        }
        found.sort_by(|one, other| {
            let key = |ix: &GroupIx| {
                let group = &self.groups[ix.0];
                (group.depth, group.priority, group.name.clone())
            };
            key(one).cmp(&key(other))
        });
        found
    }

    pub(super) fn name_of(&self, host: usize) -> Arc<str> {
        self.hosts[host].name.clone()
    }
}
