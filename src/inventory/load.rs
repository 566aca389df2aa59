//! From what the user names with `-i` to one inventory: files of every format, folders, programs,
//! and lists of hosts.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::InventoryError;
use super::hostset;
use super::model::{Inventory, UNGROUPED, VaultFile};
use super::{dynamic, ini, yaml_format};

/// No inventory file is larger, in bytes.
const FILE_MAX: u64 = 256 << 20;

/// What Ansible passes over in a folder of inventories.
const IGNORED: &[&str] = &[
    "~", ".orig", ".bak", ".ini", ".cfg", ".retry", ".pyc", ".pyo", ".rst", ".md", ".txt", ".csv",
    ".swp",
];

/// Loads inventories one after the other into one.
#[derive(Default)]
pub struct Loader {
    inventory: Inventory,
}

/// Whether an `-i` is a list of hosts: `h1,h2,`.
pub fn is_host_list(source: &str) -> bool {
    source.contains(',') && !Path::new(source).exists()
}

impl Loader {
    /// A loader; `vault` opens vault files of variables.
    pub fn new(vault: Option<VaultFile>) -> Self {
        let mut loader = Self::default();
        loader.inventory.vault = vault;
        loader
    }

    /// Adds one source; later ones are stronger.
    pub fn add(&mut self, source: &str) -> Result<(), InventoryError> {
        if is_host_list(source) {
            return self.add_list(source);
        }
        let path = Path::new(source);
        if path.is_dir() {
            self.inventory.var_files.add_folder(path);
            return self.add_folder(path, 0);
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        self.inventory
            .var_files
            .add_folder(folder.unwrap_or(Path::new(".")));
        self.add_file(path)
    }

    /// Settles and gives the inventory.
    pub fn finish(mut self) -> Inventory {
        self.inventory.settle();
        self.inventory
    }

    fn add_list(&mut self, source: &str) -> Result<(), InventoryError> {
        for name in super::pattern::split_top(source, &[',']) {
            let (pattern, port) = yaml_format::split_port(name.trim());
            if pattern.is_empty() {
                continue;
            }
            let names = hostset::expand(pattern).map_err(|error| InventoryError::Unsupported {
                path: PathBuf::from(source),
                what: error.to_string(),
            })?;
            for name in names {
                let host = self.inventory.host(&name, None);
                self.inventory.add_host_to(UNGROUPED, host);
                if let Some(port) = port {
                    let place = crate::base::diag::Place::new("-i", 0, 0);
                    let value = crate::base::value::Value::Int(port.into());
                    let located = super::model::Located { value, place };
                    self.inventory.hosts[host]
                        .vars
                        .insert(Arc::from("ansible_port"), located);
                }
            }
        }
        Ok(())
    }

    fn add_folder(&mut self, folder: &Path, depth: usize) -> Result<(), InventoryError> {
        let read = |error: std::io::Error| InventoryError::Read {
            path: folder.to_owned(),
            why: error.to_string(),
        };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(read)? {
            paths.push(entry.map_err(read)?.path());
        }
        paths.sort();
        for path in paths {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let ignored =
                name.starts_with('.') || IGNORED.iter().any(|ending| name.ends_with(ending));
            if ignored || matches!(name.as_str(), "group_vars" | "host_vars" | "vars_plugins") {
                continue;
            }
            if path.is_dir() {
                if depth < 8 {
                    self.inventory.var_files.add_folder(&path);
                    self.add_folder(&path, depth + 1)?;
                }
            } else {
                self.add_file(&path)?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<(), InventoryError> {
        let fail = |error: std::io::Error| InventoryError::Read {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let mut file = std::fs::File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        let shared: Arc<Path> = Arc::from(path);
        let mut head = [0; 4];
        let got = file.read(&mut head).map_err(fail)?;
        let head = head.get(..got).unwrap_or_default();
        let executable = metadata.permissions().mode() & 0o111 != 0;
        if executable && (head.starts_with(b"#!") || head == b"\x7fELF") {
            return dynamic::load(&mut self.inventory, &shared);
        }
        if metadata.len() > FILE_MAX {
            return Err(InventoryError::Unsupported {
                path: path.to_owned(),
                what: "the file is larger than 256 MiB".into(),
            });
        }
        let mut text = std::fs::read_to_string(path).map_err(fail)?;
        if let Some(rest) = text.strip_prefix('\u{feff}') {
            text = rest.to_owned();
        }
        if text.starts_with("$ANSIBLE_VAULT;") {
            let fail = |why: String| InventoryError::Vault {
                path: path.to_owned(),
                why,
            };
            let open = self.inventory.vault.clone();
            let open = open.ok_or_else(|| fail("is a vault, and no password was given".into()))?;
            text = open(&text).map_err(fail)?;
        }
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("yml" | "yaml" | "json") => yaml_format::load(&mut self.inventory, &text, &shared),
            Some("toml") => Err(InventoryError::Unsupported {
                path: path.to_owned(),
                what: "TOML inventories are not supported: convert it with `ansible-inventory --list --yaml`".into(),
            }),
            _ => ini::load(&mut self.inventory, &text, &shared),
        }
    }
}
