//! How modules fail: what they say, and that nothing is changed by what failed.

use super::System;

/// What a module is told, and why it fails.
const FAILURES: &[(&str, &str, &str)] = &[
    (
        "assemble",
        "src=/nosuch|dest=/root/f",
        "Source (/nosuch) does not exist",
    ),
    (
        "assemble",
        "src=/etc/passwd|dest=/root/f",
        "Source (/etc/passwd) is not a directory",
    ),
    (
        "assemble",
        "src=/etc/pam.d|dest=/root/f|regexp=(",
        "Invalid Regexp",
    ),
    (
        "assemble",
        "src=/etc/pam.d|dest=/root/f|validate=false %s",
        "failed to validate: rc:1",
    ),
    ("tempfile", "path=/nosuch", "/nosuch"),
    ("tempfile", "path=/nosuch|state=directory", "/nosuch"),
    ("tempfile", "path=/root|suffix=/nosuch/x", "/nosuch/x"),
    (
        "package_facts",
        "manager=nosuch",
        "unsupported package manager specified: nosuch",
    ),
    (
        "package_facts",
        "manager=pacman",
        "Could not detect a supported package manager",
    ),
    (
        "getent",
        "database=nosuch",
        "Missing arguments, or database unknown.",
    ),
    (
        "getent",
        "database=passwd|key=nosuch",
        "One or more supplied key could not be found in the database.",
    ),
    (
        "getent",
        "database=initgroups",
        "Enumeration not supported on this database.",
    ),
    (
        "deb822_repository",
        "name=%%|uris=file:/srv",
        "the name holds no letter or digit",
    ),
    (
        "deb822_repository",
        "name=ours|uris=file:/srv|signed_by=file:///nosuch",
        "/nosuch",
    ),
    (
        "deb822_repository",
        "name=ours|uris=file:/a\rb",
        "`uris` holds characters that no source can",
    ),
    (
        "apt_repository",
        "repo=rubbish",
        "Invalid repository string: rubbish",
    ),
    (
        "apt_repository",
        "repo=ppa:a/b",
        "for a PPA the host needs add-apt-repository",
    ),
    (
        "apt_repository",
        "repo=deb [trusted=yes] file:/nosuch ./|update_cache_retries=0",
        "Failed to update apt cache",
    ),
    ("hostname", "name=two words", "Invalid hostname 'two words'"),
    (
        "hostname",
        "name=ours|use=freebsd",
        "the name of a freebsd host can't be set",
    ),
    (
        "cron",
        "name=ours",
        "You must specify 'job' to install a new cron job or variable",
    ),
    (
        "cron",
        "name=ours|job=true|cron_file=ours",
        "you must specify user=... as well",
    ),
    (
        "cron",
        "name=ours|job=true|cron_file=/etc/crontab|user=root",
        "Will not manage /etc/crontab",
    ),
    (
        "cron",
        "name=ours|job=true|special_time=daily|minute=5",
        "You cannot combine special_time",
    ),
    (
        "cron",
        "name=ours|job=true|insertafter=PATH",
        "valid only with env=yes",
    ),
    (
        "cron",
        "name=A|job=1|env=yes|insertafter=NOSUCH",
        "Variable named 'NOSUCH' not found.",
    ),
    ("cron", "name=ours|job=true|minute=99", "bad minute"),
    (
        "cron",
        "name=ours|job=true|user=nosuch",
        "Unable to read crontab",
    ),
    (
        "known_hosts",
        "name=web01",
        "all of the following are missing: key",
    ),
    (
        "known_hosts",
        "name=web01|key=rubbish",
        "key is no line of a known_hosts file",
    ),
    (
        "known_hosts",
        "name=web01|key=db01 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO+OqTvvtjW8LCsxsVCjKET4xQ7nClTjyHoSDiCRRWQv",
        "does not match",
    ),
    (
        "known_hosts",
        "name=web01|key=web01 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO+OqTvvtjW8LCsxsVCjKET4xQ7nClTjyHoSDiCRRWQv|path=/etc/passwd/f",
        "/etc/passwd",
    ),
];

/// What is made in the temporary folder first, and then trusted.
const MADE_ASIDE: &[(&str, &str)] = &[
    (
        "apt_repository",
        "repo=deb [trusted=yes] file:/one ./|filename=ours|state=absent|update_cache=no",
    ),
    (
        "apt_repository",
        "repo=deb [trusted=yes] file:/two ./|filename=ours|update_cache=no",
    ),
    ("cron", "name=other|job=true"),
    ("assemble", "src=/srv/parts|dest=/srv/whole|remote_src=yes"),
    ("archive", "path=/srv/parts|dest=/srv/a.tgz|remove=yes"),
];

#[test]
fn where_no_room_is_for_what_is_made_aside_nothing_is_lost() {
    let system = System::start();
    system.sh(
        "printf 'deb [trusted=yes] file:/%s ./\\n' one zero >/etc/apt/sources.list.d/ours.list
        echo '1 1 * * * true' | crontab -
        mkdir /srv/parts && echo 1 >/srv/parts/1 && echo whole >/srv/whole
        mount -t tmpfs -o size=16k tmpfs /tmp
        cat /dev/zero >/tmp/full 2>/dev/null; true",
    );
    let watch = "cat /etc/apt/sources.list.d/* /srv/parts/* /srv/whole; crontab -l";
    let before = system.sh(watch);
    for (module, args) in MADE_ASIDE {
        let args: Vec<&str> = args.split('|').collect();
        system.fails(module, &args, "");
        assert_eq!(system.sh(watch), before, "{module} {args:?}");
    }
    // Services come and go there.
    let stop = ["name=cron", "state=stopped"];
    assert_eq!(system.done("service", &stop)["changed"], true);
}

#[test]
fn what_fails_says_why_and_changes_nothing() {
    let system = System::start();
    let name = system.sh("uname -n; : >/run/before; sleep 0.1");
    for (module, args, why) in FAILURES {
        let args: Vec<&str> = args.split('|').collect();
        system.fails(module, &args, why);
    }
    let written = "find /etc /root /var/spool /tmp -type f -newer /run/before";
    assert_eq!(system.sh(written), "");
    assert_eq!(system.sh("uname -n"), format!("{name}"));

    // Where nothing tells of services, that is said, as Ansible does.
    system.sh("mv /usr/bin/systemctl /usr/sbin/service /root");
    let none = system.done("service_facts", &[]);
    assert_eq!(none["skipped"], true, "{none:#}");
}
