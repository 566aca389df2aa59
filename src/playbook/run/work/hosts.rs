//! The hosts of a run and what is known of them from outside the playbook: inventory, extra variables,
//! vaults; and the hosts and groups that tasks add to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use super::kept::Keep;
use crate::base::secret::Secret;
use crate::base::value::Value;
use crate::event::Redactor;
use crate::inventory::Inventory;
use crate::template::Found;

/// Opens a vault's text; the command line fills it.
pub type OpenVault = Arc<dyn Fn(&str) -> Result<Secret, String> + Send + Sync>;

/// Variables of the command line, by name.
pub type ExtraVars = HashMap<Arc<str>, Found>;

/// Loads the inventory again; the command line fills it.
pub type LoadAgain = Arc<dyn Fn() -> Result<Inventory, String> + Send + Sync>;

/// All hosts, with what opens their variables.
pub struct Hosts {
    again: Option<LoadAgain>,
    inventory: RwLock<Inventory>,
    /// The folder of the playbook at work.
    beside: Mutex<Option<PathBuf>>,
    pub(super) extra: ExtraVars,
    vault: OpenVault,
    redactor: Arc<Redactor>,
    keep: Option<Arc<Keep>>,
}

impl Hosts {
    /// Over an inventory.
    pub fn new(
        inventory: Inventory,
        extra: ExtraVars,
        vault: OpenVault,
        redactor: Arc<Redactor>,
    ) -> Self {
        Self {
            again: None,
            inventory: RwLock::new(inventory),
            beside: Mutex::default(),
            extra,
            vault,
            redactor,
            keep: None,
        }
    }

    /// Secrets that come up are kept, too.
    #[must_use]
    pub(super) fn keeping(mut self, keep: Option<Arc<Keep>>) -> Self {
        self.keep = keep;
        self
    }

    /// With a way to load the inventory again: `meta: refresh_inventory`.
    #[must_use]
    pub fn reloading(mut self, again: LoadAgain) -> Self {
        self.again = Some(again);
        self
    }

    /// Loads the inventory again; what tasks have added to it is gone.
    pub(super) fn refresh(&self) -> Result<(), String> {
        let Some(again) = &self.again else {
            return Err("the inventory can't be loaded again here".to_owned());
        };
        let fresh = again()?;
        let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        self.change(|inventory| {
            *inventory = fresh;
            if let Some(folder) = beside.as_deref() {
                inventory.add_vars_beside(folder);
            }
        });
        Ok(())
    }

    /// The inventory as it is now; not to be held while anybody is waited for.
    pub fn inventory(&self) -> RwLockReadGuard<'_, Inventory> {
        self.inventory
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it: `add_host`, `group_by`, `refresh_inventory`.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Inventory) -> T) -> T {
        change(
            &mut self
                .inventory
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// A play begins: the variables beside its playbook are stronger than those beside inventories.
    pub(super) fn beside(&self, folder: &Path) {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let mut last = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_deref() != Some(folder) {
            *last = Some(folder.to_owned());
            self.change(|inventory| inventory.add_vars_beside(folder));
        }
    }

    /// Opens a vault; its text is taken out of all that is shown from now on.
    pub fn open(&self, vault: &str) -> Result<Secret, String> {
        let secret = (self.vault)(vault)?;
        self.learn(&secret);
        Ok(secret)
    }

    /// Opens a file that is a vault as a whole: its values are secrets, its text as such is none.
    pub(super) fn open_file(&self, vault: &str) -> Result<String, String> {
        (self.vault)(vault).map(|text| text.expose().to_owned())
    }

    /// Takes a secret out of all that is shown from now on, also by who goes on with this run.
    pub(super) fn learn(&self, secret: &Secret) {
        if self.redactor.learn(secret)
            && let Some(keep) = &self.keep
        {
            keep.secret(secret);
        }
    }

    /// A variable of the inventory.
    pub(super) fn variable(&self, host: &str, name: &str) -> Result<Option<Found>, String> {
        let found = self
            .inventory()
            .variable(host, name)
            .map_err(|error| error.to_string())?;
        Ok(found.map(|found| Found {
            origin: found.place.to_string(),
            secret: found.secret,
            value: found.value,
        }))
    }

    /// What holds where nobody set a variable.
    pub(super) fn fallback(&self, host: &str, name: &str) -> Option<Found> {
        // The implicit localhost is the controller itself, as in Ansible.
        let local =
            name == "ansible_connection" && host == "localhost" && !self.inventory().has_host(host);
        local.then(|| super::scope::here(Value::string("local"), "ioms"))
    }

    pub(super) fn groups_of(&self, host: &str) -> Vec<Arc<str>> {
        self.inventory().groups_of(host)
    }

    pub(super) fn source_of(&self, host: &str) -> Option<PathBuf> {
        self.inventory().source_of(host)
    }

    /// A host's name, where the inventory has it.
    pub(super) fn name(&self, host: &str) -> Option<Arc<str>> {
        self.inventory().has_host(host).then(|| Arc::from(host))
    }

    /// The hosts of a group.
    pub(super) fn hosts_of(&self, group: &str) -> Option<Vec<Arc<str>>> {
        let inventory = self.inventory();
        let names: Vec<&Arc<str>> = inventory.host_names().collect();
        let hosts = inventory.counted_hosts_of_group(group)?;
        Some(
            hosts
                .into_iter()
                .filter_map(|at| names.get(at).map(|name| (*name).clone()))
                .collect(),
        )
    }
}
