//! Modules that change a system, on whole Debian systems without Python: what check mode foretells,
//! applied, applied again without a change, and how they fail.

mod accounts;
mod alpine;
mod circumstances;
mod diffs;
mod failures;
mod firewall;
mod power;
mod sources;

use ioms_fleet::{SystemFleet, SystemFleetBuilder};
use serde_json::{Value, json};

use crate::support::{Desk, only};

/// A system to work on.
struct System {
    fleet: SystemFleet,
    desk: Desk,
}

impl System {
    fn start() -> Self {
        Self::with(SystemFleet::builder(), "root")
    }

    /// As this user, on a fleet of these settings.
    fn with(builder: SystemFleetBuilder, user: &str) -> Self {
        let fleet = builder.start(1).unwrap();
        let desk = Desk::new();
        let path = desk.file("hosts.yml", "");
        fleet.write_inventory_as(user, &path).unwrap();
        Self {
            fleet,
            desk: desk.inventoried(path),
        }
    }

    /// Installs packages of Debian's, without what they recommend.
    fn install(&self, packages: &str) {
        self.sh(&format!(
            "DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends {packages}"
        ));
    }

    /// Makes a program there.
    fn program(&self, path: &str, text: &str) {
        let make = format!("mkdir -p \"$(dirname {path})\" && cat >{path} && chmod 755 {path}");
        self.fleet.host(0).feed(&make, text).unwrap();
    }

    /// What a command prints there.
    fn sh(&self, command: &str) -> String {
        self.fleet.host(0).exec(command).unwrap()
    }

    /// A task's result.
    fn task(&self, flags: &[&str], module: &str, args: &[&str]) -> Value {
        let mut words = vec!["do", "-g", "all"];
        words.extend(flags);
        words.push(module);
        words.extend(args);
        let document = self.desk.json(&words);
        let host = only(&document);
        let mut result = host["result"].clone();
        if result.is_null() {
            result = json!({"failed": true, "msg": host["error"]["message"]});
        }
        result
    }

    fn done(&self, module: &str, args: &[&str]) -> Value {
        let result = self.task(&[], module, args);
        assert_ne!(result["failed"], true, "{module} {args:?}: {result:#}");
        result
    }

    /// What fails, and says why.
    #[track_caller]
    fn fails(&self, module: &str, args: &[&str], why: &str) {
        let result = self.task(&[], module, args);
        let message = result["msg"].as_str().unwrap_or_default();
        assert!(
            result["failed"] == true && message.contains(why),
            "{module} {args:?}: {result:#}"
        );
        if ["service", "systemd", "sysvinit"].contains(&module) {
            assert_ne!(result["changed"], true, "{module} {args:?}: {result:#}");
        }
    }

    /// Check mode says that it would change, and changes nothing of what `watch` prints; then it does,
    /// and a second time it does not. The result has with it what was `foretold`, with the diff.
    #[track_caller]
    fn changes_once(&self, module: &str, args: &[&str], watch: &str) -> Value {
        self.changes_once_with(&[], module, args, watch)
    }

    /// The same with more flags.
    #[track_caller]
    fn changes_once_with(&self, flags: &[&str], module: &str, args: &[&str], watch: &str) -> Value {
        let before = self.sh(watch);
        let foretold = self.task(&[flags, &["--check", "--diff"]].concat(), module, args);
        assert_eq!(foretold["changed"], true, "{module} {args:?}: {foretold:#}");
        assert_eq!(
            self.sh(watch),
            before,
            "{module} {args:?} changed in check mode"
        );
        let mut result = self.task(flags, module, args);
        assert_eq!(result["changed"], true, "{module} {args:?}: {result:#}");
        assert_ne!(self.sh(watch), before, "{module} {args:?} changed nothing");
        let again = self.task(flags, module, args);
        assert_eq!(
            (&again["changed"], again["failed"] == true),
            (&json!(false), false),
            "{module} {args:?}: {again:#}"
        );
        result["foretold"] = foretold;
        result
    }

    #[track_caller]
    fn changes_not(&self, module: &str, args: &[&str]) {
        let again = self.done(module, args);
        assert_eq!(again["changed"], false, "{module} {args:?}: {again:#}");
    }
}

