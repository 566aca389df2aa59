//! Which algorithms are offered: our defaults, what `legacy_crypto` adds, and what `ssh_config`'s
//! lists make of them (`+`, `-`, `^`, plain).

use std::borrow::Cow;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, cipher, kex, mac};

use crate::event::{ErrorKind, HostError};
use crate::target::SshOptions;

/// Our defaults. AES-GCM first: with AES instructions it costs half of `ChaCha20`.
const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_GEX_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_G14_SHA256,
];
const KEX_LEGACY: &[kex::Name] = &[kex::DH_G14_SHA1, kex::DH_GEX_SHA1, kex::DH_G1_SHA1];
/// Not algorithms but signals: always offered (RFC 8308, OpenSSH's PROTOCOL 1.10).
const KEX_EXTENSIONS: &[kex::Name] = &[
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_128_CTR,
    cipher::AES_192_CTR,
    cipher::AES_256_CTR,
];
const CIPHERS_LEGACY: &[cipher::Name] = &[
    cipher::AES_128_CBC,
    cipher::AES_192_CBC,
    cipher::AES_256_CBC,
];
const MACS: &[mac::Name] = &[
    mac::HMAC_SHA256_ETM,
    mac::HMAC_SHA512_ETM,
    mac::HMAC_SHA256,
    mac::HMAC_SHA512,
];
const MACS_LEGACY: &[mac::Name] = &[mac::HMAC_SHA1_ETM, mac::HMAC_SHA1];

fn host_keys() -> Vec<Algorithm> {
    vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        },
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP384,
        },
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP521,
        },
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha512),
        },
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha256),
        },
    ]
}

/// Whether two names mean the same type of key: RSA has one type and several signatures.
pub(super) fn same_type(one: &russh::keys::Algorithm, other: &russh::keys::Algorithm) -> bool {
    use russh::keys::Algorithm::Rsa;
    matches!((one, other), (Rsa { .. }, Rsa { .. })) || one == other
}

/// What to offer a host with these options.
pub(super) fn preferred(options: &SshOptions) -> Result<Preferred, HostError> {
    let legacy = options.legacy_crypto;
    let lists = &options.algorithms;
    let mut kex = choose(
        "KexAlgorithms",
        lists.kex.as_deref(),
        KEX,
        legacy.then_some(KEX_LEGACY),
        |name| kex::Name::try_from(name).ok(),
    )?;
    kex.extend_from_slice(KEX_EXTENSIONS);
    let cipher = choose(
        "Ciphers",
        lists.ciphers.as_deref(),
        CIPHERS,
        legacy.then_some(CIPHERS_LEGACY),
        |name| cipher::Name::try_from(name).ok(),
    )?;
    let mac = choose(
        "MACs",
        lists.macs.as_deref(),
        MACS,
        legacy.then_some(MACS_LEGACY),
        |name| mac::Name::try_from(name).ok(),
    )?;
    let legacy_key = [Algorithm::Rsa { hash: None }];
    let key = choose(
        "HostKeyAlgorithms",
        lists.host_key.as_deref(),
        &host_keys(),
        legacy.then_some(legacy_key.as_slice()),
        |name| {
            Algorithm::new(name)
                .ok()
                .filter(|found| !matches!(found, Algorithm::Other(_)))
        },
    )?;
    Ok(Preferred {
        kex: kex.into(),
        key: key.into(),
        cipher: cipher.into(),
        mac: mac.into(),
        host_key_certificates: Cow::Borrowed(&[]),
        ..Preferred::DEFAULT
    })
}

/// Resolves one list of `ssh_config` against the defaults. Names that are unknown here are passed
/// over as long as one is left; wildcards work with `-`.
fn choose<T: Clone + PartialEq + AsName>(
    keyword: &str,
    list: Option<&str>,
    defaults: &[T],
    legacy: Option<&[T]>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, HostError> {
    let mut chosen: Vec<T> = defaults.to_vec();
    chosen.extend(legacy.unwrap_or_default().iter().cloned());
    let Some(list) = list else { return Ok(chosen) };
    let (mode, names) = match list.chars().next() {
        Some(mode @ ('+' | '-' | '^')) => (mode, list.get(1..).unwrap_or_default()),
        _ => ('=', list),
    };
    let named: Vec<T> = names
        .split(',')
        .filter_map(|name| parse(name.trim()))
        .collect();
    match mode {
        '+' => {
            for each in named {
                if !chosen.contains(&each) {
                    chosen.push(each);
                }
            }
        }
        '-' => {
            let set = globset_of(names);
            chosen.retain(|each| !set.iter().any(|glob| glob.is_match(each.as_name())));
        }
        '^' => {
            chosen.retain(|each| !named.contains(each));
            chosen.splice(0..0, named);
        }
        _ => chosen = named,
    }
    if chosen.is_empty() {
        return Err(HostError::new(
            ErrorKind::Unsupported,
            format!("{keyword} {list}: none of these is known here"),
        )
        .hint(format!(
            "known are: {}",
            defaults
                .iter()
                .map(AsName::as_name)
                .collect::<Vec<_>>()
                .join(",")
        )));
    }
    Ok(chosen)
}

fn globset_of(names: &str) -> Vec<globset::GlobMatcher> {
    names
        .split(',')
        .filter_map(|name| globset::Glob::new(name.trim()).ok())
        .map(|glob| glob.compile_matcher())
        .collect()
}

/// Things with an SSH name.
trait AsName {
    fn as_name(&self) -> &str;
}

impl AsName for kex::Name {
    fn as_name(&self) -> &str {
        self.as_ref()
    }
}
impl AsName for cipher::Name {
    fn as_name(&self) -> &str {
        self.as_ref()
    }
}
impl AsName for mac::Name {
    fn as_name(&self) -> &str {
        self.as_ref()
    }
}
impl AsName for Algorithm {
    fn as_name(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ciphers(list: &str) -> Vec<&'static str> {
        let chosen = choose("Ciphers", Some(list), CIPHERS, None, |name| {
            cipher::Name::try_from(name).ok()
        });
        chosen
            .unwrap()
            .iter()
            .filter_map(|name| {
                CIPHERS
                    .iter()
                    .chain(CIPHERS_LEGACY)
                    .find(|known| *known == name)
            })
            .map(AsName::as_name)
            .collect()
    }

    #[test]
    fn lists_add_remove_prefer_and_replace() {
        assert_eq!(ciphers("aes256-ctr,nonsense"), ["aes256-ctr"]);
        assert_eq!(ciphers("+aes128-cbc").last(), Some(&"aes128-cbc"));
        assert_eq!(ciphers("^aes256-ctr").first(), Some(&"aes256-ctr"));
        assert!(!ciphers("-*gcm*").iter().any(|name| name.contains("gcm")));
    }

    #[test]
    fn a_list_of_unknown_names_is_an_error_that_names_them() {
        let error = choose("Ciphers", Some("rot13"), CIPHERS, None, |name| {
            cipher::Name::try_from(name).ok()
        });
        assert!(error.unwrap_err().message.contains("rot13"));
    }
}
