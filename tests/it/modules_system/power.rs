//! Hosts that go away and come back.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::System;

#[test]
fn a_host_that_boots_anew_or_is_off_is_waited_for() {
    let system = System::start();
    let host = system.fleet.host(0);
    let boot = "cat /proc/sys/kernel/random/boot_id";
    let before = system.sh(boot);
    assert_eq!(system.task(&["--check"], "reboot", &[])["rebooted"], true);
    assert_eq!(system.sh(boot), before);
    let did = system.done("reboot", &["reboot_timeout=60"]);
    assert_eq!(
        (&did["rebooted"], &did["changed"]),
        (&json!(true), &json!(true))
    );
    assert_ne!(system.sh(boot), before);
    let own = "boot_time_command=systemctl show -p UserspaceTimestamp";
    let command = "reboot_command=systemctl reboot";
    system.done("reboot", &[own, command, "reboot_timeout=60"]);
    system.fails(
        "reboot",
        &["reboot_command=true", "reboot_timeout=3"],
        "Timed out waiting for last boot time check: the host has not been booted yet",
    );
    system.fails("reboot", &["reboot_command=false"], "Reboot command failed");

    // The connection of a play is lost in its midst, and the rest is done over a new one.
    let play = system.desk.file(
        "play.yml",
        "- hosts: all
  gather_facts: false
  tasks:
    - command: uptime
    - reboot:
        reboot_timeout: 60
        test_command: systemctl is-active cron
      become: true
    - wait_for_connection:
    - command: cat /proc/sys/kernel/random/boot_id
      register: boot
    - copy:
        content: '{{ boot.stdout }}'
        dest: /root/boot
",
    );
    system
        .desk
        .run(&["play", play.to_str().unwrap()])
        .ends_with(0);
    assert_eq!(system.sh("cat /root/boot"), system.sh(boot).trim());

    host.power_off().unwrap();
    system.fails(
        "wait_for_connection",
        &["timeout=2", "connect_timeout=1"],
        "timed out waiting for ping module test",
    );
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_secs(2));
            host.power_on().unwrap();
        });
        let back = system.done(
            "wait_for_connection",
            &["timeout=60", "connect_timeout=1", "sleep=1"],
        );
        assert!(back["elapsed"].as_f64().unwrap() >= 1.0, "{back}");
    });
}
