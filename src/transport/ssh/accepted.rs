//! Which kinds of keys we log in with: `PubkeyAcceptedAlgorithms`.

use std::sync::LazyLock;

use russh::keys::{Algorithm, HashAlg};

use crate::event::{ErrorKind, HostError};
use crate::target::SshOptions;

/// In OpenSSH's order.
const DEFAULTS: &[&str] = &[
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-512",
    "rsa-sha2-256",
];
/// With SHA-1.
const LEGACY: &[&str] = &["ssh-rsa", "ssh-rsa-cert-v01@openssh.com"];

/// A key that may not be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RuledOut;

/// The names that are accepted.
#[derive(Debug, Clone, Default)]
pub(super) struct Accepted(Vec<&'static str>);

impl Accepted {
    pub(super) fn of(options: &SshOptions) -> Result<Self, HostError> {
        static USUAL: LazyLock<Accepted> = LazyLock::new(|| Accepted(DEFAULTS.to_vec()));
        let mut names = USUAL.0.clone();
        if options.legacy_crypto {
            names.extend(LEGACY);
        }
        let Some(list) = &options.algorithms.pubkey_accepted else {
            return Ok(Self(names));
        };
        let (mode, patterns) = match list.chars().next() {
            Some(mode @ ('+' | '-' | '^')) => (mode, list.get(1..).unwrap_or_default()),
            _ => ('=', list.as_str()),
        };
        // In the order of the patterns, which may have wildcards.
        let mut named: Vec<&'static str> = Vec::new();
        for pattern in patterns.split(',').map(str::trim) {
            let pattern = globset::Glob::new(pattern).map(|glob| glob.compile_matcher());
            for name in DEFAULTS.iter().chain(LEGACY) {
                if pattern.as_ref().is_ok_and(|glob| glob.is_match(name)) && !named.contains(name) {
                    named.push(name);
                }
            }
        }
        match mode {
            '-' => names.retain(|name| !named.contains(name)),
            '+' => {
                named.retain(|name| !names.contains(name));
                names.extend(named);
            }
            '^' => {
                names.retain(|name| !named.contains(name));
                names.splice(0..0, named);
            }
            _ => names = named,
        }
        if names.is_empty() {
            return Err(HostError::new(
                ErrorKind::Unsupported,
                format!("PubkeyAcceptedAlgorithms {list}: none of these is known here"),
            )
            .hint(format!("known are: {}", DEFAULTS.join(","))));
        }
        Ok(Self(names))
    }

    /// Whether keys (or certificates) of a type may be used; for RSA with this hash.
    pub(super) fn takes(&self, algorithm: &Algorithm, certificate: bool) -> bool {
        let name = match (algorithm, certificate) {
            // ssh-key has no names for RSA's certificates with their hashes.
            (Algorithm::Rsa { hash }, true) => {
                let name = match hash {
                    Some(HashAlg::Sha512) => "rsa-sha2-512-cert-v01@openssh.com",
                    Some(HashAlg::Sha256) => "rsa-sha2-256-cert-v01@openssh.com",
                    _ => "ssh-rsa-cert-v01@openssh.com",
                };
                name.to_owned()
            }
            (algorithm, true) => algorithm.to_certificate_type(),
            (algorithm, false) => algorithm.as_str().to_owned(),
        };
        self.0.contains(&name.as_str())
    }

    /// The hash for RSA's signatures that both sides take, `None` for SHA-1. `server`: the best it
    /// said it knows.
    pub(super) fn rsa_hash(
        &self,
        server: Option<HashAlg>,
        certificate: bool,
    ) -> Result<Option<HashAlg>, RuledOut> {
        // Servers before RFC 8308 that know rsa-sha2 don't say so; trying is harmless.
        let order: &[Option<HashAlg>] = match server {
            Some(HashAlg::Sha512) => &[Some(HashAlg::Sha512), Some(HashAlg::Sha256), None],
            Some(_) => &[Some(HashAlg::Sha256), None],
            None => &[None, Some(HashAlg::Sha256), Some(HashAlg::Sha512)],
        };
        order
            .iter()
            .copied()
            .find(|hash| self.takes(&Algorithm::Rsa { hash: *hash }, certificate))
            .ok_or(RuledOut)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::options;
    use super::*;

    fn accepted(list: &str) -> Accepted {
        let options = SshOptions {
            algorithms: crate::target::Algorithms {
                pubkey_accepted: Some(list.to_owned()),
                ..Default::default()
            },
            ..options()
        };
        Accepted::of(&options).unwrap()
    }

    #[test]
    fn lists_filter_keys_and_hashes() {
        let usual = Accepted::of(&options()).unwrap();
        assert!(usual.takes(&Algorithm::Ed25519, false) && usual.takes(&Algorithm::Ed25519, true));
        assert_eq!(usual.rsa_hash(None, false), Ok(Some(HashAlg::Sha256)));
        assert_eq!(accepted("+ssh-rsa").rsa_hash(None, false), Ok(None));
        let best = Some(HashAlg::Sha512);
        assert_eq!(accepted("+ssh-rsa").rsa_hash(best, false), Ok(best));
        assert_eq!(
            accepted("-rsa-sha2-512*").rsa_hash(best, true),
            Ok(Some(HashAlg::Sha256))
        );
        let few = accepted("ssh-ed25519,nonsense");
        assert!(few.takes(&Algorithm::Ed25519, false) && !few.takes(&Algorithm::Ed25519, true));
        assert_eq!(few.rsa_hash(best, false), Err(RuledOut));
        assert!(accepted("*ed25519*").takes(&Algorithm::SkEd25519, false));
    }
}
