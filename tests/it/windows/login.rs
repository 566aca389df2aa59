//! Logging in over WinRM: bound, sealed, once; and what a denial says.

use ioms_fleet::windows::{Fault, Kdc, Need, Windows, lacks};

use super::bed::{Bed, came_out, said};

#[test]
fn ntlm_over_https_is_bound_to_the_connection() {
    if lacks("channel binding", &[Need::Server]) {
        return;
    }
    let windows = Windows::builder()
        .option("--cbt", "strict")
        .start()
        .unwrap();
    let bed = Bed::of(windows, 1, "");
    assert_eq!(bed.host(&["echo in"])["stdout"], "in\n");
    let bed = bed.again("ansible_winrm_send_cbt: false\n");
    let host = bed.host(&["echo in"]);
    assert_eq!(came_out(&host), ("unreachable", "auth_denied"), "{host}");
}

#[test]
fn a_binding_to_another_certificate_is_refused_and_explained() {
    let Some(bed) = Bed::https_with("wrong channel binding", "") else {
        return;
    };
    bed.windows.fault(Fault::new("wrong-binding")).unwrap();
    let host = bed.host(&["true"]);
    assert_eq!(came_out(&host), ("unreachable", "auth_denied"), "{host}");
    assert!(said(&host).contains("CbtHardeningLevel"), "{host}");
}

#[test]
fn a_wrong_password_is_sent_once_and_explained() {
    let Some(bed) = Bed::http_with("a wrong password", "ansible_password: wrong\n") else {
        return;
    };
    let host = bed.host(&["--retries", "3", "true"]);
    assert_eq!(came_out(&host), ("unreachable", "auth_denied"), "{host}");
    assert!(
        said(&host).contains("LocalAccountTokenFilterPolicy"),
        "{host}"
    );
    assert_eq!(
        bed.windows.refusals().len(),
        1,
        "accounts are locked by less"
    );
}

#[test]
fn basic_works_over_https_only_and_is_refused_before_connecting_elsewhere() {
    let Some(bed) = Bed::https_with("Basic", "ansible_winrm_transport: basic\n") else {
        return;
    };
    assert_eq!(bed.host(&["echo in"])["stdout"], "in\n");
    let before = bed.windows.requests().len();
    let vars = format!(
        "{}ansible_winrm_transport: basic\n",
        bed.windows.over_http()
    );
    let bed = bed.again(&vars);
    let host = bed.host(&["true"]);
    assert_eq!(host["outcome"], "failed", "{host}");
    assert!(said(&host).contains("HTTPS"), "{host}");
    assert_eq!(bed.windows.requests().len(), before, "nothing was sent");
}

#[test]
fn a_client_certificate_logs_in_and_one_of_nobody_does_not() {
    if lacks("client certificates", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let vars = |(certificate, key): (&std::path::Path, &std::path::Path)| {
        format!(
            "ansible_winrm_transport: certificate\nansible_winrm_cert_pem: {}\nansible_winrm_cert_key_pem: {}\n",
            certificate.display(),
            key.display()
        )
    };
    let (mine, strangers) = (
        vars(windows.client_certificate()),
        vars(windows.stranger_certificate()),
    );
    let bed = Bed::of(windows, 1, &mine);
    let host = bed.host(&["echo in"]);
    assert_eq!(host["stdout"], "in\n", "{host}");
    let host = bed.again(&strangers).host(&["true"]);
    assert_eq!(host["outcome"], "unreachable", "{host}");
}

#[cfg(not(feature = "winrm-rs"))]
#[test]
fn a_way_that_is_not_there_says_so_before_connecting() {
    let Some(bed) = Bed::https_with("CredSSP", "ansible_winrm_transport: credssp\n") else {
        return;
    };
    let host = bed.host(&["true"]);
    assert_eq!(came_out(&host), ("failed", "unsupported"), "{host}");
    assert!(said(&host).contains("winrm-rs"), "{host}");
    assert_eq!(bed.windows.requests().len(), 0);
}

#[test]
fn a_host_that_lets_nobody_in_by_our_way_names_its_own() {
    let Some(bed) = Bed::https_with("Basic disabled", "ansible_winrm_transport: basic\n") else {
        return;
    };
    bed.windows.fault(Fault::new("no-login")).unwrap();
    let host = bed.host(&["true"]);
    assert_eq!(came_out(&host), ("unreachable", "auth_denied"), "{host}");
}

#[test]
fn two_hundred_hosts_at_once_lose_no_login() {
    if lacks("many WinRM logins", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let vars = windows.over_http();
    let bed = Bed::of(windows, 200, &vars);
    let document = bed
        .desk
        .json(&["run", "-g", "all", "-f", "200", "-T", "60", "true"]);
    assert_eq!(document["summary"]["ok"], 200, "{}", document["summary"]);
    assert_eq!(bed.windows.refusals(), Vec::<String>::new());
    bed.is_clean();
}

#[test]
fn kerberos_logs_in_sealed_and_over_tls_with_a_real_key_distribution_centre() {
    if lacks("Kerberos over WinRM", &[Need::Server, Need::Kerberos]) {
        return;
    }
    let kdc = Kdc::start_for("127.7.0.1").unwrap();
    for http in [true, false] {
        let windows = Windows::builder().kerberos(&kdc).start().unwrap();
        let over = if http {
            windows.over_http()
        } else {
            String::new()
        };
        let vars = |password: &str| {
            format!(
                "{over}ansible_winrm_transport: kerberos\nansible_user: '{}'\nansible_password: '{password}'\n\
                 ioms_winrm_kdc: tcp://127.0.0.1:{}\n",
                kdc.user(),
                kdc.port()
            )
        };
        let (right, wrong) = (vars(kdc.password()), vars("wrong"));
        let bed = Bed::of(windows, 1, &right);
        let host = bed.host(&["echo in; exit 3"]);
        assert_eq!(
            (&host["stdout"], &host["exit"]),
            (&"in\n".into(), &3.into()),
            "{host} {:?}",
            bed.windows.refusals()
        );
        bed.is_clean();
        let logins = bed.windows.events("login");
        assert!(
            !logins.is_empty() && logins.iter().all(|event| event["kind"] == "kerberos"),
            "{logins:?}"
        );
        let host = bed.again(&wrong).host(&["true"]);
        assert_eq!(came_out(&host), ("unreachable", "auth_denied"), "{host}");
    }
}
