//! `iomsctl download`: files and folders from many hosts.

use std::path::PathBuf;
use std::sync::Arc;

use super::ask::confirm;
use super::connection::ConnectionArgs;
use super::execution::{LimitArgs, OutputArgs};
use super::perform::{self, Work};
use super::rerun::RerunArgs;
use super::selection::SelectionArgs;
use super::standard_input::has_one_reader;
use super::transfer::TransferArgs;
use super::vaults::VaultArgs;
use super::{CliError, Globals, Setup, Status};
use crate::engine;
use crate::shell::quote;
use crate::transfer::Act;
use crate::transfer::download::{Download, DownloadOptions};

const EXAMPLES: &str = "\
Examples:
  iomsctl download -g web /etc/nginx/nginx.conf configs     configs/HOST/nginx.conf
  iomsctl download -g web -b /var/log/app logs              logs/HOST/app/...
  iomsctl download -g web /var/log/app/ logs                logs/HOST/...
  iomsctl download -g web '/var/log/*.log' logs             the host's shell expands the pattern
  iomsctl download -g web --verify /etc/hosts configs
  iomsctl download -g web --check --diff /etc/hosts configs
  iomsctl download -g windows 'D:\\game\\日志\\' logs

Each host's files go into a folder of its own, and never outside it, whatever names the host sends.
Only what differs is fetched, compared with what the host says of it, then put in its place. What
broke off goes on where it was.";

/// Arguments of `download`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = EXAMPLES,
    mut_arg("forks", |arg| arg.help(super::transfer::FORKS)),
    mut_arg("timeout", |arg| arg.help(super::transfer::TIMEOUT)),
    mut_arg("idle_timeout", |arg| arg.help(super::transfer::IDLE_TIMEOUT)),
)]
pub struct Args {
    /// What is fetched: a file, a folder, a pattern in quotes; with a slash at its end a folder's
    /// content
    #[arg(value_name = "SRC")]
    source: String,
    /// The folder that gets a folder for each host
    #[arg(value_name = "DEST")]
    dest: PathBuf,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    rerun: RerunArgs,
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    transfer: TransferArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    vaults: VaultArgs,
}

/// How files are put here.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Files here")]
struct FileArgs {
    /// Keep times of change
    #[arg(long)]
    times: bool,
    /// Keep what is replaced, beside it: NAME.2026-11-25@08:00:00~
    #[arg(long)]
    backup: bool,
    /// Remove what is in the host's folder here and not there
    #[arg(long)]
    delete: bool,
    /// Show how texts differ
    #[arg(short = 'D', long)]
    diff: bool,
}

impl Args {
    fn options(&self) -> DownloadOptions {
        DownloadOptions {
            times: self.files.times,
            backup: self.files.backup.then(super::transfer::backup_ending),
            force: self.transfer.force,
            follow: self.transfer.follow,
            delete: self.files.delete,
            algorithm: self.transfer.algorithm(),
            act: self.transfer.act(),
            diff: self.files.diff,
            unchecked: false,
        }
    }
}

/// Does it.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let mut setup = Setup::new(globals)?;
    has_one_reader(&[&args.selection, &args.connection, &args.vaults])?;
    let pattern = args.selection.group.clone();
    if pattern.is_none() && !args.rerun.wanted() {
        return Err(CliError::new("which hosts? no pattern was given")
            .hint("iomsctl download -g PATTERN SRC DEST"));
    }
    if args.source.is_empty() || args.source.contains('\0') {
        return Err(CliError::new("SRC is no name of a file"));
    }
    if args.dest.exists() && !args.dest.is_dir() {
        let why = format!("{} is no folder", args.dest.display());
        return Err(CliError::new(why).hint("DEST gets a folder for each host"));
    }
    if args.files.delete && args.source.contains(['*', '?', '[']) {
        return Err(
            CliError::new("--delete takes no pattern, for SRC is to be one folder")
                .hint("SRC is the folder to be mirrored, or its content: /srv/site, /srv/site/"),
        );
    }
    let shown = [
        args.source.clone(),
        args.dest.to_string_lossy().into_owned(),
    ];
    let earlier = args.rerun.look_up(&mut setup)?;
    let (fleet, pattern, chosen) = super::rerun::fleet_and_hosts(
        &setup,
        &args.vaults,
        &args.selection,
        pattern.as_deref(),
        earlier.as_ref(),
    )?;
    let acts = args.transfer.act() == Act::Send && !args.output.dry_run && !args.output.list_hosts;
    if args.files.delete && acts {
        let question = format!(
            "remove from {} what the hosts have not?",
            args.dest.display()
        );
        confirm(&question, args.output.yes)?;
    }
    let order = Download {
        source: args.source.clone(),
        dest: args.dest.clone(),
        options: args.options(),
        meter: args.transfer.meter(),
    };
    perform::perform(
        &setup,
        Work {
            verb: "download",
            command: Some(quote::words(&shown)),
            pattern,
            chosen,
            task: engine::Work::Download(Arc::new(order)),
            fleet,
            connection: &args.connection,
            limits: &args.limits,
            output: &args.output,
            overrides: args.transfer.overrides()?,
            listener: None,
        },
    )
}
