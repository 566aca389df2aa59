//! From a host's variables, the flags, the settings and `ssh_config` to its [`Target`]. Sources, the
//! strongest first: `ssh_args`, variables (`-e` before all), flags, settings, further SSH arguments,
//! `ssh_config`. Opens no connection.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::lookup::{Found, SETTINGS, boolean, get, get_of, secret, wrong};
use super::names::Property;
use super::options::{address, options};
use super::plain::{check_host, check_user};
use super::ssh_args::SshArgs;
use super::ssh_config::{Lookup, Settings, SshConfig, SshConfigError};
use super::winrm::Dialect;
use super::{HostKeyMode, ShellKind, SshOptions, SshTarget, Target, Variables, Via, WinrmOptions};
use crate::base::secret::Secret;
use crate::event::{ErrorKind, HostError};

/// What the command line says; variables are stronger.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are the flags'")]
pub struct Flags {
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub private_key: Option<String>,
    pub connection: Option<String>,
    pub connect_timeout: Option<Duration>,
    pub host_key: Option<HostKeyMode>,
    pub r#become: bool,
    pub become_user: Option<String>,
    pub become_method: Option<String>,
    pub become_password: Option<Secret>,
    pub ssh_common_args: Option<String>,
    pub ssh_extra_args: Option<String>,
    /// `--shell`; stronger than variables: it is of this command, not of the host.
    pub shell: Option<ShellKind>,
}

/// The settings; the flags are stronger.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// What flags leave open.
    pub flags: Flags,
    /// `ssh_args`.
    pub ssh_args: Option<String>,
    /// For each attempt at connecting, where nothing else says.
    pub connect_timeout: Duration,
    /// `host_key`, as far as it speaks of certificates too (`ansible.cfg` speaks of SSH alone).
    pub certificates: Option<HostKeyMode>,
}

/// A flag that a stronger source beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagLost {
    /// `--user`.
    pub flag: &'static str,
    /// The place that beat it first.
    pub origin: String,
}

/// Resolves hosts; shared by all threads of a run.
#[derive(Debug)]
pub struct Resolver {
    pub(super) flags: Flags,
    pub(super) defaults: Defaults,
    pub(super) config: Arc<SshConfig>,
    configs: Mutex<HashMap<PathBuf, Arc<SshConfig>>>,
    options: Mutex<HashSet<Arc<SshOptions>>>,
    jumps: Mutex<HashSet<Arc<SshTarget>>>,
    lost: Mutex<BTreeMap<&'static str, String>>,
    pub(super) winrm_options: Mutex<HashSet<Arc<WinrmOptions>>>,
    remarks: Mutex<BTreeMap<&'static str, String>>,
    pub(super) needs_login: bool,
}

pub(super) fn intern<T: Eq + Hash>(pool: &Mutex<HashSet<Arc<T>>>, value: T) -> Arc<T> {
    let mut pool = pool.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = pool.get(&value) {
        return Arc::clone(known);
    }
    let value = Arc::new(value);
    pool.insert(Arc::clone(&value));
    value
}

fn failed(error: &SshConfigError) -> HostError {
    let kind = if error.unsupported {
        ErrorKind::Unsupported
    } else {
        ErrorKind::Arguments
    };
    HostError::new(kind, error.to_string())
}

impl Resolver {
    /// A resolver for one run.
    pub fn new(flags: Flags, defaults: Defaults, config: SshConfig) -> Self {
        Self {
            flags,
            defaults,
            config: Arc::new(config),
            configs: Mutex::default(),
            options: Mutex::default(),
            jumps: Mutex::default(),
            lost: Mutex::default(),
            winrm_options: Mutex::default(),
            remarks: Mutex::default(),
            needs_login: true,
        }
    }

    /// For work that looks at hosts without logging in: that user or password is missing is then no
    /// error.
    #[must_use]
    pub fn without_login(mut self) -> Self {
        self.needs_login = false;
        self
    }

