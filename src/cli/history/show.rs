//! `iomsctl history show`: a run of the record, said again to who shows runs.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;

use super::super::{CliError, OutputForm, Setup, Status};
use super::{ShowArgs, find};
use crate::base::clock;
use crate::base::text::terminal_safe;
use crate::event::{Consumer as _, Event, Recorded, RunEnd, Stamped, Stream, Summary};
use crate::report::{self, Report};
use crate::store::{RunRow, Store};

/// Outputs are shown in pieces, as they once came, in bytes.
const PIECE: u64 = 64 * 1024;

/// Shows a run as it was shown.
pub(super) async fn show(
    setup: &Setup,
    store: &Store,
    args: &ShowArgs,
) -> Result<Status, CliError> {
    let mut row = find(store, args.run.as_deref()).await?;
    let folder = scratch()?;
    let results = store.results(&mut row, folder.path()).await?;
    let mut options = args.form.options(setup.form(), false)?;
    if options.form == report::Form::Live {
        options.form = report::Form::Host;
    }
    let mut report = Report::new(setup.screen(args.form.raw), options);
    if matches!(
        setup.form(),
        OutputForm::Human | OutputForm::Fold | OutputForm::Host
    ) {
        setup.print(&head(&row))?;
    }
    let begun = row.header.started;
    let mut say = |at, event| report.consume(&Stamped { at, event });
    let mut summary = Summary::new(results.len());
    say(begun, Event::RunStarted(Arc::new(row.header.clone())))?;
    let mut after = 0;
    loop {
        let (said, next) = store.play_events(row.header.run, after).await?;
        if said.is_empty() {
            break;
        }
        for (at, event) in said {
            say(at, Event::Play(event))?;
        }
        after = next;
    }
    for (host, result) in results {
        summary.add(result.outcome);
        for (stream, output) in [
            (Stream::Stdout, &result.stdout),
            (Stream::Stderr, &result.stderr),
        ] {
            let mut reader = output.reader()?;
            while let Some(bytes) = piece(&mut reader)? {
                let encoding = result.encoding;
                let event = Event::Output {
                    host,
                    stream,
                    bytes,
                    encoding,
                };
                say(begun, event)?;
            }
        }
        say(begun, Event::HostFinished(host, Arc::new(result)))?;
    }
    let running = row.end.is_none();
    let end = row.end.unwrap_or(RunEnd {
        finished: clock::now(),
        summary,
        stopped: None,
    });
    say(begun, Event::RunFinished(end))?;
    report.finish(Recorded::Stored)?;
    if running {
        setup.warn("the run is still under way");
    }
    Ok(Status::OK)
}

/// What people read above a run.
fn head(row: &RunRow) -> String {
    let command = row.header.command.as_deref().unwrap_or_default();
    let earlier = row.header.options["resumes"].as_str();
    let earlier = earlier.map(|run| format!("it goes on with run {run}\n"));
    format!(
        "{}  {} by {} from {}: {} {} {}\n{}",
        row.header.run,
        clock::local(row.header.started),
        row.header.user,
        terminal_safe(&row.header.from),
        row.header.verb,
        terminal_safe(&row.header.pattern),
        terminal_safe(command),
        earlier.unwrap_or_default(),
    )
}

/// The next piece of an output.
fn piece(reader: &mut impl Read) -> std::io::Result<Option<Bytes>> {
    let mut bytes = Vec::new();
    reader.by_ref().take(PIECE).read_to_end(&mut bytes)?;
    Ok((!bytes.is_empty()).then(|| bytes.into()))
}

/// A folder for outputs too large for memory, gone with its owner.
pub(in crate::cli) struct Scratch(std::path::PathBuf);

impl Scratch {
    pub(in crate::cli) fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(in crate::cli) fn scratch() -> Result<Scratch, CliError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let path = std::env::temp_dir().join(format!("ioms-{}", crate::base::id::RunId::new()));
    std::fs::DirBuilder::new().mode(0o700).create(&path)?;
    Ok(Scratch(path))
}
