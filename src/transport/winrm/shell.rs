//! The shells of one host: opened when first needed, used again, renewed before Windows' limits, and
//! always deleted, which ends whatever still runs in them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::RngExt as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::fault::Meaning;
use super::request::{Operation, Place, ShellKey};
use super::session::{Answered, Session};
use super::wire::CallError;
use crate::event::{ErrorKind, HostError};

/// After so many commands a shell is replaced: what they leave in it counts against its memory.
const COMMANDS: u32 = 100;

/// How often a host that is at its limits is asked again for a shell or a command.
const PATIENCE: u32 = 4;

/// All shells of one host.
pub(super) struct Shells {
    pub(super) session: Session,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Shell>,
    open: BTreeSet<String>,
    /// Starts and deletions, which go on when nobody waits for them; a goodbye does.
    tasks: Vec<JoinHandle<()>>,
}

struct Shell {
    id: String,
    key: ShellKey,
    used: u32,
    /// A command that has ended, and of which the host does not know that we know.
    finished: Option<String>,
}

/// A shell for one command. Dropped, it is deleted.
pub(super) struct Lease {
    shells: Arc<Shells>,
    shell: Option<Shell>,
}

impl Shells {
    pub(super) fn new(session: Session) -> Self {
        Self {
            session,
            state: Mutex::default(),
        }
    }

    /// A shell for a command.
    pub(super) async fn lease(self: &Arc<Self>, key: &ShellKey) -> Result<Lease, HostError> {
        while let Some(shell) = self.take_idle(key) {
            let lease = Lease {
                shells: self.clone(),
                shell: Some(shell),
            };
            if let Some(lease) = lease.made_ready().await? {
                return Ok(lease);
            }
        }
        let shell = self.create(key).await?;
        Ok(Lease {
            shells: self.clone(),
            shell: Some(shell),
        })
    }

    fn take_idle(&self, key: &ShellKey) -> Option<Shell> {
        let mut state = self.state.lock().ok()?;
        let at = state.idle.iter().position(|shell| shell.key == *key)?;
        Some(state.idle.swap_remove(at))
    }

    async fn create(&self, key: &ShellKey) -> Result<Shell, HostError> {
        let operation = Operation::Create(key.clone());
        let answered = self
            .patiently(&operation)
            .await
            .map_err(|failed| failed.error)?;
        let id = answered.response.shell.ok_or_else(|| {
            HostError::new(
                ErrorKind::Protocol,
                format!(
                    "{}: it opens a shell and does not say which",
                    self.session.place
                ),
            )
        })?;
        if let Ok(mut state) = self.state.lock() {
            state.open.insert(id.clone());
        }
        Ok(Shell {
            id,
            key: key.clone(),
            used: 0,
            finished: None,
        })
    }

