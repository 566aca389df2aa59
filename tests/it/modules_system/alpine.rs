//! What Alpine Linux has: openrc, which is Debian's here, and apk, which is a double.

use serde_json::json;

use super::System;

/// Answers as apk does.
const APK: &str = include_str!("../fixtures/apk.sh");

/// A service of openrc's.
const OURS: &str = "#!/sbin/openrc-run
command=/bin/sleep
command_args=1000
command_background=yes
pidfile=/run/ours.pid
";

/// One that starts something and leaves its outputs to it.
const KEEPS: &str = "#!/sbin/openrc-run
start() {
    sleep 1000 &
}
";

#[test]
fn apks_packages_come_and_go() {
    let system = System::start();
    system.program("/usr/sbin/apk", APK);
    system.sh("mkdir -p /srv/apk /lib/apk/db /etc/apk; : >/etc/apk/world; : >/lib/apk/db/installed; printf 'lib 1.0-r0\\nours 1.0-r0 lib\\nours 2.0-r0 lib\\nkeep 1.0-r0\\n' >/srv/apk/index");
    let watch = "cat /lib/apk/db/installed /etc/apk/world";
    let ours = system.changes_once("apk", &["name=ours=1.0-r0", "update_cache=yes"], watch);
    assert_eq!(ours["packages"], json!(["lib", "ours"]));
    system.changes_not("apk", &["name=ours"]);
    system.changes_once("apk", &["name=ours", "state=latest"], watch);
    // There already, as another one's need: now it is asked for itself.
    system.changes_once(
        "package",
        &["name=lib,keep", "state=present", "use=apk"],
        watch,
    );
    system.changes_once("apk", &["name=keep", "state=absent"], watch);
    system.sh("echo 'lib 1.1-r0' >>/srv/apk/index");
    system.changes_once("apk", &["upgrade=yes"], watch);
    assert_eq!(system.done("apk", &["update_cache=yes"])["changed"], true);
    system.fails("apk", &["name=nosuch"], "nosuch (no such package)");
    let facts = system.done("package_facts", &["manager=apk"]);
    assert_eq!(
        facts["ansible_facts"]["packages"]["ours"][0],
        json!({"name": "ours", "version": "2.0", "release": "r0", "source": "apk"})
    );
}

#[test]
fn openrcs_services_are_as_they_shall_be() {
    let system = System::start();
    system.install("openrc");
    system.program("/etc/init.d/ours", OURS);
    // OpenRC lists what its cache knows, and takes that for new when both were made in one second.
    system.sh("mkdir -p /run/openrc && touch /run/openrc/softlevel && rc-update -u 2>&1");
    let watch = "rc-service ours status; ls /etc/runlevels/*; true";
    let once = |more: &[&str]| {
        let args = [&["name=ours", "use=openrc"], more].concat();
        system.changes_once("service", &args, watch);
    };
    once(&["state=started"]);
    once(&["enabled=yes"]);
    once(&["enabled=yes", "runlevel=boot"]);
    let facts = system.done("service_facts", &[]);
    assert_eq!(
        facts["ansible_facts"]["services"]["ours"],
        json!({"name": "ours", "state": "started", "source": "openrc"})
    );
    let restarted = ["name=ours", "use=openrc", "state=restarted"];
    assert_eq!(system.done("service", &restarted)["changed"], true);
    once(&["state=stopped", "enabled=no"]);
    // A daemon that keeps what its script wrote to: the task does not wait for its end.
    system.program("/etc/init.d/keeps", KEEPS);
    system.done("service", &["name=keeps", "use=openrc", "state=started"]);
    system.fails(
        "service",
        &["name=nosuch", "use=openrc", "state=started"],
        "Could not find the requested service nosuch",
    );
    system.fails(
        "service",
        &["name=ours", "use=openrc", "enabled=yes", "runlevel=nosuch"],
        "is not a valid runlevel",
    );
}
