//! Ansible's INI inventory: hosts below `[group]`, `[group:vars]` and `[group:children]`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::error::InventoryError;
use super::model::{ALL, GroupIx, Inventory, Located, UNGROUPED, Vars};
use super::source::Source;
use super::{address, python};
use crate::base::diag::Diagnostic;
use crate::base::shlex;
use crate::base::value::Value;

#[derive(Clone, Copy)]
enum Section {
    Hosts,
    Vars,
    Children,
}

/// A group that was named before it was defined, at a line.
#[derive(Default)]
struct Pending {
    parents: Vec<GroupIx>,
    line: u32,
    column: u32,
}

/// Adds what an INI inventory says.
pub(super) fn load(inventory: &mut Inventory, source: &Source<'_>) -> Result<(), InventoryError> {
    let mut reader = Reader {
        inventory,
        source,
        group: UNGROUPED,
        section: Section::Hosts,
        pending: IndexMap::new(),
        line: 0,
        column: 1,
    };
    for line in source.text.lines() {
        reader.line = reader.line.saturating_add(1);
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        reader.column = u32::try_from(indent + 1).unwrap_or(1);
        if trimmed.starts_with('[') && reader.header(trimmed)? {
            continue;
        }
        match reader.section {
            Section::Hosts => reader.host_line(trimmed)?,
            Section::Vars => reader.variable(trimmed)?,
            Section::Children => reader.child(trimmed)?,
        }
    }
    reader.finish()
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    source: &'a Source<'a>,
    group: GroupIx,
    section: Section,
    pending: IndexMap<Arc<str>, Pending>,
    line: u32,
    column: u32,
}

impl Reader<'_> {
    fn error(&self, message: impl Into<String>) -> Diagnostic {
        let place = self.source.place(self.line, self.column);
        self.source.error(place, message)
    }

    fn located(&self, value: Value) -> Located {
        self.source.located(value, self.line, self.column)
    }

    /// A section's head; false when the line is a host such as `[::1]:22` or `[a:c].example.com`.
    fn header(&mut self, line: &str) -> Result<bool, InventoryError> {
        let Some((inner, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        else {
            return Err(self.error("a section's `]` is missing").into());
        };
        let rest = rest.trim_start();
        if !(rest.is_empty() || rest.starts_with(['#', ';'])) {
            return Ok(false);
        }
        let (name, section) = match inner.trim().split_once(':') {
            None => (inner.trim(), Section::Hosts),
            Some((name, "vars")) => (name, Section::Vars),
            Some((name, "children")) => (name, Section::Children),
            Some((_, other)) => {
                return Err(self
                    .error(format!("`{other}` is no kind of section"))
                    .help("write [group], [group:vars] or [group:children]")
                    .into());
            }
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(self
                .error("expected one group's name in the brackets")
                .into());
        }
        let known = self.inventory.group_index.contains_key(name);
        self.group = self.inventory.group(name);
        self.section = section;
        match section {
            Section::Vars if !known && !self.pending.contains_key(name) => {
                self.await_group(name);
            }
            Section::Vars => {}
            Section::Hosts | Section::Children => self.adopt_pending(name)?,
        }
        Ok(true)
    }

    fn await_group(&mut self, name: &str) -> &mut Pending {
        let (line, column) = (self.line, self.column);
        let pending = Pending {
            line,
            column,
            ..Pending::default()
        };
        self.pending.entry(Arc::from(name)).or_insert(pending)
    }

    /// A group is defined: those that named it as a child get it, in the order Ansible adds them.
    fn adopt_pending(&mut self, name: &str) -> Result<(), InventoryError> {
        let Some(pending) = self.pending.shift_remove(name) else {
            return Ok(());
        };
        let child = self.inventory.group(name);
        for parent in pending.parents {
            self.adopt(parent, child)?;
        }
        Ok(())
    }

    fn adopt(&mut self, parent: GroupIx, child: GroupIx) -> Result<(), InventoryError> {
        if child == ALL || !self.inventory.add_child(parent, child) {
            let name = self.inventory.groups[child.0].name.clone();
            return Err(self
                .error(format!("group `{name}` would be its own parent"))
                .into());
        }
        Ok(())
    }

    fn host_line(&mut self, line: &str) -> Result<(), InventoryError> {
        let words = shlex::split(line, true).map_err(|why| self.error(why))?;
        let Some((pattern, rest)) = words.split_first() else {
            return Ok(());
        };
        let (names, port) = address::hosts(pattern).map_err(|why| self.error(why))?;
        let port = port.map(|port| self.located(Value::Int(port.into())));
        let mut vars: Vec<(Arc<str>, Located)> = Vec::new();
        for word in rest {
            let Some((name, value)) = word.split_once('=') else {
                return Err(self
                    .error(format!("expected name=value, found `{word}`"))
                    .help("several hosts stand on several lines; a value with spaces needs quotes")
                    .into());
            };
            let located = self.located(python::literal(value));
            vars.push((Arc::from(name), located));
        }
        for name in names {
            let file = Some(self.source.file);
            let host = self
                .inventory
                .add_named_host(self.group, &name, port.as_ref(), file);
            self.inventory.hosts[host].vars.extend(vars.iter().cloned());
        }
        Ok(())
    }

    fn variable(&mut self, line: &str) -> Result<(), InventoryError> {
        let Some((name, value)) = line.split_once('=') else {
            return Err(self.error("expected name=value").into());
        };
        let located = self.located(python::literal(value.trim()));
        let vars = Vars::from_iter([(Arc::from(name.trim()), located)]);
        if !self.inventory.set_group_vars(self.group, vars) {
            return Err(self
                .error("ansible_group_priority is not a whole number")
                .into());
        }
        Ok(())
    }

    fn child(&mut self, line: &str) -> Result<(), InventoryError> {
        let (name, rest) = line
            .split_once(char::is_whitespace)
            .map_or((line, ""), |(name, rest)| (name, rest.trim_start()));
        if !(rest.is_empty() || rest.starts_with(['#', ';'])) || name.contains([':', ']']) {
            return Err(self
                .error("expected one group's name")
                .help(
                    "each group stands on a line of its own; their variables go below [group:vars]",
                )
                .into());
        }
        let defined = !self.pending.contains_key(name);
        match self.inventory.group_index.get(name).copied() {
            Some(child) if defined => self.adopt(self.group, child),
            _ => {
                let parent = self.group;
                self.await_group(name).parents.push(parent);
                Ok(())
            }
        }
    }

    /// Groups that were named and never defined are mistakes in writing, in Ansible too.
    fn finish(self) -> Result<(), InventoryError> {
        let Some((name, pending)) = self.pending.first() else {
            return Ok(());
        };
        let place = self.source.place(pending.line, pending.column);
        Err(self
            .source
            .error(place, format!("group `{name}` is not defined"))
            .help(format!(
                "add a section [{name}], it may be empty; or is the name written wrong?"
            ))
            .into())
    }
}
