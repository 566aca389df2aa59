//! `iomsctl vault`: against ansible-vault itself, by its exit, by what stays behind.

mod editing;
mod oracle;
mod values;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Desk, Ran, read};

/// A desk with the passwords `one` and `two` in files.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.file("one", "first password\n");
    desk.file("two", "second password\n");
    desk
}

fn vault(desk: &Desk, args: &[&str]) -> Ran {
    let mut all = vec!["vault"];
    all.extend(args);
    desk.run(&all)
}

/// The program at a terminal that types these lines, each when its question is shown.
fn at_terminal(desk: &Desk, args: &[&str], answers: &[(&str, &str)]) -> Ran {
    let plain = desk.command(args);
    let words: Vec<String> = std::iter::once(plain.get_program())
        .chain(plain.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut script = Command::new("script");
    script.args(["-qec", &words.join(" "), "/dev/null"]);
    script.current_dir(desk.dir.path());
    script.env_clear().env("TERM", "xterm");
    script.envs(
        plain
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    typed(script, answers)
}

fn typed(mut script: Command, answers: &[(&str, &str)]) -> Ran {
    use std::io::{Read as _, Write as _};
    use std::process::Stdio;
    let mut child = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut shown = Vec::new();
    let mut seen = 0;
    let mut piece = [0; 4096];
    for (question, answer) in answers {
        loop {
            let text = String::from_utf8_lossy(&shown[seen..]).into_owned();
            if let Some(at) = text.find(question) {
                seen += at + question.len();
                break;
            }
            let count = stdout.read(&mut piece).unwrap();
            assert!(count > 0, "never asked `{question}`: {text}");
            shown.extend_from_slice(&piece[..count]);
        }
        // Echo is off once the question is out; a moment later at the latest.
        std::thread::sleep(std::time::Duration::from_millis(200));
        writeln!(stdin, "{answer}").unwrap();
    }
    stdout.read_to_end(&mut shown).unwrap();
    let status = child.wait().unwrap();
    Ran {
        status: status.code().unwrap(),
        stdout: String::from_utf8_lossy(&shown).into_owned(),
        stderr: String::new(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn files_are_encrypted_viewed_and_decrypted_where_they_are() {
    let desk = desk();
    let paths: Vec<PathBuf> = ["a.yml", "b.bin"].map(|name| desk.file(name, name)).into();
    fs::set_permissions(&paths[0], fs::Permissions::from_mode(0o640)).unwrap();
    let password = ["--vault-password-file", "one"];
    let ran = vault(
        &desk,
        &[&["encrypt", "a.yml", "b.bin"], &password[..]].concat(),
    )
    .ends_with(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 2));
    for path in &paths {
        let text = read(path);
        assert!(text.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80) && text.ends_with('\n'));
    }
    assert_eq!(fs::metadata(&paths[0]).unwrap().mode() & 0o777, 0o640);

    let again = vault(&desk, &[&["encrypt", "a.yml"], &password[..]].concat()).ends_with(1);
    assert!(again.stderr.contains("a.yml is encrypted already"));
    let shown = vault(
        &desk,
        &[&["view", "a.yml", "b.bin"], &password[..]].concat(),
    )
    .ends_with(0);
    assert_eq!(shown.stdout, "a.ymlb.bin");
    vault(
        &desk,
        &[&["decrypt", "a.yml", "b.bin"], &password[..]].concat(),
    )
    .ends_with(0);
    assert_eq!(
        (read(&paths[0]), read(&paths[1])),
        ("a.yml".into(), "b.bin".into())
    );
    let clear = vault(&desk, &[&["view", "a.yml"], &password[..]].concat()).ends_with(1);
    assert!(clear.stderr.contains("a.yml is not a vault"));
    assert_eq!(
        names(desk.dir.path()),
        ["a.yml", "b.bin", "home", "one", "two"]
    );
}

#[test]
fn a_file_stays_its_owners() {
    if ioms_fleet::left_out("the owner of a vault file", "root") {
        return;
    }
    let desk = desk();
    let path = desk.file("a", "x");
    std::os::unix::fs::chown(&path, Some(4711), Some(4712)).unwrap();
    for verb in ["encrypt", "decrypt"] {
        vault(&desk, &[verb, "a", "--vault-password-file", "one"]).ends_with(0);
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid()), (4711, 4712));
    }
}

#[test]
fn one_file_that_does_not_open_leaves_all_as_they_are() {
    let desk = desk();
    for (name, id) in [("a", "x@one"), ("b", "prod@two")] {
        desk.file(name, "secret");
        vault(&desk, &["encrypt", name, "--vault-id", id]).ends_with(0);
    }
    let before = (
        read(desk.dir.path().join("a")),
        read(desk.dir.path().join("b")),
    );
    for verb in ["decrypt", "rekey"] {
        let mut args = vec![verb, "a", "b", "--vault-password-file", "one"];
        if verb == "rekey" {
            args.extend(["--new-vault-password-file", "two"]);
        }
        let ran = vault(&desk, &args).ends_with(1);
        assert!(
            ran.stderr
                .contains("b is a vault, and none of the given passwords opens it")
                && ran.stderr.contains("--vault-id prod@FILE"),
            "{ran:?}"
        );
        let after = (
            read(desk.dir.path().join("a")),
            read(desk.dir.path().join("b")),
        );
        assert_eq!(after, before);
    }
}

#[test]
fn standard_input_goes_to_standard_output_or_to_a_file() {
    let desk = desk();
    let password = ["--vault-password-file", "one"];
    let bytes = [0, 255, 10, 13, 7];
    let args = [&["vault", "encrypt", "--output", "sealed"], &password[..]].concat();
    let ran = desk.feed(&args, &bytes).ends_with(0);
    assert_eq!(ran.stdout, "");
    let sealed = desk.dir.path().join("sealed");
    assert_eq!(fs::metadata(&sealed).unwrap().mode() & 0o777, 0o600);
    let args = [
        &["vault", "decrypt", "-", "--output", "clear"],
        &password[..],
    ]
    .concat();
    desk.feed(&args, &fs::read(&sealed).unwrap()).ends_with(0);
    assert_eq!(fs::read(desk.dir.path().join("clear")).unwrap(), bytes);

    let args = [&["vault", "encrypt"], &password[..]].concat();
    let text = desk.feed(&args, b"text").ends_with(0).stdout;
    let args = [&["vault", "view", "-"], &password[..]].concat();
    assert_eq!(
        desk.feed(&args, text.as_bytes()).ends_with(0).stdout,
        "text"
    );
    // In place, and to standard output.
    desk.file("named", text);
    let out = vault(
        &desk,
        &[&["decrypt", "named", "--output=-"], &password[..]].concat(),
    );
    assert_eq!(out.ends_with(0).stdout, "text");
    assert!(read(desk.dir.path().join("named")).starts_with("$ANSIBLE_VAULT"));

    let args = ["decrypt", "named", "--output", "/dev/stdout"];
    let out = vault(&desk, &[&args, &password[..]].concat());
    assert_eq!(out.ends_with(0).stdout, "text");

    let both = ["vault", "encrypt", "-", "--vault-password-file", "-"];
    let ran = desk.feed(&both, b"x").ends_with(1);
    assert!(ran.stderr.contains("both want standard input"), "{ran:?}");
    let two = vault(
        &desk,
        &[&["decrypt", "a", "b", "--output", "c"], &password[..]].concat(),
    );
    assert!(two.ends_with(1).stderr.contains("--output takes"));
}

#[test]
fn the_other_verbs_keep_their_forms_of_output() {
    let desk = desk();
    let ran = desk
        .run(&["config", "show", "--output", "file"])
        .ends_with(1);
    assert!(ran.stderr.contains("jsonl"), "{ran:?}");
    desk.file("a", "x");
    // Before the verb it is the form, which a vault has not.
    let args = [
        "--output",
        "json",
        "vault",
        "encrypt",
        "a",
        "--vault-password-file",
        "one",
    ];
    desk.run(&args).ends_with(0);
    assert!(read(desk.dir.path().join("a")).starts_with("$ANSIBLE_VAULT"));
}

#[test]
fn of_several_labels_one_is_named_by_a_flag_or_a_setting() {
    let desk = desk();
    let path = desk.file("a", "x");
    let ids = ["--vault-id", "dev@one", "--vault-id", "prod@two"];
    let ran = vault(&desk, &[&["encrypt", "a"], &ids[..]].concat()).ends_with(1);
    assert!(
        ran.stderr.contains("dev, prod") && ran.stderr.contains("--encrypt-vault-id"),
        "{ran:?}"
    );
    let ran = vault(
        &desk,
        &[&["encrypt", "a", "--encrypt-vault-id", "test"], &ids[..]].concat(),
    );
    assert!(
        ran.ends_with(1)
            .stderr
            .contains("no vault password has the label `test`")
    );
    vault(
        &desk,
        &[&["encrypt", "a", "--encrypt-vault-id", "prod"], &ids[..]].concat(),
    )
    .ends_with(0);
    assert!(read(&path).starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
    let rekeyed = ["rekey", "a", "--encrypt-vault-id", "dev"];
    vault(&desk, &[&rekeyed, &ids[..]].concat()).ends_with(0);
    assert!(read(&path).starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
    vault(&desk, &["decrypt", "a", "--vault-password-file", "one"]).ends_with(0);

    let mut command = desk.command(&[&["vault", "encrypt", "a"], &ids[..]].concat());
    command.env("IOMS_VAULT_ENCRYPT_ID", "prod");
    Ran::of(command).ends_with(0);
    assert!(read(&path).starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
    let bad = vault(&desk, &["encrypt", "one", "--vault-id", "a;b@two"]).ends_with(1);
    assert!(
        bad.stderr.contains("can't be the label of a vault"),
        "{bad:?}"
    );
}

#[test]
fn rekeying_takes_the_new_password_and_its_label() {
    let desk = desk();
    let path = desk.file("a", "x");
    vault(&desk, &["encrypt", "a", "--vault-id", "dev@one"]).ends_with(0);
    let old = ["rekey", "a", "--vault-password-file", "one"];
    vault(&desk, &[&old[..], &["--new-vault-id", "prod@two"]].concat()).ends_with(0);
    assert!(read(&path).starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
    vault(&desk, &[&old[..], &["--new-vault-id", "prod@two"]].concat()).ends_with(1);
    let back = [
        "rekey",
        "a",
        "--vault-id",
        "prod@two",
        "--new-vault-password-file",
        "one",
    ];
    vault(&desk, &back).ends_with(0);
    assert!(read(&path).starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
    let shown = vault(&desk, &["view", "a", "--vault-password-file", "one"]).ends_with(0);
    assert_eq!(shown.stdout, "x");
}

#[test]
fn passwords_are_asked_for_where_none_is_said_new_ones_twice() {
    if ioms_fleet::left_out("vault passwords at a terminal", "script") {
        return;
    }
    let desk = desk();
    let path = desk.file("a", "content");
    let new = "New vault password (default): ";
    let confirm = "Confirm new vault password (default): ";
    let encrypt = ["vault", "encrypt", "a"];
    let differ = at_terminal(&desk, &encrypt, &[(new, "s3cret"), (confirm, "other")]).ends_with(1);
    assert!(differ.stdout.contains("the two passwords differ"));
    assert_eq!(read(&path), "content");
    let done = at_terminal(&desk, &encrypt, &[(new, "s3cret"), (confirm, "s3cret")]).ends_with(0);
    assert!(!done.stdout.contains("s3cret"), "{done:?}");
    let asked = "Vault password (default): ";
    let shown = at_terminal(&desk, &["vault", "view", "a"], &[(asked, "s3cret")]).ends_with(0);
    assert!(shown.stdout.ends_with("content"), "{shown:?}");
    let wrong = at_terminal(&desk, &["vault", "view", "a"], &[(asked, "wrong")]).ends_with(1);
    assert!(
        wrong
            .stdout
            .contains("none of the given passwords opens it")
    );
    let labelled = ["vault", "rekey", "a", "--new-vault-id", "prod@prompt"];
    let answers = [
        (asked, "s3cret"),
        ("New vault password (prod): ", "n"),
        ("Confirm new vault password (prod): ", "n"),
    ];
    at_terminal(&desk, &labelled, &answers).ends_with(0);
    assert!(read(&path).starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
    // And nobody is asked without a terminal. (The terminal of whoever runs the tests is left alone.)
    let mut apart = Command::new("setsid");
    let plain = desk.command(&["vault", "view", "a"]);
    apart
        .arg("-w")
        .arg(plain.get_program())
        .args(plain.get_args());
    apart.current_dir(desk.dir.path()).env("HOME", desk.home());
    let alone = Ran::of(apart).ends_with(1);
    assert!(
        alone.stderr.contains("no terminal to ask at") && alone.stderr.contains("hint: "),
        "{alone:?}"
    );
}
