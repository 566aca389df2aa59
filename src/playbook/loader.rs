//! What all loading shares: options, files read, problems found, and the count of tasks.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{Files, OpenVault};
use super::keyword::{Keywords, Level};
use super::model::{Handler, Play, Playbook, Role, RoleUse, Step};

use super::problem::{LintRule, Problem, Refused, Severity};
use super::written::Written;
use crate::base::diag::{Diagnostic, Place};
use crate::base::seen::Seen;
use crate::base::value::Map;
use crate::base::yaml::Key;
use crate::module::Library;

/// No playbook has more tasks, imports unrolled.
const TASKS_MAX: usize = 200_000;

/// What loading needs to know beside the files.
#[derive(Clone, Default)]
pub struct Options {
    /// Folders of roles beside the playbook's own: the setting `roles_path`.
    pub roles_path: Vec<PathBuf>,
    /// Folders that hold an `ansible_collections`, beside the playbook's own `collections/`.
    pub collections: Vec<PathBuf>,
    /// `-e`: they may stand in names of static imports.
    pub extra_vars: Map,
    /// Opens vault files.
    pub vault: Option<OpenVault>,
    /// Hears of each file that is read.
    pub seen: Seen,
    /// The modules there are.
    pub modules: Arc<Library>,
}

/// Loads playbooks, role by role and file by file, and gathers what is wrong.
#[derive(Default)]
pub struct Loader {
    pub(super) options: Options,
    pub(super) files: Files,
    /// Roles by what makes two uses one role.
    pub(super) roles: HashMap<String, Arc<Role>>,
    pub(super) gathered: Gathered,
    problems: Vec<Problem>,
    errors: usize,
    /// Every task seen by its place, and whether it is without fault.
    tasks: BTreeMap<(Arc<Path>, u32, u32), bool>,
    steps: usize,
}

/// What a play's steps bring with them.
#[derive(Default)]
pub(super) struct Gathered {
    /// Roles of `import_role`.
    pub(super) roles: Vec<Arc<RoleUse>>,
    /// Their handlers.
    pub(super) handlers: Vec<Arc<Handler>>,
    /// Handlers that may come by a constant `include_role`.
    pub(super) possible: Vec<Arc<Handler>>,
    /// What is notified.
    pub(super) notified: Vec<Written>,
    /// Files and roles that were looked into for the check: once is enough.
    pub(super) looked_into: HashSet<String>,
    /// Something is brought in whose name only the run knows: any handler may come.
    pub(super) open: bool,
}

/// Where steps stand.
#[derive(Clone)]
pub(super) struct Within {
    /// Tasks or handlers.
    pub(super) level: Level,
    /// What they inherit.
    pub(super) keywords: Arc<Keywords>,
    /// Their role.
    pub(super) role: Option<Arc<RoleUse>>,
    /// The files they came through, the one they stand in last.
    pub(super) files: Arc<[Arc<Path>]>,
    /// The playbook's folder.
    pub(super) folder: Arc<Path>,
    /// The play's variables, the weakest first.
    pub(super) vars: Arc<Vec<Written>>,
}

/// Tasks counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Files read.
    pub files: usize,
    /// Tasks.
    pub tasks: usize,
    /// Tasks without an error.
    pub supported: usize,
}

/// What was loaded for a running play.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The steps.
    pub steps: Vec<Step>,
    /// Roles that were imported on the way.
    pub roles: Vec<Arc<RoleUse>>,
    /// The handlers that came with them.
    pub handlers: Vec<Arc<Handler>>,
    /// The file, of a file of tasks.
    pub path: Option<Arc<Path>>,
}

impl Loader {
    /// A loader that has read nothing.
    pub fn new(options: Options) -> Self {
        Self {
            files: Files::new(options.vault.clone(), options.seen.clone()),
            options,
            ..Self::default()
        }
    }

    /// Loads a playbook; refused with all that is wrong with it.
    pub fn load(&mut self, path: &Path) -> Result<Playbook, Refused> {
        let playbook = self.playbook(path);
        self.refuse_if_wrong()?;
        Ok(playbook)
    }

