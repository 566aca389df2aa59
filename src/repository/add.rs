//! Adding a file: copied and hashed in one pass into a part file, on the disk before it is placed,
//! placed before it is on record, on record before it is published. Whatever cuts this short, no
//! entry is there that is not whole.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::RepositoryError;
use super::incoming::{Incoming, Part, open_source, state_of};
use super::lock::Lock;
use super::name::{check_name, check_version, next_version};
use super::reading::Digests;
use super::work::{Entry, Repository, aside};
use crate::base::clock;
use crate::base::digest::hex;
use crate::store::FileRow;

/// A note, in bytes at most.
const NOTE_MAX: usize = 4096;
/// Tries at a version that nobody else has taken meanwhile.
const TRIES: usize = 100;

/// Where the content comes from.
pub enum Source {
    /// A regular file, itself or by a link.
    File(PathBuf),
    /// Read to its end, without a name.
    Stream(Box<dyn Read + Send>),
}

/// What an entry shall be.
#[derive(Debug, Clone, Default)]
pub struct NewEntry {
    /// Its name; the source's where none is given.
    pub name: Option<String>,
    /// Its version; the next number where none is given.
    pub version: Option<String>,
    /// What there is to note.
    pub note: Option<String>,
    /// Who adds it.
    pub by: String,
    /// Whether it may be handed out at once.
    pub publish: bool,
}

/// What was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The entry.
    pub entry: Entry,
    /// Whether it is new; else it was there with this very content.
    pub new: bool,
}

impl Repository {
    /// Adds a file. The same name and version with the same content is no error; nor is the same
    /// name without a version, where the newest has this content.
    pub async fn add(&self, source: Source, new: NewEntry) -> Result<Added, RepositoryError> {
        let name = name_of(&source, &new)?;
        if let Some(version) = &new.version {
            check_version(version)?;
        }
        let note = new.note.as_ref().map_or(0, String::len);
        if note > NOTE_MAX {
            return Err(RepositoryError::Note(note));
        }
        let part = self.part().await?;
        let (part, digests) = aside(move || receive(part, source)).await?;
        let mut added = self.settle_in(part, &digests, &name, &new).await?;
        if new.publish && !added.entry.published {
            added.entry = self.publish(&added.entry).await?;
        }
        Ok(added)
    }

    async fn part(&self) -> Result<Part, RepositoryError> {
        let lock = self.lock(Lock::at_best_alone).await?;
        let incoming = Incoming::open(&self.contents)?;
        if lock.alone {
            self.settle(&incoming).await?;
        }
        incoming.part()
    }

    /// Places a part and puts it on record, with the repository to itself.
    async fn settle_in(
        &self,
        mut part: Part,
        digests: &Digests,
        name: &str,
        new: &NewEntry,
    ) -> Result<Added, RepositoryError> {
        let _lock = self.lock(Lock::alone).await?;
        self.settle(part.incoming()).await?;
        let there = self.already(digests, name, new).await?;
        part.incoming().mark(&digests.sha256)?;
        let placed = part.place(&self.contents, &digests.sha256);
        let done = match (placed, there) {
            (Ok(()), Some(entry)) => Ok(Added { entry, new: false }),
            (Ok(()), None) => self.put_on_record(digests, name, new).await,
            (Err(error), _) => Err(error),
        };
        // Where the record was not to be had, the content goes again, or stays marked until it is.
        let settled = self.settle(part.incoming()).await;
        done.and_then(|added| settled.map(|()| added))
    }

    /// The entry that this would be, where it is there already.
    async fn already(
        &self,
        digests: &Digests,
        name: &str,
        new: &NewEntry,
    ) -> Result<Option<Entry>, RepositoryError> {
        let row = match &new.version {
            Some(version) => self.store.file(name, version).await?,
            None => self.store.files(Some(name)).await?.into_iter().next(),
        };
        let Some(row) = row else { return Ok(None) };
        let entry = self.entry(row)?;
        if entry.digests() == *digests {
            return Ok(Some(entry));
        }
        match new.version {
            Some(_) => Err(RepositoryError::Taken(entry.reference())),
            None => Ok(None),
        }
    }

    async fn put_on_record(
        &self,
        digests: &Digests,
        name: &str,
        new: &NewEntry,
    ) -> Result<Added, RepositoryError> {
        let mut tried = name.to_owned();
        // Another controller may have the same database.
        for _ in 0..TRIES {
            let version = if let Some(version) = &new.version {
                version.clone()
            } else {
                let rows = self.store.files(Some(name)).await?;
                next_version(rows.iter().map(|row| row.version.as_str()))
            };
            let row = FileRow {
                id: 0,
                name: name.to_owned(),
                version,
                size: digests.size,
                md5: hex(&digests.md5),
                sha256: hex(&digests.sha256),
                published: false,
                added: clock::now(),
                by: new.by.clone(),
                note: new.note.clone(),
                fetched: 0,
            };
            if self.store.add_file(&row).await?
                && let Some(row) = self.store.file(&row.name, &row.version).await?
            {
                let entry = self.entry(row)?;
                return Ok(Added { entry, new: true });
            }
            tried = format!("{name}@{}", row.version);
            if new.version.is_some() {
                break;
            }
        }
        Err(RepositoryError::Taken(tried))
    }
}

/// The name that was given, else the source's.
fn name_of(source: &Source, new: &NewEntry) -> Result<String, RepositoryError> {
    let name = match (&new.name, source) {
        (Some(name), _) => name.clone(),
        (None, Source::File(path)) => path
            .file_name()
            .and_then(|name| name.to_str())
            .map(str::to_owned)
            .ok_or_else(|| RepositoryError::Nameless(path.display().to_string()))?,
        (None, Source::Stream(_)) => return Err(RepositoryError::Nameless("-".into())),
    };
    check_name(&name)?;
    Ok(name)
}

/// Takes a source in; one that is written to meanwhile is refused.
fn receive(mut part: Part, source: Source) -> Result<(Part, Digests), RepositoryError> {
    let digests = match source {
        Source::File(path) => {
            let mut file = open_source(&path)?;
            let before = state_of(&file, &path)?;
            let digests = part.receive(&mut file, &path)?;
            if state_of(&file, &path)? != before || digests.size != before.0 {
                return Err(RepositoryError::Changed(path));
            }
            digests
        }
        Source::Stream(mut stream) => part.receive(&mut stream, Path::new("standard input"))?,
    };
    Ok((part, digests))
}
