//! Playbooks and plays, with the playbooks they import.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::tidy;
use super::keyword::{Keyword, Keywords, Level};
use super::loader::{Gathered, Loader, Within, each_task};
use super::model::{Handler, Play, Playbook, RoleUse, Section, Step};
use super::problem::{LintRule, Problem};
use super::reading::{special_key, unknown};
use super::roles::From;
use super::steps::{handlers_of, missing};
use super::written::Written;
use crate::base::nearest::nearest;
use crate::base::value::Value;
use crate::base::yaml::{Content, Key};

/// What `vars_prompt` takes.
const PROMPT: &[&str] = &[
    "name",
    "prompt",
    "default",
    "private",
    "confirm",
    "encrypt",
    "salt",
    "salt_size",
    "unsafe",
];

/// What an `import_playbook` hands on to the plays it brings.
#[derive(Clone, Default)]
struct Handed {
    vars: Vec<Written>,
    keywords: Keywords,
    files: Vec<Arc<Path>>,
}

impl Loader {
    /// A playbook with those it imports. Problems are gathered; what could be read is given.
    pub fn playbook(&mut self, path: &Path) -> Playbook {
        let mut plays = Vec::new();
        self.plays(path, &Handed::default(), &mut plays);
        Playbook {
            path: path.into(),
            plays,
        }
    }

    /// A playbook that stands in no file.
    pub(super) fn of_document(&mut self, document: &Written) -> Playbook {
        let path = document.source.path.clone();
        let mut plays = Vec::new();
        self.plays_of(document, &path, &Handed::default(), &mut plays);
        Playbook { path, plays }
    }

    fn plays(&mut self, path: &Path, handed: &Handed, plays: &mut Vec<Arc<Play>>) {
        match self.files.read(path) {
            Ok(document) => self.plays_of(&document, path, handed, plays),
            Err(problem) => self.report(*problem),
        }
    }

    fn plays_of(
        &mut self,
        document: &Written,
        path: &Path,
        handed: &Handed,
        plays: &mut Vec<Arc<Play>>,
    ) {
        let Some(list) = self.list(document, "a playbook") else {
            if document.node.entries().is_some_and(<[_]>::is_empty) {
                let found = document
                    .error("the playbook is empty")
                    .help("a playbook is a list of plays");
                self.error(LintRule::Yaml, found);
            }
            return;
        };
        for entry in list.items() {
            if !matches!(entry.node.content, Content::Map(_)) {
                let kind = entry.value().kind();
                self.error(
                    LintRule::Yaml,
                    entry.error(format!("a play is a mapping, this is {kind}")),
                );
                continue;
            }
            let import = entry
                .entries()
                .find(|(key, _)| super::action::short(&key.name) == "import_playbook")
                .map(|(key, value)| (key.clone(), value));
            match import {
                Some((key, file)) => self.import_playbook(&entry, &key, &file, path, handed, plays),
                None => plays.push(Arc::new(self.play(&entry, path, handed))),
            }
        }
    }