#[test]
fn services_are_as_they_shall_be_now_and_after_a_boot() {
    let system = System::start();
    let watch = "systemctl is-active cron; systemctl is-enabled cron; true";
    system.changes_once(
        "service",
        &["name=cron", "state=stopped", "enabled=no"],
        watch,
    );
    let up = system.changes_once(
        "systemd",
        &["name=cron", "state=started", "enabled=yes"],
        watch,
    );
    assert_eq!(up["status"]["Id"], "cron.service");
    assert_eq!(
        (&up["state"], &up["enabled"]),
        (&json!("started"), &json!(true))
    );
    system.changes_once("systemd_service", &["name=cron", "masked=yes"], watch);
    system.changes_once("systemd_service", &["name=cron", "masked=no"], watch);
    system.changes_once("sysvinit", &["name=cron", "state=stopped"], watch);
    assert_eq!(
        system.done("service", &["name=cron", "state=restarted"])["changed"],
        true
    );
    system.fails(
        "service",
        &["name=nosuch", "state=started"],
        "Could not find the requested service nosuch",
    );
    system.program(
        "/etc/systemd/system/broken.service",
        "[Service]\nType=oneshot\nExecStart=/bin/false\n",
    );
    let start = ["name=broken", "state=started"];
    system.fails("service", &start, "Unable to start service broken");
    let facts = system.done("service_facts", &[]);
    let cron = &facts["ansible_facts"]["services"]["cron.service"];
    assert_eq!(
        (&cron["state"], &cron["status"]),
        (&json!("running"), &json!("enabled"))
    );
}

#[test]
fn accounts_keys_and_jobs_are_made_once_and_go() {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO+OqTvvtjW8LCsxsVCjKET4xQ7nClTjyHoSDiCRRWQv";
    let system = System::start();
    let groups = "getent group; true";
    system.changes_once("group", &["name=deploy", "gid=2100"], groups);
    let people = "getent passwd; id ann; cat /etc/shadow; true";
    let ann = system.changes_once(
        "user",
        &[
            "name=ann",
            "groups=deploy,adm",
            "shell=/bin/bash",
            "comment=Ann",
            "password=$6$x$y",
        ],
        people,
    );
    assert_eq!(
        (&ann["home"], &ann["shell"]),
        (&json!("/home/ann"), &json!("/bin/bash"))
    );
    system.changes_once(
        "user",
        &["name=ann", "groups=deploy", "password_lock=yes"],
        people,
    );
    let append = ["name=ann", "groups=deploy", "append=yes", "shell=/bin/bash"];
    system.changes_not("user", &append);
    system.fails(
        "user",
        &["name=ann", "groups=nosuch"],
        "Group nosuch does not exist",
    );

    let keys = "cat /home/ann/.ssh/authorized_keys; ls -ld /home/ann/.ssh; true";
    let key = format!("key={KEY} ann");
    system.changes_once("authorized_key", &["user=ann", &key], keys);
    assert!(system.sh(keys).contains("drwx------ 2 ann ann"));
    system.changes_once(
        "authorized_key",
        &["user=ann", &key, "key_options=no-pty"],
        keys,
    );
    system.changes_once("authorized_key", &["user=ann", &key, "state=absent"], keys);
    system.fails(
        "authorized_key",
        &["user=ann", "key=rubbish"],
        "invalid key",
    );
    let known = "cat /root/.ssh/known_hosts; true";
    let line = format!("key=web01 {KEY}");
    system.changes_once("known_hosts", &["name=web01", &line], known);
    system.changes_once(
        "known_hosts",
        &["name=web01", &line, "hash_host=yes"],
        known,
    );
    system.changes_once("known_hosts", &["name=web01", "state=absent"], known);

    let jobs = "crontab -l; crontab -u ann -l; ls /etc/cron.d; true";
    system.changes_once("cron", &["name=tidy up", "minute=5", "job=/bin/true"], jobs);
    assert!(
        system
            .sh(jobs)
            .contains("#Ansible: tidy up\n5 * * * * /bin/true\n")
    );
    system.changes_once(
        "cron",
        &["name=MAILTO", "job=ops", "env=yes", "user=ann"],
        jobs,
    );
    let file = [
        "name=nightly",
        "special_time=daily",
        "job=/bin/true",
        "user=root",
        "cron_file=ours",
    ];
    system.changes_once("cron", &file, jobs);
    system.changes_once(
        "cron",
        &["name=nightly", "cron_file=ours", "state=absent"],
        jobs,
    );
    system.changes_once("cron", &["name=tidy up", "state=absent"], jobs);

    system.changes_once("user", &["name=ann", "state=absent", "remove=yes"], people);
    assert_eq!(system.sh("test -e /home/ann || echo gone"), "gone\n");
    system.changes_once("group", &["name=deploy", "state=absent"], groups);
    let root = system.done("getent", &["database=passwd", "key=root"]);
    assert_eq!(root["ansible_facts"]["getent_passwd"]["root"][4], "/root");
}

