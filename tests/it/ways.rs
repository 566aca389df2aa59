//! The way to a host: `ssh_config`, bastions, proxies; and hosts that fail, each with its own kind
//! of error and a next step.

use std::process::Command;
use std::time::{Duration, Instant};

use ioms_fleet::{Sshd, failing};

use crate::support::{Desk, Lab, Ran, known_hosts, only};

/// A home whose `~/.ssh/config` is this.
fn configured(lab: &Lab, text: &str) {
    lab.desk.file("home/.ssh/config", text);
}

fn login(sshd: &Sshd) -> String {
    format!(
        "  User {}\n  IdentityFile {}\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n",
        sshd.user(),
        sshd.key().display(),
        sshd.dir().join("known_hosts").display()
    )
}

fn ssh_connection(ran: &Ran) -> Vec<String> {
    ran.stdout.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn ssh_config_says_where_a_name_leads() {
    let lab = Lab::new(3);
    configured(
        &lab,
        &format!(
            "Include extra.conf\nHost web.*\n  HostName {}\n  Port {}\nHost *\n{}",
            lab.sshd.address(1),
            lab.sshd.port(),
            login(&lab.sshd)
        ),
    );
    lab.desk.file(
        "home/.ssh/extra.conf",
        "Host web.game\n  HostKeyAlias other\n",
    );
    let ran = lab
        .run(&["run", "-i", "web.one,", "all", "echo $SSH_CONNECTION"])
        .ends_with(0);
    assert_eq!(ssh_connection(&ran)[2], lab.sshd.address(1));
    let alias = lab
        .run(&["run", "-i", "web.game,", "all", "true"])
        .ends_with(4);
    assert!(
        alias.said().contains("other"),
        "the key is looked up under its alias: {alias:?}"
    );
}

#[test]
fn a_chain_of_bastions_is_gone_through_and_each_is_used_once() {
    let lab = Lab::new(12);
    let jumps = format!(
        "{0}@{1}:{2},{0}@{3}:{2}",
        lab.sshd.user(),
        lab.sshd.address(10),
        lab.sshd.port(),
        lab.sshd.address(11)
    );
    // The hops' keys and user come of the configuration, as ssh has it.
    configured(&lab, &format!("Host *\n{}", login(&lab.sshd)));
    let var = format!("ansible_ssh_extra_args=-J {jumps}");
    let ran = lab
        .run(&[
            "run",
            "-g",
            "web[01-06]",
            "-e",
            &serde_json::json!({"ansible_ssh_extra_args": format!("-J {jumps}")}).to_string(),
            "--output",
            "host",
            "echo $SSH_CONNECTION",
        ])
        .ends_with(0);
    let sources: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.matches(' ').count() == 3)
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(sources.len(), 6, "{var}: {ran:?}");
    assert!(
        lab.sshd.log().matches("Accepted publickey").count() == 8,
        "six hosts and two bastions, each once: {}",
        lab.sshd.log()
    );
}

/// The errors of three hosts behind this bastion: kind and message of each.
fn behind(lab: &Lab, bastion: &str) -> Vec<(String, String)> {
    configured(lab, &format!("Host *\n{}", login(&lab.sshd)));
    let var = serde_json::json!({"ansible_ssh_extra_args": format!("-J {bastion}")}).to_string();
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--connect-timeout",
        "2",
        "-e",
        &var,
        "true",
    ]);
    document["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| {
            let text = |field: &str| host["error"][field].as_str().unwrap_or("none").to_owned();
            (text("kind"), text("message"))
        })
        .collect()
}

