//! A text in the outputs on record, as they are shown: run by run, page by page, so that a large record
//! fits as well.

mod shown;

use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

use jiff::Timestamp;
use regex::bytes::Regex;
use sqlx::{Any, QueryBuilder, Row as _};

use super::database::Store;
use super::error::StoreError;
use super::history::{Filter, push_filter, run_id, time};
use crate::base::id::RunId;
use crate::base::text::Charset;
use shown::{Output, Shown};

/// Hosts that are asked for together.
const PAGE: i64 = 500;
/// Of a line that fits, so much is given, in bytes.
const SHOWN: usize = 4096;
/// What is remembered of outputs that were searched, in bytes.
const REMEMBERED: usize = 16 << 20;

/// A line of output that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The run.
    pub run: RunId,
    /// When it began.
    pub started: Timestamp,
    /// The host.
    pub host: String,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// From 1.
    pub line: usize,
    /// The line as it is shown; not all of it may be UTF-8.
    pub text: Vec<u8>,
}

/// The matching lines of an output, with their numbers.
type Lines = Vec<(usize, Vec<u8>)>;

impl Store {
    /// Lines of output that fit, of the newest runs first, each handed to `found`; false from it
    /// ends the search. Equal outputs are read once, so far as they are remembered.
    pub async fn grep(
        &self,
        pattern: &str,
        filter: &Filter,
        mut found: impl FnMut(Match) -> bool,
    ) -> Result<(), StoreError> {
        let regex = Regex::new(pattern).map_err(|error| {
            let error = error.to_string();
            StoreError::Regex(error.lines().last().unwrap_or_default().to_owned())
        })?;
        let mut known = Known::new(REMEMBERED);
        for (run, started) in self.runs_to_search(filter).await? {
            let mut after = -1;
            loop {
                let hosts = self.page(&run, filter.host.as_deref(), after).await?;
                let Some(last) = hosts.last() else { break };
                after = last.ix;
                for host in &hosts {
                    for output in [&host.stdout, &host.stderr] {
                        let Some(digest) = &output.digest else {
                            continue;
                        };
                        let (stream, key) = (output.stream(), output.key(digest, host.encoding));
                        let id = run_id(&run)?;
                        let mut hit = |line: usize, text: &[u8]| {
                            found(Match {
                                run: id,
                                started,
                                host: host.name.clone(),
                                stream,
                                line,
                                text: text.to_owned(),
                            })
                        };
                        let go_on = if let Some(lines) = known.get(&key) {
                            lines.iter().all(|(line, text)| hit(*line, text))
                        } else {
                            let shown = Shown::new(output, host.encoding);
                            self.search(digest, shown, key, &regex, &mut known, hit)
                                .await?
                        };
                        if !go_on {
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn runs_to_search(
        &self,
        filter: &Filter,
    ) -> Result<Vec<(String, Timestamp)>, StoreError> {
        let mut query = QueryBuilder::<Any>::new("SELECT run, started FROM runs WHERE 1 = 1");
        push_filter(&mut query, filter);
        query.push(" ORDER BY runs.started DESC, runs.run DESC LIMIT ");
        query.push_bind(i64::try_from(filter.limit).unwrap_or(i64::MAX));
        let rows = query.build().fetch_all(&self.pool).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        let one = |row| Ok((self.get(row, "run")?, time(self.get(row, "started")?)?));
        rows.iter().map(one).collect()
    }

    /// Hosts of a run with their outputs, behind a place.
    async fn page(
        &self,
        run: &str,
        host: Option<&str>,
        after: i64,
    ) -> Result<Vec<Searched>, StoreError> {
        let mut query = QueryBuilder::<Any>::new(
            "SELECT ix, host, encoding, stdout_digest, stdout_total, stdout_kept, stderr_digest, stderr_total, stderr_kept FROM run_hosts WHERE run = ",
        );
        query.push_bind(run.to_owned());
        query.push(" AND ix > ").push_bind(after);
        if let Some(host) = host {
            query.push(" AND host = ").push_bind(host.to_owned());
        }
        query.push(" ORDER BY ix LIMIT ").push_bind(PAGE);
        let rows = query.build().fetch_all(&self.pool).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        let one = |row: &sqlx::any::AnyRow| -> Result<Searched, sqlx::Error> {
            let encoding: String = row.try_get(2)?;
            let output = |from: usize| {
                Ok::<_, sqlx::Error>(Output {
                    error: from != 3,
                    digest: row.try_get(from)?,
                    cut: row.try_get::<i64, _>(from + 1)? > row.try_get::<i64, _>(from + 2)?,
                })
            };
            Ok(Searched {
                ix: row.try_get(0)?,
                name: row.try_get(1)?,
                encoding: Charset::from_label(&encoding).unwrap_or(Charset::UTF_8),
                stdout: output(3)?,
                stderr: output(6)?,
            })
        };
        let hosts = rows.iter().map(one).collect::<Result<_, _>>();
        hosts.map_err(|error| self.failed(error))
    }

    /// Searches an output, hands its lines on and remembers them by the key; false when no more are
    /// wanted.
    async fn search(
        &self,
        digest: &str,
        mut shown: Shown,
        key: String,
        regex: &Regex,
        known: &mut Known,
        mut hit: impl FnMut(usize, &[u8]) -> bool,
    ) -> Result<bool, StoreError> {
        let mut keep = Some((Lines::new(), 0));
        let room = known.largest();
        let mut line = |number: usize, bytes: &[u8]| {
            let text = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            if !regex.is_match(text) {
                return true;
            }
            let text = text.get(..SHOWN).unwrap_or(text);
            if let Some((lines, size)) = &mut keep {
                *size += text.len() + size_of::<(usize, Vec<u8>)>();
                if *size > room {
                    keep = None;
                } else {
                    lines.push((number, text.to_owned()));
                }
            }
            hit(number, text)
        };
        let mut go_on = true;
        self.output(digest, |piece| {
            go_on = shown.push(piece, &mut line);
            Ok(go_on)
        })
        .await?;
        go_on = go_on && shown.finish(&mut line);
        if let (true, Some((lines, size))) = (go_on, keep) {
            known.put(key, lines, size);
        }
        Ok(go_on)
    }
}

/// A host of a page.
struct Searched {
    ix: i64,
    name: String,
    encoding: Charset,
    stdout: Output,
    stderr: Output,
}

/// Outputs that were searched, as many as there is room for.
struct Known {
    lines: HashMap<String, Arc<Lines>>,
    size: usize,
    room: usize,
}

impl Known {
    fn new(room: usize) -> Self {
        Self {
            lines: HashMap::new(),
            size: 0,
            room,
        }
    }

    fn get(&self, key: &str) -> Option<Arc<Lines>> {
        self.lines.get(key).cloned()
    }

    /// No output is remembered with more, in bytes.
    fn largest(&self) -> usize {
        self.room / 4
    }

    fn put(&mut self, key: String, lines: Lines, size: usize) {
        // About what the map itself takes.
        let size = size + key.len() + 128;
        if self.size + size > self.room {
            self.lines.clear();
            self.size = 0;
        }
        self.size += size;
        self.lines.insert(key, Arc::new(lines));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_stays_within_its_room() {
        let mut known = Known::new(10_000);
        assert_eq!(known.largest(), 2500);
        for n in 0..1000 {
            known.put(format!("{n:064}"), Lines::new(), 300);
            assert!(known.size <= 10_000 && known.lines.len() <= 20);
            assert!(known.get(&format!("{n:064}")).is_some());
        }
    }
}
