//! `--rerun`: the hosts, and where it is not given anew the work, of an earlier run.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::ask::Terminal;
use super::fleet::Fleet;
use super::selection::{Chosen, SelectionArgs};
use super::vaults::VaultArgs;
use super::{CliError, Setup, records};
use crate::base::prompt::Prompt;
use crate::base::secret::MASK;
use crate::event::RunHeader;
use crate::store::Which;

/// Hosts of an earlier run.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Hosts")]
pub struct RerunArgs {
    /// Hosts that came out so in your newest run, or in RUN: failed, unreachable, ok, all; `run` also
    /// takes its command, `script` needs its file again
    #[arg(long, value_name = "WHICH[:RUN]")]
    pub rerun: Option<String>,
}

/// What an earlier run was.
#[derive(Debug, Clone)]
pub struct Earlier {
    hosts: Vec<Arc<str>>,
    verb: String,
    command: Option<String>,
    pattern: String,
    /// The flags that bore on what the command did.
    flags: Vec<&'static str>,
    playbooks: Vec<PathBuf>,
}

impl RerunArgs {
    /// Whether an earlier run is asked for.
    pub fn wanted(&self) -> bool {
        self.rerun.is_some()
    }

    /// Looks the run up: without RUN your newest one, of whatever verb. Where no inventory is named, those
    /// of the run are used.
    pub fn look_up(&self, setup: &mut Setup) -> Result<Option<Earlier>, CliError> {
        self.look_up_of(setup, None)
    }

    /// The same; without RUN your newest one of a verb.
    pub fn look_up_of(
        &self,
        setup: &mut Setup,
        verb: Option<&str>,
    ) -> Result<Option<Earlier>, CliError> {
        let Some(text) = &self.rerun else {
            return Ok(None);
        };
        let (which, run) = match text.split_once(':') {
            Some((which, run)) => (which, Some(run)),
            None => (text.as_str(), None),
        };
        let which = match which {
            "failed" => Which::Failed,
            "unreachable" => Which::Unreachable,
            "ok" => Which::Ok,
            "all" => Which::All,
            other => {
                return Err(CliError::new(format!("--rerun {other}: which hosts are meant?"))
                    .hint("write failed, unreachable, ok or all, then :RUN for another than your newest run"));
            }
        };
        let found = super::database_runtime()?.block_on(async {
            let store = records::open(setup).await?;
            let row = if let Some(run) = run { store.find_run(run).await? } else {
                let user = crate::target::ssh_config::Local::of_process().user;
                store.newest_run(&user, verb).await?.ok_or_else(|| {
                    let what = verb.map_or_else(|| "run".to_owned(), |verb| format!("run of {verb}"));
                    CliError::new(format!("--rerun: you have no {what} on record"))
                        .hint("`iomsctl history list` shows the runs of everybody; name one with --rerun failed:RUN")
                })?
            };
            let hosts = store.hosts_of(row.header.run, which).await?;
            store.close().await;
            Ok::<_, CliError>((hosts, row.header))
        });
        let (hosts, header) = found?;
        if is_ours(&header) {
            setup.adopt_inventories(&texts_of(&header.options, "inventories"));
        }
        Ok(Some(Earlier {
            hosts,
            flags: flags_of(&header.options),
            playbooks: (texts_of(&header.options, "playbooks").into_iter())
                .map(PathBuf::from)
                .collect(),
            verb: header.verb,
            command: header.command,
            pattern: header.pattern,
        }))
    }
}

/// Whether a run was started by this user on this controller: an inventory may be a program, and whoever
/// can write a record of a shared database is not to decide what runs here.
fn is_ours(header: &RunHeader) -> bool {
    let (user, from) = super::perform::origin();
    let controller = |from: &str| from.split(" (").next().unwrap_or_default().to_owned();
    header.user == user && controller(&header.from) == controller(&from)
}

impl Earlier {
    /// Its hosts that were asked for.
    pub fn hosts(&self) -> &[Arc<str>] {
        &self.hosts
    }

    /// The playbooks of the run, to be run again; not without the flags that made it what it was.
    pub fn playbooks(&self, given: &[&str]) -> Result<Vec<PathBuf>, CliError> {
        self.has_all(given, "the playbook: iomsctl play --rerun failed PLAYBOOK")?;
        if self.playbooks.is_empty() {
            return Err(CliError::new("the earlier run was none of playbooks")
                .hint("name the playbook: iomsctl play --rerun failed PLAYBOOK"));
        }
        Ok(self.playbooks.clone())
    }

