//! Tasks with files in the words of PowerShell.

use crate::shell::files::{Answer, FileFailure, FileTask, Said};

/// Reads what a task's program printed.
pub fn read(_task: &FileTask, _said: &Said) -> Result<Answer, FileFailure> {
    Err(FileFailure::NoTool("PowerShell".to_owned()))
}
