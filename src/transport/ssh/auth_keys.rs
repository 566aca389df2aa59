//! Logging in by keys and certificates, in OpenSSH's order: certificates of files, what the agent
//! holds of the configured keys, its other keys, keys of files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use russh::MethodKind;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode as _;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};

use super::accepted::RuledOut;
use super::agent::{Agent, Identity};
use super::auth::{Attempt, Login, Signing};
use super::halves::Half;
use super::keys::{KeyFile, Keys};

/// Who signs.
enum Hand<'a> {
    Agent {
        agent: Arc<Agent>,
        identity: Identity,
        signing: Signing,
    },
    /// Decrypted when the server wants the signature, not before.
    File { keys: &'a Keys, path: PathBuf },
}

impl<'a> Login<'a> {
    pub(super) async fn public_keys(&mut self) -> Attempt {
        let options = self.target.options.clone();
        let halves: Vec<(PathBuf, Arc<Half>)> = options
            .identity_files
            .iter()
            .map(|file| (file.clone(), self.keys.halves().get(file)))
            .collect();
        let agent = self.agent.clone();
        let identities: Vec<Identity> = agent
            .as_ref()
            .map(|agent| agent.identities().to_vec())
            .unwrap_or_default();

        let shown = self.certificates_on_disk(&halves);
        for certificate in &shown {
            let hand = self.hand_for(certificate.public_key(), &identities, &halves);
            let Some((hand, whose)) = hand else { continue };
            let what = format!("certificate {} of {whose}", certificate.key_id());
            match self.show_certificate(certificate, hand, &what).await {
                Attempt::Next if self.takes(MethodKind::PublicKey) => {}
                done => return done,
            }
        }

        if let Some(agent) = &agent {
            let configured = |identity: &Identity| {
                halves
                    .iter()
                    .position(|(_, half)| half.key.as_ref().is_some_and(|key| is_of(identity, key)))
            };
            let mut order: Vec<(Option<usize>, &Identity)> = identities
                .iter()
                .map(|identity| (configured(identity), identity))
                .filter(|(index, _)| index.is_some() || !options.identities_only)
                .collect();
            order.sort_by_key(|(index, identity)| {
                let plain = matches!(identity, Identity::Key(_));
                (index.unwrap_or(usize::MAX), plain)
            });
            for (_, identity) in order {
                if let Identity::Certificate(certificate) = identity
                    && shown.iter().any(|shown| **shown == **certificate)
                {
                    continue;
                }
                match self.agent_key(agent, identity).await {
                    Attempt::Next if self.takes(MethodKind::PublicKey) => {}
                    done => return done,
                }
            }
        }

        for (file, half) in &halves {
            let held = |key: &PublicKey| identities.iter().any(|identity| is_of(identity, key));
            if half.key.as_ref().is_some_and(held) {
                continue;
            }
            match self.file_key(file, half).await {
                Attempt::Next if self.takes(MethodKind::PublicKey) => {}
                done => return done,
            }
        }
        Attempt::Next
    }

    /// `KEY-cert.pub` of each key and the `CertificateFile`s, each once.
    fn certificates_on_disk(&self, halves: &[(PathBuf, Arc<Half>)]) -> Vec<Arc<Certificate>> {
        let files = &self.target.options.certificate_files;
        let beside = halves
            .iter()
            .filter_map(|(_, half)| half.certificate.clone().map(Arc::new));
        let mut found: Vec<Arc<Certificate>> = Vec::new();
        for certificate in files
            .iter()
            .filter_map(|file| self.keys.halves().certificate(file))
            .chain(beside)
        {
            if !found.contains(&certificate) {
                found.push(certificate);
            }
        }
        found
    }

    /// Who can sign for a certificate: the agent, or the file of its key.
    fn hand_for(
        &self,
        key: &KeyData,
        identities: &[Identity],
        halves: &[(PathBuf, Arc<Half>)],
    ) -> Option<(Hand<'a>, String)> {
        let held = identities
            .iter()
            .find(|identity| matches!(identity, Identity::Key(held) if held.key_data() == key));
        if let (Some(agent), Some(identity)) = (&self.agent, held) {
            let hand = self.agents_hand(agent, identity);
            return Some((hand, "an agent's key".to_owned()));
        }
        let (path, _) = halves.iter().find(|(path, half)| {
            let own = half.key.as_ref().map(PublicKey::key_data);
            let shown = half.certificate.as_ref().map(Certificate::public_key);
            !half.public_only && own.or(shown) == Some(key) && path.exists()
        })?;
        let hand = Hand::File {
            keys: self.keys,
            path: path.clone(),
        };
        Some((hand, path.display().to_string()))
    }

