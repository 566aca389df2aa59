//! `do`: one module, ad hoc.

use super::{pair, playbook, settled};
use crate::support::{Desk, Lab, each};

#[test]
fn results_are_shown_as_ansibles_ad_hoc_command_shows_them() {
    let desk = pair();
    let ran = desk.run(&["do", "web01", "ping"]).ends_with(0);
    insta::assert_snapshot!(ran.stdout, @r#"
    web01 | SUCCESS => {
        "changed": false,
        "ping": "pong"
    }
    "#);
    let ran = desk.run(&["do", "web01", "shell", "echo hi; echo odd >&2; exit 3"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r"
    web01 | FAILED | rc=3 >>
    hi
    odd
    non-zero return code
    ");
    let ran = desk.run(&["do", "web", "command", "--", "printf", "%s|", "a b", "c"]);
    insta::assert_snapshot!(settled(&ran.stderr, &desk), @"2 hosts: 2 changed TIME  TIME");
    let mut lines: Vec<&str> = ran.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "a b|c|",
            "a b|c|",
            "web01 | CHANGED | rc=0 >>",
            "web02 | CHANGED | rc=0 >>"
        ]
    );
}

#[test]
fn the_document_is_that_of_a_run_with_each_hosts_result() {
    let desk = pair();
    let document = desk.json(&["do", "web", "shell", "echo {{ inventory_hostname }}"]);
    assert_eq!(document["verb"], "do");
    assert_eq!(document["command"], "shell echo {{ inventory_hostname }}");
    assert_eq!(
        (&document["pattern"], &document["outcome"]),
        (&"web".into(), &"changed".into())
    );
    assert_eq!(document["summary"]["changed"], 2);
    assert_eq!(
        each(&document, "outcome"),
        ["web01=changed", "web02=changed"]
    );
    let host = &document["hosts"][1];
    assert_eq!(
        (&host["exit"], &host["stdout"]),
        (&0.into(), &"web02\n".into())
    );
    assert_eq!(host["result"]["stdout"], "web02");
    assert_eq!(host["result"]["changed"], true);
    let run = document["run"].as_str().unwrap();
    let mut shown = desk.json(&["history", "show", run]);
    shown["recorded"] = document["recorded"].clone();
    assert_eq!(shown, document, "and so it is on record");
    let found = desk.json(&["history", "grep", "^web02$"]);
    assert_eq!(found["matches"].as_array().unwrap().len(), 1);
}

#[test]
fn lines_of_json_end_each_host_with_its_result() {
    let desk = pair();
    let ran = desk
        .run(&["do", "web01", "ping", "--output", "jsonl"])
        .ends_with(0);
    let lines: Vec<serde_json::Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let events: Vec<&str> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "run_started",
            "host_started",
            "host_finished",
            "run_finished"
        ]
    );
    assert_eq!(lines[2]["result"]["result"]["ping"], "pong");
}

#[test]
fn arguments_are_words_or_json_and_checked_before_anything_is_done() {
    let desk = pair();
    let file = desk.home().join("a file");
    let dest = format!("dest={}", file.display());
    let args = ["do", "web01", "copy", "content=one two\n", &dest];
    let ran = desk
        .run(&[&args[..], &["--check", "--diff"]].concat())
        .ends_with(0);
    assert!(ran.stdout.contains("+one two"), "{ran:?}");
    assert!(!file.exists());
    desk.run(&args).ends_with(0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "one two\n");
    desk.run(&[&args[..], &["--expect-no-change"]].concat())
        .ends_with(0);
    let json = r#"{"that": ["1 == 1", "inventory_hostname == 'web01'"]}"#;
    desk.run(&["do", "web01", "assert", json]).ends_with(0);

    let ran = desk.run(&["do", "web", "coppy", "src=a"]).ends_with(1);
    assert!(ran.stderr.contains("do:1:1"), "{ran:?}");
    assert!(ran.stderr.contains("did you mean `copy`"), "{ran:?}");
    for name in ["synchronize", "ansible.posix.synchronize"] {
        let ran = desk.run(&["doc", name]).ends_with(1);
        assert!(ran.stderr.contains("`copy` sends folders"), "{ran:?}");
    }
    let ran = desk
        .run(&["do", "web", "copy", "scr=a", "dest=/x"])
        .ends_with(1);
    assert!(
        ran.stderr.contains("`src`") && ran.stderr.contains("do:1:10"),
        "{ran:?}"
    );
    assert!(
        desk.json(&["history", "list"])["runs"]
            .as_array()
            .unwrap()
            .len()
            > 3
    );
}

