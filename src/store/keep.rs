//! Looking after the database: what is in it, and what is old enough to go.

use jiff::Timestamp;
use sqlx::Row as _;

use super::database::Store;
use super::error::StoreError;

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
    /// Gives the number of runs.
    pub async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let fail = |error| self.failed(error);
        sqlx::query("DELETE FROM run_hosts WHERE run IN (SELECT run FROM runs WHERE started < ? AND finished IS NOT NULL)")
            .bind(before.as_millisecond())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        let runs = sqlx::query("DELETE FROM runs WHERE started < ? AND finished IS NOT NULL")
            .bind(before.as_millisecond())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        sqlx::query("DELETE FROM outputs WHERE NOT EXISTS (SELECT 1 FROM run_hosts WHERE stdout_digest = outputs.digest) AND NOT EXISTS (SELECT 1 FROM run_hosts WHERE stderr_digest = outputs.digest)")
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        tx.commit().await.map_err(fail)?;
        Ok(runs.rows_affected())
    }
}
