//! How much has moved, and how fast it may: shared by all hosts of a run.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::base::chunks::Chunks;

/// The bytes of a run, and its speed limit.
#[derive(Debug, Default)]
pub struct Meter {
    moved: AtomicU64,
    expected: AtomicU64,
    rate: Option<Rate>,
}

/// A speed limit.
#[derive(Debug)]
struct Rate {
    /// Bytes a second, all hosts together.
    limit: u64,
    /// When all that has been let through would have gone at that speed.
    due: Mutex<Option<Instant>>,
}

impl Meter {
    /// With a limit in bytes a second, all hosts together.
    pub fn new(limit: Option<u64>) -> Self {
        Self {
            rate: limit.filter(|limit| *limit > 0).map(|limit| Rate {
                limit,
                due: Mutex::new(None),
            }),
            ..Self::default()
        }
    }

    /// Content bytes that have moved, and that are known to be moved in all.
    pub fn read(&self) -> (u64, u64) {
        (
            self.moved.load(Ordering::Relaxed),
            self.expected.load(Ordering::Relaxed),
        )
    }

    /// So many more are to be moved.
    pub(super) fn expect(&self, bytes: u64) {
        self.expected.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many have moved; waits as long as the limit wants.
    pub(super) async fn moved(&self, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        let Some(rate) = &self.rate else { return };
        let due = {
            let mut due = rate.due.lock().await;
            let now = Instant::now();
            let from = due
                .unwrap_or(now)
                .max(now.checked_sub(BURST).unwrap_or(now));
            #[expect(clippy::cast_precision_loss, reason = "a waiting time")]
            let next = from + Duration::from_secs_f64(bytes as f64 / rate.limit as f64);
            *due = Some(next);
            next
        };
        tokio::time::sleep_until(due).await;
    }
}

/// How much of an idle time may be made up for.
const BURST: Duration = Duration::from_millis(100);

/// Content that is metered as it goes.
pub(super) struct Metered {
    pub(super) inner: Box<dyn Chunks>,
    pub(super) meter: Arc<Meter>,
}

#[async_trait]
impl Chunks for Metered {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let chunk = self.inner.next().await?;
        if let Some(chunk) = &chunk {
            self.meter.moved(chunk.len() as u64).await;
        }
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_hosts_together_keep_to_the_limit() {
        let meter = Arc::new(Meter::new(Some(10_000)));
        let begin = Instant::now();
        let host = |meter: Arc<Meter>| async move {
            for _ in 0..10 {
                meter.moved(100).await;
            }
        };
        tokio::join!(host(meter.clone()), host(meter.clone()));
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(189), "{took:?}");
        assert!(took <= Duration::from_secs(2), "{took:?}");
        assert_eq!(meter.read().0, 2000);
    }
}
