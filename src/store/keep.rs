//! Looking after the database: what is in it, and what is old enough to go.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use tokio::time::{Instant, sleep};

use super::database::Store;
use super::error::StoreError;

/// Runs that are asked for together.
const RUNS: i64 = 200;
/// Results of hosts that are removed together.
const ROWS: i64 = 2000;
/// Outputs, and hosts with facts, that are looked at together.
const OUTPUTS: i64 = 200;
/// Between two transactions at least: SQLite's writers don't queue, they try again now and then.
const BREATH: Duration = Duration::from_millis(5);
/// How often a transaction is tried that the database ends for the sake of a run's.
const TRIES: u32 = 20;
/// The same of one that has waited for another's lock as long as the server lets it: 50 s each time, unless
/// it is told otherwise.
const LONG_TRIES: u32 = 3;

/// What is in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The address, without password.
    pub database: String,
    /// The version of its tables.
    pub schema: i64,
    /// Runs on record.
    pub runs: i64,
    /// Results of hosts on record.
    pub results: i64,
    /// Pieces of outputs.
    pub pieces: i64,
    /// When the oldest run began.
    pub oldest: Option<Timestamp>,
}

impl Store {
    /// What is in it.
    pub async fn status(&self) -> Result<Status, StoreError> {
        let count = async |sql: &'static str| -> Result<i64, StoreError> {
            let row = sqlx::query(sql)
                .fetch_one(&self.pool)
                .await
                .map_err(|error| self.failed(error))?;
            row.try_get(0).map_err(|error| self.failed(error))
        };
        let oldest = sqlx::query("SELECT started FROM runs ORDER BY started LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?
            .and_then(|row| row.try_get::<i64, _>(0).ok())
            .and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Ok(Status {
            database: self.url.to_string(),
            schema: self.version().await?,
            runs: count("SELECT COUNT(*) FROM runs").await?,
            results: count("SELECT COUNT(*) FROM run_hosts").await?,
            pieces: count("SELECT COUNT(*) FROM outputs").await?,
            oldest,
        })
    }

    /// Runs that began before a time and are over.
    pub async fn count_before(&self, before: Timestamp) -> Result<i64, StoreError> {
        let row =
            sqlx::query("SELECT COUNT(*) FROM runs WHERE started < ? AND finished IS NOT NULL")
                .bind(before.as_millisecond())
                .fetch_one(&self.pool)
                .await
                .map_err(|error| self.failed(error))?;
        row.try_get(0).map_err(|error| self.failed(error))
    }

