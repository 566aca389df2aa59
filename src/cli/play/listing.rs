//! `--list-hosts`, `--list-tasks`, `--list-tags`, `--syntax-check`: what would be done, as
//! ansible-playbook prints it.

use serde_json::json;

use super::super::fleet::Fleet;
use super::super::{CliError, Setup, Status};
use super::ChoiceArgs;
use super::hosts::{Limits, within};
use crate::playbook::{Listing, Play, Playbook, TagSelection, patterns, syntax_check};

/// Prints it.
pub(super) fn list(
    setup: &Setup,
    fleet: &Fleet,
    choice: &ChoiceArgs,
    limits: &Limits,
    selection: &TagSelection,
    books: &[Playbook],
) -> Result<Status, CliError> {
    let hosts = |play: &Play| hosts_of(fleet, limits, play);
    if setup.json() {
        let plays: Vec<_> = books
            .iter()
            .flat_map(|book| &book.plays)
            .map(|play| json!({"name": crate::playbook::play_name(play), "hosts": hosts(play)}))
            .collect();
        let document = json!({"schema": 1, "dry_run": true, "command": null, "plays": plays});
        super::super::print(&format!("{document}\n"))?;
        return Ok(Status::OK);
    }
    let listing = Listing {
        tasks: choice.list_tasks,
        tags: choice.list_tags,
        hosts: choice.list_hosts.then_some(&hosts),
        selection,
    };
    let only_checks = !(choice.list_tasks || choice.list_tags || choice.list_hosts);
    for book in books {
        let text = if only_checks {
            syntax_check(book)
        } else {
            listing.of(book)
        };
        setup.print(&text)?;
    }
    Ok(Status::OK)
}

/// The hosts of a play, as far as its pattern is constant.
fn hosts_of(fleet: &Fleet, limits: &Limits, play: &Play) -> Vec<String> {
    within(&fleet.inventory, &patterns(play), limits)
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}
