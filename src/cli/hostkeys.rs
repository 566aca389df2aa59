//! `iomsctl hostkeys`: the keys of a whole fleet, looked at before they are believed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::ask::{Terminal, confirm};
use super::connection::ConnectionArgs;
use super::fleet::Fleet;
use super::selection::SelectionArgs;
use super::standard_input::{Operand, has_one_reader};
use super::targets::{Overrides, RunTargets};
use super::vaults::VaultArgs;
use super::{CliError, Globals, Setup, Status};
use crate::base::prompt::Prompt;
use crate::engine::Targets as _;
use crate::event::{HostError, HostIx};
use crate::target::{SshTarget, Via};
use crate::transport::raise_open_files;
use crate::transport::ssh::known_hosts::{Learnt, append};
use crate::transport::ssh::{HostKeys, ScannedKey, Ssh, forget, scan};

/// Hosts that are asked at a time.
const FORKS: usize = 200;

/// Its verbs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl hostkeys scan -g all\n  iomsctl hostkeys approve -g web\n  iomsctl hostkeys forget -g web07 --yes\n\n`scan` asks hosts for their keys and keeps what they showed for review; `approve` writes what was\nscanned to known_hosts."
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Ask hosts for their keys, compare with those on record, keep new ones for `approve`
    #[command(
        after_help = "Examples:\n  iomsctl hostkeys scan -g all\n  iomsctl hostkeys scan web --output json"
    )]
    Scan(HostsArgs),
    /// Believe the keys that were scanned: write them to `known_hosts`
    #[command(
        after_help = "Examples:\n  iomsctl hostkeys approve -g web\n  iomsctl hostkeys approve -g web --yes"
    )]
    Approve(HostsArgs),
    /// Take the keys of hosts off the record
    #[command(after_help = "Examples:\n  iomsctl hostkeys forget -g web07 --yes")]
    Forget(HostsArgs),
    /// List the keys on record
    #[command(after_help = "Examples:\n  iomsctl hostkeys list -g web")]
    List(HostsArgs),
}

#[derive(Debug, clap::Args)]
struct HostsArgs {
    /// The hosts, unless -g gives them
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    vaults: VaultArgs,
    /// Answer questions with yes
    #[arg(long)]
    yes: bool,
}

/// Does it.
pub fn execute(args: Args, globals: &Globals) -> Result<Status, CliError> {
    let setup = Setup::new(globals)?;
    let (Verb::Scan(hosts) | Verb::Approve(hosts) | Verb::Forget(hosts) | Verb::List(hosts)) =
        &args.verb;
    let chosen = Chosen::of(&setup, hosts)?;
    match &args.verb {
        Verb::Scan(_) => scan_hosts(&setup, &chosen),
        Verb::Approve(args) => approve(&setup, &chosen, args.yes),
        Verb::Forget(args) => forget_hosts(&setup, &chosen, args.yes),
        Verb::List(_) => list(&setup, &chosen),
    }
}

/// A host, and how it is reached.
type Reachable = (Arc<str>, Result<Arc<SshTarget>, HostError>);

/// A host, how it is reached, and the keys it shows.
type Scanned = (
    Arc<str>,
    Option<Arc<SshTarget>>,
    Result<Vec<ScannedKey>, HostError>,
);

/// The chosen hosts with their targets.
struct Chosen {
    hosts: Vec<Reachable>,
    prompt: Arc<dyn Prompt>,
}

impl Chosen {
    fn of(setup: &Setup, args: &HostsArgs) -> Result<Self, CliError> {
        let prompt: Arc<dyn Prompt> = Arc::new(Terminal);
        let pattern = match (&args.selection.group, &args.pattern) {
            (Some(_), Some(other)) => {
                return Err(CliError::new(format!("`{other}` is one argument too many")));
            }
            (Some(pattern), None) | (None, Some(pattern)) => pattern,
            (None, None) => {
                return Err(CliError::new("which hosts? no pattern was given")
                    .hint("choose them with -g PATTERN; `all` is everybody"));
            }
        };
        has_one_reader(&[
            &Operand("-g -", Some(pattern)),
            &args.selection,
            &args.connection,
            &args.vaults,
        ])?;
        let fleet = Fleet::load(setup, &args.vaults, &args.selection.extra_vars, &prompt)?;
        let names = args.selection.choose(setup, &fleet, pattern)?.hosts;
        if names.is_empty() {
            return Err(CliError::new(format!("no host matches `{pattern}`")).status(5));
        }
        let targets = RunTargets::new(
            fleet,
            names.clone(),
            args.connection.flags(&*prompt, false)?,
            &setup.settings,
            args.connection.ssh_config.as_deref(),
            Overrides::default(),
        )?;
        let hosts = names
            .into_iter()
            .zip(0..)
            .filter_map(|(name, at)| match targets.resolve(HostIx(at)) {
                Err(error) => Some((name, Err(error))),
                Ok(target) => match &target.via {
                    Via::Ssh(ssh) => Some((name, Ok(ssh.clone()))),
                    Via::Winrm(_) | Via::Local => None,
                },
            })
            .collect();
        Ok(Self { hosts, prompt })
    }

