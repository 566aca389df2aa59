//! What a task's module takes: the border to the room of modules, and what of
//! arguments only the language knows.

use std::sync::Arc;

use super::action;
use super::keyword::{Keyword, Keywords, Level};
use super::loader::{Loader, Within};
use super::model::Action;
use super::problem::{LintRule, Problem};
use super::reading::{special_key, unknown};
use super::written::Written;
use crate::base::diag::Diagnostic;
use crate::base::nearest::nearest;
use crate::base::yaml::{Content, Key};
use crate::module::{self, Module, ModuleError};

impl Loader {
    /// Whether a key of a task is a module's name. (A user's module that can't be read is one.)
    pub(super) fn is_module(&self, name: &str, within: &Within) -> bool {
        !matches!(self.module(name, within), Ok(None))
    }

    fn module(&self, name: &str, within: &Within) -> Result<Option<Arc<Module>>, ModuleError> {
        self.options.modules.named(name, &within.module_folders())
    }

    /// The one key of a task that is no keyword is no module either.
    pub(super) fn unknown_module(task: &Written, key: &Key, level: Level) -> Problem {
        if let Some(problem) = special_key(task, key, level) {
            return problem;
        }
        let found = task
            .source
            .error_at(format!("there is no module `{}`", key.name), key);
        Problem::error(LintRule::Module, meant(&key.name, found)).about(&*key.name)
    }

    /// An action with its module found and its arguments checked as far as they are constant.
    pub(super) fn check_action(
        &mut self,
        mut action: Action,
        keywords: &Keywords,
        within: &Within,
    ) -> Option<Action> {
        if action.module.is_empty() {
            return Some(action);
        }
        let before = self.errors();
        let module = match self.module(&action.written, within) {
            Ok(Some(module)) => module,
            Ok(None) => {
                let why = format!("there is no module `{}`", action.written);
                let found = meant(&action.written, action.place.error(why));
                self.report(Problem::error(LintRule::Module, found).about(&*action.written));
                return None;
            }
            Err(why) => {
                let found = with_hint(action.place.error(why.message), why.hint);
                self.error(LintRule::Module, found);
                return None;
            }
        };
        action.module = module.name.clone();
        self.settle_free_form(&mut action, &module);
        let defaults = defaults_of(&module, &keywords.within(&within.keywords));
        self.check_arguments(&action, &module, &defaults);
        if let ("include_tasks" | "include_role", Some(apply)) =
            (&*action.module, action.args.named.get("apply"))
        {
            self.check_apply(apply, within);
        }
        self.check_arguments_templates(&action);
        (self.errors() == before).then_some(action)
    }

    /// A text that a module doesn't take is a mistake, or a template that gives all arguments.
    fn settle_free_form(&mut self, action: &mut Action, module: &Module) {
        if module.free_form.is_some() {
            return;
        }
        let Some(free) = action.args.free_form.take() else {
            return;
        };
        let text = free.text().unwrap_or_default().trim();
        if text.starts_with("{{") && text.ends_with("}}") && action.args.template.is_none() {
            action.args.template = Some(free);
            return;
        }
        let found = free
            .error(format!(
                "`{}` takes no text beside `name=value`: `{text}`",
                action.written
            ))
            .help("put a value with blanks in quotes, or write the arguments as a mapping");
        self.error(LintRule::Parameter, found);
    }

