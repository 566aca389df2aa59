//! Against the real server, by its control and its journal and with other people's clients.

mod clients;
mod wine;

use std::process::Stdio;
use std::time::Duration;

use super::*;

#[test]
fn it_comes_up_answers_and_is_gone_when_dropped() {
    if lacks("the WinRM server", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    assert!(process::says(windows.http(), b""));
    assert_eq!(windows.fingerprint().len(), 64);
    windows.fault(Fault::new("drop-receive").times(1)).unwrap();
    windows.set("max_shells", 5).unwrap();
    assert!(windows.set("no_such_option", 5).is_err());
    let state = windows.state().unwrap();
    assert_eq!((state.shells, state.commands), (0, 0));
    assert_eq!(state.taken("drop-receive"), 0);
    windows.restart(Duration::ZERO).unwrap();
    assert_eq!(windows.said(), "");
    let pid = windows.pid().unwrap();
    drop(windows);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn every_kind_of_certificate_is_shown() {
    use Certificate::{Expired, SelfSigned, Signed, Untrusted, WrongName};
    if lacks("certificates of the WinRM server", &[Need::Server]) {
        return;
    }
    let verdicts = [
        (Signed, "Verification: OK"),
        (SelfSigned, "self-signed certificate"),
        (Untrusted, "unable to get local issuer"),
        (Expired, "certificate has expired"),
        (WrongName, "IP address mismatch"),
    ];
    for (kind, verdict) in verdicts {
        let windows = Windows::builder().https(kind).start().unwrap();
        let to = format!("{}:{}", windows.address(2), windows.https());
        let ca = windows.ca().to_string_lossy();
        let mut command = std::process::Command::new("openssl");
        command.args(["s_client", "-connect", &to, "-CAfile", &ca, "-verify_ip"]);
        command.arg(windows.address(2)).stdin(Stdio::null());
        let said = command.output().unwrap();
        let said = [said.stdout, said.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains(verdict), "{kind:?}: {said}");
    }
}

#[test]
fn an_inventory_takes_the_callers_variables() {
    if lacks("inventories of the WinRM server", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let text = windows.inventory(2, &windows.over_http());
    assert!(
        text.contains("    win02: {ansible_host: 127.7.0.2}\n"),
        "{text}"
    );
    assert_eq!(text.matches("ansible_port").count(), 1);
    assert!(text.contains("ansible_password: 'P@ss w0rd!密'"));
}
