//! Keywords as they are read at any level: each held against the table, its value against its kind.

use super::action;
use super::keyword::{Keyword, Keywords, Level};
use super::kinds;
use super::loader::{Loader, Within};
use super::problem::{LintRule, Problem};
use super::written::Written;
use crate::base::diag::Diagnostic;
use crate::base::nearest::nearest;
use crate::base::value::Value;
use crate::base::yaml::{Content, Key};

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

impl Loader {
    /// The keywords of something at this level, `rest` getting what names none.
    pub(super) fn keywords<'a>(
        &mut self,
        written: &'a Written,
        level: Level,
        within: &Within,
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
            self.check_keyword(keyword, &value, within);
            keywords.set(keyword, value);
        }
        keywords
    }

    /// What of a keyword's value its kind doesn't say.
    fn check_keyword(&mut self, keyword: Keyword, value: &Written, within: &Within) {
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
            Keyword::ModuleDefaults => self.check_module_defaults(value, within),
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
            let found = match nearest(bare, choices.iter().copied()) {
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
            } else if matches!(name, "loop_var" | "index_var")
                && let Some(text) = node.constant()
                && !kinds::is_variable_name(text)
            {
                let why = format!("`{text}` can't be the name of a variable");
                self.report(Problem::error(LintRule::Value, node.error(why)));
            }
        }
    }
}

/// A key whose meaning is known and that may not stand here.
pub(super) fn special_key(task: &Written, key: &Key, level: Level) -> Option<Problem> {
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

/// A key that nobody knows, with the nearest name.
pub(super) fn unknown(written: &Written, key: &Key, what: &str, names: &[&str]) -> Diagnostic {
    let found = written
        .source
        .error_at(format!("{what} `{}`", key.name), key);
    match nearest(&key.name, names.iter().copied()) {
        Some(close) => found.help(format!("did you mean `{close}`?")),
        None => found,
    }
}
