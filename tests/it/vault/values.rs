//! Values for YAML.

use super::{at_terminal, desk, vault};
use crate::support::{Desk, Ran, read};

const PASSWORD: [&str; 2] = ["--vault-password-file", "one"];

fn sealed(desk: &Desk, args: &[&str], input: &[u8]) -> Ran {
    let all = [&["vault", "encrypt-string"], args, &PASSWORD[..]].concat();
    desk.feed(&all, input)
}

/// What our own inventory makes of an encrypted value.
fn opened(desk: &Desk, yaml: &str, name: &str) -> String {
    desk.file("vars.yml", yaml);
    let value: serde_yaml::Value = serde_yaml::from_str(yaml).unwrap();
    let serde_yaml::Value::Tagged(tagged) = &value[name] else {
        panic!("{yaml}");
    };
    assert_eq!(tagged.tag, "!vault");
    desk.file("value", tagged.value.as_str().unwrap());
    vault(desk, &[&["view", "value"], &PASSWORD[..]].concat())
        .ends_with(0)
        .stdout
}

#[test]
fn values_come_from_standard_input_and_files_with_their_names() {
    let desk = desk();
    let ran = sealed(&desk, &["--stdin-name", "token"], b"s3cret").ends_with(0);
    assert!(
        ran.stdout
            .starts_with("token: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          "),
        "{ran:?}"
    );
    assert_eq!(
        (
            opened(&desk, &ran.stdout, "token").as_str(),
            ran.stderr.as_str()
        ),
        ("s3cret", "")
    );
    let nameless = sealed(&desk, &["-"], b"x\n").ends_with(0);
    assert!(nameless.stdout.starts_with("!vault |\n"));
    assert!(
        nameless.stderr.contains("newline at the end"),
        "{nameless:?}"
    );

    desk.file("key", "line 1\nline 2\n");
    let args = [
        "--stdin-name",
        "a",
        "--file",
        "key",
        "--name",
        "b",
        "--output",
        "out.yml",
    ];
    let both = sealed(&desk, &args, b"first").ends_with(0);
    assert_eq!(both.stdout, "");
    let text = read(desk.dir.path().join("out.yml"));
    assert_eq!(opened(&desk, &text, "a"), "first");
    assert_eq!(opened(&desk, &text, "b"), "line 1\nline 2\n");
}

#[test]
fn a_value_as_an_argument_is_refused_and_not_repeated() {
    let desk = desk();
    for verb in ["encrypt-string", "encrypt_string"] {
        let args = [&["vault", verb, "hunter2", "--name", "a"], &PASSWORD[..]].concat();
        let ran = desk.run(&args).ends_with(1);
        assert!(ran.stderr.contains("hint: leave it out"), "{ran:?}");
        assert!(!ran.said().contains("hunter2"));
    }
    let dashed = sealed(&desk, &["--", "-hunter2"], b"").ends_with(1);
    assert!(!dashed.said().contains("hunter2"), "{dashed:?}");
}

#[test]
fn nothing_and_names_without_values_are_mistakes() {
    let desk = desk();
    let empty = sealed(&desk, &[], b"").ends_with(1);
    assert!(
        empty.stderr.contains("standard input is empty"),
        "{empty:?}"
    );
    let more = sealed(&desk, &["-n", "a", "-n", "b"], b"x").ends_with(1);
    assert!(more.stderr.contains("no value for `b`"), "{more:?}");
    for bad in ["a: b", "", "-a", "x\ny"] {
        let name = format!("--name={bad}");
        let ran = sealed(&desk, &[&name], b"x").ends_with(1);
        assert!(ran.stderr.contains("no name of a variable"), "{ran:?}");
    }
}

#[test]
fn values_are_asked_for_hidden() {
    if ioms_fleet::left_out("values at a terminal", "script") {
        return;
    }
    let desk = desk();
    let args = [
        &[
            "vault",
            "encrypt-string",
            "-p",
            "-n",
            "user",
            "-n",
            "password",
            "--output",
            "out.yml",
        ],
        &PASSWORD[..],
    ]
    .concat();
    let answers = [
        ("Value of user (hidden): ", "ops"),
        ("Value of password (hidden): ", "s3cret"),
    ];
    let ran = at_terminal(&desk, &args, &answers).ends_with(0);
    assert!(!ran.said().contains("s3cret"), "{ran:?}");
    let text = read(desk.dir.path().join("out.yml"));
    assert_eq!(opened(&desk, &text, "user"), "ops");
    assert_eq!(opened(&desk, &text, "password"), "s3cret");
    // At a terminal it is asked for without being told to.
    let args = [&["vault", "encrypt-string"], &PASSWORD[..]].concat();
    let ran = at_terminal(&desk, &args, &[("Value (hidden): ", "x")]).ends_with(0);
    assert!(ran.stdout.contains("!vault |"), "{ran:?}");
}
