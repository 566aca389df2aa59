//! Questions to the database while hosts are at work: asked on a thread of their own, and not waited
//! for longer than is good for whoever asks. Where there is no database there is no answer.

use std::sync::mpsc;
use std::time::Duration;

use crate::store::{DatabaseUrl, Store, StoreError};

/// Asks a question; nothing where SQLite's file is not there yet.
pub(super) fn ask<T: Default + Send + 'static>(
    url: &DatabaseUrl,
    patience: Duration,
    question: impl AsyncFnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, String> {
    if matches!(url, DatabaseUrl::Sqlite(path) if !path.exists()) {
        return Ok(T::default());
    }
    let url = url.clone();
    let (answer, answered) = mpsc::channel();
    std::thread::Builder::new()
        .name("look-up".into())
        .spawn(move || {
            let _ = answer.send(answer_of(&url, question));
        })
        .map_err(|error| error.to_string())?;
    answered
        .recv_timeout(patience)
        .unwrap_or_else(|_| Err("the database does not answer".to_owned()))
}

fn answer_of<T>(
    url: &DatabaseUrl,
    question: impl AsyncFnOnce(&Store) -> Result<T, StoreError>,
) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let found: Result<T, StoreError> = runtime.block_on(async {
        let store = Store::open(url).await?;
        let found = question(&store).await;
        store.close().await;
        found
    });
    found.map_err(|error| error.to_string())
}
