//! Tasks that had begun and not ended.

use std::os::unix::fs::PermissionsExt as _;

use super::{HOLD_BY_COMMAND, broken_off, let_go, log, newest, pair, recap, resume, site};
use crate::support::{Desk, wait_until};

fn held(desk: &Desk, tasks: &str) {
    site(
        desk,
        &format!("- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}"),
    );
    let desk_log = desk.dir.path().join("log");
    let going = super::Going::start(desk, &["play", "site.yml"]).until("TASK [command]");
    wait_until("both commands have begun", || {
        std::fs::read_to_string(&desk_log).is_ok_and(|text| text.matches("held").count() == 2)
    });
    going.kill();
    let_go(desk);
}

#[test]
fn a_command_is_reported_lost_unless_it_is_to_be_done_again() {
    let desk = pair();
    let tasks = format!(
        "    - {{name: one, shell: 'echo {{{{ inventory_hostname }}}} one >> log'}}
    - name: command
      {HOLD_BY_COMMAND}
    - {{name: two, shell: 'echo {{{{ inventory_hostname }}}} two >> log'}}
"
    );
    held(&desk, &tasks);
    let ran = resume(&desk, &["--output", "json"]).ends_with(2);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let of_host = &document["plays"][0]["tasks"][1]["hosts"]["web01"];
    assert_eq!(of_host["error"]["kind"], "controller_lost", "{of_host}");
    let hint = of_host["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("--redo"), "{hint}");
    let run = newest(&desk);
    assert!(
        ran.stderr.contains(&format!("resume {run} --redo")),
        "{}",
        ran.stderr
    );
    assert_eq!(
        log(&desk),
        ["web01 held", "web01 one", "web02 held", "web02 one"]
    );
    // What was reported so may still be done.
    let refused = resume(&desk, &[]).ends_with(1).stderr;
    assert!(refused.contains("--redo"), "{refused}");
    let ran = resume(&desk, &["--redo"]).ends_with(0);
    assert_eq!(
        log(&desk),
        [
            "web01 held",
            "web01 held",
            "web01 one",
            "web01 two",
            "web02 held",
            "web02 held",
            "web02 one",
            "web02 two"
        ]
    );
    assert!(
        recap(&ran, "web02").starts_with("ok=3 changed=3"),
        "{}",
        ran.stdout
    );
    let refused = resume(&desk, &["--redo"]).ends_with(1).stderr;
    assert!(refused.contains("came to its end"), "{refused}");
}

#[test]
fn with_redo_it_is_done_again_at_once() {
    let desk = pair();
    held(
        &desk,
        &format!("    - name: command\n      {HOLD_BY_COMMAND}\n"),
    );
    let ran = resume(&desk, &["--redo"]).ends_with(0);
    assert_eq!(log(&desk).len(), 4, "{}", ran.said());
}

#[test]
fn what_holds_for_failures_holds_for_it() {
    let desk = pair();
    let tasks = format!(
        "    - block:
        - name: command
          {HOLD_BY_COMMAND}
      rescue:
        - {{name: saved, shell: 'echo {{{{ inventory_hostname }}}} saved {{{{ ansible_failed_task.name }}}} >> log'}}
    - {{name: after, shell: 'echo {{{{ inventory_hostname }}}} after >> log'}}
"
    );
    held(&desk, &tasks);
    let ran = resume(&desk, &[]).ends_with(0);
    assert_eq!(
        log(&desk),
        [
            "web01 after",
            "web01 held",
            "web01 saved command",
            "web02 after",
            "web02 held",
            "web02 saved command"
        ]
    );
    assert!(recap(&ran, "web01").contains("rescued=1"), "{}", ran.stdout);
    // Done again, its block goes on; what was done since is not done again.
    resume(&desk, &["--redo"]).ends_with(0);
    assert_eq!(log(&desk).len(), 8);
}

#[test]
fn commands_whose_condition_does_not_hold_have_not_begun() {
    let desk = pair();
    broken_off(
        &desk,
        &["--output", "jsonl"],
        &format!(
            "  strategy: free
  tasks:
    - {{name: passed over, command: echo, when: false}}
    - {{name: hold, {}}}
    - {{name: end, command: echo}}
",
            super::HOLD
        ),
        "\"hold\"",
    );
    let ran = resume(&desk, &[]);
    assert!(
        !ran.stderr.contains("can't be done twice"),
        "{}",
        ran.stderr
    );
    assert!(ran.ends_with(0).stdout.contains("TASK [end]"));
}

#[test]
fn what_a_task_has_put_aside_goes_though_the_controller_is_gone() {
    let desk = pair();
    let folder = desk.dir.path();
    std::fs::create_dir(folder.join("aside")).unwrap();
    let aside = || std::fs::read_dir(folder.join("aside")).unwrap().count();
    let fact = desk.file(
        "facts/slow.fact",
        format!(
            "#!/bin/sh\nuntil test -e {}/go; do sleep 0.05; done; echo '{{}}'\n",
            folder.display()
        ),
    );
    std::fs::set_permissions(fact, std::fs::Permissions::from_mode(0o755)).unwrap();
    site(
        &desk,
        "- hosts: all\n  gather_facts: false\n  environment: {TMPDIR: '{{ playbook_dir }}/aside'}\n  tasks:
    - setup: {fact_path: '{{ playbook_dir }}/facts', gather_subset: [local]}\n",
    );
    let going = super::Going::start(&desk, &["play", "site.yml"]).until("TASK [setup]");
    wait_until("both hosts are at it", || aside() == 2);
    going.kill();
    let_go(&desk);
    wait_until("nothing of it is left", || aside() == 0);
}
