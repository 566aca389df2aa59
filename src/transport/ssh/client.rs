//! What russh calls back: the host shows its key. Nothing else is decided here.

use std::sync::{Arc, Mutex};

use russh::client::Handler;
use russh::keys::{PublicKey, PublicKeyOrCertificate};

use super::known_hosts::HostKeys;
use crate::event::HostError;
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

/// One connection's callbacks.
pub(super) struct Client {
    pub(super) target: Arc<SshTarget>,
    pub(super) judge: Judge,
}

impl Handler for Client {
    type Error = SessionError;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, SessionError> {
        match &self.judge {
            Judge::HostKeys(known) => known
                .check(&self.target, key)
                .map(|()| true)
                .map_err(SessionError::Host),
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
}