#[test]
fn a_bastion_that_refuses_us_is_asked_once_and_named() {
    let lab = Lab::new(3);
    let other = Sshd::start().unwrap();
    let bastion = format!("{}@{}:{}", other.user(), other.address(9), other.port());
    let strangers = behind(&lab, &bastion);
    for (kind, message) in &strangers {
        assert_eq!(kind, "host_key_unknown", "{message}");
        assert!(message.starts_with("bastion "), "{message}");
    }
    // Nobody's key is authorised there.
    other.write_known_hosts(10).unwrap();
    let known = std::fs::read_to_string(other.dir().join("known_hosts")).unwrap();
    let path = lab.sshd.dir().join("known_hosts");
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, before + &known).unwrap();
    let denied = behind(&lab, &bastion);
    for (kind, message) in &denied {
        assert_eq!(kind, "auth_denied", "{message}");
        assert!(message.starts_with("bastion "), "{message}");
    }
    assert_eq!(
        other
            .log()
            .matches(&format!("on {} port", other.address(9)))
            .count(),
        2,
        "once a run: {}",
        other.log()
    );
}

#[test]
fn a_bastion_that_is_down_is_named() {
    let lab = Lab::new(3);
    let hole = failing::black_hole().unwrap();
    for (kind, message) in behind(&lab, &format!("127.0.0.1:{}", hole.port())) {
        assert_eq!(kind, "connect_timeout");
        assert!(
            message.contains("bastion") && message.contains(&hole.port().to_string()),
            "{message}"
        );
    }
}

#[test]
fn a_proxy_command_is_the_connection() {
    let lab = Lab::new(2);
    let script = "import socket,sys,threading\ns=socket.create_connection((sys.argv[1],int(sys.argv[2])))\ndef up():\n  while True:\n    b=sys.stdin.buffer.raw.read(65536)\n    if not b: break\n    s.sendall(b)\nthreading.Thread(target=up,daemon=True).start()\nwhile True:\n  b=s.recv(65536)\n  if not b: break\n  sys.stdout.buffer.write(b); sys.stdout.flush()\n";
    let proxy = lab.desk.file("proxy.py", script);
    configured(
        &lab,
        &format!("Host *\n  ProxyCommand python3 {} %h %p\n", proxy.display()),
    );
    let ran = lab
        .run(&["run", "-g", "all", "seq 1 20000 | tail -n 1"])
        .ends_with(0);
    assert!(ran.stdout.contains("20000"), "{ran:?}");
}

#[test]
fn a_proxy_command_that_can_not_work_is_started_once() {
    let lab = Lab::new(1);
    let ran = lab.desk.dir.path().join("ran");
    let proxy = lab.desk.file(
        "proxy.sh",
        format!("echo once >> {}\nexit 3\n", ran.display()),
    );
    configured(
        &lab,
        &format!("Host *\n  ProxyCommand sh {}\n", proxy.display()),
    );
    let document = lab.json(&["run", "-g", "all", "true"]);
    let error = &only(&document)["error"];
    assert_eq!(error["kind"], "local_io", "{document}");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("ProxyCommand") && message.contains('3'),
        "{message}"
    );
    assert_eq!(std::fs::read_to_string(ran).unwrap(), "once\n");
}

