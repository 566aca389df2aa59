//! Sealing: AES-256-GCM under a key of the file's own, which is derived from the key in the data
//! folder. Where an entry stands in its file is its nonce: files are only ever appended to, so none
//! comes twice, and an entry that was moved does not open.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use crate::store::error::StoreError;

/// The file of the key.
const KEY: &str = "resume.key";
const KEY_LENGTH: usize = 32;
/// What makes a file's key its own.
pub(super) const SALT: usize = 32;
/// What sealing adds, in bytes.
pub(super) const TAG: usize = 16;
/// What the derived key is for.
const PURPOSE: &[u8] = b"ioms resume 1";

/// Seals and opens the entries of one file.
pub(super) struct Seal(LessSafeKey);

impl Seal {
    /// With the key of a data folder, which is made where there is none yet.
    pub(super) fn new(data_dir: &Path, salt: &[u8; SALT]) -> Result<Self, StoreError> {
        let path = data_dir.join(KEY);
        let key = match read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                make(data_dir, &path).and_then(|()| read(&path))
            }
            other => other,
        };
        let key = key.map_err(StoreError::file(&path))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*key);
        let mut context = hmac::Context::with_key(&key);
        context.update(PURPOSE);
        context.update(salt);
        let derived = context.sign();
        let key = UnboundKey::new(&AES_256_GCM, derived.as_ref());
        let key = key.map_err(|_| StoreError::file(&path)(std::io::Error::other("no key")))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals in place; gives the tag. Nothing else may ever be sealed `at` this place.
    pub(super) fn seal(&self, at: u64, bytes: &mut [u8]) -> Option<[u8; TAG]> {
        let sealed = self
            .0
            .seal_in_place_separate_tag(nonce(at), Aad::empty(), bytes);
        sealed.ok()?.as_ref().try_into().ok()
    }

    /// Opens what was sealed there, the tag at its end.
    pub(super) fn open<'a>(&self, at: u64, bytes: &'a mut [u8]) -> Option<&'a [u8]> {
        let opened = self.0.open_in_place(nonce(at), Aad::empty(), bytes);
        opened.ok().map(|bytes| &*bytes)
    }
}

fn nonce(at: u64) -> Nonce {
    let mut bytes = [0; 12];
    let (_, low) = bytes.split_at_mut(4);
    low.copy_from_slice(&at.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// Random bytes.
pub(super) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| std::io::Error::other("the system has no random numbers"))?;
    Ok(bytes)
}

fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let metadata = std::fs::metadata(path)?;
    if metadata.mode() & 0o077 != 0 {
        return Err(std::io::Error::other(
            "others may read it: chmod 600, or remove it and give up what was sealed",
        ));
    }
    if metadata.len() != KEY_LENGTH as u64 {
        return Err(std::io::Error::other("it is no key of 32 bytes"));
    }
    std::fs::read(path).map(Zeroizing::new)
}

/// Makes the key, whole at once, unless another process just has.
fn make(data_dir: &Path, path: &Path) -> std::io::Result<()> {
    let key = Zeroizing::new(random::<KEY_LENGTH>()?);
    let mut file = tempfile::NamedTempFile::new_in(data_dir)?;
    file.write_all(&*key)?;
    // What it has sealed is worth nothing without it.
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_sealed_opens_at_its_place_with_its_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let seal = Seal::new(folder.path(), &[1; SALT]).unwrap();
        let mut bytes = b"secret".to_vec();
        let tag = seal.seal(44, &mut bytes).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"secret"));
        bytes.extend(tag);
        let open = |seal: &Seal, at, bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            seal.open(at, &mut bytes).map(<[u8]>::to_vec)
        };
        assert_eq!(open(&seal, 44, &bytes).unwrap(), b"secret");
        let again = Seal::new(folder.path(), &[1; SALT]).unwrap();
        assert_eq!(open(&again, 44, &bytes).unwrap(), b"secret");
        assert_eq!(open(&seal, 45, &bytes), None, "elsewhere");
        let mut touched = bytes.clone();
        touched[2] ^= 1;
        assert_eq!(open(&seal, 44, &touched), None, "touched");
        let other = Seal::new(folder.path(), &[2; SALT]).unwrap();
        assert_eq!(open(&other, 44, &bytes), None, "another file's");
        let elsewhere = tempfile::tempdir().unwrap();
        let stranger = Seal::new(elsewhere.path(), &[1; SALT]).unwrap();
        assert_eq!(open(&stranger, 44, &bytes), None, "another folder's");
    }

    #[test]
    fn the_key_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        Seal::new(folder.path(), &[1; SALT]).unwrap();
        let path = folder.path().join(KEY);
        let mode = std::fs::metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Seal::new(folder.path(), &[1; SALT]).err().unwrap();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
}
