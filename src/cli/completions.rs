//! `iomsctl completions` and `iomsctl man`: what shells and `man` need, made from the arguments.

use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, CliError, Globals, Status};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl completions bash > ~/.local/share/bash-completion/completions/iomsctl"
)]
pub struct CompletionsArgs {
    /// The shell
    pub for_shell: Shell,
}

/// Prints a completion script.
pub fn completions(args: &CompletionsArgs, _globals: &Globals) -> Result<Status, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.for_shell, &mut Cli::command(), "iomsctl", &mut script);
    super::print(&String::from_utf8_lossy(&script))?;
    Ok(Status::OK)
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  iomsctl man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// The folder to write the pages to
    pub folder: PathBuf,
}

/// Writes the manual pages, one a verb.
pub fn man(args: &ManArgs, _globals: &Globals) -> Result<Status, CliError> {
    std::fs::create_dir_all(&args.folder)?;
    clap_mangen::generate_to(Cli::command(), &args.folder)?;
    Ok(Status::OK)
}
