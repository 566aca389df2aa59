//! A text in the outputs on record: run by run, page by page, so that a large record fits as well.

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

/// Hosts that are asked for together.
const PAGE: i64 = 500;
/// Of a line that fits, so much is given, in bytes.
const SHOWN: usize = 4096;
/// Longer lines are searched in parts, in bytes.
const LINE_MAX: usize = 8 << 20;
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
    /// The line, as bytes of the host.
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
                    for (stream, digest) in [("stdout", &host.stdout), ("stderr", &host.stderr)] {
                        let Some(digest) = digest else { continue };
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
                        let go_on = match known.get(digest) {
                            Some(lines) => lines.iter().all(|(line, text)| hit(*line, text)),
                            None => self.search(digest, &regex, &mut known, hit).await?,
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
            "SELECT ix, host, stdout_digest, stderr_digest FROM run_hosts WHERE run = ",
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
            Ok(Searched {
                ix: row.try_get(0)?,
                name: row.try_get(1)?,
                stdout: row.try_get(2)?,
                stderr: row.try_get(3)?,
            })
        };
        let hosts = rows.iter().map(one).collect::<Result<_, _>>();
        hosts.map_err(|error| self.failed(error))
    }

    /// Searches an output, hands its lines on and remembers them; false when no more are wanted.
    async fn search(
        &self,
        digest: &str,
        regex: &Regex,
        known: &mut Known,
        mut hit: impl FnMut(usize, &[u8]) -> bool,
    ) -> Result<bool, StoreError> {
        let mut keep = Some((Lines::new(), 0));
        let room = known.largest();
        let mut go_on = true;
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
        let (mut number, mut rest) = (1, Vec::new());
        self.output(digest, |piece| {
            rest.extend_from_slice(piece);
            let mut at = 0;
            while let Some(length) = rest
                .get(at..)
                .and_then(|tail| tail.iter().position(|byte| *byte == b'\n'))
            {
                go_on = line(number, rest.get(at..at + length).unwrap_or_default());
                if !go_on {
                    return Ok(false);
                }
                number += 1;
                at += length + 1;
            }
            rest.drain(..at);
            if rest.len() > LINE_MAX {
                go_on = line(number, &rest);
                rest.clear();
            }
            Ok(go_on)
        })
        .await?;
        if go_on && !rest.is_empty() {
            go_on = line(number, &rest);
        }
        if let (true, Some((lines, size))) = (go_on, keep) {
            known.put(digest, lines, size);
        }
        Ok(go_on)
    }
}

/// A host of a page.
struct Searched {
    ix: i64,
    name: String,
    stdout: Option<String>,
    stderr: Option<String>,
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

    fn get(&self, digest: &str) -> Option<Arc<Lines>> {
        self.lines.get(digest).cloned()
    }

    /// No output is remembered with more, in bytes.
    fn largest(&self) -> usize {
        self.room / 4
    }

    fn put(&mut self, digest: &str, lines: Lines, size: usize) {
        // About what the map itself takes.
        let size = size + digest.len() + 128;
        if self.size + size > self.room {
            self.lines.clear();
            self.size = 0;
        }
        self.size += size;
        self.lines.insert(digest.to_owned(), Arc::new(lines));
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
            known.put(&format!("{n:064}"), Lines::new(), 300);
            assert!(known.size <= 10_000 && known.lines.len() <= 20);
            assert!(known.get(&format!("{n:064}")).is_some());
        }
    }
}
