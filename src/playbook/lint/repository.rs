//! What stands where in a repository: playbooks, roles, files of tasks, plugins.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::is_role;
use crate::base::diag::{Diagnostic, Place};
use crate::base::yaml::Content;
use crate::module;
use crate::playbook::files::tidy;
use crate::playbook::loader::Loader;
use crate::playbook::problem::{LintRule, Problem};
use crate::playbook::written::Written;

/// Folders that hold no playbooks.
const PASSED_OVER: &[&str] = &[
    "ansible_collections",
    "node_modules",
    "venv",
    "templates",
    "files",
    "target",
    "__pycache__",
];
/// Folders of variables and the like.
const OF_VALUES: &[&str] = &["vars", "defaults", "meta"];
/// Folders of plugins beside playbooks and in roles, and in collections (`plugins/...`).
const PLUGINS: &[(&str, LintRule)] = &[
    ("library", LintRule::ModulePlugins),
    ("module_utils", LintRule::ModulePlugins),
    ("plugins/modules", LintRule::ModulePlugins),
    ("plugins/module_utils", LintRule::ModulePlugins),
    ("filter_plugins", LintRule::FilterPlugins),
    ("test_plugins", LintRule::FilterPlugins),
    ("plugins/filter", LintRule::FilterPlugins),
    ("plugins/test", LintRule::FilterPlugins),
    ("action_plugins", LintRule::OtherPlugins),
    ("become_plugins", LintRule::OtherPlugins),
    ("cache_plugins", LintRule::OtherPlugins),
    ("callback_plugins", LintRule::OtherPlugins),
    ("connection_plugins", LintRule::OtherPlugins),
    ("inventory_plugins", LintRule::OtherPlugins),
    ("lookup_plugins", LintRule::OtherPlugins),
    ("shell_plugins", LintRule::OtherPlugins),
    ("strategy_plugins", LintRule::OtherPlugins),
    ("vars_plugins", LintRule::OtherPlugins),
    ("plugins/action", LintRule::OtherPlugins),
    ("plugins/callback", LintRule::OtherPlugins),
    ("plugins/connection", LintRule::OtherPlugins),
    ("plugins/inventory", LintRule::OtherPlugins),
    ("plugins/lookup", LintRule::OtherPlugins),
];

/// What was found.
#[derive(Default)]
pub(super) struct Repository {
    pub(super) playbooks: Vec<PathBuf>,
    pub(super) roles: Vec<PathBuf>,
    pub(super) tasks: Vec<PathBuf>,
    pub(super) problems: Vec<Problem>,
}

