//! Where roles are looked for: collections, `roles/` beside the playbook, the settings' folders.

use std::path::{Path, PathBuf};

use super::files::tidy;
use super::keyword::Keyword;
use super::loader::{Loader, Within};

impl Loader {
    /// Where a role is; else where it was looked for.
    pub(super) fn find_role(&self, name: &str, within: &Within) -> Result<FoundRole, Vec<PathBuf>> {
        let mut looked = Vec::new();
        if let Some(found) = self.in_collections(name, within, &mut looked) {
            return Ok(found);
        }
        let mut folders = vec![within.folder.join("roles")];
        folders.extend(self.options.roles_path.iter().cloned());
        let beside = within
            .role
            .as_ref()
            .and_then(|used| used.role.path.parent());
        folders.extend(beside.map(Path::to_owned));
        folders.push(within.folder.to_path_buf());
        for folder in folders {
            let path = tidy(&folder.join(name));
            if path.is_dir() {
                return Ok(FoundRole::at(path, name, None));
            }
            if !looked.contains(&folder) {
                looked.push(folder);
            }
        }
        let path = tidy(Path::new(name));
        if name.contains('/') && path.is_dir() {
            return Ok(FoundRole::at(path, name, None));
        }
        Err(looked)
    }

    fn in_collections(
        &self,
        name: &str,
        within: &Within,
        looked: &mut Vec<PathBuf>,
    ) -> Option<FoundRole> {
        let parts: Vec<&str> = name.split('.').collect();
        let mut wanted: Vec<(String, &str)> = Vec::new();
        if let [namespace, collection, role] = parts.as_slice() {
            wanted.push((format!("{namespace}.{collection}"), role));
        } else if parts.len() == 1 && !name.contains('/') {
            let own = within
                .role
                .as_ref()
                .and_then(|used| used.role.collection.as_deref());
            wanted.extend(own.map(|own| (own.to_owned(), name)));
            let named = within.keywords.items(Keyword::Collections);
            wanted.extend(
                named
                    .iter()
                    .filter_map(|each| Some((each.text()?.to_owned(), name))),
            );
        }
        let beside = within.folder.join("collections");
        // A playbook that stands in a collection itself knows its neighbours.
        let around = within.folder.ancestors();
        let around = around.filter(|each| each.ends_with("ansible_collections"));
        let around = around.filter_map(Path::parent).map(Path::to_owned);
        let roots: Vec<PathBuf> = std::iter::once(beside)
            .chain(around)
            .chain(self.options.collections.iter().cloned())
            .collect();
        for (collection, role) in wanted {
            let Some((namespace, short)) = collection.split_once('.') else {
                continue;
            };
            for folder in &roots {
                let roles = folder
                    .join("ansible_collections")
                    .join(namespace)
                    .join(short)
                    .join("roles");
                let path = tidy(&roles.join(role));
                if path.is_dir() {
                    return Some(FoundRole::at(path, role, Some(collection)));
                }
                if parts.len() == 3 {
                    looked.push(roles);
                }
            }
        }
        None
    }
}

/// A role's place.
pub(super) struct FoundRole {
    pub(super) path: PathBuf,
    pub(super) name: String,
    pub(super) collection: Option<String>,
}

impl FoundRole {
    fn at(path: PathBuf, name: &str, collection: Option<String>) -> Self {
        // A name with folders is a path: its last part is the name.
        let is_path = Path::new(name).is_absolute() || name.starts_with('.');
        let last = path.file_name().filter(|_| is_path);
        let last = last.map(|last| last.to_string_lossy().into_owned());
        Self {
            name: last.unwrap_or_else(|| name.to_owned()),
            path,
            collection,
        }
    }
}
