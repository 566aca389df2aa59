//! `iomsctl lint`: what of a repository works, what is missing, and where.

use serde_json::Value;

use crate::support::Desk;

/// A desk with a repository in `repo/`.
fn repository(files: &[(&str, &str)]) -> Desk {
    let desk = Desk::new();
    for (name, text) in files {
        desk.file(&format!("repo/{name}"), text);
    }
    desk
}

fn document(desk: &Desk, status: i32) -> Value {
    let ran = desk
        .run(&["lint", "--output", "json", "repo"])
        .ends_with(status);
    serde_json::from_str(&ran.stdout).unwrap()
}

const FINE: &[(&str, &str)] = &[
    (
        "site.yml",
        "- hosts: web
  roles: [web]
  tasks:
    - name: Say hello
      command: echo hello
      notify: restart
  handlers:
    - name: restart
      shell: echo restarted
",
    ),
    (
        "roles/web/tasks/main.yml",
        "- command: uptime\n- include_tasks: '{{ ansible_system }}.yml'\n",
    ),
    ("roles/web/tasks/Linux.yml", "- command: uname\n"),
    ("roles/unused/tasks/main.yml", "- command: whoami\n"),
    ("roles/unused/templates/broken.yml", "{% if x %}\n- [\n"),
    ("group_vars/all.yml", "a: 1\n"),
    ("docker-compose.yml", "services: {web: {image: nginx}}\n"),
];

#[test]
fn a_repository_that_works_is_counted_with_all_its_tasks() {
    let desk = repository(FINE);
    let found = document(&desk, 0);
    assert_eq!(found["summary"]["tasks"], 6, "{found}");
    assert_eq!(found["summary"]["supported"], 6, "{found}");
    assert_eq!(found["findings"], serde_json::json!([]));
    let ran = desk.run(&["lint", "repo"]).ends_with(0);
    assert_eq!(ran.stdout, "6 of 6 tasks supported, in 4 files\n");
}

#[test]
fn files_of_a_role_that_nothing_leads_to_import_what_is_beside_them() {
    let desk = repository(&[
        ("roles/web/tasks/main.yml", "- command: uptime\n"),
        ("roles/web/tasks/sub/a.yml", "- import_tasks: b.yml\n"),
        ("roles/web/tasks/sub/b.yml", "- import_tasks: c.yml\n"),
        ("roles/web/tasks/c.yml", "- command: uname\n"),
    ]);
    let found = document(&desk, 0);
    assert_eq!(found["findings"], serde_json::json!([]));
}

#[test]
fn a_folder_that_tasks_from_names_is_a_warning_as_what_is_missing_is() {
    let task = "include_role: {name: web, tasks_from: sub}, when: false";
    let site = format!("- hosts: web\n  tasks: [{{{task}}}]\n");
    let desk = repository(&[
        ("site.yml", &*site),
        ("roles/web/tasks/main.yml", "- command: uptime\n"),
        ("roles/web/tasks/sub/a.yml", "- command: uname\n"),
    ]);
    let found = document(&desk, 0);
    let [finding] = found["findings"].as_array().unwrap().as_slice() else {
        panic!("{found}");
    };
    assert_eq!(finding["level"], "warning");
    assert_eq!(finding["message"], "role `web` has no `tasks/sub`");
}

