//! What a transfer needs of whoever works on the host: tasks said to it, and its files.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;

use crate::base::chunks::Chunks;
use crate::event::{ErrorKind, HostError, Outcome};
use crate::shell::files::{FileTask, Said};
use crate::target::Target;
use crate::transport::Files;

/// One host, as a transfer works on it.
#[async_trait]
pub trait Link: Send {
    /// How it is reached.
    fn target(&self) -> &Arc<Target>;

    /// Has a task done by the host's shell. Standard output goes to `sink` as it comes; of
    /// [`Said`] only the rest is filled in. A command that ends badly is no trouble of the link's.
    async fn perform(
        &mut self,
        task: Arc<FileTask>,
        input: Option<Input>,
        sink: &mut dyn Sink,
    ) -> Result<Said, Trouble>;

    /// A channel to the host's files, as the account that logs in; `unsupported` where there is none.
    fn files(&self) -> BoxFuture<'static, Result<Arc<dyn Files>, HostError>>;

    /// To be called whenever the host has done something: it is alive.
    fn pulse(&self) -> Pulse;
}

/// Says that a host is alive.
pub type Pulse = Arc<dyn Fn() + Send + Sync>;

/// Waits for something of ours (a source, a speed limit, a disk here), which is no silence of the
/// host's.
pub(super) async fn not_its_fault<T>(pulse: &Pulse, ours: impl Future<Output = T>) -> T {
    tokio::pin!(ours);
    loop {
        match tokio::time::timeout(Duration::from_secs(1), &mut ours).await {
            Ok(done) => return done,
            Err(_) => pulse(),
        }
    }
}

/// What a task reads after its own list.
pub struct Input {
    /// How much it is, in bytes.
    pub size: u64,
    /// It.
    pub chunks: Box<dyn Chunks>,
}

/// What takes content as it comes from a host.
#[async_trait]
pub trait Sink: Send {
    /// Takes the next bytes. An error ends the task.
    async fn take(&mut self, bytes: Bytes) -> Result<(), HostError>;
}

/// How much a task may answer, in bytes: a hostile host must not fill the memory.
const ANSWER_MAX: usize = 64 << 20;

/// A sink for answers.
#[async_trait]
impl Sink for Vec<u8> {
    async fn take(&mut self, bytes: Bytes) -> Result<(), HostError> {
        if self.len() + bytes.len() > ANSWER_MAX {
            return Err(HostError::new(
                ErrorKind::Protocol,
                "the host says more of its files than is believable",
            ));
        }
        self.extend_from_slice(&bytes);
        Ok(())
    }
}

/// Why a host's transfer did not come to its end.
#[derive(Debug, Clone)]
pub struct Trouble {
    /// What the host comes out as.
    pub outcome: Outcome,
    /// Why.
    pub error: HostError,
}

impl Trouble {
    /// Whether another transfer may go on from where this one broke off: the connection was lost, or
    /// its time was up.
    pub fn keeps_part(&self) -> bool {
        matches!(
            self.error.kind,
            ErrorKind::Disconnected
                | ErrorKind::Timeout
                | ErrorKind::IdleTimeout
                | ErrorKind::Deadline
                | ErrorKind::Interrupted
                | ErrorKind::Reset
        )
    }
}

impl From<HostError> for Trouble {
    fn from(error: HostError) -> Self {
        Self {
            outcome: Outcome::Failed,
            error,
        }
    }
}
