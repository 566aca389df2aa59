//! Who hears what a run says: the user's screen and files, the record, and whoever else wants to.

use std::thread::JoinHandle;

use super::records::Records;
use super::{CliError, Setup};
use crate::base::id::RunId;
use crate::event::capture::CaptureLimits;
use crate::event::{Consumer, Emitter};
use crate::report::Report;

/// Outputs beyond this go to files of the journal, in bytes.
const INLINE: usize = 64 * 1024;

/// The listeners of a run, on a thread of their own.
pub(super) struct Listeners {
    report: Report,
    records: Records,
    thread: JoinHandle<()>,
}

impl Listeners {
    /// What the emitter is told, they hear. `max_output`: what is kept of a host's output.
    pub(super) fn start(
        setup: &Setup,
        run: RunId,
        report: Report,
        more: Option<Box<dyn Consumer>>,
        max_output: u64,
    ) -> Result<(Emitter, Self), CliError> {
        let mut records = Records::begin(setup, run);
        let mut consumers: Vec<Box<dyn Consumer>> = vec![Box::new(report.clone())];
        consumers.extend(records.consumer());
        consumers.extend(more);
        let capture = CaptureLimits {
            inline: INLINE,
            max: max_output,
            folder: records.folder().to_owned(),
        };
        let (emitter, thread) = Emitter::start(setup.redactor.clone(), capture, consumers)?;
        let listeners = Self {
            report,
            records,
            thread,
        };
        Ok((emitter, listeners))
    }

    /// All was said, and no emitter is left: the end is shown and recorded.
    pub(super) fn finish(self, setup: &Setup) -> Result<(), CliError> {
        if self.thread.join().is_err() {
            return Err(CliError::new(
                "internal error while showing the run; -vv has more",
            ));
        }
        let report = self.report;
        self.records
            .finish(setup, |recorded| report.finish(recorded))?;
        Ok(())
    }
}
