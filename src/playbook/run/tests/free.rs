//! The strategies `free` and `host_pinned`.

use super::Trial;

const SITE: &str = "
- hosts: all
  strategy: free
  tasks:
    - {name: a, say: x, throttle: 1}
    - block:
        - {name: b, say: x, vars: {fails: h1}}
        - {name: c, say: x, vars: {changes: all}, notify: h}
      rescue:
        - {name: saves, say: x}
    - name: inc
      include_tasks: i.yml
    - {name: d, say: x, vars: {fails: h2}}
    - {name: e, say: x, run_once: true}
  handlers:
    - {name: h, say: x}
";

fn trial(site: &str) -> Trial {
    Trial::of(
        "h1 h2 h3",
        &[("site.yml", site), ("i.yml", "- {name: i, say: x}")],
    )
}

#[test]
fn each_host_goes_its_own_way_and_a_task_is_one_to_all() {
    let done = trial(SITE).run();
    for line in [
        "a: h1 h2 h3",
        "b: h1(failed) h2 h3",
        "c: h2(changed) h3(changed)",
        "saves: h1",
        "inc: h1 h2 h3",
        "i: h1 h2 h3",
        "d: h1 h2(failed) h3",
        "e: h1 h3",
        "handler h: h3",
    ] {
        assert!(
            done.story.lines().any(|told| told == line),
            "{line} in\n{}",
            done.story
        );
    }
    assert_eq!(done.story.matches("included i.yml for").count(), 3);
    assert!(done.story.contains("NOTICE run_once has no meaning"));
    assert_eq!(done.recap("h1"), "ok=6 rescued=1");
    assert_eq!(done.recap("h2"), "ok=5 changed=1 failed=1");
    assert_eq!(done.end.exit(), 2);
}

#[test]
fn pinned_hosts_are_taken_to_their_end_before_others_begin() {
    let site = "
- hosts: all
  strategy: ansible.builtin.host_pinned
  tasks:
    - {name: a, say: x}
    - {name: b, say: x, vars: {fails: h1}}
    - {name: left, say: x}
";
    let mut trial = trial(site);
    trial.options.forks = 1;
    let done = trial.run();
    // What is left is told task by task: h2 is through before h3 begins.
    assert_eq!(
        done.told,
        ["a: left h2 h3", "b: left h2 h3", "left: left h2 h3"].repeat(2)
    );
}

#[test]
fn what_is_done_once_for_all_can_t_be_done_freely_and_a_strategy_must_exist() {
    let done = trial("[{hosts: all, strategy: free, tasks: [{add_host: {name: x}}]}]").run();
    let why = done.end.error.as_ref().unwrap().to_string();
    assert!(why.contains("use `linear`"), "{why}");
    let done = trial("[{hosts: all, strategy: '{{ fast }}', tasks: [{say: x}]}]").run();
    let why = done.end.error.as_ref().unwrap().to_string();
    assert!(why.contains("there is no strategy `fast`"), "{why}");
    assert_eq!(done.end.exit(), 1);
}
