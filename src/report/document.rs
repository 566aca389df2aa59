//! The JSON document of a run, as the contract gives it. Written host by host, so that outputs in
//! files never come into memory together.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::words::finished;
use super::{Context, Part};
use crate::base::clock::rfc3339;
use crate::base::text::decode;
use crate::event::{Captured, HostIx, HostResult, Recorded, RunEnd, RunHeader, Stamped};

/// Gathers a run's results and writes the document when the run is over.
pub struct Document {
    hosts: BTreeMap<HostIx, Arc<HostResult>>,
}

impl Document {
    pub(super) fn new() -> Self {
        Self {
            hosts: BTreeMap::new(),
        }
    }
}

/// Milliseconds with one decimal.
pub(super) fn ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// All of the document but `hosts`.
pub(super) fn frame(header: &RunHeader, end: &RunEnd, recorded: Recorded) -> Map<String, Value> {
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("schema", json!(1));
    put("run", json!(header.run));
    put("verb", json!(header.verb));
    put("command", json!(header.command));
    put("pattern", json!(header.pattern));
    put("started", json!(rfc3339(header.started)));
    put("finished", json!(rfc3339(end.finished)));
    put("outcome", json!(end.outcome().name()));
    put("stopped", json!(end.stopped));
    put("recorded", json!(recorded));
    put("summary", json!(end.summary));
    document
}

/// One host's object.
pub(super) fn host_object(
    name: &str,
    verb: &str,
    result: &HostResult,
) -> io::Result<Map<String, Value>> {
    let mut host = Map::new();
    host.insert("host".into(), json!(name));
    host.insert("outcome".into(), json!(result.outcome));
    host.insert("exit".into(), json!(result.exit));
    host.insert("signal".into(), json!(result.signal));
    output(&mut host, "stdout", &result.stdout, result)?;
    output(&mut host, "stderr", &result.stderr, result)?;
    host.insert(
        "encoding".into(),
        json!(result.encoding.name().to_ascii_lowercase()),
    );
    host.insert("truncated".into(), json!(result.truncated()));
    host.insert("started".into(), json!(rfc3339(result.started)));
    host.insert("duration_ms".into(), json!(ms(result.duration)));
    host.insert("attempts".into(), json!(result.attempts));
    if let Some(timings) = result.timings.filter(|_| verb == "ping") {
        host.insert("connect_ms".into(), json!(ms(timings.connect)));
        host.insert("auth_ms".into(), json!(ms(timings.auth)));
    }
    host.insert("error".into(), json!(result.error));
    Ok(host)
}

fn output(
    host: &mut Map<String, Value>,
    name: &str,
    output: &Captured,
    result: &HostResult,
) -> io::Result<()> {
    let bytes = output.read()?;
    let decoded = decode(&bytes, result.encoding);
    host.insert(name.to_owned(), json!(decoded.text));
    if decoded.lossy {
        host.insert(format!("{name}_lossy"), json!(true));
        host.insert(format!("{name}_b64"), json!(base64(&bytes)));
    }
    if output.truncated() {
        host.insert(format!("{name}_bytes"), json!(output.total));
    }
    Ok(())
}

pub(super) fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

impl Part for Document {
    fn event(&mut self, _cx: &mut Context, event: &Stamped) -> io::Result<()> {
        if let Some((host, result)) = finished(event) {
            self.hosts.insert(host, result.clone());
        }
        Ok(())
    }

    fn finish(&mut self, cx: &mut Context, end: &RunEnd, recorded: Recorded) -> io::Result<()> {
        let Some(header) = cx.header.clone() else {
            return Ok(());
        };
        let frame = serde_json::to_string(&frame(&header, end, recorded))?;
        let hosts = std::mem::take(&mut self.hosts);
        cx.screen.out(|out| {
            let open = frame.strip_suffix('}').unwrap_or(&frame);
            write!(out, "{open},\n \"hosts\": [")?;
            let mut separator = "\n  ";
            for (host, result) in hosts {
                let name = header.hosts.get(host.index()).map_or("?", |name| name);
                out.write_all(separator.as_bytes())?;
                serde_json::to_writer(&mut *out, &host_object(name, &header.verb, &result)?)?;
                separator = ",\n  ";
            }
            writeln!(out, "]}}")
        })
    }
}