    fn import_playbook(
        &mut self,
        entry: &Written,
        key: &Key,
        file: &Written,
        path: &Path,
        handed: &Handed,
        plays: &mut Vec<Arc<Play>>,
    ) {
        let mut rest = Vec::new();
        let mut within = Within {
            level: Level::Task,
            keywords: Arc::default(),
            role: None,
            files: Arc::new([]),
            folder: folder_of(path).into(),
            vars: Arc::new(handed.vars.clone()),
        };
        // It has what a task has that isn't about doing: `when`, `tags`, `vars`, `name`.
        let own = self.keywords(entry, Level::Block, &within, &mut rest);
        within.keywords = Arc::new(own.clone());
        let used = [Keyword::Name, Keyword::Tags, Keyword::Vars, Keyword::When];
        for (keyword, values) in own.iter().filter(|(keyword, _)| !used.contains(keyword)) {
            let why = format!("`import_playbook` does nothing with `{}`", keyword.name());
            if let Some(value) = values.first() {
                self.report(Problem::warning(LintRule::Keyword, value.error(why)));
            }
        }
        for (other, _) in rest.into_iter().filter(|(other, _)| other.name != key.name) {
            let names = ["import_playbook", "name", "tags", "vars", "when"];
            let found = unknown(entry, other, "`import_playbook` has no", &names);
            self.error(LintRule::Keyword, found);
        }
        let Some(name) = self.known_now(file, &within) else {
            return;
        };
        let Some(found) = self.find_playbook(&name, &within.folder) else {
            let places = [tidy(&within.folder.join(&name))];
            return self.error(LintRule::File, missing(file, &name, &places));
        };
        let mut files = handed.files.clone();
        files.push(path.into());
        if files.iter().any(|each| **each == *found) || files.len() > 40 {
            let found = file.error(format!("`{name}` imports itself without end"));
            return self.error(LintRule::Recursion, found);
        }
        // The outer import is the stronger one, as the last word.
        let mut vars = own.all(Keyword::Vars).to_vec();
        vars.extend(handed.vars.iter().cloned());
        let mut keywords = Keywords::default();
        for keyword in [Keyword::When, Keyword::Tags] {
            if let Some(value) = own.get(keyword) {
                keywords.set(keyword, value.clone());
            }
        }
        let inner = Handed {
            vars,
            keywords: keywords.within(&handed.keywords),
            files,
        };
        self.plays(&found, &inner, plays);
    }

    /// A playbook by its file, or by its name in a collection.
    fn find_playbook(&self, name: &str, folder: &Path) -> Option<PathBuf> {
        let path = tidy(&folder.join(name));
        if path.is_file() {
            return Some(path);
        }
        let parts: Vec<&str> = name.split('.').collect();
        let [namespace, collection, playbook] = parts.as_slice() else {
            return None;
        };
        let beside = folder.join("collections");
        std::iter::once(&beside)
            .chain(&self.options.collections)
            .find_map(|root| {
                let home = root
                    .join("ansible_collections")
                    .join(namespace)
                    .join(collection);
                super::files::with_ending(&home.join("playbooks"), playbook)
            })
    }

    fn play(&mut self, written: &Written, path: &Path, handed: &Handed) -> Play {
        self.gathered = Gathered::default();
        let mut rest = Vec::new();
        let folder: Arc<Path> = folder_of(path).into();
        let mut within = Within {
            level: Level::Task,
            keywords: Arc::default(),
            role: None,
            files: Arc::new([written.source.path.clone()]),
            folder: folder.clone(),
            vars: Arc::default(),
        };
        let own = self.keywords(written, Level::Play, &within, &mut rest);
        for (key, _) in rest {
            let problem = self.unknown_in_play(written, key, &within);
            self.report(problem);
        }
        self.check_hosts(written, &own);
        let keywords = own.within(&handed.keywords);
        let mut vars: Vec<Written> = own.all(Keyword::Vars).to_vec();
        vars.extend(self.vars_files(&own, &folder));
        vars.extend(handed.vars.iter().cloned());
        if let Some(prompts) = own.get(Keyword::VarsPrompt) {
            self.check_prompts(prompts);
        }
        within.keywords = Arc::new(keywords.of_play_for_tasks());
        within.vars = Arc::new(vars);
        let (roles, role_steps, role_handlers) = self.roles(&own, &within);
        let part = |loader: &mut Self, keyword| match own.get(keyword) {
            Some(list) => loader.steps(list, &within),
            None => Vec::new(),
        };
        // In the order in which Ansible reads them: an `import_role` adds its handlers as it goes.
        let in_handlers = Within {
            level: Level::Handler,
            ..within.clone()
        };
        let own_handlers = match own.get(Keyword::Handlers) {
            Some(list) => handlers_of(self.steps(list, &in_handlers)),
            None => Vec::new(),
        };
        let sections = vec![
            (Section::PreTasks, part(self, Keyword::PreTasks)),
            (Section::Roles, role_steps),
            (Section::Tasks, part(self, Keyword::Tasks)),
            (Section::PostTasks, part(self, Keyword::PostTasks)),
        ];
        let gathered = std::mem::take(&mut self.gathered);
        let mut all_roles = roles;
        all_roles.extend(gathered.roles.iter().cloned());
        let mut handlers = role_handlers;
        handlers.extend(own_handlers);
        handlers.extend(gathered.handlers.iter().cloned());
        self.check_notified(&handlers, &gathered);
        Play {
            keywords,
            written: written.clone(),
            folder,
            import_vars: handed.vars.clone(),
            roles: all_roles,
            sections,
            handlers,
        }
    }

