//! One JSON event a line, as it happens: `--output jsonl`.

use std::collections::HashMap;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json as value};

use super::document::frame;
use super::host::write_host;
use super::json;
use super::play::{ModuleResults, is_do};
use super::{Context, Part};
use crate::base::clock::rfc3339;
use crate::base::text::Charset;
use crate::event::{Event, HostIx, HostResult, Recorded, RunEnd, Stamped, Stream};

/// No character is longer, in any encoding.
const CHARACTER_MAX: usize = 4;

pub(super) struct Lines {
    streams: HashMap<(HostIx, Stream), State>,
    modules: ModuleResults,
    /// A kept output that could not be read.
    unread: Option<io::Error>,
}

#[derive(Default)]
struct State {
    /// The beginning of a character whose rest is yet to come.
    held: Vec<u8>,
    /// Within a line that is no UTF-8 and fits the host's encoding: its rest is in it too.
    foreign: bool,
}

/// What stands for a piece of output.
#[derive(Debug, PartialEq, Eq)]
enum Shown {
    Utf8(String),
    Foreign(String),
    Bytes(Vec<u8>),
}

impl State {
    /// The next bytes in; what can be shown of them out, in turn. At most a character's beginning
    /// is held back.
    fn push(&mut self, bytes: &[u8], host: Charset, last: bool) -> Vec<Shown> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let mut shown = Vec::new();
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            if !self.foreign {
                let (utf8, hold) = utf8_lines(rest, last);
                let (text, behind) = rest.split_at(utf8);
                add(
                    &mut shown,
                    Shown::Utf8(String::from_utf8_lossy(text).into_owned()),
                );
                if hold {
                    self.held = behind.to_vec();
                    break;
                }
                rest = behind;
            }
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (line, behind) = rest.split_at(end.map_or(rest.len(), |at| at + 1));
            if !line.is_empty() {
                add(&mut shown, self.line(line, host, last || end.is_some()));
            }
            rest = behind;
        }
        shown
    }

    /// A line that is no UTF-8, or as much of it as there is.
    fn line(&mut self, line: &[u8], host: Charset, ended: bool) -> Shown {
        for hold in 0..CHARACTER_MAX.min(line.len() + 1) {
            let (head, tail) = line.split_at(line.len() - hold);
            if hold > 0 && (ended || !host.begins(tail)) {
                continue;
            }
            if let Some(text) = host.exactly(head) {
                self.foreign = !ended && (self.foreign || !head.is_empty());
                self.held = tail.to_vec();
                return Shown::Foreign(text);
            }
        }
        self.foreign = false;
        Shown::Bytes(line.to_vec())
    }
}

/// How much of this is UTF-8: whole lines, and the last one as far as it goes. Whether what is behind
/// that is the beginning of a character.
fn utf8_lines(bytes: &[u8], last: bool) -> (usize, bool) {
    let Err(error) = std::str::from_utf8(bytes) else {
        return (bytes.len(), false);
    };
    let valid = error.valid_up_to();
    if error.error_len().is_none() && !last {
        return (valid, true);
    }
    let good = bytes.get(..valid).unwrap_or_default();
    let newline = good.iter().rposition(|byte| *byte == b'\n');
    (newline.map_or(0, |at| at + 1), false)
}

/// Adds what is shown to what is before it, where that is of its kind; ASCII is of each.
fn add(shown: &mut Vec<Shown>, more: Shown) {
    match (shown.last_mut(), more) {
        (_, Shown::Utf8(more) | Shown::Foreign(more)) if more.is_empty() => {}
        (Some(Shown::Utf8(text)), Shown::Utf8(more))
        | (Some(Shown::Foreign(text)), Shown::Foreign(more)) => text.push_str(&more),
        (Some(Shown::Foreign(text)), Shown::Utf8(more)) if more.is_ascii() => text.push_str(&more),
        (Some(Shown::Bytes(bytes)), Shown::Bytes(more)) => bytes.extend(more),
        (_, more) => shown.push(more),
    }
}

impl Lines {
    pub(super) fn new() -> Self {
        Self {
            streams: HashMap::new(),
            modules: ModuleResults::default(),
            unread: None,
        }
    }

