//! Verifying contents: whether what is on record is still what is stored.

use std::collections::HashMap;

use super::error::RepositoryError;
use super::lock::Lock;
use super::work::{Entry, Repository};

/// How it is with a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It is what was added.
    Ok,
    /// It is not there.
    Missing,
    /// It is something else, and in what.
    Altered(String),
}

/// An entry that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The entry, as it is afterwards.
    pub entry: Entry,
    /// How it is with its content.
    pub health: Health,
    /// Whether it was published, and is no longer.
    pub withdrawn: bool,
}

impl Repository {
    /// Looks at entries: whether their contents are there and of their size, and read to their end
    /// where `rehash` says so or somebody wrote to them. Those that are altered are no longer
    /// published. Entries that are removed meanwhile are left out.
    pub async fn verify(
        &self,
        entries: &[Entry],
        rehash: bool,
    ) -> Result<Vec<Verified>, RepositoryError> {
        let mut seen = HashMap::new();
        let mut verified = Vec::new();
        for entry in entries {
            let _lock = self.lock(Lock::shared).await?;
            let Some(row) = self.store.file(&entry.name, &entry.version).await? else {
                continue;
            };
            let mut entry = self.entry(row)?;
            let digests = entry.digests();
            let key = (digests.sha256, digests.md5, digests.size);
            let health = match seen.get(&key) {
                Some(health) => Health::clone(health),
                None => self.examine(&entry, rehash).await?,
            };
            seen.insert(key, health.clone());
            let withdrawn = entry.published && matches!(health, Health::Altered(_));
            if withdrawn {
                entry = self.unpublish(&entry).await?;
            }
            verified.push(Verified {
                entry,
                health,
                withdrawn,
            });
        }
        Ok(verified)
    }
}
