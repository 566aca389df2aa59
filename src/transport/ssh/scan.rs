//! The keys a host shows, one connection for each type, without logging in: `hostkeys scan`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};

use super::client::Judge;
use super::connect::Ssh;
use crate::event::{ErrorKind, HostError};
use crate::target::SshTarget;

/// A scan needs a limit even where connecting has none.
const UNLIMITED: Duration = Duration::from_mins(1);

/// A key that a host has shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ScannedKey {
    /// The key.
    pub key: PublicKey,
}

impl ScannedKey {
    /// Its type: `ssh-ed25519`.
    pub fn kind(&self) -> String {
        self.key.algorithm().to_string()
    }

    /// `SHA256:...`
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Type and base64, as in `known_hosts`.
    pub fn openssh(&self) -> String {
        self.key.to_openssh().unwrap_or_default()
    }

    /// Reads what [`openssh`](Self::openssh) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        PublicKey::from_openssh(text).ok().map(|key| Self { key })
    }
}

/// Asks a host for its keys of each common type. A host that shows none is an error, the first
/// that occurred.
pub async fn scan(ssh: &Ssh, target: &Arc<SshTarget>) -> Result<Vec<ScannedKey>, HostError> {
    let types = [
        Algorithm::Ed25519,
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        },
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha512),
        },
    ];
    let ssh = ssh.core();
    let way = ssh.way(target).await?;
    let mut found: Vec<ScannedKey> = Vec::new();
    let mut first_error = None;
    for kind in types {
        let seen: Arc<Mutex<Option<PublicKey>>> = Arc::default();
        let limit = match target.options.connect_timeout {
            Duration::ZERO => UNLIMITED,
            limit => limit,
        };
        let config = ssh.config(target, Some(std::slice::from_ref(&kind)))?;
        let session = ssh
            .session_with(
                target,
                way.as_ref(),
                Judge::Collector(seen.clone()),
                config,
                Arc::default(),
                ssh.deadline(limit),
            )
            .await;
        let shown = seen.lock().ok().and_then(|mut seen| seen.take());
        match (shown, session) {
            (Some(key), _) => found.push(ScannedKey { key }),
            (_, Err(error)) => {
                let hopeless = !matches!(error.kind, ErrorKind::Protocol);
                first_error.get_or_insert(error);
                if hopeless {
                    break;
                }
            }
            _ => {}
        }
    }
    match (found.is_empty(), first_error) {
        (true, Some(error)) => Err(error),
        _ => Ok(found),
    }
}
