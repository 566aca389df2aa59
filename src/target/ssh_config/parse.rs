//! From the text of `ssh_config` files to blocks: words, quotes, `Include`. Reads files, decides
//! nothing.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::keywords::{Keyword, find};
use super::{Local, SshConfigError, glob};

const DEPTH: usize = 16;
const FILE_LIMIT: u64 = 1024 * 1024;

/// A line that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) place: String,
    pub(super) statement: Statement,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    Host(Vec<String>),
    Match(Vec<Criterion>),
    Include(Vec<Vec<Line>>),
    Set(&'static Keyword, Vec<String>),
    Ignore(Vec<String>),
    /// A keyword that the table does not have: an error where it applies.
    Unknown(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Criterion {
    pub(super) negated: bool,
    pub(super) name: String,
    pub(super) value: String,
}

/// Where a file's relative `Include` paths start, and whether it must be the user's own.
#[derive(Debug, Clone)]
pub(super) struct Source<'a> {
    pub(super) local: &'a Local,
    pub(super) base: PathBuf,
    pub(super) private: bool,
}

impl Source<'_> {
    /// Parses a file; `None` where there is none.
    pub(super) fn read(
        &self,
        path: &Path,
        depth: usize,
    ) -> Result<Option<Vec<Line>>, SshConfigError> {
        let wrong = |message: String| SshConfigError::wrong(path.display().to_string(), message);
        if depth > DEPTH {
            return Err(wrong(format!("`Include` nested deeper than {DEPTH}")));
        }
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(format!("can't be read: {error}"))),
        };
        if self.private {
            self.check_owner(&file).map_err(wrong)?;
        }
        let mut bytes = Vec::new();
        file.take(FILE_LIMIT + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| wrong(format!("can't be read: {error}")))?;
        if bytes.len() as u64 > FILE_LIMIT {
            return Err(wrong("is larger than 1 MiB".to_owned()));
        }
        // Comments of old files come in any encoding, which is no reason to read nothing.
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.display(), number + 1);
            if let Some(statement) = self.statement(line, &place, depth)? {
                lines.push(Line { place, statement });
            }
        }
        Ok(Some(lines))
    }

    /// As OpenSSH: whoever may write the file may choose which hosts and keys are trusted.
    fn check_owner(&self, file: &std::fs::File) -> Result<(), String> {
        use std::os::unix::fs::MetadataExt as _;
        let meta = file.metadata().map_err(|error| error.to_string())?;
        if (meta.uid() != 0 && meta.uid() != self.local.uid) || meta.mode() & 0o022 != 0 {
            return Err(
                "others own it or may write to it: `chown` it to yourself and `chmod 600` it"
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn statement(
        &self,
        line: &str,
        place: &str,
        depth: usize,
    ) -> Result<Option<Statement>, SshConfigError> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (name, value) = split_keyword(line);
        let split = || words(value).map_err(|message| SshConfigError::wrong(place, message));
        let lower = name.to_ascii_lowercase();
        let statement = match lower.as_str() {
            "host" => Statement::Host(split()?),
            "match" => Statement::Match(
                criteria(&split()?).map_err(|message| SshConfigError::wrong(place, message))?,
            ),
            "include" => Statement::Include(self.include(&split()?, place, depth)?),
            "ignoreunknown" => Statement::Ignore(
                split()?
                    .iter()
                    .flat_map(|list| list.split(','))
                    .map(str::to_owned)
                    .collect(),
            ),
            _ => match find(name) {
                None => Statement::Unknown(name.to_owned()),
                Some(keyword) => Statement::Set(
                    keyword,
                    setting_words(keyword, value)
                        .map_err(|message| SshConfigError::wrong(place, message))?,
                ),
            },
        };
        let empty = match &statement {
            Statement::Host(words) | Statement::Set(_, words) => words.is_empty(),
            Statement::Match(criteria) => criteria.is_empty(),
            _ => value.is_empty(),
        };
        if empty && !matches!(statement, Statement::Unknown(_)) {
            return Err(SshConfigError::wrong(
                place,
                format!("`{name}` has no value"),
            ));
        }
        Ok(Some(statement))
    }

    fn include(
        &self,
        patterns: &[String],
        place: &str,
        depth: usize,
    ) -> Result<Vec<Vec<Line>>, SshConfigError> {
        let mut files = Vec::new();
        for pattern in patterns {
            let path = self.base.join(self.local.expand_home(pattern));
            for found in expand(&path) {
                if depth >= DEPTH {
                    return Err(SshConfigError::wrong(
                        place,
                        format!("`Include` nested deeper than {DEPTH}"),
                    ));
                }
                files.extend(self.read(&found, depth + 1)?);
            }
        }
        Ok(files)
    }
}

/// A keyword's words: commands and jumps are the rest of the line.
pub(super) fn setting_words(keyword: &Keyword, value: &str) -> Result<Vec<String>, String> {
    match keyword.name {
        "ProxyCommand" | "ProxyJump" | "LocalCommand" | "RemoteCommand" | "KnownHostsCommand" => {
            Ok(if value.is_empty() {
                Vec::new()
            } else {
                vec![value.to_owned()]
            })
        }
        _ => words(value),
    }
}

/// `Name value`, `Name=value`, `Name = value`.
pub(super) fn split_keyword(line: &str) -> (&str, &str) {
    let end = line
        .find(|c: char| c.is_ascii_whitespace() || c == '=')
        .unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    (name, rest.trim())
}

/// Words of a line: quotes of both kinds, backslash before quotes and itself, `#` ends the line.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (_, '\\')
                if rest.peek().is_some_and(|next| {
                    matches!(next, '"' | '\'' | '\\') || (*next == ' ' && quote.is_none())
                }) =>
            {
                word.get_or_insert_default().extend(rest.next());
            }
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => found.extend(word.take()),
            (None, '#') if word.is_none() => break,
            _ => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    found.extend(word);
    Ok(found)
}

