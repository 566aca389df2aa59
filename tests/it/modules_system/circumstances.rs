//! The same modules under other circumstances: as a user who becomes root, on hosts that speak other
//! languages, where busybox is all there is.

use std::process::Command;

use ioms_fleet::SystemFleet;
use serde_json::json;

use super::System;

/// Of every kind of module one: what it is told, and by what is seen that it was done.
const KINDS: &[(&str, &str, &str)] = &[
    (
        "copy",
        "content=x|dest=/etc/ours|mode=0600|owner=daemon",
        "ls -l /etc/ours",
    ),
    ("lineinfile", "path=/etc/ours|line=y", "cat /etc/ours"),
    (
        "replace",
        "path=/etc/ours|regexp=y|replace=z",
        "cat /etc/ours",
    ),
    (
        "ini_file",
        "path=/etc/ini|section=a|option=b|value=c",
        "cat /etc/ini",
    ),
    (
        "file",
        "path=/etc/d/e|state=directory|mode=u=rwx,g=,o=",
        "ls -ld /etc/d/e",
    ),
    (
        "file",
        "path=/etc/link|src=/etc/ours|state=link",
        "readlink /etc/link",
    ),
    (
        "template",
        "src=ours.j2|dest=/etc/rendered",
        "cat /etc/rendered",
    ),
    ("unarchive", "src=ours.tar|dest=/opt", "ls /opt"),
    (
        "assemble",
        "src=/etc/pam.d|dest=/etc/whole",
        "cksum /etc/whole",
    ),
    ("user", "name=ann|groups=adm", "id ann"),
    ("group", "name=deploy", "getent group deploy"),
    ("cron", "name=ours|job=true|user=ann", "crontab -u ann -l"),
    (
        "authorized_key",
        "user=ann|key=ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO+OqTvvtjW8LCsxsVCjKET4xQ7nClTjyHoSDiCRRWQv",
        "cat /home/ann/.ssh/authorized_keys",
    ),
    (
        "service",
        "name=cron|state=stopped|enabled=no",
        "systemctl is-active cron",
    ),
    (
        "sysvinit",
        "name=cron|state=started",
        "systemctl is-active cron",
    ),
    (
        "mount",
        "path=/mnt|src=tmpfs|fstype=tmpfs|state=mounted",
        "cat /etc/fstab",
    ),
    (
        "sysctl",
        "name=vm.swappiness|value=61|sysctl_file=/etc/sysctl.d/o.conf|reload=no",
        "cat /etc/sysctl.d/o.conf",
    ),
    ("hostname", "name=ours", "cat /etc/hostname"),
    ("timezone", "name=Asia/Tokyo", "readlink /etc/localtime"),
    ("apt", "name=sl|install_recommends=no", "dpkg -s sl"),
];

/// Does all of it once; with `flags` the desk's user may.
fn all_kinds(system: &System, flags: &[&str]) {
    kinds(system, flags, KINDS);
    looks(system, flags);
}

/// Does each once.
fn kinds(system: &System, flags: &[&str], kinds: &[(&str, &str, &str)]) {
    let file = system.desk.file("file", "x");
    let archive = system.desk.dir.path().join("ours.tar");
    let mut tar = Command::new("tar");
    tar.arg("-cf")
        .arg(&archive)
        .arg("-C")
        .arg(system.desk.dir.path());
    assert!(tar.arg("file").status().unwrap().success());
    system.desk.file("ours.j2", "{{ inventory_hostname }}\n");
    let here = file.parent().unwrap().display();
    for (module, args, watch) in kinds {
        let args: Vec<String> = args
            .split('|')
            .map(|word| word.replace("src=ours", &format!("src={here}/ours")))
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        system.changes_once_with(flags, module, &args, &format!("{watch} 2>&1; true"));
    }
}

