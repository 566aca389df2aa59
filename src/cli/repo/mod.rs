//! `iomsctl repo`: the files that hosts may be given: added, looked at, published, removed.

mod add;
mod remove;
mod shown;
mod verify;

use std::fmt::Write as _;

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::{CliError, Globals, Setup, Status, records};
use crate::base::clock::{self, rfc3339};
use crate::base::text::terminal_safe;
use crate::repository::{Entry, Repository, RepositoryError};

/// Its verbs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl repo add game-2.4.zip --name game.zip --version 2.4 --publish\n  iomsctl repo list\n  iomsctl repo verify --rehash\n  iomsctl repo remove game.zip@2.3\n\nA file is named NAME, which means its newest published version, or NAME@VERSION. Only published\nfiles are handed out."
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a file: copied, hashed, and stored once however often it is added
    #[command(
        // `--version` is the file's.
        disable_version_flag = true,
        after_help = "Examples:\n  iomsctl repo add game-2.4.zip --publish\n  iomsctl repo add '更新 文件.zip' --name update.zip --version 2.4 --note 'hotfix 17'\n  tar -cz server | iomsctl repo add - --name server.tar.gz"
    )]
    Add(add::AddArgs),
    /// List all files, the newest of each name first
    #[command(after_help = "Examples:\n  iomsctl repo list\n  iomsctl repo list --output json")]
    List,
    /// Show a file: its digests, its note, and which hosts were given it
    #[command(
        after_help = "Examples:\n  iomsctl repo show game.zip\n  iomsctl repo show game.zip@2.4 --output json"
    )]
    Show(OneArgs),
    /// Look whether the contents are what was added; altered ones are no longer published
    #[command(
        after_help = "Examples:\n  iomsctl repo verify\n  iomsctl repo verify game.zip@2.4 --rehash\n\nWithout --rehash contents are read that have been written to since they were added, of the others\nonly their presence and size are looked at. The exit status is 2 when something is wrong."
    )]
    Verify(verify::VerifyArgs),
    /// Remove files, and contents that no other file has
    #[command(
        after_help = "Examples:\n  iomsctl repo remove game.zip@2.3\n  iomsctl repo remove old.zip game.zip@2.2 --yes\n\nNAME alone is enough where there is one version."
    )]
    Remove(remove::RemoveArgs),
    /// Let files be handed out, once their contents were read again and are what was added
    #[command(
        after_help = "Examples:\n  iomsctl repo publish game.zip@2.4\n\nNAME alone means the newest version."
    )]
    Publish(ManyArgs),
    /// Let files no longer be handed out
    #[command(
        after_help = "Examples:\n  iomsctl repo unpublish game.zip@2.4\n\nNAME alone means the newest published version."
    )]
    Unpublish(ManyArgs),
}

#[derive(Debug, clap::Args)]
struct OneArgs {
    /// The file
    #[arg(value_name = "NAME[@VERSION]")]
    file: String,
}

#[derive(Debug, clap::Args)]
struct ManyArgs {
    /// The files
    #[arg(value_name = "NAME[@VERSION]", required = true)]
    files: Vec<String>,
}

/// Does it.
pub fn execute(args: Args, globals: &Globals) -> Result<Status, CliError> {
    let setup = Setup::new(globals)?;
    super::database_runtime()?.block_on(async {
        let store = records::open(&setup).await?;
        let repository = Repository::open(&setup.data_dir(), store);
        match args.verb {
            Verb::Add(args) => add::add(&setup, &repository, args).await,
            Verb::List => list(&setup, &repository).await,
            Verb::Show(args) => show(&setup, &repository, &args.file).await,
            Verb::Verify(args) => verify::verify(&setup, &repository, &args).await,
            Verb::Remove(args) => remove::remove(&setup, &repository, &args).await,
            Verb::Publish(args) => publish(&setup, &repository, &args.files).await,
            Verb::Unpublish(args) => unpublish(&setup, &repository, &args.files).await,
        }
    })
}

/// An error of the repository, with what helps.
pub(in crate::cli) fn failed(error: RepositoryError) -> CliError {
    let hint = error.hint();
    let mut shown = CliError::from(error);
    shown.hint = hint;
    shown
}

async fn list(setup: &Setup, repository: &Repository) -> Result<Status, CliError> {
    let entries = repository.entries().await.map_err(failed)?;
    if setup.json() {
        print_files(setup, &entries)?;
    } else if entries.is_empty() {
        setup.print("no files in the repository\n")?;
    } else {
        setup.print(&shown::table(&entries))?;
    }
    Ok(Status::OK)
}

/// `{"files": […]}`.
fn print_files(setup: &Setup, entries: &[Entry]) -> Result<(), CliError> {
    let files: Vec<Json> = entries.iter().map(shown::json).collect();
    setup.print_document(&json!({ "files": files }))
}

async fn show(setup: &Setup, repository: &Repository, file: &str) -> Result<Status, CliError> {
    let entry = repository.find(file).await.map_err(failed)?;
    let fetches = repository.fetches(&entry).await.map_err(failed)?;
    if setup.json() {
        let mut document = shown::json(&entry);
        let fetches: Vec<Json> = fetches
            .iter()
            .map(|each| json!({ "run": each.run, "host": each.host, "at": rfc3339(each.at), "by": each.by }))
            .collect();
        if let Some(object) = document.as_object_mut() {
            object.insert("content".into(), json!(entry.path));
            object.insert("fetches".into(), json!(fetches));
        }
        setup.print_document(&document)?;
        return Ok(Status::OK);
    }
    let mut text = shown::details(&entry);
    for each in &fetches {
        let _ = writeln!(
            text,
            "fetched    {}  {} by {} in run {}",
            clock::local(each.at),
            terminal_safe(&each.host),
            terminal_safe(&each.by),
            each.run
        );
    }
    setup.print(&text)?;
    Ok(Status::OK)
}

async fn publish(
    setup: &Setup,
    repository: &Repository,
    files: &[String],
) -> Result<Status, CliError> {
    let mut done = Vec::new();
    // All are known before the first is published.
    for file in files {
        done.push(repository.find_newest(file).await.map_err(failed)?);
    }
    for entry in &mut done {
        *entry = repository.publish(entry).await.map_err(failed)?;
    }
    say_done(setup, &done, "published")
}

async fn unpublish(
    setup: &Setup,
    repository: &Repository,
    files: &[String],
) -> Result<Status, CliError> {
    let mut done = Vec::new();
    for file in files {
        done.push(repository.find(file).await.map_err(failed)?);
    }
    for entry in &mut done {
        *entry = repository.unpublish(entry).await.map_err(failed)?;
    }
    say_done(setup, &done, "no longer published")
}

fn say_done(setup: &Setup, done: &[Entry], what: &str) -> Result<Status, CliError> {
    if setup.json() {
        print_files(setup, done)?;
    } else {
        for entry in done {
            setup.print(&format!("{}: {what}\n", entry.reference()))?;
        }
    }
    Ok(Status::OK)
}
