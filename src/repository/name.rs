//! What entries may be called, and how one is named: `NAME[@VERSION]`. Pure.

use super::error::RepositoryError;

/// A name is the name of a file on the host too, in bytes at most.
const NAME_MAX: usize = 255;
/// A version, in bytes at most.
const VERSION_MAX: usize = 64;

/// How an entry is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// As it was written.
    pub(super) text: String,
    /// Split at the last `@`, where there is one.
    pub(super) versioned: Option<(String, String)>,
}

impl Reference {
    /// Reads `NAME[@VERSION]`: split at the last `@`.
    pub(super) fn parse(text: &str) -> Result<Self, RepositoryError> {
        let versioned = if let Some((name, version)) = text.rsplit_once('@') {
            check_name(name)?;
            check_version(version)?;
            Some((name.to_owned(), version.to_owned()))
        } else {
            check_name(text)?;
            None
        };
        Ok(Self {
            text: text.to_owned(),
            versioned,
        })
    }
}

/// Whether an entry may be called so: the name becomes a file's name on hosts of every kind.
pub(super) fn check_name(name: &str) -> Result<(), RepositoryError> {
    let why = if name.starts_with('@') {
        Some("it begins with `@`, which stands before a version")
    } else if matches!(name, "." | "..") {
        Some("it is a folder")
    } else if name.contains(['/', '\\']) {
        Some("it has a slash or backslash: a name is no path")
    } else {
        unfit(name, NAME_MAX)
    };
    why.map_or(Ok(()), |why| {
        Err(RepositoryError::Name {
            name: name.to_owned(),
            why,
        })
    })
}

/// Whether a version may be called so.
pub(super) fn check_version(version: &str) -> Result<(), RepositoryError> {
    let why = if version.contains('@') {
        Some("it has an `@`, which stands before it")
    } else if version.contains(['/', '\\']) {
        Some("it has a slash or backslash")
    } else {
        unfit(version, VERSION_MAX)
    };
    why.map_or(Ok(()), |why| {
        Err(RepositoryError::Version {
            version: version.to_owned(),
            why,
        })
    })
}

/// What neither may have. Spaces at the ends: MySQL compares without them, Windows drops them.
fn unfit(text: &str, most: usize) -> Option<&'static str> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.is_empty() {
        Some("it is empty")
    } else if text.contains(hidden) {
        Some("it has a control character")
    } else if text.trim() != text {
        Some("it begins or ends with a space")
    } else if text.len() > most {
        Some("it is too long: a name has at most 255 bytes, a version 64")
    } else {
        None
    }
}

/// The next number behind those that are versions already: `1`, `2`, ...
pub(super) fn next_version<'a>(versions: impl IntoIterator<Item = &'a str>) -> String {
    let highest = versions
        .into_iter()
        .filter_map(|version| version.parse::<u64>().ok())
        .max();
    highest
        .map_or(1, |highest| highest.saturating_add(1))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_files_and_never_lead_elsewhere() {
        for good in [
            "game.zip",
            "更新 文件.tar.gz",
            "a..b",
            "-x",
            "...",
            "icon@2x.png",
            "it's \"odd\" $HOME;*",
            &"x".repeat(255),
            &"中".repeat(85),
        ] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "../a",
            "/etc/passwd",
            "..\\a",
            "C:\\a",
            "@a",
            "a\nb",
            "a\0b",
            "a\u{7f}",
            "a\u{202e}gpj.exe",
            " a",
            "a ",
            &"x".repeat(256),
            &"中".repeat(86),
        ] {
            let error = check_name(bad).unwrap_err();
            assert!(matches!(error, RepositoryError::Name { .. }), "{bad:?}");
        }
    }

    #[test]
    fn a_reference_is_split_at_its_last_at() {
        let split = |text| Reference::parse(text).unwrap().versioned;
        let pair = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(split("game.zip"), None);
        assert_eq!(split("game.zip@1.2"), pair("game.zip", "1.2"));
        assert_eq!(split("icon@2x.png@1"), pair("icon@2x.png", "1"));
        assert_eq!(split("更新 文件@一 版"), pair("更新 文件", "一 版"));
        for bad in ["", "@", "@1", "a@", "a@ 1", "a/b@1", "a@1/2", "..@1"] {
            assert!(Reference::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_are_counted_on_from_the_highest_number() {
        assert_eq!(next_version([]), "1");
        assert_eq!(next_version(["1", "10", "9", "beta", "2.5"]), "11");
        assert_eq!(next_version(["v3"]), "1");
    }
}
