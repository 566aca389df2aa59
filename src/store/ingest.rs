//! From a journal's lines to rows, each line exactly once: how far a journal is in the database is
//! written in the transaction that brings its lines.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::{Any, QueryBuilder, Row as _, Transaction};

use super::database::Store;
use super::error::StoreError;
use super::history::outcome_of;
use super::host_files::{self, ROWS, Row};
use super::journal::{HostRecord, Line, OutputRecord, Reader, Record};
use super::learnt::Learnt;
use super::outputs::Outputs;
use super::plays;
use crate::event::{ErrorKind, HostError, HostIx, Outcome, RunEnd, RunHeader, Stopped, Summary};

/// Lines of one transaction.
const BATCH: usize = 500;
/// And their bytes, about: a line may hold two outputs of 64 KiB.
const BATCH_BYTES: u64 = 8 << 20;
/// The longest host name that is kept, in characters.
const NAME_MAX: usize = 255;

/// One journal on its way into the database.
pub(super) struct Ingest {
    folder: PathBuf,
    reader: Reader,
    outputs: Outputs,
    plays: plays::Rows,
    header: Option<Arc<RunHeader>>,
    started: HashSet<HostIx>,
    finished: HashSet<HostIx>,
    last: Option<Timestamp>,
    /// What of the journal is in the database; `None`: not asked yet.
    stored: Option<u64>,
    over: bool,
}

/// What became of the next lines of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There are none.
    End,
    /// They were in the database already.
    Known,
    /// They are in the database now.
    Brought,
}

