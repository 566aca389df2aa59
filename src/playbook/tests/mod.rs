//! Loading whole playbooks: what they become, and what is refused.

mod inheritance;
mod listing;
mod refusals;
mod roles;
mod runtime;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::keyword::Keyword;
use super::loader::{Loader, Options};
use super::model::{Playbook, Step, Task};
use super::problem::Refused;
use super::written::Written;
use crate::module::Library;

/// Modules for tests that do not depend on those of the program.
const MODULES: &[(&str, &str)] = &[
    (
        "say",
        "module: say\nfree_form: text\nparameters: {text: {type: str}, loud: {type: bool}, times: {type: int, default: 1}}\nposix: ':'\n",
    ),
    (
        "put",
        "module: put\nparameters: {src: {type: str}, dest: {type: path, required: true}, content: {type: str}, mode: {type: raw}}\nconstraints:\n  mutually_exclusive: [[src, content]]\nposix: ':'\n",
    ),
];

/// A folder with files, gone with the test.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    /// With these files, and the tests' modules.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in MODULES {
            folder.write(&format!("modules/{name}.yml"), text);
        }
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn loader(&self) -> Loader {
        Loader::new(Options {
            modules: Arc::new(Library::new(vec![self.path().join("modules")])),
            ..Options::default()
        })
    }

    pub(super) fn load(&self) -> Result<Playbook, Refused> {
        self.loader().load(&self.path().join("site.yml"))
    }

    /// The playbook, or why not.
    pub(super) fn loaded(&self) -> Playbook {
        self.load().unwrap_or_else(|refused| panic!("{refused}"))
    }

    /// What is wrong, the folder's own path taken out.
    pub(super) fn refused(&self) -> String {
        let refused = self.load().expect_err("the playbook was taken");
        let folder = format!("{}/", self.path().display());
        refused.to_string().replace(&folder, "")
    }
}

/// The tasks of a play, one a line: name or module, and the keyword's values.
pub(super) fn shown(steps: &[Step], keyword: Keyword) -> String {
    let mut text = String::new();
    super::loader::each_task(steps, &mut |task| {
        let values: Vec<String> = task.keywords.items(keyword).iter().map(show).collect();
        let _ = writeln!(text, "{}: {}", task.title(), values.join(", "));
    });
    text
}

fn show(written: &Written) -> String {
    match written.text() {
        Some(text) => text.to_owned(),
        None => format!("{:?}", written.value()),
    }
}

/// All tasks of the first play.
pub(super) fn tasks(playbook: &Playbook) -> Vec<Arc<Task>> {
    playbook.plays[0].tasks().into_iter().cloned().collect()
}
