//! Who a host is, is checked: known keys, changed ones, authorities, revocations; and the verb that
//! brings the keys of a fleet in.

use std::path::PathBuf;
use std::process::Command;

use ioms_fleet::Sshd;
use ioms_fleet::windows::{Certificate, Need, Windows, lacks};

use crate::support::{Desk, Lab, only, read};

fn known(lab: &Lab) -> PathBuf {
    lab.sshd.dir().join("known_hosts")
}

fn rewrite(lab: &Lab, text: &str) {
    std::fs::write(known(lab), text).unwrap();
}

/// The outcome and the error of a run on the first host.
fn kind(lab: &Lab) -> String {
    let document = lab.json(&["run", "-g", "web01", "true"]);
    let host = only(&document);
    host["error"]["kind"].as_str().map_or_else(
        || host["outcome"].as_str().unwrap().to_owned(),
        str::to_owned,
    )
}

#[test]
fn entries_of_every_form_are_understood() {
    let lab = Lab::new(1);
    let (key, port) = (lab.sshd.host_key(), lab.sshd.port());
    let name = format!("[{}]:{port}", lab.sshd.address(0));
    for (text, expected) in [
        (format!("{name} {key}\n"), "ok"),
        (
            format!("# a comment\n\n[127.10.*]:{port} {key} comment\n"),
            "ok",
        ),
        (format!("other,{name} {key}\n"), "ok"),
        (
            format!("!{name},[127.*]:{port} {key}\n"),
            "host_key_unknown",
        ),
        (
            format!("@revoked * {key}\n{name} {key}\n"),
            "host_key_revoked",
        ),
        (
            // As ssh has it: the key of the name is good for all its ports.
            format!("{} {key}\n", lab.sshd.address(0)),
            "ok",
        ),
        (format!("127.10.9.9 {key}\n"), "host_key_unknown"),
        (String::new(), "host_key_unknown"),
    ] {
        rewrite(&lab, &text);
        assert_eq!(kind(&lab), expected, "{text}");
    }
    rewrite(&lab, &format!("{name} {key}\n"));
    let hashed = Command::new("ssh-keygen")
        .args(["-q", "-H", "-f"])
        .arg(known(&lab))
        .output()
        .unwrap();
    assert!(hashed.status.success());
    assert!(read(known(&lab)).starts_with("|1|"));
    assert_eq!(kind(&lab), "ok", "hashed");
}

#[test]
fn a_host_of_a_hashed_file_may_show_its_other_key() {
    let sshd = Sshd::builder()
        .host_keys(&["ecdsa", "ed25519"])
        .start()
        .unwrap();
    let lab = Lab::on(sshd, 1, 0);
    let stranger = Sshd::start().unwrap();
    let name = format!("[{}]:{}", lab.sshd.address(0), lab.sshd.port());
    let written = read(known(&lab));
    let ours = written
        .lines()
        .find(|line| line.contains("ecdsa"))
        .unwrap()
        .to_owned();
    let others = format!("elsewhere.example {}\n", stranger.host_key());
    let hash = |text: &str| {
        rewrite(&lab, text);
        let hashed = Command::new("ssh-keygen")
            .args(["-q", "-H", "-f"])
            .arg(known(&lab))
            .output()
            .unwrap();
        assert!(hashed.status.success());
    };
    hash(&format!("{others}{ours}\n"));
    assert_eq!(kind(&lab), "ok");
    // One of the same type that differs is a change, and so is a host without the type.
    hash(&format!("{others}{name} {}\n", stranger.host_key()));
    assert_eq!(kind(&lab), "host_key_changed");
    let rsa = Sshd::builder().host_keys(&["rsa"]).start().unwrap();
    hash(&format!("{others}{name} {}\n", rsa.host_key()));
    assert_eq!(kind(&lab), "host_key_changed");
}

