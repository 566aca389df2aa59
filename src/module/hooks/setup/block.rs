//! Disks and what is mounted.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::raw::{Facts, Raw, number};
use crate::base::value::Value;

const BLOCK: &str = "/sys/block/";

pub(super) fn facts(raw: &Raw<'_>, facts: &mut Facts) {
    let links = Links::of(raw);
    facts.insert("devices".into(), Json::Object(devices(raw, &links)));
    facts.insert("device_links".into(), links.all());
    facts.insert("mounts".into(), mounts(raw, &links));
    facts.insert("lvm".into(), json!("N/A"));
}

/// Names under `/dev/disk` by kind and device.
#[derive(Default)]
struct Links<'a>(BTreeMap<&'static str, BTreeMap<&'a str, Vec<String>>>);

impl<'a> Links<'a> {
    /// Lines of `ls -l /dev/disk/by-*`, each folder's after its name and a colon.
    fn of(raw: &Raw<'a>) -> Self {
        let mut links = Self::default();
        let mut kind = None;
        for line in raw.output("disk_links").lines() {
            if let Some(folder) = line.strip_suffix(':') {
                kind = match folder.rsplit('/').next() {
                    Some("by-id") => Some("ids"),
                    Some("by-label") => Some("labels"),
                    Some("by-uuid") => Some("uuids"),
                    _ => None,
                };
            } else if let (Some(kind), Some((left, target))) = (kind, line.split_once(" -> ")) {
                let name = left.rsplit(' ').next().unwrap_or_default();
                let device = target.rsplit('/').next().unwrap_or_default();
                let names = links.0.entry(kind).or_default().entry(device).or_default();
                names.push(name.replace("\\x20", " "));
            }
        }
        links
    }

    fn get(&self, kind: &str, device: &str) -> Vec<String> {
        let found = self.0.get(kind).and_then(|devices| devices.get(device));
        found.cloned().unwrap_or_default()
    }

    fn of_device(&self, device: &str) -> Json {
        json!({
            "ids": self.get("ids", device),
            "labels": self.get("labels", device),
            "masters": [],
            "uuids": self.get("uuids", device),
        })
    }

    fn all(&self) -> Json {
        let kind = |name: &str| json!(self.0.get(name).cloned().unwrap_or_default());
        json!({"ids": kind("ids"), "labels": kind("labels"), "masters": {}, "uuids": kind("uuids")})
    }
}

fn devices(raw: &Raw<'_>, links: &Links<'_>) -> Facts {
    let mut devices = Facts::new();
    let mut parts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (path, _) in raw.under(BLOCK) {
        let words: Vec<&str> = path.split('/').skip(3).collect();
        match words.as_slice() {
            [disk, "size"] => {
                parts.entry(disk).or_default();
            }
            [disk, part, "start"] => parts.entry(disk).or_default().push(part),
            _ => {}
        }
    }
    for (disk, parts) in parts {
        let read = |file: &str| raw.file(&format!("{BLOCK}{disk}/{file}"));
        let sector = read("queue/hw_sector_size").unwrap_or_else(|| "512".to_owned());
        let sectors = |file: &str| read(file).and_then(|size| number(&size)).unwrap_or(0);
        let size = sectors("size");
        let scheduler = read("queue/scheduler").unwrap_or_default();
        let chosen = scheduler
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once(']'));
        let mut partitions = Facts::new();
        for part in parts {
            let size = sectors(&format!("{part}/size"));
            let uuid = links.get("uuids", part).into_iter().next();
            let fact = json!({
                "holders": [],
                "links": links.of_device(part),
                "sectors": size,
                "sectorsize": 512,
                "size": shown(size * 512),
                "start": read(&format!("{part}/start")),
                "uuid": uuid,
            });
            partitions.insert(part.to_owned(), fact);
        }
        let fact = json!({
            "holders": [],
            "host": "",
            "links": links.of_device(disk),
            "model": read("device/model"),
            "partitions": partitions,
            "removable": read("removable"),
            "rotational": read("queue/rotational"),
            "sas_address": null,
            "sas_device_handle": null,
            "scheduler_mode": chosen.map_or("", |(mode, _)| mode),
            "sectors": size,
            "sectorsize": sector,
            "size": shown(size * 512),
            "support_discard": read("queue/discard_granularity"),
            "vendor": read("device/vendor"),
            "virtual": 1,
        });
        devices.insert(disk.to_owned(), fact);
    }
    devices
}

/// `256.00 GB`, as Ansible shows sizes.
fn shown(bytes: i64) -> String {
    const UNITS: &[(i64, &str)] = &[
        (1 << 60, "EB"),
        (1 << 50, "PB"),
        (1 << 40, "TB"),
        (1 << 30, "GB"),
        (1 << 20, "MB"),
        (1 << 10, "KB"),
        (1, "Bytes"),
    ];
    let fits = UNITS.iter().find(|(unit, _)| bytes >= *unit);
    let (unit, name) = fits.copied().unwrap_or((1, "Bytes"));
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let amount = bytes as f64 / unit as f64;
    format!("{amount:.2} {name}")
}

fn mounts(raw: &Raw<'_>, links: &Links<'_>) -> Json {
    let mut sizes: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for item in raw.items("sizes") {
        let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
        let numbers = text("stat").split_whitespace().filter_map(number).collect();
        sizes.insert(text("mount"), numbers);
    }
    let mut mounts = Vec::new();
    for line in raw.output("mounts").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [device, mount, kind, options, dump, passno, ..] = words.as_slice() else {
            continue;
        };
        if !(device.starts_with(['/', '\\']) || device.contains(":/") || *kind == "none") {
            continue;
        }
        let name = device.rsplit('/').next().unwrap_or(device);
        let uuid = links.get("uuids", name).into_iter().next();
        let mut fact = json!({
            "device": unescaped(device),
            "mount": unescaped(mount),
            "fstype": kind,
            "options": options,
            "dump": number(dump),
            "passno": number(passno),
            "uuid": uuid.unwrap_or_else(|| "N/A".to_owned()),
        });
        match sizes.get(mount).map(Vec::as_slice) {
            Some([block, fragment, blocks, free, inodes, inodes_free]) => {
                fact["block_size"] = json!(block);
                fact["block_total"] = json!(blocks);
                fact["block_available"] = json!(free);
                fact["block_used"] = json!(blocks - free);
                fact["inode_total"] = json!(inodes);
                fact["inode_available"] = json!(inodes_free);
                fact["inode_used"] = json!(inodes - inodes_free);
                fact["size_total"] = json!(blocks.saturating_mul(*fragment));
                fact["size_available"] = json!(free.saturating_mul(*fragment));
            }
            Some(_) => {}
            None => fact["note"] = json!("Could not get extra information due to timeout"),
        }
        mounts.push(fact);
    }
    Json::Array(mounts)
}

/// `/mnt/a\040b` without its octal escapes.
fn unescaped(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let (b'\\', Some(byte)) = (first, byte) {
            bytes.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_paths_are_shown_as_ansible_does() {
        assert_eq!(shown(274_877_906_944), "256.00 GB");
        assert_eq!(shown(0), "0.00 Bytes");
        assert_eq!(unescaped("/mnt/a\\040b\\134"), "/mnt/a b\\");
    }
}
