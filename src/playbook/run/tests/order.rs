//! Who is in a play, in what batches, and which tasks are done.

use std::sync::{Arc, Mutex};

use super::Trial;
use crate::playbook::TagSelection;
use crate::playbook::run::{Answer, Steps};

#[test]
fn batches_go_one_after_another_and_a_play_without_hosts_says_so() {
    let done = Trial::play(
        "h1 h2 h3",
        "
- hosts: all
  order: reverse_inventory
  serial: ['{{ 1 }}', 100%]
  tasks:
    - {name: t, say: x, vars: {changes: all}, notify: h}
  handlers:
    - {name: h, say: x}
- name: empty
  hosts: nobody
  tasks:
    - {name: t, say: x}
- name: last of {{ nothing }}
  hosts: [h1, h3]
  tasks:
    - {name: 'shown {{ it }}', say: x}
    - {name: 'shown {{ nothing }}', say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h3]
        t: h3(changed)
        handler h: h3
        PLAY all [h2 h1]
        t: h1(changed) h2(changed)
        handler h: h1 h2
        PLAY empty []
        no hosts matched
        PLAY last of {{ nothing }} [h1 h3]
        shown it: h1 h3
        shown {{ nothing }}: h1 h3
        RECAP",
    );
    assert_eq!(done.end.exit(), 0);
}

#[test]
fn nothing_matched_is_not_green() {
    let done = Trial::play("h1", "[{hosts: nobody, tasks: [{say: x}]}]").run();
    done.tells("PLAY nobody []\nno hosts matched\nRECAP");
    assert_eq!(done.end.exit(), 5);
}

#[test]
fn facts_are_gathered_first_whatever_the_tags_and_without_a_round_trip_if_nobody_can_use_them() {
    let site = "
- hosts: all
  gather_facts: true
  tasks:
    - {name: t, say: x, tags: a}
- hosts: all
  gather_facts: true
  gather_subset: min
  tags: b
  tasks:
    - {name: u, say: x}
- hosts: h2
  tasks:
    - {name: v, say: x, tags: a}
";
    let mut trial = Trial::play("h1 h2", site);
    trial.options.tags = TagSelection::new(&["a".to_owned()], &[]);
    let done = trial.run();
    done.tells(
        "PLAY all [h1 h2]
        Gathering Facts: h1 h2
        t: h1 h2
        PLAY all [h1 h2]
        PLAY h2 [h2]
        v: h2
        RECAP",
    );
    assert_eq!(done.recap("h1"), "ok=2");
}

#[test]
fn it_starts_at_a_task_with_facts_before_it_and_later_plays_as_ever() {
    let site = "
- hosts: all
  gather_facts: true
  tasks:
    - {name: never, say: x}
- hosts: all
  gather_facts: true
  tasks:
    - {name: a, say: x}
    - block:
        - {name: b of it, say: x}
        - {name: c, say: x}
- hosts: all
  tasks:
    - {name: d, say: x}
";
    let mut trial = Trial::play("h1 h2", site);
    trial.options.start_at_task = Some("b *".to_owned());
    trial.run().tells(
        "PLAY all [h1 h2]
        PLAY all [h1 h2]
        Gathering Facts: h1 h2
        b of it: h1 h2
        c: h1 h2
        PLAY all [h1 h2]
        d: h1 h2
        RECAP",
    );
    let mut trial = Trial::play("h1 h2", site);
    trial.options.start_at_task = Some("e".to_owned());
    let done = trial.run();
    done.tells("RECAP");
    assert_eq!(done.end.exit(), 1);
    let why = done.end.error.unwrap().to_string();
    assert!(why.contains("no task is named `e`"), "{why}");
}

#[test]
fn steps_are_asked_for_until_all_that_follow_are_wanted() {
    struct Asked(Mutex<Vec<String>>);
    impl Steps for Asked {
        fn perform(&self, task: &str, _stopped: &dyn Fn() -> bool) -> Answer {
            self.0.lock().unwrap().push(task.to_owned());
            match task {
                "TASK: a" => Answer::No,
                "TASK: b" => Answer::Yes,
                _ => Answer::Continue,
            }
        }
    }
    let asked = Arc::new(Asked(Mutex::default()));
    let mut trial = Trial::play(
        "h1 h2",
        "[{hosts: all, tasks: [{name: a, say: x}, {name: b, say: x}, {name: c, say: x}, {name: d, say: x}]}]",
    );
    trial.options.step = Some(asked.clone());
    trial.run().tells(
        "PLAY all [h1 h2]
        b: h1 h2
        c: h1 h2
        d: h1 h2
        RECAP",
    );
    assert_eq!(asked.0.lock().unwrap().join(" "), "TASK: a TASK: b TASK: c");
}
