//! Logging in, in OpenSSH's order: keys of the agent that are configured, other keys of the agent,
//! key files; then keyboard-interactive and password. Says what was tried when nothing worked.

use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};

use super::agent::{Agent, Identity};
use super::client::Client;
use super::keys::{KeyFile, Keys, LoadedKey, public_half};
use crate::event::{ErrorKind, HostError};
use crate::target::SshTarget;

/// The methods in OpenSSH's default order, as far as we have them.
const METHODS: &[&str] = &["publickey", "keyboard-interactive", "password"];

/// One login under way.
pub(super) struct Login<'a> {
    pub(super) target: &'a SshTarget,
    pub(super) handle: &'a mut Handle<Client>,
    pub(super) keys: &'a Keys,
    pub(super) agent: Option<Arc<Agent>>,
    /// What the server still takes; `None` until it said so.
    pub(super) offered: Option<MethodSet>,
    pub(super) tried: Vec<String>,
}

/// How one attempt went.
enum Attempt {
    In,
    Next,
    /// The server hung up.
    Over,
}

impl Login<'_> {
    /// Logs in or says why not.
    pub(super) async fn run(mut self) -> Result<(), HostError> {
        let preferred = &self.target.options.preferred_authentications;
        let methods: Vec<String> = if preferred.is_empty() {
            METHODS.iter().map(|method| (*method).to_owned()).collect()
        } else {
            preferred.clone()
        };
        for method in &methods {
            let attempt = match method.as_str() {
                "publickey" if self.takes(MethodKind::PublicKey) => self.public_keys().await,
                "keyboard-interactive" if self.takes(MethodKind::KeyboardInteractive) => {
                    self.keyboard_interactive().await
                }
                "password" if self.takes(MethodKind::Password) => self.password().await,
                _ => Attempt::Next,
            };
            match attempt {
                Attempt::In => return Ok(()),
                Attempt::Over => return Err(self.denied(true)),
                Attempt::Next => {}
            }
        }
        if self.tried.is_empty() {
            // An account without any check, or at least the list of what the server would take.
            let result = self.handle.authenticate_none(&self.target.user).await;
            if matches!(self.judge(result, "none"), Attempt::In) {
                return Ok(());
            }
        }
        Err(self.denied(false))
    }

    fn takes(&self, method: MethodKind) -> bool {
        self.offered
            .as_ref()
            .is_none_or(|offered| offered.contains(&method))
    }

    fn judge(&mut self, result: Result<AuthResult, russh::Error>, what: &str) -> Attempt {
        tracing::debug!(user = %self.target.user, what, ?result, "tried to log in");
        match result {
            Ok(AuthResult::Success) => Attempt::In,
            Ok(AuthResult::Failure {
                remaining_methods, ..
            }) => {
                if remaining_methods.is_empty() && self.handle.is_closed() {
                    return Attempt::Over;
                }
                self.offered = Some(remaining_methods);
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

    async fn keyboard_interactive(&mut self) -> Attempt {
        let Some(password) = self.target.password.clone() else {
            return Attempt::Next;
        };
        let what = "keyboard-interactive";
        let user = self.target.user.clone();
        let mut response = self
            .handle
            .authenticate_keyboard_interactive_start(user, None)
            .await;
        // A server may send rounds without questions; one that never ends is cut off.
        for _ in 0..8 {
            let answers = match response {
                Ok(KeyboardInteractiveAuthResponse::Success) => return Attempt::In,
                Ok(KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                }) => {
                    let failure = AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    };
                    return self.judge(Ok(failure), what);
                }
                Ok(KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. }) => prompts
                    .iter()
                    // A hidden question is the password's; what else is asked can't be answered.
                    .map(|prompt| {
                        if prompt.echo {
                            String::new()
                        } else {
                            password.expose().to_owned()
                        }
                    })
                    .collect(),
                Err(error) => return self.judge(Err(error), what),
            };
            response = self
                .handle
                .authenticate_keyboard_interactive_respond(answers)
                .await;
        }
        Attempt::Next
    }

    async fn password(&mut self) -> Attempt {
        let Some(password) = self.target.password.clone() else {
            return Attempt::Next;
        };
        let result = self
            .handle
            .authenticate_password(&self.target.user, password.expose())
            .await;
        self.judge(result, "password")
    }

    fn denied(&self, hung_up: bool) -> HostError {
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
        let error = HostError::new(
            ErrorKind::AuthDenied,
            format!("login as {user} refused: {tried}{offered}"),
        );
        if hung_up {
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
        let signature = self
            .agent
            .sign(&self.identity, hash, &to_sign)
            .await
            .map_err(|error| SignError(russh::Error::IO(error)))?;
        let length = u32::try_from(signature.len()).unwrap_or(u32::MAX);
        to_sign.extend_from_slice(&length.to_be_bytes());
        to_sign.extend_from_slice(&signature);
        Ok(to_sign)
    }
}