    /// The command line of the run, to be run again; not without the flags that made it what it was.
    pub fn command_line(&self, verb: &str, given: &[&str]) -> Result<String, CliError> {
        self.has_all(given, "the command: iomsctl run --rerun failed 'COMMAND'")?;
        match &self.command {
            // What was masked is gone: the rest would be another command.
            Some(command) if self.verb == verb && !command.contains(MASK) => Ok(command.clone()),
            _ => Err(CliError::new("the earlier run's command is not known")
                .hint("give the command again: iomsctl run --rerun failed 'COMMAND'")),
        }
    }

    fn has_all(&self, given: &[&str], or: &str) -> Result<(), CliError> {
        let missing: Vec<&str> = self
            .flags
            .iter()
            .filter(|flag| !given.contains(flag))
            .copied()
            .collect();
        if !missing.is_empty() {
            return Err(CliError::new(format!(
                "the earlier run had {} too, and without would do something else",
                missing.join(", ")
            ))
            .hint(format!("give them again, or {or}")));
        }
        Ok(())
    }
}

/// What a run's record says of its flags; their values may be secrets and are not on record.
fn flags_of(options: &serde_json::Value) -> Vec<&'static str> {
    let was = |name: &str| match &options[name] {
        serde_json::Value::Bool(yes) => *yes,
        serde_json::Value::Array(values) => !values.is_empty(),
        other => !other.is_null(),
    };
    [
        ("--become", "become"),
        ("--become-user", "become_user"),
        ("--user", "user"),
        ("--chdir", "chdir"),
        ("--env", "env"),
        ("--stdin", "stdin"),
        ("--tty", "tty"),
        ("--detach", "detach"),
        ("--serial", "serial"),
        ("--max-fail", "max_fail"),
        ("--check", "check"),
        ("--tags", "tags"),
        ("--skip-tags", "skip_tags"),
        ("--start-at-task", "start_at_task"),
        ("--extra-vars", "extra_vars"),
    ]
    .into_iter()
    .filter_map(|(flag, name)| was(name).then_some(flag))
    .collect()
}

fn texts_of(options: &serde_json::Value, name: &str) -> Vec<String> {
    let texts = options.get(name).and_then(|texts| texts.as_array());
    let texts = texts.into_iter().flatten();
    texts
        .filter_map(|text| Some(text.as_str()?.to_owned()))
        .collect()
}

/// The fleet, and the hosts of a run: the pattern as it is shown, and whom it chooses.
pub fn fleet_and_hosts(
    setup: &Setup,
    vaults: &VaultArgs,
    selection: &SelectionArgs,
    pattern: Option<&str>,
    earlier: Option<&Earlier>,
) -> Result<(Arc<Fleet>, String, Chosen), CliError> {
    let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
    let fleet = Fleet::load(setup, vaults, &selection.extra_vars, &prompt)?;
    let (pattern, chosen) = choose(setup, &fleet, selection, pattern, earlier)?;
    Ok((fleet, pattern, chosen))
}

/// The hosts of a run: by pattern, of an earlier run, or both.
fn choose(
    setup: &Setup,
    fleet: &Fleet,
    selection: &SelectionArgs,
    pattern: Option<&str>,
    earlier: Option<&Earlier>,
) -> Result<(String, Chosen), CliError> {
    let Some(earlier) = earlier else {
        let pattern = pattern.unwrap_or("all");
        return Ok((pattern.to_owned(), selection.choose(setup, fleet, pattern)?));
    };
    // The implicit localhost is no part of `all`: it has to be named, as it was then.
    let local = earlier.hosts.iter().any(|host| &**host == "localhost");
    let all = if local { "all,localhost" } else { "all" };
    let mut chosen = selection.choose(setup, fleet, pattern.unwrap_or(all))?;
    let gone: Vec<&Arc<str>> = earlier
        .hosts
        .iter()
        .filter(|host| !fleet.inventory.has_host(host) && &***host != "localhost")
        .collect();
    if let [first, ..] = gone.as_slice() {
        setup.warn(&format!(
            "{} of the earlier run's hosts are no longer in the inventory, such as {first}",
            gone.len()
        ));
    }
    let wanted: std::collections::HashSet<&Arc<str>> = earlier.hosts.iter().collect();
    chosen.hosts.retain(|host| wanted.contains(host));
    chosen.all = false;
    Ok((pattern.unwrap_or(&earlier.pattern).to_owned(), chosen))
}
