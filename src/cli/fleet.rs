//! The hosts of a run and what is known of them: inventory, `-e`, vaults and templates, put together
//! for whoever asks for a host's variables.

use std::path::Path;
use std::sync::Arc;

use super::controller::ThisMachine;
use super::extra_vars::ExtraVars;
use super::vaults::VaultArgs;
use super::{CliError, Setup};
use crate::base::prompt::Prompt;
use crate::base::secret::Secret;
use crate::base::seen::Seen;
use crate::base::value::{Map, Value};
use crate::event::{ErrorKind, HostError, Redactor};
use crate::inventory::{Inventory, Loader, VaultFile, is_host_list};
use crate::playbook::run::LoadAgain;
use crate::target::{Resolved, Variables};
use crate::template::{self, Controller, Found, Scope};
use crate::vault::Vault;

/// Where inventories are looked for when nobody names one.
const USUAL: &[&str] = &["./inventory", "/etc/ioms/inventory"];

/// All hosts, with what opens and renders their variables.
pub struct Fleet {
    /// The inventory.
    pub inventory: Inventory,
    extra: ExtraVars,
    vault: Arc<Vault>,
    redactor: Arc<Redactor>,
    controller: ThisMachine,
    become_exe: Option<String>,
    become_flags: Option<String>,
}

/// Opens vault files.
fn opener(vault: &Arc<Vault>) -> VaultFile {
    let vault = vault.clone();
    Arc::new(move |text: &str| {
        vault
            .decrypt(text)
            .map(|opened| opened.expose().to_owned())
            .map_err(|error| error.to_string())
    })
}

/// The inventories that were named, else the usual one, else none.
fn sources(named: &[String]) -> Vec<String> {
    if !named.is_empty() {
        return named.to_vec();
    }
    let usual = USUAL.iter().find(|path| Path::new(path).exists());
    usual.map(|path| (*path).to_owned()).into_iter().collect()
}

/// The inventories that a run uses, as they are found again from any folder.
pub(super) fn inventories_of_record(setup: &Setup) -> Vec<String> {
    let sources = sources(setup.inventories()).into_iter();
    sources
        .map(|source| match std::path::absolute(&source) {
            Ok(path) if !is_host_list(&source) => path.to_string_lossy().into_owned(),
            _ => source,
        })
        .collect()
}

/// The inventories that were named, else the usual one; `None` when there is none.
fn inventory(
    named: &[String],
    vault: &Arc<Vault>,
    seen: &Seen,
) -> Result<Option<Inventory>, CliError> {
    let sources = sources(named);
    if sources.is_empty() {
        return Ok(None);
    }
    let mut loader = Loader::new(Some(opener(vault))).seeing(seen.clone());
    for source in &sources {
        loader.add(source)?;
    }
    Ok(Some(loader.finish()))
}

/// What there is without an inventory: this machine alone, and that only by its name.
fn nobody() -> Inventory {
    Loader::new(None).finish()
}

impl Fleet {
    /// Loads the inventories that were named, else the usual one.
    pub fn load(
        setup: &Setup,
        vaults: &VaultArgs,
        extra_vars: &[String],
        prompt: &Arc<dyn Prompt>,
    ) -> Result<Arc<Self>, CliError> {
        Self::with(setup, vaults, extra_vars, prompt, || {
            Err(
                CliError::new("there is no inventory: neither ./inventory nor /etc/ioms/inventory")
                    .hint("name one with -i FILE, or hosts with -i host1,host2,"),
            )
        })
    }

    /// The same for playbooks, which may be for this machine alone: they need no inventory.
    pub fn load_for_plays(
        setup: &Setup,
        vaults: &VaultArgs,
        extra_vars: &[String],
        prompt: &Arc<dyn Prompt>,
    ) -> Result<Arc<Self>, CliError> {
        Self::with(setup, vaults, extra_vars, prompt, || {
            setup.warn("there is no inventory (-i FILE): only localhost can be worked on");
            Ok(nobody())
        })
    }

    fn with(
        setup: &Setup,
        vaults: &VaultArgs,
        extra_vars: &[String],
        prompt: &Arc<dyn Prompt>,
        without: impl FnOnce() -> Result<Inventory, CliError>,
    ) -> Result<Arc<Self>, CliError> {
        let vault = Arc::new(vaults.vault(&setup.settings, prompt));
        let extra = ExtraVars::parse(extra_vars, &opener(&vault), &setup.seen)?;
        let inventory = match inventory(setup.inventories(), &vault, &setup.seen)? {
            Some(inventory) => inventory,
            None => without()?,
        };
        for warning in inventory.warnings() {
            setup.warn(warning);
        }
        Ok(Arc::new(Self {
            inventory,
            extra,
            vault,
            redactor: setup.redactor.clone(),
            controller: ThisMachine::here(),
            become_exe: setup.settings.become_exe().map(str::to_owned),
            become_flags: setup.settings.become_flags().map(str::to_owned),
        }))
    }

    /// Loads the same inventories again.
    pub fn again(&self, named: &[String]) -> LoadAgain {
        let (named, vault) = (named.to_owned(), self.vault.clone());
        Arc::new(move || {
            let found = inventory(&named, &vault, &Seen::default());
            let found = found.map_err(|error| error.message)?;
            Ok(found.unwrap_or_else(nobody))
        })
    }

