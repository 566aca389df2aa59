//! `iomsctl script`: a script of yours on many hosts.

use std::path::Path;
use std::sync::Arc;

use super::connection::ConnectionArgs;
use super::execution::{LimitArgs, OutputArgs};
use super::perform::{self, Work};
use super::rerun::RerunArgs;
use super::selection::SelectionArgs;
use super::standard_input::{Operand, has_one_reader};
use super::vaults::VaultArgs;
use super::work::WorkArgs;
use super::{CliError, Globals, Setup, Status};
use crate::engine;
use crate::shell::{Command, Script, quote};

/// No script is larger, in bytes.
const SCRIPT_MAX: u64 = 64 << 20;

const EXAMPLES: &str = "\
Examples:
  iomsctl script -g web deploy.sh v1.2.3
  iomsctl script -g web deploy.sh -- --force --zone 7
  iomsctl script web check.py
  iomsctl script --rerun failed deploy.sh v1.2.3
  generate | iomsctl script -g db - 
  iomsctl script -g windows 日报.ps1 -- -Zone 7

The script is put into a private folder on each host, run by the interpreter its first line or its
ending names (on Windows: .ps1, .bat, .cmd, .vbs, .py), and removed. Arguments that begin with `-`
stand after `--`. The record holds no script, so that --rerun needs the file again.";

/// Arguments of `script`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The hosts, unless -g gives them; the script (`-`: standard input); its arguments
    #[arg(value_name = "PATTERN|FILE|ARG")]
    pub operands: Vec<String>,
    /// More arguments of the script
    #[arg(last = true, value_name = "ARG")]
    pub words: Vec<String>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    rerun: RerunArgs,
    #[command(flatten)]
    work: WorkArgs,
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
    let (pattern, file, mut words) = split(args)?;
    has_one_reader(&[
        &Operand("-g -", pattern.as_deref()),
        &Operand("the script -", Some(&file)),
        &args.selection,
        &args.work,
        &args.connection,
        &args.vaults,
    ])?;
    words.extend(args.words.iter().cloned());
    let script = read(&file, words)?;
    let shown = quote::words(&[std::slice::from_ref(&file), &script.args].concat());
    let earlier = args.rerun.look_up(&mut setup)?;
    let plan = args.work.plan(Command::Script(Arc::new(script)))?;
    let (fleet, pattern, chosen) = super::rerun::fleet_and_hosts(
        &setup,
        &args.vaults,
        &args.selection,
        pattern.as_deref(),
        earlier.as_ref(),
    )?;
    perform::perform(
        &setup,
        Work {
            verb: "script",
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

/// Pattern, script and arguments.
fn split(args: &Args) -> Result<(Option<String>, String, Vec<String>), CliError> {
    let mut given = args.operands.iter().cloned();
    let pattern = match &args.selection.group {
        Some(group) => Some(group.clone()),
        None if args.rerun.wanted() => None,
        None if args.operands.len() < 2 => {
            return Err(
                CliError::new("one argument alone could be the hosts or the script")
                    .hint("give the hosts with -g PATTERN, or both: PATTERN and then FILE"),
            );
        }
        None => given.next(),
    };
    let file = given.next().ok_or_else(|| {
        let error = CliError::new("which script? no file was given");
        if args.rerun.wanted() {
            error.hint("the record holds no script: give the file again, iomsctl script --rerun failed FILE")
        } else {
            error.hint("iomsctl script -g PATTERN FILE")
        }
    })?;
    Ok((pattern, file, given.collect()))
}

fn read(file: &str, args: Vec<String>) -> Result<Script, CliError> {
    use std::io::Read as _;
    let fail = |error: std::io::Error| CliError::new(format!("script {file}: {error}"));
    let mut body = Vec::new();
    if file == "-" {
        let mut stdin = std::io::stdin().lock().take(SCRIPT_MAX + 1);
        stdin.read_to_end(&mut body).map_err(fail)?;
    } else {
        let opened = std::fs::File::open(file).map_err(fail)?;
        opened
            .take(SCRIPT_MAX + 1)
            .read_to_end(&mut body)
            .map_err(fail)?;
    }
    if body.len() as u64 > SCRIPT_MAX {
        return Err(CliError::new(format!(
            "script {file}: is larger than 64 MiB"
        )));
    }
    let name = Path::new(file)
        .file_name()
        .filter(|_| file != "-")
        .map_or_else(
            || "script".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
    Ok(Script {
        name,
        body: body.into(),
        args,
    })
}
