//! A JUnit report, for CI: a test suite a run, a test case a host.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::reading::read;
use super::words::{explanation, finished, verdict};
use super::{Context, Part};
use crate::base::quantity::show_size;
use crate::base::text::Charset;
use crate::event::{Captured, Event, HostIx, HostResult, Outcome, Stamped, Stream};

/// No more of an output goes into the report, in bytes.
const OUTPUT_MAX: usize = 64 * 1024;

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
        for result in self.cases.values() {
            Kind::of(result.outcome).count(&mut suite);
        }
        let cases = self
            .cases
            .iter()
            .map(|(host, result)| case(&cx.name(*host), &header.verb, result));
        write(&self.file, vec![(suite, Box::new(cases))])
    }
}

/// A suite, counted, and its cases as they are asked for.
pub(super) type Suite<'a> = (TestSuite, Box<dyn Iterator<Item = TestCase> + 'a>);

/// Writes a report. Cases come one by one: their outputs are never in memory together.
pub(super) fn write(file: &Path, suites: Vec<Suite<'_>>) -> io::Result<()> {
    let (frames, cases): (Vec<TestSuite>, Vec<_>) = suites.into_iter().unzip();
    let frame = document(frames)?;
    // Opened anew, a file that standard output leads to would be cut off.
    let to: Box<dyn io::Write> = if file == Path::new("/dev/stdout") {
        Box::new(io::stdout())
    } else {
        Box::new(File::create(file)?)
    };
    let mut out = BufWriter::new(to);
    let mut rest = frame.as_str();
    for cases in cases {
        // A suite without its cases is one empty element: `<testsuite .../>`.
        let Some((head, tail)) = rest.split_once("/>") else {
            break;
        };
        out.write_all(head.as_bytes())?;
        let mut cases = cases.peekable();
        if cases.peek().is_some() {
            out.write_all(b">\n")?;
            for case in cases {
                out.write_all(element(case)?.as_bytes())?;
            }
            out.write_all(b"    </testsuite>")?;
        } else {
            out.write_all(b"/>")?;
        }
        rest = tail;
    }
    out.write_all(rest.as_bytes())?;
    out.flush()
}

fn document(suites: Vec<TestSuite>) -> io::Result<String> {
    let mut report = Report::new("iomsctl");
    report.add_test_suites(suites);
    report.to_string().map_err(io::Error::other)
}

/// One case by itself, so that no more than one host's outputs are in memory.
fn element(case: TestCase) -> io::Result<String> {
    let mut suite = TestSuite::new("");
    suite.add_test_case(case);
    let whole = document(vec![suite])?;
    let start = whole.find("        <testcase");
    let end = whole.rfind("    </testsuite>");
    Ok(start
        .zip(end)
        .and_then(|(start, end)| whole.get(start..end))
        .unwrap_or_default()
        .to_owned())
}

/// How JUnit counts an outcome.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Success,
    /// The host had nothing to do, or its turn did not come.
    Skipped,
    Failure,
    /// No command ran to its end.
    Error,
}

impl Kind {
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Ok | Outcome::Changed => Self::Success,
            Outcome::Skipped | Outcome::Cancelled | Outcome::Deferred => Self::Skipped,
            Outcome::Failed => Self::Failure,
            Outcome::Unreachable | Outcome::TimedOut => Self::Error,
        }
    }

    /// Counts a case of this kind.
    pub(super) fn count(self, suite: &mut TestSuite) {
        suite.tests += 1;
        match self {
            Self::Success => {}
            Self::Skipped => suite.skipped += 1,
            Self::Failure => suite.failures += 1,
            Self::Error => suite.errors += 1,
        }
    }
}

fn case(name: &str, verb: &str, result: &HostResult) -> TestCase {
    let not_well = |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status
            .set_message(verdict(result))
            .set_type(result.outcome.name())
            .set_description(explanation(result));
        status
    };
    let status = match Kind::of(result.outcome) {
        Kind::Success => TestCaseStatus::success(),
        Kind::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(verdict(result));
            status
        }
        Kind::Failure => not_well(NonSuccessKind::Failure),
        Kind::Error => not_well(NonSuccessKind::Error),
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("iomsctl.{verb}"));
    case.set_time(result.duration);
    let stdout = beginning(&result.stdout, Stream::Stdout, result.encoding);
    if !stdout.is_empty() {
        case.set_system_out(stdout);
    }
    let stderr = beginning(&result.stderr, Stream::Stderr, result.encoding);
    if !stderr.is_empty() {
        case.set_system_err(stderr);
    }
    case
}

/// The first of an output, and how much there was where that is not all.
fn beginning(output: &Captured, stream: Stream, host: Charset) -> String {
    let (mut text, mut cut) = (String::new(), output.truncated());
    let read = read(output, stream, host, |piece| {
        let room = OUTPUT_MAX.saturating_sub(text.len());
        let end = piece.floor_char_boundary(room);
        text.push_str(piece.get(..end).unwrap_or_default());
        cut |= end < piece.len();
        Ok(())
    });
    if let Err(error) = read {
        return format!("[this output can't be read: {error}]");
    }
    if cut {
        let (shown, all) = (show_size(text.len() as u64), show_size(output.total));
        return format!("{text}\n[cut: {shown} of {all}]");
    }
    text
}

/// Says which file an error is of.
pub(super) fn named(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("--junit {}: {error}", file.display()))
}

impl Part for Junit {
    fn event(&mut self, cx: &mut Context, event: &Stamped) -> io::Result<()> {
        if let Some((host, result)) = finished(event) {
            self.cases.insert(host, result.clone());
        }
        if matches!(event.event, Event::RunFinished(_)) {
            self.write(cx).map_err(|error| named(&self.file, &error))?;
        }
        Ok(())
    }
}
