//! The JSON document of a run, as the contract gives it. Written host by host, so that outputs in
//! files never come into memory together.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use serde_json::{Map, Value, json as value};

use super::host::write_host;
use super::json;
use super::play::ModuleResults;
use super::words::finished;
use super::{Context, Part};
use crate::base::clock::rfc3339;
use crate::event::{HostIx, HostResult, Recorded, RunEnd, RunHeader, Stamped};

/// Gathers a run's results and writes the document when the run is over.
pub(super) struct Document {
    hosts: BTreeMap<HostIx, Arc<HostResult>>,
    modules: ModuleResults,
}

impl Document {
    pub(super) fn new() -> Self {
        Self {
            hosts: BTreeMap::new(),
            modules: ModuleResults::default(),
        }
    }
}

/// All of the document but `hosts`.
pub(super) fn frame(header: &RunHeader, end: &RunEnd, recorded: Recorded) -> Map<String, Value> {
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("schema", value!(1));
    put("run", value!(header.run));
    put("verb", value!(header.verb));
    put("command", value!(header.command));
    put("pattern", value!(header.pattern));
    put("started", value!(rfc3339(header.started)));
    put("finished", value!(rfc3339(end.finished)));
    put("outcome", value!(end.outcome().name()));
    put("stopped", value!(end.stopped));
    put("recorded", value!(recorded));
    put("summary", value!(end.summary));
    document
}

impl Part for Document {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        self.modules.hear(cx, event);
        if let Some((host, result)) = finished(event) {
            self.hosts.insert(host, result.clone());
        }
        Ok(())
    }

    fn finish(&mut self, cx: &mut Context, end: &RunEnd, recorded: Recorded) -> io::Result<()> {
        let Some(header) = cx.header.clone() else {
            return Ok(());
        };
        let frame = frame(&header, end, recorded);
        let hosts = std::mem::take(&mut self.hosts);
        let mut unread = None;
        cx.screen.out(|out| {
            json::write_open(out, &frame)?;
            out.write_all(b",\n \"hosts\": [")?;
            let mut separator = "\n  ";
            for (host, result) in hosts {
                let name = header.hosts.get(host.index()).map_or("?", |name| name);
                out.write_all(separator.as_bytes())?;
                let failed = write_host(out, name, &header.verb, &result, self.modules.of(name))?;
                unread = unread.take().or(failed);
                separator = ",\n  ";
            }
            writeln!(out, "]}}")
        })?;
        unread.map_or(Ok(()), Err)
    }
}
