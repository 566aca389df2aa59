//! Time limits, gates, batches and interruption: every wait ends, commands are ended on the host
//! with their children, and the record says what happened.

use std::io::BufRead as _;
use std::time::{Duration, Instant};

use crate::support::{Desk, Lab, each, only, runs, signal, wait_until};

/// An argument that only this test's processes have.
fn token(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

#[test]
fn a_command_over_its_time_is_ended_with_its_children() {
    let lab = Lab::new(2);
    let token = token("over-time");
    let began = Instant::now();
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--timeout",
        "1",
        &format!("(exec -a {token} sleep 300) & (exec -a {token} sleep 300); wait"),
    ]);
    assert!(began.elapsed() < Duration::from_secs(20));
    for host in document["hosts"].as_array().unwrap() {
        assert_eq!(
            (&host["outcome"], &host["error"]["kind"]),
            (&"timed_out".into(), &"timeout".into()),
            "{host}"
        );
        assert!(
            !host["error"]["message"]
                .as_str()
                .unwrap()
                .contains("may still"),
            "{host}"
        );
    }
    assert!(!runs(&token), "its children are gone too");
}

#[test]
fn a_command_that_is_deaf_to_term_is_killed() {
    let lab = Lab::new(1);
    let token = token("deaf");
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--timeout",
        "1",
        &format!("trap '' TERM INT HUP; while :; do (exec -a {token} sleep 1); done"),
    ]);
    assert_eq!(only(&document)["outcome"], "timed_out");
    wait_until("it is killed", || !runs(&token));
}

#[test]
fn a_command_that_talks_without_end_is_ended_in_time() {
    let lab = Lab::new(1);
    let token = token("endless");
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--timeout",
        "1",
        "--max-output",
        "10k",
        &format!("exec -a {token} yes"),
    ]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["truncated"]),
        (&"timed_out".into(), &true.into())
    );
    assert!(!runs(&token));
}

#[test]
fn last_words_after_a_time_out_are_kept() {
    let lab = Lab::new(1);
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--timeout",
        "1",
        "trap 'echo cleaned up; exit 1' TERM; echo begun; sleep 30 & wait",
    ]);
    assert_eq!(only(&document)["stdout"], "begun\ncleaned up\n");
}

#[test]
fn silence_is_a_limit_of_its_own() {
    let lab = Lab::new(1);
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--idle-timeout",
        "1",
        "echo x; sleep 0.6; echo x; sleep 0.6; echo x; sleep 30",
    ]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["error"]["kind"]),
        (&"timed_out".into(), &"idle_timeout".into())
    );
    assert_eq!(host["stdout"], "x\nx\nx\n");
}

#[test]
fn children_in_the_background_live_on_and_hold_nobody_up() {
    let lab = Lab::new(1);
    let token = token("background");
    let began = Instant::now();
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        &format!("(exec -a {token} sleep 20) & echo started"),
    ]);
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["stdout"]),
        (&"ok".into(), &"started\n".into())
    );
    assert!(runs(&token), "it lives");
    let _ = std::process::Command::new("pkill")
        .args(["-f", &token])
        .status();
}

#[test]
fn a_deadline_times_out_who_runs_and_cancels_who_waits() {
    let lab = Lab::new(4);
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--forks",
        "2",
        "--deadline",
        "1",
        "sleep 30",
    ]);
    let outcomes: Vec<&str> = document["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| host["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        ["timed_out", "timed_out", "cancelled", "cancelled"]
    );
    assert!(
        document["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|host| host["error"]["kind"] == "deadline")
    );
}

#[test]
fn batches_roll_and_a_gate_closes() {
    let lab = Lab::new(8);
    let stamp = lab.desk.dir.path().join("stamps");
    let batches = format!("date +%s.%N >> {}; sleep 0.3", stamp.display());
    lab.run(&["run", "-g", "all", "--serial", "1,3", &batches])
        .ends_with(0);
    let text = std::fs::read_to_string(&stamp).unwrap();
    let mut times: Vec<f64> = text.lines().map(|line| line.parse().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    let gaps: Vec<usize> = times
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[1] - pair[0] > 0.25)
        .map(|(at, _)| at + 1)
        .collect();
    assert_eq!(
        gaps,
        [1, 4, 7],
        "batches of 1, 3, 3 and the rest: {times:?}"
    );

    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--serial",
        "2",
        "--max-fail",
        "1",
        "exit 1",
    ]);
    assert_eq!(
        (
            &document["summary"]["failed"],
            &document["summary"]["cancelled"]
        ),
        (&2.into(), &6.into())
    );
    let last = &document["hosts"][7];
    assert_eq!(
        (&last["outcome"], &last["error"]["kind"]),
        (&"cancelled".into(), &"gate".into())
    );
}

