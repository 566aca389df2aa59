//! Questions to the record: which runs there were, what came out, where a text was seen.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, QueryBuilder, Row as _};

use super::database::Store;
use super::error::StoreError;
use super::host_files;
use crate::base::digest;
use crate::base::id::RunId;
use crate::base::text::Charset;
use crate::event::{
    Body, Captured, HostIx, HostResult, Outcome, RunEnd, RunHeader, Stopped, Summary, Timings,
};

/// Outputs beyond this are not taken into memory, in bytes.
const INLINE: u64 = 64 * 1024;
/// Nor, but for the smallest, when so much of a run's outputs is there already, in bytes.
const MEMORY: u64 = 32 << 20;
/// The smallest, in bytes.
const SMALL: u64 = 2048;

/// Which runs.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Begun at or after.
    pub since: Option<Timestamp>,
    /// Begun before.
    pub until: Option<Timestamp>,
    /// By this user.
    pub user: Option<String>,
    /// With this outcome.
    pub outcome: Option<String>,
    /// Of this verb.
    pub verb: Option<String>,
    /// In which this host took part.
    pub host: Option<String>,
    /// No more than so many, the newest.
    pub limit: usize,
}

/// A run on record.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// Its header; `hosts` is empty where only a list was asked for.
    pub header: RunHeader,
    /// Its end; `None`: under way.
    pub end: Option<RunEnd>,
    /// Its outcome: the contract's word.
    pub outcome: String,
}

/// A run as one host saw it.
#[derive(Debug, Clone)]
pub struct HostRun {
    /// The run.
    pub run: RunRow,
    /// The host's outcome.
    pub outcome: String,
    /// Its exit status.
    pub exit: Option<i64>,
    /// How long it took.
    pub duration: Duration,
    /// Why there is no plain result.
    pub error: Option<serde_json::Value>,
}

/// Which hosts of an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All that are not ok, changed or skipped.
    Failed,
    /// Those that could not be reached.
    Unreachable,
    /// Those that are ok, changed or skipped.
    Ok,
    /// All.
    All,
}

const RUN_COLUMNS: &str = "runs.run, verb, command, pattern, user_name, account, from_where, options, no_log, hosts, runs.started, finished, runs.outcome, stopped, summary";

