//! What is known of hosts, the newest of each fact.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::{Any, QueryBuilder, Row as _};

use super::database::Store;
use super::error::StoreError;
use super::url::DatabaseUrl;

/// Hosts that are asked for, and facts that are written, together.
const TOGETHER: usize = 500;

/// One fact of one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The host.
    pub host: Arc<str>,
    /// Its name: `codepage`.
    pub name: String,
    /// What is so.
    pub value: Value,
    /// Since when, as far as is known.
    pub changed: Timestamp,
    /// When that was seen last.
    pub collected: Timestamp,
}

impl Store {
    /// One fact of these hosts, where it is known.
    pub async fn facts_of(&self, hosts: &[Arc<str>], name: &str) -> Result<Vec<Fact>, StoreError> {
        let mut facts = Vec::new();
        for hosts in hosts.chunks(TOGETHER) {
            let mut query = QueryBuilder::<Any>::new(
                "SELECT host, value, changed, collected FROM facts WHERE name = ",
            );
            query.push_bind(name.to_owned()).push(" AND host IN (");
            let mut separated = query.separated(", ");
            for host in hosts {
                separated.push_bind(host.to_string());
            }
            query.push(")");
            let rows = query
                .build()
                .persistent(hosts.len() == TOGETHER)
                .fetch_all(&self.pool)
                .await
                .map_err(|error| self.failed(error))?;
            for row in rows {
                let text = |column| row.try_get::<String, _>(column);
                let time = |column| row.try_get::<i64, _>(column);
                let (host, value) = (text("host"), text("value"));
                let (changed, collected) = (time("changed"), time("collected"));
                let fail = |error| self.failed(error);
                facts.push(Fact {
                    host: Arc::from(host.map_err(fail)?),
                    name: name.to_owned(),
                    value: serde_json::from_str(&value.map_err(fail)?)
                        .map_err(|error| StoreError::Content(error.to_string()))?,
                    changed: stamp(changed.map_err(fail)?)?,
                    collected: stamp(collected.map_err(fail)?)?,
                });
            }
        }
        Ok(facts)
    }

    /// Writes facts as of a time. One that is as it was keeps the time since when it is so.
    pub async fn put_facts(
        &self,
        facts: &[(Arc<str>, &str, Value)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        for facts in facts.chunks(TOGETHER) {
            let mut insert = QueryBuilder::<Any>::new(
                "INSERT INTO facts (host, name, value, changed, collected) ",
            );
            insert.push_values(facts, |mut row, (host, name, value)| {
                row.push_bind(host.to_string())
                    .push_bind((*name).to_owned())
                    .push_bind(value.to_string())
                    .push_bind(at.as_millisecond())
                    .push_bind(at.as_millisecond());
            });
            // MySQL assigns from left to right: `value` is the old one until its turn comes.
            insert.push(match self.url {
                DatabaseUrl::Sqlite(_) => {
                    " ON CONFLICT (host, name) DO UPDATE SET changed = CASE WHEN facts.value = excluded.value THEN facts.changed ELSE excluded.changed END, value = excluded.value, collected = excluded.collected"
                }
                DatabaseUrl::Mysql(_) => {
                    " ON DUPLICATE KEY UPDATE changed = IF(value = VALUES(value), changed, VALUES(changed)), value = VALUES(value), collected = VALUES(collected)"
                }
            });
            insert
                .build()
                .persistent(facts.len() == TOGETHER)
                .execute(&self.pool)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }
}

fn stamp(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|error| StoreError::Content(error.to_string()))
}
