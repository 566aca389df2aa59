//! A play as one JSON document, in the shape of Ansible's `json` callback. Results wait in a file, not in
//! memory: a play of many tasks on many hosts takes no more memory than one of few.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::sync::Arc;

use serde_json::{Map, Value, json as value};
use tempfile::SpooledTempFile;

use super::super::document::frame;
use super::super::{Context, Part, json};
use crate::base::clock::rfc3339;
use crate::event::{
    Event, HostCounts, PlayEvent, PlayInfo, PlayStats, Recorded, RunEnd, Stamped, TaskInfo,
    TaskResult, TaskStatus,
};

/// Results up to this stay in memory, in bytes.
const IN_MEMORY: usize = 4 << 20;

/// Gathers a play and writes the document at its end.
pub(in crate::report) struct Document {
    plays: Vec<Play>,
    tasks: BTreeMap<u32, Task>,
    stats: Arc<PlayStats>,
    spool: SpooledTempFile,
    written: u64,
}

struct Play {
    info: Arc<PlayInfo>,
    started: jiff::Timestamp,
    ended: jiff::Timestamp,
    tasks: Vec<u32>,
}

struct Task {
    info: Arc<TaskInfo>,
    started: jiff::Timestamp,
    ended: jiff::Timestamp,
    /// Where the hosts' results are in the spool: offset and length.
    hosts: Vec<(u64, u32)>,
}

impl Document {
    pub(in crate::report) fn new() -> Self {
        Self {
            plays: Vec::new(),
            tasks: BTreeMap::new(),
            stats: Arc::default(),
            spool: SpooledTempFile::new(IN_MEMORY),
            written: 0,
        }
    }

    fn said(&mut self, at: jiff::Timestamp, event: &PlayEvent) -> io::Result<()> {
        match event {
            PlayEvent::PlayStarted(info) => self.plays.push(Play {
                info: info.clone(),
                started: at,
                ended: at,
                tasks: Vec::new(),
            }),
            PlayEvent::TaskStarted(info) => {
                let task = Task {
                    info: info.clone(),
                    started: at,
                    ended: at,
                    hosts: Vec::new(),
                };
                if self.tasks.insert(info.task, task).is_none()
                    && let Some(play) = self.plays.last_mut()
                {
                    play.tasks.push(info.task);
                }
            }
            PlayEvent::TaskFinished(result) => self.keep(at, result)?,
            PlayEvent::Stats(stats) => self.stats = stats.clone(),
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, at: jiff::Timestamp, result: &TaskResult) -> io::Result<()> {
        let Some(task) = self.tasks.get_mut(&result.task) else {
            return Ok(());
        };
        let mut text = serde_json::to_string(&*result.host).map_err(io::Error::other)?;
        text.push_str(": ");
        let shown = shown(result, &task.info.action);
        text.push_str(&serde_json::to_string(&shown).map_err(io::Error::other)?);
        self.spool.write_all(text.as_bytes())?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        task.hosts.push((self.written, length));
        task.ended = at;
        self.written += u64::from(length);
        if let Some(play) = self
            .plays
            .iter_mut()
            .rev()
            .find(|play| play.tasks.contains(&result.task))
        {
            play.ended = at;
        }
        Ok(())
    }

    fn write(&mut self, out: &mut dyn Write, head: &Map<String, Value>) -> io::Result<()> {
        json::write_open(out, head)?;
        out.write_all(b",\n \"plays\": [")?;
        let plays = std::mem::take(&mut self.plays);
        for (at, play) in plays.iter().enumerate() {
            let info = value!({
                "id": format!("play-{}", play.info.play),
                "name": play.info.name,
                "path": play.info.path,
                "duration": duration(play.started, play.ended),
            });
            let comma = if at > 0 { "," } else { "" };
            write!(out, "{comma}\n  {{\"play\": {info}, \"tasks\": [")?;
            for (at, task) in play.tasks.iter().enumerate() {
                out.write_all(if at > 0 { b",\n    " } else { b"\n    " })?;
                self.write_task(out, *task)?;
            }
            out.write_all(b"]}")?;
        }
        out.write_all(b"],\n \"stats\": ")?;
        let stats: Map<String, Value> = (self.stats.hosts.iter())
            .map(|(host, counts)| (host.to_string(), counters(counts)))
            .collect();
        serde_json::to_writer(&mut *out, &stats)?;
        let (mut global, mut by_host) = (Map::new(), Map::new());
        for (host, custom) in &self.stats.custom {
            match host {
                Some(host) => drop(by_host.insert(host.to_string(), custom.clone().into())),
                None => global.extend(custom.clone()),
            }
        }
        writeln!(
            out,
            ",\n \"custom_stats\": {},\n \"global_custom_stats\": {}}}",
            Value::Object(by_host),
            Value::Object(global)
        )
    }

    fn write_task(&mut self, out: &mut dyn Write, number: u32) -> io::Result<()> {
        let Some(task) = self.tasks.remove(&number) else {
            return out.write_all(b"null");
        };
        let info = value!({
            "id": format!("task-{number}"),
            "name": task.info.name,
            "path": task.info.path,
            "duration": duration(task.started, task.ended),
        });
        write!(out, "{{\"task\": {info}, \"hosts\": {{")?;
        let mut piece = Vec::new();
        for (at, (offset, length)) in task.hosts.iter().enumerate() {
            if at > 0 {
                out.write_all(b", ")?;
            }
            self.spool.seek(SeekFrom::Start(*offset))?;
            piece.resize(*length as usize, 0);
            self.spool.read_exact(&mut piece)?;
            out.write_all(&piece)?;
        }
        out.write_all(b"}}")
    }
}

/// A result as the callback gives it.
pub(super) fn shown(result: &TaskResult, action: &str) -> Map<String, Value> {
    let mut shown: Map<String, Value> = (*result.result).clone();
    shown.insert("action".to_owned(), action.into());
    match result.status {
        TaskStatus::Failed => drop(shown.insert("failed".to_owned(), true.into())),
        TaskStatus::Unreachable => drop(shown.insert("unreachable".to_owned(), true.into())),
        TaskStatus::Skipped => drop(shown.insert("skipped".to_owned(), true.into())),
        TaskStatus::Ok | TaskStatus::Changed => {}
    }
    if let Some(error) = &result.error {
        shown.insert("error".to_owned(), value!(error));
    }
    shown
}

/// Ansible's counters under the callback's names.
pub(super) fn counters(counts: &HostCounts) -> Value {
    value!({
        "ok": counts.ok,
        "changed": counts.changed,
        "unreachable": counts.unreachable,
        "failures": counts.failed,
        "skipped": counts.skipped,
        "rescued": counts.rescued,
        "ignored": counts.ignored,
    })
}

fn duration(start: jiff::Timestamp, end: jiff::Timestamp) -> Value {
    value!({"start": rfc3339(start), "end": rfc3339(end)})
}

impl Part for Document {
    fn event(&mut self, _cx: &mut Context, event: &Stamped) -> io::Result<()> {
        match &event.event {
            Event::Play(said) => self.said(event.at, said),
            _ => Ok(()),
        }
    }

    fn finish(&mut self, cx: &mut Context, end: &RunEnd, recorded: Recorded) -> io::Result<()> {
        let Some(header) = cx.header.clone() else {
            return Ok(());
        };
        let head = frame(&header, end, recorded);
        cx.screen.out(|out| self.write(out, &head))
    }
}
