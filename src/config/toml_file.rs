//! `ioms.toml`: keys of the table, and the rules of what is denied.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ConfigError;
use super::files::Source;
use super::settings::{DenyRule, Settings};
use super::table::{Kind, SETTINGS, find};
use super::value::{Base, Origin, Value, list, parse};
use crate::base::diag::{Diagnostic, Place};
use crate::base::nearest::nearest;
use crate::base::url::without_password;

/// Reads a file's text into the settings.
pub(super) fn apply(
    settings: &mut Settings,
    source: &Source,
    base: Base<'_>,
) -> Result<(), ConfigError> {
    let file = File { source, base };
    let table = DeTable::parse(&source.text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        file.wrong(at, error.message().to_owned())
    })?;
    file.table(settings, table.get_ref(), "")
}

struct File<'a> {
    source: &'a Source,
    base: Base<'a>,
}

impl File<'_> {
    /// Where a byte of the text is.
    fn place(&self, at: usize) -> Place {
        let before = self.source.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Place::new(self.source.path.as_path(), small(line), small(column))
    }

    fn wrong(&self, at: usize, message: String) -> ConfigError {
        Diagnostic::new(message, self.place(at), &self.source.text).into()
    }

    fn table(
        &self,
        settings: &mut Settings,
        table: &DeTable<'_>,
        prefix: &str,
    ) -> Result<(), ConfigError> {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            let at = key.span().start;
            match (find(&name), value.get_ref()) {
                (None, DeValue::Array(rules)) if name == "deny" => {
                    for rule in rules {
                        let rule = self.rule(rule)?;
                        settings.deny.push(rule);
                    }
                }
                (None, DeValue::Table(inner)) => {
                    self.table(settings, inner, &format!("{name}."))?;
                }
                (None, _) => return Err(self.unknown(at, &name)),
                (Some(setting), found) => {
                    let value = self
                        .value(setting.kind, found)
                        .map_err(|why| self.wrong(value.span().start, format!("{name}: {why}")))?;
                    self.check(&name, &value, at)?;
                    settings.put(setting.name, value, Origin::File(self.place(at)));
                }
            }
        }
        Ok(())
    }

    fn unknown(&self, at: usize, name: &str) -> ConfigError {
        let nearest = nearest(name, SETTINGS.iter().map(|setting| setting.name));
        let diagnostic = Diagnostic::new(
            format!("there is no setting `{name}`"),
            self.place(at),
            &self.source.text,
        );
        match nearest {
            Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
            None => diagnostic.help("`iomsctl config show` lists them all"),
        }
        .into()
    }

    /// What a file may not say, though the value is right.
    fn check(&self, name: &str, value: &Value, at: usize) -> Result<(), ConfigError> {
        if self.source.upward && super::identity::weakens(name, value) {
            return Err(Diagnostic::new(
                "a file found in the working folder or above can't weaken the check of host keys",
                self.place(at),
                &self.source.text,
            )
            .help("say it in your own settings, for a group in the inventory, or with --host-key")
            .into());
        }
        if self.source.upward && name.starts_with("pull.") {
            return Err(Diagnostic::new(
                "a file found in the working folder or above can't say how hosts fetch from this controller",
                self.place(at),
                &self.source.text,
            )
            .help("say it in your own settings, or name the file with --config")
            .into());
        }
        let password = name == "database"
            && matches!(value, Value::Text(url) if without_password(url).is_some());
        if password && !self.source.private {
            return Err(ConfigError::Untrusted {
                path: self.source.path.clone(),
                why:
                    "holds a password of the database and others may read it (chmod 600 mends that)"
                        .into(),
            });
        }
        Ok(())
    }

    fn value(&self, kind: Kind, found: &DeValue<'_>) -> Result<Value, String> {
        match (kind, found) {
            (Kind::VaultIds | Kind::Paths, DeValue::Array(items)) => {
                let items = items
                    .iter()
                    .map(|item| match item.get_ref() {
                        DeValue::String(text) => Ok(text.to_string()),
                        _ => Err("expected a list of texts".to_owned()),
                    })
                    .collect::<Result<_, _>>()?;
                Ok(list(kind, items, self.base))
            }
            (_, DeValue::String(text)) => parse(kind, text, self.base),
            (Kind::Bool, DeValue::Boolean(yes)) => Ok(Value::Bool(*yes)),
            (Kind::Count | Kind::Duration | Kind::Size, DeValue::Integer(number)) => {
                parse(kind, number.as_str(), self.base)
            }
            _ => Err(format!("expected {}", expected(kind))),
        }
    }

    fn rule(&self, rule: &Spanned<DeValue<'_>>) -> Result<DenyRule, ConfigError> {
        let at = rule.span().start;
        let DeValue::Table(table) = rule.get_ref() else {
            return Err(self.wrong(
                at,
                "expected { match = \"REGEX\", reason = \"TEXT\" }".into(),
            ));
        };
        let text = |name: &str| -> Result<Option<String>, ConfigError> {
            match table.get(name).map(|value| (value.span(), value.get_ref())) {
                None => Ok(None),
                Some((_, DeValue::String(text))) => Ok(Some(text.to_string())),
                Some((span, _)) => Err(self.wrong(span.start, format!("{name}: expected text"))),
            }
        };
        if let Some((key, _)) = table
            .iter()
            .find(|(key, _)| !matches!(key.get_ref().as_ref(), "match" | "reason"))
        {
            return Err(self.wrong(
                key.span().start,
                format!("a rule has no `{}`", key.get_ref()),
            ));
        }
        let pattern = text("match")?
            .ok_or_else(|| self.wrong(at, "a rule needs `match`, a regular expression".into()))?;
        let regex = regex::Regex::new(&pattern).map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().to_owned();
            self.wrong(at, format!("match: not a regular expression: {why}"))
        })?;
        Ok(DenyRule {
            regex,
            reason: text("reason")?,
            origin: Origin::File(self.place(at)),
        })
    }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Path | Kind::Database | Kind::Choice(_) | Kind::Listen => "text",
        Kind::Bool => "true or false",
        Kind::Count => "a number",
        Kind::Duration => "a duration: \"90s\", \"5m\"",
        Kind::Size => "a size: \"64k\", \"10M\"",
        Kind::VaultIds | Kind::Paths => "a list of texts",
    }
}

/// The folder a file's paths are relative to.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}
