//! A whole repository held against what this program can do: which playbooks, roles and files of
//! tasks there are, how many tasks are supported, and what is missing.

mod report;
mod repository;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use report::Report;
use repository::Repository;

use super::keyword::Level;
use super::loader::{Loader, Options, Within};
use super::play::folder_of;
use super::problem::{LintRule, Problem};
use super::roles::{From, Wish};
use super::written::{Source, Written};
use crate::base::diag::{Diagnostic, Place};
use crate::base::value::Value;
use crate::base::yaml::{Content, Node};

/// Looks through files and folders.
pub fn lint(paths: &[PathBuf], options: Options) -> Report {
    let mut loader = Loader::new(options);
    let mut repository = Repository::default();
    for path in paths {
        if path.exists() {
            repository.walk(path, &loader);
        } else {
            let found = Diagnostic::new(
                "there is no such file or folder",
                Place::new(path, 0, 0),
                "",
            );
            loader.report(Problem::error(LintRule::File, found));
        }
    }
    for playbook in &repository.playbooks {
        loader.playbook(playbook);
    }
    for role in &repository.roles {
        loader.lone_role(role);
    }
    for tasks in &repository.tasks {
        loader.lone_tasks(tasks);
    }
    for problem in repository.problems {
        loader.report(problem);
    }
    Report::of(&loader)
}

impl Loader {
    /// A role by itself, for what no playbook used of it.
    fn lone_role(&mut self, path: &Path) {
        let main = ["tasks/main.yml", "tasks/main.yaml"];
        if main
            .iter()
            .any(|file| self.files.has_read(&path.join(file)))
        {
            return;
        }
        let within = lone(playbook_folder(path), Level::Task);
        let Some(used) = self.use_of(wish_for(path), &within, &[]) else {
            return;
        };
        self.role_steps(&used, &From::default(), &within);
        self.role_handlers(&used, &From::default(), &within);
    }

    /// A file of tasks by itself, where nothing has led to it.
    fn lone_tasks(&mut self, path: &Path) {
        if self.files.has_read(path) {
            return;
        }
        let folder = folder_of(path);
        let level = if folder.ends_with("handlers") {
            Level::Handler
        } else {
            Level::Task
        };
        // The role it stands in: relative names are looked for there.
        let role = folder
            .ancestors()
            .find(|each| each.ends_with("tasks") || each.ends_with("handlers"));
        let role = role.and_then(Path::parent).filter(|role| is_role(role));
        let mut within = lone(playbook_folder(role.unwrap_or(folder)), level);
        if let Some(role) = role {
            within.role = self.use_of(wish_for(role), &within, &[]);
            // Brought in by a file of the role's, as most are, and not what the role begins with.
            within = within.in_file(&Arc::from(path));
        }
        self.file_of_tasks(path, &within);
    }
}

/// Whether a folder looks like a role.
fn is_role(path: &Path) -> bool {
    let has = |file: &str| path.join(file).is_file();
    let in_roles = folder_of(path).ends_with("roles");
    has("tasks/main.yml")
        || has("tasks/main.yaml")
        || (in_roles
            && ["meta/main.yml", "defaults/main.yml", "handlers/main.yml"]
                .into_iter()
                .any(has))
}

/// The folder that playbooks using a role most likely stand in.
fn playbook_folder(role: &Path) -> PathBuf {
    let folder = folder_of(role);
    if folder.ends_with("roles") {
        return folder_of(folder).to_owned();
    }
    folder.to_owned()
}

fn lone(folder: PathBuf, level: Level) -> Within {
    Within {
        level,
        keywords: Arc::default(),
        role: None,
        files: Arc::new([]),
        folder: folder.into(),
        vars: Arc::default(),
    }
}

fn wish_for(path: &Path) -> Wish {
    // As a path, that it can't be taken for a name.
    let path = Path::new(".").join(path);
    let node = Node {
        content: Content::Scalar(Value::Unsafe(path.to_string_lossy().into())),
        line: 0,
        column: 0,
    };
    let written = Written::new(&node, &Source::new(&path, ""));
    Wish {
        name: written.clone(),
        written,
        params: indexmap::IndexMap::new(),
        keywords: super::Keywords::default(),
        from: From::default(),
        by_task: false,
        allow_duplicates: None,
        public: true,
        validate: true,
    }
}
