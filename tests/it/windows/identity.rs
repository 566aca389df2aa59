//! Who a WinRM host is: certificates by authority, pin and record; what is not checked is said.

use ioms_fleet::windows::{Certificate, Need, Windows, lacks};

use super::bed::{Bed, came_out, said};

const OWN_ROOTS: &str = "ansible_winrm_ca_trust_path: ''\n";

#[test]
fn a_certificate_nobody_vouches_for_is_refused_until_it_is_approved() {
    if lacks("certificates on record", &[Need::Server]) {
        return;
    }
    let windows = Windows::builder()
        .https(Certificate::SelfSigned)
        .start()
        .unwrap();
    let bed = Bed::of(windows, 2, OWN_ROOTS);
    let host = bed.host_of("win01");
    assert_eq!(came_out(&host), ("unreachable", "certificate"), "{host}");
    assert!(said(&host).contains("hostkeys"), "{host}");
    let scanned = bed.run(&["hostkeys", "scan", "-g", "all"]).ends_with(0);
    assert!(
        scanned.stdout.contains("SHA256:") && scanned.stdout.contains("new"),
        "{}",
        scanned.said()
    );
    bed.run(&["hostkeys", "approve", "-g", "all", "--yes"])
        .ends_with(0);
    assert_eq!(bed.host_of("win01")["outcome"], "ok");
    let listed = bed.run(&["hostkeys", "list", "-g", "all"]).ends_with(0);
    assert_eq!(
        listed.stdout.matches("SHA256:").count(),
        2,
        "{}",
        listed.said()
    );
    bed.run(&["hostkeys", "forget", "-g", "win01", "--yes"])
        .ends_with(0);
    assert_eq!(
        came_out(&bed.host_of("win01")),
        ("unreachable", "certificate")
    );
    assert_eq!(bed.host_of("win02")["outcome"], "ok");
}

#[test]
fn the_authority_a_pin_or_nobody_is_asked_as_the_variables_say() {
    if lacks("certificates by pin", &[Need::Server]) {
        return;
    }
    let bed = Bed::of(Windows::start().unwrap(), 1, "");
    assert_eq!(bed.host_of("win01")["outcome"], "ok", "by its authority");
    let pin = format!(
        "{OWN_ROOTS}ioms_winrm_cert_fingerprint: '{}'\n",
        bed.windows.fingerprint()
    );
    let bed = bed.again(&pin);
    assert_eq!(bed.host_of("win01")["outcome"], "ok", "by its pin");
    let wrong = format!(
        "{OWN_ROOTS}ioms_winrm_cert_fingerprint: '{}'\n",
        "ab".repeat(32)
    );
    let bed = bed.again(&wrong);
    assert_eq!(
        came_out(&bed.host_of("win01")).0,
        "unreachable",
        "another pin"
    );
    let bed = bed.again(&format!(
        "{OWN_ROOTS}ansible_winrm_server_cert_validation: ignore\n"
    ));
    let ran = bed.run(&["run", "-g", "all", "true"]).ends_with(0);
    assert!(ran.stderr.contains("not checked"), "{}", ran.said());
}

#[test]
fn at_first_sight_when_asked_and_never_another_one() {
    if lacks("changed certificates", &[Need::Server]) {
        return;
    }
    let windows = Windows::builder()
        .https(Certificate::SelfSigned)
        .start()
        .unwrap();
    let bed = Bed::of(windows, 1, OWN_ROOTS);
    let ran = bed
        .run(&["run", "-g", "all", "--host-key", "accept-new", "true"])
        .ends_with(0);
    assert!(ran.stderr.contains("was new"), "{}", ran.said());
    assert_eq!(bed.host_of("win01")["outcome"], "ok");
    // The same record, and another host where it was.
    let other = Windows::builder()
        .https(Certificate::SelfSigned)
        .start()
        .unwrap();
    let known = bed.desk.dir.path().join("data/known_certificates");
    let text = crate::support::read(&known);
    let moved = text.replace(
        &format!(":{} ", bed.windows.https()),
        &format!(":{} ", other.https()),
    );
    assert_ne!(text, moved, "{text}");
    let changed = Bed::of(other, 1, OWN_ROOTS);
    changed.desk.file("data/known_certificates", moved);
    for mode in ["strict", "accept-new"] {
        let document = changed
            .desk
            .json(&["run", "-g", "all", "--host-key", mode, "true"]);
        assert_eq!(
            came_out(&document["hosts"][0]),
            ("unreachable", "host_key_changed"),
            "{document}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_named() {
    if lacks("wrong certificates", &[Need::Server]) {
        return;
    }
    for (certificate, word) in [
        (Certificate::Expired, "expired"),
        (Certificate::WrongName, "name"),
    ] {
        let bed = Bed::of(
            Windows::builder().https(certificate).start().unwrap(),
            1,
            "",
        );
        let host = bed.host_of("win01");
        assert_eq!(came_out(&host), ("unreachable", "certificate"), "{host}");
        assert!(said(&host).contains(word), "{word}: {host}");
    }
}

#[test]
fn hosts_over_http_are_counted_in_the_output() {
    let Some(bed) = Bed::http("the notice of HTTP") else {
        return;
    };
    let ran = bed.run(&["run", "-g", "all", "true"]).ends_with(0);
    assert!(ran.stderr.contains("HTTP"), "{}", ran.said());
}

#[test]
fn a_host_with_old_tls_only_is_told_from_others() {
    let Ok(old) = ioms_fleet::failing::old_tls() else {
        panic!("no openssl");
    };
    let desk = crate::support::Desk::with(&format!(
        "all: {{hosts: {{win01: {{ansible_host: 127.0.0.1, ansible_port: {}, ansible_connection: winrm, \
         ansible_user: a, ansible_password: b}}}}}}\n",
        old.port()
    ));
    let document = desk.json(&["run", "-g", "all", "true"]);
    let host = &document["hosts"][0];
    assert_eq!(host["outcome"], "unreachable", "{host}");
    let said = said(host);
    assert!(said.contains("TLS 1.2") && said.contains("5985"), "{said}");
}

impl Bed {
    /// One host's object after `run true`.
    fn host_of(&self, name: &str) -> serde_json::Value {
        let document = self.desk.json(&["run", "-g", name, "true"]);
        crate::support::only(&document).clone()
    }
}
