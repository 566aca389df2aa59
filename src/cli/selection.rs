//! The flags that choose hosts, and the choosing.

use std::io::Read as _;
use std::sync::Arc;

use clap::Args;
use rand::seq::IteratorRandom as _;

use super::fleet::Fleet;
use super::standard_input::ReadsInput;
use super::{CliError, Setup, named_file};
use crate::base::quantity::{self, Share};
use crate::inventory::{Selection, select};

/// No list of hosts is longer, in bytes.
const LIST_MAX: u64 = 64 << 20;

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
    #[arg(long, value_name = "N|N%", value_parser = quantity::Share::parse)]
    pub pick: Option<Share>,
    /// A variable, stronger than all others: NAME=VALUE, JSON, or @FILE
    #[arg(short, long, value_name = "VARS")]
    pub extra_vars: Vec<String>,
}

/// The hosts that were chosen.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Their names, in inventory order.
    pub hosts: Vec<Arc<str>>,
    /// Whether these are all hosts of the inventory.
    pub all: bool,
}

/// `-l` and `-x`; the pattern may also be an operand, so that each verb names it.
impl ReadsInput for SelectionArgs {
    fn claims(&self) -> Vec<&'static str> {
        [("-l -", &self.limit), ("-x -", &self.exclude)]
            .into_iter()
            .flat_map(|(flag, patterns)| {
                let claiming = patterns.iter().filter(|pattern| *pattern == "-");
                claiming.map(move |_| flag)
            })
            .collect()
    }
}

impl SelectionArgs {
    /// Chooses hosts by a pattern, then `-l`, `-x` and `--pick`. Pieces that match nothing are
    /// warned of.
    pub fn choose(&self, setup: &Setup, fleet: &Fleet, pattern: &str) -> Result<Chosen, CliError> {
        let read = |patterns: &[String]| -> Result<Vec<Option<String>>, CliError> {
            patterns.iter().map(|each| written_out(each)).collect()
        };
        let (pattern, limits) = (written_out(pattern)?, read(&self.limit)?);
        // An empty list excludes nobody, and limits to nobody.
        let excludes: Vec<String> = read(&self.exclude)?.into_iter().flatten().collect();
        let limits: Option<Vec<String>> = limits.into_iter().collect();
        let selection = match (pattern, limits) {
            (Some(pattern), Some(limits)) => {
                select(&fleet.inventory, &pattern, &limits, &excludes)?
            }
            _ => Selection::default(),
        };
        for piece in &selection.unmatched {
            setup.warn(&format!("no host or group is called `{piece}`"));
        }
        let mut hosts = selection.names(&fleet.inventory);
        let all = !hosts.is_empty() && hosts.len() >= fleet.inventory.host_names().len();
        if let Some(share) = self.pick {
            let count = match share {
                Share::Count(count) => count,
                Share::Percent(_) => share.of(hosts.len()).max(1),
            };
            let mut picked = (0..hosts.len()).sample(&mut rand::rng(), count);
            picked.sort_unstable();
            hosts = picked
                .into_iter()
                .filter_map(|at| hosts.get(at).cloned())
                .collect();
        }
        Ok(Chosen { hosts, all })
    }
}

/// A pattern with `@file` and `-` replaced by what they hold: patterns, one a line; nothing where
/// they hold none.
pub(super) fn written_out(pattern: &str) -> Result<Option<String>, CliError> {
    let text = if pattern == "-" {
        let mut text = String::new();
        std::io::stdin()
            .lock()
            .take(LIST_MAX)
            .read_to_string(&mut text)?;
        text
    } else if let Some(file) = pattern.strip_prefix('@') {
        std::fs::read_to_string(named_file(file))
            .map_err(|error| CliError::new(format!("hosts of @{file}: {error}")))?
    } else {
        return Ok(Some(pattern.to_owned()));
    };
    let lines: Vec<&str> = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    Ok((!lines.is_empty()).then(|| lines.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_hosts_may_hold_comments() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\u{feff}# idc a\nweb01\n\ndb[1-3] # three\n").unwrap();
        let pattern = format!("@{}", file.path().display());
        let found = written_out(&pattern).unwrap();
        assert_eq!(found.as_deref(), Some("web01,db[1-3]"));
        std::fs::write(file.path(), "# nobody\n").unwrap();
        assert_eq!(written_out(&pattern).unwrap(), None);
        assert!(written_out("@/nonexistent").is_err());
        let found = written_out("web:&db").unwrap();
        assert_eq!(found.as_deref(), Some("web:&db"));
    }
}
