//! Facts that earlier runs of plays found, as far as the setting `facts.ttl` lets them serve. A run
//! never fails because of them: what can't be looked up is not known, and said once.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::look_up;
use super::records::ago;
use super::{CliError, Setup};
use crate::base::value::{Map, Value};
use crate::playbook::run::EarlierFacts;
use crate::store::{DatabaseUrl, Fact, OF_PLAYS};

/// How long hosts wait for what is known of them.
const PATIENCE: Duration = Duration::from_secs(10);

/// The facts on record.
pub(super) struct FactsOnRecord {
    database: DatabaseUrl,
    ttl: Duration,
    /// Why nothing more is asked.
    failed: OnceLock<String>,
}

impl FactsOnRecord {
    /// None where they are not to serve.
    pub(super) fn of(setup: &Setup) -> Result<Option<Arc<Self>>, CliError> {
        let ttl = setup.settings.facts_ttl();
        if ttl.is_zero() {
            return Ok(None);
        }
        Ok(Some(Arc::new(Self {
            database: setup.database()?,
            ttl,
            failed: OnceLock::new(),
        })))
    }

    /// What the user should know.
    pub(super) fn notice(&self) -> Option<String> {
        let why = self.failed.get()?;
        Some(format!(
            "warning: facts of earlier runs could not be looked up: {why}"
        ))
    }

    fn look_up(&self, hosts: &[Arc<str>]) -> Result<Vec<Fact>, String> {
        let since = ago(self.ttl).map_err(|error| error.message)?;
        let hosts = hosts.to_vec();
        look_up::ask(&self.database, PATIENCE, async move |store| {
            store.facts_since(&hosts, &OF_PLAYS, since).await
        })
    }
}

impl EarlierFacts for FactsOnRecord {
    fn of(&self, hosts: &[Arc<str>]) -> Vec<(Arc<str>, Map)> {
        if self.failed.get().is_some() {
            return Vec::new();
        }
        let facts = self.look_up(hosts).unwrap_or_else(|why| {
            let _ = self.failed.set(why);
            Vec::new()
        });
        let mut by_host: HashMap<Arc<str>, Map> = HashMap::new();
        for fact in facts {
            if let Some(variable) = fact.variable() {
                let value = Value::from_json(&fact.value);
                let of_host = by_host.entry(fact.host).or_default();
                of_host.insert(variable.into(), value);
            }
        }
        by_host.into_iter().collect()
    }
}
