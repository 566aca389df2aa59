//! The repository: finding entries, handing them out, publishing and removing them.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::contents::Contents;
use super::error::RepositoryError;
use super::incoming::Incoming;
use super::lock::Lock;
use super::name::{Reference, check_name, check_version};
use super::reading::{Digests, unhex};
use super::verify::Health;
use crate::base::digest::{ContentDigest, hex};
use crate::base::id::RunId;
use crate::base::nearest::nearest;
use crate::store::{Fetch, FileRow, Store, StoreError};

/// A file of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(super) id: i64,
    /// Its name: a file's name, without folders.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Its MD5.
    pub md5: [u8; 16],
    /// Its SHA-256.
    pub sha256: ContentDigest,
    /// Whether it may be handed out.
    pub published: bool,
    /// Since when it is there.
    pub added: Timestamp,
    /// Who added it.
    pub by: String,
    /// What was noted.
    pub note: Option<String>,
    /// How many hosts were given it.
    pub fetched: u64,
    /// Where its content is; [`Repository::content`] opens it.
    pub path: PathBuf,
}

impl Entry {
    /// `NAME@VERSION`.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    pub(super) fn digests(&self) -> Digests {
        Digests {
            size: self.size,
            md5: self.md5,
            sha256: self.sha256,
        }
    }

    /// What is wrong with its content, as an error.
    fn unsound(&self, health: Health) -> Result<(), RepositoryError> {
        match health {
            Health::Ok => Ok(()),
            Health::Missing => Err(RepositoryError::Missing(self.reference())),
            Health::Altered(why) => Err(RepositoryError::Altered {
                entry: self.reference(),
                why,
            }),
        }
    }
}

/// The repository of a data folder and its database.
#[derive(Debug, Clone)]
pub struct Repository {
    pub(super) contents: Contents,
    pub(super) store: Store,
}

impl Repository {
    /// In this data folder. Touches nothing yet.
    pub fn open(data_dir: &Path, store: Store) -> Self {
        Self {
            contents: Contents::of(data_dir),
            store,
        }
    }

    /// All entries: by name, the newest first.
    pub async fn entries(&self) -> Result<Vec<Entry>, RepositoryError> {
        let rows = self.store.files(None).await?;
        rows.into_iter().map(|row| self.entry(row)).collect()
    }

    /// The entry that may be handed out under `NAME[@VERSION]`: without a version, the newest that
    /// is published. Its content was read to its end and is what was added.
    pub async fn resolve(&self, reference: &str) -> Result<Entry, RepositoryError> {
        let found = self.named(reference).await?;
        let entry =
            match &found {
                Named::Entry(entry) if entry.published => entry,
                Named::Entry(entry) => return Err(RepositoryError::Unpublished(entry.reference())),
                Named::Versions(entries) => entries
                    .iter()
                    .find(|entry| entry.published)
                    .ok_or_else(|| match entries.as_slice() {
                        [only] => RepositoryError::Unpublished(only.reference()),
                        _ => RepositoryError::Unpublished(format!("no version of {reference}")),
                    })?,
            };
        self.examine(entry, true)
            .await
            .and_then(|health| entry.unsound(health))?;
        Ok(entry.clone())
    }

    /// The entry that `NAME[@VERSION]` means to people: without a version, the newest that is
    /// published, else the newest.
    pub async fn find(&self, reference: &str) -> Result<Entry, RepositoryError> {
        Ok(match self.named(reference).await? {
            Named::Entry(entry) => entry,
            Named::Versions(entries) => {
                let at = entries.iter().position(|entry| entry.published);
                Self::nth(entries, at.unwrap_or(0), reference)?
            }
        })
    }

    /// All entries that `NAME[@VERSION]` means: without a version, every version.
    pub async fn find_all(&self, reference: &str) -> Result<Vec<Entry>, RepositoryError> {
        Ok(match self.named(reference).await? {
            Named::Entry(entry) => vec![entry],
            Named::Versions(entries) => entries,
        })
    }

