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
    (
        "known_hosts",
        "name=web02|key=web02 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO+OqTvvtjW8LCsxsVCjKET4xQ7nClTjyHoSDiCRRWQv",
    ),
    ("known_hosts", "name=web01|state=absent"),
    ("apt_key", "file=/srv/two.asc"),
    (
        "apt_key",
        "file=/srv/two.asc|keyring=/etc/apt/trusted.gpg.d/ours.gpg",
    ),
    (
        "apt_key",
        "id=ONE|keyring=/etc/apt/trusted.gpg.d/ours.gpg|state=absent",
    ),
    ("apt", "deb=http://ADDRESS/ours.deb"),
    ("apt", "deb=/srv/ours.deb|policy_rc_d=101"),
    ("apt", "name=ours|state=absent"),
];

/// A ring with two keys and one more key, two versions of a package of which the first is there, a host
/// that is known, and a policy of services.
const FOR_PACKAGES: &str = r#"
cd /srv
export GNUPGHOME=/root/keys
mkdir -m 700 $GNUPGHOME
for name in one two three; do
    gpg --batch -q --passphrase '' --quick-gen-key "$name <$name@example.com>" rsa1024 sign never 2>/dev/null
    gpg --batch -q --armor --export $name@example.com >$name.asc 2>/dev/null
done
gpg --batch -q --no-default-keyring --keyring ./ours.gpg --import one.asc three.asc 2>/dev/null
mv ours.gpg /etc/apt/trusted.gpg.d/
gpg --show-keys --with-colons one.asc 2>/dev/null | awk -F: '/^fpr/ { printf "%s", $10 }' >one
mkdir -p deb/DEBIAN
for v in 1.0 2.0; do
    printf 'Package: ours\nVersion: %s\nArchitecture: all\nMaintainer: a <a@example.com>\nDescription: x\n' $v >deb/DEBIAN/control
    dpkg-deb -b deb ours.deb >/dev/null
    dpkg -l ours >/dev/null 2>&1 || dpkg -i ours.deb >/dev/null
done
mkdir -m 700 -p /root/.ssh
echo "web01 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO+OqTvvtjW8LCsxsVCjKET4xQ7nClTjyHoSDiCRRWQv" >/root/.ssh/known_hosts
printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
"#;

#[test]
fn where_no_room_is_for_what_is_made_aside_nothing_is_lost() {
    let system = System::start();
    system.install("gnupg python3");
    let address = format!("{}:8080", system.fleet.host(0).address());
    let (ip, port) = address.split_once(':').unwrap();
    system.sh(&format!(
        "printf 'deb [trusted=yes] file:/%s ./\\n' one zero >/etc/apt/sources.list.d/ours.list
        echo '1 1 * * * true' | crontab -
        mkdir /srv/parts && echo 1 >/srv/parts/1 && echo whole >/srv/whole
        {FOR_PACKAGES}
        systemd-run -q python3 -m http.server {port} --bind {ip} -d /srv
        until ss -Hltn sport = {port} | grep -q {ip}; do sleep 0.1; done
        mount -t tmpfs -o size=16k tmpfs /tmp
        cat /dev/zero >/tmp/full 2>/dev/null; true"
    ));
    let one = system.sh("cat /srv/one");
    let watch = "cat /etc/apt/sources.list.d/* /srv/parts/* /srv/whole /root/.ssh/known_hosts /usr/sbin/policy-rc.d
        cksum /etc/apt/trusted.gpg.d/*; crontab -l; dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}\\n' ours";
    let before = system.sh(watch);
    for (module, args) in MADE_ASIDE {
        let args = args.replace("ADDRESS", &address).replace("ONE", one.trim());
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
