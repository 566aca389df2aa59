//! Where vault passwords come from: files, programs, the terminal; each asked once, when first
//! needed.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use super::cipher::VaultError;
use crate::base::prompt::Prompt;
use crate::base::secret::Secret;

/// No password is longer, in bytes.
const LENGTH_MAX: u64 = 64 * 1024;

/// One source.
#[derive(Clone)]
pub enum PasswordSource {
    /// The text itself.
    Known(Secret),
    /// A file; an executable one is run and prints the password.
    File(PathBuf),
    /// The user.
    Ask(Arc<dyn Prompt>),
}

struct Entry {
    label: String,
    source: PasswordSource,
    got: OnceLock<Result<Secret, VaultError>>,
}

/// The passwords of a run, by label.
#[derive(Default)]
pub struct Passwords {
    entries: Vec<Entry>,
}

impl Passwords {
    /// Adds a password that is known.
    pub fn add(&mut self, label: &str, secret: Secret) {
        self.add_source(label, PasswordSource::Known(secret));
    }

    /// Adds a source.
    pub fn add_source(&mut self, label: &str, source: PasswordSource) {
        self.entries.push(Entry {
            label: label.to_owned(),
            source,
            got: OnceLock::new(),
        });
    }

    /// Adds what `--vault-id` gives: `label@file`, `label@prompt`, `file`, `prompt`.
    pub fn add_id(&mut self, id: &str, prompt: &Arc<dyn Prompt>) {
        let (label, source) = id.split_once('@').unwrap_or(("default", id));
        let source = match source {
            "prompt" | "prompt_ask_vault_pass" => PasswordSource::Ask(prompt.clone()),
            path => PasswordSource::File(path.into()),
        };
        self.add_source(if label.is_empty() { "default" } else { label }, source);
    }

    /// The passwords to try for a label, those of the label first, as Ansible does.
    pub(super) fn for_label(&self, label: Option<&str>) -> Result<Vec<Secret>, VaultError> {
        let (own, others): (Vec<&Entry>, Vec<&Entry>) = self
            .entries
            .iter()
            .partition(|entry| Some(entry.label.as_str()) == label);
        own.into_iter().chain(others).map(Entry::get).collect()
    }
}

impl Entry {
    fn get(&self) -> Result<Secret, VaultError> {
        self.got.get_or_init(|| self.read()).clone()
    }

    fn read(&self) -> Result<Secret, VaultError> {
        match &self.source {
            PasswordSource::Known(secret) => Ok(secret.clone()),
            PasswordSource::Ask(prompt) => prompt
                .secret(&format!("Vault password ({})", self.label))
                .map_err(|error| VaultError::Password(error.to_string())),
            PasswordSource::File(path) => from_file(path, &self.label).map_err(|why| {
                VaultError::Password(format!("vault password file {}: {why}", path.display()))
            }),
        }
    }
}

fn from_file(path: &Path, label: &str) -> Result<Secret, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    if metadata.permissions().mode() & 0o111 == 0 {
        let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        file.take(LENGTH_MAX)
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
    } else {
        let absolute = std::path::absolute(path).map_err(|error| error.to_string())?;
        let mut command = Command::new(absolute);
        // Programs called `...-client` are told which password is wanted.
        if path
            .file_stem()
            .is_some_and(|stem| stem.to_string_lossy().ends_with("-client"))
        {
            command.args(["--vault-id", label]);
        }
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        if let Some(stdout) = child.stdout.take() {
            stdout
                .take(LENGTH_MAX)
                .read_to_end(&mut bytes)
                .map_err(|error| error.to_string())?;
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("the program ended with {status}"));
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err("is empty".into());
    }
    Ok(Secret::new(text))
}
