//! What is asked of an inventory: a host's variables through its layers, its groups, a group's hosts.

use std::path::PathBuf;
use std::sync::Arc;

use super::error::InventoryError;
use super::model::{ALL, GroupIx, Host, Inventory, Located, PRIORITY, Vars};
use super::vars::Layers;
use crate::base::diag::Place;
use crate::base::value::Value;

impl Inventory {
    /// A host's variable with its place: the strongest of its layers. Errors come from variable
    /// files, which are read when first asked for.
    pub fn variable(&self, host: &str, name: &str) -> Result<Option<Located>, InventoryError> {
        let Some(host) = self.host_index.get(host).and_then(|ix| self.hosts.get(*ix)) else {
            // A host that is named but not in the inventory has what all hosts have.
            return self.group_layers(&[ALL], name);
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
        for (folder, ix) in self.file_layers(groups).rev() {
            if let Some(vars) = self.group_file_vars(ix, folder)?
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

    /// The layers of variable files, weakest first: `all` of each folder, then of each folder the
    /// groups; as in Ansible.
    fn file_layers<'a>(
        &self,
        groups: &'a [GroupIx],
    ) -> impl DoubleEndedIterator<Item = (usize, GroupIx)> + use<'a> {
        let folders = 0..self.var_files.len();
        let others = folders.clone().flat_map(move |folder| {
            let others = groups.iter().filter(|ix| **ix != ALL);
            others.map(move |ix| (folder, *ix))
        });
        folders.map(|folder| (folder, ALL)).chain(others)
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
        for (folder, ix) in self.file_layers(groups) {
            if let Some(vars) = self.group_file_vars(ix, folder)? {
                add(vars);
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
            .get_or_init(|| self.var_files.of_host(&host.name, &self.reading))
            .clone()
    }

    fn group_files(&self, ix: GroupIx) -> Result<&Layers, InventoryError> {
        let group = &self.groups[ix.0];
        group
            .files
            .get_or_init(|| self.var_files.of_group(&group.name, &self.reading))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// What the folder that is the `folder`th says of a group.
    fn group_file_vars(&self, ix: GroupIx, folder: usize) -> Result<Option<&Vars>, InventoryError> {
        let layers = self.group_files(ix)?;
        Ok(layers.get(folder).and_then(Option::as_deref))
    }

    /// A group's own variables, and its priority where it has one.
    pub(super) fn group_variables(&self, ix: GroupIx) -> Result<Vars, InventoryError> {
        let group = &self.groups[ix.0];
        let mut vars = group.vars.clone();
        for layer in self.group_files(ix)?.iter().flatten() {
            vars.extend(
                layer
                    .iter()
                    .map(|(name, each)| (name.clone(), each.clone())),
            );
        }
        if group.priority != 1 {
            let located = Located {
                value: Value::Int(group.priority),
                place: Place::new("", 0, 0),
                secret: false,
            };
            vars.insert(Arc::from(PRIORITY), located);
        }
        Ok(vars)
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

    /// The hosts of a group in the order that Ansible counts them, for `web[0]` and `groups.web`: its
    /// own first, then those of its children, level by level; `None`: no such group.
    pub fn counted_hosts_of_group(&self, name: &str) -> Option<Vec<usize>> {
        let ix = *self.group_index.get(name)?;
        let mut seen = vec![false; self.groups.len()];
        let mut counted = indexmap::IndexSet::new();
        let mut level = vec![ix];
        while !level.is_empty() {
            let mut below = Vec::new();
            for at in level {
                if !std::mem::replace(&mut seen[at.0], true) {
                    counted.extend(self.groups[at.0].hosts.iter().copied());
                    below.extend(&self.groups[at.0].children);
                }
            }
            level = below;
        }
        Some(counted.into_iter().collect())
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
        let groups = (0..self.groups.len()).filter_map(|ix| self.group_files(GroupIx(ix)).err());
        groups.chain(hosts).collect()
    }
}
