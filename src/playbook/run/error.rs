//! What ends a run as a whole: a mistake of the playbook, not of a host.

use crate::base::diag::Diagnostic;
use crate::playbook::{Task, Written};

/// Why a run could not go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RunError {
    /// Something written is wrong.
    #[error("{0}")]
    Written(Box<Diagnostic>),
    /// `--start-at-task` names nothing: no run of these arguments can get anywhere.
    #[error(
        "no task is named `{0}`: --start-at-task finds tasks of the playbook and of static imports"
    )]
    NoStart(String),
    /// Something else is.
    #[error("{0}")]
    Other(String),
}

impl RunError {
    /// Something written is wrong.
    pub(super) fn at(written: &Written, message: impl Into<String>) -> Self {
        Self::Written(Box::new(written.error(message)))
    }

    /// A task notifies what does not exist.
    pub(super) fn no_handler(task: &Task, notification: &str) -> Self {
        let found = task
            .written
            .error(format!(
                "the task notifies `{notification}`, but no handler has this name or listens to it"
            ))
            .help("a handler of an included role is known once the role is included");
        Self::Written(Box::new(found))
    }

    /// A task is done once for all hosts, but each goes its own way.
    pub(super) fn needs_linear(task: &Task) -> Self {
        let found = task
            .action
            .place
            .error(format!(
                "`{}` is done once for all hosts",
                task.action.written
            ))
            .help("the strategies `free` and `host_pinned` have no such step: use `linear`");
        Self::Written(Box::new(found))
    }
}
