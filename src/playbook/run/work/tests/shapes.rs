//! Results as ansible-core shapes them.

use super::*;

#[tokio::test]
async fn a_command_and_what_is_registered_of_it() {
    let ran = Bench::new()
        .tasks("  - command: echo hi\n    register: r\n  - debug: {var: r}\n")
        .await;
    let expected = json!({
        "changed": true, "cmd": ["echo", "hi"], "rc": 0, "stdout": "hi", "stdout_lines": ["hi"],
        "stderr": "", "stderr_lines": [], "msg": "",
    });
    assert_eq!(steady(ran.of("command")), expected);
    let mut kept = expected;
    kept["failed"] = json!(false);
    assert_eq!(steady(&ran.last()["r"]), kept);
    assert_eq!(ran.status_of("command"), TaskStatus::Changed);
}

#[tokio::test]
async fn a_task_whose_condition_does_not_hold() {
    let ran = Bench::new()
        .tasks("  - command: echo hi\n    when: [true, inventory_hostname == 'two']\n    register: r\n  - debug: {var: r}\n")
        .await;
    let expected = json!({
        "changed": false, "skipped": true, "skip_reason": "Conditional result was False",
        "false_condition": "inventory_hostname == 'two'",
    });
    assert_eq!(ran.of("command"), &expected);
    assert_eq!(ran.last()["r"], expected);
}

#[tokio::test]
async fn a_loop_with_all_that_can_be_asked_of_it() {
    let ran = Bench::new()
        .tasks(
            "  - command: echo {{ item }}\n    loop: [a, b]\n    when: item == 'a'\n    \
             loop_control: {extended: true, index_var: ix, label: 'x{{ item }}'}\n",
        )
        .await;
    let all = json!(["a", "b"]);
    assert_eq!(
        steady(ran.last()),
        json!({"changed": true, "msg": "All items completed", "results": [
            {"ansible_index_var": "ix", "ansible_loop_var": "item", "item": "a", "ix": 0, "changed": true,
             "ansible_loop": {"allitems": all, "first": true, "index": 1, "index0": 0, "last": false, "length": 2,
                "nextitem": "b", "revindex": 2, "revindex0": 1},
             "cmd": ["echo", "a"], "failed": false, "rc": 0, "stdout": "a", "stdout_lines": ["a"], "stderr": "",
             "stderr_lines": [], "msg": ""},
            {"ansible_index_var": "ix", "ansible_loop_var": "item", "item": "b", "ix": 1, "changed": false,
             "ansible_loop": {"allitems": all, "first": false, "index": 2, "index0": 1, "last": true, "length": 2,
                "previtem": "a", "revindex": 1, "revindex0": 0},
             "skipped": true, "skip_reason": "Conditional result was False", "false_condition": "item == 'a'"},
        ]})
    );
}

#[tokio::test]
async fn errors_say_what_ansible_says() {
    let ran = Bench::new()
        .tasks(
            "  - {name: a, debug: {msg: '{{ nope }}'}, ignore_errors: true}\n  \
             - {name: b, debug: {msg: x}, when: nope.x, ignore_errors: true}\n  \
             - {name: c, debug: {msg: x}, loop: '{{ nope2 }}', ignore_errors: true}\n  \
             - {name: d, command: echo x, failed_when: ['nopp.x'], ignore_errors: true}\n  \
             - {name: e, command: 'false', ignore_errors: true}\n  \
             - {name: f, debug: {msg: x}, loop: []}\n",
        )
        .await;
    let message = |title: &str| ran.of(title)["msg"].as_str().unwrap().to_owned();
    assert_eq!(
        message("a"),
        "Task failed: Finalization of task args for 'ansible.builtin.debug' failed: Error while resolving value for \
         'msg': 'nope' is undefined"
    );
    assert_eq!(
        message("b"),
        "Task failed: Error while evaluating conditional: 'nope' is undefined"
    );
    assert_eq!(message("c"), "Task failed: 'nope2' is undefined");
    assert_eq!(
        ran.of("d")["failed_when_result"],
        "Error while evaluating conditional: 'nopp' is undefined"
    );
    assert_eq!(
        (message("e"), &ran.of("e")["rc"]),
        ("non-zero return code".into(), &json!(1))
    );
    assert_eq!(
        ran.of("f"),
        &json!({"changed": false, "results": [], "skipped": true, "skipped_reason": "No items in the list"})
    );
    assert!(
        ran.done
            .iter()
            .take(5)
            .all(|done| done.ignored && done.status == TaskStatus::Failed)
    );
}

