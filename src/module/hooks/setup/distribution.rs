//! Which distribution: Ansible's names and versions, from os-release and older release files.

use std::collections::BTreeMap;

use serde_json::json;

use super::raw::{Facts, Raw};

/// `ID` of os-release, the distribution, its family, and of which file's form Ansible takes it to be.
const KNOWN: &[(&str, &str, &str, &str)] = &[
    ("almalinux", "AlmaLinux", "RedHat", "RedHat"),
    ("alpine", "Alpine", "Alpine", "Alpine"),
    ("altlinux", "Altlinux", "Altlinux", "Altlinux"),
    ("amzn", "Amazon", "RedHat", "Amazon"),
    ("anolis", "Anolis", "RedHat", "RedHat"),
    ("arch", "Archlinux", "Archlinux", "Archlinux"),
    ("centos", "CentOS", "RedHat", "CentOS"),
    (
        "clear-linux-os",
        "Clear Linux OS",
        "ClearLinux",
        "ClearLinux",
    ),
    ("cloudlinux", "CloudLinux", "RedHat", "RedHat"),
    ("cumulus-linux", "Cumulus Linux", "Debian", "Debian"),
    ("debian", "Debian", "Debian", "Debian"),
    ("deepin", "Deepin", "Debian", "Debian"),
    ("devuan", "Devuan", "Debian", "Debian"),
    ("eurolinux", "EuroLinux", "RedHat", "RedHat"),
    ("fedora", "Fedora", "RedHat", "RedHat"),
    ("flatcar", "Flatcar", "Flatcar", "Flatcar"),
    ("gentoo", "Gentoo", "Gentoo", "Gentoo"),
    ("kali", "Kali", "Debian", "Debian"),
    ("kylin", "Kylin Linux Advanced Server", "RedHat", "NA"),
    ("linuxmint", "Linux Mint", "Debian", "Debian"),
    ("manjaro", "Archlinux", "Archlinux", "Archlinux"),
    ("miraclelinux", "MIRACLE", "RedHat", "RedHat"),
    ("neon", "KDE neon", "Debian", "Debian"),
    ("ol", "OracleLinux", "RedHat", "OracleLinux"),
    ("openEuler", "openEuler", "RedHat", "NA"),
    ("opensuse", "openSUSE", "Suse", "SUSE"),
    ("opensuse-leap", "openSUSE Leap", "Suse", "SUSE"),
    ("opensuse-microos", "openSUSE MicroOS", "Suse", "SUSE"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed", "Suse", "SUSE"),
    ("openwrt", "OpenWrt", "OpenWrt", "OpenWrt"),
    ("parrot", "Parrot", "Debian", "Debian"),
    ("pop", "Pop!_OS", "Debian", "Debian"),
    ("raspbian", "Debian", "Debian", "Debian"),
    ("rhel", "RedHat", "RedHat", "RedHat"),
    ("rocky", "Rocky", "RedHat", "RedHat"),
    ("scientific", "Scientific", "RedHat", "RedHat"),
    ("slackware", "Slackware", "Slackware", "Slackware"),
    ("sled", "SLED", "Suse", "SUSE"),
    ("sles", "SLES", "Suse", "SUSE"),
    ("sles_sap", "SLES_SAP", "Suse", "SUSE"),
    ("steamos", "SteamOS", "Debian", "Debian"),
    ("tencentos", "TencentOS", "RedHat", "CentOS"),
    ("ubuntu", "Ubuntu", "Debian", "Debian"),
    ("uos", "Uos", "Debian", "Debian"),
    ("virtuozzo", "Virtuozzo", "RedHat", "RedHat"),
    ("xenserver", "XenServer", "RedHat", "RedHat"),
];

/// Where each form of release file lies.
const FILES: &[(&str, &str)] = &[
    ("Alpine", "/etc/alpine-release"),
    ("Altlinux", "/etc/altlinux-release"),
    ("Archlinux", "/etc/arch-release"),
    ("CentOS", "/etc/centos-release"),
    ("Gentoo", "/etc/gentoo-release"),
    ("OpenWrt", "/etc/openwrt_release"),
    ("OracleLinux", "/etc/oracle-release"),
    ("RedHat", "/etc/redhat-release"),
    ("Slackware", "/etc/slackware-version"),
];

pub(super) fn facts(raw: &Raw<'_>, facts: &mut Facts) {
    if facts.get("system").is_some_and(|system| system != "Linux") {
        return;
    }
    let found = os_release(raw).map_or_else(|| of_old(raw), |release| of_os_release(raw, &release));
    let major = found
        .version
        .split('.')
        .next()
        .unwrap_or_default()
        .to_owned();
    let mut set = |name: &str, value: &str| {
        facts.insert(name.into(), json!(value));
    };
    set("distribution", &found.name);
    set("distribution_version", &found.version);
    set("distribution_major_version", &major);
    set("distribution_release", &found.release);
    set("os_family", &found.family);
    if let Some(minor) = found.minor {
        set("distribution_minor_version", &minor);
    }
    set("distribution_file_variety", &found.variety);
    set("distribution_file_path", &found.path);
    facts.insert("distribution_file_parsed".into(), json!(true));
}

/// Name, version, release and family for `pkg_mgr`.
pub(super) fn family(raw: &Raw<'_>) -> String {
    os_release(raw)
        .map_or_else(|| of_old(raw), |release| of_os_release(raw, &release))
        .family
}

struct Found {
    name: String,
    family: String,
    version: String,
    minor: Option<String>,
    release: String,
    variety: String,
    path: String,
}

type Release<'a> = BTreeMap<&'a str, String>;

fn os_release<'a>(raw: &Raw<'a>) -> Option<Release<'a>> {
    let paths = ["/etc/os-release", "/usr/lib/os-release"];
    let lines = paths
        .iter()
        .map(|path| raw.lines(path))
        .find(|lines| !lines.is_empty())?;
    let pairs = lines.iter().filter_map(|line| line.trim().split_once('='));
    Some(pairs.map(|(name, value)| (name, unquoted(value))).collect())
}

