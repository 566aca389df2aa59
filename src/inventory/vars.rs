//! `group_vars/` and `host_vars/` beside an inventory: which files there are is listed once, what
//! is in them is read when somebody asks.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::InventoryError;
use super::model::{Located, Vars, VaultFile};
use crate::base::diag::{Diagnostic, Place};
use crate::base::yaml;

/// The files of variables by what they are for, in the order of the inventories.
#[derive(Debug, Default)]
pub(super) struct VarFiles {
    groups: HashMap<String, Vec<PathBuf>>,
    hosts: HashMap<String, Vec<PathBuf>>,
    folders: Vec<PathBuf>,
}

impl VarFiles {
    /// Lists the two folders beside an inventory, once.
    pub(super) fn add_folder(&mut self, folder: &Path) {
        if self.folders.iter().any(|known| known == folder) {
            return;
        }
        self.folders.push(folder.to_owned());
        list(&folder.join("group_vars"), &mut self.groups);
        list(&folder.join("host_vars"), &mut self.hosts);
    }

    pub(super) fn of_group(
        &self,
        name: &str,
        vault: Option<&VaultFile>,
    ) -> Result<Option<Arc<Vars>>, InventoryError> {
        read_all(self.groups.get(name), vault)
    }

    pub(super) fn of_host(
        &self,
        name: &str,
        vault: Option<&VaultFile>,
    ) -> Result<Option<Arc<Vars>>, InventoryError> {
        read_all(self.hosts.get(name), vault)
    }
}

fn list(folder: &Path, into: &mut HashMap<String, Vec<PathBuf>>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        let Some(name) = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        else {
            continue;
        };
        if path.is_dir() {
            let files = into.entry(name).or_default();
            walk(&path, files, 0);
        } else if let Some(stem) = stem(&name) {
            into.entry(stem.to_owned()).or_default().push(path);
        }
    }
}

/// The files of a folder of variables, in the order of their names.
fn walk(folder: &Path, into: &mut Vec<PathBuf>, depth: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() && depth < 16 {
            walk(&path, into, depth + 1);
        } else if stem(&name).is_some() {
            into.push(path);
        }
    }
}

/// The name a file of variables is for: without ending, or with one of Ansible's.
fn stem(name: &str) -> Option<&str> {
    if name.starts_with('.') || name.ends_with('~') {
        return None;
    }
    for ending in [".yml", ".yaml", ".json"] {
        if let Some(stem) = name.strip_suffix(ending) {
            return Some(stem);
        }
    }
    // `web.example` is a host's name; other endings are files of other programs.
    let foreign = [
        ".orig", ".bak", ".retry", ".pyc", ".swp", ".md", ".txt", ".j2",
    ];
    (!foreign.iter().any(|ending| name.ends_with(ending))).then_some(name)
}

fn read_all(
    files: Option<&Vec<PathBuf>>,
    vault: Option<&VaultFile>,
) -> Result<Option<Arc<Vars>>, InventoryError> {
    let Some(files) = files else { return Ok(None) };
    let mut all = Vars::new();
    for file in files {
        all.extend(read(file, vault)?);
    }
    Ok(Some(Arc::new(all)))
}

/// Reads one file of variables.
pub(super) fn read(file: &Path, vault: Option<&VaultFile>) -> Result<Vars, InventoryError> {
    let mut text = std::fs::read_to_string(file).map_err(|error| InventoryError::Read {
        path: file.to_owned(),
        why: error.to_string(),
    })?;
    if text.starts_with("$ANSIBLE_VAULT;") {
        let fail = |why: String| InventoryError::Vault {
            path: file.to_owned(),
            why,
        };
        let open = vault.ok_or_else(|| fail("is a vault, and no password was given".into()))?;
        text = open(&text).map_err(fail)?;
    }
    let node = yaml::parse(&text, file)?;
    vars(&node, file, &text)
}

/// The entries of a mapping as variables.
pub(super) fn vars(node: &yaml::Node, file: &Path, text: &str) -> Result<Vars, InventoryError> {
    let shared: Arc<Path> = Arc::from(file);
    let entries = node.entries().ok_or_else(|| {
        Diagnostic::new("expected a mapping of variables", node.place(file), text)
            .help("write `name: value` lines")
    })?;
    Ok(entries
        .iter()
        .map(|(key, value)| {
            let place = Place {
                file: shared.clone(),
                line: key.line,
                column: key.column,
            };
            (
                key.name.clone(),
                Located {
                    value: value.value(),
                    place,
                },
            )
        })
        .collect())
}
