//! `iomsctl hostkeys` (placeholder).

use super::{CliError, Globals, Status};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Does it.
pub fn execute(_args: Args, _globals: &Globals) -> Result<Status, CliError> {
    Err(CliError::new("not built yet"))
}
