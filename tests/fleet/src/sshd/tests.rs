//! Against the real sshd.

use std::process::Command;

use super::*;

fn ssh(fleet: &Sshd, key: &Path, n: usize, command: &str) -> Result<String> {
    let known = fleet.write_known_hosts(n + 1)?;
    process::output(
        Command::new("ssh")
            .args([
                "-F",
                "none",
                "-o",
                "BatchMode=yes",
                "-o",
                "IdentitiesOnly=yes",
            ])
            .args(["-o", "StrictHostKeyChecking=yes"])
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known.display()))
            .arg("-i")
            .arg(key)
            .args(["-p", &fleet.port().to_string(), "-l", fleet.user()])
            .args([&fleet.address(n), command]),
        None,
    )
}

#[test]
fn every_address_is_a_host_with_a_home_of_its_own() {
    let fleet = Sshd::start().unwrap();
    let said = ssh(&fleet, fleet.key(), 299, "echo $HOME $SSH_CONNECTION").unwrap();
    assert!(said.contains(&fleet.home().display().to_string()), "{said}");
    assert!(said.contains("127.10.1.46"), "{said}");
    assert!(fleet.log().contains("Accepted publickey"));
}

#[test]
fn other_keys_are_refused_until_they_are_authorized() {
    let fleet = Sshd::builder()
        .host_keys(&["ecdsa", "rsa"])
        .start()
        .unwrap();
    assert!(fleet.host_key().starts_with("ecdsa-"));
    assert!(fleet.host_key_of("rsa").unwrap().starts_with("ssh-rsa "));
    let key = fleet.new_key("another", &["-t", "ecdsa"]).unwrap();
    assert!(ssh(&fleet, &key, 0, "true").is_err());
    fleet.authorize(&key).unwrap();
    ssh(&fleet, &key, 0, "true").unwrap();
}

#[test]
fn certificates_vouch_for_users_and_hosts() {
    let builder = Sshd::builder().user_authority().host_certificate();
    let fleet = builder.start().unwrap();
    let key = fleet.new_key("certified", &[]).unwrap();
    assert!(ssh(&fleet, &key, 3, "true").is_err());
    let certificate = fleet.sign_user(&key, fleet.user()).unwrap();
    assert!(certificate.ends_with("certified-cert.pub"));
    ssh(&fleet, &key, 3, "true").unwrap();
}

#[test]
fn settings_of_the_caller_win() {
    let fleet = Sshd::builder()
        .config("SetEnv HOME=/var\nMatch LocalAddress 127.10.0.2\nForceCommand echo forced")
        .key_options("environment=\"A=b\"")
        .start()
        .unwrap();
    assert_eq!(ssh(&fleet, fleet.key(), 0, "echo $HOME").unwrap(), "/var\n");
    assert_eq!(ssh(&fleet, fleet.key(), 1, "true").unwrap(), "forced\n");
    let error = Sshd::builder().config("Nonsense yes").start().unwrap_err();
    assert!(error.to_string().contains("Nonsense"), "{error}");
}

#[test]
fn nothing_is_left_behind() {
    let fleet = Sshd::start().unwrap();
    let id = ssh(&fleet, fleet.key(), 0, "sleep 99 >/dev/null 2>&1 & echo $!").unwrap();
    let id = id.trim().parse().unwrap();
    assert!(process::is_alive(id));
    let folder = fleet.dir().to_owned();
    drop(fleet);
    process::wait_until(|| !process::is_alive(id));
    assert!(!process::is_alive(id));
    assert!(!folder.exists());
}

#[test]
fn a_killed_one_says_so() {
    let fleet = Sshd::start().unwrap();
    fleet.wait_ready().unwrap();
    fleet.kill();
    assert!(fleet.wait_ready().is_err());
    assert!(ssh(&fleet, fleet.key(), 0, "true").is_err());
}
