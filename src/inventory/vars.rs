//! `group_vars/` and `host_vars/` beside an inventory: which files there are is listed once, what
//! is in them is read when somebody asks.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::InventoryError;
use super::model::Vars;
use super::source::{self, Reading, Source};

/// What a file of variables may end with, strongest first; one of a name is read, as in Ansible.
const ENDINGS: &[&str] = &["", ".yml", ".yaml", ".json"];

/// The folders that stand beside the inventories, in their order.
#[derive(Debug, Default)]
pub(super) struct VarFiles {
    folders: Vec<Folder>,
}

/// The two folders beside an inventory.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    groups: Listing,
    hosts: Listing,
}

/// What there is for each name.
#[derive(Debug, Default)]
struct Listing(HashMap<String, Entry>);

#[derive(Debug)]
struct Entry {
    path: PathBuf,
    ending: usize,
    folder: bool,
}

/// The variables of one group, a folder each.
pub(super) type Layers = Arc<[Option<Arc<Vars>>]>;

impl VarFiles {
    /// Lists the two folders beside an inventory; named again, they are the strongest. Gives what
    /// the user should know.
    pub(super) fn add_folder(&mut self, folder: &Path) -> Vec<String> {
        if let Some(known) = self.folders.iter().position(|known| known.path == folder) {
            let known = self.folders.remove(known);
            self.folders.push(known);
            return Vec::new();
        }
        let mut warnings = Vec::new();
        self.folders.push(Folder {
            path: folder.to_owned(),
            groups: Listing::of(&folder.join("group_vars"), &mut warnings),
            hosts: Listing::of(&folder.join("host_vars"), &mut warnings),
        });
        warnings
    }

    /// How many folders there are.
    pub(super) fn len(&self) -> usize {
        self.folders.len()
    }

    pub(super) fn of_group(&self, name: &str, reading: &Reading) -> Result<Layers, InventoryError> {
        self.folders
            .iter()
            .map(|folder| folder.groups.read(name, reading))
            .collect()
    }

    pub(super) fn of_host(
        &self,
        name: &str,
        reading: &Reading,
    ) -> Result<Option<Arc<Vars>>, InventoryError> {
        let mut merged: Option<Arc<Vars>> = None;
        for folder in &self.folders {
            let Some(found) = folder.hosts.read(name, reading)? else {
                continue;
            };
            merged = Some(match merged {
                None => found,
                Some(before) => {
                    let mut all = Vars::clone(&before);
                    all.extend(
                        found
                            .iter()
                            .map(|(name, each)| (name.clone(), each.clone())),
                    );
                    Arc::new(all)
                }
            });
        }
        Ok(merged)
    }
}

impl Listing {
    fn of(folder: &Path, warnings: &mut Vec<String>) -> Self {
        let mut listing = Self::default();
        for (name, path, folder) in entries(folder) {
            if hidden(&name) {
                continue;
            }
            for (ending, text) in ENDINGS.iter().enumerate() {
                let Some(stem) = name.strip_suffix(text).filter(|stem| !stem.is_empty()) else {
                    continue;
                };
                let entry = Entry {
                    path: path.clone(),
                    ending,
                    folder,
                };
                listing.add(stem, entry, warnings);
            }
        }
        listing
    }

    fn add(&mut self, name: &str, entry: Entry, warnings: &mut Vec<String>) {
        let Some(known) = self.0.get_mut(name) else {
            self.0.insert(name.to_owned(), entry);
            return;
        };
        let (stronger, weaker) = if entry.ending < known.ending {
            let weaker = std::mem::replace(known, entry);
            (&*known, weaker)
        } else {
            (&*known, entry)
        };
        warnings.push(format!(
            "{} is not read: {} is for the same name and stronger",
            weaker.path.display(),
            stronger.path.display()
        ));
    }

    fn read(&self, name: &str, reading: &Reading) -> Result<Option<Arc<Vars>>, InventoryError> {
        let Some(entry) = self.0.get(name) else {
            return Ok(None);
        };
        if !entry.folder {
            return Ok(Some(Arc::new(read(&entry.path, reading)?)));
        }
        let mut files = Vec::new();
        walk(&entry.path, &mut files, 0);
        let mut all = Vars::new();
        for file in files {
            all.extend(read(&file, reading)?);
        }
        Ok(Some(Arc::new(all)))
    }
}

/// What is in a folder, by name, each with whether it is a folder; links are followed.
fn entries(folder: &Path) -> Vec<(String, PathBuf, bool)> {
    let Ok(found) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<_> = found
        .flatten()
        .filter_map(|entry| {
            let path = entry.path();
            let kind = entry.file_type().ok()?;
            let folder = kind.is_dir() || (kind.is_symlink() && path.is_dir());
            Some((entry.file_name().into_string().ok()?, path, folder))
        })
        .collect();
    found.sort();
    found
}

fn hidden(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~')
}

/// The files of a folder of variables, in the order of their names.
fn walk(folder: &Path, into: &mut Vec<PathBuf>, depth: usize) {
    for (name, path, folder) in entries(folder) {
        let ending = Path::new(&name).extension().and_then(OsStr::to_str);
        if hidden(&name) {
            continue;
        }
        match ending {
            None if folder && depth < 16 => walk(&path, into, depth + 1),
            None | Some("yml" | "yaml" | "json") if !folder => into.push(path),
            _ => {}
        }
    }
}

/// Reads one file of variables.
fn read(path: &Path, reading: &Reading) -> Result<Vars, InventoryError> {
    let file = std::fs::File::open(path).map_err(|error| InventoryError::Read {
        path: path.to_owned(),
        why: error.to_string(),
    })?;
    let (text, secret) = source::read(path, &[], file, reading)?;
    let source = Source {
        file: &Arc::from(path),
        text: &text,
        secret,
    };
    let node = source.parse()?;
    source.vars(&node)
}
