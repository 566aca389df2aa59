//! What is kept holds secrets, and shows them to nobody.

use super::{HOLD, killed, let_go, log, pair, resume, site};

/// All that is in files below a folder.
fn contents(folder: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.extend(std::fs::read(&path).unwrap_or_default());
        }
    }
    all
}

#[test]
fn a_vaults_value_is_known_again_and_stands_nowhere_in_clear() {
    let desk = pair();
    desk.file("password", "vault password\n");
    desk.file(
        "group_vars/web.yml",
        "token: t0ken-of-the-vault\nplain: 1\n",
    );
    desk.run(&[
        "vault",
        "encrypt",
        "--vault-password-file",
        "password",
        "group_vars/web.yml",
    ])
    .ends_with(0);
    site(
        &desk,
        &format!(
            "- hosts: all
  gather_facts: false
  tasks:
    - {{name: ask, command: 'echo {{{{ token }}}}', register: r}}
    - {{set_fact: {{again: 'x{{{{ r.stdout }}}}x'}}}}
    - {{name: hidden, shell: 'echo hidden-from-all', register: h, no_log: true}}
    - {{name: hold, {HOLD}}}
    - {{name: use, shell: 'echo {{{{ again | length }}}} {{{{ h.stdout | length }}}} >> log'}}
    - {{name: show, debug: {{var: r.stdout}}}}
"
        ),
    );
    let flags = [
        "site.yml",
        "--vault-password-file",
        "password",
        "-e",
        "given=g1ven-by-flag",
    ];
    killed(&desk, &flags, "TASK [hold]");
    let secrets = [
        "t0ken-of-the-vault",
        "hidden-from-all",
        "vault password",
        "g1ven-by-flag",
    ];
    let data = desk.dir.path().join("data");
    for secret in secrets {
        let all = contents(&data);
        let found = all
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "{secret} stands in the data folder");
    }
    let_go(&desk);
    let ran = resume(&desk, &[]).ends_with(0);
    assert_eq!(log(&desk), ["20 15", "20 15"]);
    // The vault is not opened for what is done: its value is taken out all the same.
    assert!(ran.stdout.contains("********"), "{}", ran.stdout);
    for secret in &secrets[..2] {
        assert!(!ran.said().contains(secret), "{}", ran.said());
    }
}
