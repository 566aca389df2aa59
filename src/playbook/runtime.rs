//! What a running play asks for: files of tasks and roles whose names were not known before, loaded
//! and checked as the playbook was.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::includes::parents;
use super::keyword::{Keyword, Keywords, Level};
use super::loader::{Gathered, Loaded, Loader, Within};
use super::model::Task;
use super::play::find_vars;
use super::problem::{LintRule, Problem, Refused};
use super::roles::{From, Wish};
use super::steps::{find_tasks, handlers_of, included_keywords, missing};
use super::written::Written;
use crate::base::value::Value;

/// A role to include, all of its names rendered.
#[derive(Debug, Clone, Default)]
pub struct RoleRequest {
    /// Its name.
    pub name: String,
    /// Its entry points.
    pub from: From,
    /// Whether it runs again where it has run (Ansible: yes, unless said).
    pub allow_duplicates: bool,
    /// Whether its defaults and variables become the play's (Ansible: no, unless said).
    pub public: bool,
    /// Whether its arguments are not held against its argument spec (`rolespec_validate: no`).
    pub unchecked: bool,
}

impl Loader {
    /// The file that `include_tasks` names, rendered; `item`s of a loop come as variables of the
    /// task's own. Handlers included by a handler are in `handlers`.
    pub fn load_tasks_file(
        &mut self,
        task: &Task,
        name: &str,
        handler: bool,
    ) -> Result<Loaded, Refused> {
        let before = self.begin();
        let within = within(task, handler);
        let path = find_tasks(name, &within, true).map_err(|places| {
            let found = missing(&task.action.place, name, &places);
            Refused(vec![Problem::error(LintRule::File, found)])
        })?;
        let steps = self.file_of_tasks(&path, &within);
        let mut loaded = self.end(before)?;
        loaded.path = Some(path.into());
        if handler {
            loaded.handlers = handlers_of(steps);
        } else {
            loaded.steps = steps;
        }
        Ok(loaded)
    }

    /// The role that `include_role` names: its steps, the handlers and the roles that it brings.
    pub fn load_role(&mut self, task: &Task, request: &RoleRequest) -> Result<Loaded, Refused> {
        let before = self.begin();
        let within = within(task, false);
        let text = |text: &str| task.action.place.with_value(Value::string(text));
        let mut keywords = Keywords::default();
        // What makes it another role than the same one with other variables.
        if let Some(vars) = task.keywords.get(Keyword::Vars) {
            keywords.set(Keyword::Vars, vars.clone());
        }
        let wish = Wish {
            written: task.written.clone(),
            name: text(&request.name),
            params: IndexMap::new(),
            keywords,
            from: request.from.clone(),
            by_task: true,
            allow_duplicates: Some(request.allow_duplicates),
            public: request.public,
            validate: !request.unchecked,
        };
        let used = self.use_of(wish, &within, &parents(&within));
        let mut steps = Vec::new();
        let mut handlers = Vec::new();
        let mut role = None;
        if let Some(used) = used {
            let used = super::includes::bare(&used);
            steps = self.role_steps(&used, &request.from, &within);
            handlers = self.role_handlers(&used, &request.from, &within);
            role = Some(Arc::new(used));
        }
        let mut loaded = self.end(before)?;
        loaded.steps = steps;
        loaded.roles.splice(0..0, role);
        loaded.handlers.splice(0..0, handlers);
        Ok(loaded)
    }

    /// A file of variables by a rendered name, beside the playbook: an entry of `vars_files`.
    pub fn load_vars_file(
        &mut self,
        folder: &Path,
        written: &Written,
        name: &str,
    ) -> Result<Written, Refused> {
        let before = self.begin();
        let mut looked = Vec::new();
        let Some(path) = find_vars(name, folder, &mut looked) else {
            let found = missing(written, name, &looked);
            return Err(Refused(vec![Problem::error(LintRule::File, found)]));
        };
        let found = self.mapping(&path);
        self.end(before)?;
        found.ok_or_else(|| Refused(Vec::new()))
    }

    /// A file of variables by its path (`include_vars` finds it itself).
    pub fn read_vars(&mut self, path: &Path) -> Result<Written, Refused> {
        let before = self.begin();
        let found = self.mapping(path);
        self.end(before)?;
        found.ok_or_else(|| Refused(Vec::new()))
    }

    /// Starts with no problem and nothing gathered; gives what was there.
    fn begin(&mut self) -> (Vec<Problem>, Gathered) {
        (self.take_problems(), std::mem::take(&mut self.gathered))
    }

    /// Refuses where errors were found since; else what was gathered.
    fn end(&mut self, before: (Vec<Problem>, Gathered)) -> Result<Loaded, Refused> {
        let verdict = self.refuse_if_wrong();
        let (problems, gathered) = before;
        self.put_problems(problems);
        let brought = std::mem::replace(&mut self.gathered, gathered);
        verdict.map(|()| Loaded {
            steps: Vec::new(),
            roles: brought.roles,
            handlers: brought.handlers,
            path: None,
        })
    }
}

/// Where what a task includes stands.
fn within(task: &Task, handler: bool) -> Within {
    Within {
        level: if handler { Level::Handler } else { Level::Task },
        keywords: Arc::new(included_keywords(task)),
        role: task.role.clone(),
        files: task.files.clone(),
        folder: task.folder.clone(),
        vars: Arc::new(Vec::new()),
    }
}