    fn output(
        &mut self,
        cx: &mut Context,
        event: &Stamped,
        key: (HostIx, Stream),
        bytes: &[u8],
        encoding: Charset,
    ) -> io::Result<()> {
        let last = matches!(event.event, Event::HostFinished(..));
        let state = self.streams.entry(key).or_default();
        for shown in state.push(bytes, encoding, last) {
            let mut fields = start(cx.name(key.0));
            fields.insert("stream".into(), value!(key.1));
            match shown {
                Shown::Utf8(text) => fields.insert("text".into(), value!(text)),
                Shown::Foreign(text) => {
                    fields.insert("text".into(), value!(text));
                    fields.insert("encoding".into(), value!(encoding.name()))
                }
                Shown::Bytes(bytes) => fields.insert("b64".into(), value!(STANDARD.encode(bytes))),
            };
            line(cx, event.at, "output", fields)?;
        }
        Ok(())
    }

    fn finished(
        &mut self,
        cx: &mut Context,
        event: &Stamped,
        host: HostIx,
        result: &HostResult,
    ) -> io::Result<()> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.output(cx, event, (host, stream), &[], result.encoding)?;
            self.streams.remove(&(host, stream));
        }
        let verb = cx.header.as_ref().map(|header| header.verb.clone());
        let name = cx.name(host);
        let module = self.modules.take(&name);
        let unread = cx.screen.out(|out| {
            let head = head(event.at, "host_finished", start(name.clone()));
            json::write_open(out, &head)?;
            out.write_all(b",\"result\":")?;
            let unread = write_host(
                out,
                &name,
                &verb.unwrap_or_default(),
                result,
                module.as_deref(),
            )?;
            out.write_all(b"}\n")?;
            out.flush()?;
            Ok(unread)
        })?;
        self.unread = self.unread.take().or(unread);
        Ok(())
    }
}

fn start(host: impl AsRef<str>) -> Map<String, Value> {
    Map::from_iter([("host".to_owned(), value!(host.as_ref()))])
}

fn head(at: jiff::Timestamp, event: &str, fields: Map<String, Value>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("event".into(), value!(event));
    object.insert("at".into(), value!(rfc3339(at)));
    object.extend(fields);
    object
}

pub(super) fn line(
    cx: &mut Context,
    at: jiff::Timestamp,
    event: &str,
    fields: Map<String, Value>,
) -> io::Result<()> {
    let object = head(at, event, fields);
    cx.screen.out(|out| {
        json::write(out, &object)?;
        out.write_all(b"\n")?;
        out.flush()
    })
}

impl Part for Lines {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        match &event.event {
            Event::RunStarted(header) => {
                let mut fields = Map::new();
                fields.insert("schema".into(), value!(1));
                fields.insert("run".into(), value!(header.run));
                fields.insert("verb".into(), value!(header.verb));
                fields.insert("command".into(), value!(header.command));
                fields.insert("pattern".into(), value!(header.pattern));
                fields.insert("hosts".into(), value!(header.hosts));
                line(cx, event.at, "run_started", fields)
            }
            Event::HostStarted(host) => line(cx, event.at, "host_started", start(cx.name(*host))),
            Event::Output {
                host,
                stream,
                bytes,
                encoding,
            } => self.output(cx, event, (*host, *stream), bytes, *encoding),
            Event::HostFinished(host, result) => self.finished(cx, event, *host, result),
            // With `do` a host has one result, and its end says it.
            Event::Play(_) if is_do(cx) => {
                self.modules.hear(cx, event);
                Ok(())
            }
            Event::Play(said) => super::play::json_line(cx, event.at, said),
            Event::Waiting(_) | Event::Moved(_) | Event::Notice(_) | Event::RunFinished(_) => {
                Ok(())
            }
        }
    }

    fn finish(&mut self, cx: &mut Context, end: &RunEnd, recorded: Recorded) -> io::Result<()> {
        if let Some(header) = cx.header.clone() {
            let document = frame(&header, end, recorded);
            line(cx, end.finished, "run_finished", document)?;
        }
        self.unread.take().map_or(Ok(()), Err)
    }
}
