//! What can be told of the configured keys without decrypting them: public halves and certificates,
//! read once a run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::{Certificate, PrivateKey, PublicKey};

/// The public side of one `IdentityFile`.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// Of the file itself, where it tells, else of `KEY.pub`.
    pub(super) key: Option<PublicKey>,
    /// The file holds nothing else: only an agent can sign for it.
    pub(super) public_only: bool,
    /// `KEY-cert.pub`.
    pub(super) certificate: Option<Certificate>,
}

/// Public halves and certificates by file.
#[derive(Default)]
pub(super) struct Halves {
    halves: Mutex<HashMap<PathBuf, Arc<Half>>>,
    certificates: Mutex<HashMap<PathBuf, Option<Arc<Certificate>>>>,
}

impl Halves {
    /// Of an `IdentityFile`.
    pub(super) fn get(&self, path: &Path) -> Arc<Half> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let load = || Arc::new(half(path));
        halves.entry(path.to_owned()).or_insert_with(load).clone()
    }

    /// A `CertificateFile`.
    pub(super) fn certificate(&self, path: &Path) -> Option<Arc<Certificate>> {
        let mut known = self
            .certificates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let load = || {
            russh::keys::load_openssh_certificate(path)
                .ok()
                .map(Arc::new)
        };
        known.entry(path.to_owned()).or_insert_with(load).clone()
    }
}

fn half(path: &Path) -> Half {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let public = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .and_then(|line| PublicKey::from_openssh(line).ok());
    let public_only = public.is_some();
    let key = public
        // OpenSSH's own format holds the public half in the clear.
        .or_else(|| {
            Some(
                PrivateKey::from_openssh(text.as_ref())
                    .ok()?
                    .public_key()
                    .clone(),
            )
        })
        .or_else(|| russh::keys::load_public_key(beside(path, ".pub")).ok());
    let certificate =
        |path: &Path| russh::keys::load_openssh_certificate(beside(path, "-cert.pub")).ok();
    Half {
        key,
        public_only,
        certificate: certificate(path).or_else(|| {
            let private = path.as_os_str().to_str()?.strip_suffix(".pub")?;
            certificate(Path::new(private))
        }),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
