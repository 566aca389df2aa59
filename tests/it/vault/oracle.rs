//! ansible-vault reads what is written here, and the other way round. `IOMS_TEST_ORACLE` names the
//! virtual environment that it is in.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use super::{desk, vault};
use crate::support::{Desk, Ran, read};

/// ansible-vault; without it the test is left out, which is said.
fn ansible_vault(what: &str) -> Option<PathBuf> {
    let oracle = std::env::var_os("IOMS_TEST_ORACLE").map(PathBuf::from);
    let program = oracle.map(|folder| folder.join("bin/ansible-vault"));
    let program = program.filter(|program| program.exists());
    if program.is_none() {
        // Not `println!`, which the test harness keeps to itself.
        let _ = writeln!(
            std::io::stdout(),
            "LEFT OUT: {what} (IOMS_TEST_ORACLE names no ansible-core)"
        );
    }
    program
}

fn theirs(program: &PathBuf, desk: &Desk, args: &[&str]) -> String {
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .envs([
            ("HOME", desk.home().to_str().unwrap()),
            ("LC_ALL", "C.UTF-8"),
        ])
        .env("PATH", "/usr/bin:/bin")
        .env("PAGER", "cat")
        .current_dir(desk.dir.path());
    Ran::of(command).ends_with(0).stdout
}

/// A vault's text without what is random in it: its heading, and how long its lines are.
fn shape(text: &str) -> (Option<&str>, Vec<usize>, bool) {
    let lines = text.lines().skip(1).map(str::len);
    (text.lines().next(), lines.collect(), text.ends_with('\n'))
}

#[test]
fn files_of_each_are_written_alike_and_open_with_the_other() {
    let Some(program) = ansible_vault("vault files of ansible-vault") else {
        return;
    };
    let desk = desk();
    let contents: [&[u8]; 4] = [b"", b"a: 1\n", b"exactly 16 bytes", &[0, 255, 128, 10]];
    let ours = ["ours0", "ours1", "ours2", "ours3"];
    let other = ["theirs0", "theirs1", "theirs2", "theirs3"];
    let text = |name: &str| read(desk.dir.path().join(name));
    let ids = ["--vault-id", "dev@one", "--vault-id", "prod@two"];
    let all = [&ids[..], &["--vault-password-file", "one"]].concat();
    for label in [None, Some("dev"), Some("prod")] {
        for (number, content) in contents.into_iter().enumerate() {
            desk.file(ours[number], content);
            desk.file(other[number], content);
        }
        let key = match &label {
            None => vec!["--vault-password-file", "one"],
            Some(label) => [&ids[..], &["--encrypt-vault-id", label]].concat(),
        };
        vault(&desk, &[&["encrypt"], &ours[..], &key].concat()).ends_with(0);
        theirs(&program, &desk, &[&["encrypt"], &other[..], &key].concat());
        for (ours, other) in ours.iter().zip(other) {
            assert_eq!(shape(&text(ours)), shape(&text(other)));
        }
        theirs(&program, &desk, &[&["decrypt"], &ours[..], &all].concat());
        vault(&desk, &[&["decrypt"], &other[..], &all].concat()).ends_with(0);
        for (number, content) in contents.into_iter().enumerate() {
            for name in [ours[number], other[number]] {
                assert_eq!(fs::read(desk.dir.path().join(name)).unwrap(), content);
            }
        }
    }
}

#[test]
fn values_are_written_alike_and_open_with_the_other() {
    let Some(program) = ansible_vault("vault values of ansible-vault") else {
        return;
    };
    let desk = desk();
    for id in ["one", "prod@two"] {
        let name = ["encrypt_string", "--vault-id", id];
        let ours = [&["vault"], &name[..], &["--stdin-name", "a"]].concat();
        let ours = desk
            .feed(&ours, "geheim 机密".as_bytes())
            .ends_with(0)
            .stdout;
        let other = [&name[..], &["--name", "a", "geheim 机密"]].concat();
        let other = theirs(&program, &desk, &other);
        let lengths = |text: &str| text.lines().map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(&ours), lengths(&other));
        assert_eq!(
            ours.lines().take(2).collect::<Vec<_>>(),
            other.lines().take(2).collect::<Vec<_>>()
        );
        let armoured = |text: &str| {
            let lines = text
                .lines()
                .skip(1)
                .map(|line| format!("{}\n", line.trim()));
            lines.collect::<String>()
        };
        desk.file("ours", armoured(&ours));
        desk.file("theirs", armoured(&other));
        let opened = theirs(&program, &desk, &["view", "ours", "--vault-id", id]);
        assert_eq!(opened.trim_end(), "geheim 机密");
        let opened = vault(&desk, &["view", "theirs", "--vault-id", id]).ends_with(0);
        assert_eq!(opened.stdout, "geheim 机密");
    }
}

#[test]
fn rekeyed_files_open_with_the_new_password_alone() {
    let Some(program) = ansible_vault("rekeyed vaults of ansible-vault") else {
        return;
    };
    let desk = desk();
    for new in [
        ["--new-vault-password-file", "two"],
        ["--new-vault-id", "prod@two"],
    ] {
        for name in ["ours", "theirs"] {
            desk.file(name, "x\n");
            vault(&desk, &["encrypt", name, "--vault-id", "dev@one"]).ends_with(0);
        }
        let old = ["--vault-id", "dev@one"];
        vault(&desk, &[&["rekey", "ours"], &old[..], &new[..]].concat()).ends_with(0);
        theirs(
            &program,
            &desk,
            &[&["rekey", "theirs"], &old[..], &new[..]].concat(),
        );
        let text = |name: &str| read(desk.dir.path().join(name));
        assert_eq!(shape(&text("ours")), shape(&text("theirs")));
        let view = ["view", "ours", "--vault-password-file", "two"];
        assert_eq!(theirs(&program, &desk, &view).trim_end(), "x");
        vault(&desk, &["view", "ours", "--vault-password-file", "one"]).ends_with(1);
    }
}
