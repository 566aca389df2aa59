//! Logging in, in OpenSSH's order: keys of the agent that are configured, other keys of the agent,
//! key files; then keyboard-interactive and password. Says what was tried when nothing worked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};

use super::agent::{Agent, Identity};
use super::client::{Client, End, Seen};
use super::keys::{KeyFile, Keys, LoadedKey, public_half};
use crate::event::{ErrorKind, HostError};
use crate::target::SshTarget;

/// The methods in OpenSSH's default order, as far as we have them.
const METHODS: &[&str] = &["publickey", "keyboard-interactive", "password"];

/// So many methods a server may want one after the other.
const STEPS_MAX: u32 = 8;

/// After so many refusals a server may hang up on us.
const MANY: usize = 3;

/// One login under way.
pub(super) struct Login<'a> {
    pub(super) target: &'a SshTarget,
    pub(super) handle: &'a mut Handle<Client>,
    pub(super) seen: &'a Seen,
    keys: &'a Keys,
    agent: Option<Arc<Agent>>,
    signing: Signing,
    /// What the server still takes; `None` until it said so.
    offered: Option<MethodSet>,
    pub(super) tried: Vec<String>,
    /// Whether the secret was sent since the last step: one that was refused is never sent again,
    /// by whatever method, since each time counts where accounts are locked.
    pub(super) secret_sent: bool,
    pub(super) secrets_sent: u32,
}

/// Whether an agent is being waited for: it, not the host, is to blame for that time.
#[derive(Clone, Default)]
pub(super) struct Signing(Arc<AtomicBool>);

impl Signing {
    pub(super) fn is_waiting(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How one attempt went.
pub(super) enum Attempt {
    In,
    Next,
    /// Accepted, but the server wants another method as well.
    Further,
    /// The session ended.
    Over,
}

impl<'a> Login<'a> {
    pub(super) fn new(
        target: &'a SshTarget,
        handle: &'a mut Handle<Client>,
        seen: &'a Seen,
        keys: &'a Keys,
        agent: Option<Arc<Agent>>,
        signing: Signing,
    ) -> Self {
        Self {
            target,
            handle,
            seen,
            keys,
            agent,
            signing,
            offered: None,
            tried: Vec::new(),
            secret_sent: false,
            secrets_sent: 0,
        }
    }

    /// Logs in or says why not.
    pub(super) async fn run(mut self) -> Result<(), HostError> {
        let preferred = &self.target.options.preferred_authentications;
        let methods: Vec<String> = if preferred.is_empty() {
            METHODS.iter().map(|method| (*method).to_owned()).collect()
        } else {
            preferred.clone()
        };
        // `AuthenticationMethods publickey,password`: after each step the list starts again.
        let mut steps = 0;
        let mut next = 0;
        while let Some(method) = methods.get(next) {
            next += 1;
            match self.method(method).await {
                Attempt::In => return Ok(()),
                Attempt::Over => return Err(self.ended().await),
                Attempt::Further if steps < STEPS_MAX => {
                    steps += 1;
                    next = 0;
                    self.secret_sent = false;
                }
                Attempt::Further | Attempt::Next => {}
            }
        }
        if self.tried.is_empty() {
            // An account without any check, or at least the list of what the server would take.
            let result = self.handle.authenticate_none(&self.target.user).await;
            match self.judge(result, "none") {
                Attempt::In => return Ok(()),
                Attempt::Over => return Err(self.ended().await),
                Attempt::Further | Attempt::Next => {}
            }
        }
        Err(self.denied(None))
    }

    async fn method(&mut self, method: &str) -> Attempt {
        match method {
            "publickey" if self.takes(MethodKind::PublicKey) => self.public_keys().await,
            "keyboard-interactive" if self.takes(MethodKind::KeyboardInteractive) => {
                self.keyboard_interactive().await
            }
            "password" if self.takes(MethodKind::Password) => self.password().await,
            _ => Attempt::Next,
        }
    }

    pub(super) fn takes(&self, method: MethodKind) -> bool {
        self.offered
            .as_ref()
            .is_none_or(|offered| offered.contains(&method))
    }

    pub(super) fn judge(
        &mut self,
        result: Result<AuthResult, russh::Error>,
        what: &str,
    ) -> Attempt {
        tracing::debug!(user = %self.target.user, what, ?result, "tried to log in");
        match result {
            Ok(AuthResult::Success) => Attempt::In,
            Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            }) => {
                // Nothing left: the server said so, or russh has no more of it to tell.
                if remaining_methods.is_empty() {
                    return Attempt::Over;
                }
                self.offered = Some(remaining_methods);
                if partial_success {
                    return Attempt::Further;
                }
                self.tried.push(what.to_owned());
                Attempt::Next
            }
            Err(error) => {
                self.tried.push(format!("{what} ({error})"));
                if self.handle.is_closed() {
                    Attempt::Over
                } else {
                    Attempt::Next
                }
            }
        }
    }

