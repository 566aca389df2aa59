//! Interfaces, addresses, and the way out.

use std::net::Ipv4Addr;

use serde_json::{Value as Json, json};

use super::raw::{Facts, Raw, number};

const NET: &str = "/sys/class/net/";

pub(super) fn facts(raw: &Raw<'_>, facts: &mut Facts) {
    if raw.output("addresses").trim().is_empty() {
        return;
    }
    let mut interfaces = devices(raw);
    let mut defaults = [way_out(raw.output("route4")), way_out(raw.output("route6"))];
    let (mut all4, mut all6) = (Vec::new(), Vec::new());
    let mut device = String::new();
    for line in raw.output("addresses").lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [index, name, ..] if index.ends_with(':') && !line.starts_with(' ') => {
                let name = name.trim_end_matches(':');
                name.split('@')
                    .next()
                    .unwrap_or(name)
                    .clone_into(&mut device);
                interfaces
                    .entry(device.clone())
                    .or_insert_with(|| json!({"device": device}));
            }
            ["inet", ..] => {
                if let Some(found) = Inet::of(&words) {
                    if !found.address.is_loopback() {
                        all4.push(json!(found.address.to_string()));
                    }
                    let label = words.last().copied().unwrap_or_default();
                    inet(&mut interfaces, &device, label, &found);
                    known_default(
                        &mut defaults[0],
                        &interfaces,
                        &device,
                        Some(label),
                        &found.json(),
                    );
                }
            }
            ["inet6", ..] => {
                if let Some(found) = inet6(&words) {
                    if found["address"] != "::1" {
                        all6.push(found["address"].clone());
                    }
                    known_default(&mut defaults[1], &interfaces, &device, None, &found);
                    push(&mut interfaces, &device, "ipv6", found);
                }
            }
            _ => {}
        }
    }
    let [default4, default6] = defaults;
    let names: Vec<String> = interfaces
        .keys()
        .map(|name| name.replace(':', "_"))
        .collect();
    facts.insert("interfaces".into(), json!(names));
    facts.insert("default_ipv4".into(), Json::Object(default4));
    facts.insert("default_ipv6".into(), Json::Object(default6));
    facts.insert("all_ipv4_addresses".into(), json!(all4));
    facts.insert("all_ipv6_addresses".into(), json!(all6));
    facts.insert(
        "locally_reachable_ips".into(),
        json!({"ipv4": local_routes(raw, "local4"), "ipv6": local_routes(raw, "local6")}),
    );
    for (name, interface) in interfaces {
        facts.insert(plain(&name), interface);
    }
}

/// A name that can stand in a template: Ansible replaces these two.
fn plain(name: &str) -> String {
    name.replace([':', '-'], "_")
}

/// What sysfs says of the devices.
fn devices(raw: &Raw<'_>) -> Facts {
    let mut interfaces = Facts::new();
    for (path, lines) in raw.under(NET) {
        let Some((name, field)) = path.strip_prefix(NET).and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        let value = lines.first().map_or("", |line| line.trim());
        let entry = interfaces
            .entry(name)
            .or_insert_with(|| json!({"device": name}));
        let (fact, value) = match field {
            "address" if value != "00:00:00:00:00:00" && !value.is_empty() => {
                ("macaddress", json!(value))
            }
            "mtu" => ("mtu", json!(number(value))),
            "operstate" => ("active", json!(value != "down")),
            "speed" => ("speed", json!(number(value))),
            "flags" => {
                let flags = u32::from_str_radix(value.trim_start_matches("0x"), 16);
                (
                    "promisc",
                    json!(flags.is_ok_and(|flags| flags & 0x100 != 0)),
                )
            }
            "type" if entry.get("type").is_none() => ("type", json!(kind(value))),
            "bridge/bridge_id" => ("id", json!(value)),
            "bridge/stp_state" => ("stp", json!(value == "1")),
            "bonding/slaves" => (
                "slaves",
                json!(value.split_whitespace().collect::<Vec<_>>()),
            ),
            "bonding/mode" | "bonding/miimon" | "bonding/lacp_rate" | "bonding/primary" => {
                let word = value.split_whitespace().next().unwrap_or_default();
                (field.trim_start_matches("bonding/"), json!(word))
            }
            "bonding_slave/perm_hwaddr" => ("perm_macaddress", json!(value)),
            _ => continue,
        };
        entry[fact] = value;
        for special in ["bridge", "bonding"] {
            if field.starts_with(&format!("{special}/")) {
                entry["type"] = json!(special);
            }
        }
    }
    links(raw, &mut interfaces);
    interfaces
}

fn kind(number: &str) -> &'static str {
    match number {
        "1" => "ether",
        "32" => "infiniband",
        "512" => "ppp",
        "772" => "loopback",
        "65534" => "tunnel",
        _ => "unknown",
    }
}

/// Lines of `ls -l`: `... /sys/class/net/eth0/device -> ../../../virtio2`; ports of bridges too.
fn links(raw: &Raw<'_>, interfaces: &mut Facts) {
    for line in raw.output("net_links").lines() {
        let Some((left, target)) = line.split_once(" -> ") else {
            continue;
        };
        let path = left.rsplit(' ').next().unwrap_or_default();
        let Some((name, field)) = path.strip_prefix(NET).and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        let last = target.rsplit('/').next().unwrap_or_default();
        let Some(entry) = interfaces.get_mut(name) else {
            continue;
        };
        match field {
            "device" => entry["pciid"] = json!(last),
            "device/driver/module" => entry["module"] = json!(last),
            port => {
                if let Some(port) = port.strip_prefix("brif/") {
                    let ports = entry
                        .as_object_mut()
                        .map(|entry| entry.entry("interfaces").or_insert_with(|| json!([])));
                    if let Some(Json::Array(ports)) = ports {
                        ports.push(json!(port));
                    }
                }
            }
        }
    }
}

