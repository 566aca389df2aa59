//! Real Windows console programs in Wine, English and Chinese: quoting, code pages, long lines.

use ioms_fleet::windows::{Language, Need, Tier, Windows, lacks};
use serde_json::Value;

use super::bed::{Bed, came_out};
use crate::support::only;

const NEEDS: [Need; 3] = [Need::Server, Need::Wine, Need::PowershellForWine];

fn bed(what: &str, language: Language) -> Option<Bed> {
    if lacks(what, &NEEDS) {
        return None;
    }
    let windows = Windows::builder()
        .tier(Tier::Wine(language))
        .start()
        .unwrap();
    Some(Bed::of(windows, 1, ""))
}

fn script(bed: &Bed, name: &str, text: &str, arguments: &[&str]) -> Value {
    let file = bed.desk.file(name, text);
    let mut args = vec!["script", "-g", "all", file.to_str().unwrap(), "--"];
    args.extend(arguments);
    only(&bed.desk.json(&args)).clone()
}

#[track_caller]
fn prints(host: &Value, wanted: &[&str]) {
    let stdout = host["stdout"].as_str().unwrap();
    let lines: Vec<&str> = stdout.lines().map(str::trim_end).collect();
    assert_eq!(lines, wanted, "{host}");
}

#[test]
fn a_chinese_console_reads_right_in_both_directions() {
    let Some(bed) = bed("a Chinese Windows", Language::Zh) else {
        return;
    };
    let host = bed.host(&["echo 更新 文件& echo 错误 1>&2& exit 5"]);
    prints(&host, &["更新 文件"]);
    assert_eq!(
        host["stderr"].as_str().unwrap().trim_end(),
        "错误",
        "{host}"
    );
    assert_eq!(
        (&host["exit"], &host["encoding"]),
        (&5.into(), &"gb18030".into())
    );
    let host = bed.host(&[
        "--shell",
        "powershell",
        "Write-Output '更新 文件'; cmd /c echo 更新",
    ]);
    prints(&host, &["更新 文件", "更新"]);
    let text = "@echo off\r\necho 批处理 %~1\r\nexit /b 6\r\n";
    let host = script(&bed, "检查.bat", text, &["更新 文件"]);
    prints(&host, &["批处理 更新 文件"]);
    assert_eq!(host["exit"], 6);
    let host = script(
        &bed,
        "检查.ps1",
        "'脚本 ' + $args[0]\nexit 7\n",
        &["更新 文件"],
    );
    prints(&host, &["脚本 更新 文件"]);
    assert_eq!(host["exit"], 7);
    bed.is_clean();
}

#[test]
fn words_arrive_as_they_are() {
    let Some(bed) = bed("quoting for cmd.exe", Language::En) else {
        return;
    };
    let words = [
        "a b",
        "x&y|z",
        "50%",
        "%PATH%",
        "%PATH:~0,3%",
        "%PATH:a=b%",
        "^caret",
        "\"q\"",
        "tail\\",
        "c d\\",
        "(p)",
        "!e!",
        "<>",
        "中文",
    ];
    // Each argument as it reached a program.
    let show = "foreach ($a in $args) {\r\n\
        '@' + [regex]::Replace($a, '[^\\x00-\\x7f]', { '{0:x4}' -f [int][char]$args[0].Value })\r\n}\r\n";
    let place = bed.windows.drive_c().unwrap().join("show.ps1");
    std::fs::write(place, show).unwrap();
    let mut args = vec!["run", "-g", "all", "--"];
    args.extend([
        "powershell",
        "-NoProfile",
        "-ExecutionPolicy",
        "Bypass",
        "-OutputFormat",
        "Text",
        "-File",
        "C:\\show.ps1",
    ]);
    args.extend(words);
    let marked: Vec<String> = words
        .iter()
        .map(|word| format!("@{word}").replace("中文", "4e2d6587"))
        .collect();
    let document = bed.desk.json(&args);
    let host = only(&document).clone();
    let wanted: Vec<&str> = marked.iter().map(String::as_str).collect();
    prints(&host, &wanted);
}

#[test]
fn lines_over_the_limit_of_cmd_run_all_the_same() {
    let Some(bed) = bed("long lines of cmd.exe", Language::En) else {
        return;
    };
    let long = "x".repeat(5000);
    let host = bed.host(&[&format!(
        "echo {long}>nul& echo one& echo {long}>nul& echo two& exit 3"
    )]);
    prints(&host, &["one", "two"]);
    assert_eq!(host["exit"], 3);
    let host = bed.host(&["more\r\nset /p X=\r\nfor %i in (1 2) do @echo %i %OS% 5%\r\nexit 4"]);
    prints(&host, &["1 Windows_NT 5%", "2 Windows_NT 5%"]);
    assert_eq!(host["exit"], 4);
    let host = bed.host(&[&format!("hostname {long}{long}")]);
    assert_ne!(host["error"]["kind"], "unsupported", "{host}");
    let host = bed.host(&[&format!("if 1==1 (echo {long}{long})")]);
    assert_eq!(came_out(&host).0, "failed", "{host}");
}

#[test]
fn scripts_run_by_their_endings() {
    let Some(bed) = bed("scripts on Wine", Language::En) else {
        return;
    };
    let vbs = "WScript.Echo \"vbs \" & WScript.Arguments(0)\r\nWScript.Quit 4\r\n";
    let host = script(&bed, "check.vbs", vbs, &["x"]);
    prints(&host, &["vbs x"]);
    assert_eq!(host["exit"], 4);
    let host = script(
        &bed,
        "check.cmd",
        "@echo off\r\nset /p L=\r\necho got %L%\r\n",
        &[],
    );
    assert_eq!(host["outcome"], "ok", "{host}");
    let host = script(
        &bed,
        "args.bat",
        "@echo off\r\necho %1\r\n",
        &["x&echo run"],
    );
    prints(&host, &["\"x&echo run\""]);
    let host = script(&bed, "check.py", "print(1)\n", &[]);
    assert_eq!(came_out(&host), ("failed", "no_such_interpreter"), "{host}");
}

#[test]
fn variables_folders_and_input_reach_console_programs() {
    let Some(bed) = bed("cmd.exe on Wine", Language::En) else {
        return;
    };
    let file = bed.desk.file("input", "b\r\na\r\n");
    let host = bed.host(&[
        "--stdin",
        file.to_str().unwrap(),
        "--env",
        "IOMS_X=a b",
        "--chdir",
        "C:\\windows",
        "echo %IOMS_X%& cd& more",
    ]);
    let stdout = host["stdout"].as_str().unwrap();
    for part in ["a b", "C:\\windows", "b\r\na"] {
        assert!(
            stdout.to_lowercase().contains(&part.to_lowercase()),
            "{part}: {host}"
        );
    }
}

#[test]
fn input_reaches_powershell_its_children_and_scripts() {
    let Some(bed) = bed("input of PowerShell on Wine", Language::En) else {
        return;
    };
    let file = bed.desk.file("input", "one\r\ntwo\r\n");
    let input = file.to_str().unwrap();
    let line = "[Console]::In.ReadLine(); cmd /c more";
    let host = bed.host(&["--shell", "powershell", "--stdin", input, line]);
    prints(&host, &["one", "one", "two"]);
    let file = bed.desk.file("check.cmd", "@more\n@exit /b 5\n");
    let document = bed.desk.json(&[
        "script",
        "-g",
        "all",
        "--stdin",
        input,
        file.to_str().unwrap(),
    ]);
    let host = only(&document);
    prints(host, &["one", "two"]);
    assert_eq!(host["exit"], 5);
}
