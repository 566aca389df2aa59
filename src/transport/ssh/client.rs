//! What russh calls back: the host shows its key, the connection ends. Nothing else is decided here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{DisconnectReason, Handler};
use russh::keys::{Algorithm, PublicKey, PublicKeyOrCertificate};

use super::known_hosts::{HostKeys, Trust};
use crate::event::{ErrorKind, HostError};
use crate::target::SshTarget;

/// Why a session ended while it was made: russh's reason, or ours.
#[derive(Debug)]
pub(super) enum SessionError {
    /// russh's.
    Russh(russh::Error),
    /// The host's key was refused.
    Host(HostError),
}

impl From<russh::Error> for SessionError {
    fn from(error: russh::Error) -> Self {
        Self::Russh(error)
    }
}

/// Who judges the key a host shows.
pub(super) enum Judge {
    /// The files of known hosts.
    HostKeys(Arc<HostKeys>),
    /// Nobody: the key is only looked at (`hostkeys scan`), and the connection ends there.
    Collector(Arc<Mutex<Option<PublicKey>>>),
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The server said why.
    Said(String),
    /// It was cut.
    Cut(String),
}

/// What the callbacks learnt of a session, for whoever logs in.
#[derive(Debug, Default)]
pub(super) struct Seen {
    end: Mutex<Option<End>>,
    impostor: AtomicBool,
    other_types: Mutex<Vec<Algorithm>>,
}

impl Seen {
    /// How the session ended, if it did.
    pub(super) fn end(&self) -> Option<End> {
        self.end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether the host showed another key than the one on record, and checks are off: then it
    /// must not be told a password.
    pub(super) fn impostor(&self) -> bool {
        self.impostor.load(Ordering::Relaxed)
    }

    /// The types of keys on record, where the host showed a key of a type that is not.
    pub(super) fn other_types(&self) -> Vec<Algorithm> {
        self.other_types
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// One connection's callbacks.
pub(super) struct Client {
    pub(super) target: Arc<SshTarget>,
    pub(super) judge: Judge,
    pub(super) seen: Arc<Seen>,
}

impl Handler for Client {
    type Error = SessionError;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, SessionError> {
        match &self.judge {
            Judge::HostKeys(known) => {
                let checked = known.check(&self.target, key);
                let impostor = checked == Ok(Trust::Impostor);
                self.seen.impostor.store(impostor, Ordering::Relaxed);
                if let PublicKeyOrCertificate::PublicKey { key, .. } = key
                    && match &checked {
                        Ok(_) => impostor,
                        Err(error) => matches!(
                            error.kind,
                            ErrorKind::HostKeyChanged | ErrorKind::HostKeyUnknown
                        ),
                    }
                {
                    let types = known.other_types(&self.target, &key.algorithm());
                    *self
                        .seen
                        .other_types
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner) = types;
                }
                checked.map(|_| true).map_err(SessionError::Host)
            }
            Judge::Collector(seen) => {
                if let (Ok(mut seen), PublicKeyOrCertificate::PublicKey { key, .. }) =
                    (seen.lock(), key)
                {
                    *seen = Some(PublicKey::from(key.key_data().clone()));
                }
                Ok(false)
            }
        }
    }
    async fn disconnected(
        &mut self,
        reason: DisconnectReason<SessionError>,
    ) -> Result<(), SessionError> {
        let (end, result) = match reason {
            DisconnectReason::ReceivedDisconnect(info) => (End::Said(info.message), Ok(())),
            // The server takes no method any more.
            DisconnectReason::Error(SessionError::Russh(error @ russh::Error::NoAuthMethod)) => {
                (End::Said(error.to_string()), Err(error.into()))
            }
            DisconnectReason::Error(error) => {
                let why = match &error {
                    SessionError::Russh(error) => error.to_string(),
                    SessionError::Host(error) => error.message.clone(),
                };
                (End::Cut(why), Err(error))
            }
        };
        let mut seen = self.seen.end.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(end);
        drop(seen);
        result
    }
}
