//! A JUnit report, for CI: a test suite a run, a test case a host.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::words::{explanation, finished, verdict};
use super::{Context, Part};
use crate::base::text::decode;
use crate::event::{Captured, Event, HostIx, HostResult, Outcome, Stamped};

/// No more of an output goes into the report, in bytes.
const OUTPUT_MAX: u64 = 64 * 1024;

pub(super) struct Junit {
    file: PathBuf,
    cases: BTreeMap<HostIx, Arc<HostResult>>,
}

impl Junit {
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            cases: BTreeMap::new(),
        }
    }

    fn write(&self, cx: &Context) -> io::Result<()> {
        let Some(header) = &cx.header else {
            return Ok(());
        };
        let work = match &header.command {
            Some(command) => format!("{} {command}", header.verb),
            None => header.verb.clone(),
        };
        let mut suite = TestSuite::new(work);
        for (host, result) in &self.cases {
            suite.add_test_case(case(&cx.name(*host), &header.verb, result)?);
        }
        let mut report = Report::new("iomsctl");
        report.add_test_suite(suite);
        let text = report.to_string().map_err(io::Error::other)?;
        std::fs::write(&self.file, text).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("--junit {}: {error}", self.file.display()),
            )
        })
    }
}

fn case(name: &str, verb: &str, result: &HostResult) -> io::Result<TestCase> {
    let status = if result.outcome.is_success() {
        TestCaseStatus::success()
    } else if matches!(result.outcome, Outcome::Cancelled | Outcome::Deferred) {
        let mut status = TestCaseStatus::skipped();
        status.set_message(verdict(result));
        status
    } else {
        let kind = match result.outcome {
            Outcome::Failed => NonSuccessKind::Failure,
            _ => NonSuccessKind::Error,
        };
        let mut status = TestCaseStatus::non_success(kind);
        status
            .set_message(verdict(result))
            .set_type(result.outcome.name());
        status.set_description(explanation(result));
        status
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("iomsctl.{verb}"));
    case.set_time(result.duration);
    case.set_system_out(beginning(&result.stdout, result)?);
    case.set_system_err(beginning(&result.stderr, result)?);
    Ok(case)
}

fn beginning(output: &Captured, result: &HostResult) -> io::Result<String> {
    let mut bytes = Vec::new();
    output.reader()?.take(OUTPUT_MAX).read_to_end(&mut bytes)?;
    Ok(decode(&bytes, result.encoding).text.into_owned())
}

impl Part for Junit {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        if let Some((host, result)) = finished(event) {
            self.cases.insert(host, result.clone());
        }
        if matches!(event.event, Event::RunFinished(_)) {
            self.write(cx)?;
        }
        Ok(())
    }
}
