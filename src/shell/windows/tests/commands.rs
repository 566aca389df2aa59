//! Lines and words for PowerShell: statuses, streams, input, variables, folders, and the end.

use bytes::Bytes;

use super::engine::{Bench, MARK, plan, words};
use crate::shell::conversation::Failure;
use crate::shell::plan::{Command, Stdin};
use crate::shell::windows::conversation;

#[test]
fn a_line_ends_with_the_status_a_person_expects() {
    let Some(bench) = Bench::new("statuses of PowerShell") else {
        return;
    };
    for (line, exit, stdout) in [
        ("'fine'", 0, "fine\n"),
        ("'a'; exit 7", 7, "a\n"),
        ("'a'; throw 'no'; 'b'", 1, "a\n"),
        ("nosuchthing; 1/0; 'b'", 0, "b\n"),
        ("'a'; nosuchthing", 1, "a\n"),
        ("/bin/sh -c 'echo n; exit 9'", 9, "n\n"),
        ("/bin/sh -c 'exit 9'; 'b'", 0, "b\n"),
        ("/bin/sh -c 'exit 9'; return; 'b'", 9, ""),
        ("if ($true) { /bin/sh -c 'exit 3' } # end", 3, ""),
        ("param($x = 5) $x", 0, "5\n"),
        ("begin { 'b' } end { 'e' }", 0, "b\ne\n"),
        ("'unclosed", 1, ""),
        (
            "$ErrorActionPreference = 'Stop'; Get-Item /nowhere; 'b'",
            1,
            "",
        ),
        ("try { throw 'x' } catch { 'caught' }", 0, "caught\n"),
        ("function f { exit 4 }; f; 'b'", 4, ""),
        ("'a' `", 0, "a\n"),
    ] {
        let came = bench.line(line);
        assert_eq!(
            (came.exit, came.stdout.as_str()),
            (Some(exit), stdout),
            "{line}: {came:?}"
        );
        assert_eq!(came.failed, None, "{line}");
    }
    let came = bench.line("throw 'it broke 坏了'");
    assert!(came.stderr.contains("it broke 坏了"), "{came:?}");
    assert!(
        bench.line("'unclosed").stderr.contains("missing"),
        "a mistake is explained"
    );
}

#[test]
fn streams_are_kept_apart_and_nothing_from_before_the_hello_is_output() {
    let Some(bench) = Bench::new("streams of PowerShell") else {
        return;
    };
    let bench = bench.with_profile("'banner 1 2'; [Console]::Error.WriteLine('motd')");
    let came = bench.line("'out 中'; [Console]::Error.WriteLine('err 文'); Write-Warning w; /bin/sh -c 'echo raw; echo rawerr >&2'");
    assert_eq!(came.stdout, "out 中\nWARNING: w\nraw\n", "{came:?}");
    assert_eq!(came.stderr, "err 文\nrawerr\n");
    assert_eq!(came.codepage, Some(65001));
}

#[test]
fn what_a_native_program_writes_passes_untouched() {
    let Some(bench) = Bench::new("native output in PowerShell") else {
        return;
    };
    let came = bench.line(r"printf '\326\320\n'");
    assert_eq!(came.stdout, "\u{fffd}\u{fffd}\n", "{came:?}");
}

#[test]
fn variables_and_folder_are_the_commands_and_its_childrens() {
    let Some(bench) = Bench::new("variables of PowerShell") else {
        return;
    };
    let mut plan = plan(Command::Line(
        "$env:IOMS_A; /bin/sh -c 'echo \"$IOMS_A\"; pwd'; (Get-Location).Path".to_owned(),
    ));
    plan.env = vec![("IOMS_A".to_owned(), "秘 ' \" = $x,:".to_owned())];
    plan.chdir = Some("/usr/lib".to_owned());
    let came = bench.run(&plan);
    let value = &plan.env[0].1;
    assert_eq!(
        came.stdout,
        format!("{value}\n{value}\n/usr/lib\n/usr/lib\n"),
        "{came:?}"
    );
    plan.chdir = Some("/no [such] folder".to_owned());
    let came = bench.run(&plan);
    assert!(
        matches!(&came.failed, Some(Failure::Remote(why)) if why.contains("--chdir")),
        "{came:?}"
    );
}