/// What only looks or runs something; root's eyes are needed.
fn looks(system: &System, flags: &[&str]) {
    for (module, args) in [
        ("stat", "path=/etc/shadow"),
        ("slurp", "src=/etc/shadow"),
        (
            "find",
            "paths=/root|hidden=yes|recurse=yes|get_checksum=yes",
        ),
        ("getent", "database=shadow|key=root"),
        ("service_facts", ""),
        ("package_facts", ""),
        ("wait_for", "path=/etc/shadow|search_regex=^root"),
        ("tempfile", ""),
        ("command", "test -r /etc/shadow"),
        ("shell", "test -r /etc/shadow"),
        ("raw", "test -r /etc/shadow"),
    ] {
        let args: Vec<&str> = args.split('|').filter(|word| !word.is_empty()).collect();
        let result = system.task(flags, module, &args);
        assert_ne!(result["failed"], true, "{module}: {result:#}");
    }
    let script = system
        .desk
        .file("script.sh", "test -r /etc/shadow && echo may\n");
    let said = system.task(flags, "script", &[script.to_str().unwrap()]);
    assert_eq!(said["stdout"], "may\n", "{said:#}");
    let fetched = system.desk.dir.path().join("fetched");
    let to = format!("dest={}", fetched.display());
    system.task(flags, "fetch", &["src=/etc/shadow", &to, "flat=yes"]);
    assert_eq!(crate::support::read(fetched), system.sh("cat /etc/shadow"));
    let facts = system.task(flags, "setup", &[]);
    assert_eq!(facts["ansible_facts"]["ansible_distribution"], "Debian");
    let failed = system.task(flags, "apt", &["name=no-such-package"]);
    assert_eq!(
        failed["msg"],
        "No package matching 'no-such-package' is available"
    );
}

/// Makes the system speak a language, in all sessions.
fn speak(system: &System, locale: &str, charset: &str) {
    system.install("locales");
    system.sh(&format!(
        "echo '{locale} {charset}' >/etc/locale.gen && locale-gen >/dev/null 2>&1
         printf 'LANG={locale}\\nLC_ALL={locale}\\nLANGUAGE=de:fr\\n' >>/etc/environment"
    ));
    let said = system.task(&[], "raw", &["echo $LC_ALL"]);
    assert_eq!(said["stdout"], json!(format!("{locale}\n")), "{said:#}");
}

#[test]
fn who_becomes_root_on_a_chinese_host_does_the_same() {
    let system = System::with(SystemFleet::builder(), "ops");
    speak(&system, "zh_CN.GBK", "GBK");
    system.fails("copy", &["content=x", "dest=/etc/ours"], "is not writable");
    all_kinds(&system, &["--become"]);
    // Not only root.
    let app = ["--become", "--become-user", "app"];
    let file = ["content=x", "dest=/home/app/f"];
    system.changes_once_with(&app, "copy", &file, "ls -l /home/app");
    let own = ["name=own", "job=true"];
    system.changes_once_with(&app, "cron", &own, "crontab -u app -l 2>&1; true");
    let refused = system.task(&app, "copy", &["content=x", "dest=/etc/f"]);
    assert_eq!(refused["failed"], true, "{refused:#}");
}

#[test]
fn who_becomes_root_by_a_password_does_the_same() {
    let system = System::with(SystemFleet::builder(), "dev");
    let password = |text: &str| {
        let text = format!("ansible_become_password: {text}\n");
        system.desk.file("group_vars/all.yml", text);
    };
    password("nobodys");
    let refused = system.task(&["--become"], "copy", &["content=x", "dest=/etc/ours"]);
    assert_eq!(refused["msg"], "sudo: wrong password", "{refused:#}");
    password(system.fleet.password());
    // Those that say something to the host or are asked something while they run, and two that do not.
    const BY_PASSWORD: &[&str] = &[
        "copy",
        "lineinfile",
        "template",
        "unarchive",
        "assemble",
        "user",
        "cron",
    ];
    let some: Vec<_> = KINDS
        .iter()
        .copied()
        .filter(|(module, ..)| BY_PASSWORD.contains(module))
        .collect();
    kinds(&system, &["--become"], &some);
    looks(&system, &["--become"]);
}

#[test]
fn busyboxs_tools_and_shell_on_a_turkish_host_do() {
    let system = System::start();
    system.install("busybox");
    speak(&system, "tr_TR.UTF-8", "UTF-8");
    system.sh(
        "mkdir /bb && for name in $(busybox --list); do ln -s /bin/busybox /bb/$name; done
         ln -s /bin/busybox /bin/ash && usermod -s /bin/ash root
         echo PATH=/bb:/usr/sbin:/usr/bin:/sbin:/bin >>/etc/environment",
    );
    let said = system.task(&[], "raw", &["readlink -f /proc/$$/exe; command -v sed"]);
    assert_eq!(said["stdout"], "/usr/bin/busybox\n/bb/sed\n");
    all_kinds(&system, &[]);
    system.fails(
        "archive",
        &["path=/etc/ours,/etc/ini", "dest=/root/a.tar", "format=tar"],
        "the host's tar takes no list of names (-T)",
    );
    system.fails(
        "get_url",
        &["url=http://127.0.0.1:9/", "dest=/root/f"],
        "can't connect to remote host",
    );
}
