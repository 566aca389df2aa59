//! `doctor` on Windows hosts: the whole way by both shells, and each step that can fail there.

use ioms_fleet::windows::{Certificate, Language, Need, Tier, Windows, lacks};
use serde_json::Value;

use super::bed::Bed;

const WINE: [Need; 3] = [Need::Server, Need::Wine, Need::PowershellForWine];

fn wine(what: &str, language: Language, vars: &str) -> Option<Bed> {
    if lacks(what, &WINE) {
        return None;
    }
    let tier = Tier::Wine(language);
    let windows = Windows::builder().tier(tier).start().unwrap();
    Some(Bed::of(windows, 1, vars))
}

/// `check state` of each finding of the one host.
fn walked(document: &Value) -> Vec<String> {
    let findings = document["hosts"][0]["findings"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|one| format!("{} {}", text(&one["check"]), text(&one["state"])))
        .collect()
}

fn finding<'a>(document: &'a Value, check: &str) -> &'a Value {
    let findings = document["hosts"][0]["findings"].as_array().unwrap();
    let found = findings.iter().find(|one| one["check"] == check);
    found.unwrap_or_else(|| panic!("no {check}: {document:#}"))
}

#[test]
fn a_chinese_windows_is_walked_to_the_end_by_both_shells() {
    let Some(bed) = wine("doctor on a Chinese Windows", Language::Zh, "") else {
        return;
    };
    for shell in ["cmd", "powershell"] {
        let vars = format!("ansible_shell_type={shell}");
        let document = bed.desk.json(&["doctor", "all", "-e", &vars]);
        let host = &document["hosts"][0];
        assert_eq!(host["transport"], "winrm");
        assert_eq!(host["support"]["tier"], "full", "{document:#}");
        let system = host["support"]["system"].as_str().unwrap();
        assert!(
            system.contains("Windows") && system.contains("(10.0."),
            "{system}"
        );
        for check in [
            "dns",
            "tcp",
            "tls",
            "identity",
            "authentication",
            "shell",
            "clock",
        ] {
            assert_eq!(finding(&document, check)["state"], "ok", "{document:#}");
        }
        assert_eq!(finding(&document, "encoding")["detail"], "code page 936");
        let told = finding(&document, "shell")["detail"].as_str().unwrap();
        assert!(told.to_lowercase().contains(shell), "{told}");
        assert!(
            finding(&document, "disk")["detail"]
                .as_str()
                .unwrap()
                .contains("free")
        );
        assert!(finding(&document, "second_hop")["hint"].is_string());
        bed.run(&["doctor", "all", "-e", &vars]).ends_with(0);
    }
    bed.is_clean();
}

#[test]
fn http_is_told_of_and_a_wrong_password_is_the_logins_fault() {
    let wrong = "ansible_password: wrong\n";
    let Some(bed) = Bed::http_with("doctor over HTTP", wrong) else {
        return;
    };
    let document = bed.desk.json(&["doctor", "all"]);
    assert_eq!(
        walked(&document),
        [
            "dns ok",
            "tcp ok",
            "tls warn",
            "identity skipped",
            "authentication fail"
        ]
    );
    let hint = finding(&document, "authentication")["hint"]
        .as_str()
        .unwrap();
    assert!(hint.contains("LocalAccountTokenFilterPolicy"), "{hint}");
    bed.run(&["doctor", "all"]).ends_with(4);
    bed.is_clean();
}

#[test]
fn a_certificate_nobody_vouches_for_is_shown_and_is_the_identitys_fault() {
    if lacks("doctor and certificates", &[Need::Server]) {
        return;
    }
    for (kind, tls) in [
        (Certificate::SelfSigned, "tls ok"),
        (Certificate::Expired, "tls warn"),
    ] {
        let windows = Windows::builder().https(kind).start().unwrap();
        let bed = Bed::of(windows, 1, "ansible_winrm_ca_trust_path: ''\n");
        let document = bed.desk.json(&["doctor", "all"]);
        assert_eq!(
            walked(&document),
            ["dns ok", "tcp ok", tls, "identity fail"],
            "{document:#}"
        );
        let shown = finding(&document, "tls")["detail"].as_str().unwrap();
        assert!(shown.contains("SHA256:"), "{shown}");
        let hint = finding(&document, "identity")["hint"].as_str().unwrap();
        assert!(hint.contains("hostkeys scan"), "{hint}");
        bed.run(&["doctor", "all"]).ends_with(4);
    }
}

#[test]
fn plain_http_where_tls_was_expected_is_named() {
    let Some(bed) = Bed::http_with("doctor and the wrong scheme", "") else {
        return;
    };
    let document = bed.desk.json(&[
        "doctor",
        "all",
        "-e",
        "ansible_winrm_scheme=https",
        "-T",
        "2",
    ]);
    assert_eq!(walked(&document), ["dns ok", "tcp ok", "tls fail"]);
    let hint = finding(&document, "tls")["hint"].as_str().unwrap();
    assert!(hint.contains("ansible_port"), "{hint}");
}

#[test]
fn powershell_behind_an_sshd_is_asked_in_its_own_words() {
    let Some(lab) = super::over_ssh::lab("doctor by PowerShell over SSH") else {
        return;
    };
    let document = lab.json(&["doctor", "all"]);
    let shell = finding(&document, "shell");
    assert_eq!(shell["state"], "ok", "{document:#}");
    assert!(shell["detail"].as_str().unwrap().starts_with("PowerShell"));
    assert_eq!(finding(&document, "clock")["state"], "ok");
    lab.run(&["doctor", "all"]).ends_with(0);
}

#[test]
fn a_host_with_old_tls_only_hears_its_ways_out() {
    let Ok(old) = ioms_fleet::failing::old_tls() else {
        panic!("no openssl");
    };
    let desk = crate::support::Desk::with(&format!(
        "all: {{hosts: {{old: {{ansible_connection: winrm, ansible_host: 127.0.0.1, ansible_port: {}}}}}}}\n",
        old.port()
    ));
    let document = desk.json(&["doctor", "old"]);
    assert_eq!(walked(&document), ["dns ok", "tcp ok", "tls fail"]);
    let hint = finding(&document, "tls")["hint"].as_str().unwrap();
    assert!(hint.contains("TLS 1.2") && hint.contains("5985"), "{hint}");
}
