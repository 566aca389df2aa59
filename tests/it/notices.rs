//! What a run says once of its hosts, however many they are: ways that prove less, checks that are
//! off, variables that are read otherwise.

use crate::support::Desk;

/// Hosts that nobody answers for; what is said of them needs no answer.
const NOBODY: &str = "
all:
  vars: {ansible_host: 127.0.0.1, ansible_user: Administrator, ansible_password: secret}
  hosts: {lin1: {ansible_port: 9}}
  children:
    http:
      vars: {ansible_connection: winrm, ansible_port: 5985}
      hosts: {'win[01:12]': }
    unchecked:
      vars: {ansible_connection: psrp, ansible_port: 9, ansible_psrp_cert_validation: ignore}
      hosts: {'game[1:2]': }
";

fn said_of(args: &[&str]) -> Vec<String> {
    let ran = Desk::with(NOBODY).run(args);
    ran.stderr
        .lines()
        .filter(|line| line.starts_with("note:"))
        .filter(|line| {
            ["HTTP", "certificates", "psrp", "--detach"]
                .iter()
                .any(|word| line.contains(word))
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn http_and_unchecked_certificates_and_psrp_are_said_once() {
    insta::assert_debug_snapshot!(said_of(&["run", "-g", "all", "ver"]), @r#"
    [
        "note: connection psrp is read as winrm: ansible_psrp_* as the equal ansible_winrm_*",
        "note: certificates were not checked on 2 hosts: whoever answered was believed",
        "note: 12 hosts are reached over HTTP (sealed): NTLM does not prove who answers, HTTPS does",
    ]
    "#);
}

#[test]
fn a_program_that_would_die_with_its_shell_is_warned_of() {
    insta::assert_debug_snapshot!(said_of(&["run", "-g", "win01", "start game.exe"]), @r#"
    [
        "note: what the command starts ends with it on Windows: --detach starts it for good",
        "note: 1 host is reached over HTTP (sealed): NTLM does not prove who answers, HTTPS does",
    ]
    "#);
    assert_eq!(said_of(&["run", "-g", "lin1", "start game"]), [""; 0]);
}

#[test]
fn detached_work_has_no_terminal_and_no_input() {
    for other in [&["--tty"][..], &["--stdin", "/dev/null"]] {
        let args = [
            &["run", "-g", "win01", "--detach"][..],
            other,
            &["game.exe"],
        ]
        .concat();
        let ran = Desk::with(NOBODY).run(&args).ends_with(1);
        assert!(ran.stderr.contains("cannot be used with"), "{ran:?}");
    }
}
