//! What a playbook is when it has been loaded: static imports resolved, inheritance worked out, every
//! value still as written. What runs it knows nothing of YAML's shapes.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::keyword::{Keyword, Keywords};
use super::written::Written;
use crate::base::diag::Place;

/// A playbook: its plays in order, those of imported playbooks among them.
#[derive(Debug, Clone)]
pub struct Playbook {
    /// The file.
    pub path: Arc<Path>,
    /// The plays.
    pub plays: Vec<Arc<Play>>,
}

/// A play.
#[derive(Debug, Clone)]
pub struct Play {
    /// Its keywords: `hosts`, `serial`, `vars` and the rest. Its tasks hold already what they
    /// inherit of them.
    pub keywords: Keywords,
    /// The play as a whole, for messages.
    pub written: Written,
    /// The folder of its playbook: `files/`, `templates/`, `roles/`, `group_vars/` stand there.
    pub folder: Arc<Path>,
    /// Variables of the `import_playbook`s that brought it, stronger than its own; the strongest last.
    pub import_vars: Vec<Written>,
    /// The roles of `roles:` and of `import_role`, in order: their defaults and variables are known
    /// to the whole play (of imported ones unless `public: false`).
    pub roles: Vec<Arc<RoleUse>>,
    /// The steps of `pre_tasks`, `roles`, `tasks` and `post_tasks`, in this order. Handlers are
    /// flushed after `pre_tasks`, `tasks` and `post_tasks`.
    pub sections: Vec<(Section, Vec<Step>)>,
    /// The handlers, of roles too, in the order in which they run.
    pub handlers: Vec<Arc<Handler>>,
}

/// A part of a play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `pre_tasks:`
    PreTasks,
    /// `roles:`
    Roles,
    /// `tasks:`
    Tasks,
    /// `post_tasks:`
    PostTasks,
}

/// One thing in a list of tasks.
#[derive(Debug, Clone)]
pub enum Step {
    /// A task.
    Task(Arc<Task>),
    /// A block.
    Block(Arc<Block>),
    /// The tasks of a role. A host where this role (the same [`Role::id`]) has run to its end passes
    /// them over, unless the use allows duplicates.
    Role(Arc<RoleUse>, Vec<Step>),
}

/// A block with its ways out.
#[derive(Debug, Clone)]
pub struct Block {
    /// Its keywords with what it inherits; its tasks hold them already.
    pub keywords: Keywords,
    /// The block as a whole, for messages.
    pub written: Written,
    /// The tasks.
    pub block: Vec<Step>,
    /// What runs on a host where a task of `block` failed.
    pub rescue: Vec<Step>,
    /// What runs in any case.
    pub always: Vec<Step>,
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its keywords with what it inherits. `vars`, `when`, `tags`, `environment` and
    /// `module_defaults` hold one value a level, the outermost first.
    pub keywords: Keywords,
    /// What it inherits, without its own: what tasks that it includes inherit in turn.
    pub outer: Arc<Keywords>,
    /// The task as a whole: its place is the task's.
    pub written: Written,
    /// What it does.
    pub action: Action,
    /// Its loop.
    pub r#loop: Option<Loop>,
    /// The role that it belongs to: its variables, and where files and templates are looked for.
    pub role: Option<Arc<RoleUse>>,
    /// The files of tasks that it was imported or included through, the outermost first, the file it
    /// stands in last: relative names are looked for beside them.
    pub files: Arc<[Arc<Path>]>,
    /// The folder of the playbook.
    pub folder: Arc<Path>,
}

impl Task {
    /// Its name as written; a template perhaps.
    pub fn name(&self) -> Option<&Written> {
        self.keywords.get(Keyword::Name)
    }

    /// Where it stands: `site.yml:12:5`.
    pub fn place(&self) -> Place {
        self.written.place()
    }

    /// What is shown of it: the role, and its name, else its module.
    pub fn title(&self) -> String {
        let name = self.name().and_then(Written::text).unwrap_or_default();
        let name = if name.is_empty() {
            &*self.action.written
        } else {
            name
        };
        match &self.role {
            Some(used) => format!("{} : {name}", used.role.shown_name()),
            None => name.to_owned(),
        }
    }
}

