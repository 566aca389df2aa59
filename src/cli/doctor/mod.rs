//! `iomsctl doctor`: the way to a host, step by step, each with its finding and its fix.

mod ask;
mod case;
mod login;
mod network;
mod show;
mod summary;

use std::sync::Arc;

use super::ask::Terminal;
use super::connection::ConnectionArgs;
use super::fleet::Fleet;
use super::operands::operands;
use super::selection::SelectionArgs;
use super::standard_input::{Operand, has_one_reader};
use super::targets::{Overrides, RunTargets};
use super::vaults::VaultArgs;
use super::{CliError, Globals, Setup, Status, signals};
use crate::base::prompt::Prompt;
use crate::transport::raise_open_files;
use case::Case;

/// Hosts at work at a time, where nobody says.
const FORKS: usize = 100;

const EXAMPLES: &str = "\
Examples:
  iomsctl doctor web07 web08
  iomsctl doctor -g windows
  iomsctl doctor -g all --output json | jq '.hosts[].findings[] | select(.state == \"fail\")'

Each host's way is walked: name, port, banner or TLS, identity, login, shell, rights, encoding,
clock, disk. Nothing is changed. The exit status is 0 when nothing failed, 2 when something did,
4 when a host could not be reached, 6 for both.";

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The hosts, unless -g gives them
    #[arg(value_name = "HOST|PATTERN")]
    pub operands: Vec<String>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Hosts at work at a time [default: 100]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    forks: Option<u16>,
    #[command(flatten)]
    vaults: VaultArgs,
}

/// Does it.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let setup = Setup::new(globals)?;
    let mut cases = Vec::new();
    let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
    let targets = targets(args, &setup, &prompt, &mut cases)?;
    let files = raise_open_files();
    let forks = args
        .forks
        .map_or(FORKS, usize::from)
        .min((files / 3).max(1));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let stopped = runtime.block_on(async {
        let mut control = signals::listen()?;
        tokio::select! {
            () = network::walk(&mut cases, forks) => {}
            why = ask::stopped(&mut control) => return Ok(Some(why)),
        }
        ask::ask(&setup, &mut cases, prompt.clone(), forks, files, control).await
    })?;
    runtime.shutdown_background();
    for notice in targets.notices() {
        setup.warn(&notice);
    }
    show::show(&setup, &cases)?;
    if let Some(stopped) = stopped {
        return Ok(Status(ask::status_of(stopped)));
    }
    let failed = cases.iter().any(Case::failed);
    let unreachable = cases.iter().any(Case::unreachable);
    Ok(Status(u8::from(failed) * 2 + u8::from(unreachable) * 4))
}

/// The hosts with their targets; what can't be resolved is a finding.
fn targets(
    args: &Args,
    setup: &Setup,
    prompt: &Arc<dyn Prompt>,
    cases: &mut Vec<Case>,
) -> Result<RunTargets, CliError> {
    let group = args.selection.group.as_deref();
    // Several hosts are one pattern.
    let hosts: Vec<String> = Some(args.operands.join(","))
        .filter(|hosts| !hosts.is_empty())
        .into_iter()
        .collect();
    let pattern = operands(&hosts, group, false, false, false)?
        .pattern
        .unwrap_or_default();
    has_one_reader(&[
        &Operand("-g -", Some(&pattern)),
        &args.selection,
        &args.connection,
        &args.vaults,
    ])?;
    let fleet = Fleet::load(setup, &args.vaults, &args.selection.extra_vars, prompt)?;
    let hosts = args.selection.choose(setup, &fleet, &pattern)?.hosts;
    if hosts.is_empty() {
        return Err(CliError::new(format!("no host matches `{pattern}`"))
            .hint("`iomsctl inventory graph` shows hosts and groups")
            .status(5));
    }
    let flags = args
        .connection
        .flags(&**prompt, setup.settings.become_ask_pass())?;
    for secret in [&flags.password, &flags.become_password]
        .into_iter()
        .flatten()
    {
        setup.redactor.learn(secret);
    }
    let targets = RunTargets::new(
        fleet,
        hosts.clone(),
        flags,
        &setup.settings,
        args.connection.ssh_config.as_deref(),
        Overrides::default(),
    )?
    .without_login();
    cases.extend(
        hosts
            .into_iter()
            .zip(0..)
            .map(|(host, at)| Case::new(host, at, &targets)),
    );
    Ok(targets)
}
