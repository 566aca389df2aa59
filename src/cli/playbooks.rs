//! What loading playbooks needs of settings and environment, for all verbs that do it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Setup;
use crate::module::Library;
use crate::playbook::Options;
use crate::vault::Vault;

/// Folders of roles that Ansible looks in where nothing is set.
const ROLES: &[&str] = &[
    "~/.ansible/roles",
    "/usr/share/ansible/roles",
    "/etc/ansible/roles",
];
/// Folders of collections that Ansible looks in where nothing is set.
const COLLECTIONS: &[&str] = &["~/.ansible/collections", "/usr/share/ansible/collections"];

/// The options of this process.
pub(super) fn options(setup: &Setup, vault: Arc<Vault>) -> Options {
    let folders = |said: &[String], otherwise: &[&str]| -> Vec<PathBuf> {
        if said.is_empty() {
            let names = otherwise.iter();
            names.map(|name| super::named_file(name)).collect()
        } else {
            said.iter().map(PathBuf::from).collect()
        }
    };
    Options {
        roles_path: folders(setup.settings.roles_path(), ROLES),
        collections: folders(setup.settings.collections_path(), COLLECTIONS),
        extra_vars: crate::base::value::Map::new(),
        seen: setup.seen.clone(),
        vault: Some(Arc::new(move |text| {
            let opened = vault.decrypt(text).map_err(|why| why.to_string())?;
            Ok(opened.expose().to_owned())
        })),
        modules: Arc::new(Library::new(vec![
            Path::new(&setup.data_dir()).join("modules"),
        ])),
    }
}