#[test]
fn one_operand_alone_is_refused_and_nobody_is_a_status_of_its_own() {
    let desk = pair();
    desk.run(&["do", "ping"]).ends_with(1);
    desk.run(&["do", "-g", "web", "ping"]).ends_with(0);
    desk.run(&["do", "nobody", "ping"]).ends_with(5);
    desk.run(&["do", "nobody", "ping", "--allow-empty"])
        .ends_with(0);
    let ran = desk
        .run(&["do", "web", "ping", "--list-hosts"])
        .ends_with(0);
    assert!(
        ran.stdout.contains("hosts (2):\n    web01\n    web02\n"),
        "{ran:?}"
    );
    let ran = desk
        .run(&["do", "web", "ping", "-x", "web02", "--dry-run"])
        .ends_with(0);
    assert!(
        ran.stdout.contains("would do on these hosts: ping"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("web02"), "{ran:?}");
}

#[test]
fn variables_and_no_log_hold() {
    let desk = pair();
    let args = [
        "do",
        "web01",
        "shell",
        "echo {{ word }}",
        "-e",
        "word=zebra",
    ];
    let ran = desk.run(&args).ends_with(0);
    assert!(ran.stdout.contains("zebra"), "{ran:?}");
    let ran = desk
        .run(&["do", "web01", "shell", "echo giraffe", "--no-log"])
        .ends_with(0);
    assert!(ran.stdout.contains("giraffe"), "it is shown: {ran:?}");
    let shown = desk
        .run(&["history", "show", "--output", "json"])
        .ends_with(0);
    assert!(
        !shown.stdout.contains("giraffe"),
        "it is not kept: {shown:?}"
    );
    let database = std::fs::read(desk.home().parent().unwrap().join("data/ioms.db"));
    let database = String::from_utf8_lossy(&database.unwrap()).into_owned();
    assert!(!database.contains("giraffe"));
}

#[test]
fn secrets_among_the_arguments_are_on_no_record() {
    let desk = pair();
    let args = [
        "do",
        "web01",
        "uri",
        "url=http://127.0.0.1:9/",
        "url_password=kolibri-4711",
    ];
    let document = desk.json(&args);
    assert!(!document.to_string().contains("kolibri"), "{document}");
    let shown = desk.run(&["history", "list"]).ends_with(0);
    assert!(shown.stdout.contains("url_password=********"), "{shown:?}");
    assert!(!shown.stdout.contains("kolibri"), "{shown:?}");
}

#[test]
fn hosts_that_are_down_are_unreachable_and_run_again() {
    let lab = Lab::with_down(4, 1);
    let document = lab.json(&["do", "all", "ping"]);
    assert_eq!(
        each(&document, "outcome"),
        ["db01=unreachable", "web01=ok", "web03=ok", "web02=ok"]
    );
    assert_eq!(document["hosts"][0]["error"]["kind"], "refused");
    assert_eq!(document["hosts"][0]["result"]["unreachable"], true);
    let ran = lab.run(&["do", "--rerun", "failed", "ping"]).ends_with(4);
    assert!(
        ran.stdout.starts_with("db01 | UNREACHABLE! => {"),
        "{ran:?}"
    );
    lab.run(&["do", "all", "shell", "false"]).ends_with(6);
}

#[test]
fn a_page_says_what_a_module_takes() {
    let desk = Desk::new();
    let ran = desk.run(&["doc", "copy"]).ends_with(0);
    assert!(ran.stdout.contains("dest"), "{ran:?}");
    let ran = desk.run(&["doc", "coppy"]).ends_with(1);
    assert!(ran.stderr.contains("did you mean `copy`"), "{ran:?}");
    for name in ["synchronize", "ansible.posix.synchronize"] {
        let ran = desk.run(&["doc", name]).ends_with(1);
        assert!(ran.stderr.contains("`copy` sends folders"), "{ran:?}");
    }
    let document = desk.json(&["doc", "copy", "shell"]);
    assert_eq!(document["modules"].as_array().unwrap().len(), 2);
}

#[test]
fn a_module_of_ones_own_that_takes_the_name_of_another_is_told_before_anything_runs() {
    let desk = pair();
    desk.file(
        "modules/ping.yml",
        "module: ping\nposix: 'put pong theirs'\n",
    );
    let site = playbook(&desk, "- debug:\n- ping:\n");
    let ran = desk.run(&["play", site.to_str().unwrap()]).ends_with(1);
    assert!(
        ran.stderr
            .contains("ping.yml: `ping` is a module of the program, whose name can't be taken"),
        "{ran:?}"
    );
    assert!(
        ran.stderr.contains("nothing was run") && ran.stderr.contains("something else"),
        "{ran:?}"
    );
    let site = playbook(&desk, "- ansible.builtin.ping:\n");
    desk.run(&["play", site.to_str().unwrap()]).ends_with(0);
}
