//! Modules on Windows hosts, the whole way: playbooks through one PowerShell session a host.

use std::fmt::Write as _;

use ioms_fleet::windows::{Language, Need, Windows, lacks};
use serde_json::{Value, json};

use super::bed::Bed;
use super::over_ssh::lab;
use crate::support::{Desk, runs, wait_until};

/// Runs tasks, written as YAML in lines, on all hosts of the desk: the results of the first host, by the
/// tasks' names.
#[track_caller]
pub(super) fn play(desk: &Desk, tasks: &str, status: i32) -> Value {
    let mut text = "- hosts: all\n  gather_facts: false\n  tasks:\n".to_owned();
    for line in tasks.lines() {
        let _ = writeln!(text, "    {line}");
    }
    let file = desk.file("play.yml", text);
    of_playbook(desk, &[file.to_str().unwrap()], status)
}

#[track_caller]
fn of_playbook(desk: &Desk, args: &[&str], status: i32) -> Value {
    let all = [&["play", "--output", "json"], args].concat();
    let ran = desk.run(&all).ends_with(status);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let mut results = serde_json::Map::new();
    for play in document["plays"].as_array().unwrap() {
        for task in play["tasks"].as_array().unwrap() {
            let hosts = task["hosts"].as_object().unwrap();
            let result = hosts.values().next().cloned().unwrap_or_default();
            results.insert(task["task"]["name"].as_str().unwrap().to_owned(), result);
        }
    }
    Value::Object(results)
}

/// Files, commands and variables, in a folder of the host.
fn does_the_usual(desk: &Desk, folder: &str) {
    desk.file("tree/a.txt", "a\n");
    desk.file("tree/子/b.bin", vec![7; 200_000]);
    // More than goes along with a program.
    desk.file("large.bin", vec![8; 300_000]);
    desk.file(
        "t.j2",
        "name={{ inventory_hostname }}\nold={{ old | default('-') }}\n",
    );
    let home = desk.home().parent().unwrap().display().to_string();
    let tasks = format!(
        "- {{name: folder, win_file: {{path: '{folder}', state: directory}}}}\n\
         - {{name: text, win_copy: {{content: \"it's \\\"中\\\"\\n\", dest: '{folder}/x.txt', backup: true}}}}\n\
         - {{name: large, copy: {{src: '{home}/large.bin', dest: '{folder}/'}}}}\n\
         - {{name: tree, copy: {{src: '{home}/tree', dest: '{folder}/'}}}}\n\
         - {{name: template, win_template: {{src: '{home}/t.j2', dest: '{folder}/t.txt'}}}}\n\
         - {{name: stat, win_stat: {{path: '{folder}/tree/子/b.bin'}}}}\n\
         - {{name: env, win_shell: '\"[$env:IOMS_X]\"', environment: {{IOMS_X: \"a'b 密\"}}}}\n\
         - {{name: clean, win_shell: '\"[$env:IOMS_X]\"'}}\n\
         - {{name: slurp, slurp: {{src: '{folder}/t.txt'}}}}\n\
         - {{name: fetch, fetch: {{src: '{folder}/large.bin', dest: '{home}/got/large', flat: true}}}}\n\
         - {{name: missing, fetch: {{src: '{folder}/nothing', dest: '{home}/got/', fail_on_missing: false}}}}\n"
    );
    for first in [true, false] {
        let said = play(desk, &tasks, 0);
        for name in ["folder", "text", "large", "tree", "template", "fetch"] {
            assert_eq!(said[name]["changed"], first, "{name}: {said}");
        }
        assert_eq!(said["stat"]["stat"]["size"], 200_000, "{said}");
        assert_eq!(said["env"]["stdout"], "[a'b 密]", "{said}");
        assert_eq!(said["clean"]["stdout"], "[]", "{said}");
        let got = std::fs::read(format!("{home}/got/large")).unwrap();
        assert!(got == vec![8; 300_000], "{said}");
        assert_eq!(said["missing"]["changed"], false, "{said}");
    }
    let differs = tasks.replace("it's", "it is");
    let said = play(desk, &differs, 0);
    assert!(said["text"]["backup_file"].is_string(), "{said}");
}

