//! Runs that somebody or something has stopped.

use super::{Going, HOLD_BY_COMMAND, let_go, log, newest, pair, resume, site};
use crate::support::{Desk, Ran, signal, wait_until};

fn stopping(desk: &Desk) {
    site(
        desk,
        &format!(
            "- hosts: all
  gather_facts: false
  tasks:
    - {{name: one, shell: 'echo {{{{ inventory_hostname }}}} one >> log', notify: tell}}
    - name: command
      {HOLD_BY_COMMAND}
    - {{name: two, shell: 'echo {{{{ inventory_hostname }}}} two >> log'}}
  handlers:
    - {{name: tell, shell: 'echo {{{{ inventory_hostname }}}} told >> log'}}
"
        ),
    );
}

/// Once of each on both hosts.
fn all_once() -> Vec<String> {
    let hosts = ["web01", "web02"].into_iter();
    hosts
        .flat_map(|host| ["held", "one", "told", "two"].map(|what| format!("{host} {what}")))
        .collect()
}

fn held(desk: &Desk) -> bool {
    let log = std::fs::read_to_string(desk.dir.path().join("log"));
    log.is_ok_and(|text| text.matches("held").count() == 2)
}

#[test]
fn what_was_at_work_at_ctrl_c_ends_and_is_not_done_again() {
    for name in ["INT", "TERM"] {
        let desk = pair();
        stopping(&desk);
        let going = Going::start(&desk, &["play", "site.yml"]).until("TASK [command]");
        wait_until("both commands have begun", || held(&desk));
        signal(&going.child, name);
        std::thread::sleep(std::time::Duration::from_millis(200));
        let_go(&desk);
        let ran = Ran::from(going.child.wait_with_output().unwrap());
        let run = newest(&desk);
        assert!(
            ran.stderr.contains(&format!("iomsctl resume {run}")),
            "{}",
            ran.stderr
        );
        resume(&desk, &[]).ends_with(0);
        assert_eq!(log(&desk), all_once(), "{name}");
    }
}

#[test]
fn what_ctrl_c_twice_has_cut_short_counts_as_not_ended() {
    let desk = pair();
    stopping(&desk);
    let mut going = Going::start(&desk, &["play", "site.yml"]).until("TASK [command]");
    wait_until("both commands have begun", || held(&desk));
    signal(&going.child, "INT");
    std::thread::sleep(std::time::Duration::from_millis(200));
    signal(&going.child, "INT");
    let status = going.child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let_go(&desk);
    let ran = resume(&desk, &[]).ends_with(2);
    assert!(
        ran.stderr.contains("2 tasks were at work"),
        "{}",
        ran.stderr
    );
    assert_eq!(log(&desk).len(), 4, "{:?}", log(&desk));
    resume(&desk, &["--redo"]).ends_with(0);
    assert_eq!(log(&desk).len(), 10, "{:?}", log(&desk));
}

#[test]
fn what_a_deadline_has_stopped_goes_on() {
    let desk = pair();
    stopping(&desk);
    let going =
        Going::start(&desk, &["play", "site.yml", "--deadline", "1s"]).until("TASK [command]");
    wait_until("both commands have begun", || held(&desk));
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let_go(&desk);
    let ran = Ran::from(going.child.wait_with_output().unwrap()).ends_with(7);
    assert!(ran.stderr.contains("iomsctl resume"), "{}", ran.stderr);
    resume(&desk, &[]).ends_with(0);
    assert_eq!(log(&desk), all_once());
}

#[test]
fn a_playbook_whose_mistake_ended_the_run_goes_on_when_it_is_mended() {
    let desk = pair();
    let text = |throttle: &str| {
        format!(
            "- hosts: all
  gather_facts: false
  tasks:
    - {{name: one, shell: 'echo {{{{ inventory_hostname }}}} one >> log'}}
    - {{name: two, shell: 'echo {{{{ inventory_hostname }}}} two >> log', throttle: '{throttle}'}}
"
        )
    };
    site(&desk, &text("{{ nowhere }}"));
    let ran = desk.run(&["play", "site.yml"]).ends_with(1);
    assert!(ran.stderr.contains("iomsctl resume"), "{}", ran.said());
    site(&desk, &text("{{ 1 }}"));
    resume(&desk, &["--anyway"]).ends_with(0);
    assert_eq!(
        log(&desk),
        ["web01 one", "web01 two", "web02 one", "web02 two"]
    );
}
