//! Mappings of variables as the playbook holds them, each read into an index once, however many hosts
//! and tasks it holds for.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;

use crate::base::yaml::Node;
use crate::playbook::{Keyword, Play, RoleUse, Task, Written};
use crate::template::Found;

/// From so many mappings on it is looked which of them are still of use.
const KEPT: usize = 4096;

/// The variables of one mapping.
pub(super) type Layer = Arc<IndexMap<Arc<str>, Found>>;

/// The mappings that were read, by their nodes (which are kept, so that an address stays one's own).
#[derive(Debug, Default)]
pub(super) struct Layers(Mutex<HashMap<usize, (Arc<Node>, Layer)>>);

impl Layers {
    /// A mapping as a layer. A list of mappings (`vars: [{...}]`) is one of them all.
    pub(super) fn of(&self, written: &Written) -> Layer {
        let address = Arc::as_ptr(&written.node) as usize;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, layer)) = known.get(&address) {
            return layer.clone();
        }
        let layer = Arc::new(read(written));
        if known.len() >= KEPT {
            // Those that nobody else holds are of tasks that are gone.
            known.retain(|_, (node, _)| Arc::strong_count(node) > 1);
        }
        known.insert(address, (written.node.clone(), layer.clone()));
        layer
    }

    fn all<'a>(&self, written: impl IntoIterator<Item = &'a Written>) -> Vec<Layer> {
        written.into_iter().map(|each| self.of(each)).collect()
    }
}

pub(super) fn read(written: &Written) -> IndexMap<Arc<str>, Found> {
    let mut layer = IndexMap::new();
    for mapping in written.items() {
        for (key, node) in mapping.node.entries().unwrap_or_default() {
            let found = Found {
                value: node.value(),
                origin: node.place(&written.source.path).to_string(),
                secret: written.source.secret,
            };
            layer.insert(key.name.clone(), found);
        }
    }
    layer
}

/// What a play says for all of its tasks, the strongest first in each.
#[derive(Debug, Default)]
pub(super) struct PlayLayers {
    /// Those of the `import_playbook` that brought the play, the outermost first, then its own.
    pub(super) vars: Vec<Layer>,
    /// `vars/` of its roles.
    pub(super) role_vars: Vec<Layer>,
    /// `defaults/` of its roles.
    pub(super) role_defaults: Vec<Layer>,
}

impl PlayLayers {
    pub(super) fn of(layers: &Layers, play: &Play) -> Self {
        let public = || play.roles.iter().filter(|used| used.public).rev();
        Self {
            vars: layers.all(
                play.import_vars
                    .iter()
                    .rev()
                    .chain(play.keywords.all(Keyword::Vars).iter().rev()),
            ),
            role_vars: public()
                .flat_map(|used| with_dependencies(layers, used, &vars_of))
                .collect(),
            role_defaults: public()
                .flat_map(|used| with_dependencies(layers, used, &defaults_of))
                .collect(),
        }
    }
}

/// A role's `vars/` and `defaults/`, with those of the roles that it depends on.
pub(super) fn of_role(layers: &Layers, used: &Arc<RoleUse>) -> (Vec<Layer>, Vec<Layer>) {
    (
        with_dependencies(layers, used, &vars_of),
        with_dependencies(layers, used, &defaults_of),
    )
}

/// What holds for one task beside its play, the strongest first in each.
#[derive(Debug, Default)]
pub(super) struct TaskLayers {
    /// Parameters of the role, then of those that brought it.
    pub(super) params: Vec<IndexMap<Arc<str>, Found>>,
    /// `vars` of the task and of the blocks around it.
    pub(super) vars: Vec<Layer>,
    /// `vars/` of the role, its dependencies, and of those that brought it.
    pub(super) role_vars: Vec<Layer>,
    /// `defaults/`, likewise.
    pub(super) role_defaults: Vec<Layer>,
    /// Whether variables of connections are among them.
    pub(super) of_connection: bool,
}

impl TaskLayers {
    pub(super) fn of(layers: &Layers, task: &Task) -> Self {
        let mut found = Self {
            vars: layers.all(task.keywords.all(Keyword::Vars).iter().rev()),
            ..Self::default()
        };
        if let Some(used) = &task.role {
            let chain = || std::iter::once(used).chain(used.parents.iter().rev());
            found.params = chain()
                .filter(|used| !used.params.is_empty())
                .map(|used| {
                    used.params
                        .iter()
                        .map(|(name, value)| (name.clone(), found_of(value)))
                        .collect()
                })
                .collect();
            // Its own, those of the roles it depends on, those of the roles that brought it.
            let parents = || used.parents.iter().rev();
            let mut vars = with_dependencies(layers, used, &vars_of);
            vars.extend(parents().flat_map(|used| vars_of(layers, used)));
            found.role_vars = vars;
            let mut defaults = defaults_of(layers, used);
            defaults.extend(parents().flat_map(|used| defaults_of(layers, used)));
            defaults.extend(
                dependencies(used).flat_map(|used| with_dependencies(layers, used, &defaults_of)),
            );
            found.role_defaults = defaults;
            // Keywords of the use: they hold by inheritance, but those of parents do not.
            found
                .vars
                .extend(layers.all(used.keywords.all(Keyword::Vars).iter().rev()));
        }
        let of_connection =
            |name: &Arc<str>| name.starts_with("ansible_") || name.starts_with("ioms_");
        let all = found
            .vars
            .iter()
            .chain(&found.role_vars)
            .chain(&found.role_defaults);
        found.of_connection = all.flat_map(|layer| layer.keys()).any(of_connection)
            || found
                .params
                .iter()
                .flat_map(IndexMap::keys)
                .any(of_connection);
        found
    }
}

impl TaskLayers {
    /// The names of all variables.
    pub(super) fn names(&self, into: &mut BTreeSet<Arc<str>>) {
        let layers = self
            .vars
            .iter()
            .chain(&self.role_vars)
            .chain(&self.role_defaults);
        into.extend(layers.flat_map(|layer| layer.keys().cloned()));
        into.extend(self.params.iter().flat_map(|params| params.keys().cloned()));
    }
}

type Part<'a> = &'a dyn Fn(&Layers, &Arc<RoleUse>) -> Vec<Layer>;

fn vars_of(layers: &Layers, used: &Arc<RoleUse>) -> Vec<Layer> {
    layers.all(used.role.vars.iter().rev())
}

fn defaults_of(layers: &Layers, used: &Arc<RoleUse>) -> Vec<Layer> {
    layers.all(used.role.defaults.iter().rev())
}

fn dependencies(used: &Arc<RoleUse>) -> impl Iterator<Item = &Arc<RoleUse>> {
    used.role.dependencies.iter().rev()
}

/// A role's own, then those of the roles that it depends on.
fn with_dependencies(layers: &Layers, used: &Arc<RoleUse>, part: Part<'_>) -> Vec<Layer> {
    let mut found = part(layers, used);
    for dependency in dependencies(used) {
        found.extend(with_dependencies(layers, dependency, part));
    }
    found
}

/// A value of the playbook as a variable.
pub(super) fn found_of(written: &Written) -> Found {
    Found {
        value: written.value(),
        origin: written.place().to_string(),
        secret: written.source.secret,
    }
}
