//! From the hosts of a run to their targets, when each one's turn comes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::CliError;
use super::codepages::CodePages;
use super::fleet::Fleet;
use crate::base::text::Charset;
use crate::base::value::Value;
use crate::config::Settings;
use crate::engine::Targets;
use crate::event::{HostError, HostIx};
use crate::playbook::run::Ways;
use crate::target::ssh_config::{Local, SshConfig};
use crate::target::{
    Defaults, Flags, HostKeyMode, Resolver, ShellKind, Target, Variables, Via, WinrmClient,
};

/// What flags say of every target, stronger than variables.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--shell`.
    pub shell: Option<ShellKind>,
    /// `--tmpdir`.
    pub tmpdir: Option<String>,
    /// `--output-encoding`.
    pub encoding: Option<Charset>,
}

/// Resolves the hosts of one run.
pub struct RunTargets {
    fleet: Arc<Fleet>,
    hosts: Vec<Arc<str>>,
    ways: WaysToHosts,
}

/// How hosts are reached, by whatever variables they have: what flags, settings and `ssh_config` say.
pub struct WaysToHosts {
    resolver: Resolver,
    overrides: Overrides,
    pages: Option<Arc<CodePages>>,
    become_exe: Option<String>,
    become_flags: Option<String>,
    seen: Seen,
}

/// How many hosts are reached in a way that the user should know of.
#[derive(Debug, Default)]
struct Seen {
    keys: AtomicUsize,
    certificates: AtomicUsize,
    http: AtomicUsize,
}