    /// The newest entry of a name, or the one of that version.
    pub async fn find_newest(&self, reference: &str) -> Result<Entry, RepositoryError> {
        match self.named(reference).await? {
            Named::Entry(entry) => Ok(entry),
            Named::Versions(entries) => Self::nth(entries, 0, reference),
        }
    }

    /// The entry that `NAME[@VERSION]` can only mean: without a version, the only one of the name.
    pub async fn find_only(&self, reference: &str) -> Result<Entry, RepositoryError> {
        match self.named(reference).await? {
            Named::Entry(entry) => Ok(entry),
            Named::Versions(entries) if entries.len() == 1 => Self::nth(entries, 0, reference),
            Named::Versions(entries) => Err(RepositoryError::Several {
                name: reference.to_owned(),
                known: entries.into_iter().map(|entry| entry.version).collect(),
            }),
        }
    }

    fn nth(entries: Vec<Entry>, at: usize, reference: &str) -> Result<Entry, RepositoryError> {
        let unknown = || RepositoryError::Unknown {
            name: reference.to_owned(),
            nearest: None,
        };
        entries.into_iter().nth(at).ok_or_else(unknown)
    }

    /// Opens the content of an entry: a file of the store of the right size, never what a link
    /// leads to. What is read from it has still to be compared with the entry's digests.
    pub fn content(&self, entry: &Entry) -> Result<File, RepositoryError> {
        match self.contents.open_checked(&entry.sha256, entry.size)? {
            Ok(file) => Ok(file),
            Err(health) => Err(entry
                .unsound(health)
                .err()
                .unwrap_or_else(|| RepositoryError::Missing(entry.reference()))),
        }
    }

    /// Lets an entry be handed out, once its content was read again and is what was added.
    pub async fn publish(&self, entry: &Entry) -> Result<Entry, RepositoryError> {
        let _lock = self.lock(Lock::shared).await?;
        let entry = self.again(entry).await?;
        self.examine(&entry, true)
            .await
            .and_then(|health| entry.unsound(health))?;
        self.store.publish_file(entry.id, true).await?;
        Ok(Entry {
            published: true,
            ..entry
        })
    }

    /// Lets an entry no longer be handed out.
    pub async fn unpublish(&self, entry: &Entry) -> Result<Entry, RepositoryError> {
        let entry = self.again(entry).await?;
        self.store.publish_file(entry.id, false).await?;
        Ok(Entry {
            published: false,
            ..entry
        })
    }

    /// Removes an entry, and its content when no other entry has it.
    pub async fn remove(&self, entry: &Entry) -> Result<(), RepositoryError> {
        let _lock = self.lock(Lock::alone).await?;
        let incoming = Incoming::open(&self.contents)?;
        self.settle(&incoming).await?;
        incoming.mark(&entry.sha256)?;
        self.store.remove_file(entry.id).await?;
        self.settle(&incoming).await
    }

    /// Who was given an entry, the newest first.
    pub async fn fetches(&self, entry: &Entry) -> Result<Vec<Fetch>, RepositoryError> {
        Ok(self.store.fetches(entry.id).await?)
    }

    /// Notes that a run gave an entry to these hosts.
    pub async fn record_fetched(
        &self,
        entry: &Entry,
        run: RunId,
        hosts: &[Arc<str>],
        by: &str,
        at: Timestamp,
    ) -> Result<(), RepositoryError> {
        let run = run.to_string();
        Ok(self
            .store
            .add_fetches(entry.id, &run, hosts, by, at)
            .await?)
    }

    /// Clears what processes left behind that died in the middle: parts that nobody writes, and
    /// marked contents that no entry has. To be called with the repository to oneself.
    pub(super) async fn settle(&self, incoming: &Incoming) -> Result<(), RepositoryError> {
        for sha256 in incoming.sweep()? {
            if !self.store.has_content(&hex(&sha256)).await? {
                self.contents.remove(&sha256)?;
            }
            incoming.unmark(&sha256)?;
        }
        Ok(())
    }

