//! `-e`: variables on the command line, stronger than all others: `name=value` pairs, JSON, YAML, or
//! `@FILE`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::CliError;
use crate::base::value::Value;
use crate::base::yaml;
use crate::target::names::{Property, names};

/// Variables of `-e`, each with its place.
#[derive(Debug, Clone, Default)]
pub struct ExtraVars(HashMap<Arc<str>, (Value, String)>);

impl ExtraVars {
    /// Reads all `-e`; later ones are stronger.
    pub fn parse(given: &[String]) -> Result<Self, CliError> {
        let mut vars = Self::default();
        for text in given {
            let text = text.trim();
            if let Some(file) = text.strip_prefix('@') {
                vars.file(Path::new(file))?;
            } else if text.starts_with(['{', '[']) {
                vars.document(text, Path::new("-e"), "-e")?;
            } else {
                vars.pairs(text)?;
            }
        }
        Ok(vars)
    }

    /// A variable and its place; places begin with `-e`.
    pub fn get(&self, name: &str) -> Option<&(Value, String)> {
        self.0.get(name)
    }

    fn file(&mut self, path: &Path) -> Result<(), CliError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::new(format!("-e @{}: {error}", path.display())))?;
        self.document(&text, path, &format!("-e @{}", path.display()))
    }

    fn document(&mut self, text: &str, file: &Path, origin: &str) -> Result<(), CliError> {
        let node = yaml::parse(text, file).map_err(CliError::new)?;
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
            self.0.insert(key.name.clone(), (value.value(), place));
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
            self.0
                .insert(Arc::from(name), (Value::string(value), "-e".to_owned()));
        }
        Ok(())
    }
}

/// Arguments are no place for passwords, in whatever form they are given.
fn refuse_password(name: &str) -> Result<(), CliError> {
    let password = [Property::Password, Property::BecomePassword]
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

    #[test]
    fn pairs_documents_and_files_are_read_the_last_wins() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "port: 2200\n").unwrap();
        let given = [
            "a=1 b='x y'".to_owned(),
            "{\"a\": 2, \"c\": [1]}".to_owned(),
            format!("@{}", file.path().display()),
        ];
        let vars = ExtraVars::parse(&given).unwrap();
        assert_eq!(vars.get("a"), Some(&(Value::Int(2), "-e".to_owned())));
        assert_eq!(
            vars.get("b").map(|found| &found.0),
            Some(&Value::string("x y"))
        );
        let (port, origin) = vars.get("port").unwrap();
        assert_eq!(*port, Value::Int(2200));
        assert!(
            origin.starts_with("-e @") && origin.ends_with(":1"),
            "{origin}"
        );
    }

    #[test]
    fn passwords_and_half_pairs_are_refused() {
        for bad in [
            "ansible_password=x",
            "ansible_become_pass=x",
            "{\"ansible_become_password\": \"x\"}",
            "alone",
            "[1]",
        ] {
            assert!(ExtraVars::parse(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
