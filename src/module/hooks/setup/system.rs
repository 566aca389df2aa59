//! The system itself: kernel, names, user, environment, time, security.

use jiff::tz::{Offset, TimeZone};
use serde_json::{Value as Json, json};

use super::raw::{Facts, Raw, number};
use crate::base::shlex;

pub(super) fn platform(raw: &Raw<'_>, facts: &mut Facts) {
    // `uname -snrvm`: the version may hold blanks, all else can't.
    let line = raw.output("uname").trim();
    let words: Vec<&str> = line.split(' ').collect();
    if let [system, node, kernel, version @ .., machine] = words.as_slice() {
        let fqdn = Some(raw.output("fqdn").trim()).filter(|name| !name.is_empty());
        let fqdn = fqdn.unwrap_or(node);
        let bits = match raw.output("bits").trim() {
            "32" => "32",
            "64" => "64",
            _ if machine.contains("64") || *machine == "s390x" => "64",
            _ => "32",
        };
        let intel = matches!(*machine, "i386" | "i486" | "i586" | "i686" | "i86pc");
        for (name, value) in [
            ("system", *system),
            ("kernel", kernel),
            ("machine", machine),
            ("architecture", if intel { "i386" } else { machine }),
            ("userspace_bits", bits),
            ("nodename", node),
            ("hostname", node.split('.').next().unwrap_or(node)),
            ("fqdn", fqdn),
            (
                "domain",
                fqdn.split_once('.').map_or("", |(_, domain)| domain),
            ),
        ] {
            facts.insert(name.into(), json!(value));
        }
        facts.insert("kernel_version".into(), json!(version.join(" ")));
        if intel || *machine == "x86_64" {
            let userspace = if bits == "64" { "x86_64" } else { "i386" };
            facts.insert("userspace_architecture".into(), json!(userspace));
        }
    }
    let ids = ["/var/lib/dbus/machine-id", "/etc/machine-id"];
    let id = ids.iter().find_map(|path| raw.lines(path).first());
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        facts.insert("machine_id".into(), json!(id));
    }
}

pub(super) fn user(raw: &Raw<'_>, facts: &mut Facts) {
    let mut ids = raw.output("id").lines();
    let mut id = |name: &str| {
        let value = ids.next().and_then(number);
        if let Some(value) = value {
            facts.insert(name.into(), json!(value));
        }
    };
    id("effective_user_id");
    id("effective_group_id");
    id("real_user_id");
    id("real_group_id");
    let line = raw.output("passwd").lines().next().unwrap_or_default();
    let fields: Vec<&str> = line.split(':').collect();
    if let [name, _, uid, gid, gecos, dir, shell, ..] = fields.as_slice() {
        facts.insert("user_id".into(), json!(name));
        facts.insert("user_uid".into(), json!(number(uid)));
        facts.insert("user_gid".into(), json!(number(gid)));
        facts.insert("user_gecos".into(), json!(gecos));
        facts.insert("user_dir".into(), json!(dir));
        facts.insert("user_shell".into(), json!(shell));
    }
}

/// The environment, an entry a line. Newlines in values came as a byte 1, or, from an `env` that knows
/// no `-0`, as they are: a line that begins no entry belongs to the one before it.
pub(super) fn env(raw: &Raw<'_>, facts: &mut Facts) {
    let mut env = Facts::new();
    let mut last: Option<String> = None;
    for line in raw.output("env").lines() {
        let is_name = |name: &str| {
            let mut bytes = name.bytes();
            bytes
                .next()
                .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
                && !name.contains(' ')
        };
        match (line.split_once('='), &last) {
            (Some((name, value)), _) if is_name(name) => {
                env.insert(name.to_owned(), json!(value.replace('\u{1}', "\n")));
                last = Some(name.to_owned());
            }
            (_, Some(name)) => {
                if let Some(Json::String(value)) = env.get_mut(name) {
                    value.push('\n');
                    value.push_str(line);
                }
            }
            _ => {}
        }
    }
    facts.insert("env".into(), Json::Object(env));
}

