//! Lookups in files that hold tables: CSV and INI.

use std::sync::Arc;

use super::super::error::{Fail, fail, failure};
use super::super::regexes::{Flags, Pattern};
use super::super::val::Val;
use super::files::{controller, old_options};
use super::{Lookup, Request, lookup};

pub(super) const ALL: &[Lookup] = &[
    lookup(
        "csvfile",
        "file delimiter col keycol default encoding",
        csvfile,
    ),
    lookup(
        "ini",
        "file section default type re encoding case_sensitive allow_no_value",
        ini,
    ),
];

/// Options of the whole call, and those that a term brings along.
struct Given<'r> {
    request: &'r Request<'r>,
    own: Vec<(String, String)>,
}

impl Given<'_> {
    fn text(&self, name: &str) -> Result<Option<Arc<str>>, Fail> {
        let own = self.own.iter().find(|(key, _)| key == name);
        match own {
            Some((_, value)) => Ok(Some(Arc::from(value.as_str()))),
            None => self.request.text(name),
        }
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, Fail> {
        match self.text(name)? {
            Some(text) => text
                .parse()
                .map_err(|_| failure(format!("`{name}` is a number, not {text}"))),
            None => Ok(default),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, Fail> {
        let text = self.text(name)?;
        Ok(text.is_some_and(|text| {
            matches!(
                text.to_ascii_lowercase().as_str(),
                "true" | "yes" | "1" | "on"
            )
        }))
    }

    fn file(&self, default: &str) -> Result<String, Fail> {
        let name = self.text("file")?;
        let name = name.as_deref().unwrap_or(default);
        let bytes = controller(self.request.cx)?
            .read(name, "files")
            .map_err(failure)?;
        String::from_utf8(bytes).map_err(|_| failure(format!("{name} is not UTF-8")))
    }
}

fn csvfile(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let mut found = Vec::new();
    for term in request.texts()? {
        let (key, own) = old_options(&term);
        let given = Given { request, own };
        let delimiter = given.text("delimiter")?.unwrap_or_else(|| Arc::from("\t"));
        let delimiter = match &*delimiter {
            "TAB" | "\\t" | "\t" => b'\t',
            other => *other.as_bytes().first().unwrap_or(&b','),
        };
        let (col, keycol) = (given.number("col", 1)?, given.number("keycol", 0)?);
        let text = given.file("ansible.csv")?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let mut value = None;
        for row in reader.records() {
            let row = row.map_err(|error| failure(format!("csvfile: {error}")))?;
            if row.get(keycol) == Some(&*key) {
                value = Some(match row.get(col) {
                    Some(cell) => Val::str(cell),
                    None => return fail("csvfile: list index out of range"),
                });
                break;
            }
        }
        match value {
            Some(value) => found.push(value),
            None => found.extend(given.text("default")?.map(Val::Str)),
        }
    }
    Ok(found)
}

fn ini(request: &Request<'_>) -> Result<Vec<Val>, Fail> {
    let mut found = Vec::new();
    for term in request.texts()? {
        let (key, own) = old_options(&term);
        let given = Given { request, own };
        let properties = given.text("type")?.as_deref() == Some("properties");
        let section = match given.text("section")? {
            Some(section) if !properties => section,
            _ => Arc::from(if properties { "" } else { "global" }),
        };
        let exact_case = given.flag("case_sensitive")?;
        let text = given.file("ansible.ini")?;
        let entries = entries(&text, &section);
        let fold = |text: &str| {
            if exact_case {
                text.to_owned()
            } else {
                text.to_lowercase()
            }
        };
        if given.flag("re")? {
            let pattern = Pattern::new(&Arc::from(format!(r"\A(?:{key})")), Flags::default())?;
            for (name, value) in &entries {
                if pattern.is_match(&fold(name))? {
                    found.push(Val::str(value));
                }
            }
            continue;
        }
        let value = entries.iter().find(|(name, _)| fold(name) == fold(&key));
        match value {
            Some((_, value)) => found.push(Val::str(value)),
            None => found.push(
                given
                    .text("default")?
                    .map_or_else(|| Val::str(""), Val::Str),
            ),
        }
    }
    Ok(found)
}

/// The entries of a section; continued lines belong to the one above.
fn entries(text: &str, wanted: &str) -> Vec<(String, String)> {
    let mut section = "";
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = name;
            continue;
        }
        if section != wanted {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = entries.last_mut()
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        let (name, value) = match trimmed.find(['=', ':']) {
            Some(at) => {
                let (name, rest) = trimmed.split_at(at);
                (name, rest.get(1..).unwrap_or_default())
            }
            None => (trimmed, ""),
        };
        entries.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    entries
}