fn criteria(words: &[String]) -> Result<Vec<Criterion>, String> {
    let mut found = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (negated, word) = word
            .strip_prefix('!')
            .map_or((false, word.as_str()), |word| (true, word));
        let (name, inline) = word
            .split_once('=')
            .map_or((word, None), |(name, value)| (name, Some(value)));
        let name = name.to_ascii_lowercase();
        let value = match name.as_str() {
            "all" | "canonical" | "final" => String::new(),
            "exec" | "host" | "originalhost" | "user" | "localuser" | "localnetwork" | "tagged"
            | "version" | "sessiontype" | "command" => inline
                .or_else(|| rest.next().map(String::as_str))
                .ok_or_else(|| format!("`Match {name}` has no value"))?
                .to_owned(),
            _ => return Err(format!("`Match` does not know `{name}`")),
        };
        found.push(Criterion {
            negated,
            name,
            value,
        });
    }
    if found.len() > 1
        && found.iter().any(|criterion| criterion.name == "all")
        && !found
            .iter()
            .all(|criterion| matches!(criterion.name.as_str(), "all" | "canonical" | "final"))
    {
        return Err("`Match all` can't be combined with other conditions".to_owned());
    }
    Ok(found)
}

/// Paths that fit a glob, sorted; `*` and `?` within one component, hidden files only by name.
fn expand(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in path.components() {
        let part = component.as_os_str().to_string_lossy();
        if !part.contains(['*', '?', '[']) {
            for folder in &mut found {
                folder.push(component);
            }
            continue;
        }
        let set = globset::Glob::new(&part).map(|glob| glob.compile_matcher());
        let fits = |name: &str| {
            (part.starts_with('.') || !name.starts_with('.'))
                && set
                    .as_ref()
                    .map_or_else(|_| glob::matches(name, &part), |set| set.is_match(name))
        };
        found = found
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok())
            .flatten()
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| fits(&name.to_string_lossy()))
            })
            .collect();
        found.sort();
    }
    found
}