impl Ingest {
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            folder: folder.to_owned(),
            reader: Reader::open(folder)?,
            outputs: Outputs::new().map_err(StoreError::file(folder))?,
            plays: plays::Rows::new().map_err(StoreError::file(folder))?,
            header: None,
            started: HashSet::new(),
            finished: HashSet::new(),
            last: None,
            stored: None,
            over: false,
        })
    }

    /// Whether the end of the run is in the database.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Brings all whole lines there are into the database.
    pub(super) async fn catch_up(&mut self, store: &Store) -> Result<(), StoreError> {
        while self.step(store).await? != Step::End {}
        Ok(())
    }

    /// Brings some of them.
    pub(super) async fn step(&mut self, store: &Store) -> Result<Step, StoreError> {
        let mut batch: Vec<Line> = Vec::new();
        let begin = self.reader.offset();
        while batch.len() < BATCH && self.reader.offset() < begin + BATCH_BYTES {
            match self.reader.next()? {
                Some(line) => batch.push(line),
                None => break,
            }
        }
        if batch.is_empty() {
            return Ok(Step::End);
        }
        self.bring(store, &batch).await
    }

    /// Brings the lines that follow the last one of the file and are in no file.
    pub(super) async fn catch_up_with(
        &mut self,
        store: &Store,
        unwritten: &[Vec<u8>],
    ) -> Result<(), StoreError> {
        let mut end = self.reader.offset();
        for lines in unwritten.chunks(BATCH) {
            let mut batch = Vec::with_capacity(lines.len());
            for line in lines {
                end += line.len() as u64;
                let record = serde_json::from_slice(line)
                    .map_err(|error| StoreError::Content(error.to_string()))?;
                batch.push(Line { record, end });
            }
            self.bring(store, &batch).await?;
        }
        Ok(())
    }

    async fn bring(&mut self, store: &Store, batch: &[Line]) -> Result<Step, StoreError> {
        self.note(batch);
        // Brought in by an earlier attempt, which was cut short behind it.
        if batch.last().map(|line| line.end) < self.stored {
            // Nothing else here lets others of this thread have their turn, nor ends at a deadline.
            tokio::task::yield_now().await;
            return Ok(Step::Known);
        }
        let step = self.apply(store, batch).await;
        if step.is_err() {
            self.outputs.forget();
            // The same lines are read again.
            let fresh = Self::open(&self.folder)?;
            *self = fresh;
        }
        step
    }

    /// What the lines say of the run as a whole.
    fn note(&mut self, batch: &[Line]) {
        for line in batch {
            match &line.record {
                Record::RunStarted { header } => {
                    self.last = Some(header.started);
                    self.header = Some(Arc::new(header.as_ref().clone()));
                }
                Record::HostStarted { host, at } => {
                    self.started.insert(*host);
                    self.last = Some(*at);
                }
                Record::HostFinished { host, .. } => {
                    self.finished.insert(*host);
                }
                Record::Play { at, .. } => self.last = Some(*at),
                Record::RunFinished { .. } => {}
            }
        }
    }

    async fn apply(&mut self, store: &Store, batch: &[Line]) -> Result<Step, StoreError> {
        let Some(header) = self.header.clone() else {
            return Err(StoreError::Content(
                "a journal does not begin with its run".into(),
            ));
        };
        let mut tx = store.begin().await?;
        let stored = match self.stored {
            Some(stored) => stored,
            None => self.begin_run(store, &mut tx, &header).await?,
        };
        let mut rows: Vec<Row<'_>> = Vec::new();
        let mut said = Vec::new();
        let mut learnt = Learnt::default();
        let mut end = None;
        for line in batch.iter().filter(|line| line.end > stored) {
            match &line.record {
                Record::HostFinished { host, result } => rows.push(Row::new(*host, result)?),
                Record::Play { at, said: event } => {
                    learnt.hear(*at, event);
                    said.push(self.plays.row(line.end, *at, event)?);
                }
                Record::RunFinished {
                    finished,
                    stopped,
                    summary,
                } => {
                    end = Some(RunEnd {
                        finished: *finished,
                        summary: *summary,
                        stopped: *stopped,
                    });
                }
                Record::RunStarted { .. } | Record::HostStarted { .. } => {}
            }
        }
        for row in &rows {
            for output in [&row.result.stdout, &row.result.stderr] {
                self.outputs
                    .add(store, &mut tx, &self.folder, output)
                    .await?;
            }
        }
        self.outputs.write(store, &mut tx).await?;
        for rows in host_files::statements(store, &rows)? {
            insert_hosts(store, &mut tx, &header, rows).await?;
        }
        plays::insert(store, &mut tx, header.run, said).await?;
        learnt.write(store, &mut tx).await?;
        if let Some(end) = &end {
            finish_run(store, &mut tx, &header, end).await?;
        }
        let offset = batch.last().map_or(0, |line| line.end).max(stored);
        sqlx::query("UPDATE runs SET journal_offset = ? WHERE run = ?")
            .bind(i64::try_from(offset).unwrap_or(i64::MAX))
            .bind(header.run.to_string())
            .execute(&mut *tx)
            .await
            .map_err(|error| store.failed(error))?;
        tx.commit().await.map_err(|error| store.failed(error))?;
        self.stored = Some(offset);
        let brought = offset > stored;
        self.over |= end.is_some() || (!brought && is_finished(store, &header).await?);
        Ok(if brought { Step::Brought } else { Step::Known })
    }

    /// The run's row; gives what of the journal is in already.
    async fn begin_run(
        &mut self,
        store: &Store,
        tx: &mut Transaction<'static, Any>,
        header: &RunHeader,
    ) -> Result<u64, StoreError> {
        let sql = format!(
            "{} INTO runs (run, verb, command, pattern, user_name, account, from_where, options, no_log, hosts, started, journal_offset) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            store.insert_new()
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(header.run.to_string())
            .bind(header.verb.clone())
            .bind(header.command.clone())
            .bind(header.pattern.clone())
            .bind(header.user.clone())
            .bind(header.account.clone())
            .bind(header.from.clone())
            .bind(header.options.to_string())
            .bind(i64::from(header.no_log))
            .bind(i64::try_from(header.hosts.len()).unwrap_or(i64::MAX))
            .bind(header.started.as_millisecond())
            .execute(&mut **tx)
            .await
            .map_err(|error| store.failed(error))?;
        let row = sqlx::query("SELECT journal_offset FROM runs WHERE run = ?")
            .bind(header.run.to_string())
            .fetch_one(&mut **tx)
            .await
            .map_err(|error| store.failed(error))?;
        let offset: i64 = row.try_get(0).map_err(|error| store.failed(error))?;
        Ok(u64::try_from(offset).unwrap_or(0))
    }

    /// Ends the record of a run whose journal does not. Of a controller that died: hosts at work
    /// failed, the others were cancelled. Of a journal that is not whole, nothing is known of hosts
    /// that it does not name, and nothing is said of them.
    pub(super) async fn complete(&mut self, store: &Store, whole: bool) -> Result<(), StoreError> {
        let Some(header) = self.header.clone() else {
            return Ok(());
        };
        let at = self.last.unwrap_or(header.started);
        let lost: Vec<(HostIx, HostRecord)> = (0..header.hosts.len())
            .filter(|_| whole)
            .filter_map(|ix| Some(HostIx(u32::try_from(ix).ok()?)))
            .filter(|host| !self.finished.contains(host))
            .map(|host| (host, lost(&header, self.started.contains(&host), at)))
            .collect();
        let mut tx = store.begin().await?;
        if self.stored.is_none() {
            self.begin_run(store, &mut tx, &header).await?;
        }
        let lost: Vec<Row<'_>> = lost
            .iter()
            .map(|(host, record)| Row::new(*host, record))
            .collect::<Result<_, _>>()?;
        for rows in host_files::statements(store, &lost)? {
            insert_hosts(store, &mut tx, &header, rows).await?;
        }
        let end = RunEnd {
            finished: at,
            summary: summary(store, &mut tx, &header).await?,
            stopped: Some(Stopped::Interrupted),
        };
        finish_run(store, &mut tx, &header, &end).await?;
        tx.commit().await.map_err(|error| store.failed(error))?;
        self.over = true;
        Ok(())
    }
}

