//! The inventory as documents: Ansible's dynamic JSON, and the tree that people look at.

use std::fmt::Write as _;

use serde_json::{Map as Json, Value as JsonValue, json};

use super::error::InventoryError;
use super::model::{ALL, GroupIx, Inventory, UNGROUPED};
use crate::base::value::Value;

/// A value as JSON, in Ansible's shape: a vault stays closed.
pub fn to_json(value: &Value) -> JsonValue {
    match value {
        Value::Null => JsonValue::Null,
        Value::Bool(yes) => json!(yes),
        Value::Int(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::String(text) => json!(&**text),
        Value::Unsafe(text) => json!({ "__ansible_unsafe": &**text }),
        Value::Vault(text) => json!({ "__ansible_vault": format!("{text}\n") }),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => map
            .iter()
            .map(|(key, value)| (key.to_string(), to_json(value)))
            .collect::<Json<_, _>>()
            .into(),
    }
}

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
                .map(|(name, found)| (name.to_string(), to_json(&found.value)))
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
    let children = sorted_children(inventory, ix);
    let mut entry = Json::new();
    if !children.is_empty() {
        let names: Vec<&str> = children
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
    for child in children {
        add_group(inventory, child, document);
    }
}

fn sorted_children(inventory: &Inventory, ix: GroupIx) -> Vec<GroupIx> {
    let mut children = inventory.groups[ix.0].children.clone();
    children.sort_by_key(|child| (*child != UNGROUPED, inventory.groups[child.0].name.clone()));
    children
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
    let indent = |depth: usize| {
        if depth == 0 {
            String::new()
        } else {
            format!("{}|--", "  |".repeat(depth).replacen("  |", "  ", 1))
        }
    };
    let line = |text: &mut String, depth: usize, what: &str| {
        let _ = writeln!(text, "{}{what}", indent(depth));
    };
    line(text, depth, &format!("@{}:", group.name));
    for child in sorted_children(inventory, ix) {
        draw(inventory, child, depth + 1, with_vars, text)?;
    }
    if ix != ALL {
        for host in &group.hosts {
            let name = inventory.name_of(*host);
            line(text, depth + 1, &name);
            if with_vars {
                for (variable, found) in inventory.variables(&name)? {
                    line(
                        text,
                        depth + 2,
                        &format!("{{{variable} = {}}}", to_json(&found.value)),
                    );
                }
            }
        }
    }
    if with_vars {
        let mut vars = group.vars.clone();
        if let Some(files) = inventory.group_file_vars(ix)? {
            vars.extend(
                files
                    .iter()
                    .map(|(name, found)| (name.clone(), found.clone())),
            );
        }
        for (variable, found) in &vars {
            line(
                text,
                depth + 1,
                &format!("{{{variable} = {}}}", to_json(&found.value)),
            );
        }
    }
    Ok(())
}