#[test]
fn findings_have_place_snippet_and_hint_and_are_summed_up() {
    let desk = repository(&[
        (
            "site.yml",
            "- hosts: all
  tasks:
    - zfs: {name: x, state: true}
    - name: Fine
      command: uptime
      regsiter: up
    - import_tasks: more.yml
",
        ),
        ("more.yml", "- zfs: {name: y, state: true}\n"),
    ]);
    let ran = desk.run(&["lint", "repo"]).ends_with(2);
    insta::assert_snapshot!(ran.stdout, @r"
    error[module]: repo/more.yml:1:3: there is no module `zfs`
      |
    1 | - zfs: {name: y, state: true}
      |   ^
    help: `iomsctl doc` lists the modules there are; docs/own-modules.md says how to add one

    error[module]: repo/site.yml:3:7: there is no module `zfs`
      |
    3 |     - zfs: {name: x, state: true}
      |       ^
    help: `iomsctl doc` lists the modules there are; docs/own-modules.md says how to add one

    error[keyword]: repo/site.yml:6:7: a task has no keyword `regsiter`
      |
    6 |       regsiter: up
      |       ^
    help: did you mean `register`?

    rule               errors warnings
    keyword                 1        0
    module                  2        0

    1 of 4 tasks supported, in 2 files; missing: zfs x2
    ");
    let found = document(&desk, 2);
    let first = &found["findings"][0];
    assert_eq!(first["path"], "repo/more.yml:1:3");
    assert_eq!(first["level"], "error");
    assert_eq!(first["rule"], "module");
    assert_eq!(first["message"], "there is no module `zfs`");
}

#[test]
fn a_module_of_ones_own_that_is_called_as_one_of_the_programs_is_found() {
    let desk = repository(&[
        (
            "site.yml",
            "- hosts: all\n  tasks: [{copy: {content: a, dest: /a}}]\n",
        ),
        ("modules/copy.yml", "module: copy\nposix: ':'\n"),
        ("modules/own.yml", "module: own\nposix: ':'\n"),
        ("tasks/modules/user.yml", "- user: {name: a}\n"),
    ]);
    let found = document(&desk, 2);
    let findings = found["findings"].as_array().unwrap();
    let said = |path: &str| {
        let of_path = findings.iter().find(|each| {
            let at = each["path"].as_str().unwrap();
            at.starts_with(path)
        });
        of_path.unwrap()["message"].as_str().unwrap()
    };
    assert_eq!(findings.len(), 2, "{found}");
    assert_eq!(
        said("repo/modules/copy.yml"),
        "`copy` is a module of the program: this file is never used"
    );
    let task = said("repo/site.yml");
    assert!(task.contains("whose name can't be taken"), "{task}");
}

#[test]
fn plugins_missing_roles_and_plugin_inventories_are_rules_of_their_own() {
    let desk = repository(&[
        (
            "site.yml",
            "- hosts: all\n  roles: [gone]\n  tasks:\n    - include_role: {name: optional}\n",
        ),
        ("library/own.py", ""),
        ("filter_plugins/own.py", ""),
        ("roles/web/library/other.py", ""),
        ("callback_plugins/log.py", ""),
        ("plugins/modules/third.py", ""),
        ("scripts/tool.py", ""),
        ("inventory/aws_ec2.yml", "plugin: amazon.aws.aws_ec2\n"),
    ]);
    let found = document(&desk, 2);
    let rules: Vec<String> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| format!("{} {}", each["level"], each["rule"]).replace('"', ""))
        .collect();
    let count = |rule: &str| rules.iter().filter(|each| *each == rule).count();
    assert_eq!(count("warning module-plugins"), 3, "{rules:?}");
    assert_eq!(count("warning filter-plugins"), 1, "{rules:?}");
    assert_eq!(count("warning plugins"), 1, "{rules:?}");
    assert_eq!(count("error plugin-inventory"), 1, "{rules:?}");
    assert_eq!(count("error role"), 1, "{rules:?}");
    assert_eq!(count("warning role"), 1, "{rules:?}");
    assert_eq!(rules.len(), 8, "{rules:?}");
}

#[test]
fn files_are_linted_by_name_and_what_is_not_there_is_an_error() {
    let desk = repository(&[
        ("tasks.yml", "- command: uptime\n- sya: hi\n"),
        ("broken.yml", "- hosts: [\n"),
    ]);
    let ran = desk.run(&["lint", "repo/tasks.yml"]).ends_with(2);
    assert!(
        ran.stdout
            .contains("repo/tasks.yml:2:3: there is no module `sya`"),
        "{ran:?}"
    );
    let ran = desk.run(&["lint", "repo/broken.yml"]).ends_with(2);
    assert!(
        ran.stdout.contains("error[yaml]: repo/broken.yml:"),
        "{ran:?}"
    );
    let ran = desk.run(&["lint", "nowhere"]).ends_with(2);
    assert!(ran.stdout.contains("no such file or folder"), "{ran:?}");
}

#[test]
fn values_of_vaults_are_never_shown() {
    let vault = "$ANSIBLE_VAULT;1.1;AES256\n6162\n";
    let desk = repository(&[
        (
            "site.yml",
            "- hosts: all\n  vars_files: [secret.yml]\n  tasks: [{command: uptime}]\n",
        ),
        ("secret.yml", vault),
    ]);
    let ran = desk.run(&["lint", "repo"]).ends_with(0);
    assert!(!ran.stdout.contains("6162"), "{ran:?}");
}

#[test]
fn variables_of_groups_and_hosts_are_read_too() {
    let desk = repository(&[
        ("group_vars/all", "a: b: c\n"),
        ("inventory/host_vars/web01/main.yml", "a: 1\na: 2\n"),
        ("group_vars/fine.yml", "a: 1\n"),
        ("group_vars/README.md", "a: b: c\n"),
    ]);
    let found = document(&desk, 2);
    let paths: Vec<_> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (&finding["path"], &finding["rule"]))
        .collect();
    assert_eq!(
        format!("{paths:?}"),
        r#"[(String("repo/group_vars/all:1:5"), String("yaml")), (String("repo/inventory/host_vars/web01/main.yml:2:1"), String("yaml"))]"#
    );
}
