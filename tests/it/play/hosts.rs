//! Plays on real OpenSSH hosts: many at a time, as other users, with secrets.

use super::{pair, playbook};
use crate::support::{Lab, read};
use crate::users::User;

#[test]
fn a_fleet_goes_through_a_play_with_facts_handlers_and_batches() {
    let lab = Lab::new(6);
    let site = lab.desk.file(
        "site.yml",
        "\
- hosts: all
  serial: 4
  tasks:
    - name: a folder of its own
      file: {path: '{{ ansible_facts.env.HOME }}/{{ inventory_hostname }}', state: directory, mode: '0700'}
      notify: done
  handlers:
    - name: done
      debug: {msg: '{{ ansible_facts.kernel is version(\"2\", \">\") }}'}
",
    );
    let site = site.to_str().unwrap();
    let document = lab.json(&["play", site, "--forks", "3"]);
    assert_eq!(document["outcome"], "changed", "{document}");
    assert_eq!(document["summary"]["changed"], 6);
    let handled = &document["plays"][0]["tasks"][2];
    assert_eq!(handled["task"]["name"], "done");
    assert_eq!(handled["hosts"]["web01"]["msg"], true);
    let again = lab.run(&["play", site, "--expect-no-change"]).ends_with(0);
    assert!(
        again.stdout.matches("PLAY [all]").count() == 2,
        "two batches: {again:?}"
    );
}

#[test]
fn all_tasks_of_a_host_and_its_facts_go_through_one_shell_of_one_connection() {
    let lab = Lab::new(2);
    lab.desk.file("file", "content\n");
    let site = lab.desk.file(
        "site.yml",
        "\
- hosts: all
  tasks:
    - command: echo {{ ansible_facts.kernel }}
    - copy: {src: file, dest: '{{ ansible_facts.env.HOME }}/{{ inventory_hostname }}.file'}
    - template: {src: file, dest: '{{ ansible_facts.env.HOME }}/{{ inventory_hostname }}.text'}
    - debug: {msg: '{{ ansible_facts.mounts | length }}'}
",
    );
    lab.run(&["play", site.to_str().unwrap()]).ends_with(0);
    let log = lab.sshd.log();
    assert_eq!(log.matches("Accepted publickey").count(), 2, "{log}");
    assert_eq!(log.matches("Starting session").count(), 2, "{log}");
}

#[test]
fn tasks_are_done_as_another_user_by_sudo() {
    if ioms_fleet::left_out("becoming another user", "root") {
        return;
    }
    let lab = Lab::new(1);
    let user = User::new("/bin/bash");
    user.may_sudo("ALL=(ALL) ALL");
    let site = playbook(
        &lab.desk,
        "- {command: id -un, become: false}\n- command: id -un\n- {command: id -un, become_user: nobody}",
    );
    let login = format!("ansible_user={}", user.name);
    let password = lab.desk.file("become", format!("{}\n", user.password));
    let args = [
        "play",
        site.to_str().unwrap(),
        "-b",
        "-e",
        &login,
        "--become-password-file",
    ];
    let document = lab.json(&[&args[..], &[password.to_str().unwrap()]].concat());
    let who: Vec<&str> = document["plays"][0]["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["hosts"]["web01"]["stdout"].as_str().unwrap_or("?"))
        .collect();
    assert_eq!(who, [user.name.as_str(), "root", "nobody"], "{document}");
    let wrong = lab.desk.file("wrong", "no such word\n");
    let ran = lab
        .run(&[&args[..], &[wrong.to_str().unwrap()]].concat())
        .ends_with(2);
    assert!(!ran.said().contains("no such word"), "{ran:?}");
}

#[test]
fn secrets_of_vaults_and_hidden_tasks_are_in_no_output_and_no_record() {
    let lab = Lab::new(1);
    let word = lab.desk.file("word", "opener\n");
    let vault = ["--vault-password-file", word.to_str().unwrap()];
    let sealed = lab
        .desk
        .feed(
            &[
                &["vault", "encrypt-string", "--stdin-name", "secret"],
                &vault[..],
            ]
            .concat(),
            b"kolibri-4711",
        )
        .ends_with(0);
    let site = lab.desk.file(
        "site.yml",
        format!(
            "\
- hosts: all
  gather_facts: false
  vars:
    {}
  tasks:
    - shell: 'echo {{{{ secret }}}}; echo {{{{ secret }}}} >&2; exit 1'
      ignore_errors: true
    - copy: {{content: '{{{{ secret }}}}', dest: ~/kept}}
    - command: echo giraffe
      no_log: true
    - command: echo {{{{ item }}}}
      loop: [leopard]
      no_log: true
    - debug: {{msg: '{{{{ secret }}}}'}}
",
            sealed.stdout.trim_end().replace('\n', "\n    ")
        ),
    );
    for form in ["human", "json", "jsonl"] {
        let args = [
            "play",
            site.to_str().unwrap(),
            "--diff",
            "-vvv",
            "--output",
            form,
        ];
        let ran = lab.run(&[&args[..], &vault[..]].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        for secret in ["kolibri-4711", "giraffe", "leopard"] {
            assert!(!ran.said().contains(secret), "{secret}, {form}: {ran:?}");
        }
        assert!(ran.said().contains("has been hidden"), "{form}: {ran:?}");
    }
    assert_eq!(
        read(lab.sshd.home().join("kept")),
        "kolibri-4711",
        "the host has it"
    );
    let shown = lab
        .run(&["history", "show", "--output", "json"])
        .ends_with(0);
    let database = String::from_utf8_lossy(&lab.database()).into_owned();
    for secret in ["kolibri-4711", "giraffe", "leopard"] {
        assert!(
            !shown.said().contains(secret) && !database.contains(secret),
            "{secret}"
        );
    }
}

#[test]
fn a_playbook_that_is_wrong_is_refused_with_all_that_is_wrong_with_it() {
    let desk = pair();
    let site = playbook(
        &desk,
        "- copyy: {src: a}\n- copy: {scr: a, dest: /x}\n- debug: {msg: '{{ 1 | upperr }}'}\n- ping:\n  whenn: true",
    );
    let ran = desk.run(&["play", site.to_str().unwrap()]).ends_with(1);
    for found in [
        "site.yml:5:",
        "site.yml:6:",
        "site.yml:7:",
        "site.yml:9:",
        "nothing was run",
    ] {
        assert!(ran.stderr.contains(found), "{found}: {ran:?}");
    }
    assert_eq!(ran.stdout, "");
    assert!(
        desk.json(&["history", "list"])["runs"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}
