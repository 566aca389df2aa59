//! `repo remove`.

use super::{failed, print_files};
use crate::cli::ask::confirm;
use crate::cli::{CliError, Setup, Status};
use crate::repository::{Entry, Repository};

#[derive(Debug, clap::Args)]
pub(super) struct RemoveArgs {
    /// The files
    #[arg(value_name = "NAME[@VERSION]", required = true)]
    files: Vec<String>,
    /// Answer questions with yes
    #[arg(long)]
    yes: bool,
}

pub(super) async fn remove(
    setup: &Setup,
    repository: &Repository,
    args: &RemoveArgs,
) -> Result<Status, CliError> {
    let mut entries: Vec<Entry> = Vec::new();
    for file in &args.files {
        let entry = repository.find_only(file).await.map_err(failed)?;
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    let names: Vec<String> = entries.iter().map(Entry::reference).collect();
    confirm(&format!("Remove {}?", names.join(", ")), args.yes)?;
    for entry in &entries {
        repository.remove(entry).await.map_err(failed)?;
    }
    if setup.json() {
        print_files(setup, &entries)?;
    } else {
        for name in &names {
            setup.print(&format!("{name}: removed\n"))?;
        }
    }
    Ok(Status::OK)
}
