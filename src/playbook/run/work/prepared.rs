//! A task looked through once, for all hosts: its layers of variables, its conditions, and which of
//! its arguments are templates.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::kept::Print;
use super::layers::{Layers, TaskLayers};
use crate::base::value::Value;
use crate::module::{Library, Module, ModuleError};
use crate::playbook::{Keyword, Task, Written};

/// A task, ready to be done on any host.
pub(super) struct Prepared {
    pub(super) task: Arc<Task>,
    pub(super) layers: TaskLayers,
    pub(super) module: Result<Arc<Module>, ModuleError>,
    pub(super) when: Vec<Written>,
    pub(super) changed_when: Vec<Written>,
    pub(super) failed_when: Vec<Written>,
    pub(super) until: Vec<Written>,
    pub(super) register: Option<Arc<str>>,
    /// `environment` of all levels, the outermost first.
    pub(super) environment: Vec<Written>,
    /// `module_defaults` of all levels, the outermost first.
    pub(super) defaults: Vec<Written>,
    pub(super) args: Vec<Argument>,
    /// What tells it from other tasks, once somebody has asked.
    pub(super) print: OnceLock<Print>,
}

/// An argument of a task.
pub(super) struct Argument {
    pub(super) name: Arc<str>,
    pub(super) written: Written,
    pub(super) value: Value,
    /// Whether it needs no rendering.
    pub(super) constant: bool,
}

impl Prepared {
    pub(super) fn new(task: &Arc<Task>, layers: &Layers, library: &Library) -> Self {
        let keywords = &task.keywords;
        let module = find(task, library);
        let free_form = module
            .as_ref()
            .ok()
            .and_then(|module| module.free_form.clone());
        let items = |keyword| keywords.items(keyword);
        let mut args: Vec<Argument> = Vec::new();
        if let (Some(written), Some(name)) = (&task.action.args.free_form, free_form) {
            args.push(Argument::new(Arc::from(name), written));
        }
        for (name, written) in &task.action.args.named {
            args.push(Argument::new(name.clone(), written));
        }
        let environment = keywords.all(Keyword::Environment);
        Self {
            task: task.clone(),
            layers: TaskLayers::of(layers, task),
            module,
            when: items(Keyword::When),
            changed_when: items(Keyword::ChangedWhen),
            failed_when: items(Keyword::FailedWhen),
            until: items(Keyword::Until),
            register: keywords
                .get(Keyword::Register)
                .and_then(Written::text)
                .map(Arc::from),
            environment: environment.iter().flat_map(Written::items).collect(),
            defaults: keywords.all(Keyword::ModuleDefaults).to_vec(),
            args,
            print: OnceLock::new(),
        }
    }

    /// The value of a keyword that holds for the task.
    pub(super) fn keyword(&self, keyword: Keyword) -> Option<&Written> {
        self.task.keywords.get(keyword)
    }

    /// Where modules of the user's own are, which a task may name.
    pub(super) fn folders(task: &Task) -> Vec<PathBuf> {
        let of_role = task.role.iter().map(|used| used.role.path.join("modules"));
        of_role.chain([task.folder.join("modules")]).collect()
    }

    /// An argument as written.
    pub(super) fn argument(&self, name: &str) -> Option<&Argument> {
        self.args.iter().find(|argument| &*argument.name == name)
    }
}

impl Argument {
    fn new(name: Arc<str>, written: &Written) -> Self {
        let value = written.value();
        Self {
            name,
            written: written.clone(),
            constant: is_constant(&value),
            value,
        }
    }
}

/// Whether a value needs no rendering.
pub(super) fn is_constant(value: &Value) -> bool {
    match value {
        Value::Vault(_) => false,
        Value::List(items) => items.iter().all(is_constant),
        Value::Map(map) => map.values().all(is_constant),
        other => !other.is_template(),
    }
}

fn find(task: &Task, library: &Library) -> Result<Arc<Module>, ModuleError> {
    let name = &task.action.module;
    library
        .find(name, &Prepared::folders(task))?
        .ok_or_else(|| {
            ModuleError::new(format!("there is no module `{}`", task.action.written))
                .hint("`iomsctl doc` lists the modules")
        })
}
