//! Files of the controller that tasks name: where they are looked for, as Ansible does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::scope::TaskScope;
use super::template_vars;
use crate::base::value::{Map, Value};
use crate::module::{Content, Controller, FileKind, ModuleError};
use crate::playbook::as_bool;
use crate::template::{self, TextOptions};

/// What vaults begin with.
const VAULT: &[u8] = b"$ANSIBLE_VAULT;";

impl TaskScope {
    /// The folders that a task's files are looked for beside: its role's and those of the roles that
    /// brought it, the folders of its files of tasks, the playbook's.
    pub(super) fn search_path(&self) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> = Vec::new();
        let mut add = |folder: &Path| {
            // Of a file without a folder in its name, the folder is the one worked in.
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        };
        if let Some(task) = self.task.as_ref().map(|task| &task.task) {
            if let Some(used) = &task.role {
                add(&used.role.path);
                used.parents
                    .iter()
                    .rev()
                    .for_each(|used| add(&used.role.path));
            }
            for file in task.files.iter().rev() {
                if let Some(folder) = file.parent() {
                    add(folder);
                }
            }
        }
        add(&self.batch.play.folder);
        folders
    }

    /// A file by the name that a task gives; else all places that were looked at.
    pub(super) fn find_file(&self, folder: &str, name: &str) -> Result<PathBuf, String> {
        let expanded = expand_home(name);
        let name = expanded.as_deref().unwrap_or(Path::new(name));
        if name.is_absolute() {
            return if name.exists() {
                Ok(name.to_owned())
            } else {
                Err(format!("Could not find or access '{}'", name.display()))
            };
        }
        let mut looked = Vec::new();
        for base in self.search_path() {
            let inner = [Some(base.join(folder).join(name)), Some(base.join(name))];
            // What stands in `tasks/` of a role is not beside its `files/`.
            for path in inner.into_iter().flatten() {
                if path.exists() {
                    return Ok(path);
                }
                looked.push(path);
            }
        }
        let places: Vec<String> = looked
            .iter()
            .map(|path| format!("\t{}", path.display()))
            .collect();
        Err(format!(
            "Could not find or access '{}'\nSearched in:\n{} on the controller.",
            name.display(),
            places.join("\n")
        ))
    }
}

pub(super) fn expand_home(name: &str) -> Option<PathBuf> {
    let rest = name.strip_prefix("~/")?;
    Some(Path::new(&std::env::var_os("HOME")?).join(rest))
}

/// Finds files for modules and renders their templates.
pub(super) struct Finder<'a> {
    pub(super) scope: &'a TaskScope,
}

impl Controller for Finder<'_> {
    fn file(&self, kind: FileKind, name: &str) -> Result<Content, ModuleError> {
        let folder = match kind {
            FileKind::Files => "files",
            FileKind::Templates => "templates",
        };
        let path = self
            .scope
            .find_file(folder, name)
            .map_err(ModuleError::new)?;
        let unreadable =
            |error: std::io::Error| ModuleError::new(format!("{}: {error}", path.display()));
        if path.is_dir() {
            return Ok(Content {
                path,
                folder: true,
                opened: None,
            });
        }
        let opened = if is_vault(&path).map_err(unreadable)? {
            let text = std::fs::read_to_string(&path).map_err(unreadable)?;
            let opened = self.scope.runner.hosts.open_file(&text);
            let opened =
                opened.map_err(|why| ModuleError::new(format!("{}: {why}", path.display())))?;
            Some(opened.into_bytes().into())
        } else {
            None
        };
        Ok(Content {
            path,
            folder: false,
            opened,
        })
    }

    fn render(&self, text: &str, path: &Path, options: &Map) -> Result<String, ModuleError> {
        let mut scope = self.scope.clone();
        let named = |name: &str| options.get(name).and_then(Value::as_str);
        let asked = named("src").unwrap_or_default();
        scope
            .local
            .extend(template_vars::of(asked, path, named("dest")));
        let rendered = template::render_text(text, &text_options(options), &scope.shared());
        let rendered = rendered.map_err(|error| {
            let place = error
                .place
                .map(|place| format!(":{}:{}", place.line, place.column));
            ModuleError::new(format!(
                "{}{}: {error}",
                path.display(),
                place.unwrap_or_default()
            ))
        })?;
        Ok(crate::base::python::python(&rendered.value))
    }
}

/// The template module's own parameters, as far as they bear on the text.
fn text_options(given: &Map) -> TextOptions {
    let mut options = TextOptions::default();
    let flag = |name: &str, option: &mut bool| {
        if let Some(yes) = given.get(name).and_then(as_bool) {
            *option = yes;
        }
    };
    flag("trim_blocks", &mut options.trim_blocks);
    flag("lstrip_blocks", &mut options.lstrip_blocks);
    let mark = |name: &str, option: &mut Arc<str>| {
        if let Some(text) = given.get(name).and_then(Value::as_str) {
            *option = Arc::from(text);
        }
    };
    mark("block_start_string", &mut options.block_start);
    mark("block_end_string", &mut options.block_end);
    mark("variable_start_string", &mut options.variable_start);
    mark("variable_end_string", &mut options.variable_end);
    mark("comment_start_string", &mut options.comment_start);
    mark("comment_end_string", &mut options.comment_end);
    mark("newline_sequence", &mut options.newline);
    options
}

fn is_vault(path: &Path) -> std::io::Result<bool> {
    use std::io::Read as _;
    let mut head = Vec::new();
    std::fs::File::open(path)?
        .take(VAULT.len() as u64)
        .read_to_end(&mut head)?;
    Ok(head == VAULT)
}
