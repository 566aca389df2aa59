//! Where vault passwords come from: files, programs, the terminal; each asked once, when first
//! needed.

use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::{Duration, Instant};

use super::cipher::VaultError;
use crate::base::prompt::Prompt;
use crate::base::secret::Secret;

/// No password is longer, in bytes.
const LENGTH_MAX: u64 = 64 * 1024;

/// The label of those that have none.
const DEFAULT: &str = "default";

/// A program that prints a password has so much time; it may have to ask somebody.
const LIMIT: Duration = Duration::from_mins(1);

/// One source.
#[derive(Clone)]
pub enum PasswordSource {
    /// The text itself.
    Known(Secret),
    /// A file, `-` standard input; an executable one is run and prints the password.
    File(PathBuf),
    /// The user.
    Ask(Arc<dyn Prompt>),
}

struct Entry {
    label: String,
    source: PasswordSource,
    got: OnceLock<Result<Secret, VaultError>>,
}

/// What to encrypt with: a password and the label of its vaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    label: Option<String>,
    password: Secret,
}

impl Key {
    /// The label `default` is none: as ansible-vault writes it.
    pub fn new(label: Option<&str>, password: Secret) -> Self {
        let label = label.filter(|label| *label != DEFAULT).map(str::to_owned);
        Self { label, password }
    }

    /// The label that its vaults bear.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The password.
    pub fn password(&self) -> &Secret {
        &self.password
    }

