//! The code pages of a run's Windows hosts: those that earlier runs found, looked up once when the
//! first such host's turn comes, and those that this run finds, kept at its end. A run never fails
//! because of them, and waits for the database a second at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::Duration;

use serde_json::json;

use crate::base::clock;
use crate::store::{DatabaseUrl, Store, StoreError};

/// The fact's name.
const FACT: &str = "codepage";
/// How long hosts wait for what is known of them.
const LOOK_UP: Duration = Duration::from_secs(1);
/// How long the run's end waits.
const KEEP: Duration = Duration::from_secs(2);

type Pages = HashMap<Arc<str>, u16>;

/// Known and learnt pages.
pub struct CodePages {
    database: Option<DatabaseUrl>,
    hosts: Vec<Arc<str>>,
    known: OnceLock<Pages>,
    learnt: Mutex<Pages>,
}

impl CodePages {
    /// For the hosts of a run; nothing is looked up yet.
    pub fn new(database: Option<DatabaseUrl>, hosts: Vec<Arc<str>>) -> Self {
        Self {
            database,
            hosts,
            known: OnceLock::new(),
            learnt: Mutex::default(),
        }
    }

    /// The page of a host, if it is known.
    pub fn of(&self, host: &Arc<str>) -> Option<u16> {
        let known = self.known.get_or_init(|| self.look_up());
        known
            .get(host)
            .copied()
            .or_else(|| self.learnt().get(host).copied())
    }

    /// A page that this run found.
    pub fn learn(&self, host: &Arc<str>, page: u16) {
        self.learnt().insert(host.clone(), page);
    }

    fn learnt(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On a thread of its own: whoever asks is at work for other hosts too, and is not to wait for a
    /// database that does not answer.
    fn look_up(&self) -> Pages {
        let Some(url) = self.database.clone() else {
            return Pages::new();
        };
        if matches!(&url, DatabaseUrl::Sqlite(path) if !path.exists()) {
            return Pages::new();
        }
        let hosts = self.hosts.clone();
        let (answer, answered) = mpsc::channel();
        let begun = std::thread::Builder::new()
            .name("codepages".into())
            .spawn(move || {
                let _ = answer.send(load(&url, &hosts));
            });
        let pages = match begun {
            Ok(_) => answered
                .recv_timeout(LOOK_UP)
                .unwrap_or_else(|_| Err("the database does not answer".to_owned())),
            Err(error) => Err(error.to_string()),
        };
        pages.unwrap_or_else(|error| {
            tracing::debug!(error, "the hosts' code pages can't be looked up");
            Pages::new()
        })
    }

    /// Keeps what was learnt.
    pub async fn keep(&self) {
        let learnt: Vec<_> = self
            .learnt()
            .iter()
            .map(|(host, page)| (host.clone(), FACT, json!(page)))
            .collect();
        let Some(url) = self.database.as_ref().filter(|_| !learnt.is_empty()) else {
            return;
        };
        let keep = async {
            let store = Store::open(url).await?;
            let kept = store.put_facts(&learnt, clock::now()).await;
            store.close().await;
            kept
        };
        match tokio::time::timeout(KEEP, keep).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the hosts' code pages can't be kept"),
            Err(_) => tracing::debug!("the hosts' code pages can't be kept: no answer"),
        }
    }
}

fn load(url: &DatabaseUrl, hosts: &[Arc<str>]) -> Result<Pages, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let facts = runtime.block_on(async {
        let store = Store::open(url).await?;
        let facts: Result<_, StoreError> = store.facts_of(hosts, FACT).await;
        store.close().await;
        facts
    });
    let pages = facts.map_err(|error| error.to_string())?;
    Ok(pages
        .into_iter()
        .filter_map(|fact| {
            let page = fact
                .value
                .as_u64()
                .and_then(|page| u16::try_from(page).ok());
            Some((fact.host, page?))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(database: &DatabaseUrl) -> CodePages {
        CodePages::new(Some(database.clone()), vec!["win1".into(), "win2".into()])
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_run_finds_the_next_one_knows() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::in_folder(folder.path());
        let first = pages(&database);
        assert_eq!(first.of(&"win1".into()), None);
        first.keep().await;
        // Nothing to be kept, and nothing was made for it.
        assert!(!folder.path().join("ioms.db").exists());
        first.learn(&"win1".into(), 936);
        first.learn(&"other".into(), 437);
        assert_eq!(first.of(&"win1".into()), Some(936));
        first.keep().await;
        let second = pages(&database);
        assert_eq!(second.of(&"win1".into()), Some(936));
        assert_eq!(second.of(&"win2".into()), None);
        assert_eq!(second.of(&"other".into()), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_database_that_is_away_delays_a_run_by_moments_and_is_no_error() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = DatabaseUrl::parse(&format!("mysql://ioms@127.0.0.1:{port}/ioms")).unwrap();
        let pages = pages(&silent);
        let began = std::time::Instant::now();
        for _ in 0..3 {
            assert_eq!(pages.of(&"win1".into()), None);
        }
        pages.learn(&"win1".into(), 936);
        pages.keep().await;
        assert!(began.elapsed() < LOOK_UP + KEEP + Duration::from_secs(2));
        assert_eq!(pages.of(&"win1".into()), Some(936));
    }
}
