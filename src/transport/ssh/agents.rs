//! The ssh-agents of a run: each is connected to once, whoever needs it first, and one that says
//! nothing is given up for the run rather than waited for by every host.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::time::timeout;

use super::agent::Agent;
use crate::target::{self, SshOptions};

/// So long an agent may take to accept us and to say what it holds.
const LIMIT: Duration = Duration::from_secs(5);

type Connecting = Shared<BoxFuture<'static, Option<Arc<Agent>>>>;

/// Agents by socket.
#[derive(Default)]
pub(super) struct Agents(Mutex<HashMap<PathBuf, Connecting>>);

impl Agents {
    /// The agent that options name, where there is one and it answers.
    pub(super) async fn get(&self, options: &SshOptions) -> Option<Arc<Agent>> {
        let socket = match &options.agent {
            target::Agent::None => return None,
            target::Agent::Socket(path) => path.clone(),
            target::Agent::Environment => PathBuf::from(std::env::var_os("SSH_AUTH_SOCK")?),
        };
        let connecting = {
            let mut agents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let start = || connecting(socket.clone());
            agents.entry(socket.clone()).or_insert_with(start).clone()
        };
        // A short time-out must leave time for the keys in files.
        let patience = match options.connect_timeout {
            Duration::ZERO => LIMIT,
            limit => LIMIT.min(limit / 2),
        };
        timeout(patience, connecting).await.ok().flatten()
    }
}

/// Connects in a task of its own: a host that is given up must not give up the agent for others.
fn connecting(socket: PathBuf) -> Connecting {
    let task = tokio::spawn(async move { connect(&socket).await });
    task.map(|done| done.ok().flatten()).boxed().shared()
}

async fn connect(socket: &Path) -> Option<Arc<Agent>> {
    match timeout(LIMIT, Agent::connect(socket)).await {
        Ok(Ok(agent)) => Some(Arc::new(agent)),
        Ok(Err(error)) => {
            tracing::debug!(socket = %socket.display(), %error, "no ssh-agent there");
            None
        }
        Err(_) => {
            tracing::warn!(
                socket = %socket.display(),
                "the ssh-agent says nothing for {} s: it is left out of this run",
                LIMIT.as_secs()
            );
            None
        }
    }
}
