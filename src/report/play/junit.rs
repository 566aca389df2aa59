//! A JUnit report of plays: a suite a play, a case a task and host.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde_json::Value;

use super::super::junit::{Kind, Suite, named, write};
use super::super::{Context, Part};
use super::{lines, python_json};
use crate::event::{
    Event, PlayEvent, PlayInfo, RunHeader, Stamped, TaskInfo, TaskResult, TaskStatus,
};

/// Gathers results and writes the report when the run is over.
pub(in crate::report) struct Junit {
    file: PathBuf,
    /// `--expect-no-change`: whoever changes something has failed.
    no_change: bool,
    plays: Vec<Play>,
}

struct Play {
    info: Arc<PlayInfo>,
    tasks: Vec<Arc<TaskInfo>>,
    cases: Vec<Case>,
}

/// A result, without what is not shown of it.
struct Case {
    task: usize,
    host: Arc<str>,
    kind: Kind,
    status: TaskStatus,
    message: String,
    text: String,
    duration: Duration,
}

impl Junit {
    pub(in crate::report) fn new(file: PathBuf, header: &RunHeader) -> Self {
        Self {
            file,
            no_change: header.options.get("expect_no_change") == Some(&Value::Bool(true)),
            plays: Vec::new(),
        }
    }

    fn heard(&mut self, event: &PlayEvent) {
        match event {
            // With `serial` a play begins more than once.
            PlayEvent::PlayStarted(info)
                if self
                    .plays
                    .last()
                    .is_none_or(|last| last.info.play != info.play) =>
            {
                self.plays.push(Play {
                    info: info.clone(),
                    tasks: Vec::new(),
                    cases: Vec::new(),
                });
            }
            PlayEvent::TaskStarted(task) => {
                if let Some(play) = self.plays.last_mut() {
                    play.tasks.push(task.clone());
                }
            }
            PlayEvent::TaskFinished(result) => {
                let no_change = self.no_change;
                if let Some(play) = self.plays.last_mut() {
                    play.finished(result, no_change);
                }
            }
            _ => {}
        }
    }

    fn write(&self) -> io::Result<()> {
        let suites = self.plays.iter().map(Play::suite).collect();
        write(&self.file, suites).map_err(|error| named(&self.file, &error))
    }
}

impl Play {
    fn finished(&mut self, result: &TaskResult, no_change: bool) {
        let known = |task: &Arc<TaskInfo>| task.task == result.task;
        let Some(at) = self.tasks.iter().rposition(known) else {
            return;
        };
        let kind = match result.status {
            _ if result.ignored => Kind::Success,
            TaskStatus::Changed if no_change => Kind::Failure,
            TaskStatus::Ok | TaskStatus::Changed => Kind::Success,
            TaskStatus::Skipped => Kind::Skipped,
            TaskStatus::Failed => Kind::Failure,
            TaskStatus::Unreachable => Kind::Error,
        };
        let action = self.tasks.get(at).map_or("", |task| &task.action);
        let (mut message, mut text) = (String::new(), String::new());
        if kind != Kind::Success {
            message = said(result);
        }
        if matches!(kind, Kind::Failure | Kind::Error) {
            let shown = Value::Object(lines::cleaned(result, action));
            text = python_json::write(&shown, true);
        }
        self.cases.push(Case {
            task: at,
            host: result.host.clone(),
            kind,
            status: result.status,
            message,
            text,
            duration: result.duration,
        });
    }

    fn suite(&self) -> Suite<'_> {
        let mut suite = TestSuite::new(self.info.name.as_str());
        for case in &self.cases {
            case.kind.count(&mut suite);
        }
        (
            suite,
            Box::new(self.cases.iter().map(|case| self.case(case))),
        )
    }

    fn case(&self, case: &Case) -> TestCase {
        let not_well = |kind| {
            let mut status = TestCaseStatus::non_success(kind);
            status
                .set_message(case.message.as_str())
                .set_type(case.status.name())
                .set_description(case.text.as_str());
            status
        };
        let status = match case.kind {
            Kind::Success => TestCaseStatus::success(),
            Kind::Skipped => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(case.message.as_str());
                status
            }
            Kind::Failure => not_well(NonSuccessKind::Failure),
            Kind::Error => not_well(NonSuccessKind::Error),
        };
        let task = self.tasks.get(case.task);
        let name = task.map_or("?", |task| task.name.as_str());
        let mut shown = TestCase::new(name, status);
        shown.set_classname(format!("{}/{}", self.info.name, case.host));
        shown.set_time(case.duration);
        if let Some(task) = task {
            shown.extra.insert("file".into(), task.path.as_str().into());
        }
        shown
    }
}

/// What a result says of itself.
fn said(result: &TaskResult) -> String {
    let text = |name: &str| result.result.get(name).and_then(Value::as_str);
    match (text("msg").or(text("skip_reason")), &result.error) {
        (Some(text), _) if !text.is_empty() => text.to_owned(),
        (_, Some(error)) => error.message.clone(),
        _ => result.status.name().to_owned(),
    }
}

impl Part for Junit {
    fn event(&mut self, _cx: &mut Context, event: &Stamped) -> io::Result<()> {
        match &event.event {
            Event::Play(said) => self.heard(said),
            Event::RunFinished(_) => self.write()?,
            _ => {}
        }
        Ok(())
    }
}