impl Repository {
    /// Looks through a file or a folder.
    pub(super) fn walk(&mut self, path: &Path, loader: &Loader) {
        let path = &tidy(path);
        let wanted = |entry: &walkdir::DirEntry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0
                || !(name.starts_with('.')
                    || (entry.file_type().is_dir() && PASSED_OVER.contains(&&*name)))
        };
        let entries = WalkDir::new(path)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(wanted);
        for entry in entries.flatten() {
            // What was found in the working folder is named without `./`.
            let path = &tidy(entry.path());
            if entry.file_type().is_dir() {
                if is_role(path) {
                    self.roles.push(path.clone());
                }
            } else if is_python(path) {
                self.plugin(path);
            } else if of_inventory(path) {
                self.variables(path, loader);
            } else if is_yaml(path) {
                self.yaml(path, loader, entry.depth() == 0);
            }
        }
    }

    fn plugin(&mut self, path: &Path) {
        let Some(folder) = path.parent() else { return };
        let Some((name, rule)) = PLUGINS.iter().find(|(name, _)| folder.ends_with(name)) else {
            return;
        };
        if path.file_stem().is_some_and(|stem| stem == "__init__") {
            return;
        }
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let help = match rule {
            LintRule::ModulePlugins => {
                "write it as a module of ours: a YAML file with a script per system (docs/own-modules.md)"
            }
            LintRule::FilterPlugins => {
                "see whether a filter that exists does it, or put the value into a variable"
            }
            _ => "it is not used here",
        };
        let found = Diagnostic::new(
            format!("a plugin in Python, in `{name}/`: it can't be run"),
            Place::new(path, 0, 0),
            "",
        );
        self.problems
            .push(Problem::warning(*rule, found.help(help)).about(stem));
    }

    /// A user's module that is called as one of the program's is never used.
    fn taken_name(&mut self, path: &Path) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if module::builtin(&name).is_none() {
            return;
        }
        let found = Diagnostic::new(
            format!("`{name}` is a module of the program: this file is never used"),
            Place::new(path, 0, 0),
            "",
        );
        let found = found.help("call the file, and its `module`, something else");
        self.problems.push(Problem::error(LintRule::Module, found));
    }

    /// Variables of groups and hosts: any play may need them.
    fn variables(&mut self, path: &Path, loader: &Loader) {
        if let Err(problem) = loader.files.peek(path) {
            self.problems.push(*problem);
        }
    }

    fn yaml(&mut self, path: &Path, loader: &Loader, named: bool) {
        let folder = path.parent().unwrap_or(Path::new("."));
        let within = |name: &str| folder.ancestors().any(|each| each.ends_with(name));
        let of_tasks = within("tasks") || within("handlers");
        if !named && !of_tasks && OF_VALUES.iter().any(|name| within(name)) {
            return;
        }
        let document = match loader.files.peek(path) {
            Ok(document) => document,
            Err(problem) => {
                // Other programs' files may be what they like.
                if named || of_tasks || looks_like_a_playbook(path) {
                    self.problems.push(*problem);
                }
                return;
            }
        };
        if folder.ends_with("modules") && document.get("module").is_some() {
            self.taken_name(path);
        }
        match what(&document) {
            What::Playbook => self.playbooks.push(path.to_owned()),
            What::Tasks if named || of_tasks => self.tasks.push(path.to_owned()),
            What::PluginInventory(plugin) => {
                let found = plugin
                    .error(format!(
                        "an inventory of the plugin `{}`: it can't be run",
                        plugin.text().unwrap_or_default()
                    ))
                    .help("write what it gives into a file, or have a program print it (docs/inventory.md)");
                let subject = plugin.text().unwrap_or_default();
                self.problems
                    .push(Problem::error(LintRule::PluginInventory, found).about(subject));
            }
            What::Tasks | What::Other => {}
        }
    }
}

enum What {
    Playbook,
    Tasks,
    PluginInventory(Written),
    Other,
}

fn what(document: &Written) -> What {
    match &document.node.content {
        Content::List(items) if !items.is_empty() => {
            let items = document.items();
            let mapping = |item: &Written| matches!(item.node.content, Content::Map(_));
            let has =
                |item: &Written, names: &[&str]| names.iter().any(|name| item.get(name).is_some());
            let play = [
                "hosts",
                "import_playbook",
                "ansible.builtin.import_playbook",
            ];
            if items.iter().any(|item| has(item, &play)) {
                What::Playbook
            } else if items.iter().all(mapping) {
                What::Tasks
            } else {
                What::Other
            }
        }
        Content::Map(_) => match document.get("plugin") {
            Some(plugin) if plugin.text().is_some() => What::PluginInventory(plugin),
            _ => What::Other,
        },
        _ => What::Other,
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "yml" || ending == "yaml")
}

/// Whether it holds variables of a group or host: those names need no ending.
fn of_inventory(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(Path::new("."));
    let is_of = |name: &str| folder.ancestors().take(2).any(|each| each.ends_with(name));
    (is_of("group_vars") || is_of("host_vars")) && (is_yaml(path) || path.extension().is_none())
}

fn is_python(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending == "py" || ending == "ps1")
}

fn looks_like_a_playbook(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().any(|line| {
        let line = line.trim_start_matches(['-', ' ']);
        line.starts_with("hosts:") || line.starts_with("import_playbook:")
    })
}
