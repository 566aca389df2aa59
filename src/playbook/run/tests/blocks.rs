//! Blocks: `rescue`, `always`, and who waits for whom.

use super::Trial;

#[test]
fn hosts_that_stand_elsewhere_wait_and_what_is_written_first_comes_first() {
    let done = Trial::play(
        "h1 h2 h3",
        "
- hosts: all
  tasks:
    - name: first
      say: x
    - block:
        - {name: tries, say: x, vars: {fails: h1}}
        - {name: goes on, say: x}
      rescue:
        - {name: saves, say: x}
      always:
        - {name: always, say: x}
    - {name: last, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2 h3]
        first: h1 h2 h3
        tries: h1(failed) h2 h3
        goes on: h2 h3
        saves: h1
        always: h1 h2 h3
        last: h1 h2 h3
        RECAP",
    );
    assert_eq!(done.recap("h1"), "ok=4 rescued=1");
    assert_eq!(done.told, ["h1: rescued tries"]);
    assert_eq!(done.end.exit(), 0);
}

#[test]
fn what_fails_in_rescue_or_without_it_goes_outwards_through_always() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  tasks:
    - block:
        - block:
            - {name: one, say: x, vars: {fails: all}}
          always:
            - {name: inner always, say: x}
            - {name: fails too, say: x, vars: {fails: all}}
            - {name: never, say: x}
      rescue:
        - {name: saves, say: x}
        - {name: fails again, say: x, vars: {fails: h1}}
        - {name: h2 only, say: x}
      always:
        - {name: outer always, say: x}
    - {name: end, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        one: h1(failed) h2(failed)
        inner always: h1 h2
        fails too: h1(failed) h2(failed)
        saves: h1 h2
        fails again: h1(failed) h2
        h2 only: h2
        outer always: h1 h2
        end: h2
        RECAP",
    );
    // As Ansible counts: a failure that some block around it rescues.
    assert_eq!(done.recap("h1"), "ok=3 failed=1 rescued=2");
    assert_eq!(done.recap("h2"), "ok=6 rescued=2");
    assert_eq!(done.end.exit(), 2);
    assert_eq!(done.end.failed.join(" "), "h1");
}

#[test]
fn a_lost_host_runs_neither_rescue_nor_always() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  tasks:
    - {name: ignored, say: x, vars: {lost: h1, ignored: all}}
    - block:
        - {name: away, say: x, vars: {lost: h1}}
      rescue:
        - {name: saves, say: x}
      always:
        - {name: always, say: x}
- hosts: all
  tasks:
    - {name: next play, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        ignored: h1(ignored) h2
        away: h1(lost) h2
        always: h2
        PLAY all [h1 h2]
        next play: h2
        RECAP",
    );
    assert_eq!(done.recap("h1"), "ok=1 unreachable=1 ignored=1");
    assert_eq!(done.end.exit(), 4);
    assert_eq!(done.told, ["always: left h2", "next play: left h2"]);
}

#[test]
fn hosts_that_come_back_go_on_where_they_were_once_the_others_are_through() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  tasks:
    - {name: away, say: x, vars: {lost: h1}}
    - {name: b, say: x}
    - meta: clear_host_errors
    - {name: c, say: x}
- hosts: all
  tasks:
    - {name: d, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        away: h1(lost) h2
        b: h2
        meta: h2
        c: h2
        b: h1
        meta: h1
        c: h1
        PLAY all [h1 h2]
        d: h1 h2
        RECAP",
    );
    assert_eq!(done.recap("h1"), "ok=3 unreachable=1");
    assert_eq!(done.end.exit(), 0, "the errors are cleared, as in Ansible");
}

#[test]
fn what_failed_and_is_ignored_goes_on() {
    let done = Trial::play(
        "h1",
        "
- hosts: all
  tasks:
    - {name: a, say: x, vars: {fails: h1, ignored: h1, changes: h1}}
    - {name: b, say: x, vars: {skipped: h1}}
",
    )
    .run();
    done.tells(
        "PLAY all [h1]
        a: h1(ignored)
        b: h1(skipped)
        RECAP",
    );
    assert_eq!(done.recap("h1"), "ok=1 changed=1 skipped=1 ignored=1");
    assert_eq!(done.end.exit(), 0);
}
