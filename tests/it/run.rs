//! `iomsctl run` on real OpenSSH hosts: what runs, what is shown, what the exit status says.

use crate::support::{Desk, Lab, each, only, read, runs, wait_until};

#[test]
fn equal_outputs_are_folded_and_a_host_that_is_down_is_named_with_its_cause() {
    let lab = Lab::with_down(20, 1);
    let ran = lab.run(&["run", "-g", "all", "echo same; test $(echo $SSH_CONNECTION | cut -d' ' -f3) != 127.10.0.2 || { echo odd >&2; exit 3; }"])
        .ends_with(6);
    assert!(
        ran.stdout.contains("db[01-04],web[01,03-15] (18)\n"),
        "{}",
        ran.said()
    );
    assert!(ran.stdout.contains("odd"), "{}", ran.said());
    assert!(
        ran.stdout.contains("exit 3") || ran.stdout.contains("exit status 3"),
        "{}",
        ran.said()
    );
    assert!(
        ran.said().contains("db05") && ran.said().contains("refused"),
        "{}",
        ran.said()
    );
    assert!(ran.stderr.contains("20 hosts"), "{}", ran.stderr);
}

#[test]
fn the_document_has_the_contracts_shape() {
    let lab = Lab::with_down(4, 1);
    let document = lab.json(&["run", "-g", "all", "uname -s"]);
    assert_eq!(document["schema"], 1);
    assert_eq!(document["verb"], "run");
    assert_eq!(document["command"], "uname -s");
    assert_eq!(document["pattern"], "all");
    assert_eq!(document["outcome"], "unreachable");
    assert_eq!(document["recorded"], "stored");
    assert_eq!(document["summary"]["total"], 4);
    assert_eq!(document["summary"]["ok"], 3);
    assert_eq!(document["summary"]["unreachable"], 1);
    let order = ["db01=unreachable", "web01=ok", "web03=ok", "web02=ok"];
    assert_eq!(each(&document, "outcome"), order, "as in the inventory");
    let host = &document["hosts"][1];
    assert_eq!(
        (host["stdout"].as_str(), host["stderr"].as_str()),
        (Some("Linux\n"), Some(""))
    );
    assert_eq!(
        (&host["exit"], &host["signal"], &host["error"]),
        (&0.into(), &().into(), &().into())
    );
    assert_eq!(
        (host["encoding"].as_str(), &host["truncated"]),
        (Some("utf-8"), &false.into())
    );
    assert_eq!(document["hosts"][0]["error"]["kind"], "refused");
    assert!(document["hosts"][0]["error"]["hint"].is_string());
}

#[test]
fn exit_statuses_are_the_contracts() {
    let lab = Lab::with_down(4, 1);
    let status = |args: &[&str]| lab.run(args).status;
    assert_eq!(status(&["run", "web", "true"]), 0);
    assert_eq!(status(&["run", "web", "false"]), 2);
    assert_eq!(status(&["run", "db", "true"]), 4);
    assert_eq!(status(&["run", "all", "false"]), 6);
    assert_eq!(status(&["run", "-g", "nobody", "true"]), 5);
    assert_eq!(
        status(&["run", "-g", "web:!web", "--allow-empty", "true"]),
        0
    );
    assert_eq!(
        status(&["run", "web", "--serial", "1", "--max-fail", "0", "false"]),
        8
    );
    assert_eq!(status(&["run", "web", "--deadline", "1", "sleep 30"]), 7);
    assert_eq!(status(&["run", "true"]), 1, "one positional without -g");
    assert_eq!(status(&["run", "-g", "web", "--no-such-flag", "true"]), 1);
    lab.desk.file(
        "ioms.toml",
        "deny = [{match = 'rm\\s+-rf\\s+/', reason = 'never'}]\n",
    );
    let denied = lab.run(&["run", "-g", "web", "rm -rf /"]).ends_with(9);
    assert!(denied.said().contains("denied"), "{}", denied.said());
    let newest = lab.json(&["history", "list"]);
    assert_eq!(
        newest["runs"][0]["summary"]["cancelled"], 3,
        "a denied run is on record"
    );
}

#[test]
fn words_after_dashes_arrive_as_they_are() {
    let lab = Lab::new(1);
    let words = [
        "a b",
        "$HOME",
        "'",
        "\"",
        "*",
        "\\",
        "new\nline",
        "中文 `id`",
        "",
        "!x",
        "~",
    ];
    let mut args = vec!["run", "-g", "all", "--", "printf", "[%s]"];
    args.extend(words);
    let document = lab.json(&args);
    let expected: String = words.iter().map(|word| format!("[{word}]")).collect();
    assert_eq!(only(&document)["stdout"], expected.as_str());
}

