//! Logging in, in OpenSSH's order: keys, then keyboard-interactive and password. Says what was tried
//! when nothing worked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::{MethodKind, MethodSet};

use super::accepted::Accepted;
use super::agent::Agent;
use super::client::{Client, End, Seen};
use super::keys::Keys;
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
    pub(super) keys: &'a Keys,
    pub(super) agent: Option<Arc<Agent>>,
    pub(super) signing: Signing,
    pub(super) accepted: Accepted,
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
pub(super) struct Signing(pub(super) Arc<AtomicBool>);

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
            accepted: Accepted::default(),
            offered: None,
            tried: Vec::new(),
            secret_sent: false,
            secrets_sent: 0,
        }
    }

    /// Logs in or says why not.
    pub(super) async fn run(mut self) -> Result<(), HostError> {
        self.accepted = Accepted::of(&self.target.options)?;
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