    fn roles(
        &mut self,
        own: &Keywords,
        within: &Within,
    ) -> (Vec<Arc<RoleUse>>, Vec<Step>, Vec<Arc<Handler>>) {
        let (mut roles, mut steps, mut handlers) = (Vec::new(), Vec::new(), Vec::new());
        let Some(list) = own.get(Keyword::Roles) else {
            return (roles, steps, handlers);
        };
        if !matches!(list.node.content, Content::List(_)) {
            let found = list.error(format!(
                "`roles` is a list, this is {}",
                list.value().kind()
            ));
            self.error(LintRule::Yaml, found);
            return (roles, steps, handlers);
        }
        for entry in list.items() {
            let Some(wish) = self.wish(&entry, within) else {
                continue;
            };
            let inner = within.under(&wish.keywords.within(&within.keywords));
            let Some(used) = self.use_of(wish, &inner, &[]) else {
                self.gathered.open = true;
                continue;
            };
            steps.extend(self.role_steps(&used, &From::default(), within));
            handlers.extend(self.role_handlers(&used, &From::default(), within));
            roles.push(Arc::new(RoleUse {
                keywords: used.keywords.within(&within.keywords),
                ..(*used).clone()
            }));
        }
        (roles, steps, handlers)
    }

    fn unknown_in_play(&self, written: &Written, key: &Key, within: &Within) -> Problem {
        if Keyword::find(&key.name, Level::Task).is_some() || self.is_module(&key.name, within) {
            let found = written
                .source
                .error_at(format!("a play has no `{}`", key.name), key)
                .help("a task has: put it under `tasks`");
            return Problem::error(LintRule::Keyword, found);
        }
        if let Some(problem) = special_key(written, key, Level::Play) {
            return problem;
        }
        let names: Vec<&str> = Keyword::names(Level::Play).collect();
        Problem::error(
            LintRule::Keyword,
            unknown(written, key, "a play has no keyword", &names),
        )
    }

    fn check_hosts(&mut self, written: &Written, own: &Keywords) {
        let Some(hosts) = own.get(Keyword::Hosts) else {
            if written.get("hosts").is_none() {
                let found = written
                    .error("the play has no `hosts`")
                    .help("write `hosts: PATTERN`");
                self.error(LintRule::Keyword, found);
            } else {
                self.error(
                    LintRule::Value,
                    written.error("the play's `hosts` is empty"),
                );
            }
            return;
        };
        for item in hosts.items() {
            if !matches!(
                item.node.content,
                Content::Scalar(Value::String(_) | Value::Vault(_) | Value::Unsafe(_))
            ) {
                let kind = item.value().kind();
                let found = item
                    .error(format!("`hosts` takes patterns, this is {kind}"))
                    .help("put it in quotes");
                self.error(LintRule::Value, found);
            }
        }
        if hosts.items().is_empty() {
            self.error(LintRule::Value, hosts.error("the play's `hosts` is empty"));
        }
    }

