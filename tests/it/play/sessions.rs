//! Tasks of a host share one shell: what that saves, and what it keeps apart.

use serde_json::Value;

use super::playbook;
use crate::support::{Lab, runs, wait_until};
use crate::users::User;
use ioms_fleet::Sshd;

/// What a play of these tasks says of the first host.
fn played(lab: &Lab, tasks: &str) -> Vec<Value> {
    let site = playbook(&lab.desk, tasks);
    let document = lab.json(&["play", site.to_str().unwrap()]);
    let tasks = document["plays"][0]["tasks"].as_array().unwrap();
    let first = |task: &Value| task["hosts"].as_object().unwrap().values().next().cloned();
    tasks.iter().map(|task| first(task).unwrap()).collect()
}

fn sessions(lab: &Lab) -> usize {
    lab.sshd.log().matches("Starting session").count()
}

#[test]
fn nothing_of_a_task_is_left_for_the_next_one() {
    let lab = Lab::new(1);
    let said = played(
        &lab,
        "\
- shell: cat; pwd; umask 077; cd /; export LEFT=1; trap 'echo trapped' EXIT; set -f; exit 3
  environment: {GIVEN: \"two\\nlines\", LEFT: x}
  failed_when: false
- shell: cat; pwd; umask; echo \"$GIVEN$LEFT.\" /et[c]; ls -l /proc/self/fd | grep -c pipe
",
    );
    let first = said[0]["stdout"].as_str().unwrap();
    let home = first.lines().next().unwrap();
    assert_eq!(
        (first, &said[0]["rc"]),
        (format!("{home}\ntrapped").as_str(), &3.into())
    );
    // Its three streams, and no more.
    assert_eq!(
        said[1]["stdout"],
        format!("{home}\n0022\n. /etc\n2"),
        "{said:?}"
    );
    assert_eq!(sessions(&lab), 1);
}

#[test]
fn what_a_command_leaves_running_neither_holds_up_the_play_nor_speaks_in_later_tasks() {
    let lab = Lab::new(1);
    let mark = format!("ioms-noise-{}", std::process::id());
    let noise = lab.desk.file(
        &mark,
        "while :; do echo noise; echo noise >&2; sleep 0.05; done\n",
    );
    let said = played(
        &lab,
        &format!(
            "\
- shell: sh {} & echo begun
- shell: sleep 0.3; echo quiet
- command: seq 20000
- copy: {{content: text, dest: '{}/copied'}}
",
            noise.display(),
            lab.desk.home().display()
        ),
    );
    assert!(
        said[0]["stdout"].as_str().unwrap().contains("begun"),
        "{said:?}"
    );
    for (task, text) in [
        (1, "quiet".to_owned()),
        (
            2,
            (1..=20000)
                .map(|n| n.to_string())
                .collect::<Vec<_>>()
                .join("\n"),
        ),
    ] {
        assert_eq!(
            (&said[task]["stdout"], &said[task]["stderr"]),
            (&text.into(), &"".into())
        );
    }
    assert_eq!(said[3]["changed"], true);
    // Nobody reads it any more.
    wait_until("the command ends with its pipe", || !runs(&mark));
}

#[test]
fn what_speaks_on_a_resting_shell_holds_up_nothing_on_its_connection() {
    let lab = Lab::new(1);
    let ready = lab.desk.dir.path().join("ready").display().to_string();
    let noise = lab.desk.file(
        "noise",
        format!(
            "\
# The shell: the first process below sshd.
up() {{ ps -o ppid= -p $1 | tr -d ' '; }}
shell=$$
while parent=$(up $shell); ! case $(ps -o comm= -p $parent) in sshd*) ;; *) false ;; esac; do shell=$parent; done
exec 8>/proc/$shell/fd/1 9>/proc/$shell/fd/2 || exit 1
(until [ -e {ready} ]; do sleep 0.05; done; seq 200000 >&8; seq 200000 >&9; echo >{ready}.said) >/dev/null 2>&1 &
"
        ),
    );
    let said = played(
        &lab,
        &format!(
            "\
- shell: sh {}
- {{raw: 'touch {ready}; until [ -e {ready}.said ]; do sleep 0.05; done; echo raw', timeout: 20}}
- {{fetch: {{src: {ready}.said, dest: fetched}}, timeout: 20}}
- {{command: echo on, timeout: 20}}
",
            noise.display(),
        ),
    );
    assert_eq!(said[1]["stdout"], "raw\n", "{said:?}");
    assert_eq!(said[2]["changed"], true, "{said:?}");
    assert_eq!(said[3]["stdout"], "on", "{said:?}");
}

#[test]
fn a_task_that_does_not_end_takes_the_shell_with_it_and_the_next_begins_another() {
    let lab = Lab::new(1);
    let mark = format!("31{}", std::process::id());
    let said = played(
        &lab,
        &format!(
            "\
- {{command: sleep {mark}, timeout: 1, ignore_errors: true}}
- command: echo on
- {{shell: 'kill -9 -$(ps -o pgid= $$ | xargs)', ignore_errors: true}}
- command: echo and on
"
        ),
    );
    assert_eq!(said[0]["error"]["kind"], "timeout", "{said:?}");
    assert_eq!(said[2]["failed"], true, "{said:?}");
    assert_eq!(
        (&said[1]["stdout"], &said[3]["stdout"]),
        (&"on".into(), &"and on".into())
    );
    assert!(!runs(&format!("sleep {mark}")));
}

