//! Tasks in the background: what they leave on hosts, and who finds them.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Desk, wait_until};

/// A desk whose host is this machine, with a home of its own.
fn desk() -> Desk {
    Desk::local("web01")
}

fn play(desk: &Desk, tasks: &str, status: i32) -> Value {
    let text = format!("- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}");
    let file = desk.file("play.yml", text);
    let args = ["play", "--output", "json", file.to_str().unwrap()];
    serde_json::from_str(&desk.run(&args).ends_with(status).stdout).unwrap()
}

/// The first host's result of each task.
fn results(document: &Value) -> Vec<Value> {
    let tasks = document["plays"][0]["tasks"].as_array().unwrap();
    let first = |task: &Value| task["hosts"].as_object().unwrap().values().next().cloned();
    tasks.iter().map(|task| first(task).unwrap()).collect()
}

fn left(desk: &Desk) -> Vec<PathBuf> {
    match std::fs::read_dir(desk.home().join(".ioms_async")) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => Vec::new(),
    }
}

fn begin(desk: &Desk, task: &str) -> String {
    let said = play(
        desk,
        &format!("    - {task}\n      async: 60\n      poll: 0\n"),
        0,
    );
    results(&said)[0]["ansible_job_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn ask(id: &str, more: &str) -> String {
    format!("    - {{async_status: {{jid: '{id}'{more}}}}}\n")
}

#[test]
fn a_later_run_reads_a_job_to_its_end_and_removes_it() {
    let desk = desk();
    let go = desk.home().join("go");
    let id = begin(
        &desk,
        &format!(
            "shell: \"until [ -e '{}' ]; do sleep 0.1; done; echo through; exit 3\"",
            go.display()
        ),
    );
    let said = play(&desk, &ask(&id, ""), 0);
    let early = &results(&said)[0];
    assert_eq!(
        (&early["finished"], &early["started"]),
        (&false.into(), &true.into()),
        "{early}"
    );
    assert!(!left(&desk).is_empty(), "what is not through stays");
    std::fs::write(&go, "").unwrap();
    let mut end = Value::Null;
    wait_until("the job's end", || {
        let said = desk.run(&[
            "play",
            "--output",
            "json",
            desk.file(
                "play.yml",
                format!(
                    "- hosts: all\n  gather_facts: false\n  tasks:\n{}",
                    ask(&id, "")
                ),
            )
            .to_str()
            .unwrap(),
        ]);
        end = results(&serde_json::from_str(&said.stdout).unwrap())[0].clone();
        end["finished"] == true
    });
    assert_eq!(
        (&end["rc"], &end["stdout"], &end["failed"]),
        (&3.into(), &"through".into(), &true.into()),
        "{end}"
    );
    assert!(end["delta"].is_string(), "{end}");
    assert_eq!(left(&desk), [] as [PathBuf; 0]);
    let said = play(&desk, &ask(&id, ""), 2);
    assert_eq!(results(&said)[0]["msg"], "could not find job");
}

#[test]
fn what_was_read_can_be_read_again_in_the_same_run() {
    let desk = desk();
    let text = "    - {command: echo x, async: 60, poll: 0, register: job}\n".to_owned()
        + "    - {async_status: {jid: '{{ job.ansible_job_id }}'}, register: it, until: it is finished, retries: 50, delay: 0.1}\n"
        + "    - {async_status: {jid: '{{ job.ansible_job_id }}'}}\n";
    let said = results(&play(&desk, &text, 0));
    assert_eq!(said[2]["stdout"], "x", "{said:?}");
    assert_eq!(left(&desk), [] as [PathBuf; 0]);
}

#[test]
fn what_would_ask_the_controller_is_through_when_its_job_begins() {
    let desk = desk();
    let file = desk.home().join("text");
    std::fs::write(&file, "one\n").unwrap();
    let id = begin(
        &desk,
        &format!("lineinfile: {{path: '{}', line: two}}", file.display()),
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "one\ntwo\n");
    let said = results(&play(&desk, &ask(&id, ""), 0));
    assert_eq!(
        (&said[0]["changed"], &said[0]["msg"]),
        (&true.into(), &"line added".into()),
        "{said:?}"
    );
}

#[test]
fn secrets_do_not_stay_with_a_job_and_its_limit_ends_it() {
    let desk = desk();
    let said = play(
        &desk,
        "    - {uri: {url: 'http://127.0.0.1:9/', url_password: very-hidden, url_username: me}, async: 60, poll: 0}\n    - {command: sleep 600, async: 1, poll: 0, register: job}\n    - {async_status: {jid: '{{ job.ansible_job_id }}'}, register: it, until: it is finished, retries: 100, delay: 0.1}\n",
        2,
    );
    let said = results(&said);
    assert_eq!(said[2]["msg"], "Timeout exceeded", "{said:?}");
    let kept: Vec<String> = left(&desk)
        .iter()
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned())
        .collect();
    assert!(!kept.is_empty());
    assert!(
        !kept.iter().any(|text| text.contains("very-hidden")),
        "{kept:?}"
    );
}

