//! Runs that somebody or something has stopped.

use super::{Going, HOLD, HOLD_BY_COMMAND, let_go, log, newest, pair, resume, site};
use crate::support::{Desk, Ran, signal, wait_until};

/// A site whose second task holds.
fn stopping(desk: &Desk, hold: &str) {
    site(
        desk,
        &format!(
            "- hosts: all
  gather_facts: false
  tasks:
    - {{name: one, shell: 'echo {{{{ inventory_hostname }}}} one >> log', notify: tell}}
    - name: held
      {hold}
    - {{name: two, shell: 'echo {{{{ inventory_hostname }}}} two >> log'}}
  handlers:
    - {{name: tell, shell: 'echo {{{{ inventory_hostname }}}} told >> log'}}
"
        ),
    );
}

const ALL: [&str; 6] = [
    "web01 one",
    "web01 told",
    "web01 two",
    "web02 one",
    "web02 told",
    "web02 two",
];

#[test]
fn a_run_that_was_told_to_stop_goes_on_with_what_it_was_at() {
    for (name, status) in [("INT", 130), ("TERM", 143)] {
        let desk = pair();
        stopping(&desk, HOLD);
        let going = Going::start(&desk, &["play", "site.yml"]).until("TASK [held]");
        signal(&going.child, name);
        let ran = Ran::from(going.child.wait_with_output().unwrap()).ends_with(status);
        let run = newest(&desk);
        let hint = format!("iomsctl resume {run}");
        assert!(ran.stderr.contains(&hint), "{}", ran.stderr);
        let_go(&desk);
        resume(&desk, &[]).ends_with(0);
        assert_eq!(log(&desk), ALL, "{name}");
    }
}

#[test]
fn commands_that_were_stopped_with_it_have_not_ended() {
    let desk = pair();
    stopping(&desk, HOLD_BY_COMMAND);
    let mut going = Going::start(&desk, &["play", "site.yml"]).until("TASK [held]");
    let path = desk.dir.path().join("log");
    wait_until("both commands have begun", || {
        std::fs::read_to_string(&path).is_ok_and(|text| text.matches("held").count() == 2)
    });
    signal(&going.child, "INT");
    assert_eq!(going.child.wait().unwrap().code(), Some(130));
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
    stopping(&desk, HOLD);
    let ran = desk
        .run(&["play", "site.yml", "--deadline", "2s"])
        .ends_with(7);
    assert!(ran.stderr.contains("iomsctl resume"), "{}", ran.stderr);
    let_go(&desk);
    resume(&desk, &[]).ends_with(0);
    assert_eq!(log(&desk), ALL);
}

#[test]
fn loops_and_pauses_that_were_cut_short_begin_anew() {
    let desk = pair();
    site(
        &desk,
        "- hosts: all
  gather_facts: false
  tasks:
    - {name: held, wait_for: {path: '{{ item }}', timeout: 60}, loop: [inventory.yml, go], register: r}
    - {name: end, shell: 'echo {{ r.results | length }} >> log'}
    - {name: long, pause: {seconds: 60}}
",
    );
    let going = Going::start(&desk, &["play", "site.yml"]).until("(item=inventory.yml)");
    signal(&going.child, "INT");
    Ran::from(going.child.wait_with_output().unwrap()).ends_with(130);
    let_go(&desk);
    let going = Going::start(&desk, &["resume"]).until("TASK [long]");
    signal(&going.child, "INT");
    Ran::from(going.child.wait_with_output().unwrap()).ends_with(130);
    assert_eq!(log(&desk), ["2", "2"]);
    Going::start(&desk, &["resume"]).until("TASK [long]").kill();
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