    /// The files of `vars_files` whose names are known now. Each entry is a file, or a list of which
    /// the first that exists counts.
    fn vars_files(&mut self, own: &Keywords, folder: &Path) -> Vec<Written> {
        let mut found = Vec::new();
        let Some(list) = own.get(Keyword::VarsFiles) else {
            return found;
        };
        for entry in list.items() {
            let choices = entry.items();
            let names: Option<Vec<&str>> = choices.iter().map(Written::constant).collect();
            let Some(names) = names else { continue };
            let mut looked = Vec::new();
            let path = names
                .iter()
                .find_map(|name| find_vars(name, folder, &mut looked));
            if let Some(path) = path {
                found.extend(self.mapping(&path));
            } else {
                let name = names.join("`, `");
                self.error(LintRule::File, missing(&entry, &name, &looked));
            }
        }
        found
    }

    fn check_prompts(&mut self, prompts: &Written) {
        for prompt in prompts.items() {
            if !matches!(prompt.node.content, Content::Map(_)) {
                let found = prompt
                    .error("a prompt is a mapping")
                    .help("write `- name: VARIABLE`");
                self.error(LintRule::Yaml, found);
                continue;
            }
            if prompt.get("name").is_none() {
                self.error(LintRule::Keyword, prompt.error("the prompt has no `name`"));
            }
            for (key, _) in prompt.entries() {
                if !PROMPT.contains(&&*key.name) {
                    let found = unknown(&prompt, key, "`vars_prompt` has no", PROMPT);
                    self.error(LintRule::Keyword, found);
                }
            }
        }
    }

    /// Whether each handler that is notified by a constant name is there. Where something comes in at
    /// run time, nobody can know.
    fn check_notified(&mut self, handlers: &[Arc<Handler>], gathered: &Gathered) {
        let all: Vec<&Arc<Handler>> = handlers.iter().chain(&gathered.possible).collect();
        let named = |handler: &&Arc<Handler>| handler.task.name().is_some_and(Written::is_template);
        let includes = |handler: &&Arc<Handler>| &*handler.task.action.module == "include_tasks";
        if gathered.open || all.iter().any(named) || all.iter().any(includes) {
            return;
        }
        let mut names: Vec<String> = Vec::new();
        for handler in &all {
            let name = handler
                .task
                .name()
                .and_then(Written::text)
                .unwrap_or_default();
            names.push(name.to_owned());
            names.extend(
                handler
                    .listen
                    .iter()
                    .filter_map(|topic| topic.text().map(str::to_owned)),
            );
        }
        for wanted in &gathered.notified {
            let Some(text) = wanted.constant() else {
                continue;
            };
            let answered = all.iter().any(|handler| {
                let name = handler
                    .task
                    .name()
                    .and_then(Written::text)
                    .unwrap_or_default();
                handler.answers(name, text) || handler.listens(text)
            });
            if answered {
                continue;
            }
            let found = wanted.error(format!("there is no handler `{text}` in this play"));
            let found = match nearest(text, names.iter().map(String::as_str)) {
                Some(close) => found.help(format!("did you mean `{close}`?")),
                None => found.help("a handler is found by its `name`, or by what it `listen`s to"),
            };
            self.error(LintRule::Handler, found);
        }
    }
}

/// The folder of a file; `.` for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file of `vars_files`: beside the playbook, or in `vars/` there.
pub(super) fn find_vars(name: &str, folder: &Path, looked: &mut Vec<PathBuf>) -> Option<PathBuf> {
    for path in [folder.join(name), folder.join("vars").join(name)] {
        let path = tidy(&path);
        if path.is_file() {
            return Some(path);
        }
        looked.push(path);
    }
    None
}

impl Playbook {
    /// Every task of the playbook, handlers too.
    pub fn tasks(&self) -> usize {
        let mut count = 0;
        for play in &self.plays {
            for (_, steps) in &play.sections {
                each_task(steps, &mut |_| count += 1);
            }
            count += play.handlers.len();
        }
        count
    }
}