    /// A request that the host's limits may refuse for now; any other fault is an error.
    pub(super) async fn patiently(&self, operation: &Operation) -> Result<Answered, CallError> {
        let mut tries = 0;
        loop {
            let answered = self.session.call(operation.clone()).await?;
            let Some(fault) = &answered.response.fault else {
                return Ok(answered);
            };
            tries += 1;
            if !matches!(fault.meaning(), Meaning::Quota(_)) || tries >= PATIENCE {
                return Err(CallError {
                    stage: super::wire::Stage::Answered,
                    error: fault.error(&self.session.place, operation.name()),
                });
            }
            tracing::debug!(
                place = self.session.place,
                tries,
                said = fault.message,
                "at its limits"
            );
            let wait = 500_u64 << tries;
            let wait = rand::rng().random_range(wait / 2..=wait);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }

    /// Deletes a shell. One that is gone already is fine.
    async fn delete(&self, id: &str) -> Result<(), HostError> {
        let operation = Operation::Delete(id.to_owned());
        let answered = self
            .session
            .call(operation.clone())
            .await
            .map_err(|failed| failed.error)?;
        match answered.response.fault {
            Some(fault) if fault.meaning() != Meaning::Gone => {
                Err(fault.error(&self.session.place, operation.name()))
            }
            _ => Ok(()),
        }
    }

    /// Takes a shell out of the books. `false`: it is out already, and being deleted.
    fn forget(&self, id: &str) -> bool {
        self.state.lock().is_ok_and(|mut state| {
            state.idle.retain(|shell| shell.id != id);
            state.open.remove(id)
        })
    }

    /// Deletes a shell while the caller goes on.
    fn delete_later(self: &Arc<Self>, id: String) {
        if !self.forget(&id) {
            return;
        }
        let shells = self.clone();
        self.see_to(async move { shells.delete_quietly(&id).await });
    }

    /// Does something to its end, whoever gives up waiting for it.
    pub(super) fn see_to(&self, work: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let task = runtime.spawn(work);
        if let Ok(mut state) = self.state.lock() {
            state.tasks.retain(|one| !one.is_finished());
            state.tasks.push(task);
        }
    }

    async fn delete_quietly(&self, id: &str) {
        if let Err(error) = self.delete(id).await {
            tracing::debug!(place = self.session.place, %error, "a shell was left open");
        }
    }

    /// Deletes all of them, and hangs up. Goes on when it is not waited for.
    pub(super) async fn close(self: &Arc<Self>) {
        if let Some(closing) = self.close_later() {
            let _ = closing.await;
        }
    }

    /// The same without waiting.
    pub(super) fn close_later(self: &Arc<Self>) -> Option<JoinHandle<()>> {
        self.session.close();
        let Some(mut rest) = self.rest() else {
            self.session.hang_up();
            return None;
        };
        let runtime = tokio::runtime::Handle::try_current().ok()?;
        let shells = self.clone();
        Some(runtime.spawn(async move {
            loop {
                let (open, tasks) = rest;
                let open = open.iter().map(|id| shells.delete_quietly(id));
                let tasks = futures::future::join_all(tasks);
                futures::future::join(futures::future::join_all(open), tasks).await;
                // A start that nobody waited for has left a shell to be deleted.
                match shells.rest() {
                    Some(more) => rest = more,
                    None => break,
                }
            }
            shells.session.hang_up();
        }))
    }

    /// What is still to be done before hanging up.
    fn rest(&self) -> Option<(BTreeSet<String>, Vec<JoinHandle<()>>)> {
        let mut state = self.state.lock().ok()?;
        state.idle.clear();
        state.tasks.retain(|one| !one.is_finished());
        let rest = (
            std::mem::take(&mut state.open),
            std::mem::take(&mut state.tasks),
        );
        let done = rest.0.is_empty() && rest.1.is_empty();
        (!done).then_some(rest)
    }
}

impl Lease {
    /// The shell's name.
    pub(super) fn id(&self) -> &str {
        self.shell.as_ref().map_or("", |shell| &shell.id)
    }

    /// Tells the host that the last command's end was seen. `None`: the shell is of no use any more.
    async fn made_ready(mut self) -> Result<Option<Self>, HostError> {
        let Some(shell) = &mut self.shell else {
            return Ok(None);
        };
        let Some(command) = shell.finished.take() else {
            return Ok(Some(self));
        };
        let place = Place {
            shell: shell.id.clone(),
            command,
        };
        let answered = self
            .shells
            .session
            .call(Operation::Terminate(place))
            .await
            .map_err(|failed| failed.error)?;
        match answered.response.fault.map(|fault| fault.meaning()) {
            // It is the shell that is gone, or the command: starting one will tell.
            None | Some(Meaning::Gone) => Ok(Some(self)),
            Some(_) => Ok(None),
        }
    }

    /// The command is over: the shell is for the next one.
    pub(super) fn release(mut self, finished: Option<String>) {
        let Some(mut shell) = self.shell.take() else {
            return;
        };
        shell.used += 1;
        shell.finished = finished;
        if shell.used >= COMMANDS {
            self.shells.delete_later(shell.id);
        } else if let Ok(mut state) = self.shells.state.lock()
            // Closed meanwhile: it is being deleted.
            && state.open.contains(&shell.id)
        {
            state.idle.push(shell);
        }
    }

    /// The shell is gone on the host.
    pub(super) fn forget(mut self) {
        if let Some(shell) = self.shell.take() {
            self.shells.forget(&shell.id);
        }
    }

    /// Deletes it, and whatever runs in it.
    pub(super) async fn delete(mut self) -> Result<(), HostError> {
        let Some(shell) = self.shell.take() else {
            return Ok(());
        };
        let shells = self.shells.clone();
        if !shells.forget(&shell.id) {
            return Ok(());
        }
        let (tell, told) = oneshot::channel();
        self.shells.see_to(async move {
            let _ = tell.send(shells.delete(&shell.id).await);
        });
        told.await.unwrap_or(Ok(()))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(shell) = self.shell.take() {
            self.shells.delete_later(shell.id);
        }
    }
}
