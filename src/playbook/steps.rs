//! Lists of tasks: blocks, tasks, and the files that `import_tasks` and constant `include_tasks` name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::tidy;
use super::keyword::{Keyword, Keywords, Level};
use super::loader::{Loader, Within};
use super::model::{Action, Block, Handler, Step, Task};
use super::problem::{LintRule, Problem};
use super::task::Draft;
use super::written::Written;
use crate::base::diag::Diagnostic;
use crate::base::yaml::Key;

/// Files within files.
const DEPTH_MAX: usize = 40;

impl Within {
    /// What stands within something with these keywords.
    pub(super) fn under(&self, keywords: &Keywords) -> Self {
        Self {
            keywords: Arc::new(keywords.clone()),
            ..self.clone()
        }
    }

    /// What stands in a file.
    pub(super) fn in_file(&self, file: &Arc<Path>) -> Self {
        let mut files = self.files.to_vec();
        files.push(file.clone());
        Self {
            files: files.into(),
            ..self.clone()
        }
    }

    /// Folders of modules that come before all others: the role's.
    pub(super) fn module_folders(&self) -> Vec<PathBuf> {
        let role = self.role.iter().map(|used| used.role.path.join("modules"));
        role.chain([self.folder.join("modules")]).collect()
    }

    /// The files that a relative name of a file of tasks may mean, the first choice first. As in Ansible
    /// an import looks beside the file that it stands in first, an include in the role's folder; the
    /// file that a role begins with, whichever it is, was brought in by no import.
    pub(super) fn candidates(&self, name: &str, include: bool) -> Vec<PathBuf> {
        if name.starts_with('/') {
            return vec![PathBuf::from(name)];
        }
        let entry = usize::from(self.role.is_some());
        let brought = self.files.iter().skip(entry).rev();
        let beside = brought.filter_map(|file| file.parent());
        let beside = beside.map(|folder| folder.join(name));
        let in_role = self.role.iter().flat_map(|used| {
            let sub = match self.level {
                Level::Handler => "handlers",
                _ => "tasks",
            };
            [
                used.role.path.join(sub).join(name),
                used.role.path.join(name),
            ]
        });
        let mut found: Vec<PathBuf> = if include {
            in_role.chain(beside).collect()
        } else {
            beside.chain(in_role).collect()
        };
        found.push(self.folder.join(name));
        for path in &mut found {
            *path = tidy(path);
        }
        found.dedup();
        found
    }
}

impl Loader {
    /// The steps of a list.
    pub(super) fn steps(&mut self, list: &Written, within: &Within) -> Vec<Step> {
        let mut steps = Vec::new();
        for item in list.items() {
            if !self.room(&item) {
                break;
            }
            if item.get("block").is_some() && within.level != Level::Handler {
                steps.push(self.block(&item, within));
            } else {
                self.task(&item, within, &mut steps);
            }
        }
        steps
    }

    fn block(&mut self, written: &Written, within: &Within) -> Step {
        let mut rest = Vec::new();
        let own = self.keywords(written, Level::Block, within, &mut rest);
        for (key, _) in rest {
            let problem = unknown_in_block(written, key);
            self.report(problem);
        }
        let keywords = own.within(&within.keywords);
        let inner = within.under(&keywords);
        let mut part = |keyword| match own.get(keyword) {
            Some(list) => self.steps(list, &inner),
            None => Vec::new(),
        };
        let (block, rescue, always) = (
            part(Keyword::Block),
            part(Keyword::Rescue),
            part(Keyword::Always),
        );
        Step::Block(Arc::new(Block {
            written: written.clone(),
            block,
            rescue,
            always,
            keywords,
        }))
    }

    fn task(&mut self, written: &Written, within: &Within, steps: &mut Vec<Step>) {
        let Some(draft) = self.draft(written, within) else {
            // It may be what somebody notifies.
            self.gathered.open |= within.level == Level::Handler;
            return;
        };
        match &*draft.action.module {
            "import_tasks" => self.import_tasks(&draft, within, steps),
            "import_role" | "include_role" if within.level == Level::Handler => {
                self.role_as_handler(&draft.action);
            }
            "import_role" => self.import_role(written, &draft, within, steps),
            _ => steps.push(Step::Task(self.place(written, draft, within))),
        }
    }

    fn role_as_handler(&mut self, action: &Action) {
        let found = action
            .place
            .error(format!("`{}` can't be a handler", action.written))
            .help("bring the tasks in with `include_tasks`, or notify a handler of the role");
        self.error(LintRule::Keyword, found);
    }

    /// A task where it stands.
    fn place(&mut self, written: &Written, draft: Draft, within: &Within) -> Arc<Task> {
        let task = Arc::new(Task {
            keywords: draft.keywords.within(&within.keywords),
            outer: within.keywords.clone(),
            written: written.clone(),
            action: draft.action,
            r#loop: draft.r#loop,
            role: within.role.clone(),
            files: within.files.clone(),
            folder: within.folder.clone(),
        });
        let notified = task.keywords.items(Keyword::Notify);
        self.gathered.notified.extend(notified);
        match &*task.action.module {
            "include_tasks" => self.look_into_tasks(&task, within),
            "include_role" => self.look_into_role(&task, within),
            "meta" => self.check_meta(&task, within),
            _ => {}
        }
        task
    }

    /// `meta:` in so far as it depends on where it stands.
    fn check_meta(&mut self, task: &Task, within: &Within) {
        let Some(what) = &task.action.args.free_form else {
            return;
        };
        if what.text() == Some("end_role")
            && (within.role.is_none() || within.level == Level::Handler)
        {
            let found = what.error("`meta: end_role` stands among the tasks of a role");
            self.error(LintRule::Parameter, found);
        }
    }

