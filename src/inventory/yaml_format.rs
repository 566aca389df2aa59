//! Ansible's YAML inventory: groups as keys, each with `hosts`, `children` and `vars`.

use std::sync::Arc;

use super::error::InventoryError;
use super::model::{ALL, GroupIx, Inventory};
use super::source::Source;
use crate::base::diag::{Diagnostic, Place};
use crate::base::value::Value;
use crate::base::yaml::{Content, Key, Node};

/// Adds what a YAML (or JSON) inventory says.
pub(super) fn load(inventory: &mut Inventory, source: &Source<'_>) -> Result<(), InventoryError> {
    let root = source.parse()?;
    if let Some(plugin) = plugin(&root) {
        return Err(InventoryError::Unsupported {
            path: source.file.to_path_buf(),
            what: format!(
                "plugin `{plugin}` is not supported; run it with `ansible-inventory --list` and give its JSON"
            ),
        });
    }
    let entries = root.entries().ok_or_else(|| {
        source
            .error_at(&root, "expected groups: a mapping")
            .help("begin with `all:` and `hosts:` below it")
    })?;
    let mut reader = Reader { inventory, source };
    for (key, node) in entries {
        let group = reader.named_group(key)?;
        reader.group(group, node, 0)?;
    }
    Ok(())
}

fn plugin(root: &Node) -> Option<String> {
    let mut entries = root.entries()?.iter();
    let (_, value) = entries.find(|(key, _)| &*key.name == "plugin")?;
    match &value.content {
        Content::Scalar(Value::String(name)) => Some(name.to_string()),
        _ => None,
    }
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    source: &'a Source<'a>,
}

impl Reader<'_> {
    fn error(&self, node: &Node, message: impl Into<String>) -> Diagnostic {
        self.source.error_at(node, message)
    }

    fn error_at_key(&self, key: &Key, message: impl Into<String>) -> Diagnostic {
        self.source.error(key.place(self.source.file), message)
    }

    fn named_group(&mut self, key: &Key) -> Result<GroupIx, InventoryError> {
        if key.is_text && !key.name.is_empty() {
            return Ok(self.inventory.group(&key.name));
        }
        Err(self
            .error_at_key(
                key,
                format!("`{}` is no text, and so no group's name", key.name),
            )
            .help("put it in quotes")
            .into())
    }

    fn group(&mut self, group: GroupIx, node: &Node, depth: usize) -> Result<(), InventoryError> {
        let Some(entries) = node.entries() else {
            return Err(self
                .error(
                    node,
                    "expected a group: a mapping of hosts, children and vars",
                )
                .help("a group without anything is written `name: {}`")
                .into());
        };
        if depth > 32 {
            return Err(self.error(node, "groups are nested too deep").into());
        }
        for (key, value) in entries {
            match &*key.name {
                "hosts" => self.hosts(group, value)?,
                "children" => self.children(group, value, depth)?,
                "vars" => {
                    let found = self.source.vars(value)?;
                    if !self.inventory.set_group_vars(group, found) {
                        return Err(self
                            .error(value, "ansible_group_priority is not a whole number")
                            .into());
                    }
                }
                other => {
                    return Err(self
                        .error_at_key(key, format!("`{other}` is not a part of a group"))
                        .help("known are hosts, children and vars; is it a host that belongs below `hosts:`?")
                        .into());
                }
            }
        }
        Ok(())
    }

    /// Hosts as a mapping to their variables, or as one name or a list of names.
    fn hosts(&mut self, group: GroupIx, node: &Node) -> Result<(), InventoryError> {
        match &node.content {
            Content::Scalar(Value::Null) => Ok(()),
            Content::Map(entries) => {
                for (key, value) in entries {
                    self.host(group, key, value)?;
                }
                Ok(())
            }
            Content::Scalar(Value::String(name)) => self.plain_host(group, node, name),
            Content::List(items) => {
                for item in items {
                    let Content::Scalar(Value::String(name)) = &item.content else {
                        return Err(self.error(item, "expected a host's name").into());
                    };
                    self.plain_host(group, item, name)?;
                }
                Ok(())
            }
            Content::Scalar(_) => Err(self
                .error(node, "expected hosts: a mapping of names")
                .into()),
        }
    }

    fn plain_host(
        &mut self,
        group: GroupIx,
        node: &Node,
        name: &str,
    ) -> Result<(), InventoryError> {
        let key = Key {
            name: Arc::from(name),
            is_text: true,
            line: node.line,
            column: node.column,
        };
        self.host(group, &key, &Node::nothing())
    }

    fn host(&mut self, group: GroupIx, key: &Key, node: &Node) -> Result<(), InventoryError> {
        if !key.is_text {
            return Err(self
                .error_at_key(
                    key,
                    format!("`{}` is no text, and so no host's name", key.name),
                )
                .help("put it in quotes")
                .into());
        }
        let (names, port) =
            super::address::hosts(&key.name).map_err(|why| self.error_at_key(key, why))?;
        let port = port.map(|port| {
            self.source
                .located(Value::Int(port.into()), key.line, key.column)
        });
        let vars = self.source.vars(node)?;
        for name in names {
            let file = Some(self.source.file);
            let host = self
                .inventory
                .add_named_host(group, &name, port.as_ref(), file);
            let vars = vars
                .iter()
                .map(|(name, found)| (name.clone(), found.clone()));
            self.inventory.hosts[host].vars.extend(vars);
        }
        Ok(())
    }

    fn children(
        &mut self,
        group: GroupIx,
        node: &Node,
        depth: usize,
    ) -> Result<(), InventoryError> {
        if let Content::List(items) = &node.content {
            for item in items {
                let Content::Scalar(Value::String(name)) = &item.content else {
                    return Err(self.error(item, "expected a group's name").into());
                };
                let child = self.inventory.group(name);
                self.adopt(group, child, item.place(self.source.file))?;
            }
            return Ok(());
        }
        let Some(entries) = node.entries() else {
            return Err(self
                .error(node, "expected children: a mapping of groups")
                .into());
        };
        for (key, value) in entries {
            let child = self.named_group(key)?;
            self.adopt(group, child, key.place(self.source.file))?;
            self.group(child, value, depth + 1)?;
        }
        Ok(())
    }

    fn adopt(
        &mut self,
        group: GroupIx,
        child: GroupIx,
        place: Place,
    ) -> Result<(), InventoryError> {
        if child == ALL || !self.inventory.add_child(group, child) {
            let name = &self.inventory.groups[child.0].name;
            let message = format!("group `{name}` would be its own parent");
            return Err(self.source.error(place, message).into());
        }
        Ok(())
    }
}
