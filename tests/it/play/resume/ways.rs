//! Whatever way hosts go through a play: blocks, includes, batches, strategies.

use super::{Going, HOLD, broken_off, killed, let_go, log, pair, recap, resume, site};

/// A task that writes what it is, by host.
fn write(what: &str) -> String {
    format!("{{name: {what}, shell: 'echo {{{{ inventory_hostname }}}} {what} >> log'}}")
}

/// Each line of both hosts.
fn of_both(lines: &[&str]) -> Vec<String> {
    let hosts = ["web01", "web02"].into_iter();
    let mut all: Vec<String> = hosts
        .flat_map(|host| lines.iter().map(move |line| format!("{host} {line}")))
        .collect();
    all.sort();
    all
}

#[test]
fn a_host_that_is_in_a_rescue_stays_in_it_and_always_comes_after() {
    let desk = pair();
    broken_off(
        &desk,
        &[],
        &format!(
            "  tasks:
    - block:
        - {}
        - {{name: breaks, shell: 'echo {{{{ inventory_hostname }}}} breaks >> log; exit 3'}}
        - {}
      rescue:
        - {}
        - {{name: hold, {HOLD}}}
        - {{name: why, shell: 'echo {{{{ inventory_hostname }}}} {{{{ ansible_failed_result.rc }}}} >> log'}}
      always:
        - {}
    - {}
",
            write("first"),
            write("never"),
            write("saves"),
            write("always"),
            write("after"),
        ),
        "TASK [hold]",
    );
    let ran = resume(&desk, &[]).ends_with(0);
    assert_eq!(
        log(&desk),
        of_both(&["first", "breaks", "saves", "3", "always", "after"])
    );
    assert!(
        recap(&ran, "web01").contains("failed=0 skipped=0 rescued=1"),
        "{}",
        ran.stdout
    );
}

#[test]
fn includes_in_loops_and_roles_go_on_at_the_item_where_they_were() {
    let desk = pair();
    desk.file(
        "part.yml",
        format!(
            "- {{name: part, shell: 'echo {{{{ inventory_hostname }}}} {{{{ item }}}} >> log', notify: tell}}\n\
             - {{name: 'hold {{{{ item }}}}', {HOLD}, when: item == 'b'}}\n"
        ),
    );
    desk.file(
        "roles/part/tasks/main.yml",
        format!("- {}\n", write("role")),
    );
    desk.file("roles/part/defaults/main.yml", "of_role: r\n");
    broken_off(
        &desk,
        &[],
        &format!(
            "  tasks:
    - include_role: {{name: part, public: true}}
    - {{include_tasks: part.yml, loop: [a, b, c]}}
    - {{name: end, shell: 'echo {{{{ inventory_hostname }}}} {{{{ of_role }}}} >> log'}}
  handlers:
    - {}
",
            write("tell")
        ),
        "TASK [hold b]",
    );
    resume(&desk, &[]).ends_with(0);
    assert_eq!(log(&desk), of_both(&["role", "a", "b", "c", "r", "tell"]));
}

#[test]
fn handlers_that_were_done_are_done_and_those_notified_by_them_come() {
    let desk = pair();
    broken_off(
        &desk,
        &[],
        &format!(
            "  tasks:
    - {{name: one, shell: 'echo {{{{ inventory_hostname }}}} one >> log', notify: [first, second]}}
    - meta: flush_handlers
    - {}
  handlers:
    - {{name: first, shell: 'echo {{{{ inventory_hostname }}}} first >> log', notify: third}}
    - {{name: second, {HOLD}, changed_when: true}}
    - {}
",
            write("after"),
            write("third"),
        ),
        "HANDLER [second]",
    );
    resume(&desk, &[]).ends_with(0);
    assert_eq!(log(&desk), of_both(&["one", "first", "third", "after"]));
}

#[test]
fn a_free_run_goes_on_where_each_host_was() {
    let desk = pair();
    site(
        &desk,
        &format!(
            "- hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - {}
    - {{name: hold of one, {HOLD}, when: inventory_hostname == 'web02'}}
    - {}
    - {{name: hold of other, {HOLD}, when: inventory_hostname == 'web01'}}
    - {}
",
            write("one"),
            write("two"),
            write("three"),
        ),
    );
    // web01 has done `two`, web02 has not.
    Going::start(&desk, &["play", "--output", "jsonl", "site.yml"])
        .until("\"hold of other\"")
        .kill();
    assert_eq!(log(&desk), ["web01 one", "web01 two", "web02 one"]);
    let_go(&desk);
    resume(&desk, &[]).ends_with(0);
    assert_eq!(log(&desk), of_both(&["one", "two", "three"]));
}