    /// All problems so far, sorted by place, each once.
    pub fn problems(&self) -> Vec<Problem> {
        let mut seen = HashSet::new();
        let mut problems: Vec<Problem> = self
            .problems
            .iter()
            .filter(|each| seen.insert((each.diagnostic.place.clone(), &each.diagnostic.message)))
            .cloned()
            .collect();
        problems.sort_by(|one, other| place_key(one).cmp(&place_key(other)));
        problems
    }

    /// What was counted so far.
    pub fn counted(&self) -> Counted {
        Counted {
            files: self.files.count(),
            tasks: self.tasks.len(),
            supported: self.tasks.values().filter(|good| **good).count(),
        }
    }

    /// Refuses where errors were found.
    pub(super) fn refuse_if_wrong(&self) -> Result<(), Refused> {
        let errors: Vec<Problem> = self
            .problems()
            .into_iter()
            .filter(|each| each.severity == Severity::Error)
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Refused(errors))
        }
    }

    /// Takes the problems away.
    pub(super) fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.problems)
    }

    /// Puts problems back in place of those there are.
    pub(super) fn put_problems(&mut self, problems: Vec<Problem>) {
        self.problems = problems;
    }

    /// Takes a problem down.
    pub(super) fn report(&mut self, problem: Problem) {
        if problem.severity == Severity::Error {
            self.errors += 1;
        }
        self.problems.push(problem);
    }

    /// An error at a key.
    pub(super) fn error_at(
        &mut self,
        rule: LintRule,
        message: impl Into<String>,
        written: &Written,
        key: &Key,
    ) {
        self.report(Problem::error(rule, written.source.error_at(message, key)));
    }

    /// An error at a value.
    pub(super) fn error(&mut self, rule: LintRule, found: Diagnostic) {
        self.report(Problem::error(rule, found));
    }

    /// Errors so far.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Counts a task, however often it is come by.
    pub(super) fn count_task(&mut self, task: &Written, good: bool) {
        let key = (task.source.path.clone(), task.node.line, task.node.column);
        *self.tasks.entry(key).or_insert(good) &= good;
    }

    /// Whether there is room for another step; said once where not.
    pub(super) fn room(&mut self, step: &Written) -> bool {
        self.steps += 1;
        if self.steps == TASKS_MAX {
            let found = step.error(format!(
                "this is the {TASKS_MAX}th task: there are too many"
            ));
            self.error(LintRule::Recursion, found);
        }
        self.steps < TASKS_MAX
    }

    /// Reads a list of YAML: tasks, plays.
    pub(super) fn list(&mut self, document: &Written, what: &str) -> Option<Written> {
        use crate::base::value::Value;
        use crate::base::yaml::Content;
        match &document.node.content {
            Content::List(_) => Some(document.clone()),
            Content::Scalar(Value::Null) => None,
            _ => {
                let kind = document.value().kind();
                let found = document.error(format!("{what}: a list is wanted, this is {kind}"));
                self.error(LintRule::Yaml, found);
                None
            }
        }
    }
}

fn place_key(problem: &Problem) -> (&Path, u32, u32) {
    let Place { file, line, column } = &problem.diagnostic.place;
    (file, *line, *column)
}

/// What a play's tasks and handlers are, walked.
pub(super) fn each_task<'a>(steps: &'a [Step], visit: &mut dyn FnMut(&'a Arc<super::Task>)) {
    for step in steps {
        match step {
            Step::Task(task) => visit(task),
            Step::Block(block) => {
                each_task(&block.block, visit);
                each_task(&block.rescue, visit);
                each_task(&block.always, visit);
            }
            Step::Role(_, steps) => each_task(steps, visit),
        }
    }
}

impl Play {
    /// All of its tasks, in the order they stand, handlers apart.
    pub fn tasks(&self) -> Vec<&Arc<super::Task>> {
        let mut found = Vec::new();
        for (_, steps) in &self.sections {
            each_task(steps, &mut |task| found.push(task));
        }
        found
    }
}
