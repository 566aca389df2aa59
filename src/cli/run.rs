//! `iomsctl run`: a command line on many hosts.

use std::sync::Arc;

use super::connection::ConnectionArgs;
use super::execution::{LimitArgs, OutputArgs};
use super::operands::operands;
use super::perform::{self, Work};
use super::rerun::RerunArgs;
use super::selection::SelectionArgs;
use super::standard_input::{Operand, has_one_reader};
use super::vaults::VaultArgs;
use super::work::WorkArgs;
use super::{CliError, Globals, Setup, Status};
use crate::engine;
use crate::shell::Command;

const EXAMPLES: &str = "\
Examples:
  iomsctl run -g web uptime
  iomsctl run -g 'web:&idc_a' --serial 25% --max-fail 1 'systemctl restart nginx'
  iomsctl run web -b -K 'tail -n 3 /var/log/syslog'
  iomsctl run -g all -- grep -c '^a b$' '/etc/some file'
  iomsctl run -i host1,host2, all 'df -h /'
  iomsctl run --rerun failed
  cat users.sql | iomsctl run -g db --stdin - 'mysql game'
  iomsctl run -g windows 'ver & hostname'
  iomsctl run -g windows --shell powershell 'Get-Service | Where-Object Status -eq Stopped'
  iomsctl run -g windows --detach 'D:\\game\\zone.exe -zone 7'

One word is a command line for the account's login shell, on Windows for cmd.exe; words after `--`
are a program and its arguments, each arriving as it is. On Windows what a command starts dies with
it, unless --detach starts it. The exit status is 0 when all is well, 2 when a host failed,
4 when one was unreachable, 6 for both.";

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The hosts, unless -g gives them, and the command line
    #[arg(value_name = "PATTERN|COMMAND")]
    pub operands: Vec<String>,
    /// A program and its arguments
    #[arg(last = true, value_name = "WORD")]
    pub words: Vec<String>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    rerun: RerunArgs,
    #[command(flatten)]
    work: WorkArgs,
    /// Start it and let go of it: it outlives the connection
    #[arg(long, conflicts_with_all = ["tty", "stdin"], help_heading = "Command")]
    pub detach: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    vaults: VaultArgs,
}

impl Args {
    /// The flags that bear on what the command does, as far as they are given.
    fn flags(&self) -> Vec<&'static str> {
        [
            ("--become", self.connection.r#become),
            ("--become-user", self.connection.become_user.is_some()),
            ("--user", self.connection.user.is_some()),
            ("--chdir", self.work.chdir.is_some()),
            ("--env", !self.work.env.is_empty()),
            ("--stdin", self.work.stdin.is_some()),
            ("--tty", self.work.tty),
            ("--detach", self.detach),
            ("--serial", !self.limits.serial.is_empty()),
            ("--max-fail", self.limits.max_fail.is_some()),
        ]
        .into_iter()
        .filter_map(|(flag, given)| given.then_some(flag))
        .collect()
    }
}

/// Does it.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let mut setup = Setup::new(globals)?;
    let has_words = !args.words.is_empty();
    let given = operands(
        &args.operands,
        args.selection.group.as_deref(),
        true,
        has_words,
        args.rerun.wanted(),
    )?;
    has_one_reader(&[
        &Operand("-g -", given.pattern.as_deref()),
        &args.selection,
        &args.work,
        &args.connection,
        &args.vaults,
    ])?;
    let earlier = args.rerun.look_up(&mut setup)?;
    let (command, shown) = match (given.work, has_words) {
        (None, true) => {
            let shown = crate::shell::quote::words(&args.words);
            (Command::Words(args.words.clone()), shown)
        }
        (Some(line), _) => (Command::Line(line.clone()), line),
        // Who it would be can be asked before it is known what.
        (None, false) if args.output.list_hosts && earlier.is_none() => {
            (Command::Ping, String::new())
        }
        (None, false) => {
            let line = earlier
                .as_ref()
                .ok_or_else(no_command)?
                .command_line("run", &args.flags())?;
            (Command::Line(line.clone()), line)
        }
    };
    if shown.contains('\0') {
        return Err(CliError::new("the command holds a NUL character"));
    }
    let mut plan = args.work.plan(command)?;
    plan.detach = args.detach;
    let (fleet, pattern, chosen) = super::rerun::fleet_and_hosts(
        &setup,
        &args.vaults,
        &args.selection,
        given.pattern.as_deref(),
        earlier.as_ref(),
    )?;
    perform::perform(
        &setup,
        Work {
            verb: "run",
            command: Some(shown),
            pattern,
            chosen,
            task: engine::Work::Command(Arc::new(plan)),
            fleet,
            connection: &args.connection,
            limits: &args.limits,
            output: &args.output,
            overrides: args.work.overrides()?,
            listener: None,
        },
    )
}

fn no_command() -> CliError {
    CliError::new("what shall run? no command was given")
        .hint("give it as one word: iomsctl run -g web 'uptime'")
}