/// Of the hosts that are in the database: it may know more than the journal does.
async fn summary(
    store: &Store,
    tx: &mut Transaction<'static, Any>,
    header: &RunHeader,
) -> Result<Summary, StoreError> {
    let rows = sqlx::query("SELECT outcome FROM run_hosts WHERE run = ?")
        .bind(header.run.to_string())
        .fetch_all(&mut **tx)
        .await
        .map_err(|error| store.failed(error))?;
    let mut summary = Summary::new(header.hosts.len());
    for row in &rows {
        let outcome: String = store.get(row, "outcome")?;
        summary.add(outcome_of(&outcome)?);
    }
    Ok(summary)
}

/// What is recorded of a host whose controller died.
fn lost(header: &RunHeader, started: bool, at: Timestamp) -> HostRecord {
    let (outcome, message) = if started {
        (
            Outcome::Failed,
            "the controller died while the host was at work",
        )
    } else {
        (
            Outcome::Cancelled,
            "the controller died before the host's turn",
        )
    };
    let mut error = HostError::new(ErrorKind::ControllerLost, message);
    if header.verb == "play" {
        error = error.hint(format!("go on with: iomsctl resume {}", header.run));
    }
    HostRecord {
        outcome,
        exit: None,
        signal: None,
        encoding: "utf-8".into(),
        started: at,
        duration_us: 0,
        attempts: u32::from(started),
        error: Some(error),
        timings_us: None,
        stdout: OutputRecord::default(),
        stderr: OutputRecord::default(),
        files: Vec::new(),
    }
}

async fn is_finished(store: &Store, header: &RunHeader) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT COUNT(*) FROM runs WHERE run = ? AND finished IS NOT NULL")
        .bind(header.run.to_string())
        .fetch_one(&store.pool)
        .await
        .map_err(|error| store.failed(error))?;
    let count: i64 = row.try_get(0).map_err(|error| store.failed(error))?;
    Ok(count > 0)
}

