//! Ansible's INI inventory: hosts below `[group]`, `[group:vars]` and `[group:children]`.

use std::path::Path;
use std::sync::Arc;

use super::error::InventoryError;
use super::hostset;
use super::model::{ALL, GroupIx, Inventory, Located, UNGROUPED};
use super::python;
use super::yaml_format::split_port;
use crate::base::diag::{Diagnostic, Place};
use crate::base::value::Value;

#[derive(Clone, Copy)]
enum Section {
    Hosts,
    Vars,
    Children,
}

/// Adds what an INI inventory says.
pub(super) fn load(
    inventory: &mut Inventory,
    text: &str,
    file: &Arc<Path>,
) -> Result<(), InventoryError> {
    let mut reader = Reader {
        inventory,
        text,
        file,
        group: UNGROUPED,
        section: Section::Hosts,
        line: 0,
    };
    for (index, line) in text.lines().enumerate() {
        reader.line = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if trimmed.starts_with('[') && reader.header(trimmed)? {
            continue;
        }
        match reader.section {
            Section::Hosts => reader.host_line(trimmed)?,
            Section::Vars => reader.variable(trimmed)?,
            Section::Children => reader.child(trimmed)?,
        }
    }
    Ok(())
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    text: &'a str,
    file: &'a Arc<Path>,
    group: GroupIx,
    section: Section,
    line: u32,
}

impl Reader<'_> {
    fn place(&self) -> Place {
        let indent = self
            .text
            .lines()
            .nth(self.line as usize - 1)
            .map_or(0, |line| {
                line.chars().take_while(|c| c.is_whitespace()).count()
            });
        Place {
            file: self.file.clone(),
            line: self.line,
            column: u32::try_from(indent + 1).unwrap_or(1),
        }
    }

    fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message, self.place(), self.text)
    }

    /// A section's head; false when the line is a host such as `[::1]:22`.
    fn header(&mut self, line: &str) -> Result<bool, InventoryError> {
        let Some((inner, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        else {
            return Err(self.error("a section's `]` is missing").into());
        };
        let rest = rest.trim();
        if !(rest.is_empty() || rest.starts_with(['#', ';'])) {
            if inner.matches(':').count() > 1 {
                return Ok(false);
            }
            return Err(self.error("something stands behind a section's `]`").into());
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
        if name.is_empty() {
            return Err(self.error("a section without a name").into());
        }
        self.group = self.inventory.group(name);
        self.section = section;
        Ok(true)
    }

    fn host_line(&mut self, line: &str) -> Result<(), InventoryError> {
        let words = python::split(line).map_err(|why| self.error(why))?;
        let Some((pattern, rest)) = words.split_first() else {
            return Ok(());
        };
        let (pattern, port) = split_port(pattern);
        let names = if pattern.contains('[') {
            hostset::expand(pattern).map_err(|error| self.error(error.to_string()))?
        } else {
            vec![pattern.to_owned()]
        };
        let place = self.place();
        let mut vars: Vec<(Arc<str>, Located)> = Vec::new();
        if let Some(port) = port {
            let value = Value::Int(port.into());
            vars.push((
                Arc::from("ansible_port"),
                Located {
                    value,
                    place: place.clone(),
                },
            ));
        }
        for word in rest {
            let Some((name, value)) = word.split_once('=') else {
                return Err(self
                    .error(format!("expected name=value, found `{word}`"))
                    .help("several hosts stand on several lines; a value with spaces needs quotes")
                    .into());
            };
            let value = python::literal(value);
            vars.push((
                Arc::from(name),
                Located {
                    value,
                    place: place.clone(),
                },
            ));
        }
        for name in names {
            let host = self.inventory.host(&name, Some(self.file));
            self.inventory.add_host_to(self.group, host);
            self.inventory.hosts[host].vars.extend(vars.iter().cloned());
        }
        Ok(())
    }

    fn variable(&mut self, line: &str) -> Result<(), InventoryError> {
        let Some((name, value)) = line.split_once('=') else {
            return Err(self.error("expected name=value").into());
        };
        let located = Located {
            value: python::literal(value.trim()),
            place: self.place(),
        };
        self.inventory.groups[self.group.0]
            .vars
            .insert(Arc::from(name.trim()), located);
        Ok(())
    }

    fn child(&mut self, line: &str) -> Result<(), InventoryError> {
        let name = line.split(['#', ';']).next().unwrap_or_default().trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(self.error("expected one group's name").into());
        }
        let child = self.inventory.group(name);
        if child == ALL || !self.inventory.add_child(self.group, child) {
            return Err(self
                .error(format!("group `{name}` would be its own parent"))
                .into());
        }
        Ok(())
    }
}
