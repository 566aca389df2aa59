//! The list of verbs.

use clap::Subcommand;

use super::{CliError, Globals, Status, config_show, db, history, hostkeys, inventory};

/// What `iomsctl` can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List, draw, check and import inventories
    Inventory(inventory::Args),
    /// Bring in, review and forget the keys of hosts
    Hostkeys(hostkeys::Args),
    /// Look up what was run, where, by whom, and what came out
    History(history::Args),
    /// Look after the database
    Db(db::Args),
    /// Show every setting and where it came from
    Config(config_show::Args),
}

impl Verb {
    /// Does it.
    pub fn execute(self, globals: &Globals) -> Result<Status, CliError> {
        match self {
            Self::Inventory(args) => inventory::execute(args, globals),
            Self::Hostkeys(args) => hostkeys::execute(args, globals),
            Self::History(args) => history::execute(args, globals),
            Self::Db(args) => db::execute(args, globals),
            Self::Config(args) => config_show::execute(args, globals),
        }
    }
}
