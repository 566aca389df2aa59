//! The user's private keys, read and decrypted once a run, however many hosts use them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::keys::PrivateKey;
use tokio::time::Instant;

use super::halves::Halves;
use crate::base::prompt::Prompt;
use crate::base::secret::Secret;

/// What a file of keys came to.
#[derive(Clone)]
pub(super) enum KeyFile {
    /// Ready for use.
    Ready(Arc<PrivateKey>),
    /// There is no such file.
    Absent,
    /// It can't be used, and why.
    Unusable(Arc<str>),
}

/// Keys by file. Asks for a passphrase once a file, whoever needs it first; the others wait.
pub(super) struct Keys {
    files: Mutex<HashMap<PathBuf, Arc<tokio::sync::OnceCell<KeyFile>>>>,
    halves: Halves,
    prompt: Arc<dyn Prompt>,
    asking: Arc<Mutex<Asking>>,
}

/// How long the user has been asked for passphrases: no host is to blame for that time.
#[derive(Default)]
struct Asking {
    before: Duration,
    since: Option<Instant>,
}

impl Keys {
    pub(super) fn new(prompt: Arc<dyn Prompt>) -> Self {
        Self {
            files: Mutex::default(),
            halves: Halves::default(),
            prompt,
            asking: Arc::default(),
        }
    }

    /// How long the user has been asked so far.
    pub(super) fn asked(&self) -> Duration {
        let asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.before + asking.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// What is known of keys without their private halves.
    pub(super) fn halves(&self) -> &Halves {
        &self.halves
    }

    /// The key of a file.
    pub(super) async fn get(&self, path: &Path) -> KeyFile {
        let cell = match self.files.lock() {
            Ok(mut files) => files.entry(path.to_owned()).or_default().clone(),
            Err(_) => return KeyFile::Absent,
        };
        let load = || async {
            let (path, prompt) = (path.to_owned(), self.prompt.clone());
            let asking = self.asking.clone();
            tokio::task::spawn_blocking(move || {
                load(&path, &|question| ask(&*prompt, question, &asking))
            })
            .await
            .unwrap_or(KeyFile::Absent)
        };
        cell.get_or_init(load).await.clone()
    }
}

/// Asks one question at a time and keeps the time.
fn ask(prompt: &dyn Prompt, question: &str, asking: &Mutex<Asking>) -> std::io::Result<Secret> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let set = |since| {
        let mut asking = asking.lock().unwrap_or_else(PoisonError::into_inner);
        let last = std::mem::replace(&mut asking.since, since);
        asking.before += last.map_or(Duration::ZERO, |since| since.elapsed());
    };
    set(Some(Instant::now()));
    let answer = prompt.secret(question);
    set(None);
    answer
}

fn load(path: &Path, ask: &dyn Fn(&str) -> std::io::Result<Secret>) -> KeyFile {
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
            let passphrase = match ask(&question) {
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
    KeyFile::Ready(Arc::new(key))
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
