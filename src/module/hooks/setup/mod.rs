//! Facts under Ansible's names. The script sends what the host's files and tools say; here it becomes
//! facts, one file a family.

mod block;
mod distribution;
mod hardware;
mod local;
mod network;
mod raw;
mod software;
mod subset;
mod system;
mod virtualization;

#[cfg(test)]
mod tests;

use serde_json::json;

use self::raw::{Facts, Raw};
use self::subset::Chosen;
use super::super::call::{Call, Controller, Platform, Said};
use super::super::error::ModuleError;
use super::Hook;
use crate::base::value::{Map, Value};

pub(super) struct Setup;

impl Hook for Setup {
    fn prepare(&self, call: &mut Call, _controller: &dyn Controller) -> Result<(), ModuleError> {
        if call.situation.platform == Platform::Windows {
            return Ok(());
        }
        let chosen = Chosen::of(words(call, "gather_subset").into_iter())
            .map_err(|why| ModuleError::of("gather_subset", why))?;
        for (name, text) in [
            ("want", chosen.names()),
            ("files", chosen.files()),
            ("there", chosen.there()),
        ] {
            call.extra.insert(name.into(), Value::string(text));
        }
        Ok(())
    }

    fn conclude(&self, call: &Call, _said: &Said, result: &mut Map) {
        let said = result.shift_remove("raw");
        if result.contains_key("failed") {
            return;
        }
        if call.situation.platform == Platform::Windows {
            // Its script says facts already.
            let filter = words(call, "filter");
            if let Some(Value::Map(facts)) = result.get_mut("ansible_facts") {
                facts.retain(|name, _| {
                    subset::passes(&filter, name.strip_prefix("ansible_").unwrap_or(name))
                });
                facts.sort_unstable_keys();
            }
            return;
        }
        let Ok(chosen) = Chosen::of(words(call, "gather_subset").into_iter()) else {
            return;
        };
        let raw = Raw::of(said.as_ref());
        let mut facts = gathered(&raw, &chosen);
        facts.insert("module_setup".into(), json!(true));
        facts.insert("gather_subset".into(), json!(words(call, "gather_subset")));
        let filter = words(call, "filter");
        let mut named = Map::new();
        for (name, value) in &facts {
            if subset::passes(&filter, name) {
                let full = match name.as_str() {
                    "module_setup" | "gather_subset" => name.clone(),
                    name => format!("ansible_{name}"),
                };
                named.insert(full.into(), Value::from_json(value));
            }
        }
        named.sort_unstable_keys();
        result.insert("ansible_facts".into(), Value::Map(named));
    }
}

fn words<'a>(call: &'a Call, name: &str) -> Vec<&'a str> {
    match call.params.get(name) {
        Some(Value::List(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Makes facts of what the host has said.
type Family = fn(&Raw<'_>, &mut Facts);

fn gathered(raw: &Raw<'_>, chosen: &Chosen) -> Facts {
    let mut facts = Facts::new();
    let families: &[(&str, Family)] = &[
        ("platform", system::platform),
        ("distribution", distribution::facts),
        ("user", system::user),
        ("env", system::env),
        ("date_time", system::date_time),
        ("cmdline", system::cmdline),
        ("dns", system::dns),
        ("loadavg", system::loadavg),
        ("apparmor", system::apparmor),
        ("selinux", system::selinux),
        ("fips", system::fips),
        ("caps", system::caps),
        ("chroot", system::chroot),
        ("ssh_pub_keys", system::ssh_keys),
        ("lsb", software::lsb),
        ("pkg_mgr", software::pkg_mgr),
        ("service_mgr", software::service_mgr),
        ("systemd", software::systemd),
        ("local", local::facts),
        ("network", network::facts),
        ("iscsi", network::iscsi),
        ("nvme", network::nvme),
        ("fibre_channel_wwn", network::fibre_channel),
        ("hardware", hardware::facts),
        ("hardware", block::facts),
        ("virtual", virtualization::facts),
    ];
    for (name, family) in families {
        if chosen.has(name) {
            family(raw, &mut facts);
        }
    }
    facts
}
