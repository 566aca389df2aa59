//! Roles: order, identity, handlers, where they are found.

use super::*;

#[test]
fn dependencies_come_first_and_inherit_from_the_entry() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "- hosts: all
  roles:
    - {role: web, tags: w, listen_port: 80, when: go}
    - web
  tasks:
    - import_role: {name: base, tasks_from: extra}
      vars: {x: 1}
  handlers:
    - {name: mine, say: hi}
",
        ),
        (
            "roles/web/tasks/main.yml",
            "- {name: web task, say: hi, notify: 'base : reload'}\n- import_tasks: more.yml\n",
        ),
        (
            "roles/web/tasks/more.yml",
            "- {name: more, say: hi, notify: topic}\n",
        ),
        (
            "roles/web/handlers/main.yml",
            "- {name: restart, say: hi, listen: topic}\n",
        ),
        (
            "roles/web/meta/main.yml",
            "dependencies:\n  - role: base\n    tags: [dep]\n",
        ),
        ("roles/web/defaults/main/b.yml", "b: 1\n"),
        ("roles/web/defaults/main/a.yml", "a: 1\n"),
        (
            "roles/base/tasks/main.yaml",
            "- {name: base task, say: hi}\n",
        ),
        ("roles/base/tasks/extra.yml", "- {name: extra, say: hi}\n"),
        (
            "roles/base/handlers/main.yml",
            "- {name: reload, say: hi}\n",
        ),
    ]);
    let playbook = folder.loaded();
    let play = &playbook.plays[0];
    let steps: String = play
        .sections
        .iter()
        .map(|(_, steps)| shown(steps, Keyword::Tags))
        .collect();
    insta::assert_snapshot!(steps, @r"
    base : base task: w, dep
    web : web task: w
    web : more: w
    base : base task: dep
    web : web task: 
    web : more: 
    base : extra: 
    ");
    let conditions: String = play
        .sections
        .iter()
        .map(|(_, steps)| shown(steps, Keyword::When))
        .collect();
    assert_eq!(conditions.matches("go").count(), 3, "{conditions}");
    let handlers: Vec<String> = play.handlers.iter().map(|each| each.task.title()).collect();
    assert_eq!(
        handlers,
        [
            "base : reload",
            "web : restart",
            "base : reload",
            "web : restart",
            "mine",
            "base : reload"
        ]
    );
    // The second `web` has no parameters: it is another role than the first one.
    assert_ne!(play.roles[0].role.id, play.roles[1].role.id);
    assert_eq!(play.roles[0].role.defaults.len(), 2);
    assert_eq!(play.roles[0].params.len(), 1);
    let task = tasks(&playbook)[0].clone();
    let used = task.role.as_ref().unwrap();
    assert_eq!(&*used.parents[0].role.name, "web");
}

#[test]
fn two_uses_that_differ_in_nothing_are_one_role() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "- hosts: all\n  roles: [a, {role: a}, {role: a, x: 1}]\n",
        ),
        ("roles/a/tasks/main.yml", "- say: hi\n"),
        ("roles/a/meta/main.yml", "allow_duplicates: yes\n"),
    ]);
    let playbook = folder.loaded();
    let roles = &playbook.plays[0].roles;
    assert_eq!(roles[0].role.id, roles[1].role.id);
    assert_ne!(roles[0].role.id, roles[2].role.id);
    assert!(roles[0].allow_duplicates);
}

#[test]
fn roles_are_found_in_collections_and_by_path() {
    let home = "collections/ansible_collections/acme/tools/roles/deploy";
    let folder = Folder::new(&[
        (
            "site.yml",
            "- hosts: all
  roles:
    - acme.tools.deploy
    - ./elsewhere/special
- hosts: all
  collections: [acme.tools]
  roles: [deploy]
",
        ),
        (
            &format!("{home}/tasks/main.yml"),
            "- {name: go, say: hi}\n- import_role: {name: helper}\n",
        ),
        (
            "collections/ansible_collections/acme/tools/roles/helper/tasks/main.yml",
            "- {name: help, say: hi}\n",
        ),
        (
            "elsewhere/special/tasks/main.yml",
            "- {name: odd, say: hi}\n",
        ),
    ]);
    let playbook = folder.loaded();
    let all: Vec<String> = playbook
        .plays
        .iter()
        .flat_map(|play| play.tasks())
        .map(|task| task.title())
        .collect();
    assert_eq!(
        all,
        [
            "acme.tools.deploy : go",
            "acme.tools.helper : help",
            "special : odd",
            "acme.tools.deploy : go",
            "acme.tools.helper : help"
        ]
    );
}

#[test]
fn roles_that_ask_for_each_other_are_refused() {
    let folder = Folder::new(&[
        ("site.yml", "- hosts: all\n  roles: [a]\n"),
        ("roles/a/meta/main.yml", "dependencies: [b]\n"),
        ("roles/b/meta/main.yml", "dependencies: [a]\n"),
    ]);
    insta::assert_snapshot!(folder.refused(), @r"
    roles/b/meta/main.yml:1:16: role `a` asks for itself without end
      |
    1 | dependencies: [a]
      |                ^
    ");
}

#[test]
fn an_argument_spec_becomes_a_task_before_the_roles_own() {
    let folder = Folder::new(&[
        (
            "site.yml",
            "- hosts: all\n  roles: [{role: web, x: 1}]\n  tasks:\n    - import_role: {name: web, rolespec_validate: false}\n",
        ),
        ("roles/web/tasks/main.yml", "- {name: go, say: hi}\n"),
        (
            "roles/web/meta/argument_specs.yml",
            "argument_specs:\n  main:\n    short_description: A web server\n    options: {x: {type: int}}\n",
        ),
    ]);
    let playbook = folder.loaded();
    let titles: Vec<String> = tasks(&playbook).iter().map(|task| task.title()).collect();
    assert_eq!(
        titles,
        [
            "web : Validating arguments against arg spec 'main' - A web server",
            "web : go",
            "web : go"
        ]
    );
    let first = &tasks(&playbook)[0];
    assert_eq!(
        show(&first.action.args.named["provided_arguments"]),
        r#"Map({"x": Int(1)})"#
    );
}
