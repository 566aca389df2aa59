//! `iomsctl lint`: what of a repository of playbooks works here.

use std::path::PathBuf;
use std::sync::Arc;

use super::ask::Terminal;
use super::playbooks;
use super::vaults::VaultArgs;
use super::{CliError, Globals, Setup, Status};
use crate::base::prompt::Prompt;
use crate::playbook;

const EXAMPLES: &str = "\
Examples:
  iomsctl lint
  iomsctl lint site.yml roles/web
  iomsctl lint --output json . | jq .summary

Ends with 2 where an error is found: something that `iomsctl play` would refuse.";

/// Flags of `lint`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Playbooks, roles, files of tasks, or folders of them
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    vaults: VaultArgs,
}

/// Does it.
pub fn execute(args: &Args, globals: &Globals) -> Result<Status, CliError> {
    let setup = Setup::new(globals)?;
    let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
    let vault = Arc::new(args.vaults.vault(&setup.settings, &prompt));
    let mut options = playbooks::options(&setup, vault.clone());
    // A vault that can't be opened hides values, not tasks: it is passed over.
    options.vault = Some(Arc::new(move |text| {
        Ok(vault
            .decrypt(text)
            .map(|secret| secret.expose().to_owned())
            .unwrap_or_default())
    }));
    let report = playbook::lint(&args.paths, options);
    if setup.json() {
        setup.print_document(&report.document())?;
    } else {
        setup.print(&report.text())?;
    }
    Ok(if report.failed() {
        Status(2)
    } else {
        Status::OK
    })
}
