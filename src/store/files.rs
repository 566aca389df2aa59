//! What the file repository has on record: its entries, and which hosts were given them. Knows
//! nothing of the contents themselves.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, QueryBuilder};

use super::database::Store;
use super::error::StoreError;

/// Fetches that are written together.
const TOGETHER: usize = 500;

/// An entry as it is on record. Digests are in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Its number, which no other entry ever has.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Its MD5.
    pub md5: String,
    /// Its SHA-256.
    pub sha256: String,
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
}

/// An entry that one host was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// In this run.
    pub run: String,
    /// The host.
    pub host: String,
    /// When.
    pub at: Timestamp,
    /// Who sent it there.
    pub by: String,
}

const SELECT: &str = "SELECT id, name, version, size, md5, sha256, published, added, user_name, note, (SELECT COUNT(DISTINCT host) FROM file_fetches WHERE file = files.id) AS hosts FROM files";

impl Store {
    /// All entries, or those of one name: by name, the newest first.
    pub async fn files(&self, name: Option<&str>) -> Result<Vec<FileRow>, StoreError> {
        let mut query = QueryBuilder::<Any>::new(SELECT);
        if let Some(name) = name {
            query.push(" WHERE name = ").push_bind(name.to_owned());
        }
        query.push(" ORDER BY name, added DESC, id DESC");
        let rows = query.build().fetch_all(&self.pool).await;
        let rows = rows.map_err(|error| self.failed(error))?;
        rows.iter().map(|row| self.file_row(row)).collect()
    }

    /// One entry.
    pub async fn file(&self, name: &str, version: &str) -> Result<Option<FileRow>, StoreError> {
        let mut query = QueryBuilder::<Any>::new(SELECT);
        query.push(" WHERE name = ").push_bind(name.to_owned());
        query.push(" AND version = ").push_bind(version.to_owned());
        let row = query.build().fetch_optional(&self.pool).await;
        let row = row.map_err(|error| self.failed(error))?;
        row.map(|row| self.file_row(&row)).transpose()
    }

    /// Puts an entry on record, whose `id` and `fetched` don't count; `false`: there is one of that
    /// name and version.
    pub async fn add_file(&self, file: &FileRow) -> Result<bool, StoreError> {
        let sql = format!(
            "{} INTO files (name, version, size, md5, sha256, published, added, user_name, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.insert_new()
        );
        let size = i64::try_from(file.size)
            .map_err(|_| StoreError::Content(format!("{} bytes as a size", file.size)))?;
        let done = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(file.name.clone())
            .bind(file.version.clone())
            .bind(size)
            .bind(file.md5.clone())
            .bind(file.sha256.clone())
            .bind(i64::from(file.published))
            .bind(file.added.as_millisecond())
            .bind(file.by.clone())
            .bind(file.note.clone())
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(done.rows_affected() > 0)
    }

    /// Lets an entry be handed out, or no longer.
    pub async fn publish_file(&self, id: i64, published: bool) -> Result<(), StoreError> {
        sqlx::query("UPDATE files SET published = ? WHERE id = ?")
            .bind(i64::from(published))
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// Takes an entry off the record, with its fetches.
    pub async fn remove_file(&self, id: i64) -> Result<(), StoreError> {
        let fail = |error| self.failed(error);
        let mut tx = self.begin().await?;
        for sql in [
            "DELETE FROM file_fetches WHERE file = ?",
            "DELETE FROM files WHERE id = ?",
        ] {
            sqlx::query(sql)
                .bind(id)
                .execute(&mut *tx)
                .await
                .map_err(fail)?;
        }
        tx.commit().await.map_err(fail)
    }

    /// Whether any entry has this content.
    pub async fn has_content(&self, sha256: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT id FROM files WHERE sha256 = ? LIMIT 1")
            .bind(sha256.to_owned())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(row.is_some())
    }

    /// Notes that hosts were given an entry. A host counts once a run.
    pub async fn add_fetches(
        &self,
        file: i64,
        run: &str,
        hosts: &[Arc<str>],
        by: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        for hosts in hosts.chunks(TOGETHER) {
            let mut insert = QueryBuilder::<Any>::new(self.insert_new());
            insert.push(" INTO file_fetches (file, run, host, fetched, user_name) ");
            insert.push_values(hosts, |mut row, host| {
                row.push_bind(file)
                    .push_bind(run.to_owned())
                    .push_bind(host.to_string())
                    .push_bind(at.as_millisecond())
                    .push_bind(by.to_owned());
            });
            insert
                .build()
                .persistent(hosts.len() == TOGETHER)
                .execute(&self.pool)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Who was given an entry, the newest first.
    pub async fn fetches(&self, file: i64) -> Result<Vec<Fetch>, StoreError> {
        let rows = sqlx::query("SELECT run, host, fetched, user_name FROM file_fetches WHERE file = ? ORDER BY fetched DESC, run DESC, host")
            .bind(file)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        rows.iter()
            .map(|row| {
                Ok(Fetch {
                    run: self.get(row, "run")?,
                    host: self.get(row, "host")?,
                    at: self.time(row, "fetched")?,
                    by: self.get(row, "user_name")?,
                })
            })
            .collect()
    }

    fn file_row(&self, row: &AnyRow) -> Result<FileRow, StoreError> {
        let count = |column| -> Result<u64, StoreError> {
            let count: i64 = self.get(row, column)?;
            u64::try_from(count).map_err(|_| StoreError::Content(format!("{count} as {column}")))
        };
        Ok(FileRow {
            id: self.get(row, "id")?,
            name: self.get(row, "name")?,
            version: self.get(row, "version")?,
            size: count("size")?,
            md5: self.get(row, "md5")?,
            sha256: self.get(row, "sha256")?,
            published: count("published")? == 1,
            added: self.time(row, "added")?,
            by: self.get(row, "user_name")?,
            note: self.get(row, "note")?,
            fetched: count("hosts")?,
        })
    }

    fn time(&self, row: &AnyRow, column: &str) -> Result<Timestamp, StoreError> {
        Timestamp::from_millisecond(self.get(row, column)?)
            .map_err(|error| StoreError::Content(error.to_string()))
    }
}
