//! What is known of hosts, the newest of each fact. A fact's name begins with who knows it: `codepage`,
//! `ansible.distribution` (the variable `ansible_distribution`), `fact.services` (the variable
//! `services`).

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::{Any, AnyConnection, QueryBuilder};

use super::database::Store;
use super::error::StoreError;
use super::url::DatabaseUrl;

/// Who knows the facts of plays: of variables that begin with `ansible_`, and of others.
pub const OF_PLAYS: [&str; 2] = ["ansible", "fact"];

/// Hosts that are asked for, and facts that are written, together.
const TOGETHER: usize = 500;
/// And their bytes, about.
const TOGETHER_BYTES: usize = 4 << 20;

/// In a statement, what is not a value, in bytes.
const MARGIN: usize = 64 * 1024;

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

/// The name of the fact that a variable of a play is.
pub(super) fn name_of(variable: &str) -> String {
    let [ansible, other] = OF_PLAYS;
    match variable.strip_prefix("ansible_") {
        Some(short) => format!("{ansible}.{short}"),
        None => format!("{other}.{variable}"),
    }
}

impl Fact {
    /// The variable of plays that it is.
    pub fn variable(&self) -> Option<String> {
        let (whose, name) = self.name.split_once('.')?;
        let [ansible, other] = OF_PLAYS;
        if whose == ansible {
            Some(format!("ansible_{name}"))
        } else {
            (whose == other).then(|| name.to_owned())
        }
    }
}

/// A fact to be written.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) host: Arc<str>,
    pub(super) name: String,
    /// JSON.
    pub(super) value: String,
    pub(super) at: Timestamp,
}

/// Which facts are asked for.
enum Which<'a> {
    /// Those of one name.
    Named(&'a str),
    /// Those whose names begin with one of these and a dot, seen since.
    Of(&'a [&'a str], Timestamp),
}

impl Store {
    /// One fact of these hosts, where it is known.
    pub async fn facts_of(&self, hosts: &[Arc<str>], name: &str) -> Result<Vec<Fact>, StoreError> {
        self.facts(hosts, &Which::Named(name)).await
    }

    /// All facts of these hosts that these know (`ansible`), seen at that time or later.
    pub async fn facts_since(
        &self,
        hosts: &[Arc<str>],
        whose: &[&str],
        since: Timestamp,
    ) -> Result<Vec<Fact>, StoreError> {
        self.facts(hosts, &Which::Of(whose, since)).await
    }

    async fn facts(&self, hosts: &[Arc<str>], which: &Which<'_>) -> Result<Vec<Fact>, StoreError> {
        let mut facts = Vec::new();
        for hosts in hosts.chunks(TOGETHER) {
            let mut query = QueryBuilder::<Any>::new(
                "SELECT host, name, value, changed, collected FROM facts WHERE ",
            );
            these(&mut query, hosts);
            query.push(" AND ");
            which.condition(&mut query);
            let rows = query
                .build()
                .persistent(hosts.len() == TOGETHER)
                .fetch_all(&self.pool)
                .await
                .map_err(|error| self.failed(error))?;
            for row in &rows {
                let value: String = self.get(row, "value")?;
                facts.push(Fact {
                    host: Arc::from(self.get::<String>(row, "host")?),
                    name: self.get(row, "name")?,
                    value: serde_json::from_str(&value)
                        .map_err(|error| StoreError::Content(error.to_string()))?,
                    changed: stamp(self.get(row, "changed")?)?,
                    collected: stamp(self.get(row, "collected")?)?,
                });
            }
        }
        Ok(facts)
    }

    /// Writes facts as of a time. One that is as it was keeps the time since when it is so; one that was
    /// seen later stays.
    pub async fn put_facts(
        &self,
        facts: &[(Arc<str>, &str, Value)],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let seen: Vec<Seen> = facts
            .iter()
            .map(|(host, name, value)| Seen {
                host: host.clone(),
                name: (*name).to_owned(),
                value: value.to_string(),
                at,
            })
            .collect();
        let mut connection = self
            .pool
            .acquire()
            .await
            .map_err(|error| self.failed(error))?;
        self.put_seen(&mut connection, &seen).await
    }

