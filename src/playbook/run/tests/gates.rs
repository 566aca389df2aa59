//! What failures of some hosts mean for the others.

use super::Trial;

#[test]
fn a_play_in_which_all_hosts_of_a_batch_have_failed_ends_the_run() {
    let done = Trial::play(
        "h1 h2 h3",
        "
- hosts: all
  serial: 2
  tasks:
    - {name: t, say: x, vars: {fails: h1, lost: h2}}
    - {name: u, say: x}
- hosts: all
  tasks:
    - {name: v, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        t: h1(failed) h2(lost)
        RECAP",
    );
    assert_eq!(done.end.exit(), 6);
    assert_eq!(done.end.stopped, None);
}

#[test]
fn hosts_that_failed_take_no_part_in_later_plays() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  tasks:
    - {name: t, say: x, vars: {fails: h1}}
- hosts: h1
  tasks:
    - {name: u, say: x}
- hosts: all
  tasks:
    - {name: v, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        t: h1(failed) h2
        PLAY h1 [h1]
        PLAY all [h1 h2]
        v: h2
        RECAP",
    );
    assert_eq!(done.end.exit(), 2);
}

#[test]
fn any_errors_fatal_ends_the_run_also_where_nobody_is_left_to_be_stopped() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  any_errors_fatal: true
  tasks:
    - {meta: end_host, vars: {skipped: h1}}
    - {name: a, say: x, vars: {fails: h1}}
- hosts: all
  tasks:
    - {name: never, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        meta: h1(skipped) h2
        a: h1(failed)
        RECAP",
    );
    assert_eq!((done.end.exit(), done.end.stopped), (2, None));
}

#[test]
fn any_errors_fatal_ends_the_run_for_all_but_through_rescue_and_always() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  any_errors_fatal: true
  tasks:
    - block:
        - {name: a, say: x, vars: {fails: h1}}
        - {name: b, say: x}
      rescue:
        - {name: saves, say: x}
    - {name: goes on, say: x}
    - block:
        - {name: c, say: x, vars: {fails: h1}}
      always:
        - {name: always, say: x}
    - {name: never, say: x}
- hosts: all
  tasks:
    - {name: v, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        a: h1(failed) h2
        saves: h1 h2
        goes on: h1 h2
        c: h1(failed) h2
        always: h1 h2
        RECAP",
    );
    assert_eq!(done.recap("h1"), "ok=3 failed=1 rescued=1");
    assert_eq!(done.recap("h2"), "ok=5");
    assert_eq!(done.end.exit(), 8);
}

#[test]
fn an_ignored_failure_is_not_fatal_and_a_lost_host_is() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  any_errors_fatal: true
  tasks:
    - {name: a, say: x, vars: {fails: h1, ignored: all}}
    - {name: b, say: x, vars: {lost: h1}}
    - {name: c, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        a: h1(ignored) h2
        b: h1(lost) h2
        RECAP",
    );
    assert_eq!(done.end.exit(), 8);
}

#[test]
fn a_share_of_failed_hosts_that_is_passed_ends_the_run() {
    let site = "
- hosts: all
  serial: 3
  max_fail_percentage: 34
  tasks:
    - {name: a, say: x, vars: {fails: [h1, h4]}}
    - {name: b, say: x, vars: {fails: h5}}
    - {name: c, say: x}
";
    let done = Trial::play("h1 h2 h3 h4 h5 h6 h7", site).run();
    done.tells(
        "PLAY all [h1 h2 h3]
        a: h1(failed) h2 h3
        b: h2 h3
        c: h2 h3
        PLAY all [h4 h5 h6]
        a: h4(failed) h5 h6
        b: h5(failed) h6
        NO MORE HOSTS LEFT
        RECAP",
    );
    assert_eq!(done.end.exit(), 8);
    assert_eq!(done.recap("h6"), "ok=2");
}

#[test]
fn what_is_done_once_holds_for_all_and_its_failure_too() {
    let done = Trial::play(
        "h1 h2 h3",
        "
- hosts: all
  tasks:
    - {name: a, say: x, vars: {skipped: h1}, run_once: true}
    - {name: b, say: x, vars: {changes: all}, run_once: '{{ true }}', notify: h}
    - block:
        - {name: c, say: x, vars: {fails: all}, run_once: true}
      rescue:
        - {name: saves, say: x}
    - {name: d, say: x, vars: {fails: all}, run_once: true}
    - {name: never, say: x}
  handlers:
    - {name: h, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2 h3]
        a: h1(skipped)
        b: h1(changed)
        c: h1(failed)
        saves: h1 h2 h3
        d: h1(failed)
        RECAP",
    );
    assert_eq!(
        done.recap("h1"),
        "ok=2 changed=1 failed=1 skipped=1 rescued=1"
    );
    assert_eq!(done.recap("h2"), "ok=1");
    assert_eq!(done.told.first().unwrap(), "a holds for h1 h2 h3");
    assert_eq!(
        done.end.exit(),
        2,
        "one result that holds for all is no gate"
    );
}
