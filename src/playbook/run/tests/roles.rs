//! Roles: that they run once, their ends, and the handlers they bring.

use super::Trial;

const R: (&str, &str) = (
    "roles/r/tasks/main.yml",
    "[{name: in r, say: x, vars: {skipped: h2}}, {name: more, say: x, vars: {skipped: h2}}]",
);

#[test]
fn a_role_that_has_run_on_a_host_is_passed_over_there() {
    let site = "
- hosts: all
  roles: [r, r, {role: r, vars: {a: 1}}, {role: again}, {role: again}]
";
    let again = ("roles/again/tasks/main.yml", "[{name: in again, say: x}]");
    let meta = ("roles/again/meta/main.yml", "allow_duplicates: true");
    let done = Trial::of("h1 h2", &[("site.yml", site), R, again, meta]).run();
    // With other variables it is another role. On h2 every task of it was skipped: there it has not run.
    done.tells(
        "PLAY all [h1 h2]
        r : in r: h1 h2(skipped)
        r : more: h1 h2(skipped)
        r : in r: h2(skipped)
        r : more: h2(skipped)
        r : in r: h1 h2(skipped)
        r : more: h1 h2(skipped)
        again : in again: h1 h2
        again : in again: h1 h2
        RECAP",
    );
}

#[test]
fn a_role_may_be_ended_on_a_host() {
    let site = "
- hosts: all
  tasks:
    - import_role: {name: outer}
    - {name: end, say: x}
";
    let outer = (
        "roles/outer/tasks/main.yml",
        "[{include_role: {name: inner}}, {name: o, say: x}]",
    );
    let inner = (
        "roles/inner/tasks/main.yml",
        "[{block: [{meta: end_role, vars: {skipped: h2}}], always: [{name: not h1, say: x}]}, {name: i, say: x}]",
    );
    Trial::of("h1 h2", &[("site.yml", site), outer, inner])
        .run()
        .tells(
            "PLAY all [h1 h2]
        outer : include_role : inner: h1 h2
        included inner for h1 h2
        inner : meta: h1 h2(skipped)
        inner : not h1: h2
        inner : i: h2
        outer : o: h1 h2
        end: h1 h2
        RECAP",
        );
}

#[test]
fn handlers_of_roles_are_known_by_role_too_and_those_of_included_ones_once_they_are_included() {
    let site = "
- hosts: all
  roles: [a]
  tasks:
    - include_role: {name: '{{ b }}', tasks_from: main}
    - include_role: {name: b}
    - {name: t, say: x, vars: {changes: all}, notify: [same, 'a : same', of b]}
  handlers:
    - {name: same, say: x}
";
    let done = Trial::of(
        "h1 h2",
        &[
            ("site.yml", &site.replace("'{{ b }}'", "b")),
            ("roles/a/tasks/main.yml", "- {name: t, say: x}"),
            ("roles/a/handlers/main.yml", "- {name: same, say: x}"),
            (
                "roles/b/tasks/main.yml",
                "- {name: t, say: x, vars: {changes: h1}, notify: of b}",
            ),
            ("roles/b/handlers/main.yml", "- {name: of b, say: x}"),
        ],
    )
    .run();
    done.tells(
        "PLAY all [h1 h2]
        a : t: h1 h2
        include_role : b: h1 h2
        included b for h1 h2
        b : t: h1(changed) h2
        include_role : b: h1 h2
        included b for h1 h2
        b : t: h1(changed) h2
        t: h1(changed) h2(changed)
        handler a : same: h1 h2
        handler same: h1 h2
        handler b : of b: h1 h2
        RECAP",
    );
}
