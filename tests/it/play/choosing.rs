//! What of a playbook is done, and where: `--limit`, tags, `--start-at-task`, `--check`, `--rerun`.

use super::{pair, playbook};
use crate::support::{Desk, Lab, Ran};

const TASKS: &str = "\
- {name: one, debug: {msg: first}, tags: [a]}
- {name: two, debug: {msg: second}, tags: [b]}
- {name: three, debug: {msg: '{{ word }}'}, vars: {word: third}}
";

fn said(desk: &Desk, flags: &[&str]) -> Vec<String> {
    let site = playbook(desk, TASKS);
    let document = desk.json(&[&["play", site.to_str().unwrap()], flags].concat());
    let tasks = document["plays"][0]["tasks"].as_array().unwrap();
    tasks
        .iter()
        .flat_map(|task| task["hosts"].as_object().unwrap())
        .map(|(host, result)| format!("{host} {}", result["msg"].as_str().unwrap()))
        .collect()
}

#[test]
fn flags_choose_hosts_and_tasks() {
    let desk = pair();
    let web01 = ["--limit", "web01"];
    let of = |flags: &[&str]| said(&desk, &[&web01[..], flags].concat());
    assert_eq!(of(&[]), ["web01 first", "web01 second", "web01 third"]);
    assert_eq!(of(&["--tags", "b"]), ["web01 second"]);
    assert_eq!(of(&["--skip-tags", "a,b"]), ["web01 third"]);
    assert_eq!(
        of(&["--start-at-task", "two"]),
        ["web01 second", "web01 third"]
    );
    assert_eq!(
        of(&["-e", "word=other", "--tags", "untagged"]),
        ["web01 other"]
    );
    assert_eq!(said(&desk, &["-x", "web01", "-t", "a"]), ["web02 first"]);
    let site = playbook(&desk, TASKS);
    let ran = desk.run(&["play", site.to_str().unwrap(), "--start-at-task", "four"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stderr.contains("no task is named `four`"), "{ran:?}");
}

#[test]
fn what_would_be_done_is_listed_without_doing_it() {
    let desk = pair();
    let site = playbook(&desk, TASKS);
    let listed = |flag: &str| {
        let ran = desk
            .run(&["play", site.to_str().unwrap(), flag])
            .ends_with(0);
        ran.stdout
    };
    assert!(listed("--list-hosts").contains("hosts (2):\n      web01\n      web02\n"));
    assert!(listed("--list-tasks").contains("two\tTAGS: [b]"));
    assert!(listed("--list-tags").contains("TASK TAGS: [a, b]"));
    assert!(listed("--syntax-check").contains("playbook: "));
    assert!(
        desk.json(&["history", "list"])["runs"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn check_mode_changes_nothing_and_says_what_would_be() {
    let desk = pair();
    let file = desk.home().join("file");
    let site = playbook(
        &desk,
        &format!(
            "- copy: {{content: \"new\\n\", dest: '{}'}}",
            file.display()
        ),
    );
    let args = [
        "play",
        site.to_str().unwrap(),
        "--limit",
        "web01",
        "--check",
        "--diff",
    ];
    let ran = desk.run(&args).ends_with(0);
    assert!(
        ran.stdout.contains("+new") && ran.stdout.contains("changed: [web01]"),
        "{ran:?}"
    );
    assert!(!file.exists());
    desk.run(&[&args[..], &["--expect-no-change"]].concat())
        .ends_with(3);
}

#[test]
fn an_earlier_runs_failures_are_run_again() {
    let desk = pair();
    let site = playbook(
        &desk,
        "- command: test {{ inventory_hostname }} = {{ who | default('web01') }}",
    );
    let site = site.to_str().unwrap();
    desk.run(&["play", site]).ends_with(2);
    // Another verb's run is none of playbooks.
    desk.run(&["do", "web", "ping"]).ends_with(0);
    let again = desk.json(&["play", "--rerun", "failed"]);
    let hosts = again["plays"][0]["tasks"][0]["hosts"].as_object().unwrap();
    assert_eq!(hosts.keys().collect::<Vec<_>>(), ["web02"]);
    desk.run(&["play", site, "--rerun", "failed", "-e", "who=web02"])
        .ends_with(0);
    let ran = desk.run(&["play", "--rerun", "all"]).ends_with(1);
    assert!(
        ran.stderr.contains("--extra-vars"),
        "it would do something else: {ran:?}"
    );
    let ran = desk.run(&["play", site, "--rerun", "failed"]);
    assert_eq!(ran.status, 5, "nobody failed in the newest: {ran:?}");
}

#[test]
fn an_earlier_run_is_run_again_with_its_inventory_unless_one_is_named() {
    let desk = Desk::local("other");
    let site = playbook(&desk, "- command: test {{ fine | default('') }}");
    let site = site.to_str().unwrap();
    let local = "[all]\nweb01 fine=x\nweb02\n[all:vars]\nansible_connection=local\n";
    desk.file("hosts.ini", local);
    let failed = |flags: &[&str], folder: &std::path::Path| {
        let mut command = desk.command(&[&["play", "--output", "json"], flags].concat());
        command.current_dir(folder);
        let document: serde_json::Value =
            serde_json::from_str(&Ran::of(command).stdout).unwrap_or_default();
        let stats = document["stats"].as_object().cloned();
        stats.map(|hosts| hosts.keys().cloned().collect::<Vec<_>>())
    };
    let here = desk.dir.path();
    let both = ["web01", "web02"].map(str::to_owned);
    assert_eq!(failed(&[site, "-i", "hosts.ini"], here).unwrap(), both);
    // From another folder too.
    assert_eq!(
        failed(&["--rerun", "failed"], &desk.home()).unwrap(),
        ["web02"]
    );
    desk.file("more.ini", local.replace("web01", "web03"));
    assert_eq!(
        failed(&["--rerun", "all", "-i", "more.ini"], here).unwrap(),
        ["web02"]
    );
}

#[test]
fn hosts_that_were_down_are_run_again() {
    let lab = Lab::with_down(4, 1);
    let site = playbook(&lab.desk, "- ping:");
    lab.run(&["play", site.to_str().unwrap()]).ends_with(4);
    let ran = lab
        .run(&["play", "--rerun", "unreachable", "--list-hosts"])
        .ends_with(0);
    assert!(ran.stdout.contains("hosts (1):\n      db01\n"), "{ran:?}");
}

#[test]
fn limits_and_variables_come_from_files_too() {
    let desk = pair();
    let site = playbook(&desk, "- debug: {msg: 'x is {{ x }}'}\n");
    let site = site.to_str().unwrap();
    desk.file("hosts.txt", "# the second\nweb02\n");
    desk.file("vars.yml", "x: from a file\n");
    let args = ["play", site, "--limit", "@hosts.txt", "-e", "@vars.yml"];
    let ran = desk.run(&args).ends_with(0);
    assert!(ran.stdout.contains("x is from a file"), "{}", ran.stdout);
    assert!(ran.stdout.contains("ok: [web02]"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("web01"), "{}", ran.stdout);
    let ran = desk
        .run(&["play", site, "--limit", "nosuch", "-e", "x=1"])
        .ends_with(5);
    assert!(
        ran.stderr.contains("no host or group is called `nosuch`"),
        "{}",
        ran.stderr
    );
    desk.file("hosts.txt", "# nobody\n");
    desk.run(&args).ends_with(5);
}
