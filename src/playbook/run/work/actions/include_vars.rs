//! `include_vars`: variables of files, for the host that the task is done for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::context::Context;
use super::super::results::Outcome;
use super::text;
use crate::base::value::{Map, Value};
use crate::template::Scope as _;

pub(super) fn perform(context: &Context<'_>, params: &Map) -> Outcome {
    match read(context, params) {
        Ok((variables, files)) => {
            let variables = match text(params, "name") {
                Some(name) => Map::from_iter([(name.into(), Value::Map(variables))]),
                None => variables,
            };
            let variables = match text(params, "hash_behaviour") {
                Some("merge") => match merged(context, variables) {
                    Ok(variables) => variables,
                    Err(why) => return Outcome::failed(why),
                },
                _ => variables,
            };
            let files = files
                .iter()
                .map(|file| Value::Unsafe(file.to_string_lossy().into()));
            Outcome::with([
                ("changed", Value::Bool(false)),
                ("ansible_facts", Value::Map(variables)),
                ("ansible_included_var_files", Value::List(files.collect())),
            ])
        }
        Err(message) => {
            let mut outcome = Outcome::failed(&message);
            outcome
                .result
                .insert("message".into(), Value::Unsafe(message.into()));
            outcome
                .result
                .insert("ansible_facts".into(), Value::Map(Map::new()));
            outcome
                .result
                .insert("ansible_included_var_files".into(), Value::List(Vec::new()));
            outcome
        }
    }
}

fn read(context: &Context<'_>, params: &Map) -> Result<(Map, Vec<PathBuf>), String> {
    let files = match (text(params, "dir"), text(params, "file")) {
        (Some(folder), _) => {
            let folder = context.scope.find_file("vars", folder)?;
            if !folder.is_dir() {
                return Err(format!("{} is not a directory", folder.display()));
            }
            let mut files = Vec::new();
            Choice::of(params)?.walk(&folder, 1, &mut files)?;
            files
        }
        (None, Some(file)) => vec![context.scope.find_file("vars", file)?],
        (None, None) => return Err("one of the following is required: dir, file".to_owned()),
    };
    let mut all = Map::new();
    for file in &files {
        let document = context.runner().document(file)?;
        if document.source.secret {
            context.runner().learn_all(&document.value());
        }
        match document.value() {
            Value::Map(map) => {
                all.extend(map);
            }
            Value::Null => {}
            _ => {
                return Err(format!(
                    "{} must be stored as a dictionary/hash",
                    file.display()
                ));
            }
        }
    }
    Ok((all, files))
}

/// `hash_behaviour: merge`: with what the variables hold already.
fn merged(context: &Context<'_>, variables: Map) -> Result<Map, String> {
    let mut all = Map::new();
    for (name, value) in variables {
        if let Some(known) = context.scope.lookup(&name)? {
            all.insert(name.clone(), known.value);
        }
        put(&mut all, name, value);
    }
    Ok(all)
}

fn put(map: &mut Map, name: Arc<str>, value: Value) {
    match (map.get_mut(&name), value) {
        (Some(Value::Map(known)), Value::Map(more)) => {
            for (name, value) in more {
                put(known, name, value);
            }
        }
        (_, value) => _ = map.insert(name, value),
    }
}

/// Which files of a folder.
struct Choice<'a> {
    depth: i64,
    matching: Option<regex::Regex>,
    ignored: Vec<&'a str>,
    endings: Vec<&'a str>,
    pass_over_others: bool,
}

impl<'a> Choice<'a> {
    fn of(params: &'a Map) -> Result<Self, String> {
        let words = |name: &str| match params.get(name) {
            Some(Value::List(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let matching = text(params, "files_matching")
            .map(regex::Regex::new)
            .transpose();
        Ok(Self {
            depth: match params.get("depth") {
                Some(Value::Int(depth)) => *depth,
                _ => 0,
            },
            matching: matching.map_err(|error| format!("files_matching: {error}"))?,
            ignored: words("ignore_files"),
            endings: words("extensions"),
            pass_over_others: params.get("ignore_unknown_extensions") == Some(&Value::Bool(true)),
        })
    }

    fn walk(&self, folder: &Path, depth: i64, into: &mut Vec<PathBuf>) -> Result<(), String> {
        let unreadable = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut entries = std::fs::read_dir(folder)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(unreadable)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let (folders, files): (Vec<_>, Vec<_>) = entries
            .iter()
            .map(std::fs::DirEntry::path)
            .partition(|path| path.is_dir());
        for file in files {
            let name = file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let wanted = self
                .matching
                .as_ref()
                .is_none_or(|matching| matching.is_match(&name));
            if !wanted || self.ignored.contains(&name.as_str()) {
                continue;
            }
            let ending = file
                .extension()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if self.endings.contains(&ending.as_str()) {
                into.push(file);
            } else if !self.pass_over_others {
                return Err(format!(
                    "{} does not have a valid extension: {}",
                    file.display(),
                    self.endings.join(", ")
                ));
            }
        }
        for inner in folders {
            if self.depth == 0 || depth < self.depth {
                self.walk(&inner, depth + 1, into)?;
            }
        }
        Ok(())
    }
}
