//! Command lines over WinRM: streams, statuses, standard input, time limits, and shells that are
//! always deleted.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use ioms_fleet::windows::Fault;

use super::bed::{Bed, came_out};
use crate::support::{runs, signal, wait_until};

#[test]
fn streams_and_status_arrive_sealed_and_the_shell_is_deleted() {
    let Some(bed) = Bed::http("WinRM commands") else {
        return;
    };
    let host = bed.host(&["echo out; echo err >&2; exit 7"]);
    assert_eq!(
        (&host["stdout"], &host["stderr"], &host["exit"]),
        (&"out\n".into(), &"err\n".into(), &7.into()),
        "{host}"
    );
    assert_eq!(came_out(&host), ("failed", ""));
    bed.is_clean();
    let operations: Vec<String> = bed
        .windows
        .requests()
        .into_iter()
        .filter_map(|request| request.operation)
        .collect();
    assert_eq!(operations.first().map(String::as_str), Some("Create"));
    assert_eq!(operations.last().map(String::as_str), Some("Delete"));
}

#[test]
fn exit_codes_are_signed_as_errorlevel_shows_them() {
    let Some(bed) = Bed::http("WinRM exit codes") else {
        return;
    };
    bed.windows
        .fault(Fault::new("exit-code").with("number", 3_221_225_786_u64))
        .unwrap();
    assert_eq!(bed.host(&["true"])["exit"], -1_073_741_510);
}

#[test]
fn standard_input_arrives_byte_for_byte_while_output_comes() {
    let Some(bed) = Bed::http("WinRM standard input") else {
        return;
    };
    let input: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let file = bed.desk.file("input", &input);
    let host = bed.host(&[
        "--max-output",
        "64M",
        "--stdin",
        file.to_str().unwrap(),
        "tee /dev/stderr | wc -c",
    ]);
    assert_eq!(host["stdout"], "3000000\n", "{}", host["error"]);
    use base64::Engine as _;
    let echoed = base64::engine::general_purpose::STANDARD
        .decode(host["stderr_b64"].as_str().unwrap())
        .unwrap();
    assert!(echoed == input);
    bed.is_clean();
}

#[test]
fn output_comes_while_the_command_runs() {
    let Some(bed) = Bed::http("WinRM live output") else {
        return;
    };
    let gate = bed.desk.dir.path().join("gate");
    let mut child = bed.desk.start(&[
        "--output",
        "jsonl",
        "run",
        "-g",
        "all",
        &format!(
            "echo early; while [ ! -e {} ]; do sleep 0.1; done; echo late",
            gate.display()
        ),
    ]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let early = lines.find(|line| line.as_ref().unwrap().contains("early"));
    assert!(
        early.is_some(),
        "the first line came before the last was said"
    );
    std::fs::write(gate, "").unwrap();
    assert!(lines.any(|line| line.unwrap().contains("late")));
    assert!(child.wait().unwrap().success());
}

#[test]
fn thirty_megabytes_arrive_whole() {
    let Some(bed) = Bed::http("30 MB over WinRM") else {
        return;
    };
    let out = bed.desk.dir.path().join("out");
    bed.run(&[
        "run",
        "-g",
        "all",
        "--outdir",
        out.to_str().unwrap(),
        "--output",
        "quiet",
        "yes 0123456789abcde | head -c 31457280",
    ])
    .ends_with(0);
    let kept = std::fs::read(out.join("win01.stdout")).unwrap();
    assert_eq!(kept.len(), 31_457_280);
    assert!(kept.chunks(16).all(|line| line == b"0123456789abcde\n"));
}

#[test]
fn variables_and_folder_are_set_without_standing_in_arguments() {
    let Some(bed) = Bed::http("WinRM variables") else {
        return;
    };
    let host = bed.host(&[
        "--env",
        "IOMS_X=a & b 密",
        "--chdir",
        "/",
        "echo \"$IOMS_X\"; pwd",
    ]);
    assert_eq!(host["stdout"], "a & b 密\n/\n", "{host}");
    assert!(
        bed.windows
            .commands()
            .iter()
            .all(|line| !line.contains("密"))
    );
}

#[test]
fn a_command_over_its_time_is_ended_with_its_children() {
    let Some(bed) = Bed::http("WinRM time limit") else {
        return;
    };
    let token = format!("winrm-over-{}", std::process::id());
    let line =
        format!("(exec -a {token} sleep 300) & setsid sh -c 'exec -a {token} sleep 300'; wait");
    let host = bed.host(&["--timeout", "1", &format!("bash -c \"{line}\"")]);
    assert_eq!(came_out(&host), ("timed_out", "timeout"), "{host}");
    wait_until("the tree is gone", || !runs(&token));
    bed.is_clean();
}

#[test]
fn an_interrupted_run_ends_its_commands_and_deletes_its_shells() {
    let Some(bed) = Bed::http("WinRM interruption") else {
        return;
    };
    let token = format!("winrm-interrupted-{}", std::process::id());
    let mut child = bed.desk.start(&[
        "run",
        "-g",
        "all",
        &format!("bash -c 'exec -a {token} sleep 300'"),
    ]);
    wait_until("it runs", || runs(&format!("{token} 300")));
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_until("it is ended", || !runs(&format!("{token} 300")));
    bed.is_clean();
}

#[test]
fn a_quiet_command_is_polled_not_given_up() {
    let Some(bed) = Bed::http_with("WinRM polling", "ansible_winrm_operation_timeout_sec: 1\n")
    else {
        return;
    };
    let host = bed.host(&["sleep 3; echo done"]);
    assert_eq!(host["stdout"], "done\n", "{host}");
    let receives = bed.windows.requests();
    let timed_out = receives
        .iter()
        .filter(|request| request.fault == Some(2_150_858_793))
        .count();
    assert!(timed_out >= 1, "the host said that there was nothing yet");
}

#[test]
fn ping_says_how_long_each_step_took() {
    let Some(bed) = Bed::http("WinRM ping") else {
        return;
    };
    let document = bed.desk.json(&["ping", "-g", "all"]);
    let host = &document["hosts"][0];
    assert_eq!(host["outcome"], "ok", "{host}");
    assert!(host["connect_ms"].as_f64().unwrap() > 0.0 && host["auth_ms"].as_f64().unwrap() > 0.0);
    bed.is_clean();
}

#[test]
fn a_host_that_never_answers_a_request_holds_nobody_up() {
    let Some(bed) = Bed::http("a silent WinRM host") else {
        return;
    };
    bed.windows.fault(Fault::new("hang-create")).unwrap();
    let began = std::time::Instant::now();
    let host = bed.host(&["-T", "2", "--deadline", "20", "true"]);
    assert!(began.elapsed() < Duration::from_mins(1));
    assert_ne!(came_out(&host).0, "ok", "{host}");
}
