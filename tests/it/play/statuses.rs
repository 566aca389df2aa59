//! The exit status of a run of playbooks.

use super::{pair, playbook};
use crate::support::{Desk, Lab, runs, signal, wait_until};

fn status(desk: &Desk, tasks: &str, flags: &[&str]) -> i32 {
    let site = playbook(desk, tasks);
    desk.run(&[&["play", site.to_str().unwrap()], flags].concat())
        .status
}

#[test]
fn without_an_inventory_there_is_this_machine() {
    let desk = Desk::new();
    let site = desk.file(
        "site.yml",
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - command: echo here\n",
    );
    let ran = desk.run(&["play", site.to_str().unwrap()]);
    assert_eq!(ran.status, 0, "{}", ran.said());
    assert!(
        ran.stdout.contains("changed: [localhost]"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("only localhost"), "{}", ran.stderr);
}

#[test]
fn statuses_are_the_contracts() {
    let desk = pair();
    assert_eq!(status(&desk, "- command: 'true'", &[]), 0);
    assert_eq!(status(&desk, "- command: 'false'", &[]), 2);
    assert_eq!(
        status(&desk, "- command: 'true'", &["--expect-no-change"]),
        3
    );
    assert_eq!(status(&desk, "- ping:", &["--expect-no-change"]), 0);
    assert_eq!(status(&desk, "- ping:", &["--limit", "db"]), 5);
    assert_eq!(
        status(&desk, "- ping:", &["--limit", "db", "--allow-empty"]),
        0
    );
    assert_eq!(
        status(&desk, "- command: sleep 60", &["--deadline", "1"]),
        7
    );
    assert_eq!(status(&desk, "- pingg:", &[]), 1, "refused before it runs");
    assert_eq!(status(&desk, "- ping:", &["--no-such-flag"]), 1);
    assert_eq!(
        status(&desk, "- command: 'false'\n  ignore_errors: true", &[]),
        0
    );
    assert_eq!(desk.run(&["play", "nowhere.yml"]).status, 1);
}

#[test]
fn unreachable_hosts_count_apart() {
    let lab = Lab::with_down(4, 1);
    let site = playbook(&lab.desk, "- command: \"{{ what }}\"");
    let site = site.to_str().unwrap();
    let status = |flags: &[&str]| lab.run(&[&["play", site], flags].concat()).status;
    assert_eq!(status(&["-e", "what=true"]), 4);
    assert_eq!(status(&["-e", "what=false"]), 6);
    assert_eq!(status(&["-e", "what=true", "--limit", "web"]), 0);
}

#[test]
fn failures_of_some_that_end_the_play_for_others_are_a_closed_gate() {
    let desk = pair();
    let site = desk.file(
        "site.yml",
        "- hosts: all\n  gather_facts: false\n  serial: 1\n  max_fail_percentage: 0\n  tasks: [{command: 'false'}]\n",
    );
    desk.run(&["play", site.to_str().unwrap()]).ends_with(8);
}

#[test]
fn an_interrupt_ends_the_command_on_the_host_and_the_run_is_on_record_as_such() {
    let desk = pair();
    let site = playbook(&desk, "- command: sleep 4711.5");
    let child = desk.start(&["play", site.to_str().unwrap()]);
    wait_until("the command runs", || runs("sleep 4711.5"));
    signal(&child, "INT");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    wait_until("it is ended", || !runs("sleep 4711.5"));
    let listed = desk.json(&["history", "list"]);
    assert_eq!(listed["runs"][0]["outcome"], "interrupted");
}
