//! What plays find of hosts, on its way from the journal to the facts: the last word of each counts.
//! What could not be served to another run as it was found is not kept.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::AnyConnection;

use super::database::Store;
use super::error::StoreError;
use super::facts::{OF_PLAYS, Seen, name_of};
use crate::base::secret::MASK;
use crate::event::{FACTS_GATHERED, PlayEvent, TaskResult};

/// The longest names that the database takes, in characters.
const HOST_MAX: usize = 255;
const NAME_MAX: usize = 128;
/// The largest value that is kept, as JSON, in bytes.
const VALUE_MAX: usize = 1 << 20;
/// No more facts of one result are kept: a host may say what it likes.
const FACTS_MAX: usize = 2000;

/// Facts by host and name; without a value: what was known holds no more.
#[derive(Default)]
pub(super) struct Learnt {
    facts: BTreeMap<(Arc<str>, String), (Option<String>, Timestamp)>,
    cleared: Vec<(Arc<[Arc<str>]>, Timestamp)>,
}

impl Learnt {
    /// Takes in what was said.
    pub(super) fn hear(&mut self, at: Timestamp, said: &PlayEvent) {
        match said {
            PlayEvent::TaskFinished(result) => self.result(at, result),
            PlayEvent::FactsCleared(hosts) => {
                let gone: HashSet<&Arc<str>> = hosts.iter().collect();
                self.facts.retain(|(host, _), _| !gone.contains(host));
                self.cleared.push((hosts.clone(), at));
            }
            _ => {}
        }
    }

    fn result(&mut self, at: Timestamp, result: &TaskResult) {
        for (of, facts) in result.facts() {
            let found = facts.iter().take(FACTS_MAX);
            let mut named: Vec<(String, Option<String>)> = found
                .map(|(variable, value)| (name_of(variable), kept(value)))
                .collect();
            if of.gathered {
                named.push((name_of(FACTS_GATHERED), Some("true".to_owned())));
            }
            named.retain(|(name, _)| name.chars().count() <= NAME_MAX);
            let fits = |host: &&Arc<str>| host.chars().count() <= HOST_MAX;
            for host in of.hosts.iter().filter(fits) {
                let of_host = named.iter().cloned();
                self.facts
                    .extend(of_host.map(|(name, value)| ((host.clone(), name), (value, at))));
            }
        }
    }

    /// Writes it.
    pub(super) async fn write(
        self,
        store: &Store,
        connection: &mut AnyConnection,
    ) -> Result<(), StoreError> {
        for (hosts, at) in self.cleared {
            store
                .forget_facts(connection, &hosts, &OF_PLAYS, at)
                .await?;
        }
        let mut seen = Vec::with_capacity(self.facts.len());
        for ((host, name), (value, at)) in self.facts {
            match value {
                Some(value) if store.takes_fact(&value) => seen.push(Seen {
                    host,
                    name,
                    value,
                    at,
                }),
                Some(value) => {
                    let size = value.len();
                    tracing::warn!(%host, name, size, "a fact is not kept: the database takes none as large, see max_allowed_packet");
                    store.forget_fact(connection, &host, &name, at).await?;
                }
                None => store.forget_fact(connection, &host, &name, at).await?,
            }
        }
        store.put_seen(connection, &seen).await
    }
}

/// A value as it is kept: nothing that is too large, and nothing that a secret was taken out of, which
/// no other run is to take for what the host said.
fn kept(value: &Value) -> Option<String> {
    let text = value.to_string();
    (text.len() <= VALUE_MAX && !text.contains(MASK)).then_some(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::event::{FactsOf, TaskStatus};

    fn said(hosts: &[&str], facts: Value) -> PlayEvent {
        PlayEvent::TaskFinished(Arc::new(TaskResult {
            task: 0,
            host: "h1".into(),
            delegated: None,
            status: TaskStatus::Ok,
            ignored: false,
            label: None,
            result: Arc::new(json!({"ansible_facts": facts}).as_object().unwrap().clone()),
            error: None,
            facts: vec![FactsOf {
                hosts: hosts.iter().map(|host| Arc::from(*host)).collect(),
                item: None,
                gathered: false,
            }],
            started: Timestamp::UNIX_EPOCH,
            duration: Duration::ZERO,
        }))
    }

    fn shown(learnt: &Learnt) -> Vec<String> {
        let facts = learnt.facts.iter();
        facts
            .map(|((host, name), (value, _))| {
                format!("{host} {name} {}", value.as_deref().unwrap_or("-"))
            })
            .collect()
    }

    #[test]
    fn the_last_word_of_a_fact_counts_and_what_is_masked_or_too_large_is_forgotten() {
        let mut learnt = Learnt::default();
        let at = Timestamp::UNIX_EPOCH;
        learnt.hear(at, &said(&["h1", "h2"], json!({"ansible_a": 1, "b": 2})));
        learnt.hear(at, &PlayEvent::FactsCleared(Arc::new(["h2".into()])));
        learnt.hear(
            at,
            &said(&["h1"], json!({"ansible_a": {"x": "is ********"}})),
        );
        let large = "x".repeat(VALUE_MAX);
        learnt.hear(at, &said(&["h1"], json!({"large": large})));
        let long = "n".repeat(200);
        learnt.hear(at, &said(&["h1"], json!({long: 1})));
        assert_eq!(
            shown(&learnt),
            ["h1 ansible.a -", "h1 fact.b 2", "h1 fact.large -"]
        );
        assert_eq!(learnt.cleared.len(), 1);
    }

    #[test]
    fn facts_of_a_loop_are_found_in_its_items() {
        let mut learnt = Learnt::default();
        let items = json!([{"skipped": true}, {"ansible_facts": {"ansible_a": 1}}]);
        let PlayEvent::TaskFinished(mut result) = said(&["h9"], json!({})) else {
            unreachable!()
        };
        let inner = Arc::make_mut(&mut result);
        inner.result = Arc::new(json!({"results": items}).as_object().unwrap().clone());
        inner.facts[0].item = Some(1);
        learnt.hear(Timestamp::UNIX_EPOCH, &PlayEvent::TaskFinished(result));
        assert_eq!(shown(&learnt), ["h9 ansible.a 1"]);
    }
}
