//! From a target to a logged-in connection: the way there (TCP, `ProxyCommand`, bastions), the key
//! exchange, the login; and what went wrong in the words of the closed list of kinds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use russh::client;
use tokio::time::{Instant, timeout_at};

use super::agents::Agents;
use super::algorithms::{self, same_type};
use super::auth::{Login, Signing};
use super::bastions::{Bastion, Bastions};
use super::channel::SshConnection;
use super::client::{Client, Judge, Seen};
use super::failure::{explain, not_ssh, timed_out};
use super::keys::Keys;
use super::known_hosts::HostKeys;
use super::stream::{Carrier, Listened, ProxyProcess, proxy_command};
use super::tcp::tcp;
use crate::base::prompt::Prompt;
use crate::event::{ErrorKind, HostError, Timings};
use crate::target::{SshOptions, SshTarget, Target, Via};
use crate::transport::types::{Connection, Transport};

/// SSH for one run.
pub struct Ssh(Arc<Core>);

/// What all SSH connections of a run share.
pub(super) struct Core {
    keys: Keys,
    host_keys: Arc<HostKeys>,
    agents: Agents,
    configs: Mutex<HashMap<ConfigKey, Arc<client::Config>>>,
    bastions: Bastions,
    post_quantum: bool,
}

/// Until when a host may take to let us in.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    /// How long the user had been asked when it was set.
    asked: Duration,
}

/// A session before login.
pub(super) struct Session {
    handle: client::Handle<Client>,
    seen: Arc<Seen>,
}

/// What a russh configuration depends on.
#[derive(PartialEq, Eq, Hash)]
struct ConfigKey {
    options: Arc<SshOptions>,
    on_record: Vec<russh::keys::Algorithm>,
    only: bool,
    certificates: bool,
}

impl Ssh {
    /// For one run. `post_quantum`: offer ML-KEM, which costs about 0.45 ms of CPU a host.
    pub fn new(prompt: Arc<dyn Prompt>, host_keys: Arc<HostKeys>, post_quantum: bool) -> Self {
        Self(Arc::new(Core {
            keys: Keys::new(prompt),
            host_keys,
            agents: Agents::default(),
            configs: Mutex::default(),
            bastions: Bastions::default(),
            post_quantum,
        }))
    }

    /// The known hosts of this run, with what was learnt.
    pub fn host_keys(&self) -> &Arc<HostKeys> {
        &self.0.host_keys
    }

    /// The bastions that were gone through with their host keys unchecked, as `address:port`: to be
    /// said beside the hosts of which that is so.
    pub fn unchecked_bastions(&self) -> Vec<String> {
        self.0.bastions.unchecked()
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.0
    }
}

impl Core {
    /// Connects and logs in, within the target's connect time-out.
    pub(super) async fn open(
        self: &Arc<Self>,
        target: &Arc<SshTarget>,
    ) -> Result<SshConnection, HostError> {
        let way = self.way(target).await?;
        let limit = target.options.connect_timeout;
        let deadline = self.deadline(limit);
        let began = Instant::now();
        let Session { mut handle, seen } = self.session(target, way, deadline).await?;
        let connected = Instant::now();
        let signing = Signing::default();
        let login = async {
            let agent = self.agents.get(&target.options).await;
            Login::new(
                target,
                &mut handle,
                &seen,
                &self.keys,
                agent,
                signing.clone(),
            )
            .run()
            .await
        };
        match self.within(deadline, login).await {
            Some(done) => done?,
            None if signing.is_waiting() => {
                return Err(timed_out(target, limit, "the ssh-agent was to sign"));
            }
            None => return Err(timed_out(target, limit, "logging in")),
        }
        let timings = Timings {
            connect: connected - began,
            auth: connected.elapsed(),
        };
        Ok(SshConnection::new(handle, timings))
    }