#[test]
fn batches_that_are_through_are_passed_over_and_run_once_stays_once() {
    let desk = pair();
    site(
        &desk,
        &format!(
            "- hosts: all
  gather_facts: false
  serial: 1
  any_errors_fatal: true
  tasks:
    - {}
    - {{name: once, shell: 'echo once >> log', run_once: true, register: o, delegate_to: localhost}}
    - {{name: hold, {HOLD}, when: inventory_hostname == 'web02'}}
    - {{name: end, shell: 'echo {{{{ inventory_hostname }}}} {{{{ o.rc }}}} >> log'}}
",
            write("one"),
        ),
    );
    let going = Going::start(&desk, &["play", "site.yml"]).until("TASK [hold]");
    // The second batch's.
    let mut going = going;
    going.said.clear();
    going.until("TASK [hold]").kill();
    let_go(&desk);
    let ran = resume(&desk, &[]).ends_with(0);
    assert_eq!(
        log(&desk),
        [
            "once",
            "once",
            "web01 0",
            "web01 one",
            "web02 0",
            "web02 one"
        ]
    );
    assert_eq!(
        ran.stdout.matches("PLAY [all]").count(),
        2,
        "{}",
        ran.stdout
    );
}

#[test]
fn a_run_that_began_at_a_task_begins_there_again() {
    let desk = pair();
    site(
        &desk,
        &format!(
            "- hosts: all\n  gather_facts: false\n  tasks:\n    - {}\n    - {}\n    - {{name: hold, {HOLD}}}\n    - {}\n",
            write("never"),
            write("begin"),
            write("end"),
        ),
    );
    killed(
        &desk,
        &["site.yml", "--start-at-task", "begin"],
        "TASK [hold]",
    );
    let_go(&desk);
    resume(&desk, &[]).ends_with(0);
    assert_eq!(log(&desk), of_both(&["begin", "end"]));
}

#[test]
fn hosts_that_failed_or_were_told_to_end_do_not_come_back() {
    let desk = pair();
    broken_off(
        &desk,
        &[],
        &format!(
            "  tasks:
    - {{name: breaks, shell: 'echo {{{{ inventory_hostname }}}} breaks >> log; exit 1', when: inventory_hostname == 'web01'}}
    - {{name: hold, {HOLD}}}
    - {}
    - {{meta: end_host}}
    - {}
",
            write("end"),
            write("never"),
        ),
        "TASK [hold]",
    );
    let ran = resume(&desk, &[]).ends_with(2);
    assert_eq!(log(&desk), ["web01 breaks", "web02 end"]);
    assert!(recap(&ran, "web01").contains("failed=1"), "{}", ran.stdout);
}

#[test]
fn a_job_in_the_background_is_known_and_retries_are_shown() {
    let desk = pair();
    site(
        &desk,
        &format!(
            "- hosts: web01
  gather_facts: false
  tasks:
    - {{name: tries, shell: 'echo try >> log; test $(wc -l < log) -ge 2', register: t, until: t is success, delay: 0}}
    - {{name: job, shell: 'echo job >> log; echo of the job', async: 60, poll: 0, register: j}}
    - {{name: hold, {HOLD}}}
    - {{name: ask, async_status: {{jid: '{{{{ j.ansible_job_id }}}}'}}, register: s, until: s is finished, delay: 1, retries: 20}}
    - {{name: end, shell: 'echo {{{{ s.stdout }}}} {{{{ t.attempts }}}} >> log'}}
"
        ),
    );
    killed(&desk, &["site.yml"], "TASK [hold]");
    let_go(&desk);
    let ran = resume(&desk, &[]).ends_with(0);
    assert_eq!(log(&desk), ["job", "of the job 2", "try", "try"]);
    assert!(
        ran.stdout.contains("FAILED - RETRYING: [web01]: tries"),
        "{}",
        ran.stdout
    );
}
