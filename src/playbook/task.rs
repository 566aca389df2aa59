//! One task as it is read: keywords, loop, module, arguments; each held against what it may be.
//! Follows no file.

use super::action::{self, Words};
use super::keyword::{Keyword, Keywords, Level};
use super::loader::{Loader, Within};
use super::model::{Action, Loop};
use super::problem::{LintRule, Problem};
use super::reading::{special_key, unknown};
use super::written::Written;
use crate::base::value::Value;
use crate::base::yaml::{Content, Key};

/// The lookups that a `with_` may name.
pub(super) const LOOPS: &[&str] = &[
    "dict",
    "fileglob",
    "file",
    "first_found",
    "flattened",
    "indexed_items",
    "inventory_hostnames",
    "items",
    "lines",
    "list",
    "nested",
    "random_choice",
    "sequence",
    "subelements",
    "together",
    "cartesian",
    "env",
    "vars",
    "varnames",
    "pipe",
    "url",
    "template",
    "password",
];

/// The keywords that a task may have which brings other tasks in at run time.
const OF_INCLUDES: &[Keyword] = &[
    Keyword::Action,
    Keyword::LocalAction,
    Keyword::Args,
    Keyword::Collections,
    Keyword::Debugger,
    Keyword::IgnoreErrors,
    Keyword::Loop,
    Keyword::LoopControl,
    Keyword::Name,
    Keyword::NoLog,
    Keyword::Register,
    Keyword::RunOnce,
    Keyword::Tags,
    Keyword::Timeout,
    Keyword::Vars,
    Keyword::When,
    Keyword::Listen,
];

/// A task, read and not yet placed.
pub(super) struct Draft {
    /// Its own keywords.
    pub(super) keywords: Keywords,
    pub(super) action: Action,
    pub(super) r#loop: Option<Loop>,
}

impl Loader {
    /// A task's own part.
    pub(super) fn draft(&mut self, task: &Written, within: &Within) -> Option<Draft> {
        if !matches!(task.node.content, Content::Map(_)) {
            let why = format!("a task is a mapping, this is {}", task.value().kind());
            self.report(Problem::error(LintRule::Yaml, task.error(why)));
            return None;
        }
        let before = self.errors();
        let mut rest = Vec::new();
        let keywords = self.keywords(task, within.level, within, &mut rest);
        let r#loop = self.r#loop(task, &keywords, &mut rest);
        let action = self.action(task, &keywords, rest, within);
        if let Some(action) = &action {
            self.check_include(task, action, r#loop.as_ref());
        }
        self.count_task(task, self.errors() == before);
        Some(Draft {
            keywords,
            action: action?,
            r#loop,
        })
    }

    fn r#loop<'a>(
        &mut self,
        task: &'a Written,
        keywords: &Keywords,
        rest: &mut Vec<(&'a Key, Written)>,
    ) -> Option<Loop> {
        let control = keywords.get(Keyword::LoopControl).cloned();
        let mut found = keywords.get(Keyword::Loop).map(|over| Loop {
            lookup: None,
            over: over.clone(),
            control: control.clone(),
        });
        for (key, over) in std::mem::take(rest) {
            let Some(lookup) = key.name.strip_prefix("with_") else {
                rest.push((key, over));
                continue;
            };
            let name = action::short(lookup);
            if !LOOPS.contains(&name) {
                let names: Vec<String> = LOOPS.iter().map(|each| format!("with_{each}")).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let problem = unknown(task, key, "there is no loop", &names);
                self.report(Problem::error(LintRule::Loop, problem).about(&*key.name));
            } else if found.is_some() {
                self.error_at(LintRule::Loop, "a task has one loop", task, key);
            } else if matches!(over.node.content, Content::Scalar(Value::Null)) {
                self.error_at(
                    LintRule::Loop,
                    format!("`{}` has nothing to go over", key.name),
                    task,
                    key,
                );
            } else {
                self.check_templates(Keyword::Loop, &over);
                found = Some(Loop {
                    lookup: Some(name.into()),
                    over,
                    control: control.clone(),
                });
            }
        }
        found
    }

    fn action(
        &mut self,
        task: &Written,
        keywords: &Keywords,
        rest: Vec<(&Key, Written)>,
        within: &Within,
    ) -> Option<Action> {
        let mut words: Vec<Words<'_>> = Vec::new();
        for (key, value) in task.entries() {
            if matches!(&*key.name, "action" | "local_action") {
                words.push(Words::Action(key, value));
            }
        }
        let (known, unknown_keys): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(key, _)| {
            action::short(&key.name) != "import_playbook" && self.is_module(&key.name, within)
        });
        words.extend(
            known
                .into_iter()
                .map(|(key, value)| Words::Module(key, value)),
        );
        let alone = words.is_empty() && unknown_keys.len() == 1;
        for (key, _) in &unknown_keys {
            let problem = if alone {
                Self::unknown_module(task, key, within.level)
            } else {
                unknown_keyword(task, key, within.level, words.is_empty())
            };
            self.report(problem);
        }
        match words.as_slice() {
            [] if unknown_keys.is_empty() => {
                let found = task
                    .error("the task does nothing: it names no module")
                    .help("name one: `debug:`, `command:`, ...");
                self.report(Problem::error(LintRule::Module, found));
                None
            }
            [] => None,
            [one] => match one.read(keywords.get(Keyword::Args)) {
                Ok(action) => self.check_action(action, keywords, within),
                Err(found) => {
                    self.report(Problem::error(LintRule::Parameter, found));
                    None
                }
            },
            [first, second, ..] => {
                let (first, key) = (first.key(), second.key());
                let why = format!("a task does one thing: `{}` or `{}`", first.name, key.name);
                self.error_at(LintRule::Module, why, task, key);
                None
            }
        }
    }

    /// What a task that brings in others may not have.
    fn check_include(&mut self, task: &Written, action: &Action, r#loop: Option<&Loop>) {
        match &*action.module {
            "import_tasks" | "import_role" => {
                if let Some(found) = r#loop {
                    let found = found
                        .over
                        .error(format!(
                            "`{}` is done while loading: it can't loop",
                            action.written
                        ))
                        .help(format!(
                            "write `{}`",
                            action.module.replace("import", "include")
                        ));
                    self.report(Problem::error(LintRule::Loop, found));
                }
            }
            "include_tasks" | "include_role" => {
                let keys: Vec<_> = task.entries().map(|(key, _)| key).collect();
                for key in keys {
                    let keyword = Keyword::find(&key.name, Level::Handler);
                    if keyword.is_some_and(|keyword| !OF_INCLUDES.contains(&keyword)) {
                        let found = task
                            .source
                            .error_at(format!("`{}` has no `{}`", action.written, key.name), key)
                            .help(format!(
                                "for the tasks that it brings: `apply: {{{}: ...}}`",
                                key.name
                            ));
                        self.report(Problem::error(LintRule::Keyword, found));
                    }
                }
            }
            _ => {}
        }
    }
}

fn unknown_keyword(task: &Written, key: &Key, level: Level, modules_too: bool) -> Problem {
    if let Some(problem) = special_key(task, key, level) {
        return problem;
    }
    let mut names: Vec<&str> = Keyword::names(level).collect();
    let modules = if modules_too {
        crate::module::names().collect()
    } else {
        Vec::new()
    };
    names.extend(modules.iter().map(String::as_str));
    Problem::error(
        LintRule::Keyword,
        unknown(task, key, "a task has no keyword", &names),
    )
}
