//! The hosts of `hostkeys`, and how each is reached.

use std::sync::Arc;

use crate::base::prompt::Prompt;
use crate::cli::ask::Terminal;
use crate::cli::connection::ConnectionArgs;
use crate::cli::fleet::Fleet;
use crate::cli::selection::SelectionArgs;
use crate::cli::standard_input::{Operand, has_one_reader};
use crate::cli::targets::{Overrides, RunTargets};
use crate::cli::vaults::VaultArgs;
use crate::cli::{CliError, Setup};
use crate::engine::Targets as _;
use crate::event::{HostError, HostIx};
use crate::target::{SshTarget, Via, WinrmTarget};

/// Which hosts.
#[derive(Debug, clap::Args)]
pub(super) struct HostsArgs {
    /// The hosts, unless -g gives them
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    vaults: VaultArgs,
    /// Answer questions with yes
    #[arg(long)]
    pub(super) yes: bool,
}

/// The way to a host that has something to show.
pub(super) enum Way {
    Ssh(Arc<SshTarget>),
    Winrm(Arc<WinrmTarget>),
}

/// The chosen hosts with their ways.
pub(super) struct Chosen {
    pub(super) hosts: Vec<(Arc<str>, Result<Way, HostError>)>,
    pub(super) prompt: Arc<dyn Prompt>,
}

impl Chosen {
    pub(super) fn of(setup: &Setup, args: &HostsArgs) -> Result<Self, CliError> {
        let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
        let pattern = match (&args.selection.group, &args.pattern) {
            (Some(_), Some(other)) => {
                return Err(CliError::new(format!("`{other}` is one argument too many")));
            }
            (Some(pattern), None) | (None, Some(pattern)) => pattern,
            (None, None) => {
                return Err(CliError::new("which hosts? no pattern was given")
                    .hint("choose them with -g PATTERN; `all` is everybody"));
            }
        };
        has_one_reader(&[
            &Operand("-g -", Some(pattern)),
            &args.selection,
            &args.connection,
            &args.vaults,
        ])?;
        let fleet = Fleet::load(setup, &args.vaults, &args.selection.extra_vars, &prompt)?;
        let names = args.selection.choose(setup, &fleet, pattern)?.hosts;
        if names.is_empty() {
            return Err(CliError::new(format!("no host matches `{pattern}`")).status(5));
        }
        let targets = RunTargets::new(
            fleet,
            names.clone(),
            args.connection.flags(&*prompt, false)?,
            &setup.settings,
            args.connection.ssh_config.as_deref(),
            Overrides::default(),
        )?
        .without_login();
        let hosts = names
            .into_iter()
            .zip(0..)
            .filter_map(|(name, at)| match targets.resolve(HostIx(at)) {
                Err(error) => Some((name, Err(error))),
                Ok(target) => match &target.via {
                    Via::Ssh(ssh) => Some((name, Ok(Way::Ssh(ssh.clone())))),
                    Via::Winrm(winrm) => Some((name, Ok(Way::Winrm(winrm.clone())))),
                    Via::Local => None,
                },
            })
            .collect();
        Ok(Self { hosts, prompt })
    }

    /// Those whose way is known.
    pub(super) fn ways(&self) -> impl Iterator<Item = (&Arc<str>, &Way)> {
        self.hosts
            .iter()
            .filter_map(|(host, way)| Some((host, way.as_ref().ok()?)))
    }
}
