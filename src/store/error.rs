//! What can be wrong with the record.

use std::path::PathBuf;

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

/// Why the record can't be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database.
    #[error("database `{shown}`: {why}")]
    Url {
        /// The address, without password.
        shown: String,
        /// What is wrong.
        why: String,
    },
    /// The database can't be reached or refuses.
    #[error("database {shown}: {source}")]
    Database {
        /// The address, without password.
        shown: String,
        /// The driver's word.
        source: sqlx::Error,
    },
    /// The database has no tables of ours, or older ones.
    #[error("database {shown} is not set up for this version: run `iomsctl db migrate` once")]
    NotMigrated {
        /// The address, without password.
        shown: String,
    },
    /// The database was set up by a newer version.
    #[error(
        "database {shown} was set up by a newer iomsctl (schema {found}, this one knows {known}): update this one"
    )]
    Newer {
        /// The address, without password.
        shown: String,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The database takes no statement that is large enough.
    #[error(
        "database {shown} takes at most {packet} bytes at once, which {what} does not fit into: set max_allowed_packet to {enough} or more"
    )]
    Packet {
        /// The address, without password.
        shown: String,
        /// Its limit, in bytes.
        packet: usize,
        /// What does not fit: `an output`.
        what: &'static str,
        /// What would do: `2M`.
        enough: String,
    },
    /// A file.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The operating system's word.
        source: std::io::Error,
    },
    /// A journal that is none.
    #[error("journal {path}: line {line}: {why}", path = path.display())]
    Journal {
        /// Its file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// No such run, or several.
    #[error("{0}")]
    NoRun(String),
    /// A run that is to be gone on with, and is under way.
    #[error("run {0} is still under way")]
    Alive(crate::base::id::RunId),
    /// Not a regular expression.
    #[error("not a regular expression: {0}")]
    Regex(String),
    /// Something in the database that we did not write.
    #[error("the database holds something unexpected: {0}")]
    Content(String),
}

impl StoreError {
    /// Whether there is no room: in the database, or on the disk below it.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Database { source, .. } => source
                .as_database_error()
                .is_some_and(|error| error.message().contains("is full")),
            Self::File { source, .. } => source.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }

    /// Whether the database has taken a transaction back because it and another waited for each other.
    pub(super) fn is_deadlock(&self) -> bool {
        // SQLSTATE, as MySQL and MariaDB say it; SQLite, where writers stand in line, knows no such thing.
        let serialization_failure = "40001";
        self.database_error()
            .and_then(DatabaseError::code)
            .is_some_and(|code| code == serialization_failure)
    }

    /// Whether a transaction has waited for another as long as the server lets it: MySQL and MariaDB, which
    /// have no SQLSTATE of its own for that.
    pub(super) fn is_lock_timeout(&self) -> bool {
        let lock_wait_timeout = 1205;
        self.database_error()
            .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
            .is_some_and(|error| error.number() == lock_wait_timeout)
    }

    /// What the database itself has said.
    fn database_error(&self) -> Option<&dyn DatabaseError> {
        match self {
            Self::Database { source, .. } => source.as_database_error(),
            _ => None,
        }
    }

    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
