//! `win_reboot` and `wait_for_connection` of hosts that are gone for a while: the server of the test bed is
//! restarted, which ends all connections and shells, and refuses new ones meanwhile.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use ioms_fleet::windows::{Language, Need, Windows, lacks};

use super::bed::Bed;
use super::modules::play;
use crate::support::wait_until;

/// A host whose `shutdown` only says that it was called, and the folder where; there is its boot's `id`.
fn host(what: &str) -> Option<(Bed, PathBuf)> {
    if lacks(what, &[Need::Server, Need::Powershell]) {
        return None;
    }
    let boots = tempfile::tempdir().unwrap().keep();
    let windows = Windows::builder()
        .env("IOMS_BOOTS", boots.to_str().unwrap())
        .start()
        .unwrap();
    fs::write(boots.join("id"), "first\n").unwrap();
    let vars = windows.over_http();
    Some((Bed::of(windows, 1, &vars), boots))
}

#[test]
fn a_reboot_waits_until_the_host_is_another_boot_and_passes_the_test() {
    let Some((bed, boots)) = host("reboots over WinRM") else {
        return;
    };
    let tasks = format!(
        "- {{name: before, win_shell: '1 + 1'}}\n\
         - {{name: boot, win_reboot: {{msg: 'up \"da\" te', boot_time_command: 'cat {0}/id', test_command: 'test -e {0}/up'}}}}\n\
         - {{name: after, win_ping: }}\n",
        boots.display()
    );
    let windows = &bed.windows;
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("it is told to boot", || boots.join("asked").exists());
            windows.restart(Duration::from_secs(3)).unwrap();
            fs::write(boots.join("id"), "second\n").unwrap();
            // It answers again a while before its services do.
            std::thread::sleep(Duration::from_secs(2));
            fs::write(boots.join("up"), "").unwrap();
        });
        play(&bed.desk, &tasks, 0)
    });
    assert_eq!(said["boot"]["rebooted"], true, "{said}");
    assert_eq!(said["boot"]["changed"], true, "{said}");
    assert_eq!(said["after"]["ping"], "pong", "{said}");
    let asked = fs::read_to_string(boots.join("asked")).unwrap();
    assert_eq!(asked, "/r /t 2 /c up 'da' te\n");
}

#[test]
fn a_host_that_does_not_boot_fails_in_time() {
    let Some((bed, boots)) = host("hosts that do not boot") else {
        return;
    };
    let tasks = format!(
        "- {{name: boot, win_reboot: {{reboot_timeout: 3, boot_time_command: 'cat {}/id'}}}}\n",
        boots.display()
    );
    let said = play(&bed.desk, &tasks, 2);
    let message = said["boot"]["msg"].as_str().unwrap();
    assert!(message.contains("has not been booted yet"), "{said}");
    let checked = play(
        &bed.desk,
        &tasks.replace("win_reboot", "check_mode: true, win_reboot"),
        0,
    );
    assert_eq!(checked["boot"]["rebooted"], true, "{checked}");
}

#[test]
fn a_host_that_says_nothing_is_no_other_boot() {
    let Some((bed, boots)) = host("hosts that go down") else {
        return;
    };
    let tasks = format!(
        "- {{name: boot, win_reboot: {{reboot_timeout: 4, boot_time_command: 'sh {}/time'}}}}\n",
        boots.display()
    );
    // It notes that it was asked and had nothing to say.
    let time = format!(
        "cd '{}' && cat id && {{ test -s id || : >silent; }}\n",
        boots.display()
    );
    fs::write(boots.join("time"), time).unwrap();
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            wait_until("it is told to boot", || boots.join("asked").exists());
            fs::write(boots.join("id"), "").unwrap();
        });
        play(&bed.desk, &tasks, 2)
    });
    assert!(boots.join("silent").exists(), "{said}");
    let message = said["boot"]["msg"].as_str().unwrap();
    assert!(message.contains("has not been booted yet"), "{said}");
}

/// (Wine's `shutdown` does nothing, and its WMI has the time at which its server was started.)
#[test]
fn on_wine_wmi_tells_one_boot_from_the_next() {
    let Some(bed) = Bed::wine("the time of boot, by WMI", Language::En) else {
        return;
    };
    let tasks = |limit: u32| {
        format!(
            "- {{name: boot, win_reboot: {{reboot_timeout: {limit}, test_command: hostname}}}}\n"
        )
    };
    let said = play(&bed.desk, &tasks(8), 2);
    let message = said["boot"]["msg"].as_str().unwrap();
    assert!(message.contains("has not been booted yet"), "{said}");
    let windows = &bed.windows;
    let orders = || {
        let lines = windows.commands();
        lines
            .iter()
            .filter(|line| line.starts_with("shutdown /r"))
            .count()
    };
    let before = orders();
    let said = std::thread::scope(|scope| {
        scope.spawn(|| {
            let told = || orders() > before && windows.state().unwrap().commands == 0;
            wait_until("it is told to boot", told);
            let prefix = windows.drive_c().unwrap();
            let ended = std::process::Command::new("wineserver")
                .arg("-k")
                .env("WINEPREFIX", prefix.parent().unwrap())
                .status();
            assert!(ended.is_ok(), "{ended:?}");
            windows.restart(Duration::from_secs(1)).unwrap();
        });
        play(&bed.desk, &tasks(90), 0)
    });
    assert_eq!(said["boot"]["rebooted"], true, "{said}");
}

#[test]
fn a_host_that_is_gone_is_waited_for() {
    let Some((bed, _)) = host("hosts that are waited for") else {
        return;
    };
    let tasks = |timeout: u32| {
        format!(
            "- {{name: wait, wait_for_connection: {{timeout: {timeout}}}}}\n- {{name: after, win_ping: }}\n"
        )
    };
    let windows = &bed.windows;
    let while_down = |seconds, timeout, status| {
        std::thread::scope(|scope| {
            let down = Duration::from_secs(seconds);
            scope.spawn(move || windows.restart(down).unwrap());
            wait_until("nobody listens", || {
                TcpStream::connect(("127.7.0.1", windows.http())).is_err()
            });
            play(&bed.desk, &tasks(timeout), status)
        })
    };
    let said = while_down(4, 30, 0);
    assert!(said["wait"]["elapsed"].as_f64().unwrap() >= 1.0, "{said}");
    assert_eq!(said["after"]["ping"], "pong", "{said}");
    let said = while_down(8, 2, 2);
    let message = said["wait"]["msg"].as_str().unwrap();
    assert!(message.starts_with("timed out waiting"), "{said}");
}
