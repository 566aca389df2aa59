//! From the hosts of a run to their targets, when each one's turn comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::CliError;
use super::fleet::Fleet;
use crate::config::Settings;
use crate::engine::Targets;
use crate::event::{HostError, HostIx};
use crate::target::ssh_config::{Local, SshConfig};
use crate::target::{Defaults, Flags, HostKeyMode, Resolver, ShellKind, Target, Via};

/// What flags say of every target, stronger than variables.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--shell`.
    pub shell: Option<ShellKind>,
    /// `--tmpdir`.
    pub tmpdir: Option<String>,
}

/// Resolves the hosts of one run.
pub struct RunTargets {
    fleet: Arc<Fleet>,
    hosts: Vec<Arc<str>>,
    resolver: Resolver,
    overrides: Overrides,
    unchecked: AtomicUsize,
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
        let local = Arc::new(Local::of_process());
        let config = match ssh_config {
            Some(path) => SshConfig::load_file(local, path)?,
            None => SshConfig::load(local)?,
        };
        let resolver = Resolver::new(flags, defaults(settings), config);
        Ok(Self {
            fleet,
            hosts,
            resolver,
            overrides,
            unchecked: AtomicUsize::new(0),
        })
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
        let unchecked = self.unchecked.load(Ordering::Relaxed);
        if unchecked > 0 {
            let hosts = if unchecked == 1 { "host" } else { "hosts" };
            notices.push(format!(
                "host keys were not checked on {unchecked} {hosts}: whoever answered was believed"
            ));
        }
        notices
    }
}

impl Targets for RunTargets {
    fn resolve(&self, host: HostIx) -> Result<Arc<Target>, HostError> {
        let name = self
            .hosts
            .get(host.index())
            .cloned()
            .unwrap_or_else(|| Arc::from("?"));
        let mut target = self.resolver.resolve(&name, &self.fleet.host(&name))?;
        if let Via::Ssh(ssh) = &target.via
            && ssh.options.host_key == HostKeyMode::Off
        {
            self.unchecked.fetch_add(1, Ordering::Relaxed);
        }
        if self.overrides.shell.is_some() || self.overrides.tmpdir.is_some() {
            let changed = Arc::make_mut(&mut target);
            if let Some(shell) = self.overrides.shell {
                changed.shell = shell;
            }
            if let Some(tmpdir) = &self.overrides.tmpdir {
                changed.tmpdir = Some(tmpdir.clone());
            }
        }
        Ok(target)
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
            host_key: settings.host_key().and_then(|mode| match mode {
                "strict" => Some(HostKeyMode::Strict),
                "accept-new" => Some(HostKeyMode::AcceptNew),
                "off" => Some(HostKeyMode::Off),
                _ => None,
            }),
            r#become: settings.r#become(),
            become_user: owned(settings.become_user()),
            become_method: owned(settings.become_method()),
            ssh_common_args: owned(settings.ssh_common_args()),
            ssh_extra_args: owned(settings.ssh_extra_args()),
            ..Flags::default()
        },
        ssh_args: owned(settings.ssh_args()),
        connect_timeout: settings.connect_timeout(),
        certificates: None,
    }
}
