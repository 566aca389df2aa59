//! Windows hosts by the crate winrm-rs (`ioms_winrm_client: winrm-rs`), one at a time: what works with our
//! own client works with it, or is refused.

use std::path::Path;

use ioms_fleet::windows::{Certificate, Fault, Kdc, Need, Windows, lacks};
use serde_json::Value;

use super::bed::{Bed, came_out, said};
use crate::support::{only, runs, signal, wait_until};

const CLIENT: &str = "ioms_winrm_client: winrm-rs\n";
const OWN_ROOTS: &str = "ansible_winrm_ca_trust_path: ''\n";

/// One host that is reached by the crate, over HTTPS and logged in to by NTLM unless said otherwise.
fn bed(what: &str, vars: &str) -> Option<Bed> {
    Bed::https_with(&format!("winrm-rs: {what}"), &format!("{CLIENT}{vars}"))
}

fn sealed(what: &str) -> Option<Bed> {
    Bed::http_with(&format!("winrm-rs: {what}"), CLIENT)
}

fn by_certificate((certificate, key): (&Path, &Path)) -> String {
    format!(
        "{CLIENT}ansible_winrm_transport: certificate\nansible_winrm_cert_pem: {}\n\
         ansible_winrm_cert_key_pem: {}\n",
        certificate.display(),
        key.display()
    )
}

/// Streams, status, shells deleted. The crate asks for code page 65001, and ours for none: it is the crate
/// that spoke.
#[track_caller]
fn works(bed: &Bed) {
    let host = bed.host(&["echo out 文; chcp >&2; exit 7"]);
    assert_eq!(
        (&host["stdout"], &host["stderr"], &host["exit"]),
        (
            &"out 文\n".into(),
            &"Active code page: 65001\r\n".into(),
            &7.into()
        ),
        "{host}"
    );
    assert_eq!(came_out(&host), ("failed", ""));
    bed.is_clean();
}

#[test]
fn ntlm_is_sealed_over_http_and_over_https() {
    let Some(bed) = sealed("NTLM over HTTP") else {
        return;
    };
    works(&bed);
    let over_https = Bed::of(Windows::start().unwrap(), 1, CLIENT);
    works(&over_https);
}

#[test]
fn ntlm_over_https_is_bound_to_the_connection() {
    if lacks("winrm-rs: channel binding", &[Need::Server]) {
        return;
    }
    let windows = Windows::builder()
        .option("--cbt", "strict")
        .start()
        .unwrap();
    let bed = Bed::of(windows, 1, CLIENT);
    works(&bed);
    let bed = bed.again(&format!("{CLIENT}ansible_winrm_send_cbt: false\n"));
    let before = bed.windows.requests().len();
    let host = bed.host(&["true"]);
    assert_eq!(host["error"]["kind"], "unsupported", "{host}");
    assert_eq!(bed.windows.requests().len(), before, "nothing was sent");
}

#[test]
fn basic_and_client_certificates_work_over_https() {
    let Some(bed) = bed("Basic", "ansible_winrm_transport: basic\n") else {
        return;
    };
    works(&bed);
    let mine = by_certificate(bed.windows.client_certificate());
    let strangers = by_certificate(bed.windows.stranger_certificate());
    let bed = bed.again(&mine);
    works(&bed);
    let host = bed.again(&strangers).host(&["true"]);
    assert_eq!(host["outcome"], "unreachable", "{host}");
}

