//! What of plays is on record, in both databases.

use ioms_fleet::MariaDb;
use serde_json::Value;

use super::{pair, playbook};
use crate::support::{Desk, Ran};

fn run(desk: &Desk, database: Option<&str>, args: &[&str]) -> Ran {
    let mut command = desk.command(args);
    if let Some(url) = database {
        command.env("IOMS_DATABASE", url);
    }
    Ran::of(command)
}

/// Plays on record come back: whole, and by host.
fn come_back(desk: &Desk, database: Option<&str>) {
    let run = |args: &[&str]| run(desk, database, args);
    let site = playbook(
        desk,
        "- name: 第一\n  command: echo 完成\n- name: second\n  command: 'false'\n  when: inventory_hostname == 'web02'",
    );
    run(&["play", site.to_str().unwrap()]).ends_with(2);
    let show = |form: &str| {
        run(&["history", "show", "--output", form])
            .ends_with(0)
            .stdout
    };
    let human = show("human");
    assert!(
        human.contains("TASK [第一]") && human.contains("PLAY RECAP"),
        "{human}"
    );
    assert!(human.contains("fatal: [web02]: FAILED!"), "{human}");
    let document: Value = serde_json::from_str(&show("json")).unwrap();
    assert_eq!(
        document["plays"][0]["tasks"][0]["hosts"]["web01"]["stdout"],
        "完成"
    );
    assert!(show("jsonl").contains(r#""event":"task_finished""#));
    assert_eq!(show("quiet"), "");

    let ran = run(&["history", "host", "web02", "--output", "json"]).ends_with(0);
    let of_host: Value = serde_json::from_str(&ran.stdout).unwrap();
    let tasks: Vec<String> = of_host["runs"][0]["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            format!(
                "{} {}",
                task["task"].as_str().unwrap(),
                task["status"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(tasks, ["第一 changed", "second failed"]);
    let ran = run(&["history", "host", "web01"]).ends_with(0);
    assert!(
        ran.stdout.contains("  skipped  ") && ran.stdout.contains("  第一\n"),
        "{ran:?}"
    );
}

#[test]
fn plays_come_back_from_sqlite() {
    come_back(&pair(), None);
}

#[test]
fn plays_come_back_from_mariadb() {
    if ioms_fleet::left_out("the record on MariaDB", "mariadbd") {
        return;
    }
    let server = MariaDb::start().unwrap();
    let url = server.database("ioms").unwrap();
    let desk = pair();
    run(&desk, Some(&url), &["db", "migrate"]).ends_with(0);
    come_back(&desk, Some(&url));
}