    /// What variables say that is read otherwise or not obeyed: a sentence for each, once.
    pub fn remarks(&self) -> Vec<String> {
        let remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        remarks.values().cloned().collect()
    }

    /// Keeps a sentence for [`remarks`](Self::remarks); the first of a topic stays.
    pub(super) fn remark(&self, topic: &'static str, sentence: impl FnOnce() -> String) {
        self.remarks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(topic)
            .or_insert_with(sentence);
    }

    /// The flags that variables beat, each once.
    pub fn lost_flags(&self) -> Vec<FlagLost> {
        let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        lost.iter()
            .map(|(flag, origin)| FlagLost {
                flag,
                origin: origin.clone(),
            })
            .collect()
    }

    /// The target of a host.
    pub fn resolve(&self, host: &Arc<str>, vars: &dyn Variables) -> Result<Arc<Target>, HostError> {
        let via = self.via(host, vars)?;
        let shell = self.shell(vars, &via)?;
        let on_windows = matches!(via, Via::Winrm(_)) || shell != ShellKind::Posix;
        let encoding = get(vars, Property::OutputEncoding)?
            .map(|found| {
                crate::base::text::encoding(&found.text)
                    .ok_or_else(|| wrong(&found, "an encoding like gbk or utf-8"))
            })
            .transpose()?;
        let tmpdir = get(vars, Property::Tmpdir)?.map(|found| found.text);
        Ok(Arc::new(Target {
            host: Arc::clone(host),
            via,
            shell,
            r#become: self.escalation(vars, on_windows)?,
            encoding,
            tmpdir,
        }))
    }

