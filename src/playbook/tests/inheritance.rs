//! What imports, blocks and plays hand down.

use super::*;

fn of_first_play(folder: &Folder, keyword: Keyword) -> String {
    let playbook = folder.loaded();
    let sections = &playbook.plays[0].sections;
    sections
        .iter()
        .map(|(_, steps)| shown(steps, keyword))
        .collect()
}

#[test]
fn tags_and_conditions_reach_imported_tasks_and_not_included_ones() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "- hosts: all
  tags: p
  tasks:
    - block:
        - name: in block
          say: hi
          tags: [own]
          when: own
        - import_tasks: more.yml
          tags: imported
          when: [one, two]
        - include_tasks: more.yml
          tags: included
      tags: b
      when: outer
",
        ),
        ("more.yml", "- name: more\n  say: hi\n"),
    ]);
    insta::assert_snapshot!(of_first_play(&folder, Keyword::Tags), @r"
    in block: p, b, own
    more: p, b, imported
    include_tasks: p, b, included
    ");
    insta::assert_snapshot!(of_first_play(&folder, Keyword::When), @r"
    in block: outer, own
    more: outer, one, two
    include_tasks: outer
    ");
    let include = tasks(&folder.loaded()).pop().unwrap();
    let loaded = loader()
        .load_tasks_file(&include, "more.yml", false)
        .unwrap();
    insta::assert_snapshot!(shown(&loaded.steps, Keyword::Tags), @"more: p, b");
}

#[test]
fn an_imported_playbook_gets_conditions_tags_and_variables() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "- import_playbook: sub/{{ which }}.yml
  vars: {which: web, a: 2}
  tags: t
  when: c
",
        ),
        (
            "sub/web.yml",
            "- hosts: web\n  vars: {a: 1}\n  tasks:\n    - import_tasks: steps/one.yml\n",
        ),
        (
            "sub/steps/one.yml",
            "- name: one\n  say: hi\n- import_tasks: two.yml\n",
        ),
        ("sub/steps/two.yml", "- name: two\n  say: hi\n"),
        ("sub/modules/say.yml", MODULES[0].1),
    ]);
    let playbook = folder.loaded();
    let play = &playbook.plays[0];
    assert!(play.folder.ends_with("sub"));
    assert_eq!(play.import_vars.len(), 1);
    let steps = &play.sections[2].1;
    assert_eq!(shown(steps, Keyword::Tags), "one: t\ntwo: t\n");
    assert_eq!(shown(steps, Keyword::When), "one: c\ntwo: c\n");
}

#[test]
fn names_of_imports_may_use_what_is_known_while_loading() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "- hosts: all
  vars_files: [names.yml]
  vars: {a: x}
  tasks:
    - import_tasks: '{{ a }}{{ b }}.yml'
      vars: {b: z}
",
        ),
        ("names.yml", "b: y\n"),
        ("xz.yml", "- name: found\n  say: hi\n"),
    ]);
    assert_eq!(of_first_play(&folder, Keyword::Tags), "found: \n");
}

#[test]
fn arguments_are_read_in_all_their_forms() {
    let folder = Folder::new(&[(
        "site.yml",
        "- hosts: all
  tasks:
    - put: src=a dest=\"b c\"
    - put:
        dest: d
      args:
        src: s
        dest: weaker
    - action: put src=a dest={{ x | default('y z') }}
    - local_action:
        module: put
        dest: e
    - say: hello there
      args: {loud: true}
    - put: '{{ all_of_them }}'
    - action: '{{ which }} dest=x'
    - ansible.builtin.command: ls -l creates=/x
",
    )]);
    let mut text = String::new();
    for task in tasks(&folder.loaded()) {
        let action = &task.action;
        let args: Vec<String> = action
            .args
            .named
            .iter()
            .map(|(name, value)| format!("{name}={}", show(value)))
            .collect();
        let free = action.args.free_form.as_ref().map(show);
        let template = action.args.template.as_ref().map(show);
        let _ = writeln!(
            text,
            "{} ({}) {args:?} {free:?} {template:?} {}",
            action.module, action.written, action.local
        );
    }
    insta::assert_snapshot!(text, @r#"
    put (put) ["src=a", "dest=b c"] None None false
    put (put) ["src=s", "dest=d"] None None false
    put (put) ["src=a", "dest={{ x | default('y z') }}"] None None false
    put (put) ["dest=e"] None None true
    say (say) ["loud=Bool(true)"] Some("hello there") None false
    put (put) [] None Some("{{ all_of_them }}") false
     ({{ which }}) ["dest=x"] None None false
    command (ansible.builtin.command) ["creates=/x"] Some("ls -l") None false
    "#);
}
