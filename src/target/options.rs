//! From settings of `ssh_config` to the types of a target.

use std::path::PathBuf;
use std::time::Duration;

use super::ssh_config::{Local, Setting, Settings, SshConfigError, Tokens};
use super::{Agent, Algorithms, HostKeyMode, SshOptions};

/// Where nothing is said of it, in place of ssh's "never": nobody sits before our sessions to
/// notice that a host is gone. Two minutes outlast a restart of a switch.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_MAX: u32 = 4;

/// Whom to reach and how.
pub(super) struct Reached {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) proxy_command: Option<String>,
    pub(super) hops: Vec<Hop>,
}

/// One host of `ProxyJump`.
pub(super) struct Hop {
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Reached {
    /// The tokens of this host.
    pub(super) fn tokens<'a>(
        &'a self,
        local: &'a Local,
        original: &'a str,
        settings: &'a Settings,
    ) -> Tokens<'a> {
        Tokens {
            local,
            original,
            host: &self.host,
            port: self.port,
            user: &self.user,
            jump: settings.text("ProxyJump").unwrap_or_default(),
            key_alias: settings.text("HostKeyAlias").unwrap_or(original),
        }
    }
}

/// A setting that is not `none`.
fn given<'a>(settings: &'a Settings, name: &str) -> Option<&'a Setting> {
    settings
        .get(name)
        .filter(|setting| !setting.first().eq_ignore_ascii_case("none"))
}

/// The address, port, user and way.
pub(super) fn address(
    settings: &Settings,
    name: &str,
    local: &Local,
) -> Result<Reached, SshConfigError> {
    let port = settings
        .number::<std::num::NonZeroU16>("Port")?
        .map_or(22, std::num::NonZeroU16::get);
    let mut reached = Reached {
        host: settings.host_name(name)?,
        port,
        user: settings.text("User").unwrap_or(&local.user).to_owned(),
        proxy_command: None,
        hops: Vec::new(),
    };
    let tokens = reached.tokens(local, name, settings);
    let command = given(settings, "ProxyCommand")
        .map(|setting| {
            tokens
                .expand(setting.first(), "hnprCLdijklu")
                .map_err(|message| setting.wrong(&message))
        })
        .transpose()?;
    let mut hops = Vec::new();
    if let Some(setting) = given(settings, "ProxyJump") {
        let chain = tokens
            .expand(setting.first(), "hnpr")
            .map_err(|message| setting.wrong(&message))?;
        for hop in chain.split(',') {
            hops.push(
                parse_hop(hop.trim())
                    .ok_or_else(|| setting.wrong("[user@]host[:port], several with commas"))?,
            );
        }
    }
    reached.proxy_command = command;
    reached.hops = hops;
    Ok(reached)
}

fn parse_hop(text: &str) -> Option<Hop> {
    let text = text.strip_prefix("ssh://").unwrap_or(text);
    let (user, rest) = text
        .rsplit_once('@')
        .map_or((None, text), |(user, rest)| (Some(user.to_owned()), rest));
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':')?)),
        None if rest.matches(':').count() > 1 => (rest, None),
        None => rest
            .split_once(':')
            .map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(str::parse).transpose().ok()?;
    (!host.is_empty()).then(|| Hop {
        user,
        host: host.to_owned(),
        port,
    })
}