pub(super) fn date_time(raw: &Raw<'_>, facts: &mut Facts) {
    // `epoch nanoseconds offset zone`, and a line of offset and zone in half a year.
    let mut lines = raw.output("date").lines();
    let now: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [epoch, nanos, offset, zone] = now.as_slice() else {
        return;
    };
    let (Some(seconds), Some(east)) = (number(epoch), east_of(offset)) else {
        return;
    };
    let nanos = number(nanos).and_then(|nanos| i32::try_from(nanos).ok());
    let Ok(at) = jiff::Timestamp::new(seconds, nanos.unwrap_or(0)) else {
        return;
    };
    let Ok(east_of_utc) = Offset::from_seconds(east) else {
        return;
    };
    let other: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let summer = match other.as_slice() {
        [other_offset, other_zone] if east_of(other_offset).is_some_and(|other| other > east) => {
            other_zone
        }
        _ => zone,
    };
    let local = at.to_zoned(TimeZone::fixed(east_of_utc));
    let utc = at.to_zoned(TimeZone::UTC);
    let mut time = Facts::new();
    for (name, form) in [
        ("year", "%Y"),
        ("month", "%m"),
        ("weekday", "%A"),
        ("weekday_number", "%w"),
        ("weeknumber", "%W"),
        ("day", "%d"),
        ("hour", "%H"),
        ("minute", "%M"),
        ("second", "%S"),
        ("epoch", "%s"),
        ("epoch_int", "%s"),
        ("date", "%Y-%m-%d"),
        ("time", "%H:%M:%S"),
        ("iso8601_basic", "%Y%m%dT%H%M%S%6f"),
        ("iso8601_basic_short", "%Y%m%dT%H%M%S"),
    ] {
        time.insert(name.into(), json!(local.strftime(form).to_string()));
    }
    for (name, form) in [
        ("iso8601_micro", "%Y-%m-%dT%H:%M:%S.%6fZ"),
        ("iso8601", "%Y-%m-%dT%H:%M:%SZ"),
    ] {
        time.insert(name.into(), json!(utc.strftime(form).to_string()));
    }
    time.insert("tz".into(), json!(zone));
    time.insert("tz_dst".into(), json!(summer));
    time.insert("tz_offset".into(), json!(offset));
    facts.insert("date_time".into(), Json::Object(time));
}

/// `+0130` in seconds.
fn east_of(offset: &str) -> Option<i32> {
    let (sign, digits) = match offset.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    Some(sign * (hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60))
}

pub(super) fn cmdline(raw: &Raw<'_>, facts: &mut Facts) {
    let Some(line) = raw.file("/proc/cmdline") else {
        return;
    };
    let (mut last, mut all) = (Facts::new(), Facts::new());
    for word in shlex::split(&line, false).unwrap_or_default() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, json!(value)),
            None => (word.as_str(), json!(true)),
        };
        last.insert(name.into(), value.clone());
        match all.get_mut(name) {
            Some(Json::Array(values)) => values.push(value),
            Some(one) if value != json!(true) => *one = json!([one.take(), value]),
            _ => {
                all.insert(name.into(), value);
            }
        }
    }
    facts.insert("cmdline".into(), Json::Object(last));
    facts.insert("proc_cmdline".into(), Json::Object(all));
}

pub(super) fn dns(raw: &Raw<'_>, facts: &mut Facts) {
    let mut dns = Facts::new();
    for line in raw.lines("/etc/resolv.conf") {
        let mut words = line.split_whitespace();
        let Some(name) = words.next().filter(|name| !name.starts_with(['#', ';'])) else {
            continue;
        };
        let words: Vec<&str> = words.collect();
        match name {
            "nameserver" => {
                let servers = dns.entry("nameservers").or_insert_with(|| json!([]));
                if let Json::Array(servers) = servers {
                    servers.extend(words.iter().map(|word| json!(word)));
                }
            }
            "domain" => {
                if let Some(domain) = words.first() {
                    dns.insert("domain".into(), json!(domain));
                }
            }
            "search" | "sortlist" => {
                dns.insert(name.into(), json!(words));
            }
            "options" => {
                let options = words.iter().map(|word| match word.split_once(':') {
                    Some((name, value)) if !value.is_empty() => (name.to_owned(), json!(value)),
                    Some((name, _)) => (name.to_owned(), json!(true)),
                    None => ((*word).to_owned(), json!(true)),
                });
                dns.insert("options".into(), Json::Object(options.collect()));
            }
            _ => {}
        }
    }
    facts.insert("dns".into(), Json::Object(dns));
}

