//! Logging in: keys of all kinds, encrypted ones, an agent, certificates, passwords, in OpenSSH's
//! order; and errors that say what to mend.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ioms_fleet::Sshd;

use crate::support::{Lab, Ran, only};
use crate::terminal::at_a_terminal;
use crate::users::User;

/// Whether the private number of an ECDSA key begins with a zero byte, as one in 256 does: the
/// library's reader refuses such keys (ROADMAP.md).
fn is_short(key: &Path) -> bool {
    use base64::Engine as _;
    let text = crate::support::read(key);
    let lines = text.lines().filter(|line| !line.starts_with('-'));
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(lines.collect::<String>())
        .unwrap();
    let strings = |mut rest: &[u8]| {
        let mut found = Vec::new();
        while let Some((length, after)) = rest.split_at_checked(4) {
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            let Some((string, after)) = after.split_at_checked(length) else {
                break;
            };
            found.push(string.to_vec());
            rest = after;
        }
        found
    };
    // The head, then cipher, derivation and its options, one key; its private part after two checks.
    let head = strings(&bytes[15..]);
    let private_part =
        strings(&bytes[15 + 12 + head[0].len() + head[1].len() + head[2].len() + 4..]).remove(1);
    let parts = strings(&private_part[8..]);
    let size = if parts[1] == b"nistp256" { 32 } else { 48 };
    parts[3].len() < size
}

#[test]
fn keys_of_all_kinds_are_taken() {
    let sshd = Sshd::start().unwrap();
    let kinds: [(&str, &[&str]); 5] = [
        ("ed25519", &["-t", "ed25519"]),
        ("p256", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("rsapem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
    ];
    let keys: Vec<PathBuf> = kinds
        .iter()
        .map(|(name, args)| {
            let key = (0..20)
                .map(|n| sshd.new_key(&format!("{name}{n}"), args).unwrap())
                .find(|key| !args.contains(&"ecdsa") || !is_short(key))
                .unwrap();
            sshd.authorize(&key).unwrap();
            key
        })
        .collect();
    let lab = Lab::new_without_key(sshd);
    for key in keys {
        lab.run(&[
            "run",
            "-g",
            "all",
            "--private-key",
            key.to_str().unwrap(),
            "true",
        ])
        .ends_with(0);
    }
}

#[test]
fn a_key_nobody_authorised_is_denied_and_the_error_says_what_was_tried() {
    let sshd = Sshd::start().unwrap();
    let stranger = sshd.new_key("stranger", &["-t", "ed25519"]).unwrap();
    let lab = Lab::new_without_key(sshd);
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--private-key",
        stranger.to_str().unwrap(),
        "true",
    ]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["error"]["kind"]),
        (&"unreachable".into(), &"auth_denied".into())
    );
    let message = host["error"]["message"].as_str().unwrap();
    assert!(message.contains("stranger"), "{message}");
    assert!(host["error"]["hint"].is_string(), "{host}");
}

#[test]
fn an_encrypted_key_is_asked_for_once_for_all_hosts() {
    let sshd = Sshd::start().unwrap();
    let key = sshd
        .new_key("locked", &["-t", "ed25519", "-N", "open sesame"])
        .unwrap();
    sshd.authorize(&key).unwrap();
    let lab = Lab::on(sshd, 4, 0);
    let args = ["run", "-g", "all", "-e"];
    let var = format!("ansible_ssh_private_key_file={}", key.display());
    let command = lab.desk.command(
        &[
            &args[..],
            &[
                &var,
                "--output",
                "fold",
                "--connect-timeout",
                "2",
                "echo in",
            ],
        ]
        .concat(),
    );
    // Longer than --connect-timeout.
    let delay = std::time::Duration::from_secs(3);
    let ran = at_a_terminal(&command, &[("locked: ", "open sesame\n")], delay).ends_with(0);
    assert!(ran.stdout.contains("(4)"), "{ran:?}");
    assert_eq!(ran.stdout.matches("Passphrase").count(), 1, "{ran:?}");
    // Without a terminal nobody can be asked: an error, not a wait.
    let none = lab.json(&["run", "-g", "web01", "-e", &var, "true"]);
    assert_eq!(only(&none)["error"]["kind"], "auth_denied", "{none}");
}

