//! What plays said, in the database: an event a row, in the order in which they were said.

use jiff::Timestamp;
use sqlx::{Any, QueryBuilder, Row as _, Transaction};

use super::database::Store;
use super::error::StoreError;
use super::history::time;
use crate::base::id::RunId;
use crate::event::{PlayEvent, TaskResult};

/// Rows of one statement, and of one question.
const ROWS: usize = 200;
/// Rows are written together up to this size, in bytes.
const TOGETHER: usize = 4 << 20;
/// No event is larger when it is read, whatever the database says, in bytes.
const PLAIN_MAX: usize = 256 << 20;
/// Results are compressed as they come: the fastest level gives most of the gain.
const LEVEL: i32 = 1;

/// An event on its way into the database.
pub(super) struct Row {
    seq: i64,
    at: Timestamp,
    task: Option<i64>,
    of: Option<(String, &'static str, i64)>,
    body: Vec<u8>,
}

impl Row {
    /// `seq`: where the event's line ends in the journal.
    pub(super) fn new(seq: u64, at: Timestamp, said: &PlayEvent) -> Result<Self, StoreError> {
        let content = |error: &dyn std::fmt::Display| StoreError::Content(error.to_string());
        let json = serde_json::to_vec(said).map_err(|error| content(&error))?;
        let body = zstd::bulk::compress(&json, LEVEL).map_err(|error| content(&error))?;
        let of = |result: &TaskResult| {
            let us = i64::try_from(result.duration.as_micros()).unwrap_or(i64::MAX);
            let host = result.host.chars().take(255).collect();
            (host, result.status.name(), us)
        };
        let (task, of) = match said {
            PlayEvent::TaskStarted(task) => (Some(task.task), None),
            PlayEvent::TaskFinished(result) => (Some(result.task), Some(of(result))),
            _ => (None, None),
        };
        Ok(Self {
            seq: i64::try_from(seq).unwrap_or(i64::MAX),
            at,
            task: task.map(i64::from),
            of,
            body,
        })
    }
}

/// Puts events into the database.
pub(super) async fn insert(
    store: &Store,
    tx: &mut Transaction<'static, Any>,
    run: RunId,
    rows: Vec<Row>,
) -> Result<(), StoreError> {
    let run = run.to_string();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut bytes = 0;
        let mut together = Vec::new();
        while let Some(row) = rows.next_if(|row| {
            together.is_empty() || bytes + row.body.len() < TOGETHER.min(store.packet / 2)
        }) {
            bytes += row.body.len();
            together.push(row);
            if together.len() == ROWS {
                break;
            }
        }
        let full = together.len() == ROWS;
        let mut insert = QueryBuilder::<Any>::new(store.insert_new());
        insert
            .push(" INTO play_events (run, seq, said_at, task, host, status, duration_us, body) ");
        insert.push_values(together, |mut values, row| {
            let (host, status, us) = match row.of {
                Some((host, status, us)) => (Some(host), Some(status.to_owned()), Some(us)),
                None => (None, None, None),
            };
            values
                .push_bind(run.clone())
                .push_bind(row.seq)
                .push_bind(row.at.as_millisecond())
                .push_bind(row.task)
                .push_bind(host)
                .push_bind(status)
                .push_bind(us)
                .push_bind(row.body);
        });
        insert
            .build()
            .persistent(full)
            .execute(&mut **tx)
            .await
            .map_err(|error| store.failed(error))?;
    }
    Ok(())
}

impl Store {
    /// What a run's plays said, in order, a page at a time: what comes after `after` (from 0), and
    /// where the next page begins; an empty page is the end.
    pub async fn play_events(
        &self,
        run: RunId,
        after: i64,
    ) -> Result<(Vec<(Timestamp, PlayEvent)>, i64), StoreError> {
        let rows = sqlx::query(
            "SELECT seq, said_at, body FROM play_events WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?",
        )
        .bind(run.to_string())
        .bind(after)
        .bind(i64::try_from(ROWS).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        let mut last = after;
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            last = self.get(row, "seq")?;
            let body: Vec<u8> = row.try_get("body").map_err(|error| self.failed(error))?;
            let content = |error: &dyn std::fmt::Display| StoreError::Content(error.to_string());
            let json = zstd::bulk::decompress(&body, PLAIN_MAX).map_err(|error| content(&error))?;
            let said = serde_json::from_slice(&json).map_err(|error| content(&error))?;
            events.push((time(self.get(row, "said_at")?)?, said));
        }
        Ok((events, last))
    }
}
