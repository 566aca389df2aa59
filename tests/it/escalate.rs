//! Becoming somebody else, as a dialogue with real sudo, su and doas: the password goes where it was
//! asked for and nowhere else.

use crate::support::{Lab, only};
use crate::users::User;

struct Bed {
    lab: Lab,
    user: User,
    target: User,
}

impl Bed {
    fn new() -> Option<Self> {
        if ioms_fleet::left_out("becoming another user", "root") {
            return None;
        }
        Some(Self {
            lab: Lab::new(1),
            user: User::new("/bin/bash"),
            target: User::new("/bin/sh"),
        })
    }

    /// The only host of a run by the user, with a password to become if one is given.
    fn run(&self, password: Option<&str>, args: &[&str]) -> serde_json::Value {
        let login = format!("ansible_user={}", self.user.name);
        let mut all = vec!["run", "-g", "all", "-b", "-e", &login];
        let file;
        if let Some(password) = password {
            file = self.lab.desk.file("become", format!("{password}\n"));
            all.extend(["--become-password-file", file.to_str().unwrap()]);
        }
        if !args.contains(&"--timeout") {
            all.extend(["--timeout", "20"]);
        }
        all.extend(args);
        only(&self.lab.json(&all)).clone()
    }

    fn becomes(&self, method: &str, password: Option<&str>) {
        let target = &self.target.name;
        let host = self.run(
            password,
            &[
                "--become-method",
                method,
                "--become-user",
                target,
                "--",
                "sh",
                "-c",
                "id -un; echo to stderr >&2; cat; exit 7",
            ],
        );
        assert_eq!(
            host["stdout"].as_str().and_then(|said| said.lines().next()),
            Some(target.as_str()),
            "{host}"
        );
        assert_eq!(host["exit"], 7, "{host}");
        let said = format!("{}{}", host["stdout"], host["stderr"]);
        assert!(said.contains("to stderr"), "{host}");
        assert!(
            password.is_none_or(|password| !said.contains(password)),
            "{host}"
        );
    }

    fn denied(&self, method: &str, password: Option<&str>) -> String {
        let host = self.run(
            password,
            &[
                "--become-method",
                method,
                "--become-user",
                &self.target.name,
                "touch /tmp/never",
            ],
        );
        assert_eq!(
            (&host["outcome"], &host["error"]["kind"]),
            (&"failed".into(), &"become_denied".into()),
            "{host}"
        );
        host["error"]["message"].as_str().unwrap().to_owned()
    }
}

#[test]
fn sudo_with_a_password() {
    let Some(bed) = Bed::new() else { return };
    bed.user.may_sudo("ALL=(ALL) ALL");
    bed.becomes("sudo", Some(&bed.user.password));
    bed.denied("sudo", Some("wrong"));
    bed.denied("sudo", None);
}

#[test]
fn sudo_that_asks_nothing_hands_no_password_to_the_command() {
    let Some(bed) = Bed::new() else { return };
    bed.user.may_sudo("ALL=(ALL) NOPASSWD: ALL");
    let host = bed.run(Some(&bed.user.password), &["cat"]);
    assert_eq!(
        (&host["stdout"], &host["outcome"]),
        (&"".into(), &"ok".into()),
        "{host}"
    );
    bed.becomes("sudo", None);
}

#[test]
fn what_start_up_files_and_sudo_grumble_is_no_denial() {
    let Some(bed) = Bed::new() else { return };
    bed.user.may_sudo("ALL=(ALL) NOPASSWD: ALL");
    bed.lab.sshd_home(
        ".bashrc",
        "echo 'ulimit: core file size: Operation not permitted' >&2\n",
    );
    bed.becomes("sudo", None);
}

#[test]
fn a_user_who_may_not_is_told_so() {
    let Some(bed) = Bed::new() else { return };
    let said = bed.denied("sudo", Some(&bed.user.password));
    assert!(said.contains("sudo"), "{said}");
}

#[test]
fn su_with_the_other_users_password() {
    let Some(bed) = Bed::new() else { return };
    bed.becomes("su", Some(&bed.target.password));
    bed.denied("su", Some("wrong"));
}