/// An ssh-agent, ended with the test.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        crate::support::wait_until("the agent listens", || socket.exists());
        Self { child, socket }
    }

    fn add(&self, key: &Path) {
        let output = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("SSH_ASKPASS", key.with_extension("askpass"))
            .env("SSH_AUTH_SOCK", &self.socket)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_agents_keys_serve_many_hosts_at_once() {
    let sshd = Sshd::start().unwrap();
    let key = sshd.new_key("inagent", &["-t", "ed25519"]).unwrap();
    sshd.authorize(&key).unwrap();
    let agent = Agent::start(sshd.dir());
    agent.add(&key);
    std::fs::remove_file(&key).unwrap();
    let lab = Lab::on(sshd, 40, 0);
    let mut command = lab.desk.command(&[
        "run",
        "-g",
        "all",
        "-e",
        "ansible_ssh_private_key_file=/nonexistent",
        "true",
    ]);
    command.env("SSH_AUTH_SOCK", &agent.socket);
    let ran = Ran::of(command).ends_with(0);
    assert!(ran.stderr.contains("40 ok"), "{ran:?}");
}

/// A run of one host with an agent and these options of ssh.
fn with_agent(lab: &Lab, agent: &Agent, key: &Path, options: &str) -> Ran {
    let mut command = lab.desk.command(&[
        "run",
        "-g",
        "all",
        "--private-key",
        key.to_str().unwrap(),
        "--ssh-extra-args",
        options,
        "true",
    ]);
    command.env("SSH_AUTH_SOCK", &agent.socket);
    Ran::of(command)
}

#[test]
fn a_public_key_names_the_one_of_the_agent() {
    let sshd = Sshd::start().unwrap();
    let key = sshd.new_key("token", &["-t", "ed25519"]).unwrap();
    sshd.authorize(&key).unwrap();
    let agent = Agent::start(sshd.dir());
    for index in 0..7 {
        // More than a server lets us try.
        agent.add(
            &sshd
                .new_key(&format!("other{index}"), &["-t", "ed25519"])
                .unwrap(),
        );
    }
    agent.add(&key);
    std::fs::remove_file(&key).unwrap();
    let lab = Lab::new_without_key(sshd);
    let public = key.with_extension("pub");
    let ran = with_agent(&lab, &agent, Path::new("/nonexistent"), "").ends_with(4);
    assert!(
        ran.said().contains("auth_denied") && ran.said().contains("Too many"),
        "it is no cut line, to be tried again: {ran:?}"
    );
    with_agent(&lab, &agent, &public, "-o IdentitiesOnly=yes").ends_with(0);
    // Alone it is not enough, and that is said.
    let ran = lab
        .run(&[
            "run",
            "-g",
            "all",
            "--private-key",
            public.to_str().unwrap(),
            "true",
        ])
        .ends_with(4);
    assert!(ran.said().contains("no agent holds it"), "{ran:?}");
}

#[test]
fn a_certificate_of_a_file_serves_for_the_agents_key() {
    for kind in ["ed25519", "rsa"] {
        let sshd = Sshd::builder().user_authority().start().unwrap();
        let key = sshd.new_key("certified", &["-t", kind]).unwrap();
        let agent = Agent::start(sshd.dir());
        // Before it is certified, so that the agent holds the plain key alone.
        agent.add(&key);
        sshd.sign_user(&key, sshd.user()).unwrap();
        let lab = Lab::new_without_key(sshd);
        with_agent(&lab, &agent, &key, "-o IdentitiesOnly=yes").ends_with(0);
        // And without an agent the file signs.
        lab.run(&[
            "run",
            "-g",
            "all",
            "--private-key",
            key.to_str().unwrap(),
            "true",
        ])
        .ends_with(0);
    }
}

#[test]
fn an_encrypted_key_that_the_agent_holds_is_not_asked_for() {
    use std::os::unix::fs::PermissionsExt as _;
    let sshd = Sshd::start().unwrap();
    let key = sshd
        .new_key("locked", &["-t", "ed25519", "-N", "open sesame"])
        .unwrap();
    sshd.authorize(&key).unwrap();
    let askpass = key.with_extension("askpass");
    std::fs::write(&askpass, "#!/bin/sh\necho open sesame\n").unwrap();
    std::fs::set_permissions(&askpass, std::fs::Permissions::from_mode(0o700)).unwrap();
    let agent = Agent::start(sshd.dir());
    agent.add(&key);
    std::fs::remove_file(key.with_extension("pub")).unwrap();
    let lab = Lab::new_without_key(sshd);
    with_agent(&lab, &agent, &key, "-o IdentitiesOnly=yes").ends_with(0);
}

#[test]
fn keys_that_may_not_be_used_are_not_tried() {
    let lab = Lab::new(1);
    let with = |list: &str| {
        lab.run(&[
            "run",
            "-g",
            "all",
            "--ssh-extra-args",
            &format!("-o PubkeyAcceptedAlgorithms={list}"),
            "true",
        ])
    };
    with("ssh-ed25519").ends_with(0);
    let ran = with("rsa-sha2-512").ends_with(4);
    assert!(ran.said().contains("PubkeyAcceptedAlgorithms"), "{ran:?}");
}

#[test]
fn an_agent_that_says_nothing_holds_nobody_up() {
    let lab = Lab::new(3);
    let socket = lab.desk.dir.path().join("silent");
    let _silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let mut command = lab.desk.command(&["run", "-g", "all", "true"]);
    command.env("SSH_AUTH_SOCK", &socket);
    let began = std::time::Instant::now();
    let ran = Ran::of(command).ends_with(0);
    assert!(began.elapsed().as_secs() < 15, "{ran:?}");
    assert!(ran.stderr.contains("ssh-agent"), "it is said: {ran:?}");
}

#[test]
fn certificates_are_shown_where_an_authority_vouches() {
    let sshd = Sshd::builder().user_authority().start().unwrap();
    let key = sshd.new_key("certified", &["-t", "ed25519"]).unwrap();
    sshd.sign_user(&key, sshd.user()).unwrap();
    let lab = Lab::new_without_key(sshd);
    lab.run(&[
        "run",
        "-g",
        "all",
        "--private-key",
        key.to_str().unwrap(),
        "true",
    ])
    .ends_with(0);
}

#[test]
fn a_host_certificate_is_believed_by_its_authority() {
    let sshd = Sshd::builder().host_certificate().start().unwrap();
    Lab::on(sshd, 2, 0)
        .run(&["run", "-g", "all", "true"])
        .ends_with(0);
}

#[test]
fn a_password_logs_in_and_is_shown_nowhere() {
    if ioms_fleet::left_out("password login", "root") {
        return;
    }
    let sshd = Sshd::builder()
        .config("PasswordAuthentication yes\nKbdInteractiveAuthentication no\n")
        .start()
        .unwrap();
    let user = User::new("/bin/bash");
    let lab = Lab::new_without_key(sshd);
    let file = lab.desk.file("password", format!("{}\n", user.password));
    let args = ["run", "-g", "all", "-vvvv", "-u", &user.name, "-e"];
    let var = format!("ansible_user={}", user.name);
    let with = |rest: &[&str]| lab.run(&[&args[..], &[var.as_str()][..], rest].concat());
    let ran = with(&[
        "--connection-password-file",
        file.to_str().unwrap(),
        "id -un",
    ])
    .ends_with(0);
    assert!(
        ran.stdout.contains(&user.name) && !ran.said().contains(&user.password),
        "{ran:?}"
    );
    // One that prints it is redacted, as is what the record holds.
    let ran = with(&[
        "--connection-password-file",
        file.to_str().unwrap(),
        &format!("echo {}", user.password),
    ]);
    assert!(
        !ran.said().contains(&user.password) && ran.said().contains("********"),
        "{ran:?}"
    );
    let database = lab.database();
    let holds = |text: &str| {
        database
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(!holds(&user.password));
    assert!(holds("id -un"), "the database is looked at");
    let wrong = lab.desk.file("wrong", "not it\n");
    let denied = with(&[
        "--connection-password-file",
        wrong.to_str().unwrap(),
        "true",
    ])
    .ends_with(4);
    assert!(denied.said().contains("password"), "{denied:?}");
}

#[test]
fn a_server_that_asks_questions_gets_the_password() {
    if ioms_fleet::left_out("keyboard-interactive login", "root") {
        return;
    }
    let sshd = Sshd::builder()
        .config("UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\n")
        .start()
        .unwrap();
    let user = User::new("/bin/bash");
    let lab = Lab::new_without_key(sshd);
    let file = lab.desk.file("password", format!("{}\n", user.password));
    let var = format!("ansible_user={}", user.name);
    let ran = lab.run(&[
        "run",
        "-g",
        "all",
        "-e",
        &var,
        "--connection-password-file",
        file.to_str().unwrap(),
        "id -un",
    ]);
    assert!(ran.ends_with(0).stdout.contains(&user.name));
}

#[test]
fn a_wrong_password_is_sent_once_whatever_the_server_takes() {
    if ioms_fleet::left_out("a wrong password", "root") {
        return;
    }
    let sshd = Sshd::builder()
        .config("UsePAM yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication yes\n")
        .start()
        .unwrap();
    let user = User::new("/bin/bash");
    let lab = Lab::new_without_key(sshd);
    let wrong = lab.desk.file("wrong", "not it\n");
    let var = format!("ansible_user={}", user.name);
    let refused = || lab.sshd.log().matches("Failed ").count();
    for (index, order) in [
        "keyboard-interactive,password",
        "password,keyboard-interactive",
    ]
    .iter()
    .enumerate()
    {
        let document = lab.json(&[
            "run",
            "-g",
            "all",
            "-e",
            &var,
            "--ssh-extra-args",
            &format!("-o PreferredAuthentications={order}"),
            "--connection-password-file",
            wrong.to_str().unwrap(),
            "true",
        ]);
        assert_eq!(
            only(&document)["error"]["kind"],
            "auth_denied",
            "{document}"
        );
        assert_eq!(refused(), index + 1, "{order}: {}", lab.sshd.log());
    }
}

#[test]
fn a_server_that_wants_two_methods_gets_both() {
    if ioms_fleet::left_out("password and key", "root") {
        return;
    }
    let sshd = Sshd::builder()
        .config("PasswordAuthentication yes\nAuthenticationMethods password,publickey\n")
        .start()
        .unwrap();
    let user = User::new("/bin/bash");
    let lab = Lab::one(sshd, "");
    let file = lab.desk.file("password", format!("{}\n", user.password));
    lab.run(&[
        "run",
        "-g",
        "all",
        "-e",
        &format!("ansible_user={}", user.name),
        "--connection-password-file",
        file.to_str().unwrap(),
        "true",
    ])
    .ends_with(0);
}

#[test]
fn a_sshd_that_turns_connections_away_is_tried_again() {
    let sshd = Sshd::builder().max_startups("2:100:2").start().unwrap();
    let lab = Lab::on(sshd, 30, 0);
    let ran = lab.run(&["run", "-g", "all", "true"]).ends_with(0);
    assert!(ran.stderr.contains("30 ok"), "{ran:?}");
}
