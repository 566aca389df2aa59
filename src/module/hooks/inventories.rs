//! What lists of the host become: `getent`, `service_facts`, `package_facts`. The scripts send what tools
//! print; here it becomes facts.

use serde_json::{Map as JsonMap, Value as Json, json};

use super::super::call::{Call, Said};
use super::Hook;
use crate::base::value::{Map, Value};

fn taken(result: &mut Map, name: &str) -> Option<Map> {
    match result.shift_remove(name) {
        Some(Value::Map(map)) => Some(map),
        _ => None,
    }
}

fn text<'a>(map: &'a Map, name: &str) -> &'a str {
    map.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn facts(result: &mut Map, name: &str, value: Json) {
    let mut facts = JsonMap::new();
    facts.insert(name.to_owned(), value);
    result.insert(
        "ansible_facts".into(),
        Value::from_json(&Json::Object(facts)),
    );
}

pub(super) struct Getent;

impl Hook for Getent {
    fn conclude(&self, call: &Call, _said: &Said, result: &mut Map) {
        let Some(raw) = taken(result, "getent") else {
            return;
        };
        let database = call.text("database").unwrap_or_default();
        let colons = ["passwd", "shadow", "group", "gshadow"].contains(&database);
        let split = call.text("split").or(colons.then_some(":"));
        let mut entries = JsonMap::new();
        for line in text(&raw, "out").lines() {
            let fields: Vec<&str> = match split {
                Some(split) => line.split(split).collect(),
                None => line.split_whitespace().collect(),
            };
            let Some((key, rest)) = fields.split_first() else {
                continue;
            };
            entries.insert((*key).to_owned(), json!(rest));
        }
        if let (true, Some(key)) = (raw.contains_key("missing"), call.text("key")) {
            entries.insert(key.to_owned(), Json::Null);
        }
        facts(result, &format!("getent_{database}"), Json::Object(entries));
    }
}

pub(super) struct ServiceFacts;

impl Hook for ServiceFacts {
    fn conclude(&self, _call: &Call, _said: &Said, result: &mut Map) {
        let Some(raw) = taken(result, "services") else {
            return;
        };
        let mut services = JsonMap::new();
        sysv(text(&raw, "sysv"), &mut services);
        systemd(text(&raw, "units"), text(&raw, "files"), &mut services);
        openrc(text(&raw, "openrc"), &mut services);
        facts(result, "services", Json::Object(services));
    }
}

fn service(name: &str, state: &str, status: Option<&str>, source: &str) -> Json {
    let mut service = json!({"name": name, "state": state, "source": source});
    if let Some(status) = status {
        service["status"] = json!(status);
    }
    service
}

/// ` [ + ]  cron`
fn sysv(text: &str, services: &mut JsonMap<String, Json>) {
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["[", mark, "]", name] = words.as_slice() {
            let state = if *mark == "+" { "running" } else { "stopped" };
            services.insert((*name).to_owned(), service(name, state, None, "sysv"));
        }
    }
}

/// Units that are loaded: `cron.service loaded active running Description`; and all that have files:
/// `cron.service enabled enabled`.
fn systemd(units: &str, files: &str, services: &mut JsonMap<String, Json>) {
    for line in units.lines() {
        let words: Vec<&str> = line
            .trim_start_matches(['●', '*', ' '])
            .split_whitespace()
            .collect();
        if let [name, load, active, sub, ..] = words.as_slice()
            && name.ends_with(".service")
        {
            let state = if *sub == "running" {
                "running"
            } else {
                "stopped"
            };
            let status = match (*load, *active) {
                ("not-found" | "masked", _) => load,
                (_, "failed") => active,
                _ => "unknown",
            };
            services.insert(
                (*name).to_owned(),
                service(name, state, Some(status), "systemd"),
            );
        }
    }
    for line in files.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [name, status, ..] = words.as_slice()
            && name.ends_with(".service")
        {
            let known = services
                .entry(*name)
                .or_insert_with(|| service(name, "inactive", None, "systemd"));
            if known.get("status").is_none_or(|status| status != "failed") {
                known["status"] = json!(status);
            }
        }
    }
}

