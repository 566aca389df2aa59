//! The way to a host, walked step by step: each step that fails is named, with its fix.

use std::process::Command;

use ioms_fleet::{Sshd, failing};
use serde_json::Value;

use crate::support::{Desk, Lab, Ran};

/// The findings of a document's host: `check state`, `-` where the step was not reached.
fn walked(document: &Value, host: usize) -> Vec<String> {
    document["hosts"][host]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {}",
                one["check"].as_str().unwrap(),
                one["state"].as_str().unwrap()
            )
        })
        .collect()
}

fn finding<'a>(document: &'a Value, host: usize, check: &str) -> &'a Value {
    document["hosts"][host]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["check"] == check)
        .unwrap_or_else(|| panic!("no {check}: {document}"))
}

/// Times, ports, sizes and versions of the bed are not the test's matter.
fn plain(ran: &Ran) -> String {
    let mut text = ran.stdout.clone();
    for (pattern, with) in [
        (r"\d+\.\d ms", "N ms"),
        (r"127\.\d+\.\d+\.\d+(:\d+)?", "ADDRESS"),
        (r"\d+(\.\d)? [MG]iB", "SIZE"),
        (r"SSH-2\.0-\S+.*?  ", "SSH-2.0-OpenSSH  "),
        (r"(web01  ssh)  .*: everything", "$1  SYSTEM: everything"),
        (r"(logged in as) \S+", "$1 USER"),
        (r"\S+: (root|not root.*)", "USER: RIGHTS"),
        (
            r"ok       (UTF-8|ANSI\S+|US-ASCII|646)\b",
            "ok       CHARMAP",
        ),
        (r"(disk +)\w+ .*(\n +fix: .*)?", "${1}STATE"),
    ] {
        text = regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, with)
            .into_owned();
    }
    text
}