#[test]
fn a_systems_own_settings_are_kept() {
    let system = System::start();
    let sysctl = "cat /etc/sysctl.d/ours.conf; true";
    let setting = [
        "name=vm.swappiness",
        "value=61",
        "sysctl_file=/etc/sysctl.d/ours.conf",
        "reload=no",
    ];
    system.changes_once("sysctl", &setting, sysctl);
    let mounts = "cat /etc/fstab; grep /mnt /proc/mounts; ls /mnt; true";
    let place = [
        "path=/mnt/two words",
        "src=tmpfs",
        "fstype=tmpfs",
        "opts=size=1m",
    ];
    let with = |state: &'static str| [&place[..], &[state]].concat();
    system.changes_once("mount", &with("state=mounted"), mounts);
    assert!(
        system
            .sh("cat /etc/fstab")
            .contains("tmpfs /mnt/two\\040words tmpfs size=1m 0 0\n")
    );
    system.changes_once("mount", &with("state=unmounted"), mounts);
    system.changes_once("mount", &with("state=absent"), mounts);
    let before = system.sh("cat /etc/fstab");
    let wrong = [
        "path=/mnt/none",
        "src=/dev/nosuch",
        "fstype=ext4",
        "state=mounted",
    ];
    system.fails("mount", &wrong, "Error mounting /mnt/none");
    assert_eq!(system.sh("cat /etc/fstab"), before);
    system.changes_once(
        "hostname",
        &["name=web01.example"],
        "uname -n; cat /etc/hostname",
    );
    system.changes_once(
        "timezone",
        &["name=Asia/Shanghai"],
        "readlink -f /etc/localtime",
    );
    system.fails("timezone", &["name=No/Where"], "does not exist");

    let facts = system.done("setup", &[]);
    let facts = &facts["ansible_facts"];
    assert_eq!(facts["ansible_distribution"], "Debian");
    assert_eq!(facts["ansible_nodename"], "web01.example");
    assert_eq!(facts["ansible_service_mgr"], "systemd");
    assert_eq!(facts["ansible_date_time"]["tz_offset"], "+0800");
    let one = system.done(
        "setup",
        &[
            "gather_subset=!all,!min,network",
            "filter=ansible_default_ipv4",
        ],
    );
    assert_eq!(one["ansible_facts"].as_object().unwrap().len(), 1);

    assert_eq!(
        system.done("wait_for", &["path=/etc/passwd", "search_regex=^(root):"])["match_groups"],
        json!(["root"])
    );
    system.fails(
        "wait_for",
        &["port=9", "timeout=1"],
        "Timeout when waiting for 127.0.0.1:9",
    );
}

#[test]
fn packages_of_debian_come_and_go_in_one_transaction() {
    let system = System::start();
    let watch = "dpkg-query -W -f '${Package} ${db:Status-Status}\\n' sl jq 2>/dev/null; true";
    assert_eq!(
        system.done("apt", &["update_cache=yes"])["cache_updated"],
        true
    );
    system.changes_not("apt", &["update_cache=yes", "cache_valid_time=31536000"]);
    system.changes_once("apt", &["name=sl,jq=1.6*", "install_recommends=no"], watch);
    system.changes_not("package", &["name=sl", "state=latest"]);
    let packages = system.done("package_facts", &[]);
    assert_eq!(
        packages["ansible_facts"]["packages"]["sl"][0]["source"],
        "apt"
    );
    system.changes_once("package", &["name=sl", "state=absent"], watch);
    system.changes_once(
        "apt",
        &["name=jq", "state=absent", "purge=yes", "autoremove=yes"],
        watch,
    );
    system.fails(
        "apt",
        &["name=no-such-package"],
        "No package matching 'no-such-package' is available",
    );

    let sources = "grep -r . /etc/apt/sources.list.d; true";
    system.sh("mkdir -p /srv/deb && : >/srv/deb/Packages");
    let source = ["repo=deb [trusted=yes] file:/srv/deb ./", "filename=ours"];
    system.changes_once("apt_repository", &source, sources);
    system.changes_once(
        "apt_repository",
        &[&source[..], &["state=absent"]].concat(),
        sources,
    );
    let newer = [
        "name=our own",
        "uris=file:/srv/deb",
        "suites=./",
        "trusted=yes",
    ];
    system.changes_once("deb822_repository", &newer, sources);
    system.changes_once(
        "deb822_repository",
        &["name=our own", "state=absent"],
        sources,
    );
}

