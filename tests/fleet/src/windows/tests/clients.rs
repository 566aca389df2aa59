//! Other people's clients against the server, so that it is known to be right; and with them, what it
//! does as Windows does.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::super::{Body, Fault, Kdc, Need, Windows, lacks, needs};
use crate::{folder, process};

/// A script of `tests/winrm/clients`, told where the server is.
fn script(windows: &Windows, name: &str) -> Command {
    let (certificate, key) = windows.client_certificate();
    let mut command = Command::new(needs::python().unwrap());
    command
        .arg(needs::sources().join("clients").join(name))
        .env("PYTHONPYCACHEPREFIX", folder::target().join("ioms-pycache"))
        .env("WINRM_ADDRESS", windows.address(1))
        .env("WINRM_HTTP", windows.http().to_string())
        .env("WINRM_HTTPS", windows.https().to_string())
        .env("WINRM_CA", windows.ca())
        .env("WINRM_USER", windows.user())
        .env("WINRM_PASSWORD", windows.password())
        .env("WINRM_CLIENT_CERT", certificate)
        .env("WINRM_CLIENT_KEY", key);
    command
}

/// What command lines in one shell did: exit code, output, errors.
pub(super) fn run(windows: &Windows, lines: &[&str]) -> Vec<(i64, String, String)> {
    let said = process::output(script(windows, "run.py").args(lines), None).unwrap();
    said.lines().map(parse).collect()
}

fn parse(line: &str) -> (i64, String, String) {
    let value: Value = serde_json::from_str(line).unwrap();
    let text = |n: usize| value[n].as_str().unwrap().to_owned();
    (value[0].as_i64().unwrap(), text(1), text(2))
}

/// Command lines run in a shell that stays until standard input ends.
fn keep(windows: &Windows, lines: &[&str]) -> (Child, Vec<String>) {
    let mut command = script(windows, "run.py");
    command.arg("--keep").args(lines);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = said.take(lines.len()).map(|line| parse(&line.unwrap()).1);
    let said = said.collect();
    (child, said)
}

#[test]
fn pywinrm_works_and_is_refused_where_windows_refuses() {
    if lacks("pywinrm", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    process::output(&mut script(&windows, "with_pywinrm.py"), None).unwrap();
    assert_eq!(windows.said(), "");
    assert_eq!(windows.state().unwrap().shells, 0);
    // Its plain messages, which are refused, are seen as such.
    let plain = windows.plaintext();
    assert!(!plain.is_empty() && plain.iter().all(|request| request.status >= 400));
}

#[test]
fn pypsrp_works_and_is_refused_where_windows_refuses() {
    if lacks("pypsrp", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    process::output(&mut script(&windows, "with_pypsrp.py"), None).unwrap();
    assert_eq!(windows.said(), "");
    assert_eq!(windows.state().unwrap().shells, 0);
    let refusals = windows.refusals().join("\n");
    assert!(refusals.contains("wrong channel binding"), "{refusals}");
}

#[test]
fn kerberos_works_with_a_real_key_distribution_centre() {
    if lacks("Kerberos", &[Need::Server, Need::Kerberos]) {
        return;
    }
    let kdc = Kdc::start().unwrap();
    let windows = Windows::builder().kerberos(&kdc).start().unwrap();
    let mut command = script(&windows, "with_kerberos.py");
    command
        .env("KRB5_CONFIG", kdc.config())
        .env("KRB5CCNAME", windows.dir().join("tickets"))
        .env("WINRM_KERBEROS_HOST", kdc.host())
        .env("WINRM_KERBEROS_USER", kdc.user())
        .env("WINRM_KERBEROS_PASSWORD", kdc.password());
    process::output(&mut command, None).unwrap();
    assert_eq!(windows.plaintext(), []);
    let kinds = windows.events("login");
    assert!(
        kinds.iter().all(|event| event["kind"] == "kerberos"),
        "{kinds:?}"
    );
}

#[test]
fn sealed_sessions_leave_nothing_readable() {
    if lacks("sealing", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let said = run(&windows, &["echo $((6 * 7)); exit 3", "chcp"]);
    assert_eq!(said[0], (3, "42\n".to_owned(), String::new()));
    assert_eq!(said[1].1, "Active code page: 437\r\n");
    assert_eq!(windows.plaintext(), []);
    let requests = windows.requests();
    let bodies = |body| {
        requests
            .iter()
            .filter(|request| request.body == body)
            .count()
    };
    // Create, then Command and at least a Receive twice, Delete.
    assert!(bodies(Body::Sealed) >= 6, "{requests:?}");
    assert!(bodies(Body::Empty) >= 2, "{requests:?}");
    assert_eq!(windows.commands(), ["echo $((6 * 7)); exit 3", "chcp"]);
}

#[test]
fn what_a_shell_started_dies_with_it_at_any_depth() {
    if lacks("the job of a shell", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let line = "sh -c 'setsid setsid sleep 300 >/dev/null 2>&1 </dev/null & echo $!'; sleep 0.2; \
                pgrep -n -f 'sleep 300'";
    let (mut client, said) = keep(&windows, &[line]);
    let id = said[0].lines().last().unwrap().to_owned();
    let lives = || std::path::Path::new(&format!("/proc/{id}/exe")).exists();
    assert!(lives(), "{said:?}");
    assert_eq!(windows.state().unwrap().shells, 1);
    drop(client.stdin.take());
    client.wait().unwrap();
    assert!(!lives());
    assert_eq!(windows.state().unwrap().shells, 0);
}

#[test]
fn faults_happen_as_often_as_asked() {
    if lacks("faults of the WinRM server", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let fails = |fault: Fault, word: &str| {
        windows.fault(fault).unwrap();
        let error = process::output(script(&windows, "run.py").arg("true"), None).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(run(&windows, &["true"])[0].0, 0);
    };
    fails(Fault::new("quota-create").times(1), "concurrent shells");
    fails(Fault::new("no-login").times(2), "AuthenticationError");
    fails(Fault::new("tamper").times(1), "MIC");
    fails(Fault::new("cut-receive").times(1), "onnection");
    fails(Fault::new("status").with("code", 503).times(1), "503");
    assert_eq!(windows.state().unwrap().taken("no-login"), 2);
}
