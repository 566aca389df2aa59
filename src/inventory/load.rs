//! From what the user names with `-i` to one inventory: files of every format, folders, programs,
//! and lists of hosts.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::InventoryError;
use super::model::{Inventory, Located, UNGROUPED, VaultFile};
use super::source::{self, Source};
use super::{address, dynamic, ini, yaml_format};
use crate::base::diag::Place;
use crate::base::seen::Seen;
use crate::base::value::Value;

/// What Ansible passes over in a folder of inventories.
const IGNORED: &[&str] = &[
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
    // Ours: what `inventory import` reads.
    ".csv",
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
        loader.inventory.reading.vault = vault;
        loader
    }

    /// Tells of each file that is read, now and later.
    #[must_use]
    pub fn seeing(mut self, seen: Seen) -> Self {
        self.inventory.reading.seen = seen;
        self
    }

    /// Adds one source; later ones are stronger.
    pub fn add(&mut self, source: &str) -> Result<(), InventoryError> {
        if is_host_list(source) {
            return self.add_list(source);
        }
        let path = Path::new(source);
        if path.is_dir() {
            self.add_var_files(path);
            return self.add_folder(path, 0);
        }
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        self.add_var_files(folder.unwrap_or(Path::new(".")));
        self.add_file(path)
    }

    /// Settles and gives the inventory.
    pub fn finish(mut self) -> Inventory {
        self.inventory.settle();
        self.inventory
    }

    fn add_list(&mut self, source: &str) -> Result<(), InventoryError> {
        for name in super::pattern::split_top(source, &[',']) {
            let name = name.trim();
            if name.is_empty() {
                continue;
            }
            let unsupported = |what| InventoryError::Unsupported {
                path: PathBuf::from(source),
                what,
            };
            let (names, port) = address::hosts(name).map_err(unsupported)?;
            let port = port.map(|port| Located {
                value: Value::Int(port.into()),
                place: Place::new("-i", 0, 0),
                secret: false,
            });
            for name in names {
                self.inventory
                    .add_named_host(UNGROUPED, &name, port.as_ref(), None);
            }
        }
        Ok(())
    }

    /// Lists what stands beside an inventory.
    fn add_var_files(&mut self, folder: &Path) {
        let warnings = self.inventory.var_files.add_folder(folder);
        self.inventory.warnings.extend(warnings);
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
        // Only so much is read ahead: what is a pipe can be read once.
        let mut head = Vec::new();
        file.by_ref().take(4).read_to_end(&mut head).map_err(fail)?;
        let executable = metadata.permissions().mode() & 0o111 != 0;
        if executable && (head.starts_with(b"#!") || head == b"\x7fELF") {
            return dynamic::load(&mut self.inventory, &shared);
        }
        // Before it is read: it may not even be UTF-8.
        if path.extension().is_some_and(|ending| ending == "csv") {
            return Err(InventoryError::Unsupported {
                path: path.to_owned(),
                what:
                    "a table is no inventory: make one of it with `iomsctl inventory import FILE`"
                        .into(),
            });
        }
        let (text, secret) = source::read(path, &head, file, &self.inventory.reading)?;
        self.add_source(&Source {
            file: &shared,
            text: &text,
            secret,
        })
    }

    /// Adds an inventory that is in memory. What it is called tells its format and stands in
    /// messages.
    pub fn add_text(&mut self, name: &Path, text: &str) -> Result<(), InventoryError> {
        self.add_source(&Source {
            file: &Arc::from(name),
            text,
            secret: false,
        })
    }

    fn add_source(&mut self, source: &Source<'_>) -> Result<(), InventoryError> {
        let yaml = match source.file.extension().and_then(|ending| ending.to_str()) {
            Some("yml" | "yaml" | "json") => true,
            Some("toml") => {
                return Err(InventoryError::Unsupported {
                    path: source.file.to_path_buf(),
                    what: "TOML inventories are not supported: convert it with `ansible-inventory --list --yaml`".into(),
                });
            }
            None => looks_like_yaml(source.text),
            _ => false,
        };
        if yaml {
            yaml_format::load(&mut self.inventory, source)
        } else {
            ini::load(&mut self.inventory, source)
        }
    }
}

/// Whether a file without an ending is YAML or JSON: its first line is `---`, `{` or `group:`, none
/// of which an INI inventory can hold.
fn looks_like_yaml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| {
        let bare = line.split(" #").next().unwrap_or_default().trim_end();
        line.starts_with("---") || line.starts_with('{') || bare.ends_with(':')
    })
}
