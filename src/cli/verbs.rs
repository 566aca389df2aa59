//! The list of verbs.

use clap::Subcommand;

use super::{
    CliError, Globals, Status, ad_hoc, completions, config_show, db, doc, doctor, download,
    history, hostkeys, inventory, lint, ping, play, repo, resume, run, script, upload, vault,
};

/// What `iomsctl` can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a command on hosts
    Run(Box<run::Args>),
    /// Run a script of yours on hosts
    Script(Box<script::Args>),
    /// Put files and folders on hosts, checked
    Upload(Box<upload::Args>),
    /// Fetch files and folders from hosts, each host's into a folder of its own
    Download(Box<download::Args>),
    /// Do one module on hosts, without a playbook
    Do(Box<ad_hoc::Args>),
    /// Run playbooks
    Play(Box<play::Args>),
    /// Go on with a run of playbooks that was killed or stopped
    Resume(Box<resume::Args>),
    /// Reach hosts: connect, log in, and say how long it took
    Ping(Box<ping::Args>),
    /// Walk the way to hosts step by step: what is wrong, and its fix
    Doctor(Box<doctor::Args>),
    /// Say what of playbooks and roles works here, and what is missing
    Lint(lint::Args),
    /// List, draw, check and import inventories
    Inventory(inventory::Args),
    /// Bring in, review and forget the keys of hosts
    Hostkeys(hostkeys::Args),
    /// Look up what was run, where, by whom, and what came out
    History(history::Args),
    /// Keep the files that hosts may be given
    Repo(repo::Args),
    /// What modules there are, and what each takes and returns
    Doc(doc::Args),
    /// Encrypt files and values with passwords, and open them, as ansible-vault does
    Vault(Box<vault::Args>),
    /// Look after the database
    Db(db::Args),
    /// Show every setting and where it came from
    Config(config_show::Args),
    /// Print a completion script for your shell
    Completions(completions::CompletionsArgs),
    /// Write the manual pages
    Man(completions::ManArgs),
}

impl Verb {
    /// Does it.
    pub fn execute(self, globals: &Globals) -> Result<Status, CliError> {
        match self {
            Self::Run(args) => run::execute(&args, globals),
            Self::Script(args) => script::execute(&args, globals),
            Self::Upload(args) => upload::execute(&args, globals),
            Self::Download(args) => download::execute(&args, globals),
            Self::Do(args) => ad_hoc::execute(&args, globals),
            Self::Play(args) => play::execute(&args, globals),
            Self::Resume(args) => resume::execute(&args, globals),
            Self::Ping(args) => ping::execute(&args, globals),
            Self::Doctor(args) => doctor::execute(&args, globals),
            Self::Completions(args) => completions::completions(&args, globals),
            Self::Man(args) => completions::man(&args, globals),
            Self::Lint(args) => lint::execute(&args, globals),
            Self::Inventory(args) => inventory::execute(args, globals),
            Self::Hostkeys(args) => hostkeys::execute(args, globals),
            Self::History(args) => history::execute(args, globals),
            Self::Repo(args) => repo::execute(args, globals),
            Self::Doc(args) => doc::execute(&args, globals),
            Self::Vault(args) => vault::execute(*args, globals),
            Self::Db(args) => db::execute(args, globals),
            Self::Config(args) => config_show::execute(args, globals),
        }
    }
}