    /// A vault of this content.
    pub fn encrypt(&self, plain: impl AsRef<[u8]>) -> String {
        super::encrypt(plain, &self.password, self.label())
    }
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
        let (label, source) = id.split_once('@').unwrap_or((DEFAULT, id));
        let source = match source {
            "prompt" | "prompt_ask_vault_pass" => PasswordSource::Ask(prompt.clone()),
            path => PasswordSource::File(path.into()),
        };
        self.add_source(if label.is_empty() { DEFAULT } else { label }, source);
    }

    /// Adds one without a label.
    pub fn add_default(&mut self, source: PasswordSource) {
        self.add_source(DEFAULT, source);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What to encrypt with.
    pub(super) fn key(&self, label: Option<&str>) -> Result<Key, VaultError> {
        let mut labels: Vec<&str> = Vec::new();
        for entry in &self.entries {
            if !labels.contains(&entry.label.as_str()) {
                labels.push(&entry.label);
            }
        }
        let entry = match label {
            Some(label) => self.entries.iter().find(|entry| entry.label == label),
            None if labels.len() > 1 => return Err(VaultError::WhichLabel(labels.join(", "))),
            None => self.entries.first(),
        };
        let entry = entry.ok_or_else(|| match label {
            Some(label) if !labels.is_empty() => VaultError::UnknownLabel {
                label: label.to_owned(),
                known: labels.join(", "),
            },
            _ => VaultError::NoPassword,
        })?;
        // It is a part of the first line.
        if entry.label.contains([';', '\n', '\r']) {
            return Err(VaultError::BadLabel(entry.label.clone()));
        }
        let password = match &entry.source {
            PasswordSource::Ask(prompt) => new_password(prompt.as_ref(), &entry.label)?,
            _ => entry.get()?,
        };
        Ok(Key::new(Some(&entry.label), password))
    }

    /// The passwords to try for a label, those of the label first, as Ansible does; each is asked
    /// for when its turn comes.
    pub(super) fn for_label(
        &self,
        label: Option<&str>,
    ) -> impl Iterator<Item = Result<Secret, VaultError>> {
        let (own, others): (Vec<&Entry>, Vec<&Entry>) = self
            .entries
            .iter()
            .partition(|entry| Some(entry.label.as_str()) == label);
        own.into_iter().chain(others).map(Entry::get)
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

fn new_password(prompt: &dyn Prompt, label: &str) -> Result<Secret, VaultError> {
    let ask = |question: String| {
        let answer = prompt.secret(&question);
        answer.map_err(|error| VaultError::Password(error.to_string()))
    };
    let password = ask(format!("New vault password ({label})"))?;
    if password.expose().is_empty() {
        return Err(VaultError::Password(
            "an empty password keeps nothing secret".into(),
        ));
    }
    if ask(format!("Confirm new vault password ({label})"))? != password {
        return Err(VaultError::Password("the two passwords differ".into()));
    }
    Ok(password)
}

fn from_file(path: &Path, label: &str) -> Result<Secret, String> {
    let fail = |error: std::io::Error| error.to_string();
    let standard_input = path == Path::new("-");
    let program =
        !standard_input && std::fs::metadata(path).map_err(fail)?.permissions().mode() & 0o111 != 0;
    let bytes = if program {
        from_program(path, label, LIMIT)?
    } else if standard_input {
        whole(std::io::stdin().lock()).map_err(fail)?
    } else {
        whole(std::fs::File::open(path).map_err(fail)?).map_err(fail)?
    };
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    // As Ansible: blanks around belong to the file, not to the password.
    let text = if program {
        text.trim_matches(['\r', '\n'])
    } else {
        text.trim()
    };
    if text.is_empty() {
        return Err("is empty".into());
    }
    Ok(Secret::new(text))
}

fn whole(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LENGTH_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a program prints. Standard input is not its own: it may be a command's.
fn from_program(path: &Path, label: &str, limit: Duration) -> Result<Vec<u8>, String> {
    let fail = |error: std::io::Error| error.to_string();
    let mut command = Command::new(std::path::absolute(path).map_err(fail)?);
    // Programs called `...-client` are told which password is wanted.
    if path
        .file_stem()
        .is_some_and(|stem| stem.to_string_lossy().ends_with("-client"))
    {
        command.args(["--vault-id", label]);
    }
    let deadline = Instant::now() + limit;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    let (sender, printed) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        // Left behind where something in the background keeps the pipe open.
        std::thread::spawn(move || sender.send(whole(stdout)));
    }
    let late = || format!("the program did not end within {} s", limit.as_secs());
    let status = loop {
        match child.try_wait().map_err(fail)? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(late());
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    if !status.success() {
        return Err(format!("the program ended with {status}"));
    }
    printed
        .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        .map_err(|_| late())?
        .map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(text: &str) -> tempfile::TempPath {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        file.into_temp_path()
    }

    struct Answers(std::sync::Mutex<Vec<&'static str>>);

    impl Prompt for Answers {
        fn secret(&self, _: &str) -> std::io::Result<Secret> {
            let answer = self.0.lock().unwrap().pop();
            answer
                .map(Secret::new)
                .ok_or_else(|| std::io::Error::other("asked too often"))
        }
    }

    #[test]
    fn a_new_password_is_asked_for_twice() {
        let key = |answers: &[&'static str]| {
            let answers = answers.iter().rev().copied().collect();
            let prompt: Arc<dyn Prompt> = Arc::new(Answers(std::sync::Mutex::new(answers)));
            let mut passwords = Passwords::default();
            passwords.add_id("prod@prompt", &prompt);
            passwords.key(None)
        };
        assert_eq!(
            key(&["a", "a"]),
            Ok(Key::new(Some("prod"), Secret::new("a")))
        );
        for wrong in [&["a", "b"], &["", ""]] {
            assert!(matches!(key(wrong), Err(VaultError::Password(_))));
        }
    }

    #[test]
    fn of_several_labels_one_must_be_named() {
        let mut passwords = Passwords::default();
        assert_eq!(passwords.key(None), Err(VaultError::NoPassword));
        passwords.add("default", Secret::new("first"));
        passwords.add("default", Secret::new("second"));
        assert_eq!(
            passwords.key(None),
            Ok(Key::new(None, Secret::new("first")))
        );
        passwords.add("prod", Secret::new("two"));
        let error = passwords.key(None).unwrap_err().to_string();
        assert!(error.contains("default, prod"), "{error}");
        let key = passwords.key(Some("prod")).unwrap();
        assert_eq!(key, Key::new(Some("prod"), Secret::new("two")));
        let error = passwords.key(Some("test")).unwrap_err().to_string();
        assert!(
            error.contains("`test`") && error.contains("default, prod"),
            "{error}"
        );
        passwords.add("a;b", Secret::new("x"));
        assert!(matches!(
            passwords.key(Some("a;b")),
            Err(VaultError::BadLabel(_))
        ));
    }

    #[test]
    fn blanks_around_a_password_belong_to_its_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\n  a b \r\n").unwrap();
        assert_eq!(from_file(file.path(), "x").unwrap(), Secret::new("a b"));
        std::fs::write(file.path(), " \n").unwrap();
        assert_eq!(from_file(file.path(), "x").unwrap_err(), "is empty");
    }

    #[test]
    fn a_program_reads_nothing_and_has_its_time() {
        let prints = program("#!/bin/sh\ncat; echo ' pass '\n");
        assert_eq!(from_file(&prints, "x").unwrap(), Secret::new(" pass "));
        let hangs = program("#!/bin/sh\nexec sleep 60\n");
        let begun = Instant::now();
        let error = from_program(&hangs, "x", Duration::from_millis(200)).unwrap_err();
        assert!(error.contains("did not end"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