    fn check_arguments(&mut self, action: &Action, module: &Module, defaults: &[String]) {
        let args = &action.args;
        let mut given: Vec<&str> = args.named.keys().map(|name| &**name).collect();
        if let (Some(name), Some(_)) = (&module.free_form, &args.free_form) {
            given.push(name);
        }
        let again = |name: &&String| !given.contains(&name.as_str());
        let defaults: Vec<&str> = defaults.iter().filter(again).map(String::as_str).collect();
        given.extend(defaults);
        for error in module.check_names(given.into_iter()) {
            // A template may give what is missing.
            if args.template.is_some() && error.parameter.is_none() {
                continue;
            }
            let named = error
                .parameter
                .as_deref()
                .and_then(|name| args.named.get(name));
            self.report_argument(action, named.unwrap_or(&action.place), error);
        }
        let named = args.named.iter().map(|(name, value)| (&**name, value));
        let free = module.free_form.as_deref().zip(args.free_form.as_ref());
        for (name, value) in named.chain(free) {
            if let Err(error) = module.check_value(name, &value.value()) {
                self.report_argument(action, value, error);
            }
        }
    }

    fn report_argument(&mut self, action: &Action, at: &Written, error: ModuleError) {
        let found = with_hint(at.error(error.message), error.hint);
        self.report(Problem::error(LintRule::Parameter, found).about(&*action.module));
    }

    fn check_apply(&mut self, apply: &Written, within: &Within) {
        if !matches!(apply.node.content, Content::Map(_)) {
            let found = apply.error("`apply` is a mapping of keywords");
            return self.error(LintRule::Parameter, found);
        }
        let mut rest = Vec::new();
        self.keywords(apply, Level::Block, within, &mut rest);
        for (key, _) in rest {
            let names: Vec<&str> = Keyword::names(Level::Block).collect();
            let found = unknown(apply, key, "`apply` has no keyword", &names);
            self.error(LintRule::Keyword, found);
        }
    }

    /// `module_defaults`: modules with arguments. Groups of modules are not there.
    pub(super) fn check_module_defaults(&mut self, value: &Written, within: &Within) {
        for layer in value.items() {
            for (key, _) in layer.entries() {
                let source = &layer.source;
                if key.name.starts_with("group/") {
                    let found = source
                        .error_at(
                            format!("groups of modules are not there: `{}`", key.name),
                            key,
                        )
                        .help("no group of Ansible's has a module that is here: leave it out, or name modules one by one");
                    self.error(LintRule::Unsupported, found);
                } else if !self.is_module(&key.name, within) {
                    let why = format!("there is no module `{}`", key.name);
                    let found = meant(&key.name, source.error_at(why, key));
                    self.report(Problem::error(LintRule::Module, found).about(&*key.name));
                }
            }
        }
    }
}

/// The arguments that `module_defaults` give a module.
fn defaults_of(module: &Module, keywords: &Keywords) -> Vec<String> {
    let is_it = |name: &str| {
        action::short(name) == &*module.name || module.names.iter().any(|each| each == name)
    };
    let layers = keywords.items(Keyword::ModuleDefaults);
    let mut names = Vec::new();
    for layer in &layers {
        for (_, arguments) in layer.entries().filter(|(key, _)| is_it(&key.name)) {
            names.extend(arguments.entries().map(|(name, _)| name.name.to_string()));
        }
    }
    // Of several levels the innermost holds.
    names.sort();
    names.dedup();
    names
}

fn with_hint(found: Diagnostic, hint: Option<String>) -> Diagnostic {
    match hint {
        Some(hint) => found.help(hint),
        None => found,
    }
}

/// What somebody may have meant by a module that isn't there.
fn meant(name: &str, found: Diagnostic) -> Diagnostic {
    let bare = name.rsplit('.').next().unwrap_or(name);
    if let Some(instead) = module::instead(name) {
        return found.help(instead);
    }
    let modules: Vec<String> = module::names().collect();
    let mut names: Vec<&str> = Keyword::names(Level::Task).collect();
    names.extend(modules.iter().map(String::as_str));
    // Module names are many, and a word may be a little like any: a slip spares the first letter.
    names.retain(|each| each.chars().next() == bare.chars().next());
    match nearest(bare, names) {
        Some(close) if close != bare => found.help(format!("did you mean `{close}`?")),
        _ => found.help(
            "`iomsctl doc` lists the modules there are; docs/own-modules.md says how to add one",
        ),
    }
}