impl Store {
    /// Runs, newest first.
    pub async fn runs(&self, filter: &Filter) -> Result<Vec<RunRow>, StoreError> {
        let mut query = QueryBuilder::<Any>::new("SELECT ");
        query.push(RUN_COLUMNS).push(" FROM runs WHERE 1 = 1");
        push_filter(&mut query, filter);
        if let Some(host) = &filter.host {
            query
                .push(" AND EXISTS (SELECT 1 FROM run_hosts WHERE run_hosts.run = runs.run AND host = ")
                .push_bind(host.clone())
                .push(")");
        }
        query.push(" ORDER BY runs.started DESC, runs.run DESC LIMIT ");
        query.push_bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
        let rows = query.build().fetch_all(&self.pool).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.run_row(row)).collect()
    }

    /// The run that an id, or its beginning or end, names.
    pub async fn find_run(&self, id: &str) -> Result<RunRow, StoreError> {
        let good = id.len() >= 4 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if !good {
            return Err(StoreError::NoRun(format!(
                "`{id}` is no run: give its id, or at least 4 characters of its beginning or end"
            )));
        }
        let mut query = QueryBuilder::<Any>::new("SELECT ");
        query.push(RUN_COLUMNS).push(" FROM runs WHERE run LIKE ");
        query.push_bind(format!("{}%", id.to_lowercase()));
        query
            .push(" OR run LIKE ")
            .push_bind(format!("%{}", id.to_lowercase()));
        query.push(" LIMIT 3");
        let rows = query.build().fetch_all(&self.pool).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        match rows.as_slice() {
            [] => Err(StoreError::NoRun(format!(
                "there is no run `{id}` on record"
            ))),
            [row] => self.run_row(row),
            _ => Err(StoreError::NoRun(format!(
                "`{id}` may mean several runs: give more of the id (its end differs most)"
            ))),
        }
    }

    /// The user's newest run that had hosts; of a verb, where one is named.
    pub async fn newest_run(
        &self,
        user: &str,
        verb: Option<&str>,
    ) -> Result<Option<RunRow>, StoreError> {
        let mut query = QueryBuilder::<Any>::new("SELECT ");
        query
            .push(RUN_COLUMNS)
            .push(" FROM runs WHERE hosts > 0 AND user_name = ");
        query.push_bind(user.to_owned());
        if let Some(verb) = verb {
            query.push(" AND verb = ").push_bind(verb.to_owned());
        }
        query.push(" ORDER BY started DESC, run DESC LIMIT 1");
        let row = query.build().fetch_optional(&self.pool).await;
        let row = row.map_err(|error| self.failed(error))?;
        row.map(|row| self.run_row(&row)).transpose()
    }

    /// The hosts of a run that came out so, in inventory order.
    pub async fn hosts_of(&self, run: RunId, which: Which) -> Result<Vec<Arc<str>>, StoreError> {
        let rows = sqlx::query("SELECT host, outcome FROM run_hosts WHERE run = ? ORDER BY ix")
            .bind(run.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        let mut hosts = Vec::new();
        for row in &rows {
            let host: String = row.try_get(0).map_err(|error| self.failed(error))?;
            let outcome: String = row.try_get(1).map_err(|error| self.failed(error))?;
            let well = matches!(outcome.as_str(), "ok" | "changed" | "skipped");
            let wanted = match which {
                Which::Failed => !well,
                Which::Unreachable => outcome == "unreachable",
                Which::Ok => well,
                Which::All => true,
            };
            if wanted {
                hosts.push(Arc::from(host));
            }
        }
        Ok(hosts)
    }

    /// A run's hosts with their results, in inventory order. Outputs too large for memory are put
    /// into files of `folder`.
    pub async fn results(
        &self,
        run: &mut RunRow,
        folder: &Path,
    ) -> Result<Vec<(HostIx, HostResult)>, StoreError> {
        let rows = sqlx::query("SELECT ix, host, outcome, exit_status, signal_name, encoding, started, duration_us, attempts, error, connect_us, auth_us, stdout_digest, stdout_total, stdout_kept, stderr_digest, stderr_total, stderr_kept, files FROM run_hosts WHERE run = ? ORDER BY ix")
            .bind(run.header.run.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        let mut outputs = Cache {
            known: HashMap::new(),
            in_memory: 0,
            folder,
        };
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut results = Vec::with_capacity(rows.len());
        for row in &rows {
            let host: String = self.get(row, "host")?;
            names.push(Arc::from(host));
            // Hosts of a run under way may be missing: places are those of this list.
            let ix = HostIx(u32::try_from(names.len() - 1).unwrap_or(u32::MAX));
            results.push((ix, self.result(row, &mut outputs).await?));
        }
        run.header.hosts = names;
        Ok(results)
    }

    async fn result(
        &self,
        row: &AnyRow,
        outputs: &mut Cache<'_>,
    ) -> Result<HostResult, StoreError> {
        let outcome: String = self.get(row, "outcome")?;
        let encoding: String = self.get(row, "encoding")?;
        let error: Option<String> = self.get(row, "error")?;
        let (connect, auth) = (self.get(row, "connect_us")?, self.get(row, "auth_us")?);
        let exit: Option<i64> = self.get(row, "exit_status")?;
        let us = |us: i64| Duration::from_micros(u64::try_from(us).unwrap_or(0));
        Ok(HostResult {
            outcome: outcome_of(&outcome)?,
            exit: exit.and_then(|exit| i32::try_from(exit).ok()),
            signal: self.get(row, "signal_name")?,
            stdout: self.captured(row, "stdout", outputs).await?,
            stderr: self.captured(row, "stderr", outputs).await?,
            encoding: Charset::from_label(&encoding).unwrap_or(Charset::UTF_8),
            started: time(self.get(row, "started")?)?,
            duration: us(self.get(row, "duration_us")?),
            attempts: u32::try_from(self.get::<i64>(row, "attempts")?).unwrap_or(0),
            error: error
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(|error| StoreError::Content(error.to_string()))?,
            timings: match (connect, auth) {
                (Some(connect), Some(auth)) => Some(Timings {
                    connect: us(connect),
                    auth: us(auth),
                }),
                _ => None,
            },
            files: host_files::read(self.get(row, "files")?)?,
        })
    }

    async fn captured(
        &self,
        row: &AnyRow,
        stream: &str,
        outputs: &mut Cache<'_>,
    ) -> Result<Captured, StoreError> {
        let digest: Option<String> = self.get(row, &format!("{stream}_digest"))?;
        let total: i64 = self.get(row, &format!("{stream}_total"))?;
        let kept: i64 = self.get(row, &format!("{stream}_kept"))?;
        let mut captured = match digest {
            None => Captured::empty(),
            Some(digest) => {
                outputs
                    .get(self, &digest, u64::try_from(kept).unwrap_or(0))
                    .await?
            }
        };
        captured.total = u64::try_from(total).unwrap_or(0);
        captured.kept = u64::try_from(kept).unwrap_or(0);
        Ok(captured)
    }

    /// The runs a host took part in, newest first.
    pub async fn host_runs(&self, host: &str, filter: &Filter) -> Result<Vec<HostRun>, StoreError> {
        let mut query = QueryBuilder::<Any>::new("SELECT ");
        query.push(RUN_COLUMNS);
        query.push(", run_hosts.outcome AS host_outcome, exit_status, duration_us, error FROM run_hosts JOIN runs ON runs.run = run_hosts.run WHERE host = ");
        query.push_bind(host.to_owned());
        push_filter(&mut query, filter);
        query.push(" ORDER BY run_hosts.started DESC, run_hosts.run DESC LIMIT ");
        query.push_bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
        let rows = query.build().fetch_all(&self.pool).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        rows.iter()
            .map(|row| {
                let error: Option<String> = self.get(row, "error")?;
                let us: i64 = self.get(row, "duration_us")?;
                Ok(HostRun {
                    run: self.run_row(row)?,
                    outcome: self.get(row, "host_outcome")?,
                    exit: self.get(row, "exit_status")?,
                    duration: Duration::from_micros(u64::try_from(us).unwrap_or(0)),
                    error: error.and_then(|text| serde_json::from_str(&text).ok()),
                })
            })
            .collect()
    }

    pub(super) fn get<'r, T: sqlx::Decode<'r, Any> + sqlx::Type<Any>>(
        &self,
        row: &'r AnyRow,
        column: &str,
    ) -> Result<T, StoreError> {
        row.try_get(column).map_err(|error| self.failed(error))
    }

    fn run_row(&self, row: &AnyRow) -> Result<RunRow, StoreError> {
        let run: String = self.get(row, "run")?;
        let options: String = self.get(row, "options")?;
        let summary: Option<String> = self.get(row, "summary")?;
        let finished: Option<i64> = self.get(row, "finished")?;
        let stopped: Option<String> = self.get(row, "stopped")?;
        let outcome: Option<String> = self.get(row, "outcome")?;
        let hosts: i64 = self.get(row, "hosts")?;
        let content = |error: serde_json::Error| StoreError::Content(error.to_string());
        let header = RunHeader {
            run: run_id(&run)?,
            verb: self.get(row, "verb")?,
            command: self.get(row, "command")?,
            pattern: self.get(row, "pattern")?,
            user: self.get(row, "user_name")?,
            account: self.get(row, "account")?,
            from: self.get(row, "from_where")?,
            options: serde_json::from_str(&options).map_err(content)?,
            started: time(self.get(row, "started")?)?,
            no_log: self.get::<i64>(row, "no_log")? != 0,
            hosts: Vec::new(),
        };
        let summary = match summary {
            Some(text) => serde_json::from_str(&text).map_err(content)?,
            None => Summary::new(usize::try_from(hosts).unwrap_or(0)),
        };
        let end = finished
            .map(|finished| -> Result<RunEnd, StoreError> {
                let stopped = stopped
                    .map(|why| serde_json::from_value::<Stopped>(why.into()))
                    .transpose()
                    .map_err(content)?;
                Ok(RunEnd {
                    finished: time(finished)?,
                    summary,
                    stopped,
                })
            })
            .transpose()?;
        Ok(RunRow {
            header,
            end,
            outcome: outcome.unwrap_or_else(|| "running".to_owned()),
        })
    }
}

pub(super) fn push_filter(query: &mut QueryBuilder<Any>, filter: &Filter) {
    if let Some(since) = filter.since {
        query
            .push(" AND runs.started >= ")
            .push_bind(since.as_millisecond());
    }
    if let Some(until) = filter.until {
        query
            .push(" AND runs.started < ")
            .push_bind(until.as_millisecond());
    }
    if let Some(user) = &filter.user {
        query.push(" AND user_name = ").push_bind(user.clone());
    }
    if let Some(verb) = &filter.verb {
        query.push(" AND verb = ").push_bind(verb.clone());
    }
    match filter.outcome.as_deref() {
        None => {}
        Some("running") => {
            query.push(" AND finished IS NULL");
        }
        Some(outcome) => {
            query
                .push(" AND runs.outcome = ")
                .push_bind(outcome.to_owned());
        }
    }
}

pub(super) fn run_id(text: &str) -> Result<RunId, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Content(format!("`{text}` as a run's id")))
}

