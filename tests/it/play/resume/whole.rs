//! What was done is not done again, and what was known is known.

use std::collections::HashSet;

use super::{HOLD, killed, let_go, log, newest, pair, recap, resume, site};
use crate::support::{Desk, Lab, read};

#[test]
fn tasks_that_are_done_are_not_done_again_and_all_that_they_made_known_is_known() {
    let desk = pair();
    desk.file("more.yml", "of_file: '{{ inventory_hostname }}!'\n");
    site(
        &desk,
        &format!(
            "- hosts: all
  tasks:
    - {{name: one, shell: 'echo {{{{ inventory_hostname }}}} one >> log; echo said', register: r, notify: tell}}
    - set_fact: {{list: [1, '{{{{ r.stdout }}}}', {{deep: null}}], lazy: '{{% raw %}}{{{{ no }}}}{{% endraw %}}'}}
    - include_vars: more.yml
    - {{name: items, shell: 'echo {{{{ inventory_hostname }}}} {{{{ item }}}} >> log', loop: [x, y], register: items}}
    - add_host: {{name: extra, groups: [late], from_task: '{{{{ r.stdout }}}}'}}
    - group_by: {{key: 'by_{{{{ inventory_hostname }}}}'}}
    - set_stats: {{data: {{runs: 1}}}}
    - {{name: facts of another, setup: {{gather_subset: ['!all']}}, delegate_to: extra, delegate_facts: true, run_once: true}}
    - {{name: hold, {HOLD}}}
    - name: known
      shell: echo {{{{ inventory_hostname }}}} {{{{ list }}}} {{{{ of_file }}}} {{{{ items.results | length }}}} {{{{ ansible_facts.system }}}} >> log
    - {{name: known of another, shell: 'echo {{{{ hostvars.extra.ansible_facts.system }}}} {{{{ hostvars.extra.from_task }}}} >> log', run_once: true}}
  handlers:
    - {{name: tell, shell: 'echo {{{{ inventory_hostname }}}} told >> log'}}
- hosts: late:by_web02
  gather_facts: false
  tasks:
    - {{name: last, shell: 'echo {{{{ inventory_hostname }}}} last >> log', delegate_to: web01}}
",
        ),
    );
    killed(&desk, &["site.yml"], "TASK [hold]");
    let before = newest(&desk);
    let_go(&desk);
    let ran = resume(&desk, &[]).ends_with(0);
    let hosts = |line: &str| [format!("web01 {line}"), format!("web02 {line}")];
    let mut expected = [
        "Linux said".to_owned(),
        "extra last".to_owned(),
        "web02 last".to_owned(),
    ]
    .to_vec();
    for line in ["one", "x", "y", "told"] {
        expected.extend(hosts(line));
    }
    for host in ["web01", "web02"] {
        expected.push(format!("{host} [1, said, {{deep: None}}] {host}! 2 Linux"));
    }
    expected.sort();
    assert_eq!(log(&desk), expected, "{}", ran.said());
    // The run is shown and counted as a whole.
    assert!(ran.stdout.contains("=> (item=y)"), "{}", ran.stdout);
    assert!(
        recap(&ran, "web02").starts_with("ok=11 changed=6"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stderr.contains(&format!("run {before} goes on: ")),
        "{}",
        ran.stderr
    );
    let shown = desk.run(&["history", "show"]).ends_with(0).stdout;
    assert!(
        shown.contains(&format!("it goes on with run {before}\n")),
        "{shown}"
    );
    assert!(
        shown.contains("TASK [one]") && shown.contains("TASK [last]"),
        "{shown}"
    );
    // Nothing is left of either.
    let again = resume(&desk, &[]).ends_with(1).stderr;
    assert!(again.contains("came to its end"), "{again}");
    let again = resume(&desk, &[&before]).ends_with(1).stderr;
    assert!(
        again.contains(&format!("went on as run {}", newest(&desk))),
        "{again}"
    );
}

#[test]
fn hosts_are_shuffled_as_they_were_so_that_batches_are_the_same() {
    let names: Vec<String> = (1..=12).map(|number| format!("h{number}: ")).collect();
    let desk = Desk::with(&format!(
        "all:\n  vars: {{ansible_connection: local}}\n  hosts: {{{}}}\n",
        names.join(", ")
    ));
    site(
        &desk,
        &format!(
            "- hosts: all
  gather_facts: false
  order: shuffle
  serial: 2
  tasks:
    - {{shell: 'echo {{{{ ansible_play_batch | join(\" \") }}}} >> log'}}
    - {{name: 'hold {{{{ said }}}}', {HOLD}, when: said == 6, vars: {{said: '{{{{ lookup(\"file\", \"log\").splitlines() | length }}}}'}}}}
",
        ),
    );
    killed(&desk, &["site.yml"], "TASK [hold 6]");
    let before = log(&desk);
    let_go(&desk);
    let ran = resume(&desk, &[]).ends_with(0);
    // Each host says who is with it: two say the same, and nobody is named twice.
    let mut said = log(&desk);
    assert_eq!(said.len(), 12, "{}", ran.said());
    assert!(before.iter().all(|line| said.contains(line)), "{said:#?}");
    said.dedup();
    let named: HashSet<&str> = said.iter().flat_map(|line| line.split(' ')).collect();
    assert_eq!((said.len(), named.len()), (6, 12), "{said:#?}");
}

#[test]
fn a_resumed_run_that_is_killed_goes_on_too() {
    let desk = pair();
    let text = format!(
        "- hosts: all
  gather_facts: false
  tasks:
    - {{name: one, shell: 'echo {{{{ inventory_hostname }}}} one >> log', register: r}}
    - {{name: first hold, {HOLD}}}
    - {{name: two, shell: 'echo {{{{ inventory_hostname }}}} two >> log'}}
    - {{name: second hold, wait_for: {{path: go on, timeout: 60}}}}
    - {{name: three, shell: 'echo {{{{ inventory_hostname }}}} three {{{{ r.rc }}}} >> log'}}
"
    );
    site(&desk, &text);
    killed(&desk, &["site.yml"], "TASK [first hold]");
    let_go(&desk);
    super::Going::start(&desk, &["resume"])
        .until("TASK [second hold]")
        .kill();
    desk.file("go on", "");
    let ran = resume(&desk, &[]).ends_with(0);
    assert_eq!(
        log(&desk),
        [
            "web01 one",
            "web01 three 0",
            "web01 two",
            "web02 one",
            "web02 three 0",
            "web02 two"
        ]
    );
    assert!(
        recap(&ran, "web01").starts_with("ok=5 changed=3"),
        "{}",
        ran.stdout
    );
}

#[test]
fn the_flags_of_the_run_hold_again() {
    let desk = pair();
    desk.file("vars.yml", "b: of file\n");
    let hosts = desk.file("hosts", "web02\n");
    site(
        &desk,
        &format!(
            "- hosts: all
  gather_facts: false
  tasks:
    - {{name: not this, shell: echo wrong >> log}}
    - {{name: begin, shell: 'echo {{{{ a }}}} {{{{ b }}}} >> log', tags: some}}
    - {{name: hold, {HOLD}, tags: some}}
    - {{name: end, shell: 'echo {{{{ inventory_hostname }}}} {{{{ a }}}} {{{{ b }}}} {{{{ ansible_limit }}}} >> log', tags: some}}
    - {{name: nor this, shell: echo wrong >> log, tags: [some, other]}}
"
        ),
    );
    let flags = [
        "site.yml",
        "--limit",
        "@hosts",
        "--tags",
        "some",
        "--skip-tags",
        "other",
        "-e",
        "a=1",
        "-e",
        "@vars.yml",
    ];
    killed(&desk, &flags, "TASK [hold]");
    let_go(&desk);
    std::fs::remove_file(hosts).unwrap();
    let document = resume(&desk, &["--output", "json"]).ends_with(0).stdout;
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["plays"][0]["tasks"].as_array().unwrap().len(), 3);
    assert_eq!(log(&desk), ["1 of file", "web02 1 of file web02"]);
}