/// ` cron   [  started  ]`
fn openrc(text: &str, services: &mut JsonMap<String, Json>) {
    for line in text.lines() {
        if let Some((name, state)) = line.split_once('[') {
            let (name, state) = (name.trim(), state.trim_end_matches(']').trim());
            let state = state.split_whitespace().next().unwrap_or(state);
            services.insert(name.to_owned(), service(name, state, None, "openrc"));
        }
    }
}

pub(super) struct PackageFacts;

impl Hook for PackageFacts {
    fn conclude(&self, _call: &Call, _said: &Said, result: &mut Map) {
        let Some(raw) = taken(result, "packages") else {
            return;
        };
        let mut packages = JsonMap::new();
        for (manager, form) in FORMS {
            for line in text(&raw, manager).lines() {
                let fields: Vec<&str> = line.split('\t').collect();
                if let Some((name, package)) = form(&fields) {
                    match packages.get_mut(&name) {
                        Some(Json::Array(list)) => list.push(package),
                        _ => {
                            packages.insert(name, json!([package]));
                        }
                    }
                }
            }
        }
        facts(result, "packages", Json::Object(packages));
    }
}

type Form = fn(&[&str]) -> Option<(String, Json)>;

const FORMS: &[(&str, Form)] = &[("apt", apt), ("rpm", rpm), ("pacman", pacman), ("apk", apk)];

fn apt(fields: &[&str]) -> Option<(String, Json)> {
    let ["installed", name, version, arch, section] = fields else {
        return None;
    };
    let package = json!({
        "name": name, "version": version, "arch": arch, "category": section, "source": "apt",
    });
    Some(((*name).to_owned(), package))
}

fn rpm(fields: &[&str]) -> Option<(String, Json)> {
    let [name, version, release, epoch, arch] = fields else {
        return None;
    };
    let package = json!({
        "name": name, "version": version, "release": release, "epoch": epoch.parse::<i64>().ok(),
        "arch": arch, "source": "rpm",
    });
    Some(((*name).to_owned(), package))
}

/// `name version-release`
fn pacman(fields: &[&str]) -> Option<(String, Json)> {
    let (name, version) = fields.first()?.split_once(' ')?;
    let (version, release) = version.rsplit_once('-').unwrap_or((version, ""));
    let package = json!({
        "name": name, "version": version, "release": release, "source": "pacman",
    });
    Some((name.to_owned(), package))
}

/// `name-version-r0`
fn apk(fields: &[&str]) -> Option<(String, Json)> {
    let (rest, release) = fields.first()?.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let package = json!({
        "name": name, "version": version, "release": release, "source": "apk",
    });
    Some((name.to_owned(), package))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_those_that_run_and_those_that_could() {
        let mut services = JsonMap::new();
        systemd(
            "cron.service loaded active running Regular\n● bad.service loaded failed failed X\ngone.service not-found inactive dead gone\n",
            "cron.service enabled enabled\nat@.service static -\n",
            &mut services,
        );
        assert_eq!(
            services["cron.service"],
            json!({"name": "cron.service", "state": "running", "status": "enabled", "source": "systemd"})
        );
        assert_eq!(services["bad.service"]["status"], "failed");
        assert_eq!(services["gone.service"]["status"], "not-found");
        assert_eq!(services["at@.service"]["state"], "inactive");
    }

    #[test]
    fn packages_are_cut_as_their_managers_print_them() {
        assert_eq!(apk(&["musl-utils-1.2.4-r2"]).unwrap().1["version"], "1.2.4");
        assert_eq!(pacman(&["gcc-libs 13.2-3"]).unwrap().0, "gcc-libs");
        assert_eq!(
            rpm(&["a", "1", "2", "(none)", "noarch"]).unwrap().1["epoch"],
            Json::Null
        );
        assert!(apt(&["config-files", "a", "1", "all", "misc"]).is_none());
    }
}