#[test]
fn the_end_of_a_task_is_not_that_of_what_earlier_ones_left_running() {
    let lab = Lab::new(1);
    let [stays, goes] = ["32", "33"].map(|digits| format!("{digits}{}", std::process::id()));
    let said = played(
        &lab,
        &format!(
            "\
- shell: nohup sleep {stays} >/dev/null 2>&1 </dev/null &
- {{shell: '(sleep {goes}; true); true', timeout: 1, ignore_errors: true}}
- command: echo on
"
        ),
    );
    assert_eq!(said[1]["error"]["kind"], "timeout", "{said:?}");
    assert_eq!(said[2]["stdout"], "on");
    assert!(runs(&format!("sleep {stays}")) && !runs(&format!("sleep {goes}")));
    let kill = ["-f".to_owned(), format!("sleep {stays}")];
    assert!(
        std::process::Command::new("pkill")
            .args(kill)
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn a_users_own_module_has_a_shell_of_its_own_and_ends_as_it_likes() {
    let lab = Lab::new(1);
    for (name, script) in [
        ("quiet", "exec 2>/dev/null; set -e; put a b; false"),
        ("mute", "exec >/dev/null; exit 3"),
        ("own199", "exec sh -c 'exit 199'"),
        ("given", "ls -l /proc/self/fd | grep -c pipe >&2; put a b"),
    ] {
        let text = format!("module: {name}\nshort_description: x\nposix: \"{script}\"\n");
        lab.desk.file(&format!("modules/{name}.yml"), text);
    }
    let own = |name: &str| format!("- {{{name}: , ignore_errors: true}}\n");
    let tasks: String = ["quiet", "mute", "own199", "given"].map(own).concat();
    let said = played(
        &lab,
        &format!("- command: echo on\n{tasks}- command: echo on\n"),
    );
    let failed: Vec<_> = said.iter().map(|result| result["failed"] == true).collect();
    assert_eq!(failed, [false, true, true, true, false, false], "{said:?}");
    assert_eq!(sessions(&lab), 5);
}

#[test]
fn content_that_nobody_reads_is_in_nobodys_way() {
    let lab = Lab::new(1);
    let home = lab.desk.home().display().to_string();
    lab.desk.file("small", "s".repeat(60_000));
    lab.desk.file("large", "l".repeat(200_000));
    let copies = format!(
        "- {{copy: {{src: small, dest: '{home}/to/small'}}, ignore_errors: true}}
- {{copy: {{src: large, dest: '{home}/to/large'}}, ignore_errors: true}}
- copy: {{src: small, dest: '{home}/small.copy'}}
- copy: {{src: large, dest: '{home}/large.copy'}}
- lineinfile: {{path: '{home}/small.copy', line: last}}
"
    );
    let said = played(&lab, &format!("{copies}{copies}- command: echo through\n"));
    let all = |field: &str| said.iter().filter(|result| result[field] == true).count();
    // Twice the folder that is not there; the second time nothing but the line that was cut off again.
    assert_eq!((all("failed"), all("changed")), (4, 6), "{said:?}");
    assert_eq!(said.last().unwrap()["stdout"], "through");
    assert_eq!(sessions(&lab), 1, "{}", lab.sshd.log());
}

#[test]
fn hosts_that_grant_one_session_at_a_time_are_served_too() {
    let sshd = Sshd::builder().config("MaxSessions 1").start().unwrap();
    let lab = Lab::on(sshd, 1, 0);
    let said = played(
        &lab,
        "\
- command: echo kept
- raw: echo raw
- command: echo kept again
- {command: sleep 60, timeout: 1, ignore_errors: true}
- command: echo still
- pause: {seconds: 3}
- command: echo awake
",
    );
    assert_eq!(said[3]["error"]["kind"], "timeout", "{said:?}");
    let heard: Vec<_> = said
        .iter()
        .filter_map(|result| result["stdout"].as_str())
        .collect();
    assert_eq!(heard[..4], ["kept", "raw\n", "kept again", "still"]);
    assert_eq!(heard.last(), Some(&"awake"));
}

#[test]
fn tasks_for_one_host_that_come_together_do_not_wait_for_each_other() {
    let lab = Lab::new(3);
    let meeting = lab.desk.home().join("meeting");
    std::fs::create_dir(&meeting).unwrap();
    let site = playbook(
        &lab.desk,
        &format!(
            "- shell: 'touch {0}/{{{{ inventory_hostname }}}}; until [ $(ls {0} | wc -l) = 3 ]; do sleep 0.05; done'
  delegate_to: web01
  timeout: 60\n",
            meeting.display()
        ),
    );
    let document = lab.json(&["play", site.to_str().unwrap()]);
    assert_eq!(document["summary"]["changed"], 3, "{document}");
}

#[test]
fn every_user_has_a_shell_of_its_own() {
    if ioms_fleet::left_out("becoming another user", "root") {
        return;
    }
    let lab = Lab::new(1);
    let user = User::new("/bin/bash");
    let said = played(
        &lab,
        &format!(
            "\
- command: id -un
- {{command: id -un, become: true, become_user: {0}}}
- {{command: id -un, become: true, become_user: {0}}}
- {{command: id -un, become: true, become_user: nobody}}
- command: id -un
",
            user.name
        ),
    );
    let who: Vec<_> = said
        .iter()
        .map(|result| result["stdout"].as_str().unwrap())
        .collect();
    let name = user.name.as_str();
    assert_eq!(who, ["root", name, name, "nobody", "root"]);
    assert_eq!(sessions(&lab), 4);
}
