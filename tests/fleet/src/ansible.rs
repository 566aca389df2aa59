//! Ansible, with which playbooks are compared.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::folder;

/// The virtual environment that has it: `IOMS_TEST_ORACLE`, else the one that `scripts/test` makes.
pub fn ansible() -> Result<PathBuf> {
    let made = folder::target().join("ioms-oracle");
    let folder = std::env::var_os("IOMS_TEST_ORACLE").map_or(made, PathBuf::from);
    if folder.join("bin/ansible-playbook").is_file() {
        return Ok(folder);
    }
    Err(Error::NoProgram(format!(
        "{}/bin/ansible-playbook (scripts/test makes it; IOMS_TEST_ORACLE names another)",
        folder.display()
    )))
}
