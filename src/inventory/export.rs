//! The inventory as documents: Ansible's dynamic JSON, and the tree that people look at.

use std::fmt::Write as _;

use serde_json::{Map as Json, Value as JsonValue, json};

use super::error::InventoryError;
use super::model::{ALL, GroupIx, Inventory, Vars};
use super::show::to_json;
use crate::base::python::python;

/// The document of `ansible-inventory --list`: groups, and all variables below `_meta`.
pub fn list_document(inventory: &Inventory) -> Result<JsonValue, InventoryError> {
    let mut hostvars = Json::new();
    for name in inventory.host_names() {
        let vars = inventory.variables(name)?;
        if !vars.is_empty() {
            let mut vars: Vec<_> = vars.iter().collect();
            vars.sort_by(|one, other| one.0.cmp(other.0));
            let vars: Json<String, JsonValue> = vars
                .into_iter()
                .map(|(name, found)| (name.to_string(), to_json(&found.shown())))
                .collect();
            hostvars.insert(name.to_string(), vars.into());
        }
    }
    let mut document = Json::new();
    document.insert("_meta".into(), json!({ "hostvars": hostvars }));
    add_group(inventory, ALL, &mut document);
    Ok(document.into())
}

fn add_group(inventory: &Inventory, ix: GroupIx, document: &mut Json<String, JsonValue>) {
    let group = &inventory.groups[ix.0];
    if document.contains_key(&*group.name) {
        return;
    }
    let mut entry = Json::new();
    if !group.children.is_empty() {
        let names: Vec<&str> = group
            .children
            .iter()
            .map(|child| &*inventory.groups[child.0].name)
            .collect();
        entry.insert("children".into(), json!(names));
    }
    if !group.hosts.is_empty() && ix != ALL {
        let names: Vec<String> = group
            .hosts
            .iter()
            .map(|host| inventory.name_of(*host).to_string())
            .collect();
        entry.insert("hosts".into(), json!(names));
    }
    if !entry.is_empty() || ix == ALL {
        document.insert(group.name.to_string(), entry.into());
    }
    for child in &group.children {
        add_group(inventory, *child, document);
    }
}

/// The tree of groups and hosts, as `ansible-inventory --graph` draws it.
pub fn graph(inventory: &Inventory, with_vars: bool) -> Result<String, InventoryError> {
    let mut text = String::new();
    draw(inventory, ALL, 0, with_vars, &mut text)?;
    Ok(text)
}

fn draw(
    inventory: &Inventory,
    ix: GroupIx,
    depth: usize,
    with_vars: bool,
    text: &mut String,
) -> Result<(), InventoryError> {
    let group = &inventory.groups[ix.0];
    line(text, depth, &format!("@{}:", group.name));
    for child in &group.children {
        draw(inventory, *child, depth + 1, with_vars, text)?;
    }
    if ix != ALL {
        for host in &group.hosts {
            let name = inventory.name_of(*host);
            line(text, depth + 1, &name);
            if with_vars {
                variables(text, depth + 2, inventory.variables(&name)?);
            }
        }
    }
    if with_vars {
        variables(text, depth + 1, inventory.group_variables(ix)?);
    }
    Ok(())
}

fn line(text: &mut String, depth: usize, what: &str) {
    let dashes = if depth == 0 { "" } else { "--" };
    let _ = writeln!(text, "{}{dashes}{what}", "  |".repeat(depth));
}

fn variables(text: &mut String, depth: usize, mut vars: Vars) {
    vars.sort_unstable_keys();
    for (name, found) in &vars {
        line(
            text,
            depth,
            &format!("{{{name} = {}}}", python(&found.shown())),
        );
    }
}
