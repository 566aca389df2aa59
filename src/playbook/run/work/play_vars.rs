//! The variables of a play: its own, of its roles, of `vars_files`, and the answers to `vars_prompt`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::layers::{Layer, Layers, PlayLayers};
use super::render;
use super::runner::Runner;
use super::scope::TaskScope;
use crate::base::value::Value;
use crate::playbook::{Keyword, Play, RoleUse, Written};
use crate::template::Found;

/// What holds for all tasks of a play.
pub(super) struct PlayVars {
    layers: PlayLayers,
    /// `vars_files`, the strongest first: of each the names of which the first that is there is read.
    files: Vec<Vec<Written>>,
    folder: Arc<Path>,
    /// The answers to `vars_prompt`.
    answers: RwLock<Layer>,
    /// Roles that were included; layers of those that were so for the rest of the play, with `public`.
    included: RwLock<Included>,
}

#[derive(Default)]
struct Included {
    all: Vec<Arc<RoleUse>>,
    roles: Vec<u64>,
    vars: Vec<Layer>,
    defaults: Vec<Layer>,
}

impl PlayVars {
    pub(super) fn of(layers: &Layers, play: &Play) -> Self {
        let files = play
            .keywords
            .get(Keyword::VarsFiles)
            .map(Written::items)
            .unwrap_or_default();
        Self {
            layers: PlayLayers::of(layers, play),
            files: files.iter().rev().map(Written::items).collect(),
            folder: play.folder.clone(),
            answers: RwLock::default(),
            included: RwLock::default(),
        }
    }

    /// Answers to `vars_prompt`.
    pub(super) fn answer(&self, answers: Layer) {
        *self.answers.write().unwrap_or_else(PoisonError::into_inner) = answers;
    }

    /// The roles that tasks have included.
    pub(super) fn included_roles(&self) -> Vec<Arc<RoleUse>> {
        let included = self.included.read().unwrap_or_else(PoisonError::into_inner);
        included.all.clone()
    }

    /// From now on the play knows the role's name and, where it is `public`, its variables.
    pub(super) fn include(&self, layers: &Layers, used: &Arc<RoleUse>) {
        let mut included = self
            .included
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if !included
            .all
            .iter()
            .any(|known| known.role.id == used.role.id)
        {
            included.all.push(used.clone());
        }
        if used.public && !included.roles.contains(&used.role.id) {
            let (vars, defaults) = super::layers::of_role(layers, used);
            included.roles.push(used.role.id);
            included.vars.splice(0..0, vars);
            included.defaults.splice(0..0, defaults);
        }
    }

    /// A variable of a role's `vars/`.
    pub(super) fn role_var(&self, name: &str) -> Option<Found> {
        let included = self.included.read().unwrap_or_else(PoisonError::into_inner);
        first(included.vars.iter().chain(&self.layers.role_vars), name)
    }

    /// A variable of a role's `defaults/`.
    pub(super) fn role_default(&self, name: &str) -> Option<Found> {
        let included = self.included.read().unwrap_or_else(PoisonError::into_inner);
        first(
            included.defaults.iter().chain(&self.layers.role_defaults),
            name,
        )
    }

    /// An answer, or a variable of the play's `vars`.
    pub(super) fn own(&self, name: &str) -> Option<Found> {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get(name).cloned();
        answer.or_else(|| first(self.layers.vars.iter(), name))
    }

    /// The names of all of its variables but those of files.
    pub(super) fn names(&self) -> BTreeSet<Arc<str>> {
        let included = self.included.read().unwrap_or_else(PoisonError::into_inner);
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let own = self
            .layers
            .vars
            .iter()
            .chain(&self.layers.role_vars)
            .chain(&self.layers.role_defaults);
        let all = own
            .chain(&included.vars)
            .chain(&included.defaults)
            .chain([&*answers]);
        all.flat_map(|layer| layer.keys().cloned()).collect()
    }

    /// A variable of `vars_files`.
    pub(super) fn of_files(&self, scope: &TaskScope, name: &str) -> Result<Option<Found>, String> {
        for names in &self.files {
            if let Some(layer) = self.file(scope, names)?
                && let Some(found) = layer.get(name)
            {
                return Ok(Some(found.clone()));
            }
        }
        Ok(None)
    }

    /// The first of these files that is there. One whose name can't be rendered yet (it waits for
    /// facts) is no file.
    fn file(&self, scope: &TaskScope, names: &[Written]) -> Result<Option<Layer>, String> {
        let mut looked = Vec::new();
        for written in names {
            let Some(name) = file_name(scope, written) else {
                return Ok(None);
            };
            match find(&self.folder, &name) {
                Some(path) => return scope.runner.vars_file(&path).map(Some),
                None => looked.push(name),
            }
        }
        match names.first() {
            Some(first) => {
                let message = format!("vars file {} was not found", looked.join(" or "));
                Err(first.error(message).to_string())
            }
            None => Ok(None),
        }
    }
}

fn file_name(scope: &TaskScope, written: &Written) -> Option<String> {
    if let Some(name) = written.constant() {
        return Some(name.to_owned());
    }
    let mut scope = scope.clone();
    scope.without_files = true;
    let value = render::value(&scope, &written.value()).ok()?;
    value.as_str().map(str::to_owned)
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join("vars").join(name), folder.join(name)]
        .into_iter()
        .find(|path| path.is_file())
}

fn first<'a>(mut layers: impl Iterator<Item = &'a Layer>, name: &str) -> Option<Found> {
    layers.find_map(|layer| layer.get(name).cloned())
}

impl Runner {
    /// A file of variables, read once.
    pub(super) fn vars_file(&self, path: &Path) -> Result<Layer, String> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = files.get(path) {
            return known.clone();
        }
        let read = self
            .document(path)
            .and_then(|document| match document.value() {
                Value::Map(_) | Value::Null => Ok(super::layers::read(&document)),
                other => Err(document
                    .error(format!("expected variables, found {}", other.kind()))
                    .to_string()),
            });
        let layer = read.map(Arc::new);
        files.insert(path.to_owned(), layer.clone());
        layer
    }
}
