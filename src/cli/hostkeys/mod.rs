//! `iomsctl hostkeys`: the keys and certificates of a whole fleet, looked at before they are believed.

mod approve;
mod certificates;
mod chosen;
mod keys;
mod rows;
mod shown;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use futures::StreamExt as _;
use serde_json::json;

use super::ask::confirm;
use super::identities;
use super::{CliError, Globals, Setup, Status};
use crate::transport::raise_open_files;
use crate::transport::ssh::HostKeys;
use crate::transport::winrm::Certificates;
use chosen::{Chosen, HostsArgs, Way};
use keys::Scanner;
use rows::{Row, State, print_rows};
use shown::Shown;

/// Hosts that are asked at a time.
const FORKS: usize = 200;

/// Its verbs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  iomsctl hostkeys scan -g all\n  iomsctl hostkeys approve -g web\n  iomsctl hostkeys forget -g web07 --yes\n\n`scan` asks hosts for their keys (SSH) and certificates (WinRM over HTTPS) and keeps what they\nshowed for review; `approve` writes what was scanned to known_hosts and known_certificates."
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
    /// Believe the keys that were scanned: write them down
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

/// What is on record, of both kinds.
struct Known {
    keys: HostKeys,
    certificates: Certificates,
}

/// Does it.
pub fn execute(args: Args, globals: &Globals) -> Result<Status, CliError> {
    let setup = Setup::new(globals)?;
    let (Verb::Scan(hosts) | Verb::Approve(hosts) | Verb::Forget(hosts) | Verb::List(hosts)) =
        &args.verb;
    let chosen = Chosen::of(&setup, hosts)?;
    let known = Known {
        keys: HostKeys::new(),
        certificates: identities::certificates(&setup),
    };
    match &args.verb {
        Verb::Scan(_) => scan_hosts(&setup, &chosen, &known),
        Verb::Approve(args) => approve::approve(&setup, &chosen, &known, args.yes),
        Verb::Forget(args) => forget_hosts(&setup, &chosen, &known, args.yes),
        Verb::List(_) => list(&setup, &chosen, &known),
    }
}

fn scan_hosts(setup: &Setup, chosen: &Chosen, known: &Known) -> Result<Status, CliError> {
    raise_open_files();
    let scanner = Scanner::new(setup, chosen);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let results: Vec<_> = runtime.block_on(async {
        futures::stream::iter(&chosen.hosts)
            .map(|(host, way)| {
                let scanner = &scanner;
                async move {
                    let seen = match way {
                        Ok(Way::Ssh(target)) => scanner.scan(host, target, known).await,
                        Ok(Way::Winrm(target)) => certificates::scan(host, target, known).await,
                        Err(error) => Err(error.clone()),
                    };
                    (host, seen)
                }
            })
            .buffered(FORKS)
            .collect()
            .await
    });
    let mut shown = Shown::load(setup);
    let mut rows = Vec::new();
    let hosts = results.len();
    for (host, result) in results {
        match result {
            Ok(seen) => {
                if let Some((name, keys)) = seen.kept {
                    shown.keep(name, keys);
                }
                rows.extend(seen.rows);
            }
            Err(error) => rows.push(Row::unreachable(host, error)),
        }
    }
    shown.save(setup)?;
    print_rows(setup, &rows)?;
    let count = |state| rows.iter().filter(|row| row.state == state).count();
    let (unreachable, changed) = (count(State::Unreachable), count(State::Changed));
    if !setup.json() && !setup.quiet() {
        say_next(hosts, count(State::New), changed, unreachable)?;
    }
    Ok(Status(
        u8::from(changed > 0) * 2 + u8::from(unreachable > 0) * 4,
    ))
}

/// What was seen in all, and what to do with it.
fn say_next(
    hosts: usize,
    fresh: usize,
    changed: usize,
    unreachable: usize,
) -> Result<(), CliError> {
    let mut words = format!(
        "{hosts} hosts: {fresh} new keys, {changed} changed, {unreachable} hosts not reached\n"
    );
    if fresh > 0 {
        words.push_str(
            "compare the fingerprints, then write them down: iomsctl hostkeys approve -g ...\n",
        );
    }
    if changed > 0 {
        words.push_str("changed keys: if the hosts were reinstalled, `hostkeys forget` them, then `scan` and `approve`\n");
    }
    std::io::stderr().write_all(words.as_bytes())?;
    Ok(())
}

fn forget_hosts(
    setup: &Setup,
    chosen: &Chosen,
    known: &Known,
    yes: bool,
) -> Result<Status, CliError> {
    let mut files: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let mut names = Vec::new();
    for (_, way) in chosen.ways() {
        match way {
            Way::Ssh(target) => {
                for file in &target.options.user_known_hosts {
                    let names = files.entry(file.clone()).or_default();
                    names.push(HostKeys::name(target));
                }
            }
            Way::Winrm(target) => names.push(Certificates::name(target)),
        }
    }
    let count = chosen.ways().count();
    confirm(
        &format!("Take the keys of {count} hosts off the record?"),
        yes,
    )?;
    let mut edits = Vec::new();
    for (file, names) in &files {
        edits.push(keys::forget(file, names)?);
    }
    if !names.is_empty() {
        edits.push(certificates::forget(known, &names)?);
    }
    if setup.json() {
        let edits: Vec<_> = edits
            .iter()
            .map(|(file, removed)| json!({ "file": file, "removed": removed }))
            .collect();
        setup.print_document(&json!({ "files": edits }))?;
    } else {
        for (file, removed) in &edits {
            setup.print(&format!("{}: {removed} keys forgotten\n", file.display()))?;
        }
    }
    Ok(Status::OK)
}

fn list(setup: &Setup, chosen: &Chosen, known: &Known) -> Result<Status, CliError> {
    let mut rows = Vec::new();
    for (host, way) in chosen.ways() {
        match way {
            Way::Ssh(target) => rows.extend(keys::on_record(known, host, target)),
            Way::Winrm(target) => rows.extend(certificates::on_record(known, host, target)?),
        }
    }
    print_rows(setup, &rows)?;
    Ok(Status::OK)
}