#[test]
fn a_host_that_is_well_is_shown_with_each_step() {
    let lab = Lab::new(1);
    let ran = lab.run(&["doctor", "web01"]).ends_with(0);
    insta::assert_snapshot!(plain(&ran), @"
    web01  ssh  SYSTEM: everything is supported
      dns             ok       ADDRESS is an address
      tcp             ok       ADDRESS  N ms
      banner          ok       SSH-2.0-OpenSSH  N ms
      identity        ok       the host key is believed  N ms
      authentication  ok       logged in as USER  N ms
      shell           ok       sh  N ms
      rights          ok       USER: RIGHTS
      encoding        ok       CHARMAP
      clock           ok       as the controller's
      disk            STATE
    ");
    let document = lab.json(&["doctor", "web01"]);
    assert_eq!(document["schema"], 1);
    let host = &document["hosts"][0];
    assert_eq!(
        (host["host"].as_str(), host["transport"].as_str()),
        (Some("web01"), Some("ssh"))
    );
    assert_eq!(host["support"]["tier"], "full");
    assert!(
        finding(&document, 0, "authentication")["ms"]
            .as_f64()
            .unwrap()
            > 0.0
    );
    assert!(
        !lab.desk.dir.path().join("data/ioms.db").exists(),
        "nothing is recorded"
    );
    let left: Vec<_> = std::fs::read_dir(lab.desk.dir.path().join("data"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "nothing is left: {left:?}");
}

#[test]
fn each_broken_step_ends_the_way_and_says_what_to_do() {
    let (refused, garbage) = (failing::refused().unwrap(), failing::garbage().unwrap());
    let desk = Desk::with(&format!(
        "all:
  vars: {{ansible_host: 127.0.0.1, ansible_connect_timeout: 5}}
  hosts:
    dns: {{ansible_host: surely.not.there.invalid}}
    refused: {{ansible_port: {}}}
    garbage: {{ansible_port: {}}}
    settings: {{ansible_port: many}}
    clear: {{ansible_connection: winrm, ansible_port: 5985, ansible_winrm_transport: basic}}
    secret: {{ansible_connection: winrm, ansible_port: {}, ansible_winrm_scheme: http, ansible_user: a}}
",
        refused.port(),
        garbage.port(),
        garbage.port(),
    ));
    let document = desk.json(&["doctor", "all"]);
    assert_eq!(walked(&document, 0), ["dns fail"]);
    assert_eq!(walked(&document, 1), ["dns ok", "tcp fail"]);
    assert_eq!(walked(&document, 2), ["dns ok", "tcp ok", "banner fail"]);
    assert_eq!(walked(&document, 3), ["settings fail"]);
    assert_eq!(walked(&document, 4), ["settings fail"]);
    assert_eq!(
        walked(&document, 5),
        ["dns ok", "tcp ok", "tls warn", "authentication fail"]
    );
    let hint = |host, check| {
        finding(&document, host, check)["hint"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(hint(0, "dns").contains("ansible_host"));
    assert!(hint(1, "tcp").contains("ansible_port"));
    assert!(hint(4, "settings").contains("HTTPS"));
    assert!(hint(5, "authentication").contains("ansible_password"));
    desk.run(&["doctor", "settings"]).ends_with(2);
    desk.run(&["doctor", "dns"]).ends_with(4);
    desk.run(&["doctor", "all"]).ends_with(6);
    desk.run(&["doctor", "settings", "dns"]).ends_with(6);
    desk.run(&["doctor", "-g", "dns", "settings"]).ends_with(1);
    desk.run(&["doctor"]).ends_with(1);
    desk.run(&["doctor", "nobody"]).ends_with(5);
}

#[test]
fn a_key_not_on_record_and_a_login_denied_are_told_apart() {
    let lab = Lab::new(1);
    let known = lab.sshd.dir().join("known_hosts");
    std::fs::write(&known, "").unwrap();
    let document = lab.json(&["doctor", "web01"]);
    assert_eq!(
        walked(&document, 0),
        ["dns ok", "tcp ok", "banner ok", "identity fail"]
    );
    let hint = finding(&document, 0, "identity")["hint"].as_str().unwrap();
    assert!(hint.contains("hostkeys scan"), "{hint}");
    let document = lab.json(&["doctor", "web01", "--host-key", "off"]);
    assert_eq!(finding(&document, 0, "identity")["state"], "warn");
    assert_eq!(finding(&document, 0, "shell")["state"], "ok");

    let lab = Lab::new(1);
    let other = lab.desk.home().join("other");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&other)
        .status();
    assert!(made.unwrap().success());
    let key = format!("ansible_ssh_private_key_file={}", other.display());
    let document = lab.json(&["doctor", "web01", "-e", &key]);
    assert_eq!(
        walked(&document, 0),
        [
            "dns ok",
            "tcp ok",
            "banner ok",
            "identity ok",
            "authentication fail"
        ]
    );
    lab.run(&["doctor", "web01", "-e", &key]).ends_with(4);
}

#[test]
fn a_login_without_a_shell_is_a_shell_that_fails() {
    let sshd = Sshd::builder()
        .key_options("command=\"echo no\"")
        .start()
        .unwrap();
    let lab = Lab::on(sshd, 1, 0);
    let document = lab.json(&["doctor", "web01"]);
    assert_eq!(finding(&document, 0, "authentication")["state"], "ok");
    assert_eq!(finding(&document, 0, "shell")["state"], "fail");
    lab.run(&["doctor", "web01"]).ends_with(2);
}

#[test]
fn what_hosts_have_in_common_is_said_once() {
    let refused = failing::refused().unwrap();
    let desk = Desk::with(&format!(
        "all:\n  vars: {{ansible_port: {}}}\n  hosts: {{'web[01:37]': {{ansible_host: 127.0.0.1}}, me: {{ansible_connection: local}}}}\n",
        refused.port()
    ));
    let ran = desk.run(&["doctor", "-g", "all"]).ends_with(4);
    let common = ran.stdout.split("In common:\n").nth(1).unwrap();
    let common = common.replace(&refused.port().to_string(), "PORT");
    let first: String = common
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    insta::assert_snapshot!(first, @"
    fail tcp  37 hosts: port PORT refused  (web[01-37])
      fix: does sshd run there? is ansible_port right?
    ");
}

#[test]
fn a_bastions_way_is_not_looked_at_but_gone() {
    let lab = Lab::new(2);
    let jump = serde_json::json!({"ansible_ssh_extra_args": format!(
        "-J {}@{}:{} -i {}",
        lab.sshd.user(), lab.sshd.address(1), lab.sshd.port(), lab.sshd.key().display()
    )});
    lab.desk.file(
        "home/.ssh/config",
        format!(
            "Host *\n  IdentityFile {}\n  UserKnownHostsFile {}\n",
            lab.sshd.key().display(),
            lab.sshd.dir().join("known_hosts").display()
        ),
    );
    let document = lab.json(&["doctor", "web01", "-e", &jump.to_string()]);
    assert_eq!(finding(&document, 0, "tcp")["state"], "skipped");
    assert_eq!(finding(&document, 0, "shell")["state"], "ok", "{document}");
}