/// What a task does.
#[derive(Debug, Clone)]
pub struct Action {
    /// The module's own name, without a collection: `copy`. Empty where the name is a template
    /// (`action: "{{ it }}"`).
    pub module: Arc<str>,
    /// As the playbook names it: `ansible.builtin.copy`. What is shown.
    pub written: Arc<str>,
    /// Where the name stands.
    pub place: Written,
    /// The arguments.
    pub args: Args,
    /// Whether it was written as `local_action`: then it is delegated to localhost.
    pub local: bool,
}

/// The arguments of a module.
#[derive(Debug, Clone, Default)]
pub struct Args {
    /// What modules such as `command` take as one text.
    pub free_form: Option<Written>,
    /// The named ones; values may be templates. Those of `k=v` stand at the place of their text.
    pub named: IndexMap<Arc<str>, Written>,
    /// A template that gives a mapping of further ones: `args: "{{ them }}"`. Weaker than named ones.
    pub template: Option<Written>,
}

/// A task's loop.
#[derive(Debug, Clone)]
pub struct Loop {
    /// The lookup of a `with_`: `items`, `fileglob`; of `loop` none: the value is the list itself.
    pub lookup: Option<Arc<str>>,
    /// What it goes over.
    pub over: Written,
    /// `loop_control`.
    pub control: Option<Written>,
}

/// A handler.
#[derive(Debug, Clone)]
pub struct Handler {
    /// The task it runs.
    pub task: Arc<Task>,
    /// The topics it listens to, beside its names.
    pub listen: Vec<Written>,
}

impl Handler {
    /// Whether a notification by a constant name means it: `restart web`, `role : restart web`.
    /// `name` is its own name, rendered.
    pub fn answers(&self, name: &str, notification: &str) -> bool {
        let by_role = |used: &Arc<RoleUse>| {
            notification.split_once(" : ").is_some_and(|(role, rest)| {
                rest == name && (role == &*used.role.name || role == used.role.shown_name())
            })
        };
        name == notification || self.task.role.as_ref().is_some_and(by_role)
    }

    /// Whether a notification means one of its topics.
    pub fn listens(&self, notification: &str) -> bool {
        self.listen
            .iter()
            .any(|topic| topic.text() == Some(notification))
    }
}

/// A role as loaded from its folder. Two uses that differ in nothing are one role.
#[derive(Debug)]
pub struct Role {
    /// Unique within the process.
    pub id: u64,
    /// The last part of its name.
    pub name: Arc<str>,
    /// The collection it comes from.
    pub collection: Option<Arc<str>>,
    /// Its folder: `files/`, `templates/`, `modules/` stand there.
    pub path: Arc<Path>,
    /// The mappings of `defaults/`, later ones win.
    pub defaults: Vec<Written>,
    /// The mappings of `vars/`, later ones win.
    pub vars: Vec<Written>,
    /// The roles that `meta/main.yml` asks for, in order: their variables are known to this one's
    /// tasks. (Without `parents`: those are of a use in a play.)
    pub dependencies: Vec<Arc<RoleUse>>,
    /// The argument spec of the entry point in use (`main`, or what `tasks_from` names).
    pub argument_spec: Option<Written>,
}

impl Role {
    /// The name that is shown: with the collection where it has one.
    pub fn shown_name(&self) -> String {
        match &self.collection {
            Some(collection) => format!("{collection}.{}", self.name),
            None => self.name.to_string(),
        }
    }
}

/// A role as somebody uses it.
#[derive(Debug, Clone)]
pub struct RoleUse {
    /// The role.
    pub role: Arc<Role>,
    /// The use as written, for messages.
    pub written: Written,
    /// Keys of the entry that are no keywords: variables stronger than `vars`.
    pub params: IndexMap<Arc<str>, Written>,
    /// The keywords of the use with what they inherit.
    pub keywords: Keywords,
    /// The uses that asked for it, by dependencies or by `include_role` within a role; the outermost
    /// first. Their variables are known to its tasks.
    pub parents: Vec<Arc<RoleUse>>,
    /// Whether a task asked for it: `include_role`, `import_role`.
    pub by_task: bool,
    /// Whether it runs again on hosts where it has run.
    pub allow_duplicates: bool,
    /// Whether its defaults and variables are known to the play.
    pub public: bool,
}
