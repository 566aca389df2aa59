//! One task as it is read: keywords, loop, module, arguments; each held against what it may be.
//! Follows no file.

use super::action::{self, Words};
use super::keyword::{Keyword, Keywords, Level};
use super::kinds;
use super::loader::Loader;
use super::model::{Action, Loop};
use super::problem::{LintRule, Problem};
use super::suggest;
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

/// What `loop_control` takes.
const LOOP_CONTROL: &[&str] = &[
    "loop_var",
    "index_var",
    "label",
    "pause",
    "extended",
    "extended_allitems",
    "break_when",
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
    /// The keywords of something at this level, `rest` getting what names none.
    pub(super) fn keywords<'a>(
        &mut self,
        written: &'a Written,
        level: Level,
        rest: &mut Vec<(&'a Key, Written)>,
    ) -> Keywords {
        let mut keywords = Keywords::default();
        let mut pairs: Vec<(&Key, Written)> = written.entries().collect();
        for (key, value) in pairs.drain(..) {
            let Some(keyword) = Keyword::find(&key.name, level) else {
                rest.push((key, value));
                continue;
            };
            if keyword == Keyword::RemoteUser && keywords.get(keyword).is_some() {
                self.error_at(
                    LintRule::Keyword,
                    "`user` and `remote_user` are one keyword",
                    written,
                    key,
                );
            }
            if matches!(value.node.content, Content::Scalar(Value::Null)) {
                continue;
            }
            if let Some(why) = kinds::wrong(keyword, &value) {
                self.report(Problem::error(LintRule::Value, value.error(why)));
                continue;
            }
            self.check_keyword(keyword, &value);
            keywords.set(keyword, value);
        }
        keywords
    }

    /// What of a keyword's value its kind doesn't say.
    fn check_keyword(&mut self, keyword: Keyword, value: &Written) {
        match keyword {
            Keyword::Register => {
                if let Some(text) = value.text().filter(|text| !kinds::is_variable_name(text)) {
                    let why = format!("`{text}` can't be the name of a variable");
                    self.report(Problem::error(LintRule::Value, value.error(why)));
                }
            }
            Keyword::Vars => {
                for layer in value.items() {
                    for (key, _) in layer.entries() {
                        if !kinds::is_variable_name(&key.name) || !key.is_text {
                            let why = format!("`{}` can't be the name of a variable", key.name);
                            self.error_at(LintRule::Value, why, value, key);
                        }
                    }
                }
            }
            Keyword::Debugger => {
                let never = value.text() == Some("never");
                if !never {
                    let found = value
                        .error("there is no debugger here")
                        .help("take `debugger` out, or say `never`");
                    self.report(Problem::error(LintRule::Unsupported, found));
                }
            }
            Keyword::LoopControl => self.check_loop_control(value),
            Keyword::ModuleDefaults => self.check_module_defaults(value),
            Keyword::Strategy => self.check_choice(value, &["linear", "free", "host_pinned"]),
            Keyword::Order => self.check_choice(
                value,
                &[
                    "inventory",
                    "sorted",
                    "reverse_sorted",
                    "reverse_inventory",
                    "shuffle",
                ],
            ),
            _ => {}
        }
        self.check_templates(keyword, value);
    }

    fn check_choice(&mut self, value: &Written, choices: &[&'static str]) {
        let Some(text) = value.constant() else { return };
        let bare = action::short(text);
        if !choices.contains(&bare) {
            let found = value.error(format!("there is no `{text}` here"));
            let found = match suggest::closest(bare, choices.iter().copied()) {
                Some(close) => found.help(format!("did you mean `{close}`?")),
                None => found.help(format!("there are {}", choices.join(", "))),
            };
            self.report(Problem::error(LintRule::Unsupported, found));
        }
    }

    fn check_loop_control(&mut self, value: &Written) {
        for (key, node) in value.entries() {
            let name = &*key.name;
            if !LOOP_CONTROL.contains(&name) {
                let problem = unknown(value, key, "`loop_control` has no", LOOP_CONTROL);
                self.report(Problem::error(LintRule::Keyword, problem));
            } else if matches!(name, "loop_var" | "index_var") {
                if let Some(text) = node
                    .constant()
                    .filter(|text| !kinds::is_variable_name(text))
                {
                    let why = format!("`{text}` can't be the name of a variable");
                    self.report(Problem::error(LintRule::Value, node.error(why)));
                }
            }
        }
    }

    /// A task's own part.
    pub(super) fn draft(
        &mut self,
        task: &Written,
        level: Level,
        folders: &[std::path::PathBuf],
    ) -> Option<Draft> {
        if !matches!(task.node.content, Content::Map(_)) {
            let why = format!("a task is a mapping, this is {}", task.value().kind());
            self.report(Problem::error(LintRule::Yaml, task.error(why)));
            return None;
        }
        let before = self.errors();
        let mut rest = Vec::new();
        let keywords = self.keywords(task, level, &mut rest);
        let r#loop = self.r#loop(task, &keywords, &mut rest);
        let action = self.action(task, level, &keywords, rest, folders);
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
        level: Level,
        keywords: &Keywords,
        rest: Vec<(&Key, Written)>,
        folders: &[std::path::PathBuf],
    ) -> Option<Action> {
        let mut words: Vec<Words<'_>> = Vec::new();
        for (key, value) in task.entries() {
            if matches!(&*key.name, "action" | "local_action") {
                words.push(Words::Action(key, value));
            }
        }
        let (known, unknown_keys): (Vec<_>, Vec<_>) = rest
            .into_iter()
            .partition(|(key, _)| self.is_module(&key.name, folders));
        words.extend(
            known
                .into_iter()
                .map(|(key, value)| Words::Module(key, value)),
        );
        let alone = words.is_empty() && unknown_keys.len() == 1;
        for (key, _) in &unknown_keys {
            let problem = if alone {
                self.unknown_module(task, key, folders)
            } else {
                self.unknown_keyword(task, key, level, words.is_empty())
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
                Ok(action) => self.check_action(action, folders),
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

    fn unknown_keyword(
        &self,
        task: &Written,
        key: &Key,
        level: Level,
        modules_too: bool,
    ) -> Problem {
        if let Some(problem) = self.special_key(task, key, level) {
            return problem;
        }
        let mut names: Vec<&str> = Keyword::names(level).collect();
        let modules = if modules_too {
            self.module_names()
        } else {
            Vec::new()
        };
        names.extend(modules.iter().map(String::as_str));
        Problem::error(
            LintRule::Keyword,
            unknown(task, key, "a task has no keyword", &names),
        )
    }

    /// A key whose meaning is known and that may not stand here.
    pub(super) fn special_key(&self, task: &Written, key: &Key, level: Level) -> Option<Problem> {
        let (rule, why, help) = match (action::short(&key.name), level) {
            ("include", _) => (
                LintRule::Removed,
                "Ansible has no `include` any more",
                "write `include_tasks` (at run time) or `import_tasks` (while loading)",
            ),
            ("import_playbook", _) => (
                LintRule::Keyword,
                "`import_playbook` stands among plays, not among tasks",
                "to bring in tasks: `import_tasks`",
            ),
            ("listen", _) => (
                LintRule::Keyword,
                "only handlers listen",
                "move the task to `handlers`",
            ),
            ("block", Level::Handler) => (
                LintRule::Keyword,
                "a block can't be a handler",
                "notify several handlers by one topic (`listen`)",
            ),
            ("rescue" | "always", _) => (
                LintRule::Keyword,
                "`rescue` and `always` stand beside `block`",
                "put what may fail into `block`",
            ),
            ("hosts", _) => (
                LintRule::Keyword,
                "a play can't stand among tasks",
                "bring in its file with `import_playbook` beside the other plays",
            ),
            ("static", _) => (
                LintRule::Removed,
                "Ansible has no `static` any more",
                "write `import_tasks` or `include_tasks`",
            ),
            ("sudo" | "su", _) => (
                LintRule::Removed,
                "Ansible has no `sudo` any more",
                "write `become: true`",
            ),
            ("sudo_user" | "su_user", _) => (
                LintRule::Removed,
                "Ansible has no `sudo_user` any more",
                "write `become_user`",
            ),
            ("always_run", _) => (
                LintRule::Removed,
                "Ansible has no `always_run` any more",
                "write `check_mode: false`",
            ),
            _ => return None,
        };
        Some(Problem::error(
            rule,
            task.source.error_at(why, key).help(help),
        ))
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

/// A key that nobody knows, with the nearest name.
pub(super) fn unknown(
    written: &Written,
    key: &Key,
    what: &str,
    names: &[&str],
) -> crate::base::diag::Diagnostic {
    let found = written
        .source
        .error_at(format!("{what} `{}`", key.name), key);
    match suggest::closest(&key.name, names.iter().copied()) {
        Some(close) => found.help(format!("did you mean `{close}`?")),
        None => found,
    }
}
