//! Tasks with files in the words of a Unix shell.

use crate::shell::files::FileTask;

/// The script of a task.
pub(super) fn script(_task: &FileTask) -> String {
    String::new()
}
