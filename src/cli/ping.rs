//! `iomsctl ping`: connect, log in, run next to nothing, and say how long each took.

use std::sync::Arc;

use super::connection::ConnectionArgs;
use super::execution::{LimitArgs, OutputArgs};
use super::operands::operands;
use super::perform::{self, Work};
use super::rerun::RerunArgs;
use super::selection::SelectionArgs;
use super::standard_input::{Operand, has_one_reader};
use super::targets::Overrides;
use super::vaults::VaultArgs;
use super::{CliError, Globals, Setup, Status};
use crate::engine;
use crate::shell::{Command, Plan, Stdin};

const EXAMPLES: &str = "\
Examples:
  iomsctl ping -g all
  iomsctl ping web --connect-timeout 3
  iomsctl ping -g all --output json | jq '.hosts[] | select(.outcome != \"ok\") | .host'";

/// Arguments of `ping`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The hosts, unless -g gives them
    #[arg(value_name = "PATTERN")]
    pub operands: Vec<String>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    rerun: RerunArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    vaults: VaultArgs,
}

/// Does it.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let mut setup = Setup::new(globals)?;
    let given = operands(
        &args.operands,
        args.selection.group.as_deref(),
        false,
        false,
        args.rerun.wanted(),
    )?;
    has_one_reader(&[
        &Operand("-g -", given.pattern.as_deref()),
        &args.selection,
        &args.connection,
        &args.vaults,
    ])?;
    let earlier = args.rerun.look_up(&mut setup)?;
    let (fleet, pattern, chosen) = super::rerun::fleet_and_hosts(
        &setup,
        &args.vaults,
        &args.selection,
        given.pattern.as_deref(),
        earlier.as_ref(),
    )?;
    let plan = Plan {
        command: Command::Ping,
        env: Vec::new(),
        chdir: None,
        tty: false,
        stdin: Stdin::Empty,
        detach: false,
    };
    perform::perform(
        &setup,
        Work {
            verb: "ping",
            command: None,
            pattern,
            chosen,
            task: engine::Work::Command(Arc::new(plan)),
            fleet,
            connection: &args.connection,
            limits: &args.limits,
            output: &args.output,
            overrides: Overrides::default(),
            listener: None,
        },
    )
}
