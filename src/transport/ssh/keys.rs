//! The user's private keys, read and decrypted once a run, however many hosts use them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use russh::keys::{Certificate, PrivateKey, PublicKey};

use crate::base::prompt::Prompt;

/// A key that can be tried.
#[derive(Clone)]
pub(super) struct LoadedKey {
    pub(super) key: Arc<PrivateKey>,
    /// From `KEY-cert.pub`.
    pub(super) certificate: Option<Arc<Certificate>>,
}

/// What a file of keys came to.
#[derive(Clone)]
pub(super) enum KeyFile {
    /// Ready for use.
    Ready(LoadedKey),
    /// There is no such file.
    Absent,
    /// It can't be used, and why.
    Unusable(Arc<str>),
}

/// Keys by file. Asks for a passphrase once a file, whoever needs it first; the others wait.
pub(super) struct Keys {
    files: Mutex<HashMap<PathBuf, Arc<tokio::sync::OnceCell<KeyFile>>>>,
    prompt: Arc<dyn Prompt>,
}

impl Keys {
    pub(super) fn new(prompt: Arc<dyn Prompt>) -> Self {
        Self {
            files: Mutex::default(),
            prompt,
        }
    }

    /// The key of a file.
    pub(super) async fn get(&self, path: &Path) -> KeyFile {
        let cell = match self.files.lock() {
            Ok(mut files) => files.entry(path.to_owned()).or_default().clone(),
            Err(_) => return KeyFile::Absent,
        };
        let load = || async {
            let (path, prompt) = (path.to_owned(), self.prompt.clone());
            tokio::task::spawn_blocking(move || load(&path, prompt.as_ref()))
                .await
                .unwrap_or(KeyFile::Absent)
        };
        cell.get_or_init(load).await.clone()
    }
}

/// The public half beside a private key, which tells whether an agent holds it without decrypting.
pub(super) fn public_half(path: &Path) -> Option<PublicKey> {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    russh::keys::load_public_key(PathBuf::from(name)).ok()
}

fn load(path: &Path, prompt: &dyn Prompt) -> KeyFile {
    use russh::keys::{Error, load_secret_key};
    let unusable = |why: String| KeyFile::Unusable(format!("{}: {why}", path.display()).into());
    if let Some(why) = exposed(path) {
        return unusable(why);
    }
    let key = match load_secret_key(path, None) {
        Ok(key) => key,
        Err(Error::IO(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return KeyFile::Absent;
        }
        Err(Error::KeyIsEncrypted) => {
            let question = format!("Passphrase for {}", path.display());
            let passphrase = match prompt.secret(&question) {
                Ok(passphrase) => passphrase,
                Err(error) => return unusable(format!("is encrypted; {error}")),
            };
            match load_secret_key(path, Some(passphrase.expose())) {
                Ok(key) => key,
                Err(error) => return unusable(format!("can't be decrypted: {error}")),
            }
        }
        Err(error) => return unusable(error.to_string()),
    };
    let mut certificate = path.as_os_str().to_owned();
    certificate.push("-cert.pub");
    let certificate = russh::keys::load_openssh_certificate(PathBuf::from(certificate)).ok();
    KeyFile::Ready(LoadedKey {
        key: Arc::new(key),
        certificate: certificate.map(Arc::new),
    })
}

/// Like ssh(1), refuses a key of ours that others may read.
fn exposed(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    let ours = metadata.uid() == rustix::process::getuid().as_raw();
    (ours && metadata.mode() & 0o077 != 0).then(|| {
        format!(
            "others may read it (mode {:04o}): chmod 600",
            metadata.mode() & 0o7777
        )
    })
}
