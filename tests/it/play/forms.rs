//! What a play prints, in every form.

use super::{pair, playbook, settled};

const TASKS: &str = "\
- name: a file
  copy: {content: \"two\\n\", dest: '{{ folder }}/{{ inventory_hostname }}'}
  notify: tell
- name: told
  debug: {msg: 'on {{ inventory_hostname }}'}
- name: each
  command: echo {{ item }}
  loop: [a, b]
  changed_when: item == 'b'
- name: not here
  command: 'true'
  when: inventory_hostname == 'web02'
- name: a mistake
  shell: exit 3
  ignore_errors: true
";

#[test]
fn people_read_what_they_know_from_ansible() {
    let desk = pair();
    let site = playbook(&desk, TASKS);
    let folder = format!("folder={}", desk.home().display());
    let text = std::fs::read_to_string(&site).unwrap().replace(
        "  tasks:\n",
        "  handlers: [{name: tell, debug: {msg: handled}}]\n  tasks:\n",
    );
    std::fs::write(&site, text).unwrap();
    let args = [
        "play",
        site.to_str().unwrap(),
        "-e",
        &folder,
        "--diff",
        "--limit",
        "web01",
    ];
    let ran = desk.run(&args).ends_with(0);
    insta::assert_snapshot!(settled(&ran.stdout, &desk), @r#"
    PLAY [the site] ****************************************************************

    TASK [a file] ******************************************************************
    --- before: FOLDER/home/web01
    +++ after: FOLDER/home/web01
    @@ -0,0 +1 @@
    +two

    changed: [web01]

    TASK [told] ********************************************************************
    ok: [web01] => {
        "msg": "on web01"
    }

    TASK [each] ********************************************************************
    ok: [web01] => (item=a)
    changed: [web01] => (item=b)

    TASK [not here] ****************************************************************
    skipping: [web01]

    TASK [a mistake] ***************************************************************
    [ERROR]: Task failed: non-zero return code
    Origin: FOLDER/site.yml:18:7

    fatal: [web01]: FAILED! => {"changed": true, "cmd": "exit 3", TIME, TIME, "msg": "non-zero return code", "rc": 3, TIME, "stderr": "", "stderr_lines": [], "stdout": "", "stdout_lines": []}
    ...ignoring

    RUNNING HANDLER [tell] *********************************************************
    ok: [web01] => {
        "msg": "handled"
    }

    PLAY RECAP *********************************************************************
    web01                      : ok=5    changed=3    unreachable=0    failed=0    skipped=1    rescued=0    ignored=1
    "#);
    let verbose = desk.run(&[&args[..], &["-v"]].concat()).ends_with(0);
    assert!(
        verbose
            .stdout
            .contains(r#"ok: [web01] => {"changed": false"#),
        "{verbose:?}"
    );
    for form in ["live", "fold", "host"] {
        let ran = desk.run(&[&args[..], &["--output", form]].concat());
        assert!(ran.stdout.contains("PLAY RECAP"), "{form}: {ran:?}");
    }
    let quiet = desk.run(&[&args[..], &["--output", "quiet"]].concat());
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn a_task_that_is_delegated_says_to_whom_and_one_delegated_to_nobody_says_nothing() {
    let desk = pair();
    let tasks = "\
- {debug: {msg: to nobody}, delegate_to: \"\"}
- {debug: {msg: to another}, delegate_to: web02}
";
    let site = playbook(&desk, tasks);
    let args = ["play", site.to_str().unwrap(), "--limit", "web01"];
    let ran = desk.run(&args).ends_with(0);
    let told = ran.stdout.lines().filter(|line| line.starts_with("ok: "));
    let told: Vec<&str> = told.collect();
    assert_eq!(told, ["ok: [web01] => {", "ok: [web01 -> web02] => {"]);
}

#[test]
fn the_document_has_the_shape_of_ansibles_callback() {
    let desk = pair();
    let site = playbook(
        &desk,
        "- name: said\n  command: echo {{ inventory_hostname }}\n- set_stats: {data: {version: '1.2'}}",
    );
    let document = desk.json(&["play", site.to_str().unwrap()]);
    assert_eq!(document["verb"], "play");
    assert_eq!(document["recorded"], "stored");
    let play = &document["plays"][0];
    assert_eq!(play["play"]["name"], "the site");
    let task = &play["tasks"][0];
    assert_eq!(task["task"]["name"], "said");
    let path = task["task"]["path"].as_str().unwrap();
    assert!(path.ends_with("site.yml:5:7"), "{path}");
    assert_eq!(task["hosts"]["web02"]["stdout"], "web02");
    assert_eq!(task["hosts"]["web02"]["changed"], true);
    assert_eq!(document["stats"]["web01"]["changed"], 1);
    let run = document["run"].as_str().unwrap();
    let mut shown = desk.json(&["history", "show", run]);
    shown["recorded"] = document["recorded"].clone();
    for of in ["plays", "stats", "summary", "outcome"] {
        // The times of events are those of the record.
        assert_eq!(
            without_times(&shown[of]),
            without_times(&document[of]),
            "{of} comes back"
        );
    }
}

fn without_times(value: &serde_json::Value) -> serde_json::Value {
    let mut value = value.clone();
    strip(&mut value);
    value
}

fn strip(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            map.remove("duration");
            map.values_mut().for_each(strip);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

#[test]
fn lines_of_json_say_each_thing_as_it_happens() {
    let desk = pair();
    let site = playbook(&desk, "- ping:");
    let ran = desk
        .run(&[
            "play",
            site.to_str().unwrap(),
            "--limit",
            "web01",
            "--output",
            "jsonl",
        ])
        .ends_with(0);
    let events: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["event"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        events,
        [
            "run_started",
            "play_started",
            "task_started",
            "task_finished",
            "stats",
            "host_finished",
            "run_finished"
        ]
    );
}

#[test]
fn a_junit_report_has_a_case_for_each_task_and_host() {
    let desk = pair();
    let site = playbook(
        &desk,
        "- name: well\n  ping:\n- name: passed over\n  ping:\n  when: false\n- name: ill\n  command: 'false'",
    );
    let report = desk.home().join("report.xml");
    let args = [
        "play",
        site.to_str().unwrap(),
        "--limit",
        "web01",
        "--junit",
    ];
    let ran = desk
        .run(&[&args[..], &[report.to_str().unwrap()]].concat())
        .ends_with(2);
    assert!(ran.stdout.contains("PLAY RECAP"), "{ran:?}");
    let text = std::fs::read_to_string(&report).unwrap();
    for part in [
        r#"<testsuite name="the site" tests="3" skipped="1" errors="0" failures="1">"#,
        r#"<testcase name="well" classname="the site/web01""#,
        r#"<skipped message="Conditional result was False""#,
        r#"<failure message="non-zero return code" type="failed">"#,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let ran = desk.run(&[&args[..], &["-"]].concat()).ends_with(2);
    assert!(ran.stdout.starts_with("<?xml"), "{ran:?}");
}

#[test]
fn a_change_that_nobody_expected_is_a_failure_of_the_report() {
    let desk = pair();
    let site = playbook(&desk, "- command: 'true'");
    let args = [
        "play",
        site.to_str().unwrap(),
        "--expect-no-change",
        "--junit",
        "-",
    ];
    let ran = desk.run(&args).ends_with(3);
    assert!(ran.stdout.contains(r#"failures="2""#), "{ran:?}");
    assert!(ran.stdout.contains(r#"type="changed""#), "{ran:?}");
}
