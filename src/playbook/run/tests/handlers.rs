//! Handlers: which run, in what order, and when.

use super::Trial;

#[test]
fn handlers_run_in_the_order_of_their_definition_at_each_flush() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  pre_tasks:
    - {name: pre, say: x, vars: {changes: h1}, notify: two}
  tasks:
    - {name: a, say: x, vars: {changes: all}, notify: [three, one, three]}
    - {name: b, say: x, vars: {changes: h2}, notify: two}
    - meta: flush_handlers
    - {name: c, say: x, vars: {changes: h1}, notify: topic}
  post_tasks:
    - {name: post, say: x}
  handlers:
    - {name: one, say: x}
    - {name: two, say: x, listen: topic}
    - {name: three, say: x, listen: [topic, other]}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        pre: h1(changed) h2
        handler two: h1
        a: h1(changed) h2(changed)
        b: h1 h2(changed)
        meta: h1 h2
        handler one: h1 h2
        handler two: h2
        handler three: h1 h2
        c: h1(changed) h2
        handler two: h1
        handler three: h1
        post: h1 h2
        RECAP",
    );
    assert_eq!(done.recap("h2"), "ok=8 changed=2");
}

#[test]
fn a_handler_may_notify_one_that_comes_later_and_one_before_waits_for_the_next_flush() {
    let done = Trial::play(
        "h1",
        "
- hosts: all
  tasks:
    - {name: a, say: x, vars: {changes: all}, notify: two}
  handlers:
    - {name: one, say: x}
    - {name: two, say: x, vars: {changes: all}, notify: [one, three]}
    - {name: three, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1]
        a: h1(changed)
        handler two: h1(changed)
        handler three: h1
        handler one: h1
        RECAP",
    );
}

#[test]
fn of_handlers_with_one_name_the_first_of_a_list_counts_and_of_a_topic_each_name_once() {
    let done = Trial::play(
        "h1",
        "
- hosts: all
  tasks:
    - {name: a, say: x, vars: {changes: all}, notify: [same, topic, '{{ it }}']}
  handlers:
    - {name: same, say: x, listen: topic}
    - {name: same, say: x, listen: topic, vars: {fails: all}}
    - {name: heard, say: x, listen: topic}
    - {name: 'named {{ it }}', say: x}
    - {name: '{{ nothing }}', say: x, listen: it}
",
    )
    .run();
    done.tells(
        "PLAY all [h1]
        a: h1(changed)
        handler same: h1
        handler heard: h1
        handler {{ nothing }}: h1
        RECAP",
    );
}

#[test]
fn handlers_of_failed_hosts_run_only_where_they_are_forced() {
    let site = "
- hosts: all
  tasks:
    - {name: a, say: x, vars: {changes: all}, notify: h}
    - {name: b, say: x, vars: {fails: h1}}
  post_tasks:
    - {name: post, say: x}
  handlers:
    - {name: h, say: x}
";
    let done = Trial::play("h1 h2", site).run();
    done.tells(
        "PLAY all [h1 h2]
        a: h1(changed) h2(changed)
        b: h1(failed) h2
        handler h: h2
        post: h2
        RECAP",
    );
    let mut forced = Trial::play("h1 h2", site);
    forced.options.force_handlers = true;
    let done = forced.run();
    done.tells(
        "PLAY all [h1 h2]
        a: h1(changed) h2(changed)
        b: h1(failed) h2
        handler h: h1 h2
        post: h2
        RECAP",
    );
    assert_eq!(done.recap("h1"), "ok=2 changed=1 failed=1");
}

#[test]
fn a_handler_that_fails_where_a_block_flushes_is_rescued_there() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  tasks:
    - block:
        - {name: a, say: x, vars: {changes: all}, notify: h}
        - meta: flush_handlers
        - {name: not h1, say: x}
      rescue:
        - {name: saves, say: x}
  handlers:
    - {name: h, say: x, vars: {fails: h1}}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        a: h1(changed) h2(changed)
        meta: h1 h2
        handler h: h1(failed) h2
        not h1: h2
        saves: h1
        RECAP",
    );
    assert_eq!(done.recap("h1"), "ok=2 changed=1 rescued=1");
}

#[test]
fn handlers_may_include_tasks() {
    let done = Trial::of(
        "h1 h2",
        &[
            (
                "site.yml",
                "
- hosts: all
  tasks:
    - {name: a, say: x, vars: {changes: all}, notify: more}
  handlers:
    - name: more
      include_tasks: '{{ file }}'
      vars: {files: {h1: [b.yml, c.yml], h2: [c.yml]}}
    - {name: after, say: x}
",
            ),
            (
                "b.yml",
                "- {name: b, say: x, tags: not chosen, vars: {changes: all}, notify: after}",
            ),
            ("c.yml", "- {name: c, say: x}"),
        ],
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        a: h1(changed) h2(changed)
        handler more: h1 h2
        included b.yml for h1 (b.yml)
        included c.yml for h1 h2 (c.yml)
        handler b: h1(changed)
        handler c: h1 h2
        handler after: h1
        RECAP",
    );
    assert_eq!(done.recap("h1"), "ok=6 changed=2");
}

#[test]
fn a_notification_that_nobody_hears_ends_the_run() {
    let done = Trial::play(
        "h1 h2",
        "
- hosts: all
  tasks:
    - {name: a, say: x, vars: {changes: h2}, notify: '{{ it }}'}
    - {name: b, say: x}
  handlers:
    - {name: h, say: x}
",
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        a: h1 h2(changed)
        RECAP",
    );
    let why = done.end.error.as_ref().unwrap().to_string();
    assert!(why.contains("site.yml:4:7"), "{why}");
    assert!(why.contains("no handler has this name"), "{why}");
    assert_eq!(done.end.exit(), 1);
}