#[test]
fn an_interrupt_at_the_terminal_leaves_the_proxy_to_us() {
    let lab = Lab::new(1);
    let pid = lab.desk.dir.path().join("group");
    let proxy = lab.desk.file(
        "proxy.sh",
        format!("ps -o pgid= -p $$ > {}\nexec nc $1 $2\n", pid.display()),
    );
    configured(
        &lab,
        &format!("Host *\n  ProxyCommand sh {} %h %p\n", proxy.display()),
    );
    let group = || std::fs::read_to_string(&pid).unwrap_or_default();
    let mut child = lab.desk.start(&["run", "-g", "all", "sleep 1"]);
    crate::support::wait_until("the proxy runs", || !group().trim().is_empty());
    let ours = Command::new("ps")
        .args(["-o", "pgid=", "-p", &child.id().to_string()])
        .output()
        .unwrap();
    assert_ne!(
        group().trim(),
        String::from_utf8(ours.stdout).unwrap().trim()
    );
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_name_that_a_shell_would_act_on_never_reaches_one() {
    let lab = Lab::new(1);
    let ran = lab.desk.dir.path().join("ran");
    configured(
        &lab,
        "Match exec \"echo %h %n %r\"\n  ProxyCommand echo %h %r\n",
    );
    let touch = format!("$(touch${{IFS}}{})", ran.display());
    for name in ["ansible_host", "ansible_user"] {
        let var = serde_json::json!({ name: touch }).to_string();
        let document = lab.json(&["run", "-g", "all", "-e", &var, "true"]);
        assert_eq!(only(&document)["error"]["kind"], "arguments", "{document}");
        assert!(!ran.exists(), "{name}");
    }
}

#[test]
fn a_comment_in_another_encoding_does_no_harm() {
    let lab = Lab::new(1);
    lab.desk
        .file("home/.ssh/config", b"# \xb7\xfe\xce\xf1\xc6\xf7\nHost *\n");
    lab.run(&["run", "-g", "all", "true"]).ends_with(0);
}

#[test]
fn a_keyword_that_bears_on_identity_and_is_not_known_fails_the_host_and_names_the_line() {
    let lab = Lab::new(2);
    configured(
        &lab,
        "Compression yes\nHost 127.10.0.1\n  PKCS11Provider /usr/lib/x.so\n",
    );
    let document = lab.json(&["run", "-g", "all", "true"]);
    let hosts = document["hosts"].as_array().unwrap();
    assert_eq!(hosts[0]["error"]["kind"], "unsupported", "{document}");
    let message = hosts[0]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(".ssh/config")
            && message.contains('3')
            && message.contains("PKCS11Provider"),
        "{message}"
    );
    assert_eq!(hosts[1]["outcome"], "ok", "others are not touched");
}

/// The only host's error of a port that fails.
fn error_of(port: u16, more: &[&str]) -> (String, String, String) {
    let desk = Desk::with(&format!(
        "all: {{hosts: {{h: {{ansible_host: 127.0.0.1, ansible_port: {port}, ansible_ssh_common_args: '-o StrictHostKeyChecking=no'}}}}}}\n"
    ));
    let args = [
        &["run", "-g", "all", "--connect-timeout", "1"],
        more,
        &["true"],
    ]
    .concat();
    let host = only(&desk.json(&args)).clone();
    assert_eq!(host["outcome"], "unreachable", "{host}");
    let text = |field: &str| host["error"][field].as_str().unwrap_or_default().to_owned();
    (text("kind"), text("message"), text("hint"))
}

#[test]
fn hosts_that_fail_are_told_apart() {
    let refused = failing::refused().unwrap();
    let silent = failing::silent().unwrap();
    let garbage = failing::garbage().unwrap();
    let hole = failing::black_hole().unwrap();
    for (port, expected) in [
        (refused.port(), "refused"),
        (silent.port(), "connect_timeout"),
        (garbage.port(), "protocol"),
        (hole.port(), "connect_timeout"),
    ] {
        let (kind, message, hint) = error_of(port, &[]);
        assert_eq!(kind, expected, "{message}");
        assert!(message.contains(&port.to_string()), "{message}");
        assert!(!hint.is_empty(), "{message}");
    }
    let desk = Desk::with("all: {hosts: {no.such.host.invalid: }}\n");
    assert_eq!(
        only(&desk.json(&["run", "-g", "all", "true"]))["error"]["kind"],
        "dns"
    );
}

#[test]
fn one_stuck_host_holds_nobody_up() {
    let lab = Lab::new(8);
    let hole = failing::black_hole().unwrap();
    let inventory = lab.desk.file(
        "stuck.yml",
        format!(
            "all: {{hosts: {{stuck: {{ansible_host: 127.0.0.1, ansible_port: {}}}}}}}\n",
            hole.port()
        ),
    );
    let fleet = lab.desk.dir.path().join("inventory.yml");
    let began = Instant::now();
    let ran = lab
        .run(&[
            "run",
            "-i",
            inventory.to_str().unwrap(),
            "-i",
            fleet.to_str().unwrap(),
            "-g",
            "all",
            "--connect-timeout",
            "3",
            "--output",
            "jsonl",
            "true",
        ])
        .ends_with(4);
    assert!(began.elapsed() < Duration::from_secs(15));
    let finished: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.contains("host_finished"))
        .collect();
    assert_eq!(finished.len(), 9);
    assert!(
        finished[8].contains("\"stuck\""),
        "the others are done first: {}",
        finished[8]
    );
}

