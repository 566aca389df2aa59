//! Reading the files of playbooks and roles: bounded, vaults opened, each file once.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::problem::{LintRule, Problem};
use super::written::{Source, Written};
use crate::base::diag::{Diagnostic, Place};
use crate::base::seen::Seen;
use crate::base::yaml;

/// Opens a vault file's text; whoever loads fills it.
pub type OpenVault = Arc<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

/// No file of a playbook is larger, in bytes.
const FILE_MAX: u64 = 16 << 20;
/// The endings that YAML files may have, in the order they are looked for.
pub(super) const ENDINGS: [&str; 3] = [".yml", ".yaml", ".json"];

/// Reads files and keeps them.
#[derive(Default)]
pub(super) struct Files {
    pub(super) vault: Option<OpenVault>,
    seen: Seen,
    read: HashMap<PathBuf, Result<Written, Box<Problem>>>,
}

impl Files {
    pub(super) fn new(vault: Option<OpenVault>, seen: Seen) -> Self {
        Self {
            vault,
            seen,
            ..Self::default()
        }
    }

    /// A file's document.
    pub(super) fn read(&mut self, path: &Path) -> Result<Written, Box<Problem>> {
        if let Some(found) = self.read.get(path) {
            return found.clone();
        }
        let found = self.load(path);
        self.read.insert(path.to_owned(), found.clone());
        found
    }

    /// A file's document without keeping it: to see what it is.
    pub(super) fn peek(&self, path: &Path) -> Result<Written, Box<Problem>> {
        self.load(path)
    }

    /// How many files were read.
    pub(super) fn count(&self) -> usize {
        self.read.len()
    }

    /// Whether a file was read already.
    pub(super) fn has_read(&self, path: &Path) -> bool {
        self.read.contains_key(path)
    }

    fn load(&self, path: &Path) -> Result<Written, Box<Problem>> {
        let (text, secret) = self.text(path).map_err(|why| {
            let diagnostic = Diagnostic::new(why, Place::new(path, 0, 0), "");
            Box::new(Problem::error(LintRule::File, diagnostic))
        })?;
        document(path, text, secret)
    }

    fn text(&self, path: &Path) -> Result<(String, bool), String> {
        let unreadable = |error: std::io::Error| format!("the file can't be read: {error}");
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        file.take(FILE_MAX + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > FILE_MAX {
            return Err("the file is larger than 16 MiB".to_owned());
        }
        self.seen.file(path, &bytes);
        let mut text = String::from_utf8(bytes)
            .map_err(|_| "the file is not UTF-8: save it as UTF-8".to_owned())?;
        if text.starts_with('\u{feff}') {
            text.remove(0);
        }
        if !text.starts_with("$ANSIBLE_VAULT;") {
            return Ok((text, false));
        }
        match &self.vault {
            Some(open) => Ok((open(&text)?, true)),
            None => Err("the file is a vault, and no password was given".to_owned()),
        }
    }
}

/// A text as a document of the file `path`.
pub(super) fn document(path: &Path, text: String, secret: bool) -> Result<Written, Box<Problem>> {
    let parsed = yaml::parse(&text, path).map_err(|mut diagnostic| {
        if secret {
            diagnostic.snippet = None;
        }
        Box::new(Problem::error(LintRule::Yaml, *diagnostic))
    })?;
    let source = Arc::new(Source {
        path: path.into(),
        text: if secret { String::new() } else { text },
        secret,
    });
    Ok(Written::new(&parsed, &source))
}

/// The file of this name in the folder, with or without an ending of YAML files.
pub(super) fn with_ending(folder: &Path, name: &str) -> Option<PathBuf> {
    let bare = folder.join(name);
    let ended = |ending: &&str| Some(folder.join(format!("{name}{ending}")));
    let candidates = ENDINGS.iter().filter_map(ended);
    // A named file may have its ending already; `main` has it mostly.
    if name == "main" {
        candidates.chain([bare]).find(|path| path.is_file())
    } else {
        std::iter::once(bare)
            .chain(candidates)
            .find(|path| path.is_file())
    }
}

/// The files that make up a role's variables: `main` with an ending, or all files of a folder of
/// that name, by name.
pub(super) fn vars_files(folder: &Path, name: &str) -> Vec<PathBuf> {
    if let Some(file) = with_ending(folder, name) {
        return vec![file];
    }
    let mut found = Vec::new();
    gather(&folder.join(name), &mut found, 0);
    found
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>, depth: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            if depth < 8 {
                gather(&path, found, depth + 1);
            }
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) || !name.contains('.') {
            found.push(path);
        }
    }
}

/// `a/../b/./c` as `b/c`, without asking the disk.
pub(super) fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            part => out.push(part),
        }
    }
    if out.as_os_str().is_empty() {
        out.push(".");
    }
    out
}