async fn insert_hosts(
    store: &Store,
    tx: &mut Transaction<'static, Any>,
    header: &RunHeader,
    rows: &[Row<'_>],
) -> Result<(), StoreError> {
    let run = header.run.to_string();
    let big = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut insert = QueryBuilder::<Any>::new(store.insert_new());
    insert.push(
        " INTO run_hosts (run, ix, host, outcome, exit_status, signal_name, encoding, started, duration_us, attempts, error, connect_us, auth_us, stdout_digest, stdout_total, stdout_kept, stderr_digest, stderr_total, stderr_kept, files) ",
    );
    insert.push_values(rows, |mut row, each| {
        let (ix, result) = (each.host, each.result);
        let name = header.hosts.get(ix.index()).map_or("?", |name| name);
        row.push_bind(run.clone())
            .push_bind(i64::from(ix.0))
            .push_bind(name.chars().take(NAME_MAX).collect::<String>())
            .push_bind(result.outcome.name().to_owned())
            .push_bind(result.exit.map(i64::from))
            .push_bind(
                result
                    .signal
                    .as_ref()
                    .map(|name| name.chars().take(64).collect::<String>()),
            )
            .push_bind(result.encoding.clone())
            .push_bind(result.started.as_millisecond())
            .push_bind(big(result.duration_us))
            .push_bind(i64::from(result.attempts))
            .push_bind(
                result
                    .error
                    .as_ref()
                    .and_then(|error| serde_json::to_string(error).ok()),
            )
            .push_bind(result.timings_us.map(|(connect, _)| big(connect)))
            .push_bind(result.timings_us.map(|(_, auth)| big(auth)))
            .push_bind(result.stdout.digest.clone())
            .push_bind(big(result.stdout.total))
            .push_bind(big(result.stdout.kept))
            .push_bind(result.stderr.digest.clone())
            .push_bind(big(result.stderr.total))
            .push_bind(big(result.stderr.kept))
            .push_bind(each.files.clone());
    });
    insert
        .build()
        .persistent(rows.len() == ROWS)
        .execute(&mut **tx)
        .await
        .map_err(|error| store.failed(error))?;
    Ok(())
}

async fn finish_run(
    store: &Store,
    tx: &mut Transaction<'static, Any>,
    header: &RunHeader,
    end: &RunEnd,
) -> Result<(), StoreError> {
    let stopped = end
        .stopped
        .and_then(|why| serde_json::to_value(why).ok())
        .and_then(|value| value.as_str().map(str::to_owned));
    let summary = serde_json::to_string(&end.summary)
        .map_err(|error| StoreError::Content(error.to_string()))?;
    sqlx::query(
        "UPDATE runs SET finished = ?, outcome = ?, stopped = ?, summary = ? WHERE run = ?",
    )
    .bind(end.finished.as_millisecond())
    .bind(end.outcome().name().to_owned())
    .bind(stopped)
    .bind(summary)
    .bind(header.run.to_string())
    .execute(&mut **tx)
    .await
    .map_err(|error| store.failed(error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::RunId;
    use crate::store::DatabaseUrl;

    /// A journal of a run whose hosts have all begun.
    fn journal(folder: &Path, hosts: usize) {
        let header = RunHeader {
            run: RunId::new(),
            verb: "run".into(),
            command: None,
            pattern: "all".into(),
            user: "me".into(),
            account: None,
            from: "here".into(),
            options: serde_json::json!({}),
            started: Timestamp::UNIX_EPOCH,
            no_log: false,
            hosts: (0..hosts).map(|host| format!("h{host}").into()).collect(),
        };
        let header = Box::new(header);
        let started = (0..hosts).map(|host| Record::HostStarted {
            host: HostIx(u32::try_from(host).unwrap()),
            at: Timestamp::UNIX_EPOCH,
        });
        let lines: String = std::iter::once(Record::RunStarted { header })
            .chain(started)
            .map(|record| serde_json::to_string(&record).unwrap() + "\n")
            .collect();
        std::fs::write(folder.join("events.jsonl"), lines).unwrap();
    }

    #[tokio::test]
    async fn what_is_read_again_is_not_brought_in_again() {
        let folder = tempfile::tempdir().unwrap();
        journal(folder.path(), 2 * BATCH);
        let url = DatabaseUrl::in_folder(folder.path());
        let store = Store::open(&url).await.unwrap();
        for step in [Step::Brought, Step::Known] {
            let mut ingest = Ingest::open(folder.path()).unwrap();
            assert_eq!(ingest.step(&store).await.unwrap(), step);
            assert_eq!(ingest.step(&store).await.unwrap(), step);
            assert_eq!(ingest.step(&store).await.unwrap(), step);
            assert_eq!(ingest.step(&store).await.unwrap(), Step::End);
        }
    }
}
