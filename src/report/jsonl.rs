//! One JSON event a line, as it happens: `--output jsonl`.

use std::collections::HashMap;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{DecoderResult, Encoding};
use serde_json::{Map, Value, json as value};

use super::document::frame;
use super::host::{encoding_name, write_host};
use super::json;
use super::{Context, Part};
use crate::base::clock::rfc3339;
use crate::event::{Event, HostIx, HostResult, Recorded, RunEnd, Stamped, Stream};

/// No character is longer, in any encoding.
const CHARACTER_MAX: usize = 4;

pub(super) struct Lines {
    streams: HashMap<(HostIx, Stream), State>,
    /// A kept output that could not be read.
    unread: Option<io::Error>,
}

#[derive(Default)]
struct State {
    /// The beginning of a character whose rest is yet to come.
    held: Vec<u8>,
    /// Something came that was no UTF-8 and fits the host's encoding: what follows is in it too.
    foreign: bool,
}

/// What stands for a piece of output.
enum Shown {
    Utf8(String),
    Foreign(String),
    Bytes(Vec<u8>),
}

impl State {
    /// The next bytes in; what can be shown of them out. At most a character's beginning is held
    /// back.
    fn push(&mut self, bytes: &[u8], host: &'static Encoding, last: bool) -> Shown {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        if !self.foreign {
            let valid = match std::str::from_utf8(&all) {
                Ok(_) => all.len(),
                Err(error) if error.error_len().is_none() && !last => error.valid_up_to(),
                Err(_) => 0,
            };
            if valid > 0 || all.len() < CHARACTER_MAX && !last && begins_utf8(&all) {
                self.held = all.split_off(valid);
                return Shown::Utf8(String::from_utf8_lossy(&all).into_owned());
            }
        }
        for hold in 0..CHARACTER_MAX.min(all.len() + 1) {
            let (head, tail) = all.split_at(all.len() - hold);
            if hold > 0 && (last || !begins(tail, host)) {
                continue;
            }
            if let Some(text) = exactly(head, host) {
                self.foreign |= !head.is_empty();
                self.held = tail.to_vec();
                return Shown::Foreign(text);
            }
        }
        Shown::Bytes(all)
    }
}

fn begins_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes)
        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

/// Whether these may be the beginning of a character.
fn begins(bytes: &[u8], encoding: &'static Encoding) -> bool {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(64);
    let (result, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, false);
    result == DecoderResult::InputEmpty && text.is_empty()
}

/// The text, if it gives back the very bytes.
fn exactly(bytes: &[u8], encoding: &'static Encoding) -> Option<String> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let (again, _, unfit) = encoding.encode(&text);
    (!unfit && *again == *bytes).then(|| text.into_owned())
}

impl Lines {
    pub(super) fn new() -> Self {
        Self {
            streams: HashMap::new(),
            unread: None,
        }
    }

    fn output(
        &mut self,
        cx: &mut Context,
        event: &Stamped,
        key: (HostIx, Stream),
        bytes: &[u8],
        encoding: &'static Encoding,
    ) -> io::Result<()> {
        let last = matches!(event.event, Event::HostFinished(..));
        let state = self.streams.entry(key).or_default();
        let mut fields = start(cx.name(key.0));
        fields.insert("stream".into(), value!(key.1));
        match state.push(bytes, encoding, last) {
            Shown::Utf8(text) | Shown::Foreign(text) if text.is_empty() => return Ok(()),
            Shown::Bytes(bytes) if bytes.is_empty() => return Ok(()),
            Shown::Utf8(text) => fields.insert("text".into(), value!(text)),
            Shown::Foreign(text) => {
                fields.insert("text".into(), value!(text));
                fields.insert("encoding".into(), value!(encoding_name(encoding)))
            }
            Shown::Bytes(bytes) => fields.insert("b64".into(), value!(STANDARD.encode(bytes))),
        };
        line(cx, event.at, "output", fields)
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
        let unread = cx.screen.out(|out| {
            let head = head(event.at, "host_finished", start(name.clone()));
            json::write_open(out, &head)?;
            out.write_all(b",\"result\":")?;
            let unread = write_host(out, &name, &verb.unwrap_or_default(), result)?;
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

fn line(
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
            } => self.output(cx, event, (*host, *stream), bytes, encoding),
            Event::HostFinished(host, result) => self.finished(cx, event, *host, result),
            Event::Waiting(_) | Event::Notice(_) | Event::RunFinished(_) => Ok(()),
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