#[tokio::test]
async fn attempts_end_when_the_condition_holds_or_none_is_left() {
    let ran = Bench::new()
        .tasks(
            "  - {name: a, command: 'false', register: r, until: r.rc == 0, retries: 1, delay: 0, ignore_errors: true}\n  \
             - {name: b, shell: 'echo x >> {{ playbook_dir }}/n; wc -l < {{ playbook_dir }}/n', register: r,\n     \
               until: r.stdout | trim == '3', retries: 5, delay: 0}\n",
        )
        .await;
    assert_eq!(
        (&ran.of("a")["attempts"], &ran.of("a")["failed"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(ran.of("b")["attempts"], 3);
    assert_eq!(ran.status_of("b"), TaskStatus::Changed);
}

#[tokio::test]
async fn nothing_of_a_task_with_no_log_is_shown_and_all_of_it_kept() {
    let ran = Bench::new()
        .tasks(
            "  - {name: a, command: echo secret, no_log: true, register: r}\n  \
             - {name: b, command: 'echo {{ item }}', no_log: true, loop: [geheim]}\n  \
             - {name: c, debug: {msg: '{{ r.stdout | length }}'}}\n",
        )
        .await;
    assert!(!ran.of("a").to_string().contains("\"secret\""));
    assert!(ran.of("a")["censored"].as_str().unwrap().contains("no_log"));
    assert!(!ran.of("b").to_string().contains("geheim"));
    assert_eq!(ran.last()["msg"], 6);
}

#[tokio::test]
async fn facts_that_tasks_set_are_seen_by_the_next_item_and_task() {
    let ran = Bench::new()
        .tasks(
            "  - {set_fact: {list: \"{{ list | default([]) + [item] }}\"}, loop: [1, 2]}\n  \
             - {debug: {var: list}}\n",
        )
        .await;
    assert_eq!(ran.last(), &json!({"changed": false, "list": [1, 2]}));
}

#[tokio::test]
async fn names_of_variables_are_templates_in_playbooks_and_never_in_what_a_host_says() {
    let bench = Bench::new();
    let ran = bench
        .tasks(
            "  - set_fact: {'{{ \"a\" }}_b': 1}\n  - set_stats: {data: {'{{ \"c\" }}_d': 2}}\n  \
             - debug: {msg: '{{ a_b }}'}\n",
        )
        .await;
    assert_eq!(ran.last()["msg"], 1);
    assert_eq!(
        ran.of("set_stats")["ansible_stats"]["data"],
        json!({"c_d": 2})
    );
    bench.file("said.json", r#"{"{{ lookup('env', 'HOME') }}": 1}"#);
    let said = bench.folder.path().join("said.json");
    let ran = bench
        .tasks(&format!(
            "  - {{command: cat {}, register: r}}\n  - {{name: whole, set_fact: '{{{{ r.stdout | from_json }}}}', ignore_errors: true}}\n  \
             - {{name: stats, set_stats: {{data: '{{{{ r.stdout | from_json }}}}'}}, ignore_errors: true}}\n",
            said.display()
        ))
        .await;
    for (task, told) in [
        (
            "whole",
            "Task failed: Invalid variable name '{{ lookup('env', 'HOME') }}'.",
        ),
        (
            "stats",
            "Task failed: Invalid variable name '{{ lookup('env', 'HOME') }}'.",
        ),
    ] {
        assert_eq!(ran.of(task)["msg"], told);
    }
}
