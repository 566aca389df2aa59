//! Against OpenSSH's client, and in numbers.

use std::process::Command;

use super::*;
use crate::hosts::address;
use crate::process;

fn ssh(fleet: &Canned, n: usize, command: &str) -> Result<String> {
    let known = fleet.write_known_hosts(n + 1)?;
    process::output(
        Command::new("ssh")
            .args([
                "-F",
                "none",
                "-o",
                "BatchMode=yes",
                "-o",
                "IdentitiesOnly=yes",
            ])
            .args(["-c", "aes128-gcm@openssh.com", "-o"])
            .arg(format!("UserKnownHostsFile={}", known.display()))
            .arg("-i")
            .arg(fleet.key())
            .args(["-p", &fleet.port().to_string(), "-l", fleet.user()])
            .args([&address(n), command]),
        None,
    )
}

#[test]
fn every_command_has_the_same_answer() {
    let text = Output::Text("so it is\n".to_owned());
    let fleet = Canned::start(
        Answer {
            output: text,
            ..Answer::default()
        },
        None,
    )
    .unwrap();
    assert_eq!(ssh(&fleet, 0, "uptime").unwrap(), "so it is\n");
    assert_eq!(ssh(&fleet, 1000, "rm -rf /").unwrap(), "so it is\n");
}

#[test]
fn output_in_bytes_is_exact_and_status_and_delay_count() {
    let answer = Answer {
        output: Output::Bytes(10_000_001),
        ..Answer::default()
    };
    let fleet = Canned::start(answer, None).unwrap();
    assert_eq!(ssh(&fleet, 0, "cat").unwrap().len(), 10_000_001);

    let answer = Answer {
        delay: Duration::from_millis(300),
        status: 3,
        ..Answer::default()
    };
    let fleet = Canned::start(answer, None).unwrap();
    let began = std::time::Instant::now();
    assert!(ssh(&fleet, 0, "false").is_err());
    assert!(began.elapsed() >= Duration::from_millis(300));
}

#[test]
fn the_real_constant_is_understood() {
    let fleet = Canned::start(Answer::default(), None).unwrap();
    let posix = include_str!("../../../../src/shell/posix/script.rs");
    let constant = posix.split("CONSTANT: &str = r#\"").nth(1).unwrap();
    let constant = constant.split("\"#;").next().unwrap();
    let said = ssh(&fleet, 0, &format!("exec /bin/sh -c '{constant}' sh abc")).unwrap();
    assert_eq!(said, "abc 4242\n");
}

#[tokio::test]
async fn it_starts_and_ends_within_a_runtime() {
    let fleet = Canned::start(Answer::default(), None).unwrap();
    let stream = tokio::net::TcpStream::connect(("127.10.3.4", fleet.port()));
    stream.await.unwrap();
}
