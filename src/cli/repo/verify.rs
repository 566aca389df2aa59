//! `repo verify`.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::failed;
use crate::cli::{CliError, Setup, Status};
use crate::repository::{Entry, Health, Repository, Verified};

#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// The files; NAME alone means all its versions, none means all files
    #[arg(value_name = "NAME[@VERSION]")]
    files: Vec<String>,
    /// Read every content to its end
    #[arg(long)]
    rehash: bool,
}

pub(super) async fn verify(
    setup: &Setup,
    repository: &Repository,
    args: &VerifyArgs,
) -> Result<Status, CliError> {
    let entries = chosen(repository, &args.files).await?;
    let verified = repository
        .verify(&entries, args.rehash)
        .await
        .map_err(failed)?;
    let wrong = verified
        .iter()
        .filter(|each| each.health != Health::Ok)
        .count();
    if setup.json() {
        let files: Vec<Json> = verified.iter().map(as_json).collect();
        setup.print_document(&json!({ "files": files }))?;
    } else {
        let mut text: String = verified.iter().map(line).collect();
        let _ = writeln!(
            text,
            "{} files: {wrong} not as they were added",
            verified.len()
        );
        setup.print(&text)?;
    }
    Ok(if wrong > 0 { Status(2) } else { Status::OK })
}

async fn chosen(repository: &Repository, files: &[String]) -> Result<Vec<Entry>, CliError> {
    if files.is_empty() {
        return repository.entries().await.map_err(failed);
    }
    let mut entries: Vec<Entry> = Vec::new();
    for file in files {
        for entry in repository.find_all(file).await.map_err(failed)? {
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

fn words(health: &Health) -> (&'static str, Option<&str>) {
    match health {
        Health::Ok => ("ok", None),
        Health::Missing => ("missing", None),
        Health::Altered(why) => ("altered", Some(why)),
    }
}

fn as_json(each: &Verified) -> Json {
    let (state, why) = words(&each.health);
    json!({
        "name": each.entry.name, "version": each.entry.version, "state": state, "why": why,
        "published": each.entry.published,
    })
}

fn line(each: &Verified) -> String {
    let (state, why) = words(&each.health);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let withdrawn = if each.withdrawn {
        "; no longer published"
    } else {
        ""
    };
    format!("{:8} {}{why}{withdrawn}\n", state, each.entry.reference())
}
