//! `repo add`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{failed, shown};
use crate::base::digest::hex;
use crate::base::quantity::show_size;
use crate::cli::{CliError, Setup, Status};
use crate::repository::{NewEntry, Repository, Source};
use crate::target::ssh_config::Local;

#[derive(Debug, clap::Args)]
pub(super) struct AddArgs {
    /// The file; `-` is standard input, which needs a --name
    file: PathBuf,
    /// What it is called; else as the file
    #[arg(long)]
    name: Option<String>,
    /// Its version; else the next number
    #[arg(long)]
    version: Option<String>,
    /// What there is to note
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Let it be handed out at once
    #[arg(long)]
    publish: bool,
}

pub(super) async fn add(
    setup: &Setup,
    repository: &Repository,
    args: AddArgs,
) -> Result<Status, CliError> {
    let source = if args.file == Path::new("-") {
        Source::Stream(Box::new(std::io::stdin()))
    } else {
        Source::File(args.file)
    };
    let new = NewEntry {
        name: args.name,
        version: args.version,
        note: args.note,
        by: Local::of_process().user,
        publish: args.publish,
    };
    let added = repository.add(source, new).await.map_err(failed)?;
    let entry = &added.entry;
    if setup.json() {
        let mut document = shown::json(entry);
        if let Some(object) = document.as_object_mut() {
            object.insert("new".into(), json!(added.new));
        }
        setup.print_document(&document)?;
        return Ok(Status::OK);
    }
    setup.print(&format!(
        "{}: {}, MD5 {}, {}{}\n",
        entry.reference(),
        show_size(entry.size),
        hex(&entry.md5),
        if entry.published {
            "published"
        } else {
            "not published yet"
        },
        if added.new { "" } else { "; was there already" },
    ))?;
    Ok(Status::OK)
}