#[test]
fn one_word_is_a_command_line_for_the_login_shell() {
    let lab = Lab::new(1);
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "for i in 1 2; do echo $i; done | tac; echo ${BASH_VERSION:+bash}",
    ]);
    assert_eq!(only(&document)["stdout"], "2\n1\nbash\n");
}

#[test]
fn streams_are_kept_apart_to_the_byte() {
    let lab = Lab::new(1);
    let document = lab.json(&["run", "-g", "all", r"printf '\000\377\n'; echo err >&2"]);
    let host = only(&document);
    assert_eq!(host["stdout_lossy"], true);
    assert_eq!(host["stdout_b64"], "AP8K");
    assert_eq!(host["stderr"], "err\n");
    assert!(
        host.get("stderr_b64")
            .is_none_or(serde_json::Value::is_null)
    );
}

#[test]
fn a_hosts_code_page_is_read_right() {
    let lab = Lab::new(1);
    // 完成 in GBK.
    let args = [
        "run",
        "-g",
        "all",
        "-e",
        "output_encoding=gbk",
        r"printf '\315\352\263\311\n'",
    ];
    let document = lab.json(&args);
    assert_eq!(only(&document)["stdout"], "完成\n");
    assert!(lab.run(&args).stdout.contains("完成"));
    // The flag is stronger, and each line is read by itself.
    let line = r"printf '\315\352\263\311\n完成\n'";
    let args = [
        "run",
        "-g",
        "all",
        "-e",
        "output_encoding=cp437",
        "--output-encoding",
        "936",
        line,
    ];
    let document = lab.json(&args);
    assert_eq!(only(&document)["stdout"], "完成\n完成\n");
    assert_eq!(only(&document)["encoding"], "gb18030");
    assert_eq!(only(&document)["stdout_b64"], "zeqzyQrlrozmiJAK");
    let console = [
        "run",
        "-g",
        "all",
        "--output-encoding",
        "850",
        r"printf '\201ber\n'",
    ];
    assert_eq!(lab.run(&console).stdout, "über\n");
    let wrong = lab.run(&["run", "-g", "all", "--output-encoding", "klingon", "true"]);
    assert_eq!(wrong.status, 1);
    assert!(wrong.stderr.contains("klingon"), "{}", wrong.stderr);
}

#[test]
fn standard_input_environment_and_folder_reach_the_command() {
    let lab = Lab::new(3);
    let ran = lab
        .desk
        .feed(
            &[
                "run",
                "-g",
                "all",
                "--stdin",
                "-",
                "--env",
                "LEVEL=高 级",
                "--env",
                "LC_ALL",
                "--chdir",
                "/usr/share",
                "--output",
                "fold",
                "cat; echo $LEVEL $LC_ALL; pwd",
            ],
            "数据\n".as_bytes(),
        )
        .ends_with(0);
    assert!(
        ran.stdout.contains("数据\n高 级 C.UTF-8\n/usr/share\n"),
        "{}",
        ran.said()
    );
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let file = lab.desk.file("large", &large);
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--stdin",
        file.to_str().unwrap(),
        "wc -c",
    ]);
    assert!(
        each(&document, "stdout")
            .iter()
            .all(|each| each.ends_with("=3000000\n")),
        "{document}"
    );
    let missing = lab.json(&["run", "-g", "web01", "--chdir", "/no/such", "pwd"]);
    assert_eq!(only(&missing)["error"]["kind"], "remote_io");
}

#[test]
fn a_command_that_reads_nothing_gets_an_end_of_input() {
    let lab = Lab::new(1);
    let document = lab.json(&["run", "-g", "all", "--timeout", "10", "cat; echo end"]);
    assert_eq!(only(&document)["stdout"], "end\n");
}

#[test]
fn output_over_the_limit_is_dropped_and_counted_and_outdir_has_it_all() {
    let lab = Lab::new(2);
    let folder = lab.desk.dir.path().join("out");
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--max-output",
        "100k",
        "--outdir",
        folder.to_str().unwrap(),
        "head -c 300000 /dev/zero; echo to stderr >&2; exit 4",
    ]);
    for host in document["hosts"].as_array().unwrap() {
        assert_eq!(
            (&host["truncated"], &host["exit"]),
            (&true.into(), &4.into())
        );
        assert_eq!(host["stdout_bytes"], 300_000);
        assert_eq!(host["stdout"].as_str().unwrap().len(), 102_400);
        let name = host["host"].as_str().unwrap();
        assert_eq!(
            std::fs::metadata(folder.join(format!("{name}.stdout")))
                .unwrap()
                .len(),
            300_000
        );
        assert_eq!(read(folder.join(format!("{name}.stderr"))), "to stderr\n");
    }
}

