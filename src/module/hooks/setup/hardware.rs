//! Processors, memory, firmware, uptime.

use serde_json::{Value as Json, json};

use super::raw::{Facts, Raw, number};
use super::subset::dmi;

pub(super) fn facts(raw: &Raw<'_>, facts: &mut Facts) {
    processors(raw, facts);
    memory(raw, facts);
    firmware(raw, facts);
    let uptime = raw.file("/proc/uptime").and_then(|text| number(&text));
    if let Some(uptime) = uptime {
        facts.insert("uptime_seconds".into(), json!(uptime));
    }
}

fn memory(raw: &Raw<'_>, facts: &mut Facts) {
    let lines = raw.lines("/proc/meminfo");
    if lines.is_empty() {
        return;
    }
    let mb = |name: &str| {
        let value = lines
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.and_then(number).map(|kb| kb / 1024)
    };
    let less = |a: Option<i64>, b: Option<i64>| Some(a? - b?);
    let (total, free) = (mb("MemTotal"), mb("MemFree"));
    let (swap, swap_free) = (mb("SwapTotal"), mb("SwapFree"));
    let unused = || Some(mb("Cached")? + free? + mb("Buffers")?);
    for (name, value) in [
        ("memtotal_mb", total),
        ("memfree_mb", free),
        ("swaptotal_mb", swap),
        ("swapfree_mb", swap_free),
    ] {
        if let Some(value) = value {
            facts.insert(name.into(), json!(value));
        }
    }
    let memory = json!({
        "real": {"total": total, "used": less(total, free), "free": free},
        "nocache": {"free": unused(), "used": less(total, unused())},
        "swap": {
            "total": swap,
            "free": swap_free,
            "used": less(swap, swap_free),
            "cached": mb("SwapCached"),
        },
    });
    facts.insert("memory_mb".into(), memory);
}

/// What `/proc/cpuinfo` says: sockets by their id with their cores, cores with their threads.
#[derive(Default)]
struct Processors<'a> {
    named: Vec<&'a str>,
    sockets: Vec<(&'a str, i64)>,
    siblings: Option<i64>,
    seen: i64,
    vendors: i64,
    models: i64,
    /// s390x: processors and threads a core.
    zarch: (i64, i64),
}

impl<'a> Processors<'a> {
    fn of(text: &'a str, facts: &mut Facts) -> Self {
        let mut found = Self::default();
        let mut socket = "";
        for line in text.lines() {
            let (key, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.trim();
            match key.trim() {
                "flags" => {
                    let flags: Vec<&str> = value.split_whitespace().collect();
                    facts.insert("flags".into(), json!(flags));
                }
                key @ ("model name" | "Processor" | "vendor_id" | "cpu" | "Vendor"
                | "processor") => {
                    found.named.push(value);
                    found.vendors += i64::from(key == "vendor_id");
                    found.models += i64::from(key == "model name");
                    found.seen += i64::from(key == "processor");
                }
                "physical id" => {
                    socket = value;
                    if !found.sockets.iter().any(|(id, _)| *id == socket) {
                        found.sockets.push((socket, 1));
                    }
                }
                "cpu cores" => {
                    let cores = number(value).unwrap_or(1);
                    match found.sockets.iter_mut().find(|(id, _)| *id == socket) {
                        Some((_, known)) => *known = cores,
                        None => found.sockets.push((socket, cores)),
                    }
                }
                "siblings" => found.siblings = found.siblings.or(number(value)),
                "# processors" => found.zarch.0 = number(value).unwrap_or(0),
                "max thread id" => found.zarch.1 = number(value).unwrap_or(0) + 1,
                _ => {}
            }
        }
        found
    }
}

fn processors(raw: &Raw<'_>, facts: &mut Facts) {
    let found = Processors::of(raw.output("cpuinfo"), facts);
    if found.named.is_empty() && found.zarch.0 == 0 {
        return;
    }
    let machine = raw.output("machine").trim();
    let counted = ["armv", "aarch", "ppc"]
        .iter()
        .any(|arch| machine.starts_with(arch));
    let loose = if counted {
        found.seen
    } else if found.vendors > 0 && found.vendors == found.models {
        found.vendors
    } else {
        i64::try_from(found.named.len()).unwrap_or(0)
    };
    let (count, cores, threads, vcpus) = match found.zarch {
        (all, threads) if all > 0 && threads > 0 => (1, all / threads, threads, all),
        _ => {
            let count = match found.sockets.len() {
                0 => loose,
                sockets => i64::try_from(sockets).unwrap_or(1),
            };
            let cores = found
                .sockets
                .first()
                .map_or(1, |(_, cores)| (*cores).max(1));
            let threads = found.siblings.map_or_else(
                || i64::from(cores == 1),
                |siblings| (siblings + cores / 2) / cores,
            );
            (count, cores, threads, threads * count * cores)
        }
    };
    let usable = number(raw.output("nproc")).unwrap_or(found.seen);
    for (name, value) in [
        ("processor_count", count),
        ("processor_cores", cores),
        ("processor_threads_per_core", threads),
        ("processor_vcpus", vcpus),
        ("processor_nproc", usable),
    ] {
        facts.insert(name.into(), json!(value));
    }
    facts.insert("processor".into(), json!(found.named));
}

/// Each fact, its file in sysfs, and its word for dmidecode (as the script asks in that order).
const FIRMWARE: &[(&str, &str)] = &[
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("form_factor", "chassis_type"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

/// Chassis by their number in SMBIOS.
const FORMS: &[&str] = &[
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

fn firmware(raw: &Raw<'_>, facts: &mut Facts) {
    for (fact, file) in FIRMWARE {
        let said = raw.output(&format!("dmi_{file}")).trim();
        let value = match raw.file(&dmi(file)) {
            Some(value) => value,
            None if said.is_empty() => "NA".to_owned(),
            None => said.to_owned(),
        };
        let value = match (*file, number(&value)) {
            ("chassis_type", Some(form)) => {
                let name = usize::try_from(form).ok().and_then(|form| FORMS.get(form));
                name.map_or_else(|| format!("unknown ({value})"), |name| (*name).to_owned())
            }
            _ => value,
        };
        facts.insert((*fact).into(), Json::String(value));
    }
}
