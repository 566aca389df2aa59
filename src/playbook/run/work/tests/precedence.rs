//! Which of two variables holds.

use super::*;

/// What `who` is where exactly these say it.
async fn winner(bench: &Bench, play: &str) -> Json {
    bench.play(play).await.last()["msg"].clone()
}

#[tokio::test]
async fn the_order_is_ansibles() {
    let mut bench = Bench::new();
    bench
        .file("roles/r/defaults/main.yml", "who: role defaults\n")
        .file("roles/r/tasks/main.yml", "- debug: {msg: '{{ who }}'}\n");
    let role = "- {hosts: all, gather_facts: false, roles: [r]}\n";
    assert_eq!(winner(&bench, role).await, "role defaults");
    bench.inventory = "all: {vars: {who: group all}, hosts: {one: {}}}\n".into();
    assert_eq!(winner(&bench, role).await, "group all");
    bench.inventory = "all: {vars: {who: group all}, hosts: {one: {who: host}}}\n".into();
    assert_eq!(winner(&bench, role).await, "host");
    bench.inventory = "all: {vars: {who: group all}, hosts: {one: {}}}\n".into();
    bench.file("group_vars/all.yml", "who: beside the playbook\n");
    assert_eq!(winner(&bench, role).await, "beside the playbook");
    let play = "- {hosts: all, gather_facts: false, vars: {who: play}, roles: [r]}\n";
    assert_eq!(winner(&bench, play).await, "play");
    bench.file("f.yml", "who: vars_files\n");
    let play =
        "- {hosts: all, gather_facts: false, vars: {who: play}, vars_files: [f.yml], roles: [r]}\n";
    assert_eq!(winner(&bench, play).await, "vars_files");
    bench.file("roles/r/vars/main.yml", "who: role vars\n");
    assert_eq!(winner(&bench, play).await, "role vars");
    bench.file(
        "roles/r/tasks/main.yml",
        "- block:\n  - debug: {msg: '{{ who }}'}\n  vars: {who: block}\n",
    );
    assert_eq!(winner(&bench, play).await, "block");
    bench.file(
        "roles/r/tasks/main.yml",
        "- set_fact: {who: set_fact}\n- block:\n  - {debug: {msg: '{{ who }}'}, vars: {who: task}}\n  vars: {who: block}\n",
    );
    assert_eq!(winner(&bench, play).await, "set_fact");
    let params = "- {hosts: all, gather_facts: false, roles: [{role: r, who: params}]}\n";
    assert_eq!(winner(&bench, params).await, "params");
    let found = crate::template::Found {
        value: Value::string("-e"),
        origin: "-e".into(),
        secret: false,
    };
    bench.extra.insert("who".into(), found);
    assert_eq!(winner(&bench, params).await, "-e");
}

#[tokio::test]
async fn variables_of_other_hosts_and_of_the_run() {
    let mut bench = Bench::new();
    bench.inventory =
        "all: {children: {web: {hosts: {one: {port: 1}, two.example: {port: 2}}}}}\n".into();
    let ran = bench
        .tasks(
            "  - {set_fact: {mine: '{{ inventory_hostname_short }}-{{ port }}'}}\n  - debug:\n      msg: \"{{ \
             hostvars['two.example'].mine }} {{ hostvars.one.port }} {{ groups.web | join(',') }} {{ group_names }} {{ \
             ansible_play_hosts | length }} {{ ansible_version.full is version('2.19', '>=') }} {{ ansible_check_mode }}\"\n",
        )
        .await;
    assert_eq!(
        ran.last()["msg"],
        "two-2 1 one,two.example ['web'] 2 True False"
    );
}

#[tokio::test]
async fn what_says_how_a_host_is_reached_or_a_play_called_may_ask_for_just_that() {
    let bench = Bench::new();
    let ran = bench
        .play(
            "- hosts: all\n  name: \"{{ ansible_play_name | length }}\"\n  gather_facts: false\n  remote_user: \"{{ ansible_user | default('root') }}\"\n  \
             port: \"{{ ansible_ssh_port | default(22) }}\"\n  tasks:\n  \
             - debug: {msg: '{{ ansible_play_name }} {{ ansible_user }} {{ ansible_ssh_user }} {{ ansible_port }} {{ ansible_host }}'}\n    \
               vars: {ansible_host: \"{{ ansible_ssh_host | default('h') }}\"}\n",
        )
        .await;
    assert_eq!(ran.last()["msg"], "32 root root 22 h");
}