#[test]
fn large_outputs_arrive_whole_in_every_form() {
    let lab = Lab::new(2);
    let command = "seq 1 400000";
    let expected: String = (1..=400_000).map(|n| format!("{n}\n")).collect();
    let document = lab.json(&["run", "-g", "all", command]);
    assert!(
        document["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|host| host["stdout"] == expected.as_str())
    );
    let fold = lab.run(&["run", "-g", "all", command]).ends_with(0);
    assert!(fold.stdout.contains(&expected));
    assert_eq!(fold.stdout.matches("\n399999\n").count(), 1, "folded");
    let live = lab
        .run(&["run", "-g", "all", "--output", "live", command])
        .ends_with(0);
    assert_eq!(live.stdout.lines().count(), 800_000);
}

#[test]
fn a_terminal_is_given_where_asked_for() {
    // An sshd of nobody's can't hand a terminal over.
    if ioms_fleet::left_out("terminals of hosts", "root") {
        return;
    }
    let lab = Lab::new(1);
    let tty = lab.json(&[
        "run",
        "-g",
        "all",
        "--tty",
        "test -t 0 && test -t 1 && echo terminal",
    ]);
    assert!(
        only(&tty)["stdout"]
            .as_str()
            .unwrap()
            .starts_with("terminal"),
        "{tty}"
    );
    let reads = lab.json(&[
        "run",
        "-g",
        "all",
        "--tty",
        "--timeout",
        "20",
        "cat; echo done",
    ]);
    assert_eq!(only(&reads)["stdout"], "done\n", "its input ends: {reads}");
    let none = lab.json(&["run", "-g", "all", "test -t 0 || echo none"]);
    assert_eq!(only(&none)["stdout"], "none\n");
}

#[test]
fn the_signal_that_killed_a_command_is_named() {
    let lab = Lab::new(1);
    let document = lab.json(&["run", "-g", "all", "kill -KILL $$"]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["exit"], &host["signal"]),
        (&"failed".into(), &().into(), &"KILL".into())
    );
}

#[test]
fn a_connection_that_dies_in_the_middle_is_no_success() {
    let lab = Lab::new(1);
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "echo begun; kill -9 $(ps -o ppid= -p $PPID) $PPID; sleep 20",
    ]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["error"]["kind"]),
        (&"failed".into(), &"disconnected".into()),
        "{host}"
    );
    assert!(
        host["error"]["message"].as_str().unwrap().contains("pgid"),
        "{host}"
    );
}

#[test]
fn login_shells_of_all_kinds_run_commands_and_scripts() {
    if ioms_fleet::left_out("other login shells", "root") {
        return;
    }
    let lab = Lab::new(1);
    let script = lab
        .desk
        .file("hello.sh", "#!/bin/sh\necho \"script $1 $(cat)\"\n");
    for shell in [
        "/bin/sh",
        "/bin/bash",
        "/bin/zsh",
        "/bin/tcsh",
        "/usr/bin/fish",
        "/bin/mksh",
    ] {
        let user = crate::users::User::new(shell);
        let document = lab.json(&[
            "run",
            "-g",
            "all",
            "-e",
            &format!("ansible_user={}", user.name),
            "echo \"it's $0\" && exit 5",
        ]);
        let host = only(&document);
        assert_eq!(host["exit"], 5, "{shell}: {host}");
        if shell != "/usr/bin/fish" {
            assert!(
                host["stdout"].as_str().unwrap().contains("it's"),
                "{shell}: {host}"
            );
        }
        let ran = lab.desk.feed(
            &[
                "script",
                "-g",
                "all",
                "-e",
                &format!("ansible_user={}", user.name),
                "--stdin",
                "-",
                "--output",
                "json",
                script.to_str().unwrap(),
                "中 文",
            ],
            b"fed",
        );
        assert!(
            ran.stdout.contains("script 中 文 fed"),
            "{shell}: {}",
            ran.said()
        );
    }
}

#[test]
fn the_controller_itself_is_a_host_too() {
    let desk = Desk::local("here");
    let document = desk.json(&["run", "-g", "here", "echo $0; cat; exit 3"]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["exit"]),
        (&"failed".into(), &3.into())
    );
    let ran = desk
        .run(&["run", "-i", "localhost,", "-c", "local", "all", "echo yes"])
        .ends_with(0);
    assert_eq!(ran.stdout.trim(), "yes");
}

