//! `iomsctl resume`: goes on with a run of plays that was killed or stopped.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser as _;

use super::connection::ConnectionArgs;
use super::play::{self, kept::Resumed};
use super::vaults::VaultArgs;
use super::verbs::Verb;
use super::{Cli, CliError, Globals, Setup, Status, records};
use crate::base::id::RunId;
use crate::base::quantity;
use crate::base::seen::Seen;
use crate::store::{Left, ResumeReader, RunRow, Store, StoreError, journals};

const EXAMPLES: &str = "\
Examples:
  iomsctl resume                       # your newest run of playbooks
  iomsctl resume 3f2a91bc
  iomsctl resume 3f2a91bc --redo       # also commands that had begun and not ended
  iomsctl resume 3f2a91bc --anyway     # although a playbook or the inventory has changed
  iomsctl resume 3f2a91bc -K --output json

Everything but these flags is as the run was started: playbooks, hosts, tags, variables, check mode.
Passwords are not kept: what was asked for then is asked for again. Ends as `iomsctl play` does, with 1
where the run can't be gone on with. docs/resume.md has the rest.";

/// Arguments of `resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The run: its id, or at least 4 characters of its beginning or end; your newest run of playbooks
    /// where none is named
    run: Option<String>,
    /// Do tasks again that had begun and not ended, also commands, which may then be done twice
    #[arg(long)]
    redo: bool,
    /// Go on although playbooks, roles, variables or the inventory have changed
    #[arg(long)]
    anyway: bool,
    /// End this run after so long, in place of the time that the run was given
    #[arg(long, value_name = "TIME", value_parser = quantity::duration)]
    deadline: Option<Duration>,
    /// Write a JUnit report; `-` is standard output, and nothing else is written there
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    vaults: VaultArgs,
}

/// Does it.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let mut setup = Setup::new(globals)?;
    let (run, row) = find(&setup, args.run.as_deref())?;
    let resumed = match ResumeReader::open(&setup.data_dir(), run) {
        Ok(Left::File(reader)) => Resumed::take(&setup, run, *reader, (args.redo, args.anyway))?,
        Ok(Left::Resumed(next)) => {
            return Err(
                CliError::new(format!("run {run} went on as run {next} already")).hint(format!(
                    "iomsctl history show {next}; iomsctl resume {next}"
                )),
            );
        }
        Ok(Left::Nothing) => return Err(nothing_left(run, row.as_ref())),
        Err(error @ StoreError::Alive(_)) => {
            return Err(CliError::from(error)
                .hint("stop it first (Ctrl-C, or SIGTERM to its process), or let it end"));
        }
        Err(error) => return Err(error.into()),
    };
    let play = again(args, &mut setup, &resumed)?;
    play::resume(&setup, &play, resumed)
}

/// How often a run is looked for again while some are not on record yet: a child that was just made for
/// a run when it was killed holds its journal until it is a program of its own.
const PATIENCE: u32 = 10;

/// The run by its name, and its row where it is on record.
fn find(setup: &Setup, named: Option<&str>) -> Result<(RunId, Option<RunRow>), CliError> {
    let found = super::database_runtime()?.block_on(async {
        let mut patience = PATIENCE;
        loop {
            let store = records::open(setup).await?;
            let row = look_up(&store, named).await;
            store.close().await;
            if row.is_ok() || patience == 0 || journals(&setup.data_dir()).is_empty() {
                break row;
            }
            patience -= 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let row = match (found, named.map(str::parse)) {
        (Ok(row), _) => row,
        // What resuming needs is no matter of the database.
        (Err(_), Some(Ok(run))) => return Ok((run, None)),
        (Err(error), _) => return Err(error),
    };
    let (run, verb) = (row.header.run, row.header.verb.as_str());
    if verb == "play" {
        return Ok((run, Some(row)));
    }
    let hint = match verb {
        "upload" | "download" => {
            format!("give the same `iomsctl {verb}` again: what has arrived is not sent again")
        }
        "run" | "do" | "script" => {
            format!("iomsctl {verb} --rerun failed:{run} goes on with the hosts that are not well")
        }
        _ => "`iomsctl play` is what can be resumed".to_owned(),
    };
    Err(CliError::new(format!("run {run} is no run of playbooks: it was `{verb}`")).hint(hint))
}

async fn look_up(store: &Store, named: Option<&str>) -> Result<RunRow, CliError> {
    if let Some(run) = named {
        return Ok(store.find_run(run).await?);
    }
    let user = crate::target::ssh_config::Local::of_process().user;
    let newest = store.newest_run(&user, Some("play")).await?;
    newest.ok_or_else(|| {
        CliError::new("you have no run of playbooks on record")
            .hint("`iomsctl history list` shows the runs of everybody")
    })
}

/// Why there is nothing to go on with.
fn nothing_left(run: RunId, row: Option<&RunRow>) -> CliError {
    let end = row.and_then(|row| row.end.as_ref());
    let rerun = format!(
        "iomsctl play --rerun failed:{run} runs its playbooks on the hosts that are not well"
    );
    match end {
        Some(end) if end.stopped.is_none() => {
            CliError::new(format!("run {run} came to its end: there is nothing to go on with")).hint(rerun)
        }
        _ => CliError::new(format!(
            "nothing of run {run} is left to go on with: it ended before it began, was stopped by a gate or a \
             rule, is older than 30 days, or could not be kept"
        ))
        .hint(rerun),
    }
}

/// The arguments of the run, with the flags of this one on top.
fn again(args: &Args, setup: &mut Setup, resumed: &Resumed) -> Result<play::Args, CliError> {
    let started = &resumed.started;
    let here = std::env::current_dir()?;
    if here != started.folder {
        let folder = started.folder.display();
        return Err(
            CliError::new(format!("run {} was started in {folder}", resumed.from))
                .hint(format!("cd {folder} && iomsctl resume {}", resumed.from)),
        );
    }
    let cli = Cli::try_parse_from(&started.args);
    let cli = cli.map_err(|_| CliError::new("this version does not know the flags of that run"))?;
    let Verb::Play(mut play) = cli.verb else {
        return Err(CliError::new("that run was none of playbooks"));
    };
    setup.adopt(&cli.globals, &started.inventories)?;
    setup.seen = Seen::noting();
    play.connect(args.connection.clone(), args.vaults.clone());
    play.end_after(args.deadline);
    if let Some(junit) = &args.junit {
        play.report_to(junit.clone());
    }
    Ok(*play)
}
