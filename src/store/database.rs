//! The database behind one interface: SQLite and MySQL through the driver that speaks both. What
//! they say differently stands here.

use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyPool, ConnectOptions as _, Connection as _, Row as _, Transaction};

use super::error::StoreError;
use super::url::DatabaseUrl;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static MYSQL: Migrator = sqlx::migrate!("migrations/mysql");

/// For a connection; the database may be away.
const CONNECT: Duration = Duration::from_secs(5);

/// What every connection to SQLite is told.
const PRAGMAS: [&str; 4] = [
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA foreign_keys = ON",
];

/// An open database whose tables are as this version wants them.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) pool: AnyPool,
    pub(super) url: DatabaseUrl,
    /// No statement may be larger, in bytes.
    pub(super) packet: usize,
}

impl Store {
    /// Opens the database. SQLite's file is made and migrated as needed; MySQL must have been
    /// migrated.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let store = Self::connect(url).await?;
        match url {
            DatabaseUrl::Sqlite(_) => store.migrate().await?,
            DatabaseUrl::Mysql(_) => store.check_version().await?,
        }
        Ok(store)
    }

    /// Opens the database as it is, for [`migrate`](Self::migrate).
    pub async fn connect(url: &DatabaseUrl) -> Result<Self, StoreError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        if let DatabaseUrl::Sqlite(path) = url {
            create_private(path)?;
        }
        let fail = |source| StoreError::Database {
            shown: url.to_string(),
            source,
        };
        let options: AnyConnectOptions = url.driver().parse().map_err(fail)?;
        let options = options.disable_statement_logging();
        let sqlite = matches!(url, DatabaseUrl::Sqlite(_));
        if !sqlite {
            // The pool takes a refused connection for a server that is about to start, and waits.
            let connection = tokio::time::timeout(CONNECT, options.connect())
                .await
                .unwrap_or(Err(sqlx::Error::PoolTimedOut))
                .map_err(fail)?;
            connection.close().await.map_err(fail)?;
        }
        let asked = options.clone();
        let pool = AnyPoolOptions::new()
            .max_connections(2)
            .acquire_timeout(CONNECT)
            .test_before_acquire(!sqlite)
            // SQLite ends a transaction itself on a full disk: the driver does not see that, and
            // would begin no other on this connection.
            .before_acquire(|connection, _| {
                let sound = !connection.is_in_transaction();
                Box::pin(async move { Ok(sound) })
            })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        for pragma in PRAGMAS {
                            sqlx::query(pragma).execute(&mut *connection).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await;
        let pool = match pool {
            Err(sqlx::Error::PoolTimedOut) if sqlite => {
                return Err(fail(why_not(&asked).await));
            }
            other => other.map_err(fail)?,
        };
        let packet = match url {
            DatabaseUrl::Sqlite(_) => usize::MAX,
            DatabaseUrl::Mysql(_) => {
                let row = sqlx::query("SELECT CAST(@@max_allowed_packet AS SIGNED)")
                    .fetch_one(&pool)
                    .await;
                let packet: i64 = row.and_then(|row| row.try_get(0)).map_err(fail)?;
                usize::try_from(packet).unwrap_or(usize::MAX)
            }
        };
        Ok(Self {
            pool,
            url: url.clone(),
            packet,
        })
    }

    /// After something failed: whether the database answers and only that was refused. One that
    /// another process holds is as good as away.
    pub(super) async fn refused(&self, error: &StoreError) -> bool {
        let StoreError::Database { source, .. } = error else {
            return true;
        };
        let held = source
            .as_database_error()
            .is_some_and(|error| error.message().contains("database is locked"));
        // Over the limit of a packet, MySQL resets the connection: the pool has others.
        !held && sqlx::query("SELECT 1").execute(&self.pool).await.is_ok()
    }

    /// The newest version of the tables that is known here.
    fn known_version(&self) -> i64 {
        let versions = self.migrator().iter().map(|each| each.version);
        versions.max().unwrap_or(0)
    }

    /// Brings the tables up to this version.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let known = self.known_version();
        let found = self.version().await?;
        if found == known {
            return Ok(());
        }
        if found > known {
            return Err(self.newer(found, known));
        }
        let mut at = found;
        let error = loop {
            let Err(error) = self.migrator().run(&self.pool).await else {
                return Ok(());
            };
            // Another process may be at it: then there is more than before, and what is missing is tried
            // again.
            match self.version().await {
                Ok(version) if version == known => return Ok(()),
                Ok(version) if version > at => at = version,
                _ => break error,
            }
        };
        Err(match error {
            sqlx::migrate::MigrateError::Execute(source) => self.failed(source),
            other => self.failed(sqlx::Error::Migrate(Box::new(other))),
        })
    }

    /// The version of the tables; 0 when there are none.
    pub async fn version(&self) -> Result<i64, StoreError> {
        let there = match self.url {
            DatabaseUrl::Sqlite(_) => {
                "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'"
            }
            DatabaseUrl::Mysql(_) => {
                "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '_sqlx_migrations'"
            }
        };
        let row = sqlx::query(there).fetch_one(&self.pool).await;
        let count: i64 = row
            .and_then(|row| row.try_get(0))
            .map_err(|error| self.failed(error))?;
        if count == 0 {
            return Ok(0);
        }
        let row = sqlx::query("SELECT version FROM _sqlx_migrations ORDER BY version DESC LIMIT 1")
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        row.map_or(Ok(0), |row| row.try_get(0))
            .map_err(|error| self.failed(error))
    }

    async fn check_version(&self) -> Result<(), StoreError> {
        let known = self.known_version();
        match self.version().await? {
            found if found < known => Err(StoreError::NotMigrated {
                shown: self.url.to_string(),
            }),
            found if found > known => Err(self.newer(found, known)),
            _ => Ok(()),
        }
    }

    fn migrator(&self) -> &'static Migrator {
        match self.url {
            DatabaseUrl::Sqlite(_) => &SQLITE,
            DatabaseUrl::Mysql(_) => &MYSQL,
        }
    }

    fn newer(&self, found: i64, known: i64) -> StoreError {
        StoreError::Newer {
            shown: self.url.to_string(),
            found,
            known,
        }
    }

    pub(super) fn failed(&self, source: sqlx::Error) -> StoreError {
        StoreError::Database {
            shown: self.url.to_string(),
            source,
        }
    }

    /// A transaction that will write: SQLite must know from its start.
    pub(super) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let begin = match self.url {
            DatabaseUrl::Sqlite(_) => "BEGIN IMMEDIATE",
            DatabaseUrl::Mysql(_) => "START TRANSACTION",
        };
        self.pool
            .begin_with(begin)
            .await
            .map_err(|error| self.failed(error))
    }

    /// `INSERT`, where a row that is there already stays as it is.
    pub(super) fn insert_new(&self) -> &'static str {
        match self.url {
            DatabaseUrl::Sqlite(_) => "INSERT OR IGNORE",
            DatabaseUrl::Mysql(_) => "INSERT IGNORE",
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Why SQLite can't be opened: the pool tries again until its time is over, and does not say. A
/// full disk, say.
async fn why_not(options: &AnyConnectOptions) -> sqlx::Error {
    let tell = async {
        let mut connection = options.connect().await?;
        for pragma in PRAGMAS {
            sqlx::query(pragma).execute(&mut connection).await?;
        }
        connection.close().await
    };
    match tokio::time::timeout(CONNECT, tell).await {
        Ok(Err(error)) => error,
        Ok(Ok(())) | Err(_) => sqlx::Error::PoolTimedOut,
    }
}

/// The file, for nobody else to read, and its folder.
fn create_private(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(StoreError::file(folder))?;
    }
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(StoreError::file(path))
}
