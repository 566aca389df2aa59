//! Files of the repository on their way: resolved before a run, and after it who was given them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::repo::failed;
use super::{CliError, Setup, database_runtime, records};
use crate::base::clock;
use crate::event::{Consumer, Event, FileAction, RunHeader, Stamped};
use crate::repository::{Entry, Repository};
use crate::transfer::source::Collected;
use crate::transfer::source::EntryKind;

/// Before the name of a file of the repository.
const SCHEME: &str = "repo:";

/// Files of the repository that a run hands out; also a consumer of its events, which sees to whom.
#[derive(Clone, Default)]
pub struct Handed(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    entries: Vec<Entry>,
    header: Option<Arc<RunHeader>>,
    hosts: BTreeMap<usize, Vec<Arc<str>>>,
}

/// One of them, opened.
pub struct Opened {
    pub file: File,
    pub name: String,
    /// As it is shown: `repo:NAME@VERSION`.
    pub shown: String,
}

/// Whether a source is one of the repository.
pub fn is_of_repository(source: &str) -> Option<&str> {
    source.strip_prefix(SCHEME)
}

impl Handed {
    /// Opens the published file of that name.
    pub fn open(&self, setup: &Setup, reference: &str) -> Result<Opened, CliError> {
        database_runtime()?.block_on(async {
            let store = records::open(setup).await?;
            let repository = Repository::open(&setup.data_dir(), store);
            let entry = repository.resolve(reference).await.map_err(failed)?;
            let opened = Opened {
                file: repository.content(&entry).map_err(failed)?,
                name: entry.name.clone(),
                shown: format!("{SCHEME}{}", entry.reference()),
            };
            self.with(|seen| seen.entries.push(entry));
            Ok(opened)
        })
    }

    /// Whether what was read of them is what they are: they were read once more since.
    pub fn is_sound(&self, collected: &Collected) -> Result<(), CliError> {
        self.with(|seen| {
            for entry in &seen.entries {
                let shown = format!("{SCHEME}{}", entry.reference());
                let read = collected.entries.iter().find(|each| *each.shown == *shown);
                if let Some(EntryKind::File(content)) = read.map(|read| &read.kind)
                    && content.sha256()? != crate::base::digest::hex(&entry.sha256)
                {
                    return Err(CliError::new(format!(
                        "{shown}: its content was altered while it was read"
                    )));
                }
            }
            Ok(())
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Seen) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes in the repository who was given what.
    pub fn keep(&self, setup: &Setup) -> Result<(), CliError> {
        let seen = self.with(std::mem::take);
        let Some(header) = seen.header.filter(|_| !seen.hosts.is_empty()) else {
            return Ok(());
        };
        database_runtime()?.block_on(async {
            let store = records::open(setup).await?;
            let repository = Repository::open(&setup.data_dir(), store);
            for (index, hosts) in &seen.hosts {
                if let Some(entry) = seen.entries.get(*index) {
                    let noted = repository.record_fetched(
                        entry,
                        header.run,
                        hosts,
                        &header.user,
                        clock::now(),
                    );
                    noted.await.map_err(failed)?;
                }
            }
            Ok(())
        })
    }
}

impl Consumer for Handed {
    fn consume(&mut self, event: &Stamped) -> io::Result<()> {
        self.with(|seen| match &event.event {
            Event::RunStarted(header) => seen.header = Some(header.clone()),
            Event::HostFinished(host, result) => {
                let name = seen
                    .header
                    .as_ref()
                    .and_then(|header| header.hosts.get(host.index()));
                let Some(name) = name.cloned() else { return };
                for (index, entry) in seen.entries.iter().enumerate() {
                    let shown = format!("{SCHEME}{}", entry.reference());
                    let given = result.files.iter().any(|file| {
                        file.source == shown
                            && matches!(file.action, FileAction::Sent | FileAction::Resumed)
                    });
                    if given {
                        seen.hosts.entry(index).or_default().push(name.clone());
                    }
                }
            }
            _ => {}
        });
        Ok(())
    }
}