#[test]
fn a_changed_key_is_an_error_that_shows_both_and_what_to_do() {
    let lab = Lab::new(1);
    let stranger = Sshd::start().unwrap();
    rewrite(
        &lab,
        &format!(
            "[{}]:{} {}\n",
            lab.sshd.address(0),
            lab.sshd.port(),
            stranger.host_key()
        ),
    );
    let document = lab.json(&["run", "-g", "all", "true"]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["error"]["kind"]),
        (&"unreachable".into(), &"host_key_changed".into())
    );
    let said = format!("{} {}", host["error"]["message"], host["error"]["hint"]);
    for key in [lab.sshd.host_key(), stranger.host_key()] {
        let fingerprint = fingerprint(&key);
        assert!(said.contains(&fingerprint), "{fingerprint}: {said}");
    }
    assert!(said.contains("hostkeys"), "{said}");
    // Learning new keys never means changed ones.
    lab.run(&["run", "-g", "all", "--host-key", "accept-new", "true"])
        .ends_with(4);
}

fn fingerprint(key: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, key).unwrap();
    let output = Command::new("ssh-keygen")
        .arg("-lf")
        .arg(&path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .to_owned()
}

#[test]
fn new_keys_are_learnt_where_asked_for_once_at_the_end() {
    let lab = Lab::new(4);
    rewrite(&lab, "");
    lab.run(&["run", "-g", "all", "true"]).ends_with(4);
    assert_eq!(read(known(&lab)), "", "strict learns nothing");
    let ran = lab
        .run(&["run", "-g", "all", "--host-key", "accept-new", "true"])
        .ends_with(0);
    assert!(ran.stderr.contains("4 hosts were new"), "{ran:?}");
    assert_eq!(read(known(&lab)).lines().count(), 4);
    lab.run(&["run", "-g", "all", "true"]).ends_with(0);
    assert_eq!(read(known(&lab)).lines().count(), 4);
}

#[test]
fn a_check_that_is_off_is_said() {
    let lab = Lab::new(1);
    rewrite(&lab, "");
    let ran = lab
        .run(&[
            "run",
            "-g",
            "all",
            "-e",
            "ansible_host_key_checking=false",
            "true",
        ])
        .ends_with(0);
    assert!(
        ran.stderr.contains("not checked") || ran.stderr.contains("host key"),
        "{ran:?}"
    );
    assert_eq!(read(known(&lab)), "");
}

#[test]
fn what_is_revoked_is_refused_though_checks_are_off() {
    let lab = Lab::new(1);
    rewrite(&lab, &format!("@revoked * {}\n", lab.sshd.host_key()));
    let document = lab.json(&["run", "-g", "all", "--host-key", "off", "true"]);
    assert_eq!(
        only(&document)["error"]["kind"],
        "host_key_revoked",
        "{document}"
    );
}

#[test]
fn a_host_with_a_changed_key_is_told_no_password_though_checks_are_off() {
    let sshd = Sshd::builder()
        .config("PasswordAuthentication yes\nKbdInteractiveAuthentication no\n")
        .start()
        .unwrap();
    let stranger = Sshd::start().unwrap();
    let lab = Lab::new_without_key(sshd);
    let secret = lab.desk.file("password", "told to nobody\n");
    let args = [
        "run",
        "-g",
        "all",
        "--host-key",
        "off",
        "--connection-password-file",
        secret.to_str().unwrap(),
        "true",
    ];
    let asked = || lab.sshd.log().matches("Failed password").count();
    rewrite(
        &lab,
        &format!(
            "[{}]:{} {}\n",
            lab.sshd.address(0),
            lab.sshd.port(),
            stranger.host_key()
        ),
    );
    let document = lab.json(&args);
    let error = &only(&document)["error"];
    assert_eq!(error["kind"], "auth_denied", "{document}");
    assert!(
        error["message"].as_str().unwrap().contains("on record"),
        "{document}"
    );
    assert_eq!(asked(), 0);
    // One that is merely new is, as ssh does.
    rewrite(&lab, "");
    lab.run(&args).ends_with(4);
    assert_eq!(asked(), 1);
}