    /// The way to a host.
    fn via(&self, host: &Arc<str>, vars: &dyn Variables) -> Result<Via, HostError> {
        let connection = self.pick(vars, Property::Connection, "--connection", |flags| {
            flags.connection.clone()
        })?;
        let name = connection
            .as_ref()
            .map_or("ssh", |found| found.text.as_str());
        match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" => Ok(Via::Ssh(self.ssh(host, vars)?)),
            "winrm" => Ok(Via::Winrm(self.winrm(host, vars, Dialect::Winrm)?)),
            "psrp" => Ok(Via::Winrm(self.winrm(host, vars, Dialect::Psrp)?)),
            "local" => Ok(Via::Local),
            _ => Err(HostError::new(
                ErrorKind::Unsupported,
                format!(
                    "the connection `{name}` is not supported: write ssh, winrm, psrp or local"
                ),
            )),
        }
    }

    /// What its shell speaks: `--shell`, the variable, else what the way brings.
    fn shell(&self, vars: &dyn Variables, via: &Via) -> Result<ShellKind, HostError> {
        let windows = matches!(via, Via::Winrm(_));
        let said = get(vars, Property::ShellType)?;
        let shell = match (
            self.flags.shell,
            said.as_ref().map(|found| found.text.as_str()),
        ) {
            (Some(shell), _) => shell,
            (None, None) if windows => ShellKind::Cmd,
            (
                None,
                None
                | Some(
                    "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh" | "csh" | "tcsh"
                    | "fish",
                ),
            ) => ShellKind::Posix,
            (None, Some("powershell" | "pwsh")) => ShellKind::Powershell,
            (None, Some("cmd")) => ShellKind::Cmd,
            (None, Some(other)) => {
                return Err(HostError::new(
                    ErrorKind::Arguments,
                    format!("`{other}` is no shell type: write sh, powershell or cmd"),
                ));
            }
        };
        if windows && shell == ShellKind::Posix {
            let by = match (self.flags.shell, said) {
                (None, Some(found)) => found.place(),
                _ => "`--shell`".to_owned(),
            };
            return Err(HostError::new(
                ErrorKind::Arguments,
                format!("a host behind WinRM has no sh ({by}): its shells are cmd and powershell"),
            ));
        }
        Ok(shell)
    }

    /// A variable, else the flag, else the setting; notes a flag that lost.
    pub(super) fn pick(
        &self,
        vars: &dyn Variables,
        property: Property,
        name: &'static str,
        flag: impl Fn(&Flags) -> Option<String>,
    ) -> Result<Option<Found>, HostError> {
        self.pick_of(vars, property, name, flag, |_| true)
    }

    /// The same among the variables that are meant.
    pub(super) fn pick_of(
        &self,
        vars: &dyn Variables,
        property: Property,
        name: &'static str,
        flag: impl Fn(&Flags) -> Option<String>,
        meant: impl Fn(&str) -> bool,
    ) -> Result<Option<Found>, HostError> {
        let mine = flag(&self.flags);
        if let Some(found) = get_of(vars, property, meant)? {
            if mine.is_some_and(|mine| mine != found.text) {
                self.lost
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(name)
                    .or_insert_with(|| found.origin.clone());
            }
            return Ok(Some(found));
        }
        let fallback = || {
            flag(&self.defaults.flags).map(|text| Found {
                name,
                text,
                origin: SETTINGS.to_owned(),
            })
        };
        Ok(mine
            .map(|text| Found {
                name,
                text,
                origin: name.to_owned(),
            })
            .or_else(fallback))
    }

    fn ssh(&self, host: &Arc<str>, vars: &dyn Variables) -> Result<Arc<SshTarget>, HostError> {
        let (preset, config) = self.preset(vars)?;
        let name =
            get(vars, Property::Address)?.map_or_else(|| host.to_string(), |found| found.text);
        let legacy = get(vars, Property::LegacyCrypto)?
            .map(|found| boolean(&found))
            .transpose()?;
        let mut target = self.evaluate(&config, &name, preset, legacy.unwrap_or(false), &[])?;
        target.password =
            secret(vars, Property::Password, |_| true)?.or_else(|| self.flags.password.clone());
        Ok(Arc::new(target))
    }

    /// What ssh's command line would say, in Ansible's order.
    fn preset(&self, vars: &dyn Variables) -> Result<(Settings, Arc<SshConfig>), HostError> {
        let mut preset = Settings::default();
        let mut config = Arc::clone(&self.config);
        let mut arguments =
            |found: Option<Found>, preset: &mut Settings| -> Result<(), HostError> {
                let Some(found) = found else { return Ok(()) };
                let args = SshArgs::parse(&found.text, &found.origin, preset)
                    .map_err(|error| failed(&error))?;
                if let Some(path) = args.config {
                    config = self.file(&path)?;
                }
                Ok(())
            };
        let default_args = || {
            self.defaults.ssh_args.clone().map(|text| Found {
                name: "ssh_args",
                text,
                origin: "setting ssh_args".to_owned(),
            })
        };
        arguments(
            get(vars, Property::SshArgs)?.or_else(default_args),
            &mut preset,
        )?;
        if let Some(found) = self.pick(vars, Property::HostKeyChecking, "--host-key", |flags| {
            flags.host_key.map(mode_name)
        })? {
            let value = match found.text.as_str() {
                "accept-new" | "off" => found.text.clone(),
                "strict" => "yes".to_owned(),
                _ => (if boolean(&found)? { "yes" } else { "no" }).to_owned(),
            };
            preset.put("StrictHostKeyChecking", value, &found.origin);
        }
        let timeout = |flags: &Flags| flags.connect_timeout.map(|time| time.as_secs().to_string());
        let plain = [
            ("Port", get(vars, Property::Port)?),
            (
                "IdentityFile",
                self.pick(vars, Property::PrivateKey, "--private-key", |flags| {
                    flags.private_key.clone()
                })?,
            ),
            (
                "User",
                self.pick(vars, Property::User, "--user", |flags| flags.user.clone())?,
            ),
            (
                "ConnectTimeout",
                self.pick(vars, Property::ConnectTimeout, "--connect-timeout", timeout)?,
            ),
        ];
        for (keyword, found) in plain {
            if let Some(found) = found {
                preset.put(keyword, found.text, &found.origin);
            }
        }
        arguments(
            self.pick(
                vars,
                Property::SshCommonArgs,
                "--ssh-common-args",
                |flags| flags.ssh_common_args.clone(),
            )?,
            &mut preset,
        )?;
        arguments(
            self.pick(vars, Property::SshExtraArgs, "--ssh-extra-args", |flags| {
                flags.ssh_extra_args.clone()
            })?,
            &mut preset,
        )?;
        Ok((preset, config))
    }

    fn file(&self, path: &Path) -> Result<Arc<SshConfig>, HostError> {
        let mut files = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = files.get(path) {
            return Ok(Arc::clone(known));
        }
        let config = SshConfig::load_file(Arc::clone(self.config.local()), path)
            .map_err(|error| failed(&error))?;
        let config = Arc::new(config);
        files.insert(path.to_owned(), Arc::clone(&config));
        Ok(config)
    }

    fn evaluate(
        &self,
        config: &Arc<SshConfig>,
        name: &str,
        preset: Settings,
        legacy: bool,
        on_the_way: &[&str],
    ) -> Result<SshTarget, HostError> {
        // Before `Match exec`, which has them on its command line.
        check_host(name)?;
        if let Some(user) = preset.text("User") {
            check_user(user)?;
        }
        let settings = config
            .evaluate(Lookup {
                name: name.to_owned(),
                preset,
            })
            .map_err(|error| failed(&error))?;
        let local = config.local();
        let reached = address(&settings, name, local).map_err(|error| failed(&error))?;
        check_host(&reached.host)?;
        check_user(&reached.user)?;
        let options = options(
            &settings,
            &reached.tokens(local, name, &settings),
            self.defaults.connect_timeout,
            legacy,
        )
        .map_err(|error| failed(&error))?;
        let mut jump: Vec<Arc<SshTarget>> = Vec::new();
        for (index, hop) in reached.hops.iter().enumerate() {
            if on_the_way.len() > 8 || on_the_way.contains(&hop.host.as_str()) || hop.host == name {
                return Err(HostError::new(
                    ErrorKind::Arguments,
                    format!(
                        "`ProxyJump` of `{name}` goes in a circle at `{}`: give it `ProxyJump none`",
                        hop.host
                    ),
                ));
            }
            let mut preset = Settings::default();
            for (keyword, value) in [
                ("User", hop.user.clone()),
                ("Port", hop.port.map(|port| port.to_string())),
            ] {
                if let Some(value) = value {
                    preset.put(keyword, value, "ProxyJump");
                }
            }
            if let Some(mode) = self.flags.host_key.or(self.defaults.flags.host_key) {
                let value = if mode == HostKeyMode::Strict {
                    "yes".to_owned()
                } else {
                    mode_name(mode)
                };
                preset.put("StrictHostKeyChecking", value, "--host-key");
            }
            if index > 0 {
                // As `ssh -J a,b`: the way to `b` is `a`, whatever the files say.
                preset.put("ProxyJump", "none", "ProxyJump");
            }
            let way: Vec<&str> = on_the_way.iter().copied().chain([name]).collect();
            let mut target = self.evaluate(config, &hop.host, preset, legacy, &way)?;
            if index == 0 {
                jump.clone_from(&target.jump);
            }
            target.jump.clone_from(&jump);
            jump.push(intern(&self.jumps, target));
        }
        Ok(SshTarget {
            address: reached.host,
            port: reached.port,
            user: reached.user,
            password: None,
            host_key_alias: settings.text("HostKeyAlias").map(str::to_owned),
            proxy_command: reached.proxy_command,
            jump,
            options: intern(&self.options, options),
        })
    }
}

pub(super) fn mode_name(mode: HostKeyMode) -> String {
    match mode {
        HostKeyMode::Strict => "strict",
        HostKeyMode::AcceptNew => "accept-new",
        HostKeyMode::Off => "off",
    }
    .to_owned()
}