#[test]
fn over_winrm_a_play_has_one_session_a_host() {
    if lacks("modules over WinRM", &[Need::Server, Need::Powershell]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let vars = windows.over_http();
    let bed = Bed::of(windows, 1, &vars);
    let folder = bed.desk.home().join("on host").display().to_string();
    does_the_usual(&bed.desk, &folder);
    let sessions = bed.windows.commands();
    assert_eq!(sessions.len(), 3, "a session a play: {sessions:?}");
    bed.is_clean();
}

/// What goes on without us, and what becomes of it.
fn goes_on_in_the_background(desk: &Desk, folder: &str) {
    let begun = "- {name: folder, win_file: {path: 'FOLDER', state: directory}}\n\
         - {name: job, environment: {IOMS_X: \"a'b 密\"}, async: 120, poll: 0, win_shell: \"while (-not (Test-Path 'FOLDER/go')) { Start-Sleep -Milliseconds 100 }; '[' + $env:IOMS_X + ']'; exit 3\"}\n"
        .replace("FOLDER", folder);
    let old = "- {name: old, win_shell: \"$d = [IO.Path]::Combine($HOME, '.ioms_async'); [void][IO.Directory]::CreateDirectory($d); foreach ($n in 'jold', 'jold.rc') { $f = [IO.Path]::Combine($d, $n); [IO.File]::WriteAllText($f, 'x'); [IO.File]::SetLastWriteTimeUtc($f, [DateTime]::UtcNow.AddDays(-8)) }\"}\n";
    let said = play(desk, &(old.to_owned() + &begun), 0);
    let id = said["job"]["ansible_job_id"].as_str().unwrap().to_owned();
    // What it is to do is not there any more, nor what ended long ago; folders' names, which may hold
    // anything, stand in no batch file.
    let gone = "- {name: gone, win_shell: \"foreach ($n in 'ID', 'ID.in', 'jold', 'jold.rc') { [IO.File]::Exists([IO.Path]::Combine($HOME, '.ioms_async', $n)) }; [IO.File]::ReadAllText([IO.Path]::Combine($HOME, '.ioms_async', 'ID.cmd')) -match '%CD%|_async'\", register: it, until: \"it.stdout_lines == ['True', 'False', 'False', 'False', 'False']\", retries: 50, delay: 0.2}\n";
    let said = play(desk, &gone.replace("ID", &id), 0);
    assert_eq!(said["gone"]["rc"], 0, "{said}");
    let ask = format!("- {{name: ask, async_status: {{jid: '{id}'}}}}\n");
    let said = play(desk, &ask, 0);
    assert_eq!(said["ask"]["finished"], false, "{said}");
    let go = format!(
        "- {{name: go, win_copy: {{content: x, dest: '{folder}/go'}}}}\n\
         - {{name: ask, async_status: {{jid: '{id}'}}, register: it, until: it is finished, retries: 100, delay: 0.2}}\n"
    );
    let said = play(desk, &go, 2);
    let end = &said["ask"];
    assert_eq!(
        (&end["rc"], &end["stdout"]),
        (&json!(3), &json!("[a'b 密]")),
        "{said}"
    );
    let said = play(desk, &ask, 2);
    assert_eq!(said["ask"]["msg"], "could not find job", "{said}");
    let late = "- {name: late, win_shell: Start-Sleep 600, async: 1, poll: 0, register: job}\n\
         - {name: ask, async_status: {jid: '{{ job.ansible_job_id }}'}, register: it, until: it is finished, retries: 100, delay: 0.2}\n";
    let said = play(desk, late, 2);
    assert_eq!(said["ask"]["msg"], "Timeout exceeded", "{said}");
}

/// Begins what goes on for longer than it may; nobody asks about it. Its number.
fn begins_too_much(desk: &Desk, line: &str, limit: u32) -> String {
    let task = format!("- {{name: job, win_shell: '{line}', async: {limit}, poll: 0}}\n");
    let said = play(desk, &task, 0);
    said["job"]["ansible_job_id"].as_str().unwrap().to_owned()
}

#[test]
fn on_wine_a_service_starts_what_goes_on_in_the_background() {
    let Some(bed) = Bed::wine("tasks in the background", Language::Zh) else {
        return;
    };
    goes_on_in_the_background(&bed.desk, "C:/jobs");
    // (Its `taskkill` leaves children alone: the job's own PowerShell is looked at.)
    let id = begins_too_much(&bed.desk, "Start-Sleep 600", 2);
    let users = bed.windows.drive_c().unwrap().join("users");
    let homes = || std::fs::read_dir(&users).unwrap().flatten();
    let has = |end: &str| {
        homes().any(|home| home.path().join(format!(".ioms_async/{id}.{end}")).exists())
    };
    wait_until("it has begun", || has("out"));
    wait_until("its time is up", || has("late"));
    wait_until("it is over", || has("rc"));
}

#[test]
fn a_job_ends_itself_and_all_it_has_started_when_its_time_is_up() {
    let Some(lab) = lab("the limit of tasks in the background") else {
        return;
    };
    let line = format!("/bin/sleep {}", 60_000 + std::process::id() % 5000);
    let id = begins_too_much(&lab.desk, &line, 2);
    let late = lab.sshd.home().join(format!(".ioms_async/{id}.late"));
    wait_until("its time is up", || late.exists());
    wait_until("nothing of it is left", || !runs(&line));
}

/// (Where no WMI is, a WinRM shell takes all that was started along.)
#[test]
fn over_ssh_a_task_goes_on_in_the_background() {
    let Some(lab) = lab("tasks in the background") else {
        return;
    };
    let folder = lab.desk.home().join("on host").display().to_string();
    goes_on_in_the_background(&lab.desk, &folder);
}

#[test]
fn over_ssh_they_do_the_same() {
    let Some(lab) = lab("modules over SSH") else {
        return;
    };
    let folder = lab.desk.home().join("on host").display().to_string();
    does_the_usual(&lab.desk, &folder);
}

#[test]
fn a_session_that_is_gone_is_begun_anew() {
    let Some(lab) = lab("PowerShell sessions that end") else {
        return;
    };
    let token = format!("module-over-{}", std::process::id());
    let said = play(
        &lab.desk,
        &format!(
            "- {{name: slow, shell: \"bash -c 'exec -a {token} sleep 300'\", timeout: 3, ignore_errors: true}}\n\
             - {{name: after, ping: }}\n\
             - {{name: dies, shell: '[Environment]::Exit(3)', ignore_errors: true}}\n\
             - {{name: which, shell: '$PID', register: which}}\n\
             - {{name: kill, shell: 'kill -9 {{{{ which.stdout }}}}; sleep 3', delegate_to: localhost, vars: {{ansible_connection: local, ansible_shell_type: sh}}}}\n\
             - {{name: again, ping: }}\n"
        ),
        0,
    );
    assert!(
        said["slow"]["msg"]
            .as_str()
            .unwrap()
            .contains("Timed out after 3"),
        "{said}"
    );
    let died = said["dies"]["msg"].as_str().unwrap();
    assert!(died.contains("ended before the task did"), "{said}");
    assert_eq!(
        (&said["after"]["ping"], &said["again"]["ping"]),
        (&json!("pong"), &json!("pong"))
    );
    wait_until("what it had started is gone", || {
        !runs(&format!("{token} 300"))
    });
}

#[test]
fn on_windows_registry_services_and_facts_are_what_they_shall_be() {
    let Some(bed) = Bed::wine("modules on Wine", Language::Zh) else {
        return;
    };
    let tasks = "- {name: dword, win_regedit: {path: 'HKLM:\\Software\\Ioms', name: d, data: 4294967295, type: dword}}\n\
         - {name: binary, win_regedit: {path: 'HKLM:\\Software\\Ioms', name: b, data: 'hex:be,ef', type: binary}}\n\
         - {name: lines, win_regedit: {path: 'HKLM:\\Software\\Ioms', name: m, data: [一, b], type: multistring}}\n\
         - {name: service, win_service: {name: iomst, path: 'C:\\windows\\x.exe', start_mode: manual, display_name: 测试, dependencies: [RpcSs]}}\n\
         - {name: there, win_reg_stat: {path: 'HKLM:\\Software\\Ioms'}}\n\
         - {name: facts, setup: }\n\
         - {name: native, win_command: 'cmd /c echo 更新 文件'}\n\
         - {name: powershell, win_powershell: {script: \"$Ansible.Changed = $false; Get-Item C:\\\\windows | Select-Object Name\"}}\n\
         - {name: fetch, fetch: {src: 'C:\\bytes.bin', dest: 'HOME/got'}}\n";
    let home = bed.desk.home().display().to_string();
    let tasks = &tasks.replace("HOME", &home);
    let bytes: Vec<u8> = (0..=255_u8).cycle().take(700_001).collect();
    std::fs::write(bed.windows.drive_c().unwrap().join("bytes.bin"), &bytes).unwrap();
    for first in [true, false] {
        let said = play(&bed.desk, tasks, 0);
        let got = std::fs::read(format!("{home}/got/win01/C:/bytes.bin")).unwrap();
        assert!(got == bytes, "{said}");
        for name in ["dword", "binary", "lines", "service", "fetch"] {
            assert_eq!(said[name]["changed"], first, "{name}: {said}");
        }
        let values = &said["there"]["properties"];
        assert_eq!(values["d"]["value"], 4_294_967_295_u64, "{said}");
        assert_eq!(values["b"]["raw_value"], json!(["0xbe", "0xef"]));
        assert_eq!(values["m"]["value"], json!(["一", "b"]));
        assert_eq!(said["service"]["display_name"], "测试");
        assert_eq!(
            said["facts"]["ansible_facts"]["ansible_os_family"],
            "Windows"
        );
        assert_eq!(said["native"]["stdout"], "更新 文件", "{said}");
        assert_eq!(
            said["powershell"]["output"],
            json!([{"Name": "windows"}]),
            "{said}"
        );
    }
    let sessions = bed.windows.commands();
    assert_eq!(sessions.len(), 2, "a session a play: {sessions:?}");
    let gone = "- {name: key, win_regedit: {path: 'HKLM:\\Software\\Ioms', state: absent}}\n\
         - {name: service, win_service: {name: 测试, state: absent}}\n";
    for first in [true, false] {
        let said = play(&bed.desk, gone, 0);
        assert_eq!(
            (&said["key"]["changed"], &said["service"]["changed"]),
            (&json!(first), &json!(first))
        );
    }
    bed.is_clean();
}

#[test]
fn an_update_is_brought_unpacked_started_and_looked_at() {
    let Some(bed) = Bed::wine("the playbook windows-update.yml", Language::Zh) else {
        return;
    };
    let zip = bed.desk.home().join("game.zip");
    let make = |version: &str| {
        let drive = bed.windows.drive_c().unwrap();
        // Any program that goes on until it is ended.
        let program = drive.join("windows/system32/ping.exe");
        let script = "import sys, zipfile\n\
            z = zipfile.ZipFile(sys.argv[1], 'w')\n\
            z.write(sys.argv[2], 'server.exe')\n\
            z.writestr('说明/version.txt', sys.argv[3])\n";
        let made = std::process::Command::new("python3")
            .args(["-c", script])
            .arg(&zip)
            .arg(program)
            .arg(version)
            .status();
        assert!(made.unwrap().success());
    };
    let playbook = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks/windows-update.yml");
    let vars = json!({"archive": zip, "folder": "C:\\game", "program": "C:\\game\\server.exe", "arguments": "-n 3000 127.0.0.1"});
    let inventory = bed.windows.inventory(1, "").replacen("all:", "windows:", 1);
    let desk = Desk::with(&inventory);
    let update = || of_playbook(&desk, &[playbook, "-e", &vars.to_string()], 0);
    make("1");
    let said = update();
    assert_eq!(said["It runs"]["changed"], true, "{said}");
    assert!(runs("server.exe"), "it outlives the play");
    let said = update();
    assert_eq!(said["It runs"]["changed"], false, "{said}");
    assert_eq!(
        said["The archive is on the host"]["changed"], false,
        "{said}"
    );
    make("2 is another");
    let said = update();
    assert_eq!(said["The old one does not run"]["changed"], true, "{said}");
    assert_eq!(said["It runs"]["changed"], true, "{said}");
    let version = bed.windows.drive_c().unwrap().join("game/说明/version.txt");
    assert_eq!(std::fs::read_to_string(version).unwrap(), "2 is another");
}
