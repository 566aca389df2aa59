//! What manages the host's packages and services, and what LSB says.

use serde_json::{Value as Json, json};

use super::distribution;
use super::raw::{Facts, Raw, number};

/// Package managers by their programs; where several are there, the last one counts.
const MANAGERS: &[(&str, &str)] = &[
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/yum", "dnf"),
    ("/usr/bin/dnf-3", "dnf"),
    ("/usr/bin/dnf5", "dnf5"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/pacman", "pacman"),
    ("/bin/opkg", "opkg"),
    ("/usr/pkg/bin/pkgin", "pkgin"),
    ("/usr/local/bin/brew", "homebrew"),
    ("/sbin/apk", "apk"),
    ("/usr/sbin/pkg", "pkgng"),
    ("/usr/bin/emerge", "portage"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/local/sbin/pkg", "pkgng"),
    ("/usr/bin/swupd", "swupd"),
];

/// The programs that tell which one there is.
pub(super) const MANAGERS_AT: &[&str] = &[
    "/usr/bin/rpm-ostree",
    "/usr/bin/yum",
    "/usr/bin/dnf-3",
    "/usr/bin/dnf5",
    "/usr/bin/dnf",
    "/usr/bin/microdnf",
    "/run/ostree-booted",
    "/usr/bin/apt-get",
    "/usr/bin/zypper",
    "/usr/sbin/urpmi",
    "/usr/bin/pacman",
    "/bin/opkg",
    "/usr/pkg/bin/pkgin",
    "/usr/local/bin/brew",
    "/sbin/apk",
    "/usr/sbin/pkg",
    "/usr/bin/emerge",
    "/usr/bin/xbps-install",
    "/usr/local/sbin/pkg",
    "/usr/bin/swupd",
];

pub(super) fn pkg_mgr(raw: &Raw<'_>, facts: &mut Facts) {
    let found = MANAGERS.iter().rev().find(|(path, _)| raw.there(path));
    let found = found.map_or("unknown", |(_, name)| *name);
    let manager = match distribution::family(raw).as_str() {
        "RedHat" if raw.there("/run/ostree-booted") => "atomic_container",
        "RedHat" if raw.output("dnf").trim() == "/usr/bin/dnf5" => "dnf5",
        "RedHat" if raw.there("/usr/bin/dnf") || raw.there("/usr/bin/microdnf") => "dnf",
        // Before dnf: Ansible 2.19 names none there, while its `package` uses yum's successor.
        "RedHat" if raw.there("/usr/bin/yum") => "yum",
        "RedHat" => "unknown",
        "Debian" => "apt",
        "Altlinux" if found == "apt" => "apt_rpm",
        _ => found,
    };
    facts.insert("pkg_mgr".into(), json!(manager));
}

pub(super) fn service_mgr(raw: &Raw<'_>, facts: &mut Facts) {
    let first = raw.file("/proc/1/comm");
    let first = first
        .as_deref()
        .map(|path| path.rsplit('/').next().unwrap_or(path));
    let has = |name: &str| raw.output("has").lines().any(|line| line == name);
    let manager = match first.filter(|name| !name.is_empty()) {
        Some("procd") => "openwrt_init",
        Some("runit-init") => "runit",
        Some("svscan") => "svc",
        Some("openrc-init") => "openrc",
        Some(name) if name != "init" && !name.ends_with("sh") => name,
        _ if has("systemctl") && booted_by_systemd(raw) => "systemd",
        _ if has("initctl") && raw.there("/etc/init") => "upstart",
        _ if raw.there("/sbin/openrc") => "openrc",
        _ if has("systemctl") && raw.output("init").trim().ends_with("/systemd") => "systemd",
        _ if raw.there("/etc/init.d") => "sysvinit",
        _ if raw.there("/etc/dinit.d") => "dinit",
        _ => "service",
    };
    facts.insert("service_mgr".into(), json!(manager));
}

fn booted_by_systemd(raw: &Raw<'_>) -> bool {
    let marks = ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"];
    marks.iter().any(|path| raw.there(path))
}

pub(super) fn systemd(raw: &Raw<'_>, facts: &mut Facts) {
    let mut lines = raw.output("systemd").lines();
    let version = lines
        .next()
        .and_then(|line| number(line.split(' ').nth(1)?));
    if let Some(version) = version {
        let features = lines.next().unwrap_or_default();
        facts.insert(
            "systemd".into(),
            json!({"version": version, "features": features}),
        );
    }
}

pub(super) fn lsb(raw: &Raw<'_>, facts: &mut Facts) {
    let mut lsb = Facts::new();
    let mut set = |name: &str, value: &str| {
        let value = value.trim().trim_matches(['"', '\'', '\\']);
        lsb.insert(name.into(), json!(value));
    };
    for line in raw.output("lsb").lines() {
        match line.split_once(':') {
            Some(("Distributor ID", value)) => set("id", value),
            Some(("Description", value)) => set("description", value),
            Some(("Release", value)) => set("release", value),
            Some(("Codename", value)) => set("codename", value),
            _ => {}
        }
    }
    if raw.output("lsb").trim().is_empty() {
        for line in raw.lines("/etc/lsb-release") {
            match line.split_once('=') {
                Some(("DISTRIB_ID", value)) => set("id", value),
                Some(("DISTRIB_RELEASE", value)) => set("release", value),
                Some(("DISTRIB_DESCRIPTION", value)) => set("description", value),
                Some(("DISTRIB_CODENAME", value)) => set("codename", value),
                _ => {}
            }
        }
    }
    if let Some(Json::String(release)) = lsb.get("release") {
        let major = json!(release.split('.').next());
        lsb.insert("major_release".into(), major);
    }
    facts.insert("lsb".into(), Json::Object(lsb));
}
