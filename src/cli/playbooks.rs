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
/// Folders of collections that Ansible looks in.
const COLLECTIONS: &[&str] = &["~/.ansible/collections", "/usr/share/ansible/collections"];

/// The options of this process.
pub(super) fn options(setup: &Setup, vault: Arc<Vault>) -> Options {
    let folders = |names: &[&str]| -> Vec<PathBuf> {
        names.iter().map(|name| super::named_file(name)).collect()
    };
    let roles = setup.settings.roles_path();
    Options {
        roles_path: if roles.is_empty() {
            folders(ROLES)
        } else {
            roles.iter().map(PathBuf::from).collect()
        },
        collections: folders(COLLECTIONS),
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