#[test]
fn doas_with_and_without_a_password() {
    let Some(bed) = Bed::new() else { return };
    let _alone = DoasConf::write(&format!(
        "permit {} as {}\n",
        bed.user.name, bed.target.name
    ));
    bed.becomes("doas", Some(&bed.user.password));
    bed.denied("doas", Some("wrong"));
    DoasConf::add(&format!(
        "permit nopass {} as {}\n",
        bed.user.name, bed.target.name
    ));
    bed.becomes("doas", None);
}

#[test]
fn standard_input_comes_after_the_dialogue_to_the_byte() {
    let Some(bed) = Bed::new() else { return };
    bed.user.may_sudo("ALL=(ALL) ALL");
    let input = bed.lab.desk.file(
        "input",
        [b"\n\x00\xff".as_slice(), &vec![b'x'; 200_000]].concat(),
    );
    let host = bed.run(
        Some(&bed.user.password),
        &["--stdin", input.to_str().unwrap(), "wc -c"],
    );
    assert_eq!(
        host["stdout"].as_str().map(str::trim),
        Some("200003"),
        "{host}"
    );
}

#[test]
fn scripts_and_input_arrive_whole_through_a_dialogue_at_a_terminal() {
    let Some(bed) = Bed::new() else { return };
    let script = bed.lab.desk.file(
        "s.sh",
        format!(
            "#!/bin/sh\n# {}\nid -un; md5sum; exit 5\n",
            "x".repeat(9000)
        ),
    );
    let input = bed.lab.desk.file(
        "input",
        (0..100_000_u32)
            .flat_map(u32::to_le_bytes)
            .collect::<Vec<u8>>(),
    );
    let sum = crate::support::Ran::of({
        let mut md5sum = std::process::Command::new("md5sum");
        md5sum.stdin(std::fs::File::open(&input).unwrap());
        md5sum
    });
    let login = format!("ansible_user={}", bed.user.name);
    let password = bed
        .lab
        .desk
        .file("become", format!("{}\n", bed.target.password));
    for (stdin, expected) in [
        (Some(&input), sum.stdout.as_str()),
        (None, "d41d8cd98f00b204e9800998ecf8427e  -\n"),
    ] {
        let mut args = vec![
            "script",
            "-g",
            "all",
            "-b",
            "--become-method",
            "su",
            "--become-user",
            &bed.target.name,
            "-e",
            &login,
            "--become-password-file",
            password.to_str().unwrap(),
            "--timeout",
            "20",
        ];
        if let Some(stdin) = stdin {
            args.extend(["--stdin", stdin.to_str().unwrap()]);
        }
        args.push(script.to_str().unwrap());
        let host = only(&bed.lab.json(&args)).clone();
        assert_eq!(
            host["stdout"].as_str(),
            Some(format!("{}\n{expected}", bed.target.name).as_str()),
            "{host}"
        );
        assert_eq!(host["exit"], 5, "{host}");
    }
}

#[test]
fn a_command_run_as_root_is_ended_as_root() {
    let Some(bed) = Bed::new() else { return };
    bed.user.may_sudo("ALL=(ALL) ALL");
    let token = format!("asroot-{}", std::process::id());
    let host = bed.run(
        Some(&bed.user.password),
        &[
            "--timeout",
            "1",
            &format!("exec bash -c 'exec -a {token} sleep 300'"),
        ],
    );
    assert_eq!(host["outcome"], "timed_out", "{host}");
    crate::support::wait_until("it is gone", || !crate::support::runs(&token));
}

/// `/etc/doas.conf`, put back as it was at the end.
struct DoasConf(Option<String>);

const DOAS: &str = "/etc/doas.conf";

impl DoasConf {
    fn write(text: &str) -> Self {
        let before = std::fs::read_to_string(DOAS).ok();
        std::fs::write(DOAS, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o400);
        std::fs::set_permissions(DOAS, mode).unwrap();
        Self(before)
    }

    fn add(text: &str) {
        let before = std::fs::read_to_string(DOAS).unwrap();
        std::fs::write(DOAS, before + text).unwrap();
    }
}

impl Drop for DoasConf {
    fn drop(&mut self) {
        let _ = match &self.0 {
            Some(text) => std::fs::write(DOAS, text),
            None => std::fs::remove_file(DOAS),
        };
    }
}
