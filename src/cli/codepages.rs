//! The code pages of a run's Windows hosts: those that earlier runs found, looked up once when the
//! first such host's turn comes, and those that this run finds, kept at its end. A page is that of a
//! place, an address and port: other inventories may call another host by the same name. A run never
//! fails because of them, and waits for the database a second at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::look_up;
use crate::base::clock;
use crate::store::{DatabaseUrl, Fact, Store};

/// The fact's name.
const FACT: &str = "codepage";
/// The fact that says whose page it is.
const WHOSE: &str = "codepage.of";
/// How long a page is believed, in milliseconds: hosts are set up anew, in another language too.
const BELIEVED: i64 = 30 * 24 * 60 * 60 * 1000;
/// How long hosts wait for what is known of them.
const LOOK_UP: Duration = Duration::from_secs(1);
/// How long the run's end waits.
const KEEP: Duration = Duration::from_secs(2);

/// By host: the place where it was found, and the page.
type Pages = HashMap<Arc<str>, (String, u16)>;

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

    /// The page of a host at a place, if it is known.
    pub fn of(&self, host: &Arc<str>, place: &str) -> Option<u16> {
        let known = self.known.get_or_init(|| self.look_up());
        let there = |pages: &Pages| {
            let (whose, page) = pages.get(host)?;
            (whose == place).then_some(*page)
        };
        there(&self.learnt()).or_else(|| there(known))
    }

    /// A page that this run found.
    pub fn learn(&self, host: &Arc<str>, place: String, page: u16) {
        self.learnt().insert(host.clone(), (place, page));
    }

    fn learnt(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_up(&self) -> Pages {
        let Some(url) = &self.database else {
            return Pages::new();
        };
        let hosts = self.hosts.clone();
        let facts = look_up::ask(url, LOOK_UP, async move |store| {
            Ok((
                store.facts_of(&hosts, FACT).await?,
                store.facts_of(&hosts, WHOSE).await?,
            ))
        });
        match facts {
            Ok((pages, places)) => believed(pages, places),
            Err(error) => {
                tracing::debug!(error, "the hosts' code pages can't be looked up");
                Pages::new()
            }
        }
    }

    /// Keeps what was learnt.
    pub async fn keep(&self) {
        let learnt: Vec<_> = self
            .learnt()
            .iter()
            .flat_map(|(host, (place, page))| {
                [
                    (host.clone(), FACT, json!(page)),
                    (host.clone(), WHOSE, json!(place)),
                ]
            })
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

/// Pages that are not too old, with whose they are.
fn believed(pages: Vec<Fact>, places: Vec<Fact>) -> Pages {
    let mut places: HashMap<_, _> = places
        .into_iter()
        .map(|fact| (fact.host, fact.value))
        .collect();
    let oldest = clock::now().as_millisecond() - BELIEVED;
    pages
        .into_iter()
        .filter(|fact| fact.collected.as_millisecond() >= oldest)
        .filter_map(|fact| {
            let page = u16::try_from(fact.value.as_u64()?).ok()?;
            let place = places.remove(&fact.host)?.as_str()?.to_owned();
            Some((fact.host, (place, page)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "10.0.0.1:5986";

    fn pages(database: &DatabaseUrl) -> CodePages {
        CodePages::new(Some(database.clone()), vec!["win1".into(), "win2".into()])
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_run_finds_the_next_one_knows() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::in_folder(folder.path());
        let first = pages(&database);
        assert_eq!(first.of(&"win1".into(), HERE), None);
        first.keep().await;
        // Nothing to be kept, and nothing was made for it.
        assert!(!folder.path().join("ioms.db").exists());
        first.learn(&"win1".into(), HERE.into(), 936);
        first.learn(&"other".into(), HERE.into(), 437);
        assert_eq!(first.of(&"win1".into(), HERE), Some(936));
        first.keep().await;
        let second = pages(&database);
        assert_eq!(second.of(&"win1".into(), HERE), Some(936));
        assert_eq!(second.of(&"win2".into(), HERE), None);
        assert_eq!(second.of(&"other".into(), HERE), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_page_is_that_of_its_place_and_is_replaced_by_what_is_found_anew() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::in_folder(folder.path());
        let win1: Arc<str> = "win1".into();
        let there = "10.9.9.9:5986";
        let first = pages(&database);
        first.learn(&win1, HERE.into(), 936);
        first.keep().await;
        // Another inventory's host of the same name.
        let second = pages(&database);
        assert_eq!(second.of(&win1, there), None);
        assert_eq!(second.of(&win1, HERE), Some(936));
        second.learn(&win1, there.into(), 437);
        second.keep().await;
        let third = pages(&database);
        assert_eq!(third.of(&win1, HERE), None);
        assert_eq!(third.of(&win1, there), Some(437));
        // Nobody says whose this is, and what was found long ago may be so no more.
        let store = Store::open(&database).await.unwrap();
        let page = (Arc::<str>::from("win2"), FACT, json!(936));
        let put = store.put_facts(std::slice::from_ref(&page), clock::now());
        put.await.unwrap();
        assert_eq!(pages(&database).of(&"win2".into(), HERE), None);
        let whose = (page.0.clone(), WHOSE, json!(HERE));
        let both = [page, whose];
        store.put_facts(&both, clock::now()).await.unwrap();
        assert_eq!(pages(&database).of(&"win2".into(), HERE), Some(936));
        let long_ago = clock::now() - Duration::from_hours(31 * 24);
        let old = both.map(|(_, name, value)| (Arc::<str>::from("win3"), name, value));
        store.put_facts(&old, long_ago).await.unwrap();
        let third = CodePages::new(Some(database), vec!["win3".into()]);
        assert_eq!(third.of(&"win3".into(), HERE), None);
        store.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_database_that_is_away_delays_a_run_by_moments_and_is_no_error() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let silent = DatabaseUrl::parse(&format!("mysql://ioms@127.0.0.1:{port}/ioms")).unwrap();
        let pages = pages(&silent);
        let began = std::time::Instant::now();
        for _ in 0..3 {
            assert_eq!(pages.of(&"win1".into(), HERE), None);
        }
        pages.learn(&"win1".into(), HERE.into(), 936);
        pages.keep().await;
        assert!(began.elapsed() < LOOK_UP + KEEP + Duration::from_secs(2));
        assert_eq!(pages.of(&"win1".into(), HERE), Some(936));
    }
}