    /// The session ended before we were in: the server refused us, or the line was cut.
    async fn ended(&self) -> HostError {
        // The reason may come a moment after the end.
        for _ in 0..20 {
            if self.seen.end().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        match self.seen.end() {
            // Some servers hang up without a word after too many attempts: trying again what was
            // refused, or a password that may be wrong, would lock accounts.
            Some(End::Cut(why)) if self.secrets_sent == 0 && self.tried.len() < MANY => {
                HostError::new(
                    ErrorKind::Reset,
                    format!(
                        "{}:{}: the connection was cut while logging in: {why}",
                        self.target.address, self.target.port
                    ),
                )
            }
            Some(End::Said(why)) if !why.is_empty() => self.denied(Some(&why)),
            _ => self.denied(Some("the server hung up")),
        }
    }

    async fn public_keys(&mut self) -> Attempt {
        let options = self.target.options.clone();
        let agent = self.agent.clone();
        // Public halves of the configured keys, to find them in the agent.
        let halves: Vec<(usize, PublicKey)> = match &agent {
            None => Vec::new(),
            Some(_) => options
                .identity_files
                .iter()
                .enumerate()
                .filter_map(|(index, file)| Some((index, public_half(file)?)))
                .collect(),
        };
        let mut held = vec![false; options.identity_files.len()];
        if let Some(agent) = &agent {
            let configured = |identity: &Identity| {
                halves
                    .iter()
                    .find(|(_, half)| same_key(identity, half))
                    .map(|(index, _)| *index)
            };
            let mut order: Vec<(Option<usize>, &Identity)> = agent
                .identities()
                .iter()
                .map(|identity| (configured(identity), identity))
                .collect();
            order.sort_by_key(|(index, _)| index.unwrap_or(usize::MAX));
            for (index, identity) in order {
                match index {
                    Some(index) => {
                        if let Some(held) = held.get_mut(index) {
                            *held = true;
                        }
                    }
                    None if options.identities_only => continue,
                    None => {}
                }
                match self.agent_key(agent, identity).await {
                    Attempt::Next if self.takes(MethodKind::PublicKey) => {}
                    done => return done,
                }
            }
        }
        for (file, held) in options.identity_files.iter().zip(held) {
            if held {
                continue;
            }
            let what = file.display().to_string();
            match self.keys.get(file).await {
                KeyFile::Absent => {
                    if options.identities_named {
                        self.tried.push(format!("{what} (no such file)"));
                    }
                }
                KeyFile::Unusable(why) => self.tried.push(why.to_string()),
                KeyFile::Ready(key) => match self.file_key(&key, &what).await {
                    Attempt::Next if self.takes(MethodKind::PublicKey) => {}
                    done => return done,
                },
            }
        }
        Attempt::Next
    }

    async fn file_key(&mut self, key: &LoadedKey, what: &str) -> Attempt {
        if let Some(certificate) = self.certificate_for(key) {
            let user = self.target.user.clone();
            let result = self
                .handle
                .authenticate_openssh_cert(user, key.key.clone(), certificate)
                .await;
            match self.judge(result, &format!("certificate of {what}")) {
                Attempt::Next => {}
                done => return done,
            }
        }
        let hash = match self.rsa_hash(&key.key.algorithm()).await {
            Ok(hash) => hash,
            Err(attempt) => return attempt,
        };
        let key = PrivateKeyWithHashAlg::new(key.key.clone(), hash);
        let result = self
            .handle
            .authenticate_publickey(&self.target.user, key)
            .await;
        self.judge(result, what)
    }

    /// The certificate beside a key, or among `CertificateFile`s.
    fn certificate_for(&self, key: &LoadedKey) -> Option<russh::keys::Certificate> {
        if let Some(certificate) = &key.certificate {
            return Some(certificate.as_ref().clone());
        }
        let data = key.key.public_key().key_data().clone();
        self.target
            .options
            .certificate_files
            .iter()
            .filter_map(|file| russh::keys::load_openssh_certificate(file).ok())
            .find(|certificate| *certificate.public_key() == data)
    }

    async fn agent_key(&mut self, agent: &Arc<Agent>, identity: &Identity) -> Attempt {
        let algorithm = match identity {
            Identity::Key(key) => key.algorithm(),
            Identity::Certificate(certificate) => certificate.algorithm(),
        };
        let hash = match self.rsa_hash(&algorithm).await {
            Ok(hash) => hash,
            Err(attempt) => return attempt,
        };
        let mut signer = AgentSigner {
            agent: agent.clone(),
            identity: identity.clone(),
            signing: self.signing.clone(),
        };
        let user = self.target.user.clone();
        let (result, what) = match identity {
            Identity::Key(key) => (
                self.handle
                    .authenticate_publickey_with(user, key.clone(), hash, &mut signer)
                    .await,
                format!(
                    "agent's {} {}",
                    key.algorithm(),
                    key.fingerprint(HashAlg::Sha256)
                ),
            ),
            Identity::Certificate(certificate) => (
                self.handle
                    .authenticate_certificate_with(
                        user,
                        certificate.as_ref().clone(),
                        hash,
                        &mut signer,
                    )
                    .await,
                format!("agent's certificate {}", certificate.key_id()),
            ),
        };
        self.judge(result.map_err(|SignError(error)| error), &what)
    }

    /// The hash for an RSA key's signatures; SHA-1 only for `legacy_crypto`.
    async fn rsa_hash(&self, algorithm: &Algorithm) -> Result<Option<HashAlg>, Attempt> {
        if !matches!(algorithm, Algorithm::Rsa { .. }) {
            return Ok(None);
        }
        match self.handle.best_supported_rsa_hash().await {
            Ok(Some(Some(hash))) => Ok(Some(hash)),
            Ok(_) if self.target.options.legacy_crypto => Ok(None),
            // Servers before RFC 8308 that know rsa-sha2 don't say so; trying is harmless.
            Ok(_) => Ok(Some(HashAlg::Sha256)),
            Err(_) => Err(Attempt::Over),
        }
    }

    /// `last`: the server's last words, where it hung up.
    fn denied(&self, last: Option<&str>) -> HostError {
        let user = &self.target.user;
        let tried = if self.tried.is_empty() {
            "there was no key and no password to try".to_owned()
        } else {
            format!("tried {}", self.tried.join(", "))
        };
        let offered = self.offered.as_ref().map_or_else(String::new, |offered| {
            let names: Vec<&str> = offered.iter().map(Into::into).collect();
            format!("; the server takes {}", names.join(", "))
        });
        let said = last.map_or_else(String::new, |last| format!("; {last}"));
        let error = HostError::new(
            ErrorKind::AuthDenied,
            format!("login as {user} refused: {tried}{offered}{said}"),
        );
        if last.is_some() && self.tried.len() >= MANY {
            return error.hint(
                "the server hung up after several attempts: name the right key and set IdentitiesOnly",
            );
        }
        error
    }
}

fn same_key(identity: &Identity, half: &PublicKey) -> bool {
    match identity {
        Identity::Key(key) => key.key_data() == half.key_data(),
        Identity::Certificate(certificate) => certificate.public_key() == half.key_data(),
    }
}

/// Lets the agent sign russh's requests.
struct AgentSigner {
    agent: Arc<Agent>,
    identity: Identity,
    signing: Signing,
}

/// An error of signing, in russh's shape.
struct SignError(russh::Error);

impl From<russh::SendError> for SignError {
    fn from(_: russh::SendError) -> Self {
        Self(russh::Error::SendError)
    }
}

impl russh::Signer for AgentSigner {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _key: &russh::keys::agent::AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        self.signing.0.store(true, Ordering::Relaxed);
        let signature = self.agent.sign(&self.identity, hash, &to_sign).await;
        self.signing.0.store(false, Ordering::Relaxed);
        let signature = signature.map_err(|error| SignError(russh::Error::IO(error)))?;
        let length = u32::try_from(signature.len()).unwrap_or(u32::MAX);
        to_sign.extend_from_slice(&length.to_be_bytes());
        to_sign.extend_from_slice(&signature);
        Ok(to_sign)
    }
}
