//! One JSON event a line, as it happens: `--output jsonl`.

use std::collections::HashMap;
use std::io;

use serde_json::{Map, Value, json};

use super::document::{base64, frame, host_object};
use super::{Context, Part};
use crate::base::clock::rfc3339;
use crate::event::{Event, HostIx, Recorded, RunEnd, Stamped, Stream};

pub(super) struct Lines {
    /// The beginning of a character whose rest is yet to come.
    held: HashMap<(HostIx, Stream), Vec<u8>>,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self {
            held: HashMap::new(),
        }
    }

    fn output(
        cx: &mut Context,
        event: &Stamped,
        (host, stream): (HostIx, Stream),
        bytes: &[u8],
        encoding: &'static encoding_rs::Encoding,
    ) -> io::Result<()> {
        let mut fields = Map::new();
        fields.insert("host".into(), json!(cx.name(host)));
        fields.insert("stream".into(), json!(stream));
        let decoded = crate::base::text::decode(bytes, encoding);
        if decoded.lossy {
            fields.insert("b64".into(), json!(base64(bytes)));
        } else {
            fields.insert("text".into(), json!(decoded.text));
        }
        line(cx, event.at, "output", fields)
    }
}

/// How many bytes at the end are an unfinished UTF-8 character.
fn unfinished(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
        _ => 0,
    }
}

fn line(
    cx: &mut Context,
    at: jiff::Timestamp,
    event: &str,
    fields: Map<String, Value>,
) -> io::Result<()> {
    let mut object = Map::new();
    object.insert("event".into(), json!(event));
    object.insert("at".into(), json!(rfc3339(at)));
    object.extend(fields);
    cx.screen.out(|out| {
        serde_json::to_writer(&mut *out, &object)?;
        out.write_all(b"\n")?;
        out.flush()
    })
}

impl Part for Lines {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        match &event.event {
            Event::RunStarted(header) => {
                let mut fields = Map::new();
                fields.insert("schema".into(), json!(1));
                fields.insert("run".into(), json!(header.run));
                fields.insert("verb".into(), json!(header.verb));
                fields.insert("command".into(), json!(header.command));
                fields.insert("pattern".into(), json!(header.pattern));
                fields.insert("hosts".into(), json!(header.hosts));
                line(cx, event.at, "run_started", fields)
            }
            Event::HostStarted(host) => {
                let fields = Map::from_iter([("host".to_owned(), json!(cx.name(*host)))]);
                line(cx, event.at, "host_started", fields)
            }
            Event::Output {
                host,
                stream,
                bytes,
                encoding,
            } => {
                let key = (*host, *stream);
                let mut all = self.held.remove(&key).unwrap_or_default();
                all.extend_from_slice(bytes);
                let rest = all.split_off(all.len() - unfinished(&all));
                if !rest.is_empty() {
                    self.held.insert(key, rest);
                }
                if all.is_empty() {
                    return Ok(());
                }
                Self::output(cx, event, key, &all, encoding)
            }
            Event::HostFinished(host, result) => {
                for stream in [Stream::Stdout, Stream::Stderr] {
                    if let Some(rest) = self.held.remove(&(*host, stream)) {
                        Self::output(cx, event, (*host, stream), &rest, result.encoding)?;
                    }
                }
                let verb = cx.header.as_ref().map(|header| header.verb.clone());
                let object = host_object(&cx.name(*host), &verb.unwrap_or_default(), result)?;
                let mut fields = Map::new();
                fields.insert("host".into(), json!(cx.name(*host)));
                fields.insert("result".into(), object.into());
                line(cx, event.at, "host_finished", fields)
            }
            Event::Waiting(_) | Event::Notice(_) | Event::RunFinished(_) => Ok(()),
        }
    }

    fn finish(&mut self, cx: &mut Context, end: &RunEnd, recorded: Recorded) -> io::Result<()> {
        match cx.header.clone() {
            Some(header) => line(
                cx,
                end.finished,
                "run_finished",
                frame(&header, end, recorded),
            ),
            None => Ok(()),
        }
    }
}
