//! As another user, against a double of the Task Scheduler that starts what it is told in a process
//! of its own and refuses what it does not know.

use std::sync::Arc;

use super::engine::{Bench, MARK, plan, words};
use crate::base::secret::Secret;
use crate::shell::ModuleScript;
use crate::shell::conversation::{Conversation as _, Failure};
use crate::shell::files::{
    Algorithm, Attributes, FileTask, HostPath, Kind, Origin, Receive, Unpack,
};
use crate::shell::plan::{Command, Plan, Script, Stdin};
use crate::shell::windows::files::frames::{END, Entry};
use crate::shell::windows::{PowershellConversation, Runas, Situation, WindowsShell};

const SCHEDULER: &str = include_str!("scheduler.ps1");

fn bench(what: &str) -> Option<Bench> {
    let bench = Bench::new(what)?;
    let log = bench.dir.path().join("log");
    let text = SCHEDULER.replace("@LOG@", log.to_str().unwrap());
    Some(bench.with_profile(&text))
}

fn situation<'a>(bench: &'a Bench, user: &str, password: Option<&str>) -> Situation<'a> {
    Situation {
        runas: Some(Runas {
            user: user.to_owned(),
            password: password.map(Secret::new),
        }),
        ..bench.situation()
    }
}

fn log(bench: &Bench) -> Vec<String> {
    let text = std::fs::read_to_string(bench.dir.path().join("log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn script(name: &str, body: &'static str, args: &[&str]) -> Command {
    Command::Script(Arc::new(Script {
        name: name.to_owned(),
        body: body.into(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
    }))
}

#[test]
fn a_command_runs_in_a_task_and_streams_as_any_other() {
    let Some(bench) = bench("runas") else {
        return;
    };
    let mut plan = plan(Command::Line(
        "\"as $env:IOMS_TASK_USER $env:IOMS_A\"; /bin/sh -c 'cat; echo err >&2; exit 9'".to_owned(),
    ));
    plan.env = vec![("IOMS_A".to_owned(), "密".to_owned())];
    plan.stdin = Stdin::Bytes("given\n".into());
    let came = bench.converse(&plan, &situation(&bench, ".\\svc", Some("p ä$s'w\"ort")));
    assert_eq!(came.failed, None, "{came:?}");
    assert_eq!(
        (came.stdout.as_str(), came.exit),
        ("as \\svc 密\ngiven\n", Some(9)),
        "{came:?}"
    );
    assert_eq!(came.stderr, "err\n");
    let log = log(&bench);
    assert_eq!(
        log[0],
        format!("register ioms-{MARK} 2 \\svc p ä$s'w\"ort 1"),
        "{log:?}"
    );
    assert_eq!(
        log.last().unwrap(),
        &format!("delete ioms-{MARK}"),
        "{log:?}"
    );
    let action = log.iter().find(|line| line.starts_with("run")).unwrap();
    assert!(
        !action.contains('密') && !action.contains("ort"),
        "{action}"
    );
    bench.is_clean();
}

#[test]
fn a_modules_program_runs_in_a_task_and_finds_its_payload_there() {
    let Some(bench) = bench("modules as another user") else {
        return;
    };
    let text = "$file = [IO.File]::OpenRead($Ioms.Spool); \"$($file.Length) $env:IOMS_TASK_USER $env:IOMS_A\"; \
                $file.Close(); IomsFind 'sh'; exit 3";
    let script = ModuleScript {
        parts: Vec::new(),
        text: text.to_owned(),
        mark: "R0123456789012345678".to_owned(),
        payload: None,
        answers: None,
        shares: true,
    };
    let mut plan = Plan::module(script.into(), vec![("IOMS_A".to_owned(), "密".to_owned())]);
    plan.stdin = Stdin::Bytes(vec![7; 100_000].into());
    let mut situation = situation(&bench, "DOM\\user", Some("secret"));
    // Whatever shell reads the host's command lines.
    situation.shell = WindowsShell::Cmd;
    let came = bench.converse(&plan, &situation);
    assert_eq!(came.exit, Some(3), "{came:?}");
    assert!(
        came.stdout.starts_with("100000 DOM\\user 密\n/"),
        "{came:?}"
    );
    bench.is_clean();
    situation.runas = None;
    let refused = crate::shell::windows::conversation(&plan, &situation, MARK);
    assert!(matches!(refused, Err(Failure::Unsupported(_))));
}

#[test]
fn words_scripts_and_lines_of_cmd_run_in_a_task_too() {
    let Some(bench) = bench("runas of scripts") else {
        return;
    };
    let run = |command: Command, user: &str| -> super::engine::Came {
        bench.converse(&plan(command), &situation(&bench, user, Some("secret")))
    };
    let came = run(words(&["printf", "[%s]", "a \"b\" 中"]), "DOM\\user");
    assert_eq!(came.stdout, "[a \"b\" 中]", "{came:?}");
    let came = run(
        script("a.ps1", "'脚本 ' + $args[0]; exit 4", &["x y"]),
        "DOM\\user",
    );
    assert_eq!(
        (came.stdout.as_str(), came.exit),
        ("脚本 x y\n", Some(4)),
        "{came:?}"
    );
    let came = run(Command::Ping, "DOM\\user");
    assert_eq!((came.failed, came.exit), (None, Some(0)));
    let came = run(script("a.vbs", "x", &[]), "DOM\\user");
    assert!(
        matches!(came.failed, Some(Failure::NoInterpreter(_))),
        "{came:?}"
    );
    bench.is_clean();
}

#[test]
fn a_file_arrives_as_another_user_too() {
    let Some(bench) = bench("files as another user") else {
        return;
    };
    let folder = bench.dir.path().join("其他 人");
    std::fs::create_dir(&folder).unwrap();
    let content: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let at = |name: &str| HostPath::from(folder.join(name).to_str().unwrap());
    let task = FileTask::Receive(Box::new(Receive {
        part: at(".x.ioms-1.part"),
        target: at("x"),
        offset: 0,
        size: 300_000,
        algorithm: Algorithm::Md5,
        digest: String::new(),
        origin: Origin::Input,
        attributes: Attributes::default(),
        backup: None,
        mkdir: false,
    }));
    let mut plan = plan(Command::Files(Arc::new(task)));
    plan.stdin = Stdin::Bytes(content.clone().into());
    let came = bench.converse(&plan, &situation(&bench, "DOM\\user", Some("secret")));
    assert_eq!(
        (came.stdout.as_str(), came.exit),
        ("placed\0", Some(0)),
        "{came:?}"
    );
    assert_eq!(std::fs::read(folder.join("x")).unwrap(), content);

    let entry = Entry {
        path: HostPath::from("a/b"),
        kind: Kind::File,
        size: 2,
        mtime: None,
        digest: String::new(),
    };
    plan.command = Command::Files(Arc::new(FileTask::Unpack(Unpack {
        staging: HostPath::default(),
        root: at("tree"),
        algorithm: Algorithm::Sha256,
        mkdir: false,
        backup: None,
    })));
    let stream = [entry.head().unwrap(), b"hi".to_vec(), END.to_vec()].concat();
    plan.stdin = Stdin::Bytes(stream.into());
    let came = bench.converse(&plan, &situation(&bench, "DOM\\user", Some("secret")));
    assert!(came.stdout.starts_with("a/b\0"), "{came:?}");
    assert_eq!(std::fs::read(folder.join("tree/a/b")).unwrap(), b"hi");
    bench.is_clean();
}

#[test]
fn accounts_log_on_as_their_kind_does() {
    let Some(bench) = bench("accounts of runas") else {
        return;
    };
    for user in [
        "SYSTEM",
        "NT AUTHORITY\\NetworkService",
        "LocalService",
        "DOM\\alone",
    ] {
        let came = bench.converse(
            &plan(Command::Line("'x'".to_owned())),
            &situation(&bench, user, None),
        );
        assert_eq!(came.stdout, "x\n", "{came:?}");
    }
    let log = log(&bench);
    let registered: Vec<&str> = log
        .iter()
        .filter_map(|line| line.strip_prefix("register ioms-M0123456789012345678 2 "))
        .collect();
    assert_eq!(
        registered,
        ["S-1-5-18  5", "S-1-5-20  5", "S-1-5-19  5", "DOM\\alone  2"]
    );
    bench.is_clean();
}

#[test]
fn who_may_not_is_told_why() {
    let Some(bench) = bench("refusals of runas") else {
        return;
    };
    for (user, password, cause) in [
        ("DOM\\user", "wrong", "password is wrong"),
        ("DOM\\nobatch", "secret", "SeBatchLogonRight"),
        ("DOM\\late", "secret", "SeBatchLogonRight"),
        ("DOM\\denied", "secret", "administrator"),
    ] {
        let came = bench.converse(
            &plan(Command::Line("'x'".to_owned())),
            &situation(&bench, user, Some(password)),
        );
        assert!(
            matches!(&came.failed, Some(Failure::Denied(why)) if why.contains(cause) && why.contains(user)),
            "{came:?}"
        );
        bench.is_clean();
    }
}

#[test]
fn a_task_is_ended_with_all_it_started_and_forgotten() {
    let Some(bench) = bench("the end of runas") else {
        return;
    };
    let token = format!("runas-ended-{}", std::process::id());
    let plan = plan(Command::Line(format!(
        "bash -c 'echo begun; exec -a {token} sleep 300'"
    )));
    let mut conversation =
        PowershellConversation::new(&plan, &situation(&bench, "DOM\\user", Some("secret")), MARK)
            .unwrap();
    let came = bench.drive(&mut conversation, &Stdin::Empty, Some("begun"));
    assert_eq!(came.stdout, "begun\n", "{came:?}");
    let runs = std::process::Command::new("pgrep")
        .args(["-af", &token])
        .output()
        .unwrap();
    assert!(
        runs.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&runs.stdout)
    );
    bench.is_clean();
}

#[test]
fn a_host_without_powershell_lets_go_by_wmic() {
    let mut plan = plan(Command::Line("D:\\game\\zone.exe -zone 7".to_owned()));
    plan.detach = true;
    let situation = Situation {
        shell: WindowsShell::Cmd,
        carrier: crate::shell::windows::Carrier::Winrm,
        runas: None,
        tmpdir: None,
    };
    let mut conversation = PowershellConversation::new(&plan, &situation, MARK).unwrap();
    let opening = conversation.begin();
    assert!(!opening.bare);
    let line = String::from_utf8(opening.command.to_vec()).unwrap();
    assert!(
        line.ends_with("wmic process call create \"cmd.exe /d /c D:\\game\\zone.exe -zone 7\")"),
        "{line}"
    );
    conversation.stderr(format!("{MARK}\r\n").into_bytes().into());
    let said = format!("{MARK} 0 0 0\r\n{MARK} ok\r\n    ProcessId = 4711;\r\n");
    let step = conversation.stdout(said.into_bytes().into());
    assert_eq!(step.stdout, "    ProcessId = 4711;\r\n");
    assert_eq!((conversation.ended(), conversation.group()), (None, None));
    // What wmic would read otherwise is not left to it.
    plan.command = Command::Line("a.exe 1,2".to_owned());
    let conversation = PowershellConversation::new(&plan, &situation, MARK).unwrap();
    assert!(conversation.begin().bare);
}

#[test]
fn the_password_goes_out_after_the_hello_and_shows_nowhere() {
    let mut plan: Plan = plan(Command::Line("'x'".to_owned()));
    plan.env = vec![("A".to_owned(), "secret value".to_owned())];
    let situation = Situation {
        shell: WindowsShell::Cmd,
        carrier: crate::shell::windows::Carrier::Winrm,
        runas: Some(Runas {
            user: "u".to_owned(),
            password: Some(Secret::new("hunter2")),
        }),
        tmpdir: None,
    };
    let mut conversation = PowershellConversation::new(&plan, &situation, MARK).unwrap();
    let secret = "aHVudGVyMg==";
    assert!(
        !String::from_utf8(conversation.opening().to_vec())
            .unwrap()
            .contains(secret)
    );
    assert!(!conversation.opens_with_the_work());
    let step = conversation.stdout(format!("noise\n{MARK} 4711 936 5.1\n").into_bytes().into());
    assert_eq!(step.write, format!("{secret}\n").into_bytes());
    assert!(step.started);
    let shown = format!("{conversation:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("secret value"),
        "{shown}"
    );
}

#[test]
fn what_is_let_go_of_as_another_must_have_begun() {
    let Some(bench) = bench("--detach of runas") else {
        return;
    };
    let run = |line: &str, user: &str| {
        let mut plan = plan(words(&["sh", "-c", line]));
        plan.detach = true;
        bench.converse(&plan, &situation(&bench, user, Some("secret")))
    };
    for line in ["exit 0", "exec sleep 3"] {
        let came = run(line, "DOM\\user");
        assert_eq!((came.failed, came.exit), (None, Some(0)), "{line}");
    }
    let came = run("exit 3", "DOM\\user");
    assert!(
        matches!(&came.failed, Some(Failure::Remote(why)) if why.contains("code 3")),
        "{came:?}"
    );
    let came = run("exit 0", "DOM\\late");
    assert!(
        matches!(&came.failed, Some(Failure::Denied(why)) if why.contains("SeBatchLogonRight")),
        "{came:?}"
    );
    assert_eq!(log(&bench).last().unwrap(), &format!("delete ioms-{MARK}"));
}
