//! What is refused before anything runs, and how it is said.

use super::*;

/// A task among others, and a part of what is said of it.
const TASKS: &[(&str, &str)] = &[
    ("sya: hi", "there is no module `sya`"),
    (
        "say: hi\n      becom: true",
        "a task has no keyword `becom`",
    ),
    (
        "say: hi\n      become: perhaps",
        "`become` takes yes or no, this is `perhaps`",
    ),
    (
        "say: hi\n      put: dest=x",
        "a task does one thing: `say` or `put`",
    ),
    ("name: nothing", "the task does nothing"),
    ("put: src=a", "`dest` of module put is required and missing"),
    ("put: src=a dest=b content=c", "mutually exclusive"),
    ("put: dest=b dst=c", "module put has no parameter `dst`"),
    (
        "put: dest=b c",
        "`put` takes no text beside `name=value`: `c`",
    ),
    ("say: {times: many}", "times"),
    (
        "say: hi\n      with_itmes: [1]",
        "there is no loop `with_itmes`",
    ),
    (
        "say: hi\n      loop: [1]\n      with_items: [1]",
        "a task has one loop",
    ),
    (
        "say: hi\n      loop: [1]\n      loop_control: {loopvar: x}",
        "`loop_control` has no `loopvar`",
    ),
    (
        "say: hi\n      register: a-b",
        "`a-b` can't be the name of a variable",
    ),
    (
        "say: hi\n      vars: {a.b: 1}",
        "`a.b` can't be the name of a variable",
    ),
    (
        "say: hi\n      register: 结果",
        "`结果` can't be the name of a variable",
    ),
    (
        "say: hi\n      vars: {none: 1}",
        "`none` can't be the name of a variable",
    ),
    ("synchronize: src=a", "`copy` sends folders"),
    (
        "win_unzip: src=a dest=b password=x",
        "nothing that Windows has opens such archives",
    ),
    ("pam_limits: domain=x", "`lineinfile` keeps a line"),
    ("say: hi\n      listen: x", "only handlers listen"),
    (
        "say: hi\n      notify: nobody",
        "there is no handler `nobody`",
    ),
    (
        "say: hi\n      debugger: on_failed",
        "there is no debugger here",
    ),
    (
        "say: hi\n      module_defaults: {group/aws: {}}",
        "groups of modules are not there",
    ),
    (
        "say: 'it''s'",
        "a quote or a template mark is opened and not closed",
    ),
    ("include: x.yml", "Ansible has no `include` any more"),
    (
        "import_playbook: x.yml",
        "`import_playbook` stands among plays",
    ),
    (
        "import_tasks: nowhere.yml",
        "there is no file `nowhere.yml`",
    ),
    (
        "import_tasks: '{{ unknown }}.yml'",
        "'unknown' is undefined",
    ),
    ("import_tasks: site.yml\n      loop: [1]", "it can't loop"),
    (
        "import_tasks: a.yml\n      args: {apply: {}}",
        "module import_tasks has no parameter `apply`",
    ),
    (
        "include_tasks: site.yml\n      become: true",
        "`include_tasks` has no `become`",
    ),
    ("put: {dest: '{{ x | no_such_filter }}'}", "no_such_filter"),
    ("say: hi\n      when: x is no_such_test", "no_such_test"),
    (
        "say: hi\n      vars: {a: [{b: '{{ lookup(\"no_such\") }}'}]}",
        "no_such",
    ),
    ("say: hi\n      until: x ==", "site.yml:"),
    ("import_role: {name: nowhere}", "there is no role `nowhere`"),
    (
        "import_role: {nam: x}",
        "module import_role has no parameter `nam`",
    ),
    ("meta: flush_handler", "free_form"),
    ("meta: end_role", "stands among the tasks of a role"),
    (
        "block: [{say: hi}]\n      loop: [1]",
        "a block has no `loop`",
    ),
    (
        "rescue: [{say: hi}]",
        "`rescue` and `always` stand beside `block`",
    ),
];

#[test]
fn mistakes_in_tasks_are_refused() {
    for (task, expected) in TASKS {
        let site = format!("- hosts: all\n  tasks:\n    - {task}\n    - say: fine\n");
        let refused = Folder::new(&[("site.yml", &site)]).refused();
        assert!(refused.contains(expected), "{task}\n{refused}");
        assert!(refused.starts_with("site.yml:"), "{refused}");
    }
}

