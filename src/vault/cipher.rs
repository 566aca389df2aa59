//! The vault format 1.1 and 1.2 (Ansible's documentation, "Ansible Vault payload format"): PBKDF2
//! with HMAC-SHA256, AES-256 in counter mode, HMAC-SHA256 over the ciphertext.

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base::digest::hex;
use crate::base::secret::Secret;

const ROUNDS: u32 = 10_000;
const LINE: usize = 80;
const BLOCK: usize = 16;

/// Why a vault text can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// None is known.
    #[error(
        "is a vault, and no password was given (--vault-password-file, --vault-id, --ask-vault-pass)"
    )]
    NoPassword,
    /// None of the known ones fits.
    #[error("is a vault, and none of the given passwords opens it")]
    WrongPassword,
    /// The text is broken.
    #[error("is not a vault text this version can read: {0}")]
    Format(String),
    /// There are passwords of several labels to encrypt with.
    #[error("there are vault passwords of several labels: {0}")]
    WhichLabel(String),
    /// There is no password of that label to encrypt with.
    #[error("no vault password has the label `{label}`; there are: {known}")]
    UnknownLabel {
        /// The one that was named.
        label: String,
        /// Those there are.
        known: String,
    },
    /// It would break a vault's first line.
    #[error("`{0}` can't be the label of a vault: `;` ends it")]
    BadLabel(String),
    /// A password could not be had.
    #[error("{0}")]
    Password(String),
}

/// A vault text, taken apart.
pub(super) struct Envelope {
    label: Option<String>,
    salt: Vec<u8>,
    mac: Vec<u8>,
    ciphertext: Vec<u8>,
}

struct Keys {
    derived: Zeroizing<[u8; 80]>,
}

impl Keys {
    fn derive(password: &Secret, salt: &[u8]) -> Self {
        let mut derived = Zeroizing::new([0; 80]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password.expose().as_bytes(), salt, ROUNDS, derived.as_mut());
        Self { derived }
    }

    fn apply_cipher(&self, bytes: &mut [u8]) {
        let (key, rest) = self.derived.split_at(32);
        let iv = rest.get(32..).unwrap_or_default();
        if let Ok(mut cipher) = Ctr128BE::<Aes256>::new_from_slices(key, iv) {
            cipher.apply_keystream(bytes);
        }
    }

    fn mac(&self) -> Option<Hmac<Sha256>> {
        Hmac::new_from_slice(self.derived.get(32..64)?).ok()
    }
}

impl Envelope {
    pub(super) fn parse(armoured: &str) -> Result<Self, VaultError> {
        let bad = |why: &str| VaultError::Format(why.to_owned());
        let mut lines = armoured.trim().lines().map(str::trim);
        let head: Vec<&str> = lines.next().unwrap_or_default().split(';').collect();
        let label = match head.as_slice() {
            ["$ANSIBLE_VAULT", "1.1", "AES256"] => None,
            ["$ANSIBLE_VAULT", "1.2", "AES256", label] => Some((*label).to_owned()),
            _ => {
                return Err(bad(
                    "its first line is not $ANSIBLE_VAULT;1.1;AES256 or 1.2",
                ));
            }
        };
        let body: String = lines.collect();
        let body = unhex(body.as_bytes()).ok_or_else(|| bad("its body is not hexadecimal"))?;
        let mut parts = body.split(|byte| *byte == b'\n').map(unhex);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(salt)), Some(Some(mac)), Some(Some(ciphertext)), None) => Ok(Self {
                label,
                salt,
                mac,
                ciphertext,
            }),
            _ => Err(bad("its body has not the three parts it should")),
        }
    }

    pub(super) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    pub(super) fn open(&self, password: &Secret) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let keys = Keys::derive(password, &self.salt);
        let mut mac = keys.mac().ok_or(VaultError::WrongPassword)?;
        mac.update(&self.ciphertext);
        // In constant time.
        mac.verify_slice(&self.mac)
            .map_err(|_| VaultError::WrongPassword)?;
        let mut plain = Zeroizing::new(self.ciphertext.clone());
        keys.apply_cipher(&mut plain);
        let padding = plain.last().copied().map(usize::from).unwrap_or_default();
        let length = plain
            .len()
            .checked_sub(padding)
            .filter(|_| (1..=BLOCK).contains(&padding));
        plain.truncate(length.ok_or_else(|| VaultError::Format("its padding is wrong".into()))?);
        Ok(plain)
    }
}

/// Whether some content is a vault, by how it begins.
pub fn is_vault(content: &[u8]) -> bool {
    content.starts_with(b"$ANSIBLE_VAULT;")
}

/// Encrypts some content; `label` makes it format 1.2.
pub fn encrypt(plain: impl AsRef<[u8]>, password: &Secret, label: Option<&str>) -> String {
    let salt: [u8; 32] = rand::random();
    let keys = Keys::derive(password, &salt);
    let plain = plain.as_ref();
    let padding = BLOCK - plain.len() % BLOCK;
    // Room for all of it: what grows leaves clear copies behind.
    let mut bytes = Vec::with_capacity(plain.len() + padding);
    bytes.extend_from_slice(plain);
    bytes.extend(std::iter::repeat_n(
        u8::try_from(padding).unwrap_or_default(),
        padding,
    ));
    keys.apply_cipher(&mut bytes);
    let mac = keys.mac().map(|mut mac| {
        mac.update(&bytes);
        mac.finalize().into_bytes().to_vec()
    });
    let inner = format!(
        "{}\n{}\n{}",
        hex(&salt),
        hex(&mac.unwrap_or_default()),
        hex(&bytes)
    );
    let body = hex(inner.as_bytes());
    let head = match label {
        None => "$ANSIBLE_VAULT;1.1;AES256".to_owned(),
        Some(label) => format!("$ANSIBLE_VAULT;1.2;AES256;{label}"),
    };
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(LINE)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!("{head}\n{}\n", lines.join("\n"))
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    text.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}