#[test]
fn a_slow_and_far_host_is_served_whole() {
    let lab = Lab::new(1);
    let target = format!("{}:{}", lab.sshd.address(0), lab.sshd.port())
        .parse()
        .unwrap();
    let line = failing::Line {
        delay: Duration::from_millis(50),
        rate: Some(2_000_000),
        cut_after: None,
    };
    let proxy = failing::Proxy::start(target, line).unwrap();
    let port = format!("ansible_port={}", proxy.port());
    let args = [
        "run",
        "-g",
        "all",
        "-e",
        "ansible_host=127.0.0.1",
        "-e",
        &port,
        "--host-key",
        "off",
        "seq 1 200000 | md5sum",
    ];
    let ran = lab.run(&args).ends_with(0);
    assert!(ran.stdout.contains("  -"), "{ran:?}");
    assert!(
        ran.stderr.to_lowercase().contains("key"),
        "a check that is off is said: {}",
        ran.stderr
    );
}

#[test]
fn a_line_that_is_cut_in_the_middle_of_the_output_is_a_failure() {
    let lab = Lab::new(1);
    let target = format!("{}:{}", lab.sshd.address(0), lab.sshd.port())
        .parse()
        .unwrap();
    let line = failing::Line {
        delay: Duration::ZERO,
        rate: None,
        cut_after: Some(200_000),
    };
    let proxy = failing::Proxy::start(target, line).unwrap();
    let port = format!("ansible_port={}", proxy.port());
    let host = lab.json(&[
        "run",
        "-g",
        "all",
        "-e",
        "ansible_host=127.0.0.1",
        "-e",
        &port,
        "--host-key",
        "off",
        "seq 1 2000000",
    ]);
    let host = only(&host);
    assert_eq!(
        (&host["outcome"], &host["error"]["kind"]),
        (&"failed".into(), &"disconnected".into()),
        "{}",
        host["error"]
    );
}

#[test]
fn old_servers_are_reached_where_legacy_crypto_is_allowed() {
    let old = "KexAlgorithms diffie-hellman-group14-sha1\nCiphers aes128-cbc\nMACs hmac-sha1\nHostKeyAlgorithms ssh-rsa,rsa-sha2-256\n";
    let sshd = Sshd::builder()
        .host_keys(&["rsa"])
        .config(old)
        .start()
        .unwrap();
    let lab = Lab::one(sshd, "");
    let refused = only(&lab.json(&["run", "-g", "all", "true"])).clone();
    assert_eq!(refused["error"]["kind"], "protocol", "{refused}");
    assert!(
        refused["error"]["hint"]
            .as_str()
            .unwrap()
            .contains("legacy_crypto"),
        "{refused}"
    );
    lab.run(&["run", "-g", "all", "-e", "legacy_crypto=true", "true"])
        .ends_with(0);
}

#[test]
fn another_argument_of_ssh_is_an_error_that_names_it() {
    let lab = Lab::new(1);
    let args = format!("{} -w 0:0", known_hosts(&lab.sshd));
    let host = lab.json(&[
        "run",
        "-g",
        "all",
        "-e",
        &serde_json::json!({"ansible_ssh_common_args": args}).to_string(),
        "true",
    ]);
    let host = only(&host);
    assert_eq!(host["error"]["kind"], "unsupported");
    assert!(
        host["error"]["message"].as_str().unwrap().contains("-w"),
        "{host}"
    );
}