impl Seen {
    fn note(&self, via: &Via) {
        let counter = match via {
            Via::Ssh(ssh) if ssh.options.host_key == HostKeyMode::Off => &self.keys,
            Via::Winrm(winrm) if !winrm.options.https => &self.http,
            Via::Winrm(winrm)
                if winrm.options.host_key == HostKeyMode::Off && winrm.options.pin.is_none() =>
            {
                &self.certificates
            }
            Via::Ssh(_) | Via::Winrm(_) | Via::Local => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn notices(&self) -> impl Iterator<Item = String> {
        let say = |counter: &AtomicUsize, text: fn(usize, bool) -> String| {
            let count = counter.load(Ordering::Relaxed);
            (count > 0).then(|| text(count, count == 1))
        };
        fn unchecked(what: &str, count: usize, one: bool) -> String {
            let hosts = if one { "host" } else { "hosts" };
            format!("{what} were not checked on {count} {hosts}: whoever answered was believed")
        }
        [
            say(&self.keys, |count, one| unchecked("host keys", count, one)),
            say(&self.certificates, |count, one| unchecked("certificates", count, one)),
            say(&self.http, |count, one| {
                let hosts = if one { "host is" } else { "hosts are" };
                format!(
                    "{count} {hosts} reached over HTTP (sealed): NTLM does not prove who answers, HTTPS does"
                )
            }),
        ]
        .into_iter()
        .flatten()
    }
}

impl WaysToHosts {
    /// `ssh_config`: in place of the usual files.
    pub fn new(
        flags: Flags,
        settings: &Settings,
        ssh_config: Option<&std::path::Path>,
        overrides: Overrides,
    ) -> Result<Self, CliError> {
        let local = Arc::new(Local::of_process());
        let config = match ssh_config {
            Some(path) => SshConfig::load_file(local, path)?,
            None => SshConfig::load(local)?,
        };
        let flags = Flags {
            shell: overrides.shell,
            ..flags
        };
        Ok(Self {
            resolver: Resolver::new(flags, defaults(settings), config),
            overrides,
            pages: None,
            become_exe: settings.become_exe().map(str::to_owned),
            become_flags: settings.become_flags().map(str::to_owned),
            seen: Seen::default(),
        })
    }

    /// With what is known of the code pages of Windows hosts.
    #[must_use]
    pub fn with_code_pages(mut self, pages: Arc<CodePages>) -> Self {
        self.pages = Some(pages);
        self
    }

    /// What the host speaks, if that is known: what the user says, else what was found before.
    fn encoding(&self, name: &Arc<str>, target: &Target) -> Option<Charset> {
        if self.overrides.encoding.is_some() {
            return self.overrides.encoding;
        }
        if target.encoding.is_some() || target.shell == ShellKind::Posix {
            return target.encoding;
        }
        let page = self.pages.as_ref()?.of(name, &place(&target.via))?;
        Charset::from_code_page(page)
    }

    /// The target of a host with these variables.
    pub fn target(
        &self,
        name: &Arc<str>,
        variables: &dyn Variables,
    ) -> Result<Arc<Target>, HostError> {
        let mut target = self.resolver.resolve(name, variables)?;
        self.seen.note(&target.via);
        if let Some(tmpdir) = &self.overrides.tmpdir {
            Arc::make_mut(&mut target).tmpdir = Some(tmpdir.clone());
        }
        let encoding = self.encoding(name, &target);
        if encoding != target.encoding {
            Arc::make_mut(&mut target).encoding = encoding;
        }
        Ok(target)
    }

    /// What the user should know once the hosts are resolved: flags that lost, checks that are off.
    pub fn notices(&self) -> Vec<String> {
        let mut notices: Vec<String> = self
            .resolver
            .lost_flags()
            .into_iter()
            .map(|lost| {
                format!(
                    "{} has no effect where a variable says otherwise: {}",
                    lost.flag, lost.origin
                )
            })
            .collect();
        notices.extend(self.resolver.remarks());
        notices.extend(self.seen.notices());
        notices
    }
}

impl Ways for WaysToHosts {
    fn resolve(
        &self,
        host: &Arc<str>,
        variables: &dyn Variables,
    ) -> Result<Arc<Target>, HostError> {
        self.target(host, variables)
    }

    fn setting(&self, keyword: &str) -> Option<Value> {
        let text = match keyword {
            "become_exe" => self.become_exe.as_deref(),
            "become_flags" => self.become_flags.as_deref(),
            _ => None,
        };
        text.map(Value::string)
    }
}

impl RunTargets {
    /// For these hosts. `ssh_config`: in place of the usual files.
    pub fn new(
        fleet: Arc<Fleet>,
        hosts: Vec<Arc<str>>,
        flags: Flags,
        settings: &Settings,
        ssh_config: Option<&std::path::Path>,
        overrides: Overrides,
    ) -> Result<Self, CliError> {
        Ok(Self {
            fleet,
            hosts,
            ways: WaysToHosts::new(flags, settings, ssh_config, overrides)?,
        })
    }

    /// With what is known of the code pages of Windows hosts.
    #[must_use]
    pub fn with_code_pages(mut self, pages: Arc<CodePages>) -> Self {
        self.ways = self.ways.with_code_pages(pages);
        self
    }

    /// For work that looks at hosts first: a user or password that is missing is no error yet.
    #[must_use]
    pub fn without_login(mut self) -> Self {
        self.ways.resolver = self.ways.resolver.without_login();
        self
    }

    /// Whether a host has a shell of Windows.
    pub fn some_on_windows(&self) -> bool {
        self.hosts.iter().any(|name| {
            self.ways
                .resolver
                .resolve(name, &self.fleet.host(name))
                .is_ok_and(|target| target.shell != ShellKind::Posix)
        })
    }

    /// What the user should know once the hosts are resolved.
    pub fn notices(&self) -> Vec<String> {
        self.ways.notices()
    }
}

impl Targets for RunTargets {
    fn resolve(&self, host: HostIx) -> Result<Arc<Target>, HostError> {
        let name = self
            .hosts
            .get(host.index())
            .cloned()
            .unwrap_or_else(|| Arc::from("?"));
        self.ways.target(&name, &self.fleet.host(&name))
    }

    fn learnt_codepage(&self, host: HostIx, page: u16) {
        if let (Some(name), Some(pages)) = (self.hosts.get(host.index()), &self.ways.pages)
            && let Ok(target) = self.ways.resolver.resolve(name, &self.fleet.host(name))
        {
            pages.learn(name, place(&target.via), page);
        }
    }
}

/// Where a host is, as far as its name there does not say: private addresses are in use behind many
/// jump hosts.
fn place(via: &Via) -> String {
    match via {
        Via::Ssh(ssh) => {
            let mut place = format!("{}:{}", ssh.address, ssh.port);
            for jump in &ssh.jump {
                let _ = write!(place, " via {}:{}", jump.address, jump.port);
            }
            place
        }
        Via::Winrm(winrm) => {
            let place = format!("{}:{}", winrm.address, winrm.port);
            match winrm.options.client {
                WinrmClient::Ours => place,
                // Its shells have the page that it asks for, not the host's own.
                WinrmClient::WinrmRs => place + " by winrm-rs",
            }
        }
        Via::Local => "local".to_owned(),
    }
}

fn defaults(settings: &Settings) -> Defaults {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Defaults {
        flags: Flags {
            user: owned(settings.user()),
            private_key: settings
                .private_key()
                .map(|path| path.to_string_lossy().into_owned()),
            host_key: settings.host_key().and_then(host_key_mode),
            r#become: settings.r#become(),
            become_user: owned(settings.become_user()),
            become_method: owned(settings.become_method()),
            ssh_common_args: owned(settings.ssh_common_args()),
            ssh_extra_args: owned(settings.ssh_extra_args()),
            ..Flags::default()
        },
        ssh_args: owned(settings.ssh_args()),
        connect_timeout: settings.connect_timeout(),
        certificates: settings.certificates().and_then(host_key_mode),
    }
}

fn host_key_mode(word: &str) -> Option<HostKeyMode> {
    match word {
        "strict" => Some(HostKeyMode::Strict),
        "accept-new" => Some(HostKeyMode::AcceptNew),
        "off" => Some(HostKeyMode::Off),
        _ => None,
    }
}