pub(super) fn time(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|error| StoreError::Content(error.to_string()))
}

pub(super) fn outcome_of(name: &str) -> Result<Outcome, StoreError> {
    Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.name() == name)
        .ok_or_else(|| StoreError::Content(format!("`{name}` as an outcome")))
}

/// Outputs that were read, by digest: equal ones are read once.
struct Cache<'a> {
    known: HashMap<String, Captured>,
    in_memory: u64,
    folder: &'a Path,
}

impl Cache<'_> {
    async fn get(
        &mut self,
        store: &Store,
        digest: &str,
        kept: u64,
    ) -> Result<Captured, StoreError> {
        if let Some(known) = self.known.get(digest) {
            return Ok(known.clone());
        }
        let fits = kept <= SMALL || (kept <= INLINE && self.in_memory + kept <= MEMORY);
        let captured = if fits {
            self.in_memory += kept;
            let mut bytes = Vec::new();
            store
                .output(digest, |piece| {
                    bytes.extend_from_slice(piece);
                    Ok(true)
                })
                .await?;
            Captured::inline(bytes)
        } else {
            self.to_file(store, digest, kept).await?
        };
        self.known.insert(digest.to_owned(), captured.clone());
        Ok(captured)
    }

    async fn to_file(
        &self,
        store: &Store,
        digest: &str,
        kept: u64,
    ) -> Result<Captured, StoreError> {
        use std::io::Write as _;
        let path = self.folder.join(format!("{}.output", self.known.len()));
        let mut file = std::fs::File::create(&path).map_err(StoreError::file(&path))?;
        let mut hasher = digest::Hasher::default();
        store
            .output(digest, |piece| {
                hasher.update(piece);
                file.write_all(piece).map_err(StoreError::file(&path))?;
                Ok(true)
            })
            .await?;
        Ok(Captured {
            total: kept,
            kept,
            digest: hasher.finish(),
            body: Body::Spilled(Arc::new(path)),
        })
    }
}