    /// So long from now; zero is no limit.
    pub(super) fn deadline(&self, limit: Duration) -> Deadline {
        Deadline {
            at: Instant::now() + no_limit_if_zero(limit),
            asked: self.keys.asked(),
        }
    }

    /// Waits until the deadline, which the time for which the user is being asked puts off.
    async fn within<T>(&self, deadline: Deadline, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            let at = deadline.at + self.keys.asked().saturating_sub(deadline.asked);
            if let Ok(done) = timeout_at(at, &mut work).await {
                return Some(done);
            }
            if deadline.at + self.keys.asked().saturating_sub(deadline.asked) <= Instant::now() {
                return None;
            }
        }
    }

    fn judge(&self) -> Judge {
        Judge::HostKeys(self.host_keys.clone())
    }

    /// A session before login.
    async fn session(
        &self,
        target: &Arc<SshTarget>,
        way: Option<Bastion>,
        deadline: Deadline,
    ) -> Result<Session, HostError> {
        let seen = Arc::<Seen>::default();
        let config = self.config(target, None)?;
        let first = self
            .session_with(
                target,
                way.as_ref(),
                self.judge(),
                config,
                seen.clone(),
                deadline,
            )
            .await;
        let types = seen.other_types();
        if types.is_empty() {
            return first;
        }
        // With hashed names the types on record are only known once a key was shown: a host that
        // has a key of one of them must get the chance to show it.
        let config = self.config(target, Some(&types))?;
        let again = self
            .session_with(
                target,
                way.as_ref(),
                self.judge(),
                config,
                Arc::default(),
                deadline,
            )
            .await;
        match again {
            Err(error) if error.kind == ErrorKind::Protocol => first,
            again => again,
        }
    }

    /// The same with a judge and a configuration of the caller's.
    pub(super) async fn session_with(
        &self,
        target: &Arc<SshTarget>,
        way: Option<&Bastion>,
        judge: Judge,
        config: Arc<client::Config>,
        seen: Arc<Seen>,
        deadline: Deadline,
    ) -> Result<Session, HostError> {
        let limit = target.options.connect_timeout;
        let (carrier, process) = match (self.within(deadline, dial(target, way)).await, way) {
            (Some(carrier), _) => carrier?,
            (None, None) => return Err(timed_out(target, limit, "connecting")),
            (None, Some(bastion)) => {
                self.bastions.doubt(bastion).await;
                let doing = format!("connecting through the bastion {}", bastion.place());
                return Err(timed_out(target, limit, &doing));
            }
        };
        let (stream, heard) = Listened::new(carrier);
        let client = Client {
            target: target.clone(),
            judge,
            seen: seen.clone(),
        };
        let connecting = client::connect_stream(config, stream, client);
        match self.within(deadline, connecting).await {
            Some(Ok(handle)) => Ok(Session { handle, seen }),
            Some(Err(error)) => {
                // A command that can't work is not worth trying again, as a line that was cut is.
                if let (Some(process), true) = (process, heard.bytes().is_empty())
                    && let Some(status) = process.ended().await
                {
                    return Err(proxy_failed(
                        target,
                        format!("ended ({status}) before the host said anything"),
                    ));
                }
                Err(explain(target, error, &heard.bytes()))
            }
            None => match not_ssh(target, &heard.bytes()) {
                Some(error) => Err(error),
                None => Err(timed_out(target, limit, "waiting for its SSH server")),
            },
        }
    }

    /// The bastion before a host, if there is one. It has a time-out of its own, which is not the
    /// host's to spend.
    pub(super) async fn way(
        self: &Arc<Self>,
        target: &SshTarget,
    ) -> Result<Option<Bastion>, HostError> {
        self.bastions.way(self, target).await
    }

    /// A russh configuration, shared by all targets it is the same for. `only` asks for these types
    /// of host keys and no others.
    pub(super) fn config(
        &self,
        target: &SshTarget,
        only: Option<&[russh::keys::Algorithm]>,
    ) -> Result<Arc<client::Config>, HostError> {
        let on_record = match only {
            Some(only) => only.to_vec(),
            None => self.host_keys.types_on_record(target),
        };
        let certificates = only.is_none() && self.host_keys.has_authority(target);
        let key = ConfigKey {
            options: target.options.clone(),
            on_record,
            only: only.is_some(),
            certificates,
        };
        if let Ok(configs) = self.configs.lock()
            && let Some(config) = configs.get(&key)
        {
            return Ok(config.clone());
        }
        let mut preferred = algorithms::preferred(&target.options)?;
        if !self.post_quantum && target.options.algorithms.kex.is_none() {
            preferred
                .kex
                .to_mut()
                .retain(|name| *name != russh::kex::MLKEM768X25519_SHA256);
        }
        let of_type = |algorithm: &russh::keys::Algorithm| {
            key.on_record
                .iter()
                .any(|known| same_type(known, algorithm))
        };
        if only.is_some() {
            preferred.key.to_mut().retain(of_type);
        } else {
            // A host of which one type of key is known must not show another.
            preferred
                .key
                .to_mut()
                .sort_by_key(|algorithm| !of_type(algorithm));
        }
        if certificates {
            preferred.host_key_certificates.clone_from(&preferred.key);
        }
        let options = &target.options;
        let config = Arc::new(client::Config {
            preferred,
            nodelay: true,
            // Idle sessions were seen to die at the hourly exchange of keys; the volume limit stays.
            limits: russh::Limits {
                rekey_time_limit: Duration::from_hours(24),
                ..Default::default()
            },
            keepalive_interval: (!options.keepalive.is_zero()).then_some(options.keepalive),
            keepalive_max: options.keepalive_max as usize,
            inactivity_timeout: None,
            // What a host may send before it hears that we have read it; told anew at the half. With 2 MiB
            // downloads at 50 ms take 1.6 times as long as scp's, with 4 0.8 times. Nothing is allocated
            // for it: what nobody reads yet waits with the host's kernel or ours.
            window_size: 4 << 20,
            // Packets that wait for a slow reader: 500 hosts that print all they can must fit.
            channel_buffer_size: 6,
            ..Default::default()
        });
        if let Ok(mut configs) = self.configs.lock() {
            configs.insert(key, config.clone());
        }
        Ok(config)
    }
}