#[test]
fn mistakes_in_plays_are_refused() {
    let table = [
        ("- tasks: []", "the play has no `hosts`"),
        ("- hosts:", "the play's `hosts` is empty"),
        ("- hosts: [1]", "`hosts` takes patterns"),
        ("- hosts: all\n  task: []", "a play has no keyword `task`"),
        ("- hosts: all\n  when: x", "a play has no `when`"),
        ("- hosts: all\n  say: hi", "a play has no `say`"),
        (
            "- hosts: all\n  strategy: debug",
            "there is no `debug` here",
        ),
        (
            "- hosts: all\n  vars_files: [nowhere.yml]",
            "there is no file `nowhere.yml`",
        ),
        (
            "- hosts: all\n  vars_prompt: [{nam: x}]",
            "`vars_prompt` has no `nam`",
        ),
        ("- hosts: all\n  roles: {a: b}", "`roles` is a list"),
        (
            "- hosts: all\n  handlers:\n    - block: [{say: hi}]",
            "a block can't be a handler",
        ),
        (
            "- hosts: all\n  handlers:\n    - include_role: {name: x}",
            "can't be a handler",
        ),
        (
            "- import_playbook: nowhere.yml",
            "there is no file `nowhere.yml`",
        ),
        ("- import_playbook: site.yml", "imports itself without end"),
        ("hosts: all", "a list is wanted"),
        ("- a\n", "a play is a mapping"),
        ("", "the playbook is empty"),
        ("- hosts: all\n  hosts: web", "stands twice"),
    ];
    for (site, expected) in table {
        let refused = Folder::new(&[("site.yml", site)]).refused();
        assert!(refused.contains(expected), "{site}\n{refused}");
    }
}

#[test]
fn all_problems_are_said_at_once_each_with_its_place() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "- hosts: all
  gather_fact: false
  tasks:
    - name: one
      say: hi
      regsiter: x
    - import_tasks: more.yml
    - say: hi
      notify: restart wbe
  handlers:
    - name: restart web
      say: hi
",
        ),
        ("more.yml", "- put:\n    dest: x\n    conten: y\n"),
    ]);
    insta::assert_snapshot!(folder.refused(), @r"
    more.yml:3:13: module put has no parameter `conten`
      |
    3 |     conten: y
      |             ^
    help: did you mean `content`?

    site.yml:2:3: a play has no keyword `gather_fact`
      |
    2 |   gather_fact: false
      |   ^
    help: did you mean `gather_facts`?

    site.yml:6:7: a task has no keyword `regsiter`
      |
    6 |       regsiter: x
      |       ^
    help: did you mean `register`?

    site.yml:9:15: there is no handler `restart wbe` in this play
      |
    9 |       notify: restart wbe
      |               ^
    help: did you mean `restart web`?
    ");
}

#[test]
fn constant_includes_are_looked_into_and_may_be_missing() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "- hosts: all\n  tasks:\n    - include_tasks: bad.yml\n    - include_tasks: nowhere.yml\n    - include_role: {name: none}\n",
        ),
        ("bad.yml", "- sya: hi\n- include_tasks: bad.yml\n"),
    ]);
    let refused = folder.refused();
    assert!(
        refused.starts_with("bad.yml:1:3: there is no module `sya`"),
        "{refused}"
    );
    assert_eq!(refused.matches("there is no").count(), 1, "{refused}");
}

#[test]
fn files_that_multiply_are_refused() {
    let mut files: Vec<(String, String)> = (0..30)
        .map(|n| {
            let next = format!("- import_tasks: f{}.yml\n", n + 1).repeat(2);
            (format!("f{n}.yml"), next)
        })
        .collect();
    files.push(("f30.yml".to_owned(), "- say: hi\n".to_owned()));
    files.push((
        "site.yml".to_owned(),
        "- hosts: all\n  tasks:\n    - import_tasks: f0.yml\n".to_owned(),
    ));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert!(Folder::new(&files).refused().contains("there are too many"));
}

#[test]
fn required_arguments_may_come_by_module_defaults() {
    let folder = Folder::new(&[(
        "site.yml",
        "- hosts: all\n  module_defaults: {put: {dest: /x}}\n  tasks:\n    - put: {content: y}\n",
    )]);
    assert_eq!(tasks(&folder.loaded()).len(), 1);
}