fn unquoted(value: &str) -> String {
    let words = crate::base::shlex::split(value, false);
    words.map_or_else(|_| value.to_owned(), |words| words.join(" "))
}

fn of_os_release(raw: &Raw<'_>, release: &Release<'_>) -> Found {
    let get = |name: &str| release.get(name).map_or("", String::as_str);
    let id = get("ID");
    let known = KNOWN.iter().find(|(known, ..)| *known == id);
    let (name, family, variety) = match known {
        Some((_, name, family, variety)) => ((*name).to_owned(), *family, *variety),
        None if raw.there("/etc/arch-release") => {
            ("Archlinux".to_owned(), "Archlinux", "Archlinux")
        }
        None => (get("NAME").to_owned(), "", "NA"),
    };
    let version_id = match get("VERSION_ID") {
        "" => "NA",
        version => version,
    };
    let (version, minor) = version_of(raw, id, version_id);
    let file = FILES
        .iter()
        .find(|(form, _)| *form == variety)
        .map(|(_, path)| *path);
    let file = file.filter(|path| !raw.lines(path).is_empty() || raw.there(path));
    Found {
        family: if family.is_empty() {
            name.clone()
        } else {
            family.to_owned()
        },
        release: codename(raw, id, release, &version),
        name,
        version,
        minor,
        variety: variety.to_owned(),
        path: file.unwrap_or("/etc/os-release").to_owned(),
    }
}

/// The fullest version there is, and its minor part where Ansible gives it.
fn version_of(raw: &Raw<'_>, id: &str, version_id: &str) -> (String, Option<String>) {
    let first = |path: &str| raw.lines(path).first().map(|line| line.trim());
    match id {
        "debian" | "raspbian" => {
            let full = first("/etc/debian_version")
                .filter(|v| v.starts_with(|c: char| c.is_ascii_digit()));
            let minor = full
                .and_then(|full| full.split('.').nth(1))
                .map(str::to_owned);
            (full.unwrap_or(version_id).to_owned(), minor)
        }
        "alpine" => (
            first("/etc/alpine-release")
                .unwrap_or(version_id)
                .to_owned(),
            None,
        ),
        "amzn" => {
            let minor = version_id.split_once('.').map_or("NA", |(_, minor)| minor);
            (version_id.to_owned(), Some(minor.to_owned()))
        }
        "centos" => {
            let full = first("/etc/centos-release").and_then(dotted);
            let short = full.map(|full| full.splitn(3, '.').take(2).collect::<Vec<_>>().join("."));
            (short.unwrap_or_else(|| version_id.to_owned()), None)
        }
        _ => (version_id.to_owned(), None),
    }
}

