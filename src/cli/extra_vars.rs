//! `-e`: variables on the command line, stronger than all others: `name=value` pairs, JSON, YAML, or
//! `@FILE`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::{CliError, named_file};
use crate::base::secret::MASK;
use crate::base::seen::Seen;
use crate::base::value::Value;
use crate::base::yaml;
use crate::inventory::VaultFile;
use crate::target::names::{Property, names};
use crate::template::Found;

/// Variables of `-e`, each with its place.
#[derive(Debug, Clone, Default)]
pub struct ExtraVars(HashMap<Arc<str>, Found>);

impl ExtraVars {
    /// Reads all `-e`; later ones are stronger. `open` opens files that are vaults.
    pub fn parse(given: &[String], open: &VaultFile, seen: &Seen) -> Result<Self, CliError> {
        let mut vars = Self::default();
        for text in given {
            let text = text.trim();
            if let Some(file) = text.strip_prefix('@') {
                vars.file(file, open, seen)?;
            } else if text.starts_with(['{', '[']) {
                vars.document(text, Path::new("-e"), "-e", false)?;
            } else {
                vars.pairs(text)?;
            }
        }
        Ok(vars)
    }

    /// A variable; its place begins with `-e`.
    pub fn get(&self, name: &str) -> Option<&Found> {
        self.0.get(name)
    }

    /// All of them, each with its place.
    pub fn all(&self) -> HashMap<Arc<str>, Found> {
        self.0.clone()
    }

    /// All of them by name.
    pub fn values(&self) -> crate::base::value::Map {
        let pairs = self.0.iter();
        pairs
            .map(|(name, found)| (name.clone(), found.value.clone()))
            .collect()
    }

    /// All of them by name, as they may be shown.
    pub fn shown(&self) -> Vec<(Arc<str>, Value)> {
        let mut shown: Vec<(Arc<str>, Value)> = self
            .0
            .iter()
            .map(|(name, found)| {
                let value = if found.secret {
                    Value::string(MASK)
                } else {
                    found.value.clone()
                };
                (name.clone(), value)
            })
            .collect();
        shown.sort_by(|one, other| one.0.cmp(&other.0));
        shown
    }

    fn file(&mut self, name: &str, open: &VaultFile, seen: &Seen) -> Result<(), CliError> {
        let fail = |why: &dyn std::fmt::Display| CliError::new(format!("-e @{name}: {why}"));
        let path = named_file(name);
        let text = std::fs::read_to_string(&path).map_err(|error| fail(&error))?;
        seen.file(&path, text.as_bytes());
        let text = text.trim_start_matches('\u{feff}');
        let origin = format!("-e @{name}");
        if crate::vault::is_vault(text.as_bytes()) {
            let opened = open(text).map_err(|why| fail(&why))?;
            return self.document(&opened, &path, &origin, true);
        }
        self.document(text, &path, &origin, false)
    }

    /// `secret`: the text was a vault, and no line of it is shown.
    fn document(
        &mut self,
        text: &str,
        file: &Path,
        origin: &str,
        secret: bool,
    ) -> Result<(), CliError> {
        let node = yaml::parse(text, file).map_err(|mut wrong| {
            wrong.snippet = wrong.snippet.filter(|_| !secret);
            CliError::new(wrong)
        })?;
        let entries = node.entries().ok_or_else(|| {
            CliError::new(format!("{origin}: expected a mapping of variables"))
                .hint("-e '{\"name\": \"value\"}' or -e @FILE with `name: value` lines")
        })?;
        for (key, value) in entries {
            if origin == "-e" {
                refuse_password(&key.name)?;
            }
            let place = if origin == "-e" {
                origin.to_owned()
            } else {
                format!("{origin}:{}", key.line)
            };
            let found = Found {
                value: value.value(),
                origin: place,
                secret,
            };
            self.0.insert(key.name.clone(), found);
        }
        Ok(())
    }

    fn pairs(&mut self, text: &str) -> Result<(), CliError> {
        let words = crate::target::ssh_config::words(text)
            .map_err(|why| CliError::new(format!("-e {text}: {why}")))?;
        for word in words {
            let (name, value) = word.split_once('=').ok_or_else(|| {
                CliError::new(format!("-e {word}: expected name=value"))
                    .hint("quote values with spaces: -e \"name='a b'\"")
            })?;
            refuse_password(name)?;
            let found = Found {
                value: Value::string(value),
                origin: "-e".to_owned(),
                secret: false,
            };
            self.0.insert(Arc::from(name), found);
        }
        Ok(())
    }
}

/// Arguments are no place for passwords, in whatever form they are given.
fn refuse_password(name: &str) -> Result<(), CliError> {
    let password = [
        Property::Password,
        Property::WinrmPassword,
        Property::BecomePassword,
    ]
    .into_iter()
    .any(|property| names(property).contains(&name));
    if password {
        return Err(CliError::new(format!(
            "-e {name}=...: a password in an argument can be read by everybody on this machine"
        ))
        .hint("use -k or -K, --connection-password-file, a vault, or -e @FILE"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_vault() -> VaultFile {
        Arc::new(|_: &str| Err("no password".to_owned()))
    }

    #[test]
    fn pairs_documents_and_files_are_read_the_last_wins() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "port: 2200\n").unwrap();
        let given = [
            "a=1 b='x y'".to_owned(),
            "{\"a\": 2, \"c\": [1]}".to_owned(),
            format!("@{}", file.path().display()),
        ];
        let vars = ExtraVars::parse(&given, &no_vault(), &Seen::default()).unwrap();
        let a = vars.get("a").unwrap();
        assert_eq!((&a.value, a.origin.as_str()), (&Value::Int(2), "-e"));
        let b = vars.get("b").unwrap();
        assert_eq!(b.value, Value::string("x y"));
        let port = vars.get("port").unwrap();
        assert_eq!(port.value, Value::Int(2200));
        assert!(
            port.origin.starts_with("-e @") && port.origin.ends_with(":1"),
            "{port:?}"
        );
    }

    #[test]
    fn passwords_and_half_pairs_are_refused() {
        for bad in [
            "ansible_password=x",
            "ansible_become_pass=x",
            "ansible_winrm_pass=x",
            "ansible_psrp_password=x",
            "ansible_runas_pass=x",
            "{\"ansible_become_password\": \"x\"}",
            "alone",
            "[1]",
        ] {
            assert!(
                ExtraVars::parse(&[bad.to_owned()], &no_vault(), &Seen::default()).is_err(),
                "{bad}"
            );
        }
    }
}
