//! Connections that break and answers that lie: nothing is run twice, nothing is believed.

use std::time::Duration;

use ioms_fleet::windows::Fault;

use super::bed::{Bed, came_out, said};
use crate::support::wait_until;

#[test]
fn a_handshake_that_is_cut_is_begun_again() {
    let Some(bed) = Bed::http("a cut handshake") else {
        return;
    };
    bed.windows
        .fault(Fault::new("drop-handshake").times(1))
        .unwrap();
    let host = bed.host(&["echo in"]);
    assert_eq!(host["stdout"], "in\n", "{host}");
}

/// Whether the host had taken output for the answer that did not come can't be known from here.
#[test]
fn a_connection_lost_while_waiting_is_taken_up_on_the_same_command_and_the_gap_is_told() {
    for fault in ["drop-receive", "lose-receive"] {
        let Some(bed) = Bed::http("a connection lost in Receive") else {
            return;
        };
        let file = bed.desk.dir.path().join("times");
        bed.windows.fault(Fault::new(fault).times(2)).unwrap();
        let command = format!(
            "echo x >> {}; echo early; sleep 2; echo late; exit 3",
            file.display()
        );
        let host = bed.host(&[&command]);
        assert_eq!(came_out(&host), ("failed", "disconnected"), "{host}");
        assert_eq!(host["exit"], 3, "{fault}: {host}");
        let kept = host["stdout"].as_str().unwrap();
        assert_eq!(kept.contains("early"), fault == "drop-receive", "{host}");
        assert!(kept.contains("late"), "{host}");
        assert!(said(&host).contains("may be missing"), "{host}");
        assert_eq!(crate::support::read(file), "x\n", "it ran once");
        bed.is_clean();
    }
}

#[test]
fn an_answer_lost_in_the_middle_is_told_with_how_the_command_ended() {
    let Some(bed) = Bed::http("an answer cut in the middle") else {
        return;
    };
    bed.windows
        .fault(Fault::new("cut-receive").times(1))
        .unwrap();
    let host = bed.host(&["echo lost; sleep 1; echo kept"]);
    assert_eq!(came_out(&host), ("failed", "disconnected"), "{host}");
    assert!(host["stdout"].as_str().unwrap().contains("kept"), "{host}");
}

#[test]
fn a_command_whose_start_got_no_answer_is_never_sent_again() {
    let Some(bed) = Bed::http("a start without answer") else {
        return;
    };
    bed.windows
        .fault(Fault::new("lose-command").times(1))
        .unwrap();
    let host = bed.host(&["--retries", "3", "true"]);
    assert_eq!(came_out(&host), ("failed", "disconnected"), "{host}");
    assert_eq!(bed.windows.commands().len(), 1);
}

#[test]
fn input_over_a_connection_that_breaks_is_no_success() {
    let Some(bed) = Bed::http("a connection lost in Send") else {
        return;
    };
    bed.windows.fault(Fault::new("drop-send")).unwrap();
    let file = bed.desk.file("input", vec![b'x'; 300_000]);
    let began = std::time::Instant::now();
    let host = bed.host(&[
        "--timeout",
        "60",
        "--stdin",
        file.to_str().unwrap(),
        "wc -c",
    ]);
    assert_ne!(host["stdout"].as_str().unwrap().trim(), "300000");
    assert_eq!(came_out(&host), ("failed", "disconnected"), "{host}");
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "it did not wait for input that never came"
    );
    assert!(said(&host).contains("input"), "{host}");
}

#[test]
fn answers_that_were_tampered_with_or_not_sealed_are_not_believed() {
    for fault in ["tamper", "unseal"] {
        let Some(bed) = Bed::http("answers that lie") else {
            return;
        };
        bed.windows.fault(Fault::new(fault)).unwrap();
        let host = bed.host(&["echo in"]);
        assert_eq!(came_out(&host).1, "protocol", "{fault}: {host}");
        assert_eq!(host["stdout"], "", "{fault}");
    }
}

#[test]
fn a_server_that_restarts_leaves_no_command_called_done() {
    let Some(bed) = Bed::http("a restart of WinRM") else {
        return;
    };
    let mut child = bed
        .desk
        .start(&["--output", "json", "run", "-g", "all", "sleep 60"]);
    wait_until("it runs", || bed.windows.state().unwrap().commands == 1);
    bed.windows.restart(Duration::from_millis(500)).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(2));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut text).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let host = &document["hosts"][0];
    assert_eq!(came_out(host), ("failed", "disconnected"), "{host}");
}

#[test]
fn a_host_that_answers_one_byte_a_second_is_given_up_in_time() {
    let Some(bed) = Bed::http("a trickling host") else {
        return;
    };
    bed.windows
        .fault(Fault::new("trickle").with("wait", 1.0))
        .unwrap();
    let began = std::time::Instant::now();
    let host = bed.host(&["-T", "3", "true"]);
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(
        came_out(&host),
        ("unreachable", "connect_timeout"),
        "{host}"
    );
}

#[test]
fn what_is_no_winrm_says_what_it_is() {
    let garbage = ioms_fleet::failing::garbage().unwrap();
    let refused = ioms_fleet::failing::refused().unwrap();
    let silent = ioms_fleet::failing::silent().unwrap();
    for (port, kind) in [
        (garbage.port(), "protocol"),
        (refused.port(), "refused"),
        (silent.port(), "connect_timeout"),
    ] {
        for scheme in ["http", "https"] {
            let desk = crate::support::Desk::with(&format!(
                "all: {{hosts: {{win01: {{ansible_host: 127.0.0.1, ansible_port: {port}, ansible_winrm_scheme: {scheme}, \
                 ansible_connection: winrm, ansible_user: a, ansible_password: b}}}}}}\n"
            ));
            let document = desk.json(&["run", "-g", "all", "-T", "2", "true"]);
            let host = &document["hosts"][0];
            assert_eq!(came_out(host), ("unreachable", kind), "{scheme} {host}");
            assert!(!said(host).is_empty());
        }
    }
}