    /// Removes runs that began before a time and are over, then outputs that nobody refers to.
    /// Facts that were last seen before that time, too. Gives the number of runs. Many small
    /// transactions: the recorders of runs under way write between them, and what is done stays done
    /// when this ends early.
    pub async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let rows = sqlx::query("SELECT run FROM runs WHERE started < ? AND finished IS NOT NULL ORDER BY started LIMIT ?")
                .bind(before.as_millisecond())
                .bind(RUNS)
                .fetch_all(&self.pool)
                .await
                .map_err(|error| self.failed(error))?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let run: String = self.get(row, "run")?;
                self.prune_run(&run).await?;
                removed += 1;
            }
        }
        self.prune_outputs().await?;
        self.prune_facts(before).await?;
        Ok(removed)
    }

    /// Removes a run.
    async fn prune_run(&self, run: &str) -> Result<(), StoreError> {
        let mut from = 0;
        loop {
            let began = Instant::now();
            if !insist(|| self.prune_hosts(run, from)).await? {
                return Ok(());
            }
            from += ROWS;
            sleep(began.elapsed().max(BREATH)).await;
        }
    }

    /// Removes some of a run's hosts, then some of what its plays said, and itself with the last of it:
    /// one that is cut short still has its row, and is old. Whether there is more.
    async fn prune_hosts(&self, run: &str, from: i64) -> Result<bool, StoreError> {
        let fail = |error| self.failed(error);
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM run_hosts WHERE run = ? AND ix >= ? AND ix < ?")
            .bind(run.to_owned())
            .bind(from)
            .bind(from + ROWS)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        let left = sqlx::query("SELECT ix FROM run_hosts WHERE run = ? LIMIT 1")
            .bind(run.to_owned())
            .fetch_optional(&mut *tx)
            .await
            .map_err(fail)?;
        let left = match left {
            None => self.prune_play(&mut tx, run).await?,
            Some(_) => true,
        };
        if !left {
            sqlx::query("DELETE FROM runs WHERE run = ?")
                .bind(run.to_owned())
                .execute(&mut *tx)
                .await
                .map_err(fail)?;
        }
        tx.commit().await.map_err(fail)?;
        Ok(left)
    }

    /// Removes some of what a run's plays said; whether there is more.
    async fn prune_play(
        &self,
        tx: &mut sqlx::Transaction<'static, sqlx::Any>,
        run: &str,
    ) -> Result<bool, StoreError> {
        let fail = |error| self.failed(error);
        let border =
            sqlx::query("SELECT seq FROM play_events WHERE run = ? ORDER BY seq LIMIT 1 OFFSET ?")
                .bind(run.to_owned())
                .bind(ROWS)
                .fetch_optional(&mut **tx)
                .await
                .map_err(fail)?;
        let border: Option<i64> = border.and_then(|row| row.try_get(0).ok());
        sqlx::query("DELETE FROM play_events WHERE run = ? AND seq < ?")
            .bind(run.to_owned())
            .bind(border.unwrap_or(i64::MAX))
            .execute(&mut **tx)
            .await
            .map_err(fail)?;
        Ok(border.is_some())
    }

    /// The last name of the next stretch after a name; none where nothing comes after it.
    async fn end_of_stretch(
        &self,
        names: &'static str,
        after: &str,
    ) -> Result<Option<String>, StoreError> {
        let rows = sqlx::query(names)
            .bind(after.to_owned())
            .bind(OUTPUTS)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        rows.last().map(|row| self.get(row, "name")).transpose()
    }

    /// Removes facts that were last seen before a time, a stretch of hosts at a time.
    async fn prune_facts(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let hosts =
                "SELECT DISTINCT host AS name FROM facts WHERE host > ? ORDER BY host LIMIT ?";
            let Some(last) = self.end_of_stretch(hosts, &after).await? else {
                return Ok(());
            };
            let began = Instant::now();
            insist(|| self.prune_facts_of(&after, &last, before)).await?;
            after = last;
            sleep(began.elapsed().max(BREATH)).await;
        }
    }

    /// Removes those of hosts after one, up to another.
    async fn prune_facts_of(
        &self,
        after: &str,
        last: &str,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM facts WHERE host > ? AND host <= ? AND collected < ?")
            .bind(after.to_owned())
            .bind(last.to_owned())
            .bind(before.as_millisecond())
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Removes outputs that nobody refers to, a stretch of digests at a time.
    async fn prune_outputs(&self) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let digests = "SELECT digest AS name FROM outputs WHERE digest > ? AND piece = 0 ORDER BY digest LIMIT ?";
            let Some(last) = self.end_of_stretch(digests, &after).await? else {
                return Ok(());
            };
            let began = Instant::now();
            insist(|| self.prune_outputs_of(&after, &last)).await?;
            after = last;
            sleep(began.elapsed().max(BREATH)).await;
        }
    }

    /// Removes those after one, up to another.
    async fn prune_outputs_of(&self, after: &str, last: &str) -> Result<(), StoreError> {
        let fail = |error| self.failed(error);
        let mut tx = self.begin().await?;
        sqlx::query("DELETE FROM outputs WHERE digest > ? AND digest <= ? AND NOT EXISTS (SELECT 1 FROM run_hosts WHERE stdout_digest = outputs.digest) AND NOT EXISTS (SELECT 1 FROM run_hosts WHERE stderr_digest = outputs.digest)")
            .bind(after.to_owned())
            .bind(last.to_owned())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        tx.commit().await.map_err(fail)
    }
}

/// Does a transaction again where the database has ended it for the sake of another one, or has let it wait
/// for that in vain. (A run's recorder tries again whatever went wrong.)
async fn insist<T, F>(transaction: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut tries = 0;
    loop {
        let result = transaction().await;
        let most = match &result {
            Err(error) if error.is_deadlock() => TRIES,
            Err(error) if error.is_lock_timeout() => LONG_TRIES,
            _ => return result,
        };
        tries += 1;
        if tries >= most {
            return result;
        }
        sleep(BREATH * tries).await;
    }
}