#[test]
fn the_first_interrupt_asks_running_hosts_to_stop_and_says_so_on_record() {
    let lab = Lab::new(3);
    let token = token("interrupted");
    let child = lab.desk.start(&[
        "run",
        "-g",
        "all",
        "--forks",
        "2",
        &format!("exec -a {token} sleep 300"),
    ]);
    wait_until("the command runs", || runs(&token));
    signal(&child, "INT");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    assert!(!runs(&token), "what ran is ended");
    let newest = lab.json(&["history", "list"])["runs"][0].clone();
    assert_eq!(newest["outcome"], "interrupted");
    let shown = lab.json(&["history", "show", newest["run"].as_str().unwrap()]);
    assert!(
        shown["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|host| host["outcome"] == "cancelled" && host["error"]["kind"] == "interrupted"),
        "{shown}"
    );
}

#[test]
fn a_second_interrupt_leaves_at_once() {
    let lab = Lab::new(1);
    let token = token("twice");
    let child = lab.desk.start(&[
        "run",
        "-g",
        "all",
        &format!("trap '' TERM; while :; do (exec -a {token} sleep 1); done"),
    ]);
    wait_until("the command runs", || runs(&token));
    let began = Instant::now();
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(200));
    signal(&child, "INT");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    let said = String::from_utf8_lossy(&ended.stdout).into_owned()
        + &String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("pgid"), "{said}");
    let _ = std::process::Command::new("pkill")
        .args(["-KILL", "-f", &token])
        .status();
}

#[test]
fn a_terminated_controller_ends_with_143_and_a_killed_one_is_completed_later() {
    let lab = Lab::new(1);
    let token = token("ended");
    let command = format!("exec -a {token} sleep 20");
    let child = lab.desk.start(&["run", "-g", "all", &command]);
    wait_until("the command runs", || runs(&token));
    signal(&child, "TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    wait_until("it is ended", || !runs(&token));

    let child = lab.desk.start(&["run", "-g", "all", &command]);
    wait_until("the command runs", || runs(&token));
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "KILL");
    child.wait_with_output().unwrap();
    let runs = lab.json(&["history", "list"]);
    assert_eq!(runs["runs"][0]["outcome"], "interrupted", "{runs}");
    let shown = lab.json(&["history", "show", runs["runs"][0]["run"].as_str().unwrap()]);
    let host = only(&shown);
    assert_eq!(
        (&host["outcome"], &host["error"]["kind"]),
        (&"failed".into(), &"controller_lost".into())
    );
    let _ = std::process::Command::new("pkill")
        .args(["-f", &token])
        .status();
}

#[test]
fn while_it_waits_it_says_for_whom() {
    let lab = Lab::new(3);
    let mut child = lab.desk.start(&[
        "run",
        "-g",
        "all",
        "--timeout",
        "0",
        "[ $(echo $SSH_CONNECTION | cut -d' ' -f3) != 127.10.0.2 ] || sleep 60",
    ]);
    let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let waited = stderr
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("waiting on"));
    signal(&child, "INT");
    child.wait().unwrap();
    assert!(
        waited.as_ref().is_some_and(|line| line.contains("web02 (")),
        "{waited:?}"
    );
}

#[test]
fn only_hosts_whose_command_was_not_started_are_tried_again() {
    let desk = Desk::with("all: {hosts: {down: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n");
    let document = desk.json(&["run", "-g", "all", "--retries", "2", "true"]);
    assert_eq!(only(&document)["attempts"], 3);
    let lab = Lab::new(1);
    let document = lab.json(&["run", "-g", "all", "--retries", "2", "exit 1"]);
    assert_eq!(only(&document)["attempts"], 1);
}

#[test]
fn a_command_that_may_have_begun_is_never_run_again() {
    let lab = Lab::new(1);
    // The connection dies before the hello: nobody knows whether the command ran.
    lab.sshd_home(".bashrc", "kill -9 $PPID; sleep 1\n");
    let mark = lab.desk.dir.path().join("ran");
    let command = format!("echo x >> {}", mark.display());
    let document = lab.json(&["run", "-g", "all", "--retries", "3", &command]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["attempts"]),
        (&"failed".into(), &1.into()),
        "{host}"
    );
    assert_eq!(host["error"]["kind"], "disconnected", "{host}");
    std::thread::sleep(Duration::from_secs(2));
    assert!(
        std::fs::read_to_string(&mark).unwrap_or_default().len() <= 2,
        "at most once"
    );
}