#[test]
fn words_arrive_in_a_program_as_they_are() {
    let Some(bench) = Bench::new("words of PowerShell") else {
        return;
    };
    let given = [
        "a b",
        "",
        "\"q\" \\",
        "it's ‘so’",
        "$x `n",
        "-Flag",
        "--%",
        "c:\\d\\",
        "中\n文",
        "*",
        "%PATH%",
    ];
    let mut all = vec!["printf", "[%s]\\n"];
    all.extend(given);
    let came = bench.run(&plan(words(&all)));
    let wanted: String = "[".to_owned() + &given.join("]\n[") + "]\n";
    assert_eq!(came.stdout, wanted, "{came:?}");
    let came = bench.run(&plan(words(&["sh", "-c", "exit 42"])));
    assert_eq!(came.exit, Some(42));
    let came = bench.run(&plan(words(&["Write-Output", "-InputObject", "it's"])));
    assert_eq!(
        (came.stdout.as_str(), came.exit),
        ("it's\n", Some(0)),
        "{came:?}"
    );
    let came = bench.run(&plan(words(&["no-such-program", "x"])));
    assert_eq!(came.exit, Some(1));
    assert!(came.stderr.contains("no-such-program"), "{came:?}");
}

#[test]
fn standard_input_reaches_the_text_the_console_and_the_children() {
    let Some(bench) = Bench::new("standard input of PowerShell") else {
        return;
    };
    let given = Bytes::from("one\n二\n".to_owned());
    for line in [
        "[Console]::In.ReadToEnd().TrimEnd()",
        "/bin/cat",
        "$input | ForEach-Object { $_ }",
        "$null = 1; $(/bin/cat)",
    ] {
        let mut plan = plan(Command::Line(line.to_owned()));
        plan.stdin = Stdin::Bytes(given.clone());
        let came = bench.run(&plan);
        assert_eq!(
            (came.stdout.as_str(), came.exit),
            ("one\n二\n", Some(0)),
            "{line}: {came:?}"
        );
    }
    let came = bench.line("/bin/cat; 'end'; [Console]::In.ReadToEnd()");
    assert_eq!(
        came.stdout, "end\n\n",
        "without input there is an end of it: {came:?}"
    );
    bench.is_clean();
}

#[test]
fn large_input_reaches_a_program_byte_for_byte() {
    let Some(bench) = Bench::new("large input of PowerShell") else {
        return;
    };
    let given: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let digest = crate::base::digest::hex(&crate::base::digest::of(&given));
    for command in [words(&["sha256sum"]), Command::Line("sha256sum".to_owned())] {
        let mut plan = plan(command);
        plan.stdin = Stdin::Bytes(given.clone().into());
        let came = bench.run(&plan);
        assert!(came.stdout.starts_with(&digest), "{came:?}");
    }
    // Nothing waits for a program that does not read what it is given.
    let mut plan = plan(words(&["sh", "-c", "exit 5"]));
    plan.stdin = Stdin::Bytes(given.into());
    assert_eq!(bench.run(&plan).exit, Some(5));
    bench.is_clean();
}

#[test]
fn a_ping_is_an_answer_and_no_output() {
    let Some(bench) = Bench::new("ping of PowerShell") else {
        return;
    };
    let came = bench.run(&plan(Command::Ping));
    assert_eq!(
        (came.exit, came.stdout.as_str(), came.failed),
        (Some(0), "", None)
    );
}

#[test]
fn where_no_powershell_answers_it_is_said_with_what_was_said() {
    let Some(bench) = Bench::new("hosts without PowerShell") else {
        return;
    };
    std::fs::remove_file(bench.dir.path().join("bin/powershell")).unwrap();
    let came = bench.line("'x'");
    assert!(
        matches!(&came.failed, Some(Failure::NoInterpreter(why)) if why.contains("no PowerShell answered") && why.contains("not found")),
        "{came:?}"
    );
}

#[test]
fn a_command_is_ended_with_its_children_and_its_folder_removed() {
    let Some(bench) = Bench::new("the end of PowerShell") else {
        return;
    };
    let token = format!("pwsh-ended-{}", std::process::id());
    let mut plan = plan(Command::Line(format!(
        "bash -c 'echo begun; exec -a {token} sleep 300'"
    )));
    plan.stdin = Stdin::Bytes("x".into());
    let mut conversation = conversation(&plan, &bench.situation(), MARK).unwrap();
    let came = bench.drive(&mut *conversation, &plan.stdin, Some("begun"));
    assert_eq!(came.stdout, "begun\n");
    let runs = std::process::Command::new("pgrep")
        .args(["-f", &token])
        .output()
        .unwrap();
    assert!(runs.stdout.is_empty(), "{runs:?}");
    bench.is_clean();
}
