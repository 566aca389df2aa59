//! The address of a database: `sqlite:PATH` or `mysql://user:password@host:port/name`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::StoreError;
use crate::base::url::without_password;

/// Where the record is. Shows itself without its password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file.
    Sqlite(PathBuf),
    /// A server; the whole address.
    Mysql(String),
}

impl DatabaseUrl {
    /// Reads an address. A path alone is SQLite's.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(StoreError::Url {
                    shown: text.to_owned(),
                    why: "no path is named: sqlite:PATH".into(),
                });
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if let Some(rest) = text
            .strip_prefix("mysql://")
            .or_else(|| text.strip_prefix("mariadb://"))
        {
            let url = Self::Mysql(format!("mysql://{rest}"));
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            let named = host
                .split_once('/')
                .is_some_and(|(_, name)| !name.split('?').next().unwrap_or_default().is_empty());
            if !named {
                return Err(StoreError::Url {
                    shown: url.to_string(),
                    why: "no database is named: mysql://user@host/NAME".into(),
                });
            }
            return Ok(url);
        }
        Err(StoreError::Url {
            shown: shown(text),
            why: "expected sqlite:PATH or mysql://user@host/name".into(),
        })
    }

    /// The default: a file in the data folder.
    pub fn in_folder(data_dir: &Path) -> Self {
        Self::Sqlite(data_dir.join("ioms.db"))
    }

    /// Whether it holds a password.
    pub fn has_password(&self) -> bool {
        matches!(self, Self::Mysql(url) if without_password(url).is_some())
    }

    /// For the driver.
    pub(super) fn driver(&self) -> String {
        match self {
            Self::Sqlite(path) => {
                let path = path.to_string_lossy();
                let path = path
                    .replace('%', "%25")
                    .replace('?', "%3F")
                    .replace('#', "%23");
                format!("sqlite://{path}?mode=rwc")
            }
            Self::Mysql(url) => url.clone(),
        }
    }
}

/// The address without its password.
fn shown(url: &str) -> String {
    without_password(url).unwrap_or_else(|| url.to_owned())
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Mysql(url) => f.write_str(&shown(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_shows_its_password() {
        let url = DatabaseUrl::parse("mysql://ops:s:e@cret@db.game.cn:3307/ioms").unwrap();
        assert_eq!(url.to_string(), "mysql://ops:********@db.game.cn:3307/ioms");
        assert!(!format!("{url:?}").contains("cret"));
        assert!(url.has_password());
        let url = DatabaseUrl::parse("mysql://ops:pa/ss@db/ioms").unwrap();
        assert_eq!(url.to_string(), "mysql://ops:********@db/ioms");
        assert!(
            !DatabaseUrl::parse("mysql://ops@db/ioms")
                .unwrap()
                .has_password()
        );
    }

    #[test]
    fn addresses_that_name_nothing_are_refused() {
        for bad in [
            "",
            "sqlite:",
            "mysql://db",
            "mysql://db/",
            "postgres://x/y",
            "ioms.db",
        ] {
            assert!(DatabaseUrl::parse(bad).is_err(), "{bad}");
        }
        let path = DatabaseUrl::parse("sqlite:/var/lib/中 文.db").unwrap();
        assert_eq!(path, DatabaseUrl::Sqlite("/var/lib/中 文.db".into()));
    }
}