/// `8.8.8.8 via 192.0.2.1 dev eth0 src 192.0.2.2 uid 0`.
fn way_out(text: &str) -> Facts {
    let mut found = Facts::new();
    let words: Vec<&str> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    for pair in words.windows(2) {
        if let [name, value] = pair {
            let fact = match *name {
                "dev" => "interface",
                "src" => "address",
                "via" => "gateway",
                _ => continue,
            };
            found.insert(fact.into(), json!(value));
        }
    }
    found
}

struct Inet {
    address: Ipv4Addr,
    prefix: u32,
    broadcast: String,
    secondary: bool,
}

impl Inet {
    fn of(words: &[&str]) -> Option<Self> {
        let place = words.get(1)?;
        let (address, prefix) = place.split_once('/').unwrap_or((place, "32"));
        // `inet 10.0.0.1 peer 10.0.0.2/32`.
        let prefix = match words.get(2..4) {
            Some(["peer", peer]) => peer.split_once('/').map_or(prefix, |(_, prefix)| prefix),
            _ => prefix,
        };
        let broadcast = match words.get(2..4) {
            Some(["brd", broadcast]) => *broadcast,
            _ => "",
        };
        Some(Self {
            address: address.parse().ok()?,
            prefix: prefix.parse().ok().filter(|prefix| *prefix <= 32)?,
            broadcast: broadcast.to_owned(),
            secondary: words.contains(&"secondary"),
        })
    }

    fn json(&self) -> Json {
        let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
        let network = Ipv4Addr::from(u32::from(self.address) & mask);
        json!({
            "address": self.address.to_string(),
            "broadcast": self.broadcast,
            "netmask": Ipv4Addr::from(mask).to_string(),
            "network": network.to_string(),
            "prefix": self.prefix.to_string(),
        })
    }
}

/// The first address of a label (`eth0:1` is an interface of its own) is `ipv4`, all others are
/// secondaries.
fn inet(interfaces: &mut Facts, device: &str, label: &str, found: &Inet) {
    let aliased = label.split(':').next() == Some(device) && label != device;
    let name = if aliased { label } else { device };
    let entry = interfaces.entry(name).or_insert_with(|| json!({}));
    if !found.secondary && entry.get("ipv4").is_none() {
        entry["ipv4"] = found.json();
    } else {
        push(interfaces, name, "ipv4_secondaries", found.json());
        if name != device {
            push(interfaces, device, "ipv4_secondaries", found.json());
        }
    }
}

fn inet6(words: &[&str]) -> Option<Json> {
    let (address, prefix, scope) = match words {
        [_, address, "peer", peer, "scope", scope, ..] => {
            (*address, peer.split_once('/')?.1, scope)
        }
        [_, place, "scope", scope, ..] => {
            let (address, prefix) = place.split_once('/')?;
            (address, prefix, scope)
        }
        _ => return None,
    };
    Some(json!({"address": address, "prefix": prefix, "scope": scope}))
}

/// More of the default address, once it is met among the interfaces'.
fn known_default(
    default: &mut Facts,
    interfaces: &Facts,
    device: &str,
    label: Option<&str>,
    found: &Json,
) {
    if default.get("address") != found.get("address") {
        return;
    }
    if let Json::Object(found) = found {
        default.extend(found.clone());
    }
    if let Some(entry) = interfaces.get(device) {
        let mac = entry
            .get("macaddress")
            .cloned()
            .unwrap_or(json!("00:00:00:00:00:00"));
        default.insert("macaddress".into(), mac);
        for name in ["mtu", "type"] {
            let value = entry.get(name).cloned().unwrap_or_default();
            default.insert(name.into(), value);
        }
    }
    if let Some(label) = label {
        default.insert("alias".into(), json!(label));
    }
}

fn push(interfaces: &mut Facts, name: &str, fact: &str, value: Json) {
    let entry = interfaces.entry(name).or_insert_with(|| json!({}));
    match entry.get_mut(fact) {
        Some(Json::Array(items)) => items.push(value),
        _ => entry[fact] = json!([value]),
    }
}

fn local_routes<'a>(raw: &Raw<'a>, name: &str) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for line in raw.output(name).lines() {
        let mut words = line.split_whitespace();
        if let (Some("local"), Some(address)) = (words.next(), words.next())
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

pub(super) fn iscsi(raw: &Raw<'_>, facts: &mut Facts) {
    let lines = raw.lines("/etc/iscsi/initiatorname.iscsi").iter();
    let name = lines
        .rev()
        .find_map(|line| line.strip_prefix("InitiatorName="));
    facts.insert("iscsi_iqn".into(), json!(name.map_or("", str::trim)));
}

pub(super) fn nvme(raw: &Raw<'_>, facts: &mut Facts) {
    let lines = raw.lines("/etc/nvme/hostnqn").iter();
    let name = lines.copied().find(|line| line.starts_with("nqn."));
    facts.insert("hostnqn".into(), json!(name.unwrap_or_default().trim()));
}

pub(super) fn fibre_channel(raw: &Raw<'_>, facts: &mut Facts) {
    let ports = raw
        .under("/sys/class/fc_host/")
        .filter_map(|(_, lines)| lines.first());
    let names: Vec<&str> = ports
        .map(|name| name.trim().trim_start_matches("0x"))
        .collect();
    facts.insert("fibre_channel_wwn".into(), json!(names));
}
