//! The bastions of a run: one connection to each, which all hosts behind it share, made by one
//! attempt with the bastion's own time-out, whichever host needs it first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::time::timeout;

use super::channel::SshConnection;
use super::connect::Core;
use crate::event::{ErrorKind, HostError};
use crate::target::{HostKeyMode, SshTarget};

/// So long a bastion that did not connect us to a host in time may take to show that it lives.
const ALIVE: Duration = Duration::from_secs(5);

type Attempt = Shared<BoxFuture<'static, Result<Arc<SshConnection>, HostError>>>;

/// Bastions, each with the way to it.
#[derive(Default)]
pub(super) struct Bastions(Mutex<HashMap<Arc<SshTarget>, Attempt>>);

/// An open bastion.
#[derive(Clone)]
pub(super) struct Bastion {
    target: Arc<SshTarget>,
    connection: Arc<SshConnection>,
}

impl Bastions {
    /// The way to a host, where one goes through a bastion.
    pub(super) async fn way(
        &self,
        core: &Arc<Core>,
        host: &SshTarget,
    ) -> Result<Option<Bastion>, HostError> {
        let Some((last, before)) = host.jump.split_last() else {
            return Ok(None);
        };
        if host.proxy_command.is_some() {
            return Ok(None);
        }
        let target = behind(last, before);
        let attempt = {
            let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match attempts.get(&target) {
                Some(attempt) if is_good(attempt) => attempt.clone(),
                _ => {
                    let attempt = start(core.clone(), target.clone());
                    attempts.insert(target.clone(), attempt.clone());
                    attempt
                }
            }
        };
        match attempt.await {
            Ok(connection) => Ok(Some(Bastion { target, connection })),
            Err(error) => Err(error),
        }
    }

    /// After a bastion did not connect us to a host in time: one that says nothing itself is no
    /// longer used. A host that is down behind a bastion that lives is no reason.
    pub(super) async fn doubt(&self, bastion: &Bastion) {
        if timeout(ALIVE, bastion.connection.ping()).await.is_ok() {
            return;
        }
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = attempts.get(&bastion.target).is_some_and(|attempt| {
            matches!(attempt.peek(), Some(Ok(open)) if Arc::ptr_eq(open, &bastion.connection))
        });
        if same {
            attempts.remove(&bastion.target);
        }
    }

    /// The bastions that were gone through with their host keys unchecked.
    pub(super) fn unchecked(&self) -> Vec<String> {
        let attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = attempts
            .iter()
            .filter(|(target, attempt)| {
                target.options.host_key == HostKeyMode::Off && matches!(attempt.peek(), Some(Ok(_)))
            })
            .map(|(target, _)| place(target))
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Bastion {
    /// A stream through it.
    pub(super) async fn forward(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Box<dyn super::stream::Carrier>, HostError> {
        let forwarded = self.connection.forward(host, port).await;
        forwarded.map_err(|error| named(&self.target, error))
    }

    /// For messages: `10.0.0.1:22`.
    pub(super) fn place(&self) -> String {
        place(&self.target)
    }
}

/// Whether an attempt serves whoever comes now: it is under way, or open, or failed in a way that
/// another attempt would only repeat: a refused password counts each time it is sent.
fn is_good(attempt: &Attempt) -> bool {
    match attempt.peek() {
        None => true,
        Some(Ok(open)) => !open.is_gone(),
        Some(Err(error)) => matches!(
            error.kind,
            ErrorKind::AuthDenied
                | ErrorKind::HostKeyUnknown
                | ErrorKind::HostKeyChanged
                | ErrorKind::HostKeyRevoked
                | ErrorKind::Arguments
                | ErrorKind::Unsupported
        ),
    }
}

/// In a task of its own: a host that is given up must not give up the bastion for others.
fn start(core: Arc<Core>, target: Arc<SshTarget>) -> Attempt {
    let task = tokio::spawn(async move {
        match core.open(&target).await {
            Ok(connection) => Ok(Arc::new(connection)),
            Err(error) => Err(named(&target, error)),
        }
    });
    task.map(|done| {
        done.unwrap_or_else(|error| {
            Err(HostError::new(
                ErrorKind::LocalIo,
                format!("connecting to a bastion: {error}"),
            ))
        })
    })
    .boxed()
    .shared()
}

fn place(target: &SshTarget) -> String {
    format!("{}:{}", target.address, target.port)
}

/// An error that says which bastion it is of; the innermost of a chain says it.
fn named(bastion: &SshTarget, mut error: HostError) -> HostError {
    if !error.message.starts_with("bastion ") {
        error.message = format!("bastion {}: {}", place(bastion), error.message);
    }
    error
}

/// A bastion of a chain, behind the ones before it.
fn behind(bastion: &Arc<SshTarget>, before: &[Arc<SshTarget>]) -> Arc<SshTarget> {
    if before.is_empty() {
        return bastion.clone();
    }
    Arc::new(SshTarget {
        jump: before.to_vec(),
        ..bastion.as_ref().clone()
    })
}
