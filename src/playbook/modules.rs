//! What a task's module takes: the border to the room of modules, and the modules that bring in
//! other files, which the loader does itself.

use std::path::PathBuf;
use std::sync::Arc;

use super::action;
use super::keyword::{Keyword, Level};
use super::loader::Loader;
use super::model::Action;
use super::problem::{LintRule, Problem};
use super::suggest;
use super::task::unknown;
use super::written::Written;
use crate::base::yaml::{Content, Key};

/// TEMPORARY
#[derive(Debug, Default)]
pub struct Library;
#[derive(Debug)]
pub struct Module {
    pub name: Arc<str>,
}
const STUB: &[&str] = &[
    "debug",
    "command",
    "shell",
    "copy",
    "template",
    "file",
    "service",
    "set_fact",
    "meta",
    "fail",
    "assert",
    "apt",
    "ping",
    "include_vars",
    "add_host",
    "group_by",
    "setup",
    "package",
    "user",
    "stat",
    "lineinfile",
    "raw",
    "script",
    "systemd",
    "pause",
    "wait_for",
    "uri",
    "get_url",
    "fetch",
    "cron",
    "set_stats",
    "group",
    "git",
    "pip",
    "unarchive",
    "slurp",
    "find",
    "tempfile",
    "reboot",
    "hostname",
];
impl Library {
    fn find(&self, name: &str, _: &[PathBuf]) -> Option<Arc<Module>> {
        let name = action::short(name);
        STUB.contains(&name)
            .then(|| Arc::new(Module { name: name.into() }))
    }
}

/// Ansible's ways to bring in other files and roles, with what they take.
const INCLUDES: &[(&str, &[&str])] = &[
    ("import_tasks", &["file"]),
    ("include_tasks", &["file", "apply"]),
    ("import_role", ROLE),
    ("include_role", ROLE),
];
const ROLE: &[&str] = &[
    "name",
    "role",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "public",
    "allow_duplicates",
    "rolespec_validate",
    "apply",
];

/// What `meta` does.
const META: &[&str] = &[
    "clear_facts",
    "clear_host_errors",
    "end_batch",
    "end_host",
    "end_play",
    "end_role",
    "flush_handlers",
    "noop",
    "refresh_inventory",
    "reset_connection",
];

impl Loader {
    /// Whether a key of a task is a module's name.
    pub(super) fn is_module(&self, name: &str, folders: &[PathBuf]) -> bool {
        include_spec(name).is_some() || self.options.modules.find(name, folders).is_some()
    }

    /// The names of the modules there are.
    pub(super) fn module_names(&self) -> Vec<String> {
        let ours = INCLUDES.iter().map(|(name, _)| (*name).to_owned());
        ours.chain(STUB.iter().map(|s| s.to_string())).collect()
    }

    /// The one key of a task that is no keyword is no module either.
    pub(super) fn unknown_module(&self, task: &Written, key: &Key, _: &[PathBuf]) -> Problem {
        if let Some(problem) = self.special_key(task, key, Level::Task) {
            return problem;
        }
        let found = task
            .source
            .error_at(format!("there is no module `{}`", key.name), key);
        Problem::error(LintRule::Module, self.meant(&key.name, found)).about(&*key.name)
    }

    fn meant(
        &self,
        name: &str,
        found: crate::base::diag::Diagnostic,
    ) -> crate::base::diag::Diagnostic {
        let bare = name.rsplit('.').next().unwrap_or(name);
        let modules = self.module_names();
        let keywords: Vec<&str> = Keyword::names(Level::Task).collect();
        let names = modules.iter().map(String::as_str).chain(keywords);
        match suggest::closest(bare, names) {
            Some(close) if close != bare => found.help(format!("did you mean `{close}`?")),
            _ => found.help(
                "`iomsctl doc` lists the modules there are; docs/modules.md says how to add one",
            ),
        }
    }

