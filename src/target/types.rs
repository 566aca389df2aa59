//! The types of a resolved target: plain data, no look-ups.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::secret::Secret;

/// A host, ready to be reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The inventory's name for it.
    pub host: Arc<str>,
    /// How it is reached.
    pub via: Via,
    /// What its shell speaks.
    pub shell: ShellKind,
    /// As whom the work is done, if not as the login user.
    pub r#become: Option<Become>,
    /// `output_encoding`, where the user set it.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// The folder for scripts on the host; `None`: the host's own choice (`$TMPDIR`, `/tmp`).
    pub tmpdir: Option<String>,
}

/// The transport and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Via {
    /// SSH.
    Ssh(Arc<SshTarget>),
    /// The controller itself.
    Local,
}

/// The family of shells that understands what we say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShellKind {
    /// Any Bourne shell.
    Posix,
    /// Windows PowerShell or PowerShell.
    Powershell,
    /// `cmd.exe`.
    Cmd,
}

/// Privilege escalation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Become {
    /// By what.
    pub method: BecomeMethod,
    /// To whom; `root` by default.
    pub user: String,
    /// With what, should it ask.
    pub password: Option<Secret>,
    /// The program, where not the method's name in the PATH (`ansible_become_exe`).
    pub exe: Option<String>,
    /// Arguments in place of our own (`ansible_become_flags`), already split.
    pub flags: Vec<String>,
}

/// The programs that escalate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BecomeMethod {
    /// sudo(8).
    Sudo,
    /// su(1).
    Su,
    /// doas(1).
    Doas,
    /// Windows.
    Runas,
}

impl BecomeMethod {
    /// The name, as `ansible_become_method` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Su => "su",
            Self::Doas => "doas",
            Self::Runas => "runas",
        }
    }
}

/// A host behind SSH.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshTarget {
    /// The name or address to connect to (after `HostName`).
    pub address: String,
    /// The port.
    pub port: u16,
    /// The user to log in as.
    pub user: String,
    /// For password and keyboard-interactive.
    pub password: Option<Secret>,
    /// The name under which its key is looked up, where not the address (`HostKeyAlias`).
    pub host_key_alias: Option<String>,
    /// A command whose standard streams are the connection, its tokens (`%h`) already replaced.
    pub proxy_command: Option<String>,
    /// The hosts to go through, nearest first (`ProxyJump`).
    pub jump: Vec<Arc<SshTarget>>,
    /// What many hosts share.
    pub options: Arc<SshOptions>,
}

/// What many hosts share of an SSH target: made once for hosts whose sources are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshOptions {
    /// Private keys in the order to try (`IdentityFile`); those that don't exist are passed over.
    pub identity_files: Vec<PathBuf>,
    /// Whether the user named the keys: a named key that is missing is worth a warning.
    pub identities_named: bool,
    /// Only these, no others of the agent (`IdentitiesOnly`).
    pub identities_only: bool,
    /// Certificates beside `KEY-cert.pub` (`CertificateFile`).
    pub certificate_files: Vec<PathBuf>,
    /// Which agent.
    pub agent: Agent,
    /// What to do with keys not on record.
    pub host_key: HostKeyMode,
    /// Files to look keys up in; the first takes new keys (`UserKnownHostsFile`).
    pub user_known_hosts: Vec<PathBuf>,
    /// Files to look keys up in (`GlobalKnownHostsFile`).
    pub global_known_hosts: Vec<PathBuf>,
    /// Keys that are refused (`RevokedHostKeys`).
    pub revoked_host_keys: Option<PathBuf>,
    /// The algorithms to offer.
    pub algorithms: Algorithms,
    /// Methods of logging in, in order (`PreferredAuthentications`); empty: OpenSSH's order.
    pub preferred_authentications: Vec<String>,
    /// For each attempt at connecting; zero: none.
    pub connect_timeout: Duration,
    /// `ServerAliveInterval`; zero: none.
    pub keepalive: Duration,
    /// `ServerAliveCountMax`.
    pub keepalive_max: u32,
    /// What CentOS 5 and 6 speak.
    pub legacy_crypto: bool,
}

/// Which ssh-agent to ask.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Agent {
    /// `$SSH_AUTH_SOCK`, where set.
    Environment,
    /// This socket (`IdentityAgent`).
    Socket(PathBuf),
    /// None.
    None,
}

/// `StrictHostKeyChecking`, `--host-key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostKeyMode {
    /// Unknown keys are errors.
    Strict,
    /// Unknown keys are learnt, changed keys are errors.
    AcceptNew,
    /// Nothing is checked, and the output says so.
    Off,
}

/// Algorithm names in order of preference; empty lists mean our defaults. The `+`, `-` and `^`
/// forms of `ssh_config` are kept as written and resolved where the defaults are known.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "the names are ssh_config's keywords")]
pub struct Algorithms {
    pub kex: Option<String>,
    pub ciphers: Option<String>,
    pub macs: Option<String>,
    pub host_key: Option<String>,
    pub pubkey_accepted: Option<String>,
}
