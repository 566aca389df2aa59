//! What a shell's commands start dies with the shell; what is detached lives on.

use ioms_fleet::windows::{Language, Need, Windows, lacks};

use super::bed::Bed;
use crate::support::{runs, wait_until};

fn token(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// What a line starts is seen to run while its shell lives, and to be gone with it.
fn starts_and_dies(bed: &Bed, line: &str, shows: &str) {
    // Wine's pipes stay with what was started, which holds the command up: it has a time limit.
    let mut child = bed
        .desk
        .start(&["run", "-g", "all", "--timeout", "12", line]);
    wait_until("it was started", || runs(shows));
    child.wait().unwrap();
    wait_until("what was only started is gone", || !runs(shows));
}

#[test]
fn a_started_program_dies_with_the_shell() {
    if lacks("what WinRM shells start", &[Need::Server, Need::Powershell]) {
        return;
    }
    let windows = Windows::start().unwrap();
    let bed = Bed::of(windows, 1, "ansible_shell_type: powershell\n");
    let plain = token("winrm-plain");
    let line = format!("exec -a {plain} sleep 300 >/dev/null 2>&1");
    starts_and_dies(
        &bed,
        &format!("Start-Process setsid -ArgumentList 'bash','-c','\"{line}\"'; Start-Sleep 5"),
        &format!("{plain} 300"),
    );
    bed.is_clean();
}

#[test]
fn on_wine_a_service_starts_what_lives_on() {
    let Some(bed) = Bed::wine("--detach on Wine", Language::En) else {
        return;
    };
    let mark = 60_000 + std::process::id() % 5000;
    let line = format!("ping -n {mark} 127.0.0.1");
    starts_and_dies(
        &bed,
        &format!("start /b {line} >nul 2>&1& ping -n 8 127.0.0.1 >nul"),
        &format!("-n {mark}"),
    );
    let host = bed.host(&["--detach", &line]);
    assert_eq!(host["outcome"], "ok", "{host}");
    bed.is_clean();
    wait_until("it lives", || runs(&format!("-n {mark}")));
}

#[test]
fn lines_that_begin_with_start_are_warned_of() {
    let Some(bed) = Bed::http("the warning of start") else {
        return;
    };
    let ran = bed.run(&["run", "-g", "all", "start server.exe"]);
    assert!(ran.stderr.contains("--detach"), "{}", ran.said());
}