    /// An action with its module found and its arguments' names checked.
    pub(super) fn check_action(
        &mut self,
        mut action: Action,
        folders: &[PathBuf],
    ) -> Option<Action> {
        if action.module.is_empty() {
            return Some(action);
        }
        let before = self.errors();
        if let Some((name, parameters)) = include_spec(&action.written) {
            self.check_include_arguments(&action, name, parameters);
        } else {
            let Some(module) = self.options.modules.find(&action.written, folders) else {
                let found = action
                    .place
                    .error(format!("there is no module `{}`", action.written));
                let found = self.meant(&action.written, found);
                self.report(Problem::error(LintRule::Module, found).about(&*action.written));
                return None;
            };
            action.module = module.name.clone();
            self.check_arguments(&action, &module);
        }
        if &*action.module == "meta" {
            self.check_meta_word(&action);
        }
        let values: Vec<Written> = action
            .args
            .named
            .values()
            .chain(&action.args.free_form)
            .cloned()
            .collect();
        for value in &values {
            self.check_templates(Keyword::Args, value);
        }
        (self.errors() == before).then_some(action)
    }

    fn check_arguments(&mut self, _action: &Action, _module: &Module) {}

    fn check_include_arguments(&mut self, action: &Action, name: &str, parameters: &[&str]) {
        let args = &action.args;
        for (given, value) in &args.named {
            let known = parameters.contains(&&**given)
                && (&**given != "apply" || name.starts_with("include"));
            if !known {
                let found = value.error(format!("`{}` has no parameter `{given}`", action.written));
                let found = match suggest::closest(given, parameters.iter().copied()) {
                    Some(close) => found.help(format!("did you mean `{close}`?")),
                    None => found.help(format!(
                        "it takes {}; variables go into `vars`",
                        parameters.join(", ")
                    )),
                };
                self.error(LintRule::Parameter, found);
            }
        }
        let role = name.ends_with("role");
        let named = |names: &[&str]| names.iter().any(|each| args.named.contains_key(*each));
        let enough = if role {
            named(&["name", "role"])
        } else {
            named(&["file"]) || args.free_form.is_some()
        };
        if !enough && args.template.is_none() {
            let what = if role {
                "a role (`name: ROLE`)"
            } else {
                "a file"
            };
            let found = action
                .place
                .error(format!("`{}` needs {what}", action.written));
            self.error(LintRule::Parameter, found);
        }
        if let (true, Some(free)) = (role, &args.free_form) {
            let found = free.error(format!("`{}` takes named arguments", action.written));
            self.error(LintRule::Parameter, found.help("write `name: ROLE`"));
        }
        if let Some(apply) = args.named.get("apply") {
            self.check_apply(apply);
        }
    }

    fn check_apply(&mut self, apply: &Written) {
        if !matches!(apply.node.content, Content::Map(_)) {
            let found = apply.error("`apply` is a mapping of keywords");
            return self.error(LintRule::Parameter, found);
        }
        let mut rest = Vec::new();
        self.keywords(apply, Level::Block, &mut rest);
        for (key, _) in rest {
            let names: Vec<&str> = Keyword::names(Level::Block).collect();
            let found = unknown(apply, key, "`apply` has no keyword", &names);
            self.error(LintRule::Keyword, found);
        }
    }

    fn check_meta_word(&mut self, action: &Action) {
        let Some(word) = &action.args.free_form else {
            let found = action.place.error("`meta` needs to know what to do");
            return self.error(
                LintRule::Parameter,
                found.help(format!("one of {}", META.join(", "))),
            );
        };
        let text = word.text().unwrap_or_default();
        if META.contains(&text) {
            return;
        }
        let found = word.error(format!("`meta` has no `{text}`"));
        let found = match suggest::closest(text, META.iter().copied()) {
            Some(close) => found.help(format!("did you mean `{close}`?")),
            None => found.help(format!("one of {}", META.join(", "))),
        };
        self.error(LintRule::Parameter, found);
    }

    /// `module_defaults`: modules with arguments. Groups of modules are not there.
    pub(super) fn check_module_defaults(&mut self, value: &Written) {
        for layer in value.items() {
            for (key, _) in layer.entries() {
                if key.name.starts_with("group/") {
                    let found = layer
                        .source
                        .error_at(
                            format!("groups of modules are not there: `{}`", key.name),
                            key,
                        )
                        .help("name the modules one by one");
                    self.error(LintRule::Unsupported, found);
                } else if !self.is_module(&key.name, &[]) {
                    let found = layer
                        .source
                        .error_at(format!("there is no module `{}`", key.name), key);
                    let found = self.meant(&key.name, found);
                    self.report(Problem::error(LintRule::Module, found).about(&*key.name));
                }
            }
        }
    }
}

fn include_spec(name: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    INCLUDES
        .iter()
        .find(|(each, _)| *each == action::short(name))
}