    /// Opens vaults.
    pub fn vault(&self) -> crate::playbook::run::OpenVault {
        let vault = self.vault.clone();
        Arc::new(move |text: &str| vault.decrypt(text).map_err(|error| error.to_string()))
    }

    /// The variables of `-e`.
    pub fn extra_vars(&self) -> &ExtraVars {
        &self.extra
    }

    /// A host's variables, ready for use.
    pub fn host(self: &Arc<Self>, name: &Arc<str>) -> HostVariables {
        HostVariables {
            scope: Arc::new(HostScope {
                fleet: self.clone(),
                host: name.clone(),
            }),
        }
    }

    fn find(&self, host: &str, name: &str) -> Result<Option<Found>, String> {
        if let Some(found) = self.extra.get(name) {
            return Ok(Some(found.clone()));
        }
        let found = self
            .inventory
            .variable(host, name)
            .map_err(|error| error.to_string())?;
        let found = found.map(|found| Found {
            origin: found.place.to_string(),
            secret: found.secret,
            value: found.value,
        });
        Ok(found.or_else(|| self.fallback(host, name)))
    }

    /// What holds where nobody set a variable.
    fn fallback(&self, host: &str, name: &str) -> Option<Found> {
        let (value, origin) = match name {
            // The implicit localhost is the controller itself, as in Ansible.
            "ansible_connection" if host == "localhost" && !self.inventory.has_host(host) => {
                ("local", "ioms")
            }
            "ansible_become_exe" => (self.become_exe.as_deref()?, "setting become_exe"),
            "ansible_become_flags" => (self.become_flags.as_deref()?, "setting become_flags"),
            _ => return None,
        };
        Some(Found {
            value: Value::string(value),
            origin: origin.to_owned(),
            secret: false,
        })
    }

    /// Ansible's magic variables, as far as they are known outside a play.
    fn magic(&self, host: &str, name: &str) -> Option<Value> {
        let source = || self.inventory.source_of(host);
        Some(match name {
            "inventory_hostname" => Value::string(host),
            "inventory_hostname_short" => Value::string(host.split('.').next().unwrap_or_default()),
            "group_names" => Value::List(
                self.inventory
                    .groups_of(host)
                    .iter()
                    .map(Value::string)
                    .collect(),
            ),
            "groups" => Value::Map(self.groups()),
            "inventory_file" => Value::string(source()?.to_string_lossy()),
            "inventory_dir" => Value::string(source()?.parent()?.to_string_lossy()),
            _ => return None,
        })
    }

    fn groups(&self) -> Map {
        let names: Vec<&Arc<str>> = self.inventory.host_names().collect();
        self.inventory
            .group_names()
            .map(|group| {
                let hosts = self
                    .inventory
                    .counted_hosts_of_group(group)
                    .unwrap_or_default();
                let hosts = hosts
                    .into_iter()
                    .filter_map(|at| names.get(at).map(Value::string))
                    .collect();
                (group.clone(), Value::List(hosts))
            })
            .collect()
    }
}

/// What a template on a host may name.
struct HostScope {
    fleet: Arc<Fleet>,
    host: Arc<str>,
}

impl Scope for HostScope {
    fn lookup(&self, name: &str) -> Result<Option<Found>, String> {
        if let Some(found) = self.fleet.find(&self.host, name)? {
            return Ok(Some(found));
        }
        Ok(self.fleet.magic(&self.host, name).map(|value| Found {
            value,
            origin: "ioms".to_owned(),
            secret: false,
        }))
    }

    fn open(&self, vault: &str) -> Result<Secret, String> {
        let secret = self
            .fleet
            .vault
            .decrypt(vault)
            .map_err(|error| error.to_string())?;
        self.fleet.redactor.learn(&secret);
        Ok(secret)
    }

    fn controller(&self) -> Option<&dyn Controller> {
        Some(&self.fleet.controller)
    }
}

/// One host's variables.
pub struct HostVariables {
    scope: Arc<HostScope>,
}

impl Variables for HostVariables {
    fn get(&self, name: &str) -> Result<Option<Resolved>, HostError> {
        let failed = |why: String| HostError::new(ErrorKind::Template, why);
        let found = self
            .scope
            .fleet
            .find(&self.scope.host, name)
            .map_err(failed)?;
        let Some(found) = found else { return Ok(None) };
        let plain = !found.value.is_template()
            && !matches!(
                found.value,
                Value::Vault(_) | Value::List(_) | Value::Map(_)
            );
        if plain {
            return Ok(Some(Resolved {
                value: found.value,
                secret: false,
                origin: found.origin,
            }));
        }
        let scope: Arc<dyn Scope> = self.scope.clone();
        let rendered = template::render(&found.value, &scope)
            .map_err(|error| failed(format!("variable `{name}` ({}): {error}", found.origin)))?;
        Ok(Some(Resolved {
            value: rendered.value,
            secret: rendered.secret,
            origin: found.origin,
        }))
    }

    fn learn(&self, secret: &Secret) {
        self.scope.fleet.redactor.learn(secret);
    }
}