    fn import_tasks(&mut self, draft: &Draft, within: &Within, steps: &mut Vec<Step>) {
        let Some(file) = file_argument(&draft.action) else {
            return;
        };
        let keywords = draft.keywords.within(&within.keywords);
        let inner = within.under(&keywords);
        let Some(name) = self.known_now(&file, &inner) else {
            return;
        };
        let Some(path) = self.existing(&file, &name, within) else {
            return;
        };
        if within.files.iter().any(|each| **each == *path) || within.files.len() > DEPTH_MAX {
            let found = file.error(format!("`{name}` brings itself in without end"));
            self.error(LintRule::Recursion, found);
            return;
        }
        steps.extend(self.file_of_tasks(&path, &inner));
    }

    /// The file that a name means; an error where there is none.
    fn existing(&mut self, written: &Written, name: &str, within: &Within) -> Option<PathBuf> {
        match find_tasks(name, within, false) {
            Ok(path) => Some(path),
            Err(places) => {
                self.error(LintRule::File, missing(written, name, &places));
                None
            }
        }
    }

    /// The steps of a file.
    pub(super) fn file_of_tasks(&mut self, path: &Path, within: &Within) -> Vec<Step> {
        let document = match self.files.read(path) {
            Ok(document) => document,
            Err(problem) => {
                self.report(*problem);
                return Vec::new();
            }
        };
        let file = document.source.path.clone();
        match self.list(&document, "a file of tasks") {
            Some(list) => self.steps(&list, &within.in_file(&file)),
            None => Vec::new(),
        }
    }

    /// The file of a constant `include_tasks` is checked now, so that what can't be done is refused
    /// before anything runs. That it does not exist is the run's matter: the task may be skipped.
    fn look_into_tasks(&mut self, task: &Task, within: &Within) {
        let name = file_argument(&task.action);
        let Some(name) = name.as_ref().and_then(Written::constant) else {
            self.gathered.open = true;
            return;
        };
        let Ok(path) = find_tasks(name, within, true) else {
            self.gathered.open = true;
            let warned = task.action.place.error(format!("there is no `{name}`"));
            self.report(Problem::warning(LintRule::File, warned));
            return;
        };
        let again = within.files.iter().any(|each| **each == *path);
        let key = format!("{:?} {}", within.level, path.display());
        if again || within.files.len() > DEPTH_MAX || !self.gathered.looked_into.insert(key) {
            return;
        }
        let keywords = included_keywords(task);
        let inner = within.under(&keywords);
        let steps = self.file_of_tasks(&path, &inner);
        if within.level == Level::Handler {
            let handlers = handlers_of(steps);
            self.gathered.possible.extend(handlers);
        }
    }
}

fn unknown_in_block(written: &Written, key: &Key) -> Problem {
    if Keyword::find(&key.name, Level::Task).is_some() || key.name.starts_with("with_") {
        let found = written
            .source
            .error_at(format!("a block has no `{}`", key.name), key)
            .help("a task has: set it on the tasks of the block, or bring them in with `include_tasks`");
        return Problem::error(LintRule::Keyword, found);
    }
    let names: Vec<&str> = Keyword::names(Level::Block).collect();
    Problem::error(
        LintRule::Keyword,
        super::reading::unknown(written, key, "a block has no keyword", &names),
    )
}

/// What tasks inherit that a task includes at run time: what the task itself inherits, its variables,
/// and `apply`. (Its own `when`, `tags` and the rest are its own.)
pub(super) fn included_keywords(task: &Task) -> Keywords {
    let mut keywords = (*task.outer).clone();
    if let Some(vars) = task
        .keywords
        .all(Keyword::Vars)
        .get(task.outer.all(Keyword::Vars).len())
    {
        let mut own = Keywords::default();
        own.set(Keyword::Vars, vars.clone());
        keywords = own.within(&keywords);
    }
    let Some(apply) = task.action.args.named.get("apply") else {
        return keywords;
    };
    let mut own = Keywords::default();
    for (key, value) in apply.entries() {
        if let Some(keyword) = Keyword::find(&key.name, Level::Block) {
            own.set(keyword, value);
        }
    }
    own.within(&keywords)
}

/// The handlers of steps.
pub(super) fn handlers_of(steps: Vec<Step>) -> Vec<Arc<Handler>> {
    let handler = |step| match step {
        Step::Task(task) => Some(Arc::new(Handler {
            listen: task.keywords.items(Keyword::Listen),
            task,
        })),
        Step::Block(_) | Step::Role(..) => None,
    };
    steps.into_iter().filter_map(handler).collect()
}

/// The file that `import_tasks` and `include_tasks` name.
pub(super) fn file_argument(action: &Action) -> Option<Written> {
    let args = &action.args;
    args.free_form
        .clone()
        .or_else(|| args.named.get("file").cloned())
}

/// The file that a name means; else where it was looked for.
pub(super) fn find_tasks(
    name: &str,
    within: &Within,
    include: bool,
) -> Result<PathBuf, Vec<PathBuf>> {
    let candidates = within.candidates(name, include);
    match candidates.iter().position(|path| path.is_file()) {
        Some(at) => Ok(candidates[at].clone()),
        None => Err(candidates),
    }
}

pub(super) fn missing(written: &Written, name: &str, places: &[PathBuf]) -> Diagnostic {
    let mut shown: Vec<String> = places
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    shown.dedup();
    written
        .error(format!("there is no file `{name}`"))
        .help(format!("looked for {}", shown.join(", ")))
}
