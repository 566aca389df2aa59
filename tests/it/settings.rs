//! Settings through the program: which source wins and where each came from; the verbs around it.

use crate::support::{Desk, Ran};

fn value(document: &serde_json::Value, name: &str) -> (String, String) {
    let row = document["settings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == name)
        .unwrap_or_else(|| panic!("{name}: {document}"));
    let text = |field: &str| match &row[field] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (text("value"), text("origin"))
}

#[test]
fn each_value_says_where_it_came_from() {
    let desk = Desk::new();
    desk.file(
        "ansible.cfg",
        "[defaults]\nforks = 7\nremote_user = ops\nstdout_callback = yaml\n",
    );
    desk.file("ioms.toml", "forks = 9\nmax_output = '1M'\n");
    let mut command = desk.command(&["config", "show", "--output", "json"]);
    command.env("IOMS_TIMEOUT", "2m");
    let ran = Ran::of(command).ends_with(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let (forks, origin) = value(&document, "forks");
    assert_eq!(forks, "9");
    assert!(origin.contains("ioms.toml:1"), "{origin}");
    let (_, origin) = value(&document, "user");
    assert!(origin.contains("ansible.cfg"), "{origin}");
    let (timeout, origin) = value(&document, "timeout");
    assert!(
        timeout.starts_with("2m") && origin.contains("IOMS_TIMEOUT"),
        "{timeout} {origin}"
    );
    assert!(
        ran.said().contains("stdout_callback"),
        "what is ignored is named: {ran:?}"
    );
}

#[test]
fn a_mistake_is_shown_with_its_place() {
    let desk = Desk::new();
    desk.file("ioms.toml", "forks = 5\nforkz = 6\n");
    let ran = desk.run(&["config", "show"]).ends_with(1);
    assert!(
        ran.stderr.contains("ioms.toml:2:1") && ran.stderr.contains("forkz"),
        "{ran:?}"
    );
    assert!(
        ran.stderr.contains("forks"),
        "it suggests what was meant: {ran:?}"
    );
}

#[test]
fn settings_that_others_may_write_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    let path = desk.file("ioms.toml", "forks = 5\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let ran = desk.run(&["config", "show"]).ends_with(1);
    assert!(ran.stderr.contains("ioms.toml"), "{ran:?}");
}

#[test]
fn settings_found_upward_cant_turn_identity_checks_off() {
    let desk = Desk::new();
    desk.file("ioms.toml", "host_key = 'off'\n");
    let ran = desk.run(&["config", "show"]);
    assert!(
        ran.status == 1 || value(&desk.json(&["config", "show"]), "host_key").0 != "off",
        "{ran:?}"
    );
    assert!(ran.said().contains("host_key"), "{ran:?}");
    desk.file("ioms.toml", "ssh_args = '-o StrictHostKeyChecking=no'\n");
    let ran = desk.run(&["config", "show"]).ends_with(1);
    assert!(ran.stderr.contains("ioms.toml:1:1"), "{ran:?}");
    desk.file("ioms.toml", "");
    desk.file("ansible.cfg", "[defaults]\nhost_key_checking = False\n");
    let ran = desk.run(&["config", "show", "host_key"]).ends_with(0);
    assert!(!ran.stdout.contains("off"), "{ran:?}");
    assert!(
        ran.stderr
            .contains("ansible.cfg:2: `host_key_checking` is not obeyed"),
        "{ran:?}"
    );
}

#[test]
fn every_verb_has_help_with_examples() {
    let desk = Desk::new();
    let verbs = "run, script, ping, inventory, inventory list, inventory graph, inventory show, \
                 inventory check, inventory import, hostkeys, hostkeys scan, hostkeys approve, \
                 hostkeys forget, hostkeys list, history, history list, history show, \
                 history host, history grep, history diff, repo, repo add, repo list, \
                 repo show, repo verify, repo remove, repo publish, repo unpublish, vault, \
                 vault encrypt, vault decrypt, vault view, vault rekey, vault edit, \
                 vault create, vault encrypt-string, db, \
                 db migrate, db status, db prune, db replay, config, config show, completions, man";
    for verb in verbs.split(", ").chain([""]) {
        let words: Vec<&str> = verb.split_whitespace().chain(["--help"]).collect();
        let ran = desk.run(&words).ends_with(0);
        assert!(ran.stdout.contains("Usage:"), "{verb}");
        assert!(
            ran.stdout.contains("Examples:") && ran.stdout.contains("  iomsctl "),
            "{verb}: {}",
            ran.stdout
        );
    }
    desk.run(&["no-such-verb"]).ends_with(1);
    assert!(
        desk.run(&["completions", "bash"])
            .ends_with(0)
            .stdout
            .contains("iomsctl")
    );
    desk.run(&["man", "pages"]).ends_with(0);
    assert!(crate::support::read(desk.dir.path().join("pages/iomsctl-run.1")).contains(".TH"));
    assert!(
        desk.run(&["--version"])
            .ends_with(0)
            .stdout
            .starts_with("iomsctl ")
    );
}

#[test]
fn the_log_has_a_span_for_the_run_and_for_the_host() {
    let desk = Desk::local("here");
    let log = desk.dir.path().join("log");
    desk.run(&[
        "run",
        "-g",
        "here",
        "-vv",
        "--log-file",
        log.to_str().unwrap(),
        "true",
    ])
    .ends_with(0);
    let text = crate::support::read(&log);
    assert!(text.contains("host{host=here}"), "{text}");
    assert!(text.contains("run{"), "{text}");
}

#[test]
fn how_to_become_is_read_from_ansible_cfg() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::local("a1");
    let exe = desk.file("mysudo", "#!/bin/sh\necho \"$*\" >\"$0.log\"\nexit 1\n");
    std::fs::set_permissions(&exe, std::fs::Permissions::from_mode(0o700)).unwrap();
    let cfg = |more: &str| {
        let text = format!(
            "[privilege_escalation]\nbecome = True\nbecome_exe = {}\nbecome_flags = -H -x4711\n{more}",
            exe.display()
        );
        desk.file("ansible.cfg", text);
    };
    cfg("");
    desk.run(&["run", "a1", "true"]).ends_with(2);
    let given = crate::support::read(desk.dir.path().join("mysudo.log"));
    assert!(given.contains("-H -x4711"), "{given}");
    cfg("become_ask_pass = True\n");
    let ran = desk.run(&["run", "a1", "true"]).ends_with(1);
    assert!(ran.stderr.contains("Become password"), "{ran:?}");
    desk.file("pw", "geheim\n");
    desk.run(&["run", "a1", "--become-password-file", "pw", "true"])
        .ends_with(2);
}

#[test]
fn standard_output_is_no_file_called_dash() {
    let desk = Desk::local("a1");
    let ran = desk.run(&["run", "a1", "--junit", "-", "echo hi"]);
    let report = ran.ends_with(0).stdout;
    assert!(
        report.starts_with("<?xml") && report.trim_end().ends_with("</testsuites>"),
        "{report}"
    );
    desk.run(&["run", "a1", "--junit", "-", "--output", "json", "true"])
        .ends_with(1);
    desk.run(&["run", "a1", "--log-file", "-", "true"])
        .ends_with(1);
    assert!(!desk.dir.path().join("-").exists());
}

#[test]
fn lists_come_on_one_line_or_not_at_all_where_asked() {
    let desk = Desk::local("a1");
    desk.run(&["run", "a1", "true"]).ends_with(0);
    let lists: [&[&str]; 6] = [
        &["inventory", "list"],
        &["inventory", "graph"],
        &["history", "list"],
        &["repo", "list"],
        &["db", "status"],
        &["config", "show"],
    ];
    for verb in lists {
        let form = |form: &str| {
            let ran = desk.run(&[verb, &["--output", form]].concat());
            ran.ends_with(0).stdout
        };
        let line = form("jsonl");
        assert_eq!(line.lines().count(), 1, "{verb:?}: {line}");
        let (line, document): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(&line).unwrap(),
            serde_json::from_str(&form("json")).unwrap(),
        );
        assert_eq!(line, document);
        assert_eq!(form("quiet"), "", "{verb:?}");
    }
}