pub(super) fn loadavg(raw: &Raw<'_>, facts: &mut Facts) {
    let text = raw.file("/proc/loadavg").unwrap_or_default();
    let loads: Vec<f64> = text
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    if let [one, five, fifteen, ..] = loads.as_slice() {
        let load = json!({"1m": one, "5m": five, "15m": fifteen});
        facts.insert("loadavg".into(), load);
    }
}

pub(super) fn apparmor(raw: &Raw<'_>, facts: &mut Facts) {
    let enabled = raw.there("/sys/kernel/security/apparmor");
    let status = if enabled { "enabled" } else { "disabled" };
    facts.insert("apparmor".into(), json!({"status": status}));
}

pub(super) fn selinux(raw: &Raw<'_>, facts: &mut Facts) {
    let roots = ["/sys/fs/selinux", "/selinux"];
    let read = |name: &str| {
        roots
            .iter()
            .find_map(|root| raw.file(&format!("{root}/{name}")))
    };
    let config = |name: &str| {
        let lines = raw.lines("/etc/selinux/config").iter();
        let value = lines
            .rev()
            .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        value.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_lowercase())
    };
    let selinux = match read("enforce") {
        Some(enforce) => json!({
            "status": "enabled",
            "mode": if enforce == "1" { "enforcing" } else { "permissive" },
            "config_mode": config("SELINUX"),
            "type": config("SELINUXTYPE"),
            "policyvers": read("policyvers").and_then(|text| number(&text)),
        }),
        None => json!({"status": "disabled"}),
    };
    facts.insert("selinux".into(), selinux);
    // What playbooks ask before they use modules for SELinux; no Python is needed here.
    facts.insert("selinux_python_present".into(), json!(true));
}

pub(super) fn fips(raw: &Raw<'_>, facts: &mut Facts) {
    let on = raw.file("/proc/sys/crypto/fips_enabled").as_deref() == Some("1");
    facts.insert("fips".into(), json!(on));
}

pub(super) fn caps(raw: &Raw<'_>, facts: &mut Facts) {
    let current = raw
        .output("caps")
        .lines()
        .find_map(|line| line.strip_prefix("Current:"));
    let (enforced, caps) = match current.map(str::trim) {
        None => (json!("N/A"), json!("N/A")),
        Some("=ep") => (json!("False"), json!([])),
        Some(current) => {
            let caps = current.split('=').nth(1).unwrap_or(current);
            let caps: Vec<&str> = caps.split(',').map(str::trim).collect();
            (json!("True"), json!(caps))
        }
    };
    facts.insert("system_capabilities_enforced".into(), enforced);
    facts.insert("system_capabilities".into(), caps);
}

pub(super) fn chroot(raw: &Raw<'_>, facts: &mut Facts) {
    let changed = raw.output("chroot").trim() == "1";
    facts.insert("is_chroot".into(), json!(changed));
}

pub(super) fn ssh_keys(raw: &Raw<'_>, facts: &mut Facts) {
    for folder in ["/etc/ssh", "/etc/openssh", "/etc"] {
        let mut found = false;
        for (path, lines) in raw.under(&format!("{folder}/ssh_host_")) {
            let name = path.rsplit('/').next().unwrap_or(path);
            let words: Vec<&str> = lines.first().map_or("", |line| *line).split(' ').collect();
            let algorithm = name
                .strip_prefix("ssh_host_")
                .and_then(|name| name.strip_suffix("_key.pub"));
            if let (Some(algorithm), [kind, key, ..]) = (algorithm, &words[..]) {
                let fact = format!("ssh_host_key_{algorithm}");
                facts.insert(format!("{fact}_public"), json!(key));
                facts.insert(format!("{fact}_public_keytype"), json!(kind));
                found = true;
            }
        }
        if found {
            return;
        }
    }
}