#[test]
fn the_keys_of_a_fleet_are_scanned_reviewed_and_approved() {
    let sshd = Sshd::builder()
        .host_keys(&["ed25519", "ecdsa"])
        .start()
        .unwrap();
    let lab = Lab::on(sshd, 3, 0);
    rewrite(&lab, "");
    let scanned = lab.run(&["hostkeys", "scan", "-g", "all"]).ends_with(0);
    assert!(
        scanned.stdout.contains(&fingerprint(&lab.sshd.host_key())),
        "{scanned:?}"
    );
    let data = std::fs::metadata(lab.desk.dir.path().join("data")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&data.permissions());
    assert_eq!(mode & 0o777, 0o700, "the data folder is its owner's");
    assert_eq!(read(known(&lab)), "", "a scan believes nothing");
    let no = lab.run(&["hostkeys", "approve", "-g", "all"]).ends_with(1);
    assert!(no.stderr.contains("--yes"), "{no:?}");
    lab.run(&["hostkeys", "approve", "-g", "all", "--yes"])
        .ends_with(0);
    assert_eq!(read(known(&lab)).lines().count(), 6, "two keys of each");
    lab.run(&["run", "-g", "all", "true"]).ends_with(0);
    let listed = lab.json(&["hostkeys", "list", "-g", "web01"]);
    assert_eq!(listed.to_string().matches("SHA256:").count(), 2, "{listed}");
    lab.run(&["hostkeys", "forget", "-g", "web01", "--yes"])
        .ends_with(0);
    assert_eq!(kind(&lab), "host_key_unknown");
    assert_eq!(read(known(&lab)).lines().count(), 4, "the others' stay");
}

#[test]
fn certificates_stand_in_one_table_with_keys() {
    if lacks("hostkeys for certificates", &[Need::Server]) {
        return;
    }
    let windows = Windows::builder()
        .https(Certificate::SelfSigned)
        .start()
        .unwrap();
    // Nobody's password is needed for looking.
    let vars = "ansible_password: ''\nansible_winrm_ca_trust_path: legacy_requests\n";
    let desk = Desk::with(&windows.inventory(2, vars));
    let scanned = desk.json(&["hostkeys", "scan", "-g", "all"]);
    let rows = scanned["hostkeys"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{scanned}");
    for row in rows {
        assert_eq!(
            (row["type"].as_str(), row["state"].as_str()),
            (Some("x509"), Some("new"))
        );
        assert!(row["fingerprint"].as_str().unwrap().starts_with("SHA256:"));
        assert!(!row["subject"].as_str().unwrap().is_empty(), "{row}");
        assert!(row["expires"].as_str().unwrap().ends_with('Z'), "{row}");
    }
    let record = desk.dir.path().join("data/known_certificates");
    assert!(!record.exists(), "a scan believes nothing");
    desk.run(&["hostkeys", "approve", "-g", "all"]).ends_with(1);
    desk.run(&["hostkeys", "approve", "-g", "all", "--yes"])
        .ends_with(0);
    assert_eq!(read(&record).lines().count(), 2);
    let state = || desk.json(&["hostkeys", "scan", "-g", "win01"])["hostkeys"][0]["state"].clone();
    assert_eq!(state(), "known");
    let listed = desk.json(&["hostkeys", "list", "-g", "win02"]);
    assert_eq!(listed["hostkeys"][0]["line"], 2, "{listed}");
    let other = read(&record).replace("SHA256:", "SHA256:x");
    std::fs::write(&record, other).unwrap();
    assert_eq!(state(), "changed");
    desk.run(&["hostkeys", "scan", "-g", "win01"]).ends_with(2);
    desk.run(&["hostkeys", "approve", "-g", "win01", "--yes"])
        .ends_with(2);
    desk.run(&["hostkeys", "forget", "-g", "win01", "--yes"])
        .ends_with(0);
    assert_eq!(read(&record).lines().count(), 1, "the other's stays");
    assert_eq!(state(), "new");
    // The pinned one is known, whatever the record says.
    let pin = format!("ioms_winrm_cert_fingerprint={}", windows.fingerprint());
    let pinned = desk.json(&["hostkeys", "scan", "-g", "win01", "-e", &pin]);
    assert_eq!(pinned["hostkeys"][0]["state"], "known");
}

#[test]
fn hosts_over_http_have_no_certificate_and_say_so() {
    if lacks("hostkeys for certificates", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let desk = Desk::with(&windows.inventory(1, &windows.over_http()));
    let ran = desk.run(&["hostkeys", "scan", "-g", "all"]).ends_with(0);
    insta::assert_snapshot!(ran.stdout, @"win01  none      HTTP: it shows no certificate");
}
