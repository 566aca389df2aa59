//! A module's program for `PowerShell`: the prelude, the parameters as one table, the script.

use super::call::Call;
use super::error::ModuleError;

/// The program of a call. Its frames begin with `mark`.
pub(super) fn program(call: &Call, _script: &str, _mark: &str) -> Result<String, ModuleError> {
    Err(ModuleError::new(format!(
        "module {} is not there for Windows hosts yet",
        call.module.name
    )))
}
