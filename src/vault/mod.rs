//! Ansible's vaults: texts that begin with `$ANSIBLE_VAULT;`. Opened when used, each distinct text
//! once, many at a time.

mod cipher;
mod passwords;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

pub use cipher::{VaultError, encrypt};
pub use passwords::{PasswordSource, Passwords};

use crate::base::digest::{self, ContentDigest};
use crate::base::secret::Secret;

/// What a vault text holds, once it is opened.
type Opened = OnceLock<Result<Secret, VaultError>>;

/// Opens vault texts with the passwords of a run.
pub struct Vault {
    passwords: Passwords,
    opened: Mutex<HashMap<ContentDigest, Arc<Opened>>>,
}

impl Vault {
    /// With these passwords; none is fine as long as nothing is to be opened.
    pub fn new(passwords: Passwords) -> Self {
        Self {
            passwords,
            opened: Mutex::default(),
        }
    }

    /// Opens a text. Whoever asks for the same text meanwhile waits for the one derivation; other
    /// texts are opened at the same time.
    pub fn decrypt(&self, armoured: &str) -> Result<Secret, VaultError> {
        let Ok(mut opened) = self.opened.lock() else {
            return Err(VaultError::NoPassword);
        };
        let cell = opened
            .entry(digest::of(armoured.as_bytes()))
            .or_default()
            .clone();
        drop(opened);
        cell.get_or_init(|| self.open(armoured)).clone()
    }

    fn open(&self, armoured: &str) -> Result<Secret, VaultError> {
        let envelope = cipher::Envelope::parse(armoured)?;
        let mut failed = None;
        for password in self.passwords.for_label(envelope.label()) {
            match password.and_then(|password| envelope.open(&password)) {
                Ok(secret) => return Ok(secret),
                // A source that failed might have had the right one: it is the better explanation.
                Err(_) if matches!(failed, Some(VaultError::Password(_))) => {}
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or(VaultError::NoPassword))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by `ansible-vault encrypt_string --vault-id prod@...` of ansible-core 2.19; password `swordfish`.
    fn vault(password: &str) -> Vault {
        let mut passwords = Passwords::default();
        passwords.add("default", Secret::new(password));
        Vault::new(passwords)
    }

    #[test]
    fn what_was_encrypted_opens_with_its_password_only() {
        let text = encrypt("hunter2 中文", &Secret::new("swordfish"), None);
        assert!(text.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
        assert_eq!(
            vault("swordfish").decrypt(&text).unwrap().expose(),
            "hunter2 中文"
        );
        assert_eq!(
            vault("other").decrypt(&text),
            Err(VaultError::WrongPassword)
        );
        assert_eq!(
            Vault::new(Passwords::default()).decrypt(&text),
            Err(VaultError::NoPassword)
        );
    }

    #[test]
    fn a_label_chooses_its_password_first() {
        let text = encrypt("x", &Secret::new("two"), Some("prod"));
        assert!(text.starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
        let mut passwords = Passwords::default();
        passwords.add("dev", Secret::new("one"));
        passwords.add("prod", Secret::new("two"));
        assert_eq!(Vault::new(passwords).decrypt(&text).unwrap().expose(), "x");
    }

    #[test]
    fn a_source_that_fails_matters_where_no_other_opens_the_text() {
        let missing = || PasswordSource::File("/nonexistent/password".into());
        let text = encrypt("x", &Secret::new("right"), None);
        let open = |before: bool, password: &str| {
            let mut passwords = Passwords::default();
            if before {
                passwords.add_source("gone", missing());
            }
            passwords.add("default", Secret::new(password));
            passwords.add_source("gone", missing());
            Vault::new(passwords).decrypt(&text)
        };
        assert_eq!(open(false, "right").unwrap().expose(), "x");
        assert_eq!(open(true, "right").unwrap().expose(), "x");
        let error = open(false, "wrong").unwrap_err();
        assert!(matches!(error, VaultError::Password(_)), "{error:?}");
    }

    #[test]
    fn broken_texts_are_told_from_wrong_passwords() {
        for text in [
            "",
            "$ANSIBLE_VAULT;9.9;AES256\n00",
            "$ANSIBLE_VAULT;1.1;AES256\nzz",
            "$ANSIBLE_VAULT;1.1;AES256\n6162",
        ] {
            assert!(
                matches!(vault("x").decrypt(text), Err(VaultError::Format(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn texts_of_ansible_vault_open() {
        let text = include_str!("fixtures/ansible-vault-1.1.txt");
        assert_eq!(
            vault("swordfish").decrypt(text).unwrap().expose(),
            "geheim\n"
        );
        let text = include_str!("fixtures/ansible-vault-1.2.txt");
        assert_eq!(vault("swordfish").decrypt(text).unwrap().expose(), "机密\n");
    }
}
