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

/// What OpenSSH's `sftp` says to these commands.
fn sftp(fleet: &Canned, n: usize, commands: &str) -> Result<String> {
    let known = fleet.write_known_hosts(n + 1)?;
    process::output(
        Command::new("sftp")
            .args(["-F", "none", "-b", "-", "-o", "IdentitiesOnly=yes", "-o"])
            .arg(format!("UserKnownHostsFile={}", known.display()))
            .arg("-i")
            .arg(fleet.key())
            .args(["-P", &fleet.port().to_string()])
            .arg(format!("{}@{}", fleet.user(), address(n))),
        Some(commands),
    )
}

#[test]
fn what_is_written_is_hashed_and_what_is_read_was_given() {
    let fleet = Canned::start(Answer::default(), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (here, back) = (folder.path().join("here"), folder.path().join("back"));
    let content: Vec<u8> = (0..3_000_001_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::write(&here, &content).unwrap();
    fleet.files().put(2, "/var/lib/x/given", "some text");
    fleet.files().put_zeros(2, "zeros", 1 << 20);
    let said = sftp(
        &fleet,
        2,
        &format!(
            "mkdir '/tmp/a b'\nput {0} '/tmp/a b/part'\nchmod 640 '/tmp/a b/part'\n\
             rename '/tmp/a b' /tmp/文\nln -s /tmp/文/part link\nget /var/lib/x/given {1}\n\
             ls -1 /tmp/文\n-rm /nowhere\n-rmdir /tmp/文\nget zeros {0}\n",
            here.display(),
            back.display(),
        ),
    )
    .unwrap();
    assert!(said.contains("/tmp/文/part\n"), "{said}");
    assert_eq!(std::fs::read(&back).unwrap(), b"some text");
    assert_eq!(std::fs::read(&here).unwrap(), vec![0; 1 << 20]);

    std::fs::write(&here, &content).unwrap();
    let md5 = process::run("md5sum", &[&here.to_string_lossy()]).unwrap();
    let file = fleet.files().get(2, "/tmp/文/part").unwrap();
    assert_eq!((file.size, file.mode), (content.len() as u64, 0o640));
    assert!(md5.starts_with(&file.md5.unwrap()), "{md5}");
    assert_eq!(fleet.files().get(2, "/tmp/a b/part"), None);
    assert_eq!(fleet.files().get(1, "/tmp/文/part"), None);
    let link = fleet.files().get(2, "/home/canned/link").unwrap();
    assert_eq!(link.kind, Kind::Link("/tmp/文/part".into()));
}

#[test]
fn folders_can_be_made_to_lie() {
    let fleet = Canned::start(Answer::default(), None).unwrap();
    // OpenSSH's client shows no name with a slash in it.
    fleet.files().lie(&["../evil", "made up"]);
    let said = sftp(&fleet, 0, "ls -1 /tmp\n").unwrap();
    assert!(
        said.contains("/tmp/made up\n") && !said.contains("evil"),
        "{said}"
    );
}

#[test]
fn sftp_can_be_refused() {
    let fleet = Canned::start(Answer::default(), None).unwrap();
    fleet.files().refuse();
    assert!(sftp(&fleet, 0, "ls\n").is_err());
}

#[tokio::test]
async fn it_starts_and_ends_within_a_runtime() {
    let fleet = Canned::start(Answer::default(), None).unwrap();
    let stream = tokio::net::TcpStream::connect(("127.10.3.4", fleet.port()));
    stream.await.unwrap();
}
