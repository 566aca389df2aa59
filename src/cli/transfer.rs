//! The flags that `upload` and `download` have in common.

use std::sync::Arc;

use clap::Args;

use super::CliError;
use super::targets::Overrides;
use crate::base::quantity;
use crate::shell::files::Algorithm;
use crate::transfer::{Act, Meter};

/// What the bounds of a run are for one that moves files, as help says it.
pub const FORKS: &str = "Hosts at work at a time [default: 100, as they share one line]";
/// Of `--timeout`.
pub const TIMEOUT: &str = "A host's time; 0 for none [default: none]";
/// Of `--idle-timeout`.
pub const IDLE_TIMEOUT: &str = "Give up a host where nothing moves for so long [default: 5m]";

/// Flags of transfers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Transfer")]
pub struct TransferArgs {
    /// How contents are compared: md5 (detects change, not tampering) or sha256
    #[arg(long, value_name = "ALGORITHM", default_value = "md5", value_parser = ["md5", "sha256"], hide_possible_values = true)]
    pub checksum: String,
    /// Compare only: what differs is a failure
    #[arg(long, conflicts_with_all = ["check", "force"])]
    pub verify: bool,
    /// Move what is equal, too
    #[arg(long)]
    pub force: bool,
    /// Bytes a second, all hosts together: 10M
    #[arg(long, value_name = "RATE", value_parser = quantity::size)]
    pub limit_rate: Option<u64>,
    /// Ask the hosts and say what would be moved
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Follow symbolic links, and move what they lead to
    #[arg(long)]
    pub follow: bool,
    /// The shell of the hosts: sh, cmd, powershell [default: found]
    #[arg(long, value_name = "SHELL")]
    pub shell: Option<String>,
}

impl TransferArgs {
    /// How contents are compared.
    pub fn algorithm(&self) -> Algorithm {
        match self.checksum.as_str() {
            "sha256" => Algorithm::Sha256,
            _ => Algorithm::Md5,
        }
    }

    /// What is done about differences.
    pub fn act(&self) -> Act {
        match (self.verify, self.check) {
            (true, _) => Act::Verify,
            (_, true) => Act::Check,
            _ => Act::Send,
        }
    }

    /// The run's meter.
    pub fn meter(&self) -> Arc<Meter> {
        Arc::new(Meter::new(self.limit_rate))
    }

    /// What `--shell` says of every target.
    pub fn overrides(&self) -> Result<Overrides, CliError> {
        Ok(Overrides {
            shell: super::work::shell_kind(self.shell.as_deref())?,
            ..Overrides::default()
        })
    }
}

/// What is added to the name of what is replaced and kept.
pub fn backup_ending() -> String {
    jiff::Zoned::now()
        .strftime(".%Y-%m-%d@%H:%M:%S~")
        .to_string()
}