/// The bytes to the host, and the process that carries them, where one does.
async fn dial(
    target: &SshTarget,
    way: Option<&Bastion>,
) -> Result<(Box<dyn Carrier>, Option<ProxyProcess>), HostError> {
    if let Some(command) = &target.proxy_command {
        let stream = proxy_command(command).map_err(|error| proxy_failed(target, error))?;
        let process = stream.process();
        return Ok((Box::new(stream), Some(process)));
    }
    let carrier = match way {
        Some(bastion) => bastion.forward(&target.address, target.port).await?,
        None => Box::new(tcp(target).await?),
    };
    Ok((carrier, None))
}

fn proxy_failed(target: &SshTarget, why: impl std::fmt::Display) -> HostError {
    let command = target.proxy_command.as_deref().unwrap_or_default();
    HostError::new(ErrorKind::LocalIo, format!("ProxyCommand {command}: {why}"))
        .hint("run the command by hand; what it says of errors is on standard error")
}

fn no_limit_if_zero(limit: Duration) -> Duration {
    if limit.is_zero() {
        Duration::from_hours(24 * 365)
    } else {
        limit
    }
}

#[async_trait]
impl Transport for Ssh {
    async fn connect(&self, target: &Target) -> Result<Arc<dyn Connection>, HostError> {
        match &target.via {
            Via::Ssh(ssh) => Ok(Arc::new(self.0.open(ssh).await?)),
            Via::Winrm(_) | Via::Local => Err(HostError::new(
                ErrorKind::Arguments,
                "not a host behind SSH",
            )),
        }
    }
}
