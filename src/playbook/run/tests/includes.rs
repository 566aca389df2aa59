//! Includes: who goes through them together, and what they bring.

use super::Trial;
use crate::playbook::TagSelection;

#[test]
fn equal_includes_are_gone_through_together_in_the_order_they_come_up() {
    let done = Trial::of(
        "h1 h2 h3",
        &[
            (
                "site.yml",
                "
- hosts: all
  tasks:
    - name: inc
      include_tasks: '{{ file }}'
      vars: {files: {h1: [a.yml, b.yml], h2: [b.yml], h3: [a.yml, b.yml, b.yml]}}
    - {name: end, say: x}
",
            ),
            ("a.yml", "[{name: a, say: x}, {include_tasks: c.yml}]"),
            ("b.yml", "- {name: b, say: x}"),
            ("c.yml", "- {name: c, say: x}"),
        ],
    )
    .run();
    done.tells(
        "PLAY all [h1 h2 h3]
        inc: h1 h2 h3
        included a.yml for h1 h3 (a.yml)
        included b.yml for h1 h2 h3 (b.yml)
        included b.yml for h3 (b.yml)
        a: h1 h3
        include_tasks: h1 h3
        included c.yml for h1 h3
        c: h1 h3
        b: h1 h2 h3
        b: h3
        end: h1 h2 h3
        RECAP",
    );
    assert_eq!(
        done.recap("h1"),
        "ok=7",
        "each file counts, the task does not"
    );
    assert!(done.told.contains(&"h1: item=a.yml".to_owned()));
}

#[test]
fn what_can_t_be_included_fails_where_it_is_asked_for() {
    let done = Trial::of(
        "h1 h2",
        &[
            (
                "site.yml",
                "
- hosts: all
  tasks:
    - block:
        - name: inc
          include_tasks: '{{ file }}'
          vars: {files: {h1: [a.yml], h2: [a.yml, missing.yml, missing.yml]}}
      rescue:
        - {name: saves, say: x}
    - name: wrong
      include_tasks: '{{ file }}'
      vars: {files: {h1: [wrong.yml], h2: [a.yml]}}
    - {name: end, say: x}
",
            ),
            ("a.yml", "- {name: a, say: x}"),
            ("wrong.yml", "- {name: a, say: {louder: x}}"),
        ],
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        inc: h1 h2 h2(failed)
        included a.yml for h1 h2 (a.yml)
        a: h1
        saves: h2
        wrong: h1 h1(failed) h2
        included a.yml for h2 (a.yml)
        a: h2
        end: h2
        RECAP",
    );
    assert_eq!(done.recap("h2"), "ok=5 rescued=1");
    assert_eq!(done.recap("h1"), "ok=2 failed=1");
}

#[test]
fn an_include_s_own_tags_choose_it_and_its_tasks_are_chosen_by_theirs() {
    let files = [
        (
            "site.yml",
            "
- hosts: all
  tasks:
    - {include_tasks: a.yml, tags: x}
    - {include_tasks: {file: a.yml, apply: {tags: x}}, tags: x}
    - {import_tasks: a.yml, tags: x}
    - {include_tasks: a.yml}
    - {name: not chosen, say: x}
",
        ),
        (
            "a.yml",
            "[{name: plain, say: x}, {name: tagged, say: x, tags: [x, y]}]",
        ),
    ];
    let mut trial = Trial::of("h1", &files);
    trial.options.tags = TagSelection::new(&["x".to_owned()], &[]);
    trial.run().tells(
        "PLAY all [h1]
        include_tasks: h1
        included a.yml for h1
        tagged: h1
        include_tasks: h1
        included a.yml for h1
        plain: h1
        tagged: h1
        plain: h1
        tagged: h1
        RECAP",
    );
}

#[test]
fn a_failure_within_an_include_leaves_it() {
    let done = Trial::of(
        "h1 h2",
        &[
            (
                "site.yml",
                "
- hosts: all
  tasks:
    - block:
        - {include_tasks: a.yml}
      always:
        - {name: always, say: x}
    - {name: end, say: x}
",
            ),
            (
                "a.yml",
                "[{name: a, say: x, vars: {fails: h1}}, {name: b, say: x}]",
            ),
        ],
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        include_tasks: h1 h2
        included a.yml for h1 h2
        a: h1(failed) h2
        b: h2
        always: h1 h2
        end: h2
        RECAP",
    );
}

#[test]
fn includes_without_end_fail() {
    let files = [
        (
            "site.yml",
            "[{hosts: all, tasks: [{include_tasks: a.yml}]}]",
        ),
        ("a.yml", "- {include_tasks: a.yml}"),
    ];
    let done = Trial::of("h1", &files).run();
    assert_eq!(done.end.exit(), 2);
    assert_eq!(done.story.matches("included a.yml").count(), 40);
}
