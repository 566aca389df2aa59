//! What hosts have shown, kept between `scan` and `approve`: a file of the data folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::private_file::replace;
use crate::cli::{CliError, Setup};

/// By the name on record: keys as `known_hosts` has them; certificates (their name begins with
/// `x509 `) in base64.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Shown(BTreeMap<String, Vec<String>>);

impl Shown {
    fn path(setup: &Setup) -> PathBuf {
        setup.data_dir().join("hostkeys.json")
    }

    /// What was kept; nothing, where it can't be read: a scan makes it anew.
    pub(super) fn load(setup: &Setup) -> Self {
        std::fs::read(Self::path(setup))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    pub(super) fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    pub(super) fn keep(&mut self, name: String, shown: Vec<String>) {
        self.0.insert(name, shown);
    }

    pub(super) fn drop(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(super) fn save(&self, setup: &Setup) -> Result<(), CliError> {
        let path = Self::path(setup);
        setup.make_data_dir()?;
        let fresh = path.with_extension("json.new");
        replace(&path, &fresh, &serde_json::to_vec(self)?)?;
        Ok(())
    }
}
