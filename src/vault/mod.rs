//! Ansible's vaults: texts that begin with `$ANSIBLE_VAULT;`. Opened when used, each distinct text
//! once, many at a time.

mod cipher;
mod passwords;

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock};

use zeroize::Zeroizing;

pub use cipher::{VaultError, encrypt, is_vault};
pub use passwords::{Key, PasswordSource, Passwords};

use crate::base::digest::{self, ContentDigest};
use crate::base::secret::Secret;

/// A vault text, opened.
#[derive(Clone)]
pub struct Opened {
    /// What it holds.
    pub plain: Arc<Zeroizing<Vec<u8>>>,
    /// Its label and the password that fitted: to encrypt it again as it was.
    pub key: Key,
}

/// The content of a file that may be a vault.
pub enum Content<'a> {
    /// It was none: as it is.
    Plain(&'a [u8]),
    /// What the vault holds: not to be shown.
    Secret(Arc<Zeroizing<Vec<u8>>>),
}

impl Content<'_> {
    /// Whether it came out of a vault.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

impl Deref for Content<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Secret(bytes) => bytes,
        }
    }
}

/// A text that is being opened, or is.
type Opening = Arc<OnceLock<Result<Opened, VaultError>>>;

/// Opens vault texts with the passwords of a run.
pub struct Vault {
    passwords: Passwords,
    opened: Mutex<HashMap<ContentDigest, Opening>>,
}

impl Vault {
    /// With these passwords; none is fine as long as nothing is to be opened.
    pub fn new(passwords: Passwords) -> Self {
        Self {
            passwords,
            opened: Mutex::default(),
        }
    }

    /// Opens a text that holds text.
    pub fn decrypt(&self, armoured: &str) -> Result<Secret, VaultError> {
        let opened = self.open(armoured.as_bytes())?;
        let text = std::str::from_utf8(&opened.plain)
            .map_err(|_| VaultError::Format("what it holds is not UTF-8".into()))?;
        Ok(Secret::new(text))
    }

    /// The content of a file: what it holds if it is a vault, else as it is.
    pub fn open_file<'a>(&self, content: &'a [u8]) -> Result<Content<'a>, VaultError> {
        if !is_vault(content) {
            return Ok(Content::Plain(content));
        }
        Ok(Content::Secret(self.open(content)?.plain))
    }

    /// Opens a vault. Whoever asks for the same text meanwhile waits for the one derivation; other
    /// texts are opened at the same time.
    pub fn open(&self, armoured: &[u8]) -> Result<Opened, VaultError> {
        let Ok(mut opened) = self.opened.lock() else {
            return Err(VaultError::NoPassword);
        };
        let cell = opened.entry(digest::of(armoured)).or_default().clone();
        drop(opened);
        cell.get_or_init(|| self.open_afresh(armoured)).clone()
    }

    /// What to encrypt with: the password of this label, else the one there is. One that is asked
    /// for is asked for twice, as it is new.
    pub fn key(&self, label: Option<&str>) -> Result<Key, VaultError> {
        self.passwords.key(label)
    }

    fn open_afresh(&self, armoured: &[u8]) -> Result<Opened, VaultError> {
        let armoured = std::str::from_utf8(armoured)
            .map_err(|_| VaultError::Format("its body is not hexadecimal".into()))?;
        let envelope = cipher::Envelope::parse(armoured)?;
        let mut failed = None;
        for password in self.passwords.for_label(envelope.label()) {
            let opened = password.and_then(|password| {
                Ok(Opened {
                    plain: Arc::new(envelope.open(&password)?),
                    key: Key::new(envelope.label(), password),
                })
            });
            match opened {
                Ok(opened) => return Ok(opened),
                // A source that failed might have had the right one: it is the better explanation.
                Err(_) if matches!(failed, Some(VaultError::Password(_))) => {}
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or(VaultError::NoPassword))
    }
}

/// The label that a vault's first line names, if it is one with a label.
pub fn label(content: &[u8]) -> Option<String> {
    let first = content.split(|byte| *byte == b'\n').next()?;
    let first = std::str::from_utf8(first)
        .ok()
        .filter(|_| is_vault(content))?;
    first.trim().split(';').nth(3).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn plain_files_stay_as_they_are_and_vaults_give_their_bytes() {
        let image = [0, 159, 146, 150, b'\n'];
        let sealed = encrypt(image, &Secret::new("swordfish"), Some("prod"));
        let vault = vault("swordfish");
        let opened = vault.open_file(sealed.as_bytes()).unwrap();
        assert_eq!((&*opened, opened.is_secret()), (&image[..], true));
        let plain = vault.open_file(&image).unwrap();
        assert_eq!((&*plain, plain.is_secret()), (&image[..], false));
        // Where text is wanted, such bytes are a mistake.
        let error = vault.decrypt(&sealed).unwrap_err();
        assert!(matches!(error, VaultError::Format(_)), "{error:?}");
        assert_eq!(super::label(sealed.as_bytes()).as_deref(), Some("prod"));
        let broken = vault.open_file(b"$ANSIBLE_VAULT;1.1;AES256\n\xff");
        assert!(matches!(broken, Err(VaultError::Format(_))));
    }

    #[test]
    fn what_was_opened_can_be_encrypted_as_it_was() {
        let mut passwords = Passwords::default();
        passwords.add("dev", Secret::new("one"));
        passwords.add("prod", Secret::new("two"));
        let vault = Vault::new(passwords);
        let sealed = encrypt("x", &Secret::new("one"), Some("prod"));
        let key = vault.open(sealed.as_bytes()).unwrap().key;
        assert_eq!(
            (key.label(), key.password()),
            (Some("prod"), &Secret::new("one"))
        );
        assert!(
            key.encrypt("y")
                .starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n")
        );
    }

    #[test]
    fn texts_of_ansible_vault_open() {
        // Made by `ansible-vault` of ansible-core 2.19; password `swordfish`.
        let text = include_str!("fixtures/ansible-vault-1.1.txt");
        assert_eq!(
            vault("swordfish").decrypt(text).unwrap().expose(),
            "geheim\n"
        );
        let text = include_str!("fixtures/ansible-vault-1.2.txt");
        assert_eq!(vault("swordfish").decrypt(text).unwrap().expose(), "机密\n");
    }
}
