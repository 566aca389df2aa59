//! What modules show of a change: before, and after.

use serde_json::{Value, json};

use super::System;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO+OqTvvtjW8LCsxsVCjKET4xQ7nClTjyHoSDiCRRWQv";

/// What a module is told, and what prints the text that it changes.
const TEXTS: &[(&str, &str, &str)] = &[
    ("copy", "content=one\ntwo\n|dest=/etc/ours", "cat /etc/ours"),
    (
        "copy",
        "remote_src=yes|src=/etc/passwd|dest=/etc/ours",
        "cat /etc/ours",
    ),
    ("template", "src=ours.j2|dest=/etc/ours", "cat /etc/ours"),
    ("assemble", "src=/srv|dest=/etc/ours", "cat /etc/ours"),
    ("lineinfile", "path=/etc/ours|line=three", "cat /etc/ours"),
    ("blockinfile", "path=/etc/ours|block=four", "cat /etc/ours"),
    (
        "replace",
        "path=/etc/ours|regexp=o|replace=0",
        "cat /etc/ours",
    ),
    (
        "ini_file",
        "path=/etc/ini|section=a|option=b|value=c",
        "cat /etc/ini",
    ),
    ("cron", "name=ours|job=true", "crontab -l"),
    (
        "cron",
        "name=ours|job=true|user=root|cron_file=ours",
        "cat /etc/cron.d/ours",
    ),
    (
        "authorized_key",
        "user=app|key=KEY",
        "cat /home/app/.ssh/authorized_keys",
    ),
    (
        "known_hosts",
        "name=web01|key=web01 KEY",
        "cat /root/.ssh/known_hosts",
    ),
    (
        "sysctl",
        "name=vm.swappiness|value=61|sysctl_file=/etc/sysctl.d/o.conf|reload=no",
        "cat /etc/sysctl.d/o.conf",
    ),
    (
        "mount",
        "path=/mnt|src=tmpfs|fstype=tmpfs|state=present",
        "cat /etc/fstab",
    ),
    (
        "apt_repository",
        "repo=deb file:/srv ./|filename=ours|update_cache=no",
        "cat /etc/apt/sources.list.d/ours.list",
    ),
    (
        "apt_repository",
        "repo=deb file:/srv ./|state=absent|update_cache=no",
        "cat /etc/apt/sources.list.d/ours.list",
    ),
    (
        "deb822_repository",
        "name=ours|uris=file:/srv|suites=./",
        "cat /etc/apt/sources.list.d/ours.sources",
    ),
    (
        "yum_repository",
        "name=ours|description=Ours|baseurl=file:/srv|reposdir=/etc",
        "cat /etc/ours.repo",
    ),
];

#[test]
fn a_diff_shows_what_a_text_was_and_what_it_becomes() {
    let system = System::start();
    system.sh("printf 'four\\n' >/srv/1; printf 'five\\n' >/srv/2");
    system.desk.file("ours.j2", "{{ inventory_hostname }}\n");
    for (module, args, show) in TEXTS {
        let args: Vec<String> = args
            .split('|')
            .map(|word| word.replace("KEY", KEY))
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let show = format!("{show} 2>/dev/null; true");
        let before = system.sh(&show);
        let foretold = system.task(&["--check", "--diff"], module, &args);
        assert_eq!(system.sh(&show), before, "{module} {args:?}");
        let done = system.task(&["--diff"], module, &args);
        let after = system.sh(&show);
        assert_ne!(before, after, "{module} {args:?}");
        for result in [foretold, done] {
            let diff = match &result["diff"] {
                Value::Array(several) => &several[0],
                one => one,
            };
            assert_eq!(
                (&diff["before"], &diff["after"]),
                (&json!(before), &json!(after)),
                "{module} {args:?}: {result:#}"
            );
        }
    }
    settings(&system);
}

/// Those of settings show the ones that change.
fn settings(system: &System) {
    let name = system.sh("uname -n");
    for (module, args, before, after) in [
        (
            "file",
            "path=/etc/fstab mode=0600",
            json!({"path": "/etc/fstab", "mode": "0644"}),
            json!({"path": "/etc/fstab", "mode": "0600"}),
        ),
        (
            "file",
            "path=/srv/new state=touch",
            json!({"path": "/srv/new", "state": "absent"}),
            json!({"path": "/srv/new", "state": "touch"}),
        ),
        (
            "hostname",
            "name=web01",
            json!(format!("hostname = {name}")),
            json!("hostname = web01\n"),
        ),
        (
            "timezone",
            "name=Asia/Tokyo",
            json!({"name": "Etc/UTC"}),
            json!({"name": "Asia/Tokyo"}),
        ),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let result = system.task(&["--check", "--diff"], module, &args);
        assert_eq!(
            result["diff"],
            json!({"before": before, "after": after}),
            "{module} {args:?}"
        );
    }
}
