//! The document of `inventory list` for some of the hosts: Ansible's shape, and nothing of the others.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::extra_vars::ExtraVars;
use crate::inventory::to_json;

/// Takes other hosts out, and groups that have none left.
pub fn narrow(document: &mut Json, hosts: &[Arc<str>]) {
    let wanted: HashSet<&str> = hosts.iter().map(|host| &**host).collect();
    let Some(groups) = document.as_object_mut() else {
        return;
    };
    if let Some(vars) = hostvars(groups) {
        vars.retain(|host, _| wanted.contains(host.as_str()));
    }
    for (name, group) in groups.iter_mut() {
        if name != "_meta" {
            keep(group, "hosts", |host| wanted.contains(host));
        }
    }
    // Parents may become empty by their children, so again until nothing changes.
    loop {
        let empty: HashSet<String> = groups
            .iter()
            .filter(|(name, group)| {
                !matches!(name.as_str(), "_meta" | "all")
                    && group.get("hosts").is_none()
                    && group.get("children").is_none()
            })
            .map(|(name, _)| name.clone())
            .collect();
        let known: HashSet<String> = groups.keys().cloned().collect();
        groups.retain(|name, _| !empty.contains(name));
        for group in groups.values_mut() {
            keep(group, "children", |child| {
                known.contains(child) && !empty.contains(child)
            });
        }
        if empty.is_empty() {
            break;
        }
    }
}

/// Variables of `-e`, which are stronger than all others.
pub fn add_variables(document: &mut Json, hosts: &[Arc<str>], extra: &ExtraVars) {
    let Some(vars) = document.as_object_mut().and_then(hostvars) else {
        return;
    };
    for (name, value) in extra.shown() {
        let value = to_json(&value);
        for host in hosts {
            let host = vars.entry(&**host).or_insert_with(|| json!({}));
            if let Some(host) = host.as_object_mut() {
                host.insert(name.to_string(), value.clone());
            }
        }
    }
}

fn hostvars(document: &mut Map<String, Json>) -> Option<&mut Map<String, Json>> {
    document
        .get_mut("_meta")?
        .get_mut("hostvars")?
        .as_object_mut()
}

/// Keeps the names that are wanted; a list without any goes.
fn keep(group: &mut Json, list: &str, wanted: impl Fn(&str) -> bool) {
    let Some(group) = group.as_object_mut() else {
        return;
    };
    if let Some(names) = group.get_mut(list).and_then(Json::as_array_mut) {
        names.retain(|name| name.as_str().is_some_and(&wanted));
        if names.is_empty() {
            group.remove(list);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_without_chosen_hosts_are_left_out_their_parents_too() {
        let mut document = json!({
            "_meta": {"hostvars": {"web1": {"a": 1}, "db1": {"a": 2}}},
            "all": {"children": ["ungrouped", "web", "far"]},
            "web": {"hosts": ["web1", "web2"]},
            "far": {"children": ["db"]},
            "db": {"hosts": ["db1"]},
        });
        narrow(&mut document, &["web1".into()]);
        assert_eq!(
            document,
            json!({
                "_meta": {"hostvars": {"web1": {"a": 1}}},
                "all": {"children": ["web"]},
                "web": {"hosts": ["web1"]},
            })
        );
    }
}