/// Two versions of a package for RPM and for pacman, and repositories of them.
const REPOSITORIES: &str = r"
set -e
mkdir -p /etc/rpm /srv/rpm /srv/pac /tmp/build /etc/yum.repos.d /etc/zypp/repos.d
cd /tmp/build
# Debian's rpm would use a database of the user's own, which zypper does not.
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
for name in ours keep; do for v in 1.0 2.0; do
    printf 'Name: %s\nVersion: %s\nRelease: 1\nSummary: test\nLicense: MIT\nBuildArch: noarch\n%%description\ntest\n%%install\nmkdir -p %%{buildroot}/opt\necho %s >%%{buildroot}/opt/%s\n%%files\n/opt/%s\n' $name $v $v $name $name >t.spec
    rpmbuild -bb --quiet --define '_rpmdir /srv/rpm' --define '_topdir /tmp/build/top' t.spec >/dev/null 2>&1
done; done
createrepo_c -q /srv/rpm
printf '[ours]\nname=ours\nbaseurl=file:///srv/rpm\ngpgcheck=0\nenabled=1\n' | tee /etc/yum.repos.d/ours.repo >/etc/zypp/repos.d/ours.repo
for v in 1.0 2.0; do
    mkdir -p p/opt
    echo $v >p/opt/theirs
    printf 'pkgname = theirs\npkgbase = theirs\npkgver = %s-1\npkgdesc = test\nurl = x\nbuilddate = 1700000000\npackager = t\nsize = 4\narch = any\n' $v >p/.PKGINFO
    (cd p && tar --zstd -cf /srv/pac/theirs-$v-1-any.pkg.tar.zst .PKGINFO opt)
done
cd /srv/pac
repo-add -q own.db.tar.gz theirs-1.0-1-any.pkg.tar.zst
printf '[options]\nArchitecture = auto\nSigLevel = Never\n[own]\nServer = file:///srv/pac\n' >/etc/pacman.conf
";

#[test]
fn packages_of_other_managers_come_and_go() {
    let system = System::start();
    let tools = "dnf,zypper,pacman-package-manager,makepkg,libarchive-tools,createrepo-c,zstd";
    let name = format!("name={tools}");
    system.done("apt", &[&name, "update_cache=yes", "install_recommends=no"]);
    system.sh(REPOSITORIES);
    let rpm = "rpm -qa | sort; true";
    // What dnf and zypper say of their transactions is the diff.
    let shown = |module, args: &[&str], line: &str| {
        let done = system.changes_once(module, args, rpm);
        let diff = &done["foretold"]["diff"]["prepared"];
        let diff = diff.as_str().unwrap_or_default();
        assert!(diff.contains(line), "{module} {args:?}: {done:#}");
    };
    shown("dnf", &["name=ours-1.0"], "Installing:\n ours ");
    system.changes_once("yum", &["name=ours", "state=latest"], rpm);
    shown("dnf", &["name=ours", "state=absent"], "Removing:\n ours ");
    system.fails(
        "dnf",
        &["name=nosuch"],
        "Failed to install some of the specified packages",
    );
    system.changes_once("zypper", &["name=keep"], rpm);
    system.changes_once("zypper", &["name=ours=1.0"], rpm);
    let upgraded = "The following package is going to be upgraded:\n  ours\n";
    shown("zypper", &["name=ours", "state=latest"], upgraded);
    system.changes_once("zypper", &["name=ours", "state=absent"], rpm);
    system.fails("zypper", &["name=nosuch"], "No provider of 'nosuch' found");

    let pacman = "pacman -Q; true";
    assert_eq!(
        system.done("pacman", &["update_cache=yes"])["changed"],
        true
    );
    system.changes_once("pacman", &["name=theirs"], pacman);
    system.sh("cd /srv/pac && repo-add -q own.db.tar.gz theirs-2.0-1-any.pkg.tar.zst");
    system.done("pacman", &["update_cache=yes"]);
    let latest = ["name=theirs", "state=latest"];
    let latest = system.changes_once("pacman", &latest, pacman);
    assert_eq!(
        latest["foretold"]["diff"],
        json!({"before": "theirs 1.0-1\n", "after": "theirs 2.0-1\n"})
    );
    system.changes_once(
        "package",
        &["name=theirs", "state=absent", "use=pacman"],
        pacman,
    );
    system.fails("pacman", &["name=nosuch"], "target not found: nosuch");
}