#[test]
fn a_job_that_does_not_heed_its_limit_is_killed() {
    let desk = desk();
    let said = play(
        &desk,
        "    - {shell: \"trap '' TERM; sleep 600\", async: 1, poll: 0, register: job}\n    - {async_status: {jid: '{{ job.ansible_job_id }}'}, register: it, until: it is finished, retries: 300, delay: 0.1}\n",
        2,
    );
    let said = results(&said);
    assert_eq!(said[1]["msg"], "Timeout exceeded", "{said:?}");
}

/// What stands in the file that tells of a job.
fn head(desk: &Desk, id: &str) -> String {
    std::fs::read_to_string(desk.home().join(".ioms_async").join(id)).unwrap()
}

#[test]
fn no_log_keeps_a_jobs_parameters_off_its_host_and_its_run_knows_them() {
    let desk = desk();
    let file = desk.home().join("text");
    std::fs::write(&file, "one\n").unwrap();
    let hidden = format!(
        "    - {{command: 'true very-hidden', no_log: true, async: 60, poll: 0, register: job}}\n\
        \x20   - {{lineinfile: {{path: '{}', line: very-hidden}}, no_log: true, async: 60, poll: 0, register: edit}}\n\
        \x20   - debug: {{msg: ['{{{{ job.ansible_job_id }}}}', '{{{{ edit.ansible_job_id }}}}']}}\n",
        file.display()
    );
    let until = ", register: it, until: it is finished, retries: 100, delay: 0.1}\n";
    let said = results(&play(&desk, &hidden, 0));
    let ids = [0, 1].map(|at| said[2]["msg"][at].as_str().unwrap().to_owned());
    for id in &ids {
        assert!(
            !head(&desk, id).contains("very-hidden"),
            "{}",
            head(&desk, id)
        );
    }
    let later = ids.map(|id| format!("    - {{async_status: {{jid: '{id}'}}{until}"));
    let later = results(&play(&desk, &later.concat(), 0));
    assert_eq!(
        (&later[0]["rc"], &later[0]["finished"]),
        (&0.into(), &true.into()),
        "{later:?}"
    );
    assert_eq!(
        (&later[1]["changed"], &later[1]["msg"]),
        (&true.into(), &Value::Null),
        "{later:?}"
    );
    let same = hidden
        + "    - {async_status: {jid: '{{ job.ansible_job_id }}'}"
        + until
        + "    - {async_status: {jid: '{{ edit.ansible_job_id }}'}"
        + until;
    let same = results(&play(&desk, &same, 0));
    assert_eq!(same[3]["cmd"][1], "very-hidden", "{same:?}");
    assert_eq!(same[4]["finished"], true, "{same:?}");
}

#[test]
fn what_ended_a_week_ago_goes_when_another_job_begins() {
    let desk = desk();
    let folder = desk.home().join(".ioms_async");
    std::fs::create_dir(&folder).unwrap();
    let now = std::time::SystemTime::now();
    let write = |name: &str, text: &str, days: u64| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let age = std::time::Duration::from_hours(24 * days);
        file.set_modified(now - age).unwrap();
    };
    let alive = std::process::id().to_string();
    for (name, text, days) in [
        ("jold", "", 9),
        ("jold.pid", "4194305", 9),
        ("jold.out", "", 8),
        ("jold.rc", "0", 8),
        ("jdone", "", 8),
        ("jrecent", "", 9),
        ("jrecent.rc", "0", 1),
        ("jlives", "", 9),
        ("jlives.pid", &alive, 9),
        ("jlives.out", "", 9),
    ] {
        write(name, text, days);
    }
    // Nothing in folders, which may be others' and lead anywhere.
    let below = folder.join("jfolder");
    std::fs::create_dir(&below).unwrap();
    write("jfolder/jold", "", 9);
    begin(&desk, "command: 'true'");
    assert!(below.join("jold").exists());
    let mut names: Vec<String> = left(&desk)
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| ["jold", "jdone", "jrecent", "jlives"].contains(&name.as_str()))
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names, ["jlives", "jrecent"]);
}