    fn targets(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<SshTarget>)> {
        self.hosts
            .iter()
            .filter_map(|(host, target)| Some((host, target.as_ref().ok()?)))
    }
}

/// What hosts have shown, kept between `scan` and `approve`: by the name in `known_hosts`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Shown(BTreeMap<String, Vec<String>>);

impl Shown {
    fn path(setup: &Setup) -> PathBuf {
        setup.data_dir().join("hostkeys.json")
    }

    fn load(setup: &Setup) -> Self {
        std::fs::read(Self::path(setup))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    fn save(&self, setup: &Setup) -> Result<(), CliError> {
        let path = Self::path(setup);
        setup.make_data_dir()?;
        let fresh = path.with_extension("json.new");
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        std::fs::rename(fresh, path)?;
        Ok(())
    }
}

/// How a key that was shown stands to those on record.
fn state(known: &HostKeys, target: &SshTarget, key: &ScannedKey) -> &'static str {
    let on_record = known.on_record(target);
    if on_record
        .iter()
        .any(|(one, ..)| one.key_data() == key.key.key_data())
    {
        "known"
    } else if on_record
        .iter()
        .any(|(one, ..)| one.algorithm() == key.key.algorithm())
    {
        "changed"
    } else {
        "new"
    }
}

fn scan_hosts(setup: &Setup, chosen: &Chosen) -> Result<Status, CliError> {
    raise_open_files();
    let known = Arc::new(HostKeys::new());
    let ssh = Ssh::new(
        chosen.prompt.clone(),
        known.clone(),
        setup.settings.post_quantum(),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let results: Vec<Scanned> = runtime.block_on(async {
        futures::stream::iter(&chosen.hosts)
            .map(|(host, target)| {
                let ssh = &ssh;
                async move {
                    match target {
                        Ok(target) => (host.clone(), Some(target.clone()), scan(ssh, target).await),
                        Err(error) => (host.clone(), None, Err(error.clone())),
                    }
                }
            })
            .buffered(FORKS)
            .collect()
            .await
    });
    let mut shown = Shown::load(setup);
    let (mut rows, mut unreachable, mut changed, mut fresh) = (Vec::new(), 0, 0, 0);
    for (host, target, result) in &results {
        match (target, result) {
            (Some(target), Ok(keys)) => {
                shown.0.insert(
                    HostKeys::name(target),
                    keys.iter().map(ScannedKey::openssh).collect(),
                );
                for key in keys {
                    let state = state(&known, target, key);
                    changed += usize::from(state == "changed");
                    fresh += usize::from(state == "new");
                    rows.push(json!({
                        "host": host, "type": key.kind(), "fingerprint": key.fingerprint(),
                        "state": state, "error": null,
                    }));
                }
            }
            (_, Err(error)) => {
                unreachable += 1;
                rows.push(json!({
                    "host": host, "type": null, "fingerprint": null, "state": "unreachable", "error": error,
                }));
            }
            (None, Ok(_)) => {}
        }
    }
    shown.save(setup)?;
    print_rows(setup, &rows)?;
    if !setup.json() && !setup.quiet() {
        let mut words = format!(
            "{} hosts: {fresh} new keys, {changed} changed, {unreachable} hosts not reached\n",
            results.len()
        );
        if fresh > 0 {
            words.push_str("compare the fingerprints, then write them to known_hosts: iomsctl hostkeys approve -g ...\n");
        }
        if changed > 0 {
            words.push_str("changed keys: if the hosts were reinstalled, `hostkeys forget` them, then `scan` and `approve`\n");
        }
        std::io::stderr().write_all(words.as_bytes())?;
    }
    Ok(Status(
        u8::from(changed > 0) * 2 + u8::from(unreachable > 0) * 4,
    ))
}

fn print_rows(setup: &Setup, rows: &[Json]) -> Result<(), CliError> {
    if setup.json() {
        return setup.print_document(&json!({ "hostkeys": rows }));
    }
    let text = |row: &Json, name: &str| {
        row.get(name)
            .and_then(Json::as_str)
            .map(|text| crate::base::text::terminal_safe(text).into_owned())
            .unwrap_or_default()
    };
    let width = rows
        .iter()
        .map(|row| text(row, "host").len())
        .max()
        .unwrap_or(0);
    let mut table = String::new();
    for row in rows {
        let host = text(row, "host");
        let message = row.pointer("/error/message").and_then(Json::as_str);
        let place = match row.get("file").and_then(Json::as_str) {
            Some(file) => format!("  {file}:{}", row.get("line").unwrap_or(&Json::Null)),
            None => String::new(),
        };
        let _ = match message {
            Some(message) => writeln!(table, "{host:width$}  {:8}  {message}", text(row, "state")),
            None => writeln!(
                table,
                "{host:width$}  {:8}  {:19}  {}{place}",
                text(row, "state"),
                text(row, "type"),
                text(row, "fingerprint"),
            ),
        };
    }
    setup.print(&table)
}

fn approve(setup: &Setup, chosen: &Chosen, yes: bool) -> Result<Status, CliError> {
    let known = HostKeys::new();
    let mut shown = Shown::load(setup);
    let (mut accepted, mut rows, mut changed, mut unseen) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (host, target) in chosen.targets() {
        let name = HostKeys::name(target);
        let Some(keys) = shown.0.get(&name) else {
            if known.on_record(target).is_empty() {
                unseen.push(host.to_string());
            }
            continue;
        };
        let Some(file) = target.options.user_known_hosts.first() else {
            continue;
        };
        for key in keys.iter().filter_map(|key| ScannedKey::parse(key)) {
            match state(&known, target, &key) {
                "known" => {}
                "changed" => changed.push(host.to_string()),
                _ => {
                    rows.push(json!({
                        "host": host, "type": key.kind(), "fingerprint": key.fingerprint(), "state": "new",
                    }));
                    accepted.push(Learnt {
                        name: name.clone(),
                        key: key.key,
                        file: file.clone(),
                    });
                }
            }
        }
    }
    if !changed.is_empty() {
        changed.dedup();
        return Err(CliError::new(format!(
            "these hosts show other keys than those on record: {}",
            changed.join(", ")
        ))
        .hint("if they were reinstalled: `iomsctl hostkeys forget` first; else somebody may stand between")
        .status(2));
    }
    if !unseen.is_empty() {
        setup.warn(&format!("not scanned yet: {}", unseen.join(", ")));
    }
    if accepted.is_empty() {
        if unseen.is_empty() {
            if setup.json() {
                print_rows(setup, &rows)?;
            } else {
                setup.print("all keys that were scanned are on record\n")?;
            }
            return Ok(Status::OK);
        }
        return Err(
            CliError::new("there is nothing to approve").hint("iomsctl hostkeys scan -g ...")
        );
    }
    if !yes && !setup.json() {
        print_rows(setup, &rows)?;
    }
    confirm(&format!("Believe these {} keys?", accepted.len()), yes)?;
    append(&accepted)?;
    for learnt in &accepted {
        shown.0.remove(&learnt.name);
    }
    shown.save(setup)?;
    if setup.json() {
        print_rows(setup, &rows)?;
    } else {
        setup.print(&format!("{} keys written\n", accepted.len()))?;
    }
    Ok(Status::OK)
}

fn forget_hosts(setup: &Setup, chosen: &Chosen, yes: bool) -> Result<Status, CliError> {
    let mut files: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for (_, target) in chosen.targets() {
        for file in &target.options.user_known_hosts {
            files
                .entry(file.clone())
                .or_default()
                .push(HostKeys::name(target));
        }
    }
    let count = chosen.targets().count();
    confirm(
        &format!("Take the keys of {count} hosts off the record?"),
        yes,
    )?;
    let mut edits = Vec::new();
    for (file, names) in &files {
        let edit = forget(file, names)
            .map_err(|error| CliError::new(format!("{}: {error}", file.display())))?;
        edits.push(json!({ "file": edit.file, "removed": edit.removed }));
    }
    if setup.json() {
        setup.print_document(&json!({ "files": edits }))?;
    } else {
        for edit in &edits {
            let file = edit.get("file").and_then(Json::as_str).unwrap_or_default();
            let removed = edit.get("removed").and_then(Json::as_u64).unwrap_or(0);
            setup.print(&format!("{file}: {removed} keys forgotten\n"))?;
        }
    }
    Ok(Status::OK)
}

fn list(setup: &Setup, chosen: &Chosen) -> Result<Status, CliError> {
    let known = HostKeys::new();
    let mut rows = Vec::new();
    for (host, target) in chosen.targets() {
        for (key, file, line) in known.on_record(target) {
            let key = ScannedKey { key };
            rows.push(json!({
                "host": host, "type": key.kind(), "fingerprint": key.fingerprint(), "state": "known",
                "file": file, "line": line,
            }));
        }
    }
    print_rows(setup, &rows)?;
    Ok(Status::OK)
}
