//! Deny rules hold for the commands of plays.

use super::{pair, playbook};
use crate::support::{Desk, each};

fn desk() -> Desk {
    let desk = pair();
    desk.file(
        "ioms.toml",
        "deny = [{match = 'rm\\s+-rf', reason = 'no'}, {match = 'shutdown', reason = 'no'}]\n",
    );
    desk
}

#[test]
fn a_constant_command_is_refused_before_anything_is_done() {
    let desk = desk();
    let mark = desk.home().join("mark");
    let tasks = format!(
        "- file: {{path: '{}', state: touch}}\n- shell: rm  -rf /srv/none\n  tags: cleaning\n",
        mark.display()
    );
    let site = playbook(&desk, &tasks);
    let ran = desk.run(&["play", site.to_str().unwrap()]).ends_with(9);
    assert!(ran.stderr.contains("site.yml:6:"), "{ran:?}");
    assert!(!mark.exists());
    let runs = desk.json(&["history", "list"]);
    assert_eq!(runs["runs"][0]["outcome"], "cancelled", "on record");
    desk.run(&["play", site.to_str().unwrap(), "--skip-tags", "cleaning"])
        .ends_with(0);
    assert!(mark.exists(), "what is not chosen is not refused");
}

#[test]
fn a_command_that_variables_make_is_refused_at_its_task_and_ends_the_run() {
    let desk = desk();
    let site = playbook(
        &desk,
        "- shell: '{{ word }} -rf /srv/none'\n  vars: {word: rm}\n- debug: {msg: too far}\n",
    );
    let ran = desk.run(&["play", site.to_str().unwrap()]).ends_with(9);
    assert!(
        ran.stdout.contains("denied") || ran.stderr.contains("denied"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("too far"), "{ran:?}");
}

#[test]
fn the_same_holds_for_a_module_ad_hoc() {
    let desk = desk();
    let document = desk.json(&["do", "web", "command", "--", "rm", "-rf", "/srv/none"]);
    assert_eq!(
        each(&document, "outcome"),
        ["web01=cancelled", "web02=cancelled"]
    );
    assert_eq!(document["stopped"], "denied");
    assert_eq!(document["hosts"][0]["error"]["kind"], "denied");
    desk.run(&["do", "web", "shell", "shutdown now"])
        .ends_with(9);
    desk.run(&["do", "web", "shell", "shutdown now", "--dry-run"])
        .ends_with(9);
    desk.run(&["do", "web", "debug", "msg=shutdown"])
        .ends_with(0);
}