#[test]
fn on_hosts_over_ssh_only_what_is_left_is_done() {
    let lab = Lab::new(3);
    let log = lab.desk.dir.path().join("log");
    site(
        &lab.desk,
        &format!(
            "- hosts: all
  tasks:
    - {{name: one, shell: 'echo {{{{ inventory_hostname }}}} one >> {log}', register: r, notify: tell}}
    - {{name: a file, copy: {{content: '{{{{ r.rc }}}}', dest: '{log}.{{{{ inventory_hostname }}}}'}}, register: file}}
    - {{name: hold, wait_for: {{path: '{log}.go', timeout: 60}}}}
    - {{name: two, shell: 'echo {{{{ inventory_hostname }}}} two {{{{ file.checksum | length }}}} {{{{ ansible_facts.system }}}} >> {log}'}}
  handlers:
    - {{name: tell, shell: 'echo {{{{ inventory_hostname }}}} told >> {log}'}}
",
            log = log.display()
        ),
    );
    killed(&lab.desk, &["site.yml"], "TASK [hold]");
    std::fs::write(lab.desk.dir.path().join("log.go"), "").unwrap();
    resume(&lab.desk, &[]).ends_with(0);
    let text = read(&log);
    let count = |what: &str| text.lines().filter(|line| line.ends_with(what)).count();
    assert_eq!(
        [
            count(" one"),
            count(" two 40 Linux"),
            count(" told"),
            text.lines().count()
        ],
        [3, 3, 3, 9],
        "{text}"
    );
}