    /// The lock, waited for without holding up other work.
    pub(super) async fn lock(
        &self,
        take: fn(&Path) -> Result<Lock, RepositoryError>,
    ) -> Result<Lock, RepositoryError> {
        let contents = self.contents.clone();
        aside(move || {
            contents.make()?;
            take(&contents.root)
        })
        .await
    }

    pub(super) async fn examine(
        &self,
        entry: &Entry,
        rehash: bool,
    ) -> Result<Health, RepositoryError> {
        let (contents, digests) = (self.contents.clone(), entry.digests());
        aside(move || contents.examine(&digests, rehash)).await
    }

    /// The entry as it is by now.
    async fn again(&self, entry: &Entry) -> Result<Entry, RepositoryError> {
        let row = self.store.file(&entry.name, &entry.version).await?;
        let row = row.filter(|row| row.id == entry.id);
        row.map_or_else(
            || {
                Err(RepositoryError::Unknown {
                    name: entry.reference(),
                    nearest: None,
                })
            },
            |row| self.entry(row),
        )
    }

    async fn named(&self, text: &str) -> Result<Named, RepositoryError> {
        let reference = Reference::parse(text)?;
        if let Some((name, version)) = &reference.versioned
            && let Some(row) = self.store.file(name, version).await?
        {
            return Ok(Named::Entry(self.entry(row)?));
        }
        // Also names that have an `@` themselves: icon@2x.png.
        let rows = self.store.files(Some(text)).await?;
        if !rows.is_empty() {
            let entries: Result<_, _> = rows.into_iter().map(|row| self.entry(row)).collect();
            return Ok(Named::Versions(entries?));
        }
        Err(self.unknown(&reference).await?)
    }

    async fn unknown(&self, reference: &Reference) -> Result<RepositoryError, RepositoryError> {
        let rows = self.store.files(None).await?;
        let names = || rows.iter().map(|row| row.name.as_str());
        if let Some((name, version)) = &reference.versioned {
            let of_name = rows.iter().filter(|row| row.name == *name);
            let known: Vec<String> = of_name.map(|row| row.version.clone()).collect();
            if !known.is_empty() {
                return Ok(RepositoryError::NoVersion {
                    name: name.clone(),
                    version: version.clone(),
                    known,
                });
            }
        }
        let name = reference
            .versioned
            .as_ref()
            .map_or(&reference.text, |(name, _)| name);
        Ok(RepositoryError::Unknown {
            name: name.clone(),
            nearest: nearest(name, names()).map(str::to_owned),
        })
    }

    /// A row as an entry. What the database says becomes paths here and on hosts: it is looked at.
    pub(super) fn entry(&self, row: FileRow) -> Result<Entry, RepositoryError> {
        check_name(&row.name)?;
        check_version(&row.version)?;
        let odd = || StoreError::Content(format!("the digests of {}@{}", row.name, row.version));
        let sha256: ContentDigest = unhex(&row.sha256).ok_or_else(odd)?;
        let md5 = unhex(&row.md5).ok_or_else(odd)?;
        Ok(Entry {
            id: row.id,
            name: row.name,
            version: row.version,
            size: row.size,
            md5,
            sha256,
            published: row.published,
            added: row.added,
            by: row.by,
            note: row.note,
            fetched: row.fetched,
            path: self.contents.path(&sha256),
        })
    }
}

/// What a reference names.
enum Named {
    Entry(Entry),
    /// All versions of a name, the newest first; at least one.
    Versions(Vec<Entry>),
}

/// Work on files, done where it holds up nobody.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RepositoryError> + Send + 'static,
) -> Result<T, RepositoryError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(RepositoryError::File {
                path: PathBuf::from("repository"),
                source: std::io::Error::other(error),
            })
        })
}
