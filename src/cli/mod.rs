//! The command line: one file a verb, each with its arguments and the few lines that call the
//! library. The only place where errors of the library become messages and exit statuses.

mod error;
mod globals;
mod verbs;

pub mod config_show;
pub mod connection;
pub mod db;
pub mod history;
pub mod hostkeys;
pub mod inventory;

use std::process::ExitCode;

use clap::Parser;

pub use error::{CliError, Status};
pub use globals::{Globals, OutputForm};
use verbs::Verb;

/// Agentless fleet orchestrator: run commands on hundreds to tens of thousands of servers over SSH
/// and WinRM, with every command and result on record.
#[derive(Debug, Parser)]
#[command(
    name = "iomsctl",
    version,
    max_term_width = 100,
    propagate_version = true
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
