//! Scripts by way of PowerShell: kept whole, run by their endings, never left behind.

use std::sync::Arc;

use bytes::Bytes;

use super::engine::{Bench, MARK, plan};
use crate::shell::conversation::Failure;
use crate::shell::plan::{Command, Plan, Script, Stdin};
use crate::shell::windows::conversation;

fn script(name: &str, body: impl Into<Bytes>, args: &[&str]) -> Plan {
    plan(Command::Script(Arc::new(Script {
        name: name.to_owned(),
        body: body.into(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
    })))
}

#[test]
fn a_script_of_powershell_gets_arguments_input_and_gives_its_status() {
    let Some(bench) = Bench::new("scripts of PowerShell") else {
        return;
    };
    let text = "param([string]$Name, [switch]$Force, [Parameter(ValueFromRemainingArguments=$true)]$Rest)\n\
        \"$Name|$Force|$($Rest -join ',')\"\n'脚本 ' + (Split-Path -Leaf $PSCommandPath)\n\
        [Console]::In.ReadToEnd()\nexit 5\n";
    let mut plan = script(
        "检 查.ps1",
        text,
        &["-Name", "a \"b\" 'c'", "-Force:$true", "x y", "中"],
    );
    plan.stdin = Stdin::Bytes("in\n".into());
    let came = bench.run(&plan);
    assert_eq!(
        came.stdout, "a \"b\" 'c'|True|x y,中\n脚本 检 查.ps1\nin\n\n",
        "{came:?}"
    );
    assert_eq!(came.exit, Some(5));
    bench.is_clean();
}

#[test]
fn a_script_fails_as_powershell_file_does() {
    let Some(bench) = Bench::new("failures of PowerShell scripts") else {
        return;
    };
    for (text, exit) in [
        ("throw 'no'", 1),
        ("/bin/sh -c 'exit 3'; 'x'", 0),
        ("nosuch; 'x'", 0),
        ("exit 0", 0),
        ("/bin/cat; exit 300", 44),
        ("'unclosed", 1),
    ] {
        let came = bench.run(&script("a.ps1", text, &[]));
        assert_eq!(
            (came.exit, &came.failed),
            (Some(exit), &None),
            "{text}: {came:?}"
        );
        bench.is_clean();
    }
}

#[test]
fn other_scripts_run_by_their_interpreter_with_their_own_input() {
    let Some(bench) = Bench::new("scripts by way of PowerShell") else {
        return;
    };
    let mut plan = script(
        "t.py",
        "import sys\nprint(sys.argv[1:], sys.stdin.read())\nsys.exit(4)\n",
        &["a b", "\"", "中"],
    );
    plan.stdin = Stdin::Bytes("in".into());
    let came = bench.run(&plan);
    assert_eq!(came.stdout, "['a b', '\"', '中'] in\n", "{came:?}");
    assert_eq!(came.exit, Some(4));
    let came = bench.run(&script(
        "tool",
        "#!/bin/sh\necho \"$0 $1\"; cat; exit 6\n",
        &["x y"],
    ));
    assert!(came.stdout.ends_with("/tool x y\n"), "{came:?}");
    assert_eq!(came.exit, Some(6));
    let own: &[u8] = b"#!/bin/sh\necho own $1\n";
    assert_eq!(bench.run(&script("a.exe", own, &["1"])).stdout, "own 1\n");
    bench.is_clean();
}

#[test]
fn a_large_script_arrives_whole() {
    let Some(bench) = Bench::new("large scripts") else {
        return;
    };
    let body = format!(
        "#!/bin/sh\nwc -c <\"$0\"\nexit 0\n{}",
        "#".repeat(5_000_000)
    );
    let size = body.len();
    let came = bench.run(&script("big", body, &[]));
    assert_eq!(came.stdout.trim(), size.to_string(), "{came:?}");
    bench.is_clean();
}

#[test]
fn what_can_not_run_is_said_before_anything_runs() {
    let Some(bench) = Bench::new("scripts without interpreter") else {
        return;
    };
    let came = bench.run(&script("a.vbs", "x", &[]));
    assert!(
        matches!(&came.failed, Some(Failure::NoInterpreter(why)) if why.contains("cscript")),
        "{came:?}"
    );
    let mut situation = bench.situation();
    situation.tmpdir = Some("/proc/nowhere");
    let came = bench.converse(&script("a.ps1", "x", &[]), &situation);
    assert!(
        matches!(&came.failed, Some(Failure::Remote(why)) if why.contains("--tmpdir")),
        "{came:?}"
    );
    bench.is_clean();
}

#[test]
fn a_script_that_is_ended_leaves_no_folder() {
    let Some(bench) = Bench::new("the end of PowerShell scripts") else {
        return;
    };
    let plan = script("a.ps1", "'begun'; Start-Sleep 300", &[]);
    let mut conversation = conversation(&plan, &bench.situation(), MARK).unwrap();
    assert_eq!(
        bench
            .drive(&mut *conversation, &Stdin::Empty, Some("begun"))
            .stdout,
        "begun\n"
    );
    bench.is_clean();
}

#[test]
fn folders_that_were_left_behind_go_after_a_week_and_no_sooner() {
    let Some(bench) = Bench::new("old private folders") else {
        return;
    };
    let old = |name: &str, days: u64| {
        let path = bench.tmp().join(format!("ioms-{name:0>20}"));
        std::fs::create_dir(&path).unwrap();
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 86_400);
        std::fs::File::open(&path)
            .unwrap()
            .set_modified(then)
            .unwrap();
        path
    };
    let (left, live) = (old("1", 8), old("2", 3));
    assert_eq!(bench.run(&script("a.ps1", "'x'", &[])).stdout, "x\n");
    assert!(!left.exists() && live.exists());
}