fn codename(raw: &Raw<'_>, id: &str, release: &Release<'_>, version: &str) -> String {
    let get = |name: &str| release.get(name).map(String::as_str);
    if id.starts_with("opensuse") || id.starts_with("sle") {
        let minor = version.split_once('.').map_or("", |(_, minor)| minor);
        let enterprise = id.starts_with("sle") && minor.is_empty();
        return if enterprise { "0" } else { minor }.to_owned();
    }
    let stream = raw
        .lines("/etc/centos-release")
        .iter()
        .any(|line| line.contains("Stream"));
    if id == "centos" && stream {
        return "Stream".to_owned();
    }
    let bracketed = |text: &str| Some(text.split_once('(')?.1.split_once(')')?.0.to_owned());
    let named = ["VERSION_CODENAME", "UBUNTU_CODENAME"];
    let named = named.iter().find_map(|name| get(name)).map(str::to_owned);
    let shown = ["VERSION", "PRETTY_NAME"];
    named
        .or_else(|| shown.iter().find_map(|name| bracketed(get(name)?)))
        .or_else(|| {
            let old = ["/etc/centos-release", "/etc/redhat-release"];
            old.iter()
                .find_map(|path| bracketed(raw.lines(path).first()?))
        })
        .unwrap_or_else(|| "NA".to_owned())
}

/// Systems without os-release.
fn of_old(raw: &Raw<'_>) -> Found {
    const OLD: &[(&str, &str, &str)] = &[
        ("/etc/oracle-release", "OracleLinux", "RedHat"),
        ("/etc/centos-release", "CentOS", "RedHat"),
        ("/etc/redhat-release", "RedHat", "RedHat"),
        ("/etc/system-release", "Amazon", "RedHat"),
        ("/etc/SuSE-release", "SUSE", "Suse"),
        ("/etc/gentoo-release", "Gentoo", "Gentoo"),
        ("/etc/alpine-release", "Alpine", "Alpine"),
        ("/etc/slackware-version", "Slackware", "Slackware"),
        ("/etc/debian_version", "Debian", "Debian"),
    ];
    let present = |(path, ..): &&(&str, &str, &str)| !raw.lines(path).is_empty();
    let Some((path, form, family)) = OLD.iter().find(present) else {
        let na = || "NA".to_owned();
        return Found {
            name: "Linux".to_owned(),
            family: "Linux".to_owned(),
            version: na(),
            minor: None,
            release: na(),
            variety: na(),
            path: String::new(),
        };
    };
    let text = raw.lines(path).join("\n");
    let first = text.split_whitespace().next().unwrap_or(form);
    let name = match *form {
        "RedHat" if !text.contains("Red Hat") => first,
        "SUSE" if text.contains("Server") => "SLES",
        "SUSE" => first,
        form => form,
    };
    let bracketed = text
        .split_once('(')
        .and_then(|(_, rest)| Some(rest.split_once(')')?.0));
    Found {
        name: name.to_owned(),
        family: (*family).to_owned(),
        version: dotted(&text).unwrap_or("NA").to_owned(),
        minor: None,
        release: bracketed.unwrap_or("NA").to_owned(),
        variety: (*form).to_owned(),
        path: (*path).to_owned(),
    }
}

/// The first number of a text, with its dots.
fn dotted(text: &str) -> Option<&str> {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    text.split(|c| !digits(c))
        .map(|word| word.trim_matches('.'))
        .find(|word| !word.is_empty())
}
