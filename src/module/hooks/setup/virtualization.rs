//! What the host runs in, and what it can run.

use std::collections::BTreeSet;

use serde_json::json;

use super::raw::{Facts, Raw};
use super::subset::dmi;

/// Finds are made from the surest to the vaguest: the first is the host's type and role, all are its
/// technologies.
#[derive(Default)]
struct Finds {
    first: Option<(String, &'static str)>,
    guest: BTreeSet<String>,
    host: BTreeSet<String>,
}

impl Finds {
    fn guest(&mut self, technology: &str) {
        self.guest.insert(technology.to_owned());
        self.first
            .get_or_insert_with(|| (technology.to_owned(), "guest"));
    }

    fn host(&mut self, technology: &str) {
        self.host.insert(technology.to_owned());
        self.first
            .get_or_insert_with(|| (technology.to_owned(), "host"));
    }
}

pub(super) fn facts(raw: &Raw<'_>, facts: &mut Facts) {
    let mut finds = Finds::default();
    containers(raw, &mut finds);
    if raw.there("/proc/xen") {
        let capabilities = raw.lines("/proc/xen/capabilities").iter();
        if capabilities.copied().any(|line| line.contains("control_d")) {
            finds.host("xen");
        } else {
            finds
                .first
                .get_or_insert_with(|| ("xen".to_owned(), "guest"));
        }
    }
    firmware(raw, &mut finds);
    processors(raw, &mut finds);
    kernel(raw, &mut finds);
    let na = || ("NA".to_owned(), "NA");
    let (kind, role) = finds.first.unwrap_or_else(na);
    facts.insert("virtualization_type".into(), json!(kind));
    facts.insert("virtualization_role".into(), json!(role));
    facts.insert("virtualization_tech_guest".into(), json!(finds.guest));
    facts.insert("virtualization_tech_host".into(), json!(finds.host));
}

fn containers(raw: &Raw<'_>, finds: &mut Finds) {
    for line in raw.lines("/proc/1/cgroup") {
        if line.contains("/docker/") || line.contains("/docker-") {
            finds.guest("docker");
        }
        if line.contains("/lxc/") || line.contains("/machine.slice/machine-lxc") {
            finds.guest("lxc");
        }
        if line.contains("/system.slice/containerd.service") {
            finds.guest("containerd");
        }
    }
    match raw.output("container").trim().strip_prefix("container=") {
        Some("") | None => {}
        Some(name) => {
            for known in ["lxc", "podman"] {
                if name.starts_with(known) {
                    finds.guest(known);
                }
            }
            finds.guest("container");
        }
    }
    if raw.there("/proc/vz") && !raw.there("/proc/lve") {
        if raw.there("/proc/bc") {
            finds.host("openvz");
        } else {
            finds.guest("openvz");
        }
    }
    let systemd = raw
        .file("/run/systemd/container")
        .filter(|name| !name.is_empty());
    if let Some(name) = &systemd {
        finds.guest(name);
    }
    if raw.there("/.dockerenv") || raw.there("/.dockerinit") {
        finds.guest("docker");
    }
    let known = ["docker", "lxc", "podman", "openvz", "containerd"];
    if systemd.is_some() || known.iter().any(|name| finds.guest.contains(*name)) {
        finds.guest.insert("container".to_owned());
    }
}

fn firmware(raw: &Raw<'_>, finds: &mut Finds) {
    let read = |name: &str| raw.file(&dmi(name)).unwrap_or_default();
    let (product, vendor) = (read("product_name"), read("sys_vendor"));
    let product = if product.is_empty() {
        raw.output("dmi_product_name").trim()
    } else {
        product.as_str()
    };
    match product {
        "KVM" | "KVM Server" | "Bochs" | "AHV" | "CloudStack KVM Hypervisor" => finds.guest("kvm"),
        "OpenStack Compute" | "OpenStack Nova" => finds.guest("openstack"),
        "RHEV Hypervisor" if vendor == "Red Hat" => finds.guest("RHEV"),
        "BHYVE" => finds.guest("bhyve"),
        name if name.starts_with("VMware") => finds.guest("VMware"),
        _ => {}
    }
    if vendor == "Red Hat" && read("product_family") == "RHV" {
        finds.guest("RHV");
    }
    match read("bios_vendor").as_str() {
        "Xen" => finds.guest("xen"),
        "innotek GmbH" => finds.guest("virtualbox"),
        "Amazon EC2" | "DigitalOcean" | "Hetzner" | "Linode" => finds.guest("kvm"),
        _ => {}
    }
    match vendor.as_str() {
        "oVirt" | "KubeVirt" => finds.guest(&vendor),
        "QEMU" | "Amazon EC2" | "DigitalOcean" | "Google" | "Scaleway" | "Nutanix" => {
            finds.guest("kvm");
        }
        "Microsoft Corporation" => finds.guest("VirtualPC"),
        "Parallels Software International Inc." => finds.guest("parallels"),
        "OpenStack Foundation" => finds.guest("openstack"),
        _ => {}
    }
}

fn processors(raw: &Raw<'_>, finds: &mut Finds) {
    for line in raw.output("cpuinfo").lines() {
        let (key, value) = line.split_once(':').unwrap_or((line, ""));
        match key.trim() {
            "model name" if value.contains("QEMU Virtual CPU") => finds.guest("kvm"),
            "model name" if value.contains("UML") => finds.guest("uml"),
            "vendor_id" if value.contains("User Mode Linux") => finds.guest("uml"),
            "vendor_id" if value.contains("PowerVM Lx86") => finds.guest("powervm_lx86"),
            "vendor_id" if value.contains("IBM/S390") => {
                finds.guest.insert("PR/SM".to_owned());
                finds
                    .first
                    .get_or_insert_with(|| ("PR/SM".to_owned(), "LPAR"));
            }
            "machine" if value.contains("(emulated by qemu)") => finds.guest("kvm"),
            _ => {}
        }
    }
}

fn kernel(raw: &Raw<'_>, finds: &mut Finds) {
    let modules: Vec<&str> = raw.output("modules").lines().collect();
    let loaded = |name: &str| {
        modules
            .iter()
            .any(|line| line.split(' ').next() == Some(name))
    };
    if loaded("kvm") {
        finds.host("kvm");
    }
    if loaded("vboxdrv") {
        finds.host("virtualbox");
    }
    if loaded("virtio") {
        finds.host.insert("kvm".to_owned());
        finds
            .first
            .get_or_insert_with(|| ("kvm".to_owned(), "guest"));
    }
    if raw.there("/dev/kvm") {
        finds.host("kvm");
    }
}
