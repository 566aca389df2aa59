//! What plays said, in the database: an event a row, in the order in which they were said.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Any, QueryBuilder, Row as _, Transaction};

use super::database::Store;
use super::error::StoreError;
use super::history::time;
use crate::base::id::RunId;
use crate::event::{PlayEvent, TaskInfo, TaskResult};

/// Rows of one statement, and of one question.
const ROWS: usize = 200;
/// Rows are written together up to this size, in bytes.
const TOGETHER: usize = 4 << 20;
/// In a statement, what is not the content of an event, in bytes.
const MARGIN: usize = 64 * 1024;
/// No event is larger when it is read, whatever the database says, in bytes.
const PLAIN_MAX: usize = 256 << 20;
/// Results are compressed as they come: the fastest level gives most of the gain.
const LEVEL: i32 = 1;

/// Makes rows of events; what it compresses with is made once.
pub(super) struct Rows(zstd::bulk::Compressor<'static>);

/// An event on its way into the database.
pub(super) struct Row {
    seq: i64,
    at: Timestamp,
    task: Option<i64>,
    of: Option<(String, &'static str, i64)>,
    body: Vec<u8>,
}

impl Rows {
    pub(super) fn new() -> io::Result<Self> {
        zstd::bulk::Compressor::new(LEVEL).map(Self)
    }

    /// An event's row. `seq`: where its line ends in the journal.
    pub(super) fn row(
        &mut self,
        seq: u64,
        at: Timestamp,
        said: &PlayEvent,
    ) -> Result<Row, StoreError> {
        let content = |error: &dyn std::fmt::Display| StoreError::Content(error.to_string());
        let json = serde_json::to_vec(said).map_err(|error| content(&error))?;
        let body = self.0.compress(&json).map_err(|error| content(&error))?;
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
        Ok(Row {
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
    let most = store.packet.saturating_sub(MARGIN);
    if let Some(size) = rows
        .iter()
        .map(|row| row.body.len())
        .find(|size| *size > most)
    {
        return Err(StoreError::Packet {
            shown: store.url.to_string(),
            packet: store.packet,
            what: "what came of a task",
            enough: format!("{}M", (size + MARGIN).div_ceil(1 << 20)),
        });
    }
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

fn event(body: Vec<u8>) -> Result<PlayEvent, StoreError> {
    let content = |error: &dyn std::fmt::Display| StoreError::Content(error.to_string());
    let json = zstd::bulk::decompress(&body, PLAIN_MAX).map_err(|error| content(&error))?;
    serde_json::from_slice(&json).map_err(|error| content(&error))
}

/// A task of a play, as it came out on a host.
#[derive(Debug, Clone)]
pub struct HostTask {
    /// The task.
    pub task: TaskInfo,
    /// `ok`, `changed`, `failed`, ...
    pub status: String,
    /// How long it took.
    pub duration: Duration,
}

impl Store {
    /// The tasks of a run on a host, in the order in which they were done.
    pub async fn host_tasks(&self, run: RunId, host: &str) -> Result<Vec<HostTask>, StoreError> {
        let failed = |error| self.failed(error);
        let rows = sqlx::query(
            "SELECT task, host, status, duration_us, body FROM play_events \
             WHERE run = ? AND task IS NOT NULL AND (host IS NULL OR host = ?) ORDER BY seq",
        )
        .bind(run.to_string())
        .bind(host.chars().take(255).collect::<String>())
        .fetch_all(&self.pool)
        .await
        .map_err(failed)?;
        let mut tasks = HashMap::new();
        let mut found = Vec::new();
        for row in &rows {
            let number: i64 = self.get(row, "task")?;
            if self.get::<Option<String>>(row, "host")?.is_none() {
                if let PlayEvent::TaskStarted(task) = event(self.get(row, "body")?)? {
                    tasks.insert(number, task);
                }
                continue;
            }
            let Some(task) = tasks.get(&number) else {
                continue;
            };
            let us: i64 = self.get(row, "duration_us")?;
            found.push(HostTask {
                task: TaskInfo::clone(task),
                status: self.get(row, "status")?,
                duration: Duration::from_micros(u64::try_from(us).unwrap_or(0)),
            });
        }
        Ok(found)
    }

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
            let said = event(row.try_get("body").map_err(|error| self.failed(error))?)?;
            events.push((time(self.get(row, "said_at")?)?, said));
        }
        Ok((events, last))
    }
}