    /// Whether a value is none too many for one statement.
    pub(super) fn takes_fact(&self, value: &str) -> bool {
        value.len() <= self.packet.saturating_sub(MARGIN)
    }

    /// The same, each as of its own time; a fact stands there once.
    pub(super) async fn put_seen(
        &self,
        connection: &mut AnyConnection,
        mut facts: &[Seen],
    ) -> Result<(), StoreError> {
        let most = TOGETHER_BYTES.min(self.packet / 2);
        while !facts.is_empty() {
            let mut bytes = 0;
            let fits = facts.iter().take(TOGETHER).take_while(|fact| {
                bytes += fact.value.len();
                bytes <= most
            });
            let (now, later) = facts.split_at(fits.count().max(1).min(facts.len()));
            facts = later;
            let mut insert = QueryBuilder::<Any>::new(
                "INSERT INTO facts (host, name, value, changed, collected) ",
            );
            insert.push_values(now, |mut row, fact| {
                row.push_bind(fact.host.to_string())
                    .push_bind(fact.name.clone())
                    .push_bind(fact.value.clone())
                    .push_bind(fact.at.as_millisecond())
                    .push_bind(fact.at.as_millisecond());
            });
            // MySQL assigns from left to right: `value` and `collected` are the old ones until their
            // turn comes.
            insert.push(match self.url {
                DatabaseUrl::Sqlite(_) => {
                    " ON CONFLICT (host, name) DO UPDATE SET changed = CASE WHEN facts.value = excluded.value THEN facts.changed ELSE excluded.changed END, value = excluded.value, collected = excluded.collected WHERE excluded.collected >= facts.collected"
                }
                DatabaseUrl::Mysql(_) => {
                    " ON DUPLICATE KEY UPDATE changed = IF(value = VALUES(value) OR VALUES(collected) < collected, changed, VALUES(changed)), value = IF(VALUES(collected) < collected, value, VALUES(value)), collected = GREATEST(collected, VALUES(collected))"
                }
            });
            insert
                .build()
                .persistent(now.len() == TOGETHER)
                .execute(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }
}

impl Store {
    /// What these know of hosts is forgotten, as far as it was seen by then.
    pub(super) async fn forget_facts(
        &self,
        connection: &mut AnyConnection,
        hosts: &[Arc<str>],
        whose: &[&str],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        for hosts in hosts.chunks(TOGETHER) {
            let mut query = QueryBuilder::<Any>::new("DELETE FROM facts WHERE ");
            these(&mut query, hosts);
            query
                .push(" AND collected <= ")
                .push_bind(until.as_millisecond())
                .push(" AND ");
            known_by(&mut query, whose);
            query
                .build()
                .persistent(hosts.len() == TOGETHER)
                .execute(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// A fact is forgotten, if it was seen by then.
    pub(super) async fn forget_fact(
        &self,
        connection: &mut AnyConnection,
        host: &str,
        name: &str,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM facts WHERE host = ? AND name = ? AND collected <= ?")
            .bind(host.to_owned())
            .bind(name.to_owned())
            .bind(until.as_millisecond())
            .execute(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }
}

impl Which<'_> {
    fn condition(&self, query: &mut QueryBuilder<Any>) {
        match self {
            Self::Named(name) => {
                query.push("name = ").push_bind((*name).to_owned());
            }
            Self::Of(whose, since) => {
                query
                    .push("collected >= ")
                    .push_bind(since.as_millisecond())
                    .push(" AND ");
                known_by(query, whose);
            }
        }
    }
}

fn these(query: &mut QueryBuilder<Any>, hosts: &[Arc<str>]) {
    query.push("host IN (");
    let mut separated = query.separated(", ");
    for host in hosts {
        separated.push_bind(host.to_string());
    }
    query.push(")");
}

fn known_by(query: &mut QueryBuilder<Any>, whose: &[&str]) {
    let mut before = "(";
    for who in whose {
        // `/` follows `.`: what begins with the dot, and nothing else.
        query
            .push(before)
            .push("name >= ")
            .push_bind(format!("{who}."))
            .push(" AND name < ")
            .push_bind(format!("{who}/"));
        before = " OR ";
    }
    query.push(")");
}

fn stamp(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|error| StoreError::Content(error.to_string()))
}
