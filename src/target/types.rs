//! The types of a resolved target: plain data, no look-ups.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::secret::Secret;
use crate::base::text::Charset;

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
    pub encoding: Option<Charset>,
    /// The folder for scripts on the host; `None`: the host's own choice (`$TMPDIR`, `/tmp`).
    pub tmpdir: Option<String>,
}

impl Target {
    /// Whether its shell is one of Windows'.
    pub fn is_windows(&self) -> bool {
        self.shell != ShellKind::Posix
    }
}

/// The transport and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Via {
    /// SSH.
    Ssh(Arc<SshTarget>),
    /// WinRM.
    Winrm(Arc<WinrmTarget>),
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

/// A host behind WinRM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WinrmTarget {
    /// The name or address to connect to.
    pub address: String,
    /// The port: 5986 for HTTPS, 5985 for HTTP.
    pub port: u16,
    /// The user to log in as: `Administrator`, `DOMAIN\\user`, `user@REALM`.
    pub user: String,
    /// The password.
    pub password: Option<Secret>,
    /// What many hosts share.
    pub options: Arc<WinrmOptions>,
}

/// What many hosts share of a WinRM target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WinrmOptions {
    /// HTTPS; else HTTP with every message sealed.
    pub https: bool,
    /// The path of the service: `/wsman`.
    pub path: String,
    /// How to log in.
    pub auth: WinrmAuth,
    /// Which client speaks: ours, or the `winrm-rs` crate where it is built in.
    pub client: WinrmClient,
    /// What to do with certificates that nobody vouches for.
    pub host_key: HostKeyMode,
    /// Authorities to trust in place of the system's (PEM; a file or a folder).
    pub ca: Option<PathBuf>,
    /// The SHA-256 of the one certificate to accept.
    pub pin: Option<[u8; 32]>,
    /// The name the certificate must be for, where not the address.
    pub tls_name: Option<String>,
    /// Certificate and key to log in with (PEM).
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// Tie the login to the TLS connection (RFC 5929, `tls-server-end-point`).
    pub channel_binding: bool,
    /// For Kerberos.
    pub kerberos: KerberosOptions,
    /// For each attempt at connecting; zero: none.
    pub connect_timeout: Duration,
    /// How long the host may wait for output before it says that there is none (and is asked again).
    pub operation_timeout: Duration,
}

/// How to log in over WinRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WinrmAuth {
    /// SPNEGO: Kerberos where the user is of a realm and a ticket can be had, else NTLM.
    Negotiate,
    /// NTLM.
    Ntlm,
    /// Kerberos.
    Kerberos,
    /// Name and password, over HTTPS only.
    Basic,
    /// A client certificate, over HTTPS only.
    Certificate,
    /// `CredSSP`, which hands the password on; with the `winrm-rs` feature only.
    Credssp,
}

impl WinrmAuth {
    /// The name, as `ansible_winrm_transport` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Negotiate => "negotiate",
            Self::Ntlm => "ntlm",
            Self::Kerberos => "kerberos",
            Self::Basic => "basic",
            Self::Certificate => "certificate",
            Self::Credssp => "credssp",
        }
    }
}

/// Which client speaks WinRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WinrmClient {
    /// Our own.
    Ours,
    /// The crate `winrm-rs`, where it is built in.
    WinrmRs,
}

/// What Kerberos needs beside user and password.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct KerberosOptions {
    /// The realm, where the user's name has none.
    pub realm: Option<String>,
    /// The key distribution centre: `tcp://host:88`; else looked up in `krb5.conf` and DNS.
    pub kdc: Option<String>,
    /// The service class of the host's name: `HTTP` unless said.
    pub service: Option<String>,
    /// The host's name in its principal, where not the address.
    pub hostname: Option<String>,
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
