//! A text in the outputs on record, as they are shown: run by run, page by page, so that a large record
//! fits as well.

use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

use jiff::Timestamp;
use regex::bytes::Regex;
use sqlx::{Any, QueryBuilder, Row as _};

use super::database::Store;
use super::error::StoreError;
use super::history::{Filter, push_filter, run_id, time};
use crate::base::clixml::{self, Filter as ClixmlFilter};
use crate::base::id::RunId;
use crate::base::text::{Charset, StreamDecoder, begins_plain};

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

/// One of its outputs.
struct Output {
    /// Whether it is standard error.
    error: bool,
    digest: Option<String>,
    /// Whether only its beginning was kept.
    cut: bool,
}

impl Output {
    fn stream(&self) -> &'static str {
        if self.error { "stderr" } else { "stdout" }
    }

    /// What reads the same: the same bytes of hosts that speak the same.
    fn key(&self, digest: &str, host: Charset) -> String {
        format!("{digest} {} {} {host}", self.stream(), self.cut)
    }
}

/// An output's lines as they are shown: bytes as they came as long as nothing is to be decoded, and
/// then text, without CLIXML on standard error.
struct Shown {
    host: Charset,
    error: bool,
    cut: bool,
    begun: bool,
    text: Option<(StreamDecoder, Option<ClixmlFilter>)>,
    number: usize,
    /// The beginning of a line.
    rest: Vec<u8>,
}

impl Shown {
    fn new(output: &Output, host: Charset) -> Self {
        Self {
            host,
            error: output.error,
            cut: output.cut,
            begun: false,
            text: None,
            number: 1,
            rest: Vec::new(),
        }
    }

    /// From here on it is text.
    fn decode(&mut self) {
        let clixml = self.error.then(ClixmlFilter::new);
        self.text = Some((StreamDecoder::new(self.host), clixml));
    }

    /// The next piece, whose lines are handed out; false from it ends that.
    fn push(&mut self, piece: &[u8], line: &mut impl FnMut(usize, &[u8]) -> bool) -> bool {
        if !std::mem::replace(&mut self.begun, true)
            && (self.host != Charset::UTF_8 || !begins_plain(piece, self.host))
        {
            self.decode();
        }
        match &mut self.text {
            Some((decoder, clixml)) => {
                let text = decoder.push(piece);
                let text = match clixml {
                    Some(clixml) => clixml.push(&text),
                    None => text,
                };
                self.rest.extend_from_slice(text.as_bytes());
            }
            None => self.rest.extend_from_slice(piece),
        }
        self.lines(line)
    }

    /// Hands out the lines that are whole.
    fn lines(&mut self, line: &mut impl FnMut(usize, &[u8]) -> bool) -> bool {
        let mut at = 0;
        while let Some(tail) = self.rest.get(at..) {
            if self.text.is_none() && self.error && tail.starts_with(clixml::HEADER.as_bytes()) {
                let clixml = tail.to_vec();
                self.rest.clear();
                self.decode();
                return self.push(&clixml, line);
            }
            let Some(length) = tail.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            if !line(self.number, tail.get(..length).unwrap_or_default()) {
                return false;
            }
            self.number += 1;
            at += length + 1;
        }
        self.rest.drain(..at);
        if self.rest.len() > LINE_MAX {
            let part = std::mem::take(&mut self.rest);
            return line(self.number, &part);
        }
        true
    }

    /// What was held back, at the end.
    fn finish(&mut self, line: &mut impl FnMut(usize, &[u8]) -> bool) -> bool {
        if let Some((decoder, clixml)) = &mut self.text {
            let text = if self.cut {
                decoder.finish_cut()
            } else {
                decoder.finish()
            };
            let text = match clixml {
                Some(clixml) => clixml.push(&text) + &clixml.finish(),
                None => text,
            };
            self.rest.extend_from_slice(text.as_bytes());
        }
        self.lines(line) && (self.rest.is_empty() || line(self.number, &self.rest))
    }
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

    /// The lines of an output, at any cut.
    fn lines(host: &str, error: bool, bytes: &[u8]) -> Vec<(usize, String)> {
        let output = Output {
            error,
            digest: None,
            cut: false,
        };
        let read = |size: usize| {
            let mut shown = Shown::new(&output, Charset::from_label(host).unwrap());
            let mut lines = Vec::new();
            let mut take = |number: usize, text: &[u8]| {
                let text = String::from_utf8_lossy(text);
                lines.push((number, text.trim_end_matches('\r').to_owned()));
                true
            };
            for piece in bytes.chunks(size) {
                assert!(shown.push(piece, &mut take));
            }
            assert!(shown.finish(&mut take));
            lines
        };
        let whole = read(bytes.len());
        // Outputs come in large pieces: the first says whether there is something to decode.
        assert_eq!(read(bytes.len() / 2 + 1), whole);
        whole
    }

    #[test]
    fn what_is_searched_is_what_is_shown() {
        let numbered = |texts: &[&str]| -> Vec<(usize, String)> {
            (1..).zip(texts.iter().map(|text| (*text).into())).collect()
        };
        let gbk = Charset::from_label("936").unwrap();
        let mixed = [&gbk.encode("错误\r\n目录\n").0[..], "完成".as_bytes()].concat();
        let expected = numbered(&["错误", "目录", "完成"]);
        assert_eq!(lines("936", false, &mixed), expected);
        let wide: Vec<u8> = "错误\r\n目录\r\n完成"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let marked = [b"\xff\xfe", &wide[..]].concat();
        assert_eq!(lines("utf-8", false, &marked), expected);
        assert_eq!(
            lines("utf-8", false, "\u{feff}a\nb\n".as_bytes()),
            numbered(&["a", "b"])
        );
        let clixml = "native\r\n#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><S S=\"Error\">no_x000D__x000A_</S><S S=\"warning\">low</S></Objs>";
        for host in ["utf-8", "936"] {
            assert_eq!(
                lines(host, true, clixml.as_bytes()),
                numbered(&["native", "no", "WARNING: low"]),
                "{host}"
            );
        }
        assert_eq!(lines("utf-8", false, clixml.as_bytes()).len(), 3);
        assert_eq!(lines("utf-8", false, clixml.as_bytes())[1].1, "#< CLIXML");
    }
}
