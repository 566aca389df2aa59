//! Secrets stay where they belong: in no process's arguments, here or on a host, in no output, log
//! or record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Desk, Lab, processes};
use crate::users::User;

/// Reads all processes' arguments and environments while the work goes on; those that hold one of
/// the texts.
fn watched(secrets: &[&str], work: impl FnOnce()) -> Vec<String> {
    let done = Arc::new(AtomicBool::new(false));
    let watcher = {
        let (done, secrets) = (
            done.clone(),
            secrets
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>(),
        );
        std::thread::spawn(move || {
            let (mut found, mut looked) = (Vec::new(), 0);
            while !done.load(Ordering::Relaxed) {
                for (path, line) in processes() {
                    looked += 1;
                    if secrets.iter().any(|secret| line.contains(secret)) {
                        found.push(format!("{}: {line}", path.display()));
                    }
                }
            }
            assert!(looked > 100, "it looked at {looked}");
            found
        })
    };
    work();
    done.store(true, Ordering::Relaxed);
    watcher.join().unwrap()
}

#[test]
fn passwords_variables_and_scripts_are_in_no_process_list() {
    if ioms_fleet::left_out("secrets in process lists", "root") {
        return;
    }
    let lab = Lab::new(1);
    let user = User::new("/bin/bash");
    user.may_sudo("ALL=(ALL) ALL");
    let password = lab.desk.file("become", format!("{}\n", user.password));
    let script = lab
        .desk
        .file("s.sh", "#!/bin/sh\n# script-secret-4711\nsleep 1\n");
    let login = format!("ansible_user={}", user.name);
    let found = watched(
        &[&user.password, "variable-secret-4711", "script-secret-4711"],
        || {
            for _ in 0..2 {
                let mut command = lab.desk.command(&[
                    "script",
                    "-g",
                    "all",
                    "-b",
                    "-e",
                    &login,
                    "--become-password-file",
                    password.to_str().unwrap(),
                    "--env",
                    "TOKEN",
                    script.to_str().unwrap(),
                ]);
                command.env("TOKEN", "variable-secret-4711");
                crate::support::Ran::of(command).ends_with(0);
            }
        },
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn vault_values_are_used_and_shown_nowhere() {
    let lab = Lab::new(2);
    let password = lab.desk.file("vault", "open sesame\n");
    let sealed = ioms::vault::encrypt(
        "vaulted-4711",
        &ioms::base::secret::Secret::new("open sesame"),
        None,
    );
    let indented: String = sealed.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("inner: !vault |\n{indented}ansible_password: \"{{{{ inner }}}}\"\n");
    let vars = format!("@{}", lab.desk.file("vars.yml", text).display());
    let log = lab.desk.dir.path().join("log");
    // As it is, in base64, and across the borders of what arrives together.
    let command =
        "v=vaulted; echo $v-4711; echo dmF1bHRlZ''C00NzEx; printf vaulted-; sleep 0.3; echo 4711";
    for form in ["human", "live", "json", "jsonl"] {
        let ran = lab
            .run(&[
                "run",
                "-g",
                "all",
                "-vvvv",
                "--log-file",
                log.to_str().unwrap(),
                "-e",
                &vars,
                "--vault-password-file",
                password.to_str().unwrap(),
                "--output",
                form,
                command,
            ])
            .ends_with(0);
        for secret in ["vaulted-4711", "dmF1bHRlZC00NzEx"] {
            assert!(!ran.said().contains(secret), "{form}: {ran:?}");
        }
        let expected = if form == "jsonl" {
            "********"
        } else {
            "********\n********\n********"
        };
        let said = ran.stdout.replace("\\n", "\n");
        assert!(said.contains(expected) || form == "live", "{form}: {ran:?}");
    }
    assert!(!crate::support::read(&log).contains("vaulted-4711"));
    let wrong = lab.desk.file("wrong", "not it\n");
    let denied = lab
        .run(&[
            "run",
            "-g",
            "all",
            "-e",
            &vars,
            "--vault-password-file",
            wrong.to_str().unwrap(),
            "true",
        ])
        .ends_with(2);
    assert!(denied.said().contains("vault"), "{denied:?}");
}

#[test]
fn no_log_keeps_command_and_output_out_of_the_record() {
    let lab = Lab::new(1);
    let ran = lab
        .run(&["run", "-g", "all", "--no-log", "echo private-4711"])
        .ends_with(0);
    assert!(ran.stdout.contains("private-4711"), "the user sees it");
    let database = lab.database();
    assert!(!database.windows(12).any(|part| part == b"private-4711"));
    let shown = lab.run(&["history", "show", newest(&lab).as_str()]);
    assert!(!shown.said().contains("private-4711"), "{shown:?}");
}

fn newest(lab: &Lab) -> String {
    lab.json(&["history", "list"])["runs"][0]["run"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_password_in_a_flag_is_refused() {
    let lab = Lab::new(1);
    let ran = lab
        .run(&[
            "run",
            "--database",
            "mysql://root:pw4711@127.0.0.1/x",
            "-g",
            "all",
            "true",
        ])
        .ends_with(1);
    assert!(!ran.said().contains("pw4711"), "{ran:?}");
    assert!(ran.said().contains("IOMS_DATABASE"), "{ran:?}");
}

#[test]
fn extra_variables_may_stand_in_a_vault() {
    let desk = Desk::local("a1");
    desk.file("pw", " swordfish \n");
    let secret = ioms::base::secret::Secret::new("swordfish");
    let vault = |text: &str| ioms::vault::encrypt(text, &secret, None);
    desk.file("vars.yml", vault("ansible_connection: nonsense4711\n"));
    let args = ["run", "a1", "-e", "@vars.yml", "true"];
    let ran = desk.run(&args).ends_with(1);
    assert!(ran.stderr.contains("-e @vars.yml"), "{ran:?}");
    let args = [&args[..], &["--vault-password-file", "pw"]].concat();
    desk.run(&args).ends_with(2);
    desk.file("vars.yml", vault("geheim4711: [\n"));
    let ran = desk.run(&args).ends_with(1);
    assert!(!ran.said().contains("geheim4711"), "{ran:?}");
}

#[test]
fn a_database_password_of_any_letters_is_hidden_and_so_is_one_in_json() {
    let desk = Desk::local("a1");
    let url = "mysql://ops:pa/ss4711@db/ioms";
    let ran = desk.run(&["--database", url, "run", "a1", "true"]);
    assert!(!ran.ends_with(1).said().contains("ss4711"));
    let mut command = desk.command(&["config", "show"]);
    command.env("IOMS_DATABASE", url);
    let ran = crate::support::Ran::of(command).ends_with(0);
    assert!(!ran.said().contains("ss4711"), "{ran:?}");
    let vars = "{\"ansible_become_password\": \"pw4711\"}";
    let ran = desk.run(&["run", "a1", "-e", vars, "true"]).ends_with(1);
    assert!(ran.stderr.contains("-e @FILE"), "{ran:?}");
}

#[test]
fn a_command_that_was_masked_is_not_run_again() {
    let desk = Desk::local("a1");
    desk.file("pw", "geheim4711");
    let given = ["--become-password-file", "pw", "echo geheim4711; false"];
    desk.run(&[&["run", "a1"][..], &given].concat());
    let ran = desk.run(&["run", "--rerun", "all"]).ends_with(1);
    assert!(ran.stderr.contains("command is not known"), "{ran:?}");
}

#[test]
fn a_password_from_standard_input_reaches_no_command() {
    let desk = Desk::local("a1");
    desk.file("s.sh", "cat\n");
    let password = ["--become-password-file", "-"];
    let others: [&[&str]; 7] = [
        &["run", "a1", "cat", "--stdin", "-"],
        &["run", "-g", "-", "cat"],
        &["run", "-", "cat"],
        &["ping", "a1", "-x", "-"],
        &["ping", "a1", "--connection-password-file", "-"],
        &["ping", "a1", "--vault-password-file", "-"],
        &["script", "a1", "-"],
    ];
    for other in others {
        let ran = desk.feed(&[other, &password].concat(), b"mypass\n");
        let ran = ran.ends_with(1);
        assert!(!ran.said().contains("mypass"), "{other:?}: {ran:?}");
        assert!(
            ran.stderr.contains("both want standard input"),
            "{other:?}: {ran:?}"
        );
    }
}