/// What many hosts share.
pub(super) fn options(
    settings: &Settings,
    tokens: &Tokens<'_>,
    timeout: Duration,
    legacy_crypto: bool,
) -> Result<SshOptions, SshConfigError> {
    let path = |setting: &Setting, word: &str| {
        tokens
            .expand_path(word)
            .map_err(|message| setting.wrong(&message))
    };
    let gathered = |name: &str| -> Result<Vec<PathBuf>, SshConfigError> {
        settings
            .all(name)
            .filter(|setting| !setting.first().eq_ignore_ascii_case("none"))
            .map(|setting| path(setting, setting.first()))
            .collect()
    };
    let several = |name: &str, default: [&str; 2]| -> Result<Vec<PathBuf>, SshConfigError> {
        match settings.get(name) {
            None => Ok(default
                .iter()
                .map(|file| tokens.local.expand_home(file))
                .collect()),
            Some(setting) if setting.first().eq_ignore_ascii_case("none") => Ok(Vec::new()),
            Some(setting) => setting
                .words
                .iter()
                .map(|word| path(setting, word))
                .collect(),
        }
    };
    let named = settings.get("IdentityFile").is_some();
    let identity_files = if named {
        gathered("IdentityFile")?
    } else {
        ["id_rsa", "id_ecdsa", "id_ed25519"]
            .iter()
            .map(|file| tokens.local.home.join(".ssh").join(file))
            .collect()
    };
    let interval = settings.seconds("ServerAliveInterval")?;
    let list = |name: &str| settings.text(name).map(str::to_owned);
    Ok(SshOptions {
        identity_files,
        identities_named: named,
        identities_only: settings.flag("IdentitiesOnly")?.unwrap_or(false),
        certificate_files: gathered("CertificateFile")?,
        agent: agent(settings, tokens)?,
        host_key: host_key(settings)?,
        user_known_hosts: several(
            "UserKnownHostsFile",
            ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"],
        )?,
        global_known_hosts: several(
            "GlobalKnownHostsFile",
            ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"],
        )?,
        revoked_host_keys: given(settings, "RevokedHostKeys")
            .map(|setting| path(setting, setting.first()))
            .transpose()?,
        algorithms: Algorithms {
            kex: list("KexAlgorithms"),
            ciphers: list("Ciphers"),
            macs: list("MACs"),
            host_key: list("HostKeyAlgorithms"),
            pubkey_accepted: list("PubkeyAcceptedAlgorithms"),
        },
        preferred_authentications: authentications(settings)?,
        connect_timeout: settings
            .seconds("ConnectTimeout")?
            .map_or(timeout, Duration::from_secs),
        keepalive: interval.map_or(KEEPALIVE, Duration::from_secs),
        keepalive_max: settings
            .number("ServerAliveCountMax")?
            .unwrap_or(if interval.is_some() { 3 } else { KEEPALIVE_MAX }),
        legacy_crypto,
    })
}

fn agent(settings: &Settings, tokens: &Tokens<'_>) -> Result<Agent, SshConfigError> {
    let Some(setting) = settings.get("IdentityAgent") else {
        return Ok(Agent::Environment);
    };
    let value = setting.first();
    if value.eq_ignore_ascii_case("none") {
        return Ok(Agent::None);
    }
    if value == "SSH_AUTH_SOCK" {
        return Ok(Agent::Environment);
    }
    if let Some(name) = value
        .strip_prefix('$')
        .filter(|name| !name.starts_with('{'))
    {
        return Ok(tokens
            .local
            .env
            .get(name)
            .map_or(Agent::None, |path| Agent::Socket(path.into())));
    }
    tokens
        .expand_path(value)
        .map(Agent::Socket)
        .map_err(|message| setting.wrong(&message))
}

fn host_key(settings: &Settings) -> Result<HostKeyMode, SshConfigError> {
    let Some(setting) = settings.get("StrictHostKeyChecking") else {
        return Ok(HostKeyMode::Strict);
    };
    match setting.first().to_ascii_lowercase().as_str() {
        "yes" | "true" | "ask" => Ok(HostKeyMode::Strict),
        "accept-new" => Ok(HostKeyMode::AcceptNew),
        "no" | "off" | "false" => Ok(HostKeyMode::Off),
        _ => Err(setting.wrong("yes, ask, accept-new or no")),
    }
}

/// The methods in order, without those that are switched off; empty: nothing was said.
fn authentications(settings: &Settings) -> Result<Vec<String>, SshConfigError> {
    let mut off = Vec::new();
    for (keyword, method) in [
        ("PubkeyAuthentication", "publickey"),
        ("KbdInteractiveAuthentication", "keyboard-interactive"),
        ("PasswordAuthentication", "password"),
    ] {
        if settings
            .text(keyword)
            .is_some_and(|value| matches!(value, "unbound" | "host-bound"))
        {
            continue;
        }
        if settings.flag(keyword)? == Some(false) {
            off.push(method);
        }
    }
    let written = settings.text("PreferredAuthentications");
    if written.is_none() && off.is_empty() {
        return Ok(Vec::new());
    }
    let list = written.unwrap_or("publickey,keyboard-interactive,password");
    let left: Vec<String> = list
        .split(',')
        .filter(|method| !off.contains(method))
        .map(str::to_owned)
        .collect();
    // An empty list would mean the default order.
    Ok(if left.is_empty() {
        vec!["none".to_owned()]
    } else {
        left
    })
}
