//! PowerShell over WinRM, by its real engine: `--shell powershell`, scripts, their statuses and text.

use ioms_fleet::windows::{Need, lacks};
use serde_json::Value;

use super::bed::{Bed, came_out};
use crate::support::only;

const NEEDS: [Need; 2] = [Need::Server, Need::Powershell];

fn bed(what: &str) -> Option<Bed> {
    if lacks(what, &NEEDS) {
        return None;
    }
    Bed::http_with(what, "ansible_shell_type: powershell\n")
}

fn script(bed: &Bed, name: &str, text: &str, flags: &[&str], arguments: &[&str]) -> Value {
    let file = bed.desk.file(name, text);
    let mut args = vec!["script", "-g", "all"];
    args.extend(flags);
    args.push(file.to_str().unwrap());
    args.push("--");
    args.extend(arguments);
    only(&bed.desk.json(&args)).clone()
}

/// A folder for private folders, on the same machine.
fn empty_folder(bed: &Bed) -> String {
    let folder = bed.desk.dir.path().join("tmp");
    std::fs::create_dir_all(&folder).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn is_empty(folder: &str) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn statuses_are_those_of_powershell() {
    let Some(bed) = bed("PowerShell statuses") else {
        return;
    };
    for (line, exit, stdout) in [
        ("'fine'", 0, "fine\n"),
        ("exit 7", 7, ""),
        ("'a'; throw 'no'", 1, "a\n"),
        ("sh -c 'exit 9'", 9, ""),
        ("sh -c 'exit 9'; 'after'", 0, "after\n"),
        ("Write-Error 'small'; 'after'", 0, "after\n"),
    ] {
        let host = bed.host(&[line]);
        assert_eq!(host["exit"], exit, "{line}: {host}");
        assert_eq!(
            host["stdout"].as_str().unwrap().replace('\r', ""),
            stdout,
            "{line}"
        );
    }
    let host = bed.host(&["throw 'it broke 坏了'"]);
    assert!(
        host["stderr"].as_str().unwrap().contains("it broke 坏了"),
        "{host}"
    );
    bed.is_clean();
}

#[test]
fn chinese_text_arrives_in_both_directions_and_nothing_stands_in_arguments() {
    let Some(bed) = bed("Chinese over PowerShell") else {
        return;
    };
    let host = bed.host(&[
        "--env",
        "IOMS_X=密",
        "Write-Output \"更新 文件 $env:IOMS_X\"",
    ]);
    assert_eq!(
        host["stdout"].as_str().unwrap().trim(),
        "更新 文件 密",
        "{host}"
    );
    let lines = bed.windows.commands();
    assert!(
        lines
            .iter()
            .all(|line| !line.contains("更新") && !line.contains('密')),
        "{lines:?}"
    );
}

#[test]
fn a_script_of_powershell_gets_its_arguments_and_its_input() {
    let Some(bed) = bed("PowerShell scripts") else {
        return;
    };
    let words = [
        "a b",
        "it's",
        "\"quoted\"",
        "100%",
        "更新 文件",
        "",
        "-Flag",
        "$x;`n",
    ];
    let text = "param()\nforeach ($a in $args) { '[' + $a + ']' }\n'脚本'\n[Console]::In.ReadToEnd()\nexit 5\n";
    let file = bed.desk.file("input", "line one\nline two\n");
    let folder = empty_folder(&bed);
    let flags = ["--stdin", file.to_str().unwrap(), "--tmpdir", &folder];
    let host = script(&bed, "check 检查.ps1", text, &flags, &words);
    assert_eq!(host["exit"], 5, "{host}");
    let stdout = host["stdout"].as_str().unwrap().replace('\r', "");
    let wanted: String = words.iter().map(|word| format!("[{word}]\n")).collect();
    assert!(
        stdout.starts_with(&format!("{wanted}脚本\nline one\nline two\n")),
        "{stdout}"
    );
    assert!(is_empty(&folder), "nothing is left");
}

#[test]
fn a_script_that_nothing_can_run_says_so() {
    let Some(bed) = bed("unknown scripts") else {
        return;
    };
    let host = script(&bed, "check.xyz", "whatever\n", &[], &[]);
    assert_eq!(came_out(&host), ("failed", "no_such_interpreter"), "{host}");
}

#[test]
fn a_script_over_its_time_is_ended_and_its_folder_removed() {
    let Some(bed) = bed("PowerShell time limits") else {
        return;
    };
    let folder = empty_folder(&bed);
    let flags = ["--timeout", "3", "--tmpdir", &folder];
    let host = script(&bed, "long.ps1", "'begun'\nStart-Sleep 300\n", &flags, &[]);
    assert_eq!(came_out(&host), ("timed_out", "timeout"), "{host}");
    assert!(host["stdout"].as_str().unwrap().contains("begun"), "{host}");
    assert!(is_empty(&folder), "nothing is left");
    bed.is_clean();
}

#[test]
fn a_long_line_is_no_matter() {
    let Some(bed) = bed("long lines of PowerShell") else {
        return;
    };
    let line = format!("$x = '{}'; $x.Length", "z".repeat(300_000));
    let file = bed.desk.file("line", &line);
    assert!(file.exists());
    let host = script(&bed, "long.ps1", &line, &[], &[]);
    assert_eq!(host["stdout"].as_str().unwrap().trim(), "300000", "{host}");
    let host = bed.host(&[&format!("$x = '{}'; $x.Length", "z".repeat(100_000))]);
    assert_eq!(host["stdout"].as_str().unwrap().trim(), "100000", "{host}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let Some(bed) = bed("PowerShell folders") else {
        return;
    };
    let host = bed.host(&["--chdir", "/nowhere", "'x'"]);
    assert_eq!(came_out(&host), ("failed", "remote_io"), "{host}");
    let host = bed.host(&["--chdir", "/usr", "(Get-Location).Path"]);
    assert_eq!(host["stdout"].as_str().unwrap().trim(), "/usr", "{host}");
}
