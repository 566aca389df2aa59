//! The inventory in memory: hosts and groups with their variables. A host's variables are looked
//! up through its layers, never merged ahead: ten thousand hosts share their groups' maps.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;

use super::error::InventoryError;
use super::vars::VarFiles;
use crate::base::diag::Place;
use crate::base::value::Value;

/// A group's place in the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupIx(pub(super) usize);

/// The group of all hosts.
pub(super) const ALL: GroupIx = GroupIx(0);
/// The group of hosts in no other group.
pub(super) const UNGROUPED: GroupIx = GroupIx(1);

/// A value and where it is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The value, as written.
    pub value: Value,
    /// The place.
    pub place: Place,
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
    pub(super) files: OnceLock<Result<Option<Arc<Vars>>, InventoryError>>,
}

/// All hosts and groups.
pub struct Inventory {
    pub(super) hosts: Vec<Host>,
    pub(super) host_index: HashMap<Arc<str>, usize>,
    pub(super) groups: Vec<Group>,
    pub(super) group_index: HashMap<Arc<str>, GroupIx>,
    pub(super) var_files: VarFiles,
    pub(super) vault: Option<VaultFile>,
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
            vault: None,
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
            if self.hosts[host].groups.iter().all(|group| *group == ALL) {
                self.add_host_to(UNGROUPED, host);
            }
        }
        let mut shared: HashMap<Vec<GroupIx>, Arc<[GroupIx]>> = HashMap::new();
        for host in 0..self.hosts.len() {
            let mut direct = self.hosts[host].groups.clone();
            direct.sort();
            let ancestry = match shared.get(&direct) {
                Some(known) => known.clone(),
                None => {
                    let ancestry: Arc<[GroupIx]> = self.ancestry(&direct).into();
                    shared.insert(direct, ancestry.clone());
                    ancestry
                }
            };
            self.hosts[host].ancestry = ancestry;
        }
    }

    /// All groups above, weakest first: by depth, `ansible_group_priority`, name; as in Ansible.
    fn ancestry(&self, direct: &[GroupIx]) -> Vec<GroupIx> {
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
                (group.depth, self.priority(*ix), group.name.clone())
            };
            key(one).cmp(&key(other))
        });
        found
    }

    fn priority(&self, ix: GroupIx) -> i64 {
        match self.groups[ix.0]
            .vars
            .get("ansible_group_priority")
            .map(|found| &found.value)
        {
            Some(Value::Int(priority)) => *priority,
            Some(Value::String(text)) => text.parse().unwrap_or(1),
            _ => 1,
        }
    }

    /// A host's variable with its place: the strongest of its layers. Errors come from variable
    /// files, which are read when first asked for.
    pub fn variable(&self, host: &str, name: &str) -> Result<Option<Located>, InventoryError> {
        let Some(host) = self.host_index.get(host).and_then(|ix| self.hosts.get(*ix)) else {
            // A host that is named but not in the inventory has what all hosts have.
            return Ok(self.group_layers(&[ALL], name)?);
        };
        if let Some(found) = self
            .host_file_vars(host)?
            .and_then(|vars| vars.get(name).cloned())
        {
            return Ok(Some(found));
        }
        if let Some(found) = host.vars.get(name) {
            return Ok(Some(found.clone()));
        }
        self.group_layers(&host.ancestry, name)
    }

    fn group_layers(
        &self,
        groups: &[GroupIx],
        name: &str,
    ) -> Result<Option<Located>, InventoryError> {
        for ix in groups.iter().rev() {
            if let Some(vars) = self.group_file_vars(*ix)?
                && let Some(found) = vars.get(name)
            {
                return Ok(Some(found.clone()));
            }
        }
        Ok(groups
            .iter()
            .rev()
            .find_map(|ix| self.groups[ix.0].vars.get(name).cloned()))
    }

    /// All variables of a host, merged, each with its place.
    pub fn variables(&self, host: &str) -> Result<Vars, InventoryError> {
        let mut merged = Vars::new();
        let mut add = |vars: &Vars| {
            for (name, found) in vars {
                merged.insert(name.clone(), found.clone());
            }
        };
        let entry = self.host_index.get(host).and_then(|ix| self.hosts.get(*ix));
        let groups: &[GroupIx] = entry.map_or(&[ALL], |host| &host.ancestry);
        for ix in groups {
            add(&self.groups[ix.0].vars);
        }
        for ix in groups {
            if let Some(vars) = self.group_file_vars(*ix)? {
                add(&vars);
            }
        }
        if let Some(host) = entry {
            add(&host.vars);
            if let Some(vars) = self.host_file_vars(host)? {
                add(&vars);
            }
        }
        Ok(merged)
    }

    fn host_file_vars(&self, host: &Host) -> Result<Option<Arc<Vars>>, InventoryError> {
        host.files
            .get_or_init(|| self.var_files.of_host(&host.name, self.vault.as_ref()))
            .clone()
    }

    pub(super) fn group_file_vars(&self, ix: GroupIx) -> Result<Option<Arc<Vars>>, InventoryError> {
        let group = &self.groups[ix.0];
        group
            .files
            .get_or_init(|| self.var_files.of_group(&group.name, self.vault.as_ref()))
            .clone()
    }

    /// The groups a host is in, without `all`, by name; Ansible's `group_names`.
    pub fn groups_of(&self, host: &str) -> Vec<Arc<str>> {
        let Some(host) = self.host_index.get(host).and_then(|ix| self.hosts.get(*ix)) else {
            return Vec::new();
        };
        let mut names: Vec<Arc<str>> = host
            .ancestry
            .iter()
            .filter(|ix| **ix != ALL)
            .map(|ix| self.groups[ix.0].name.clone())
            .collect();
        names.sort();
        names
    }

    /// The hosts of a group and its children, in inventory order; `None`: no such group.
    pub fn hosts_of_group(&self, name: &str) -> Option<Vec<usize>> {
        let ix = *self.group_index.get(name)?;
        if ix == ALL {
            return Some((0..self.hosts.len()).collect());
        }
        let mut member = vec![false; self.hosts.len()];
        let mut seen = vec![false; self.groups.len()];
        let mut open = vec![ix];
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut seen[at.0], true) {
                continue;
            }
            for host in &self.groups[at.0].hosts {
                member[*host] = true;
            }
            open.extend(&self.groups[at.0].children);
        }
        Some(
            member
                .iter()
                .enumerate()
                .filter(|(_, is)| **is)
                .map(|(at, _)| at)
                .collect(),
        )
    }

    pub(super) fn name_of(&self, host: usize) -> Arc<str> {
        self.hosts[host].name.clone()
    }

    /// The source file a host comes from.
    pub fn source_of(&self, host: &str) -> Option<PathBuf> {
        let host = self.hosts.get(*self.host_index.get(host)?)?;
        host.source.as_ref().map(|path| path.to_path_buf())
    }

    /// Reads every variable file, so that mistakes show: `inventory check`.
    pub fn check_files(&self) -> Vec<InventoryError> {
        let hosts = self
            .hosts
            .iter()
            .filter_map(|host| self.host_file_vars(host).err());
        let groups =
            (0..self.groups.len()).filter_map(|ix| self.group_file_vars(GroupIx(ix)).err());
        groups.chain(hosts).collect()
    }
}
