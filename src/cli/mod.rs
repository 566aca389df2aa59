//! The command line: one file a verb, each with its arguments and the few lines that call the
//! library. The only place where errors of the library become messages and exit statuses.

#![allow(
    unreachable_pub,
    reason = "the rooms of the command line are private; `pub` says what each shows to the others"
)]

pub mod ad_hoc;
mod allocator;
mod ask;
mod codepages;
mod columns;
mod controller;
mod error;
mod execution;
mod extra_vars;
mod facts;
mod fleet;
mod globals;
mod handed;
mod history_diff;
mod identities;
mod inventory_document;
mod keys;
mod listeners;
mod logging;
mod look_up;
mod operands;
mod perform;
mod playbooks;
mod records;
mod rerun;
mod selection;
mod setup;
mod signals;
mod standard_input;
mod targets;
mod transfer;
mod vaults;
mod verbs;
mod work;

pub mod completions;
pub mod config_show;
pub mod connection;
pub mod db;
pub mod doc;
pub mod doctor;
pub mod download;
pub mod history;
pub mod hostkeys;
pub mod inventory;
pub mod lint;
pub mod ping;
pub mod play;
pub mod repo;
pub mod resume;
pub mod run;
pub mod script;
pub mod upload;
pub mod vault;

use std::process::ExitCode;

use clap::Parser;

pub use error::{CliError, Status};
pub use globals::{Globals, Output, OutputForm};
pub use setup::Setup;
use verbs::Verb;

const EXAMPLES: &str = "\
Examples:
  iomsctl ping -g all
  iomsctl run -g web 'uptime'
  iomsctl script -g 'web:&idc_a' deploy.sh v1.2.3
  iomsctl upload -g web site/ /srv/site
  iomsctl run --rerun failed
  iomsctl inventory graph
  iomsctl history list --since 2h

Every verb has examples of its own: iomsctl run --help";

/// Agentless fleet orchestrator: run commands on hundreds to tens of thousands of servers over SSH
/// and WinRM, with every command and result on record.
#[derive(Debug, Parser)]
#[command(
    name = "iomsctl",
    version,
    max_term_width = 100,
    propagate_version = true,
    after_help = EXAMPLES
)]
pub struct Cli {
    /// The flags of every verb.
    #[command(flatten)]
    pub globals: Globals,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Runs the program: the whole of `main`.
pub fn main() -> ExitCode {
    allocator::keep_few_heaps();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    match cli.verb.execute(&cli.globals) {
        Ok(status) => status.into(),
        Err(error) => {
            error.show();
            ExitCode::from(error.status)
        }
    }
}

/// Writes to standard output; that nobody reads any more is no error.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    print_bytes(text.as_bytes())
}

/// The same, of what need not be text.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), CliError> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A file named within an argument, where no shell reads `~`.
pub(crate) fn named_file(text: &str) -> std::path::PathBuf {
    crate::target::ssh_config::Local::of_process().expand_home(text)
}

/// For verbs that only ask the database.
pub(crate) fn database_runtime() -> Result<tokio::runtime::Runtime, CliError> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}