#[test]
fn each_host_of_several_is_reached_one_at_a_time() {
    if lacks("winrm-rs: several hosts", &[Need::Server]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let vars = format!("{}{CLIENT}", windows.over_http());
    let bed = Bed::of(windows, 5, &vars);
    let document = bed.desk.json(&["run", "-g", "all", "-f", "1", "echo in"]);
    assert_eq!(document["summary"]["ok"], 5, "{document}");
    bed.is_clean();
}

#[test]
fn standard_input_arrives_byte_for_byte_while_output_comes() {
    let Some(bed) = sealed("standard input") else {
        return;
    };
    let input: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    let file = bed.desk.file("input", &input);
    let began = std::time::Instant::now();
    let host = bed.host(&[
        "--max-output",
        "64M",
        "--stdin",
        file.to_str().unwrap(),
        "tee /dev/stderr | wc -c",
    ]);
    assert_eq!(host["stdout"], "1000000\n", "{}", host["error"]);
    use base64::Engine as _;
    let echoed = base64::engine::general_purpose::STANDARD
        .decode(host["stderr_b64"].as_str().unwrap())
        .unwrap();
    assert!(echoed == input);
    // A question for output waits up to 20 s; input does not wait for it.
    let silent = bed.host(&["--stdin", file.to_str().unwrap(), "cat >/dev/null"]);
    assert_eq!(silent["outcome"], "ok", "{silent}");
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    bed.is_clean();
}

#[test]
fn a_megabyte_of_output_arrives_whole() {
    let Some(bed) = sealed("much output") else {
        return;
    };
    let out = bed.desk.dir.path().join("out");
    bed.run(&[
        "run",
        "-g",
        "all",
        "--outdir",
        out.to_str().unwrap(),
        "--output",
        "quiet",
        "yes 0123456789abcde | head -c 4194304",
    ])
    .ends_with(0);
    let kept = std::fs::read(out.join("win01.stdout")).unwrap();
    assert_eq!(kept.len(), 4_194_304);
    assert!(kept.chunks(16).all(|line| line == b"0123456789abcde\n"));
}

#[test]
fn variables_and_folder_are_set_without_standing_in_arguments() {
    let Some(bed) = sealed("variables") else {
        return;
    };
    let host = bed.host(&[
        "--env",
        "IOMS_X=a & b 密",
        "--chdir",
        "/",
        "echo \"$IOMS_X\"; pwd",
    ]);
    assert_eq!(host["stdout"], "a & b 密\n/\n", "{host}");
    assert!(
        bed.windows
            .commands()
            .iter()
            .all(|line| !line.contains("密"))
    );
    bed.is_clean();
}

#[test]
fn text_in_gbk_reads_right_where_the_encoding_is_named() {
    if lacks("winrm-rs: GBK", &[Need::Server]) {
        return;
    }
    let windows = Windows::builder()
        .option("--codepage", "936")
        .start()
        .unwrap();
    let bed = Bed::of(windows, 1, CLIENT);
    let gbk = r"printf '\326\320\316\304\n'";
    let host = bed.host(&["-e", "output_encoding=gbk", gbk]);
    assert_eq!(host["stdout"], "中文\n", "{host}");
    // The page that the crate asks for is not taken for the host's own.
    assert_ne!(bed.host(&[gbk])["stdout"], "中文\n");
    let host = bed.host(&["-e", "ioms_winrm_client=ours", gbk]);
    assert_eq!(host["stdout"], "中文\n", "{host}");
}

#[test]
fn powershell_is_started_by_cmd() {
    if lacks("winrm-rs: PowerShell", &[Need::Server, Need::Powershell]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let bed = Bed::of(
        windows,
        1,
        &format!("{CLIENT}ansible_shell_type: powershell\n"),
    );
    let host = bed.host(&["Write-Output '更新 文件'; exit 5"]);
    assert_eq!(
        (&host["stdout"], &host["exit"]),
        (&"更新 文件\n".into(), &5.into()),
        "{host}"
    );
    bed.is_clean();
}

#[test]
fn a_command_over_its_time_is_ended_with_its_children() {
    let Some(bed) = sealed("a time limit") else {
        return;
    };
    let token = format!("winrm-rs-over-{}", std::process::id());
    let line =
        format!("(exec -a {token} sleep 300) & setsid sh -c 'exec -a {token} sleep 300'; wait");
    let host = bed.host(&["--timeout", "2", &format!("echo early; bash -c \"{line}\"")]);
    assert_eq!(came_out(&host), ("timed_out", "timeout"), "{host}");
    assert_eq!(host["stdout"], "early\n", "{host}");
    wait_until("the tree is gone", || !runs(&token));
    bed.is_clean();
}

#[test]
fn an_interrupted_run_ends_its_commands_and_deletes_its_shells() {
    let Some(bed) = sealed("interruption") else {
        return;
    };
    let token = format!("winrm-rs-interrupted-{}", std::process::id());
    let mut child = bed.desk.start(&[
        "run",
        "-g",
        "all",
        &format!("bash -c 'exec -a {token} sleep 300'"),
    ]);
    wait_until("it runs", || runs(&format!("{token} 300")));
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_until("it is ended", || !runs(&format!("{token} 300")));
    bed.is_clean();
}

#[test]
fn a_quiet_command_is_polled_not_given_up() {
    let Some(bed) = bed("polling", "ansible_winrm_operation_timeout_sec: 1\n") else {
        return;
    };
    let host = bed.host(&["sleep 3; echo done"]);
    assert_eq!(host["stdout"], "done\n", "{host}");
}

#[test]
fn ping_says_how_long_each_step_took_and_leaves_nothing() {
    let Some(bed) = bed("ping", "") else {
        return;
    };
    let document = bed.desk.json(&["ping", "-g", "all"]);
    let host = &document["hosts"][0];
    assert_eq!(host["outcome"], "ok", "{host}");
    assert!(host["connect_ms"].as_f64().unwrap() > 0.0 && host["auth_ms"].as_f64().unwrap() > 0.0);
    bed.is_clean();
}

#[test]
fn a_wrong_password_is_sent_once_and_explained() {
    for way in ["ntlm", "basic"] {
        let vars = format!("ansible_password: wrong\nansible_winrm_transport: {way}\n");
        let Some(bed) = bed("a wrong password", &vars) else {
            return;
        };
        let host = bed.host(&["--retries", "3", "true"]);
        assert_eq!(came_out(&host), ("unreachable", "auth_denied"), "{host}");
        assert!(
            said(&host).contains("LocalAccountTokenFilterPolicy"),
            "{host}"
        );
        assert_eq!(bed.windows.refusals().len(), 1, "{way}: locked by less");
        assert!(!format!("{host}").contains("wrong\""));
    }
}

#[test]
fn a_host_without_credssp_says_so() {
    let Some(bed) = Bed::https_with("winrm-rs: CredSSP", "ansible_winrm_transport: credssp\n")
    else {
        return;
    };
    let host = bed.host(&["true"]);
    assert_eq!(came_out(&host), ("unreachable", "auth_denied"), "{host}");
    assert!(said(&host).contains("Enable-WSManCredSSP"), "{host}");
}

#[test]
fn who_the_host_is_is_judged_as_by_our_own_client() {
    if lacks("winrm-rs: certificates", &[Need::Server]) {
        return;
    }
    let one = |bed: &Bed, args: &[&str]| -> Value { bed.host(args) };
    let windows = Windows::builder()
        .https(Certificate::SelfSigned)
        .start()
        .unwrap();
    let bed = Bed::of(windows, 1, &format!("{CLIENT}{OWN_ROOTS}"));
    let host = one(&bed, &["true"]);
    assert_eq!(came_out(&host), ("unreachable", "certificate"), "{host}");
    assert!(said(&host).contains("hostkeys"), "{host}");
    assert_eq!(bed.windows.requests().len(), 0, "nothing was sent");
    bed.run(&["run", "-g", "all", "--host-key", "accept-new", "true"])
        .ends_with(0);
    assert_eq!(one(&bed, &["true"])["outcome"], "ok", "on record now");
    let pin =
        |digits: &str| format!("{CLIENT}{OWN_ROOTS}ioms_winrm_cert_fingerprint: '{digits}'\n");
    let (right, wrong) = (pin(bed.windows.fingerprint()), pin(&"ab".repeat(32)));
    let bed = bed.again(&right);
    works(&bed);
    let bed = bed.again(&wrong);
    let host = one(&bed, &["true"]);
    assert_eq!(
        came_out(&host),
        ("unreachable", "host_key_changed"),
        "{host}"
    );
    let vars = format!(
        "{CLIENT}{OWN_ROOTS}ansible_winrm_server_cert_validation: ignore\n\
         ansible_winrm_transport: basic\n"
    );
    let bed = bed.again(&vars);
    let ran = bed.run(&["run", "-g", "all", "true"]).ends_with(0);
    assert!(ran.stderr.contains("not checked"), "{}", ran.said());
}

#[test]
fn the_named_authority_is_trusted_and_no_other_name() {
    if lacks("winrm-rs: names in certificates", &[Need::Server]) {
        return;
    }
    for (certificate, word) in [
        (Certificate::Expired, "expired"),
        (Certificate::WrongName, "name"),
    ] {
        let windows = Windows::builder().https(certificate).start().unwrap();
        let host = Bed::of(windows, 1, CLIENT).host(&["true"]);
        assert_eq!(came_out(&host), ("unreachable", "certificate"), "{host}");
        assert!(said(&host).contains(word), "{word}: {host}");
    }
}

#[test]
fn where_nobody_listens_it_is_refused() {
    let Some(bed) = bed("a closed port", "") else {
        return;
    };
    bed.windows.kill();
    let host = bed.host(&["--retries", "0", "true"]);
    assert_eq!(came_out(&host), ("unreachable", "refused"), "{host}");
}

#[test]
fn what_it_cannot_do_is_refused_before_anything_is_sent() {
    for (vars, word) in [
        ("ansible_winrm_path: /other\n", "/wsman"),
        (
            "ansible_winrm_transport: kerberos\nansible_winrm_kerberos_hostname_override: win.ioms.test\n",
            "ticket",
        ),
    ] {
        let Some(bed) = bed("what it can't do", vars) else {
            return;
        };
        let host = bed.host(&["true"]);
        assert_eq!(host["error"]["kind"], "unsupported", "{host}");
        assert!(said(&host).contains(word), "{host}");
        assert_eq!(bed.windows.requests().len(), 0);
    }
    let Some(bed) = Bed::http_with(
        "winrm-rs: CredSSP over HTTP",
        "ansible_winrm_transport: credssp\n",
    ) else {
        return;
    };
    let host = bed.host(&["true"]);
    assert_eq!(host["error"]["kind"], "arguments", "{host}");
    assert_eq!(bed.windows.requests().len(), 0);
}

#[test]
fn a_connection_lost_while_the_command_runs_leaves_it_in_doubt() {
    let Some(bed) = sealed("a lost connection") else {
        return;
    };
    bed.windows
        .fault(Fault::new("drop-receive").times(1))
        .unwrap();
    let host = bed.host(&["sleep 1; echo in"]);
    assert_eq!(came_out(&host), ("failed", "disconnected"), "{host}");
    bed.is_clean();
}

#[test]
fn kerberos_logs_in_with_the_ticket_of_the_system() {
    if lacks("winrm-rs: Kerberos", &[Need::Server, Need::Kerberos]) {
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
        let vars = format!("{over}{CLIENT}ansible_winrm_transport: kerberos\n");
        let bed = Bed::of(windows, 1, &vars);
        let tickets = bed.desk.dir.path().join("tickets");
        let run = || {
            let mut command =
                bed.desk
                    .command(&["--output", "json", "run", "-g", "all", "echo in; exit 3"]);
            command
                .env("KRB5_CONFIG", kdc.config())
                .env("KRB5CCNAME", &tickets);
            let ran = crate::support::Ran::of(command);
            let document: Value = serde_json::from_str(&ran.stdout).unwrap();
            only(&document).clone()
        };
        let host = run();
        assert_eq!(came_out(&host), ("unreachable", "auth_denied"), "{host}");
        assert!(said(&host).contains("kinit"), "{host}");
        kdc.ticket(&tickets).unwrap();
        let host = run();
        assert_eq!(
            (&host["stdout"], &host["exit"]),
            (&"in\n".into(), &3.into()),
            "{host} {:?} {}",
            bed.windows.refusals(),
            bed.windows.said()
        );
        bed.is_clean();
        let logins = bed.windows.events("login");
        assert!(
            !logins.is_empty() && logins.iter().all(|event| event["kind"] == "kerberos"),
            "{logins:?}"
        );
    }
}