#[test]
fn a_forced_command_is_no_success() {
    let sshd = ioms_fleet::Sshd::builder()
        .key_options("command=\"echo forced\"")
        .start()
        .unwrap();
    let lab = Lab::on(sshd, 1, 0);
    let document = lab.json(&["run", "-g", "all", "true"]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["error"]["kind"]),
        (&"failed".into(), &"unsupported".into()),
        "{host}"
    );
    assert!(
        host["error"]["message"]
            .as_str()
            .unwrap()
            .contains("forced"),
        "{host}"
    );
}

#[test]
fn ping_shows_how_long_it_took_to_get_in() {
    let lab = Lab::with_down(4, 1);
    let document = lab.json(&["ping", "-g", "all"]);
    assert_eq!(document["verb"], "ping");
    assert!(document["hosts"][1]["connect_ms"].as_f64().unwrap() > 0.0);
    assert!(document["hosts"][1]["auth_ms"].as_f64().unwrap() > 0.0);
    let ran = lab.run(&["ping", "all"]).ends_with(4);
    assert!(ran.stdout.contains("web01"), "{}", ran.said());
}

#[test]
fn nothing_is_contacted_by_a_dry_run_or_a_list() {
    let desk =
        Desk::with("all: {hosts: {'down[1:3]': {ansible_host: 127.0.0.1, ansible_port: 1}}}\n");
    let listed = desk
        .run(&["run", "-g", "all", "--list-hosts", "true"])
        .ends_with(0);
    assert_eq!(
        listed.stdout,
        "  hosts (3):\n    down1\n    down2\n    down3\n"
    );
    let document = desk.json(&["run", "-g", "all", "--dry-run", "reboot"]);
    assert_eq!(
        document,
        serde_json::json!({
            "schema": 1, "dry_run": true, "command": "reboot", "hosts": ["down1", "down2", "down3"]
        })
    );
    assert_eq!(
        desk.json(&["history", "list"])["runs"],
        serde_json::json!([])
    );
}

#[test]
fn a_dry_run_of_what_is_denied_says_so() {
    let desk = Desk::local("a1");
    desk.file(
        "ioms.toml",
        "[[deny]]\nmatch = 'reboot'\nreason = 'never'\n",
    );
    let ran = desk.run(&["run", "a1", "--dry-run", "reboot"]).ends_with(9);
    assert!(
        ran.stdout.contains("reboot is denied: never (rule at "),
        "{ran:?}"
    );
    let document = desk.json(&["run", "a1", "--dry-run", "reboot"]);
    assert!(document["denied"].is_string(), "{document}");
    desk.run(&["run", "a1", "--list-hosts", "reboot"])
        .ends_with(0);
}

#[test]
fn a_completion_script_nobody_reads_to_its_end_is_no_error() {
    let mut child = Desk::new().start(&["completions", "bash"]);
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(
        ended.status.success() && ended.stderr.is_empty(),
        "{ended:?}"
    );
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let lab = Lab::new(1);
    let mut child = lab
        .desk
        .start(&["run", "-g", "all", "--output", "live", "seq 1 3000000"]);
    let mut line = String::new();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    drop(stdout);
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(!stderr.to_lowercase().contains("pipe"), "{stderr}");
}

#[test]
fn what_is_detached_outlives_the_connection_and_its_process_is_told() {
    let lab = Lab::new(1);
    let token = format!("lasting-{}", std::process::id());
    for (flags, work) in [
        (vec![], vec![format!("bash -c 'exec -a {token} sleep 300'")]),
        (
            vec!["--chdir", "/usr"],
            ["--", "bash", "-c", &format!("exec -a {token} sleep 300")]
                .map(str::to_owned)
                .to_vec(),
        ),
    ] {
        let mut args = vec!["run", "-g", "all", "--detach"];
        args.extend(flags);
        args.extend(work.iter().map(String::as_str));
        let document = lab.json(&args);
        let host = only(&document);
        assert_eq!(
            (&host["outcome"], &host["error"]),
            (&"ok".into(), &().into()),
            "{host}"
        );
        let process = host["stdout"].as_str().unwrap().trim().to_owned();
        wait_until("it runs by the number that was told", || {
            std::fs::read(format!("/proc/{process}/cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&token))
        });
        let ended = std::process::Command::new("kill").arg(&process).status();
        assert!(ended.unwrap().success());
        wait_until("it is gone", || !runs(&format!("{token} 300")));
    }
}
