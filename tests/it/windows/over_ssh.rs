//! PowerShell over OpenSSH: a real sshd whose host has PowerShell's engine.

use ioms_fleet::Sshd;
use ioms_fleet::windows::{Need, lacks};

use crate::support::{Lab, only, runs, wait_until};

pub(super) fn lab(what: &str) -> Option<Lab> {
    if lacks(what, &[Need::Powershell]) {
        return None;
    }
    let sshd = Sshd::start().unwrap();
    let lab = Lab::one(sshd, "ansible_shell_type: powershell");
    // The account's start-up files put it into the PATH, as an installer would.
    let bin = lab.sshd.home().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let pwsh = std::env::var_os("IOMS_PWSH").unwrap();
    for name in ["powershell", "powershell.exe"] {
        std::os::unix::fs::symlink(&pwsh, bin.join(name)).unwrap();
    }
    lab.sshd_home(".bashrc", &format!("PATH={}:$PATH\n", bin.display()));
    Some(lab)
}

#[test]
fn commands_and_scripts_run_as_over_winrm() {
    let Some(lab) = lab("PowerShell over SSH") else {
        return;
    };
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--env",
        "IOMS_X=密",
        "--chdir",
        "/usr",
        "\"更新 $env:IOMS_X $((Get-Location).Path)\"; [Console]::Error.WriteLine('err'); exit 3",
    ]);
    let host = only(&document);
    assert_eq!(
        host["stdout"].as_str().unwrap().trim(),
        "更新 密 /usr",
        "{host}"
    );
    assert_eq!(
        (&host["stderr"], &host["exit"]),
        (&"err\n".into(), &3.into()),
        "{host}"
    );
    let file = lab.desk.file("check.ps1", "'[' + $args[0] + ']'\nexit 4\n");
    let document = lab.json(&[
        "script",
        "-g",
        "all",
        file.to_str().unwrap(),
        "--",
        "a \"b\" 中",
    ]);
    let host = only(&document);
    assert_eq!(
        (host["stdout"].as_str().unwrap().trim(), &host["exit"]),
        ("[a \"b\" 中]", &4.into()),
        "{host}"
    );
    assert_eq!(only(&lab.json(&["ping", "-g", "all"]))["outcome"], "ok");
}

#[test]
fn a_command_over_its_time_is_ended_with_its_children() {
    let Some(lab) = lab("PowerShell over SSH, time limits") else {
        return;
    };
    let token = format!("pwsh-over-{}", std::process::id());
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--timeout",
        "3",
        &format!("bash -c 'exec -a {token} sleep 300'"),
    ]);
    let host = only(&document);
    assert_eq!(
        (&host["outcome"], &host["error"]["kind"]),
        (&"timed_out".into(), &"timeout".into()),
        "{host}"
    );
    wait_until("its child is gone", || !runs(&format!("{token} 300")));
}

#[test]
fn what_is_detached_lives_on_and_its_process_is_told() {
    let Some(lab) = lab("PowerShell over SSH, --detach") else {
        return;
    };
    let token = format!("pwsh-lasting-{}", std::process::id());
    let document = lab.json(&[
        "run",
        "-g",
        "all",
        "--detach",
        "--",
        "bash",
        "-c",
        &format!("exec -a {token} sleep 300"),
    ]);
    let host = only(&document);
    assert_eq!(host["outcome"], "ok", "{host}");
    wait_until("it runs", || runs(&format!("{token} 300")));
    let process = host["stdout"].as_str().unwrap().trim();
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap();
    assert!(String::from_utf8_lossy(&line).contains(&token));
    let ended = std::process::Command::new("kill").arg(process).status();
    assert!(ended.unwrap().success());
}
