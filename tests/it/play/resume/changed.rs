//! What has changed since is refused by name, and gone on with where that is asked for.

use super::{HOLD, killed, let_go, log, pair, resume, site};
use crate::support::{Desk, read};

/// A site of which everything that a run reads has a file of its own, killed in the middle.
fn prepared() -> Desk {
    let desk = pair();
    desk.file("group_vars/web.yml", "of_group: 1\n");
    desk.file("host_vars/web01.yml", "of_host: 1\n");
    desk.file("vars.yml", "of_file: 1\n");
    desk.file(
        "roles/part/tasks/main.yml",
        "- {name: of the role, shell: echo role >> log}\n",
    );
    desk.file("roles/part/defaults/main.yml", "of_role: 1\n");
    desk.file(
        "begin.yml",
        "- {name: included, shell: 'echo {{ of_group }} >> log'}\n",
    );
    desk.file("end.yml", "- {name: later, shell: echo later >> log}\n");
    desk.file("extra.yml", "extra: 1\n");
    desk.file("templates/text.j2", "text");
    site(
        &desk,
        &format!(
            "- hosts: all
  gather_facts: false
  vars_files: [vars.yml]
  roles: [part]
  tasks:
    - include_tasks: begin.yml
    - {{name: see, debug: {{msg: '{{{{ of_host | default(0) }}}}{{{{ of_file }}}}{{{{ extra }}}}'}}}}
    - {{name: hold, {HOLD}}}
    - {{name: write, template: {{src: text.j2, dest: written}}, run_once: true}}
    - include_tasks: '{{{{ inventory_hostname[:0] }}}}end.yml'
"
        ),
    );
    killed(&desk, &["site.yml", "-e", "@extra.yml"], "TASK [hold]");
    let_go(&desk);
    desk
}

fn edit(desk: &Desk, name: &str) -> String {
    let before = read(desk.dir.path().join(name));
    desk.file(name, format!("{before}# edited\n"));
    before
}

#[test]
fn every_file_that_the_run_has_read_is_named_where_it_is_another_one() {
    let desk = prepared();
    for name in [
        "site.yml",
        "inventory.yml",
        "group_vars/web.yml",
        "host_vars/web01.yml",
        "vars.yml",
        "roles/part/tasks/main.yml",
        "roles/part/defaults/main.yml",
        "begin.yml",
        "extra.yml",
    ] {
        let before = edit(&desk, name);
        let refused = resume(&desk, &[]).ends_with(1).stderr;
        assert!(
            refused.contains(name) && refused.contains("--anyway"),
            "{name}: {refused}"
        );
        desk.file(name, before);
    }
    std::fs::rename(
        desk.dir.path().join("vars.yml"),
        desk.dir.path().join("away"),
    )
    .unwrap();
    let refused = resume(&desk, &[]).ends_with(1).stderr;
    assert!(refused.contains("vars.yml"), "{refused}");
    std::fs::rename(
        desk.dir.path().join("away"),
        desk.dir.path().join("vars.yml"),
    )
    .unwrap();
    // What only the run could name comes up later, and is as it is now, as in any run.
    edit(&desk, "end.yml");
    desk.file("templates/text.j2", "other");
    resume(&desk, &[]).ends_with(0);
    assert_eq!(read(desk.dir.path().join("written")), "other");
    assert_eq!(log(&desk), ["1", "1", "later", "later", "role", "role"]);
}

#[test]
fn anyway_what_is_another_task_now_is_done_and_what_is_the_same_is_not() {
    let desk = prepared();
    let text = read(desk.dir.path().join("site.yml"));
    let text = text.replace(
        "  tasks:\n",
        "  tasks:\n    - {name: fresh, shell: echo fresh >> log}\n",
    );
    desk.file("site.yml", text);
    desk.file(
        "begin.yml",
        "- {name: included, shell: echo changed >> log}\n",
    );
    let ran = resume(&desk, &["--anyway"]).ends_with(0);
    assert!(
        ran.stderr.contains("site.yml") && ran.stderr.contains("begin.yml"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        log(&desk),
        [
            "1", "1", "changed", "changed", "fresh", "fresh", "later", "later", "role", "role"
        ]
    );
}

#[test]
fn an_inventory_program_is_held_against_what_it_said_then() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = pair();
    let program = desk.file("hosts.sh", "#!/bin/sh\ncat hosts.json\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let hosts = |names: &str| {
        let vars = r#""_meta": {"hostvars": {}}, "all": {"vars": {"ansible_connection": "local"}}"#;
        desk.file(
            "hosts.json",
            format!("{{{vars}, \"web\": {{\"hosts\": {names}}}}}"),
        );
    };
    hosts(r#"["a"]"#);
    site(
        &desk,
        &format!("- hosts: all\n  gather_facts: false\n  tasks:\n    - {{name: hold, {HOLD}}}\n"),
    );
    killed(&desk, &["-i", "hosts.sh", "site.yml"], "TASK [hold]");
    let_go(&desk);
    hosts(r#"["a", "b"]"#);
    let refused = resume(&desk, &[]).ends_with(1).stderr;
    assert!(refused.contains("hosts.sh --list"), "{refused}");
    hosts(r#"["a"]"#);
    resume(&desk, &[]).ends_with(0);
}
