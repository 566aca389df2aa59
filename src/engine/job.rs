//! What the engine is asked to do, and how it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::base::quantity::Share;
use crate::event::{HostError, HostIx, RunHeader, Stopped};
use crate::shell::Plan;
use crate::target::Target;
use crate::transfer::Meter;
use crate::transfer::download::Download;
use crate::transfer::upload::Upload;

/// One run's work.
pub struct Job {
    /// Who asks for what on which hosts; also the first event.
    pub header: Arc<RunHeader>,
    /// How each host is reached.
    pub targets: Arc<dyn Targets>,
    /// What to do on each.
    pub work: Work,
    /// How it is bounded.
    pub limits: Limits,
}

/// What is done on every host of a run.
#[derive(Debug, Clone)]
pub enum Work {
    /// A command.
    Command(Arc<Plan>),
    /// Files are put there.
    Upload(Arc<Upload>),
    /// Files are fetched from there.
    Download(Arc<Download>),
}

impl Work {
    /// The bytes that move, where files do.
    pub fn meter(&self) -> Option<&Arc<Meter>> {
        match self {
            Self::Command(_) => None,
            Self::Upload(upload) => Some(&upload.meter),
            Self::Download(download) => Some(&download.meter),
        }
    }
}

/// Resolves a host when its turn comes, not before: secrets are decrypted only when used. Called on
/// a worker thread, so it must not wait for anybody; an error is that host's.
pub trait Targets: Send + Sync {
    /// The target of a host of the run.
    fn resolve(&self, host: HostIx) -> Result<Arc<Target>, HostError>;

    /// A Windows host of the run said which code page its console writes.
    fn learnt_codepage(&self, _host: HostIx, _page: u16) {}
}

/// The bounds of a run. `None` or zero: no bound.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Hosts at work at a time.
    pub forks: usize,
    /// A command's time, from its start.
    pub timeout: Option<Duration>,
    /// A command's silence.
    pub idle_timeout: Option<Duration>,
    /// The run's time.
    pub deadline: Option<Duration>,
    /// Rolling batches, the last repeated; empty: all at once.
    pub serial: Vec<Share>,
    /// Stop when more hosts than this are failed, timed out or unreachable.
    pub max_fail: Option<Share>,
    /// More attempts for hosts whose command was not started.
    pub retries: u32,
}

/// How a run is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// Go on.
    No,
    /// Begin no more hosts, end the running commands on their hosts, report.
    Stop(Stopped),
    /// Don't wait for that either.
    Quit(Stopped),
}

/// The engine's ear for [`Halt`].
pub type Control = watch::Receiver<Halt>;
