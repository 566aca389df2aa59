//! Values that were set, the first of each keyword winning.

use super::keywords::{Class, Keyword, find};
use super::{SshConfigError, seconds};

/// A value and who set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The keyword's entry in the table.
    pub keyword: &'static Keyword,
    /// Its words; one for commands.
    pub words: Vec<String>,
    /// `FILE:LINE`, or the variable or flag.
    pub place: String,
}

impl Setting {
    /// The first word.
    pub fn first(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// An error about it.
    pub fn wrong(&self, expected: &str) -> SshConfigError {
        SshConfigError::wrong(
            &self.place,
            format!(
                "`{} {}`: expected {expected}",
                self.keyword.name,
                self.words.join(" ")
            ),
        )
    }
}

/// The settings of one look-up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(Vec<Setting>);

impl Settings {
    /// Sets a value, unless an earlier one stands; files of keys and certificates gather.
    pub fn set(&mut self, keyword: &'static Keyword, words: &[String], place: &str) {
        // OpenSSH: whichever of the two comes first rules out the other, unless it says `none`.
        let rivals: &[&str] = match keyword.name {
            "IdentityFile" | "CertificateFile" => &[],
            "ProxyJump" | "ProxyCommand" => &["ProxyJump", "ProxyCommand"],
            name => &[name],
        };
        let gathered = rivals.is_empty()
            && self
                .0
                .iter()
                .any(|old| old.keyword == keyword && old.words == words);
        if keyword.class != Class::Harmless
            && !gathered
            && !rivals.iter().any(|rival| {
                self.get(rival).is_some_and(|old| {
                    old.keyword == keyword || !old.first().eq_ignore_ascii_case("none")
                })
            })
        {
            self.0.push(Setting {
                keyword,
                words: words.to_vec(),
                place: place.to_owned(),
            });
        }
    }

    /// Sets a value of a keyword of the table; other names are passed over.
    pub fn put(&mut self, name: &str, value: impl Into<String>, place: &str) {
        if let Some(keyword) = find(name) {
            self.set(keyword, &[value.into()], place);
        }
    }

    /// The value of a keyword.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.0.iter().find(|setting| setting.keyword.name == name)
    }

    /// All values of a keyword that gathers.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Setting> {
        self.0
            .iter()
            .filter(move |setting| setting.keyword.name == name)
    }

    /// The first word of a keyword.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(Setting::first)
    }

    /// A yes or no.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, SshConfigError> {
        self.get(name)
            .map(
                |setting| match setting.first().to_ascii_lowercase().as_str() {
                    "yes" | "true" => Ok(true),
                    "no" | "false" => Ok(false),
                    _ => Err(setting.wrong("yes or no")),
                },
            )
            .transpose()
    }

    /// A whole number.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, SshConfigError> {
        self.get(name)
            .map(|setting| {
                setting
                    .first()
                    .parse()
                    .map_err(|_| setting.wrong("a number"))
            })
            .transpose()
    }

    /// A time in seconds; `none` is 0.
    pub fn seconds(&self, name: &str) -> Result<Option<u64>, SshConfigError> {
        self.get(name)
            .map(|setting| {
                seconds(setting.first()).ok_or_else(|| setting.wrong("a time like `30` or `1m30s`"))
            })
            .transpose()
    }

    /// Refuses what bears on identity, authentication or routing and is not supported.
    pub fn check(&self) -> Result<(), SshConfigError> {
        if let Some(refused) = self.get("RefuseConnection") {
            return Err(SshConfigError::wrong(
                &refused.place,
                format!("RefuseConnection: {}", refused.words.join(" ")),
            ));
        }
        for setting in &self.0 {
            if let Class::Unsupported(fine) = setting.keyword.class
                && !fine
                    .iter()
                    .any(|value| value.eq_ignore_ascii_case(setting.first()))
            {
                return Err(SshConfigError::unsupported(
                    &setting.place,
                    format!(
                        "`{}` is not supported and can't be passed over: it decides whom we talk to, as whom, or by which way",
                        setting.keyword.name
                    ),
                ));
            }
        }
        Ok(())
    }
}
