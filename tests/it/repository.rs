//! The file repository: what is handed out is what was added, whole, whoever adds, removes, alters
//! or dies meanwhile; on SQLite and on MariaDB alike.

mod altered;
mod cut_short;
mod names;
mod promises;

use std::path::{Path, PathBuf};
use std::process::Command;

use ioms::repository::Repository;
use ioms::store::{DatabaseUrl, Store};
use ioms_fleet::MariaDb;
use serde_json::Value;

use crate::support::{Desk, Ran, mariadb, on_both};

/// A desk with a repository, and where its record is.
struct Bed {
    desk: Desk,
    server: Option<(MariaDb, String)>,
}

impl Bed {
    fn sqlite() -> Self {
        Self {
            desk: Desk::new(),
            server: None,
        }
    }

    async fn mariadb() -> Self {
        Self {
            desk: Desk::new(),
            server: Some(mariadb().await),
        }
    }

    fn data(&self) -> PathBuf {
        self.desk.dir.path().join("data")
    }

    fn url(&self) -> DatabaseUrl {
        match &self.server {
            Some((_, url)) => DatabaseUrl::parse(url).unwrap(),
            None => DatabaseUrl::in_folder(&self.data()),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.desk.command(args);
        if let Some((_, url)) = &self.server {
            command.env("IOMS_DATABASE", url);
        }
        command
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args))
    }

    /// The document of a `repo` verb.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[&["--output", "json", "repo"], args].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// Adds a file of this content under its name.
    #[track_caller]
    fn add(&self, name: &str, content: impl AsRef<[u8]>, more: &[&str]) -> Ran {
        let file = self.desk.file(&format!("sources/{name}"), content);
        let file = file.to_str().unwrap();
        self.run(&[&["repo", "add", file], more].concat())
    }

    async fn repository(&self) -> Repository {
        let store = Store::open(&self.url()).await.unwrap();
        Repository::open(&self.data(), store)
    }

    /// `name@version` of all entries.
    fn listed(&self) -> Vec<String> {
        self.json(&["list"])["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| {
                format!(
                    "{}@{}",
                    file["name"].as_str().unwrap(),
                    file["version"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// The files in the store: those of the contents.
    fn contents(&self) -> Vec<PathBuf> {
        files(&self.data().join("repository/sha256"))
    }

    /// What is on its way into the store.
    fn incoming(&self) -> Vec<PathBuf> {
        files(&self.data().join("repository/incoming"))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap())
        .flat_map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                files(&entry.path())
            } else {
                vec![entry.path()]
            }
        })
        .collect();
    found.sort();
    found
}

on_both! { "the file repository on MariaDB":
    a_file_is_listed_with_its_digests_and_stored_once
    only_what_is_published_is_handed_out
    versions_are_counted_on_and_no_content_is_overwritten
    files_added_at_once_by_several_processes_are_all_there_whole
    what_one_adds_another_may_remove_at_the_same_time
    who_was_given_a_file_is_on_record
}
