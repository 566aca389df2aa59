//! `iomsctl history diff`: which hosts came out otherwise in another run, and how.

use std::io::Write as _;

use serde_json::{Value as Json, json};

use super::history::{run_json, scratch};
use super::{CliError, Setup, Status};
use crate::event::HostResult;
use crate::inventory::hostset;
use crate::report;
use crate::store::{RunRow, Store};

/// How one host came out twice.
struct Pair<'a> {
    host: String,
    one: Option<&'a HostResult>,
    other: Option<&'a HostResult>,
}

impl Pair<'_> {
    fn same(&self) -> bool {
        match (self.one, self.other) {
            (Some(one), Some(other)) => {
                one.outcome == other.outcome
                    && one.exit == other.exit
                    && one.stdout.digest == other.stdout.digest
                    && one.stderr.digest == other.stderr.digest
            }
            _ => false,
        }
    }
}

/// Compares two runs.
pub async fn diff(
    setup: &Setup,
    store: &Store,
    one: &str,
    other: &str,
) -> Result<Status, CliError> {
    let (mut one, mut other) = (store.find_run(one).await?, store.find_run(other).await?);
    let (folder, folder2) = (scratch()?, scratch()?);
    let results = store.results(&mut one, folder.path()).await?;
    let results2 = store.results(&mut other, folder2.path()).await?;
    let find = |row: &RunRow, name: &str| row.header.hosts.iter().position(|host| &**host == name);
    let mut names: Vec<String> = one.header.hosts.iter().map(ToString::to_string).collect();
    names.extend(
        other
            .header
            .hosts
            .iter()
            .filter(|host| find(&one, host).is_none())
            .map(ToString::to_string),
    );
    let pairs: Vec<Pair<'_>> = names
        .into_iter()
        .map(|host| Pair {
            one: find(&one, &host)
                .and_then(|at| results.get(at))
                .map(|(_, result)| result),
            other: find(&other, &host)
                .and_then(|at| results2.get(at))
                .map(|(_, result)| result),
            host,
        })
        .collect();
    if setup.json() {
        let side = |result: Option<&HostResult>| {
            result.map(|result| json!({ "outcome": result.outcome, "exit": result.exit }))
        };
        let hosts: Vec<Json> = pairs
            .iter()
            .map(|pair| {
                let (same_out, same_err) = match (pair.one, pair.other) {
                    (Some(one), Some(other)) => (
                        one.stdout.digest == other.stdout.digest,
                        one.stderr.digest == other.stderr.digest,
                    ),
                    _ => (false, false),
                };
                json!({
                    "host": pair.host, "same": pair.same(), "one": side(pair.one), "other": side(pair.other),
                    "stdout_same": same_out, "stderr_same": same_err,
                })
            })
            .collect();
        setup.print_document(
            &json!({ "one": run_json(&one), "other": run_json(&other), "hosts": hosts }),
        )?;
        return Ok(Status::OK);
    }
    show_diff(setup, &pairs)?;
    Ok(Status::OK)
}

/// Hosts that differ in the same way, once.
fn show_diff(setup: &Setup, pairs: &[Pair<'_>]) -> Result<(), CliError> {
    let mut groups: indexmap::IndexMap<String, Vec<&Pair<'_>>> = indexmap::IndexMap::new();
    for pair in pairs.iter().filter(|pair| !pair.same()) {
        let key = |result: Option<&HostResult>| {
            result.map(|result| {
                (
                    result.outcome,
                    result.exit,
                    result.stdout.digest,
                    result.stderr.digest,
                )
            })
        };
        groups
            .entry(format!("{:?}{:?}", key(pair.one), key(pair.other)))
            .or_default()
            .push(pair);
    }
    let mut text = Vec::new();
    for group in groups.values() {
        let Some(first) = group.first() else { continue };
        let folded = hostset::fold(group.iter().map(|pair| pair.host.as_str()));
        let word = |result: Option<&HostResult>| match result {
            None => "not in the run".to_owned(),
            Some(result) => match result.exit {
                Some(exit) if exit != 0 => format!("{} (exit {exit})", result.outcome.name()),
                _ => result.outcome.name().to_owned(),
            },
        };
        writeln!(
            text,
            "---------------\n{folded} ({}): {} -> {}\n---------------",
            group.len(),
            word(first.one),
            word(first.other)
        )?;
        if let (Some(one), Some(other)) = (first.one, first.other) {
            report::difference(one, other, ["before", "after"], &mut text)?;
        }
    }
    let same = pairs.iter().filter(|pair| pair.same()).count();
    writeln!(
        text,
        "{} hosts: {same} the same, {} differ",
        pairs.len(),
        pairs.len() - same
    )?;
    setup.print(&String::from_utf8_lossy(&text))
}