#[test]
fn a_deadline_holds_after_a_gate_was_closed() {
    let lab = Lab::new(4);
    let began = Instant::now();
    let command = "[ $(echo $SSH_CONNECTION | cut -d' ' -f3) = 127.10.0.1 ] && exit 1; sleep 30";
    let ran = lab.run(&[
        "run",
        "-g",
        "all",
        "--forks",
        "2",
        "--max-fail",
        "0",
        "--deadline",
        "2",
        command,
    ]);
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(ran.status, 7, "{}", ran.said());
}

#[test]
fn quitting_keeps_what_was_heard() {
    let lab = Lab::new(1);
    let token = token("heard");
    let out = lab.desk.dir.path().join("out.json");
    let mut command = lab.desk.command(&[
        "run",
        "-g",
        "all",
        "--output",
        "json",
        &format!("echo important; trap '' TERM; while :; do (exec -a {token} sleep 1); done"),
    ]);
    let mut child = command
        .stdout(std::fs::File::create(&out).unwrap())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the command runs", || runs(&token));
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(300));
    signal(&child, "INT");
    child.wait().unwrap();
    let document: serde_json::Value = serde_json::from_str(&crate::support::read(&out)).unwrap();
    let host = only(&document);
    assert_eq!(
        (&host["stdout"], &host["attempts"]),
        (&"important\n".into(), &1.into()),
        "{host}"
    );
    let _ = std::process::Command::new("pkill")
        .args(["-KILL", "-f", &token])
        .status();
}

#[test]
fn ctrl_c_works_although_nobody_reads_the_output() {
    let lab = Lab::new(1);
    let mut child = lab.desk.start(&[
        "run",
        "-g",
        "all",
        "--output",
        "live",
        "--timeout",
        "60",
        "yes",
    ]);
    std::thread::sleep(Duration::from_secs(2));
    for _ in 0..3 {
        signal(&child, "INT");
        std::thread::sleep(Duration::from_millis(500));
    }
    wait_until("it is gone", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn two_names_of_one_host_do_not_cut_each_other_off() {
    let lab = Lab::new(1);
    let vars = crate::support::read(lab.desk.dir.path().join("inventory.yml"));
    assert!(vars.contains("web01"));
    let both = lab.desk.file(
        "both.yml",
        vars.replace(
            "        web01: {ansible_host: 127.10.0.1}",
            "        web01: {ansible_host: 127.10.0.1}\n        alias: {ansible_host: 127.10.0.1}",
        ),
    );
    for _ in 0..3 {
        lab.run(&[
            "run",
            "-i",
            both.to_str().unwrap(),
            "-g",
            "all",
            "echo $$; sleep 0.$(( $$ % 4 ))",
        ])
        .ends_with(0);
    }
}

#[test]
fn who_failed_is_run_again_by_name_of_the_run_or_the_newest() {
    let lab = Lab::with_down(4, 1);
    let command = "test $(echo $SSH_CONNECTION | cut -d' ' -f3) != 127.10.0.2";
    let first = lab.json(&["run", "-g", "all", command]);
    let again = lab.json(&["run", "--rerun", "failed"]);
    assert_eq!(
        (&again["command"], &again["summary"]["total"]),
        (&command.into(), &2.into())
    );
    assert_eq!(
        each(&again, "outcome"),
        ["db01=unreachable", "web02=failed"]
    );
    let of_first = |which: &str| {
        let which = format!("{which}:{}", first["run"].as_str().unwrap());
        let document = lab.json(&["run", "--rerun", &which, "true"]);
        each(&document, "outcome")
            .iter()
            .map(|each| each.split('=').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_first("unreachable"), ["db01"]);
    assert_eq!(of_first("ok"), ["web01", "web03"]);
    assert_eq!(of_first("all").len(), 4);
    let which = format!("all:{}", first["run"].as_str().unwrap());
    let document = lab.json(&["run", "-g", "idc_b", "--rerun", &which, "true"]);
    assert_eq!(document["summary"]["total"], 2, "with -g, the intersection");
}
