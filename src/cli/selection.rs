//! The flags that choose hosts.

use clap::Args;

/// Which hosts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hosts")]
pub struct SelectionArgs {
    /// Hosts: names, groups, globs, `~regex`, `web[01-40]`, `a:b`, `a:&b`, `a:!b`, `@file`, `-`
    #[arg(short, long, value_name = "PATTERN")]
    pub group: Option<String>,
    /// Of these, only those
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Vec<String>,
    /// Of these, not those
    #[arg(short = 'x', long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Of these, so many, chosen at random
    #[arg(long, value_name = "N|N%", value_parser = crate::base::quantity::Share::parse)]
    pub pick: Option<crate::base::quantity::Share>,
    /// Hosts that came out so in an earlier run: failed, unreachable, ok, all; `:RUN` names the run
    #[arg(long, value_name = "WHICH[:RUN]")]
    pub rerun: Option<String>,
}
