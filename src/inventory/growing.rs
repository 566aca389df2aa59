//! What is added to an inventory that is in use already: hosts and groups of a play's `add_host` and
//! `group_by`, and folders of variables. Only what a change bears on is worked out anew.

use std::path::Path;
use std::sync::Arc;

use super::model::{ALL, GroupIx, Inventory, UNGROUPED, Vars};

impl Inventory {
    /// A host in these groups, with these variables; whether anything is new.
    pub fn grow_host(&mut self, name: &str, groups: &[String], vars: Vars) -> bool {
        let mut changed = !self.has_host(name);
        let host = self.host(name, None);
        if changed {
            // Ansible's `all` has it itself, so that it is counted before the hosts of groups.
            self.groups[ALL.0].hosts.push(host);
        }
        for group in groups {
            let group = self.grown_group(group, &[]);
            changed |= self.joins(group, host);
        }
        for (name, value) in vars {
            let known = self.hosts[host].vars.get(&name).map(|known| &known.value);
            changed |= known != Some(&value.value);
            self.hosts[host].vars.insert(name, value);
        }
        self.settle_host(host);
        changed
    }

    /// A host comes into a group, made where it is new; whether anything is.
    pub fn grow_group(&mut self, host: &str, group: &str, parents: &[String]) -> bool {
        let host = self.host(host, None);
        let group = self.grown_group(group, parents);
        let changed = self.joins(group, host);
        self.settle_host(host);
        changed
    }

    /// Variables beside a playbook: stronger than those beside the inventories.
    pub fn add_vars_beside(&mut self, folder: &Path) {
        let warnings = self.var_files.add_folder(folder);
        self.warnings.extend(warnings);
        // What was read of other folders is not all any more.
        for host in &mut self.hosts {
            host.files = std::sync::OnceLock::new();
        }
        for group in &mut self.groups {
            group.files = std::sync::OnceLock::new();
        }
    }

    fn joins(&mut self, group: GroupIx, host: usize) -> bool {
        if group == ALL {
            return false;
        }
        let known = self.hosts[host].groups.contains(&group);
        self.add_host_to(group, host);
        !known
    }

    fn grown_group(&mut self, name: &str, parents: &[String]) -> GroupIx {
        let new = !self.group_index.contains_key(name);
        let group = self.group(name);
        for parent in parents {
            let parent = if parent == "all" {
                ALL
            } else {
                self.grown_group(parent, &[])
            };
            self.add_child(parent, group);
        }
        if self.groups[group.0].parents.is_empty() && group != ALL {
            self.add_child(ALL, group);
        }
        if new {
            let above = self.groups[group.0]
                .parents
                .iter()
                .map(|parent| self.groups[parent.0].depth);
            self.groups[group.0].depth = above.max().unwrap_or(0) + 1;
        }
        group
    }

    /// A host's groups, as [`settle`](Self::settle) works them out for all.
    fn settle_host(&mut self, host: usize) {
        let groups = &mut self.hosts[host].groups;
        let grouped = groups
            .iter()
            .any(|group| !matches!(*group, ALL | UNGROUPED));
        if grouped {
            groups.retain(|group| *group != UNGROUPED);
            self.groups[UNGROUPED.0]
                .hosts
                .retain(|other| *other != host);
        } else {
            self.add_host_to(UNGROUPED, host);
        }
        let direct = self.hosts[host].groups.clone();
        self.hosts[host].ancestry = Arc::from(self.ancestry(&direct));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Loader, select};
    use super::*;
    use crate::base::diag::Place;
    use crate::base::value::Value;
    use crate::inventory::Located;

    #[test]
    fn hosts_and_groups_of_a_play_are_as_good_as_any_other() {
        let mut loader = Loader::new(None);
        loader.add("one,two,").unwrap();
        let mut inventory = loader.finish();
        let vars: Vars = [(
            "x".into(),
            Located {
                value: Value::Int(1),
                place: Place::new("add_host", 0, 0),
                secret: false,
            },
        )]
        .into_iter()
        .collect();
        assert!(inventory.grow_host("three", &["web".into()], vars.clone()));
        assert!(!inventory.grow_host("three", &["web".into()], vars));
        assert!(inventory.grow_group("one", "os_a", &["os".into()]));
        assert!(!inventory.grow_group("one", "os_a", &["os".into()]));
        let names = |pattern: &str| -> Vec<String> {
            let selection = select(&inventory, pattern, &[], &[]).unwrap();
            selection
                .names(&inventory)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(names("web"), ["three"]);
        assert_eq!(names("os"), ["one"]);
        assert_eq!(names("all"), ["one", "two", "three"]);
        assert_eq!(names("ungrouped"), ["two"]);
        let counted = inventory.counted_hosts_of_group("all").unwrap();
        assert_eq!(counted, [2, 1, 0]);
        assert_eq!(
            inventory.groups_of("one"),
            ["os".into(), "os_a".into()] as [Arc<str>; 2]
        );
        let found = inventory.variable("three", "x").unwrap().unwrap();
        assert_eq!(found.value, Value::Int(1));
    }
}