#[test]
fn ansibles_variables_are_obeyed_and_turn_no_check_of_host_keys_off() {
    let desk = Desk::local("web01");
    let site = desk.file(
        "site.yml",
        "- hosts: all\n  gather_facts: false\n  tasks:\n  - debug: msg='{{ secret }}'\n",
    );
    desk.file("password", "pass");
    desk.file("group_vars/all.yml", "secret: opened\n");
    let encrypt = ["vault", "encrypt", "group_vars/all.yml"];
    let encrypt = [&encrypt[..], &["--vault-password-file", "password"]].concat();
    desk.run(&encrypt).ends_with(0);
    let play = |variables: &[(&str, &str)]| {
        let mut command = desk.command(&["play", site.to_str().unwrap()]);
        command.envs(variables.iter().copied());
        Ran::of(command)
    };
    play(&[]).ends_with(2);
    let password = ("ANSIBLE_VAULT_PASSWORD_FILE", "password");
    let ran = play(&[password, ("ANSIBLE_HOST_KEY_CHECKING", "False")]).ends_with(0);
    assert!(!ran.stdout.contains('\x1b'), "{ran:?}");
    assert!(
        ran.stderr
            .contains("`ANSIBLE_HOST_KEY_CHECKING` is not obeyed"),
        "{ran:?}"
    );
    let forced = ("ANSIBLE_FORCE_COLOR", "1");
    let ran = play(&[password, forced, ("NO_COLOR", "1")]).ends_with(0);
    assert!(ran.stdout.contains('\x1b'), "{ran:?}");
}
