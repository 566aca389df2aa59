//! Ansible's YAML inventory: groups as keys, each with `hosts`, `children` and `vars`.

use std::path::Path;
use std::sync::Arc;

use super::error::InventoryError;
use super::hostset;
use super::model::{ALL, GroupIx, Inventory};
use super::vars::vars;
use crate::base::diag::Diagnostic;
use crate::base::value::Value;
use crate::base::yaml::{self, Content, Key, Node};

/// Adds what a YAML (or JSON) inventory says.
pub(super) fn load(
    inventory: &mut Inventory,
    text: &str,
    file: &Arc<Path>,
) -> Result<(), InventoryError> {
    let root = yaml::parse(text, file)?;
    let mut reader = Reader {
        inventory,
        text,
        file,
    };
    if let Some(plugin) = reader.plugin(&root) {
        return Err(InventoryError::Unsupported {
            path: file.to_path_buf(),
            what: format!(
                "plugin `{plugin}` is not supported; run it with `ansible-inventory --list` and give its JSON"
            ),
        });
    }
    let entries = root.entries().ok_or_else(|| {
        reader
            .error(&root, "expected groups: a mapping")
            .help("begin with `all:` and `hosts:` below it")
    })?;
    for (key, node) in entries {
        let group = reader.inventory.group(&key.name);
        reader.group(group, node, 0)?;
    }
    Ok(())
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    text: &'a str,
    file: &'a Arc<Path>,
}

impl Reader<'_> {
    fn error(&self, node: &Node, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message, node.place(self.file), self.text)
    }

    fn plugin(&self, root: &Node) -> Option<String> {
        let (_, value) = root
            .entries()?
            .iter()
            .find(|(key, _)| &*key.name == "plugin")?;
        match &value.content {
            Content::Scalar(Value::String(name)) => Some(name.to_string()),
            _ => None,
        }
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
                    let found = vars(value, self.file, self.text)?;
                    self.inventory.groups[group.0].vars.extend(found);
                }
                other => {
                    let place =
                        crate::base::diag::Place::new(self.file.as_ref(), key.line, key.column);
                    return Err(Diagnostic::new(
                        format!("`{other}` is not a part of a group"),
                        place,
                        self.text,
                    )
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
                    match &item.content {
                        Content::Scalar(Value::String(name)) => {
                            self.plain_host(group, item, name)?
                        }
                        _ => return Err(self.error(item, "expected a host's name").into()),
                    }
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
            line: node.line,
            column: node.column,
        };
        let nothing = Node {
            content: Content::Scalar(Value::Null),
            line: node.line,
            column: node.column,
        };
        self.host(group, &key, &nothing)
    }

    fn host(&mut self, group: GroupIx, key: &Key, node: &Node) -> Result<(), InventoryError> {
        let place = crate::base::diag::Place::new(self.file.as_ref(), key.line, key.column);
        let (pattern, port) = split_port(&key.name);
        let names = if pattern.contains('[') {
            hostset::expand(pattern)
                .map_err(|error| Diagnostic::new(error.to_string(), place.clone(), self.text))?
        } else {
            vec![pattern.to_owned()]
        };
        let vars = vars(node, self.file, self.text)?;
        for name in names {
            let host = self.inventory.host(&name, Some(self.file));
            self.inventory.add_host_to(group, host);
            let entry = &mut self.inventory.hosts[host];
            if let Some(port) = port {
                let value = super::model::Located {
                    value: Value::Int(port.into()),
                    place: place.clone(),
                };
                entry.vars.insert(Arc::from("ansible_port"), value);
            }
            entry.vars.extend(
                vars.iter()
                    .map(|(name, found)| (name.clone(), found.clone())),
            );
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
                self.adopt(group, child, item)?;
            }
            return Ok(());
        }
        let Some(entries) = node.entries() else {
            return Err(self
                .error(node, "expected children: a mapping of groups")
                .into());
        };
        for (key, value) in entries {
            let child = self.inventory.group(&key.name);
            self.adopt(group, child, value)?;
            self.group(child, value, depth + 1)?;
        }
        Ok(())
    }

    fn adopt(&mut self, group: GroupIx, child: GroupIx, node: &Node) -> Result<(), InventoryError> {
        if child == ALL || !self.inventory.add_child(group, child) {
            let name = self.inventory.groups[child.0].name.clone();
            return Err(self
                .error(node, format!("group `{name}` would be its own parent"))
                .into());
        }
        Ok(())
    }
}

/// `host:2222` and `[::1]:22` as host and port; names without a port as they are.
pub(super) fn split_port(name: &str) -> (&str, Option<u16>) {
    let bare =
        |host: &str| host.starts_with('[') && host.ends_with(']') && host.matches(':').count() > 1;
    if let Some((host, port)) = name.rsplit_once(':')
        && let Ok(port) = port.parse::<u16>()
        && !host.is_empty()
        && (bare(host) || !host.contains(':') || host.ends_with(']'))
    {
        let host = if bare(host) {
            host.trim_matches(['[', ']'])
        } else {
            host
        };
        return (host, Some(port));
    }
    (
        if bare(name) {
            name.trim_matches(['[', ']'])
        } else {
            name
        },
        None,
    )
}