    fn agents_hand(&self, agent: &Arc<Agent>, identity: &Identity) -> Hand<'a> {
        Hand::Agent {
            agent: agent.clone(),
            identity: identity.clone(),
            signing: self.signing.clone(),
        }
    }

    async fn show_certificate(
        &mut self,
        certificate: &Certificate,
        mut hand: Hand<'_>,
        what: &str,
    ) -> Attempt {
        let hash = match self.hash(&certificate.algorithm(), true, what).await {
            Ok(hash) => hash,
            Err(attempt) => return attempt,
        };
        let user = self.target.user.clone();
        let result = self
            .handle
            .authenticate_certificate_with(user, certificate.clone(), hash, &mut hand)
            .await;
        self.judge(result.map_err(|SignError(error)| error), what)
    }

    async fn agent_key(&mut self, agent: &Arc<Agent>, identity: &Identity) -> Attempt {
        let mut hand = self.agents_hand(agent, identity);
        let key = match identity {
            Identity::Key(key) => key,
            Identity::Certificate(certificate) => {
                let what = format!("agent's certificate {}", certificate.key_id());
                return self.show_certificate(certificate, hand, &what).await;
            }
        };
        let fingerprint = key.fingerprint(HashAlg::Sha256);
        let what = format!("agent's {} {fingerprint}", key.algorithm());
        let hash = match self.hash(&key.algorithm(), false, &what).await {
            Ok(hash) => hash,
            Err(attempt) => return attempt,
        };
        let user = self.target.user.clone();
        let result = self
            .handle
            .authenticate_publickey_with(user, key.clone(), hash, &mut hand)
            .await;
        self.judge(result.map_err(|SignError(error)| error), &what)
    }

    async fn file_key(&mut self, file: &Path, half: &Half) -> Attempt {
        let what = file.display().to_string();
        if half.public_only {
            self.tried
                .push(format!("{what} (a public key, and no agent holds it)"));
            return Attempt::Next;
        }
        let key = match self.keys.get(file).await {
            KeyFile::Ready(key) => key,
            KeyFile::Absent => {
                if self.target.options.identities_named {
                    self.tried.push(format!("{what} (no such file)"));
                }
                return Attempt::Next;
            }
            KeyFile::Unusable(why) => {
                self.tried.push(why.to_string());
                return Attempt::Next;
            }
        };
        let hash = match self.hash(&key.algorithm(), false, &what).await {
            Ok(hash) => hash,
            Err(attempt) => return attempt,
        };
        let key = PrivateKeyWithHashAlg::new(key, hash);
        let result = self
            .handle
            .authenticate_publickey(&self.target.user, key)
            .await;
        self.judge(result, &what)
    }

    /// The hash for an RSA key's signatures, `None` for other keys; or why the key can't be tried.
    async fn hash(
        &mut self,
        algorithm: &Algorithm,
        certificate: bool,
        what: &str,
    ) -> Result<Option<HashAlg>, Attempt> {
        let hash = if matches!(algorithm, Algorithm::Rsa { .. }) {
            let Ok(server) = self.handle.best_supported_rsa_hash().await else {
                return Err(Attempt::Over);
            };
            self.accepted.rsa_hash(server.flatten(), certificate)
        } else if self.accepted.takes(algorithm, certificate) {
            Ok(None)
        } else {
            Err(RuledOut)
        };
        hash.map_err(|RuledOut| {
            self.tried
                .push(format!("{what} (PubkeyAcceptedAlgorithms rules it out)"));
            Attempt::Next
        })
    }
}

/// Whether what an agent holds is this key or a certificate for it.
fn is_of(identity: &Identity, key: &PublicKey) -> bool {
    match identity {
        Identity::Key(held) => held.key_data() == key.key_data(),
        Identity::Certificate(certificate) => certificate.public_key() == key.key_data(),
    }
}

/// An error of signing, in russh's shape.
struct SignError(russh::Error);

impl From<russh::SendError> for SignError {
    fn from(_: russh::SendError) -> Self {
        Self(russh::Error::SendError)
    }
}

impl russh::Signer for Hand<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _key: &russh::keys::agent::AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let failed = |error| SignError(russh::Error::IO(error));
        let signature: Vec<u8> = match self {
            Hand::Agent {
                agent,
                identity,
                signing,
            } => {
                signing.0.store(true, Ordering::Relaxed);
                let signature = agent.sign(identity, hash, &to_sign).await;
                signing.0.store(false, Ordering::Relaxed);
                signature.map_err(failed)?.into()
            }
            Hand::File { keys, path } => match keys.get(path).await {
                KeyFile::Ready(key) => sign(&key, hash, &to_sign)
                    .map_err(std::io::Error::other)
                    .map_err(failed)?,
                KeyFile::Absent => return Err(failed(std::io::ErrorKind::NotFound.into())),
                KeyFile::Unusable(why) => {
                    return Err(failed(std::io::Error::other(why.to_string())));
                }
            },
        };
        let length = u32::try_from(signature.len()).unwrap_or(u32::MAX);
        to_sign.extend_from_slice(&length.to_be_bytes());
        to_sign.extend_from_slice(&signature);
        Ok(to_sign)
    }
}

/// A signature in SSH's form.
fn sign(
    key: &PrivateKey,
    hash: Option<HashAlg>,
    data: &[u8],
) -> Result<Vec<u8>, russh::keys::ssh_key::Error> {
    let signature = match key.key_data() {
        KeypairData::Rsa(pair) => (pair, hash).try_sign(data)?,
        pair => pair.try_sign(data)?,
    };
    Ok(signature.encode_vec()?)
}
