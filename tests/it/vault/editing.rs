//! The editor: what it gets, what becomes of what it leaves, and that nothing stays.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{desk, names, vault};
use crate::support::{Desk, Ran, read, signal, wait_until};

/// A desk, an editor that is this shell script (its `$1` the file), and where clear texts are put.
struct Bench {
    desk: Desk,
    memory: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let desk = desk();
        let memory = desk.dir.path().join("memory");
        fs::create_dir(&memory).unwrap();
        desk.file("secrets.yml", "key: old\n");
        let password = ["--vault-id", "prod@one"];
        vault(
            &desk,
            &[&["encrypt", "secrets.yml"], &password[..]].concat(),
        )
        .ends_with(0);
        Self { desk, memory }
    }

    fn command(&self, args: &[&str], script: &str) -> Command {
        let editor = self
            .desk
            .file("my editor", format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&editor, fs::Permissions::from_mode(0o700)).unwrap();
        let all = [&["vault"], args, &["--vault-password-file", "one"]].concat();
        let mut command = self.desk.command(&all);
        command
            .env("EDITOR", format!("'{}' --wait", editor.display()))
            .env("XDG_RUNTIME_DIR", &self.memory);
        command
    }

    fn run(&self, args: &[&str], script: &str) -> Ran {
        let ran = Ran::of(self.command(args, script));
        assert_eq!(names(&self.memory), Vec::<String>::new(), "{ran:?}");
        ran
    }

    fn sealed(&self) -> String {
        read(self.desk.dir.path().join("secrets.yml"))
    }

    fn holds(&self, name: &str) -> String {
        let args = ["view", name, "--vault-password-file", "one"];
        vault(&self.desk, &args).ends_with(0).stdout
    }
}

#[test]
fn a_file_is_edited_in_private_and_keeps_label_and_mode() {
    let bench = Bench::new();
    let path = bench.desk.dir.path().join("secrets.yml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let script = r#"stat -c %a "$2" "${2%/*}" >modes; echo "$2" >path; cp "$2" "$2.swp"
sed s/old/new/ "$2" >"$2~" && mv "$2~" "$2""#;
    let ran = bench.run(&["edit", "secrets.yml"], script).ends_with(0);
    assert!(ran.stderr.contains("secrets.yml is written"), "{ran:?}");
    let said = |name: &str| read(bench.desk.dir.path().join(name));
    assert_eq!(said("modes"), "600\n700\n");
    assert!(said("path").ends_with("/vault.yml\n"));
    assert!(said("path").starts_with(bench.memory.to_str().unwrap()));
    assert!(
        bench
            .sealed()
            .starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n")
    );
    assert_eq!(bench.holds("secrets.yml"), "key: new\n");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o644
    );
}

#[test]
fn what_was_not_changed_or_not_finished_is_not_written() {
    let bench = Bench::new();
    let before = bench.sealed();
    let ran = bench.run(&["edit", "secrets.yml"], ":").ends_with(0);
    assert!(ran.stderr.contains("was not changed"), "{ran:?}");
    let ran = bench
        .run(&["edit", "secrets.yml"], "echo x >>\"$2\"; exit 3")
        .ends_with(1);
    assert!(ran.stderr.contains("nothing was changed"), "{ran:?}");
    bench
        .run(&["edit", "secrets.yml"], "rm \"$2\"")
        .ends_with(1);
    assert_eq!(bench.sealed(), before);
    bench
        .run(&["edit", "secrets.yml"], "kill -INT $$")
        .ends_with(130);
    assert_eq!(bench.sealed(), before);
    let mut missing = bench.command(&["edit", "secrets.yml"], "");
    missing.env("EDITOR", "/nonexistent/editor");
    let ran = Ran::of(missing).ends_with(1);
    assert!(ran.stderr.contains("EDITOR"), "{ran:?}");
    assert_eq!(names(&bench.memory), Vec::<String>::new());
    let clear = bench.run(&["edit", "one"], "touch edited").ends_with(1);
    assert!(clear.stderr.contains("one is not a vault"), "{clear:?}");
    assert!(!bench.desk.dir.path().join("edited").exists());
}

#[test]
fn what_was_edited_meanwhile_by_two_is_lost_for_neither() {
    let bench = Bench::new();
    let script = "echo mine >\"$2\"; echo '$ANSIBLE_VAULT;theirs' >secrets.yml";
    let ran = bench.run(&["edit", "secrets.yml"], script).ends_with(1);
    assert!(ran.stderr.contains("secrets.yml.edited"), "{ran:?}");
    assert_eq!(bench.sealed(), "$ANSIBLE_VAULT;theirs\n");
    assert_eq!(bench.holds("secrets.yml.edited"), "mine\n");
}

#[test]
fn a_new_file_is_written_private_and_no_file_is_overwritten() {
    let bench = Bench::new();
    bench
        .run(&["create", "vars/new.yml"], "echo 'a: b' >\"$2\"")
        .ends_with(0);
    assert_eq!(bench.holds("vars/new.yml"), "a: b\n");
    let path = bench.desk.dir.path().join("vars/new.yml");
    assert_eq!(
        fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let ran = bench.run(&["create", "vars/new.yml"], "").ends_with(1);
    assert!(ran.stderr.contains("is there already"), "{ran:?}");
}

#[test]
fn signals_leave_no_clear_text_behind() {
    for (name, status) in [("TERM", 143), ("HUP", 143)] {
        let bench = Bench::new();
        let before = bench.sealed();
        let script = "cp \"$2\" \"$2.swp\"; touch begun; exec sleep 300";
        let mut command = bench.command(&["edit", "secrets.yml"], script);
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        let begun = bench.desk.dir.path().join("begun");
        wait_until("the editor begins", || begun.exists());
        assert_eq!(names(&bench.memory).len(), 1);
        signal(&child, name);
        let ran = Ran::from(child.wait_with_output().unwrap()).ends_with(status);
        assert!(ran.stderr.contains("nothing was changed"), "{ran:?}");
        assert_eq!(names(&bench.memory), Vec::<String>::new(), "{name}");
        assert_eq!(bench.sealed(), before);
    }
}

#[test]
fn ctrl_c_is_the_editors_own_affair() {
    let bench = Bench::new();
    let script = "touch begun; while [ ! -e go ]; do sleep 0.05; done; echo new >\"$2\"";
    let mut command = bench.command(&["edit", "secrets.yml"], script);
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    let begun = bench.desk.dir.path().join("begun");
    wait_until("the editor begins", || begun.exists());
    signal(&child, "INT");
    bench.desk.file("go", "");
    Ran::from(child.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(bench.holds("secrets.yml"), "new\n");
    assert_eq!(names(&bench.memory), Vec::<String>::new());
}
