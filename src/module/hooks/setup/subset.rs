//! Which facts a task asks for: `gather_subset` and `filter`, and what of the host's files they need.

use crate::base::glob;

/// A group of facts that is gathered as one.
pub(super) struct Collector {
    /// Its name in `gather_subset`.
    pub(super) name: &'static str,
    /// Names of facts that choose it, too.
    facts: &'static [&'static str],
    /// Whether it is of those that are always gathered.
    minimal: bool,
    /// Files that it reads, with wildcards.
    files: &'static [&'static str],
    /// Paths of which it must know whether they are there.
    there: &'static [&'static str],
}

const fn collector(name: &'static str, minimal: bool) -> Collector {
    Collector {
        name,
        facts: &[],
        minimal,
        files: &[],
        there: &[],
    }
}

const DMI: &str = "/sys/devices/virtual/dmi/id/";

/// Release files of distributions.
const RELEASES: &[&str] = &[
    "/etc/os-release",
    "/usr/lib/os-release",
    "/etc/*-release",
    "/etc/debian_version",
    "/etc/openwrt_release",
    "/etc/slackware-version",
];

static COLLECTORS: &[Collector] = &[
    Collector {
        there: &["/sys/kernel/security/apparmor"],
        ..collector("apparmor", true)
    },
    Collector {
        facts: &["system_capabilities", "system_capabilities_enforced"],
        ..collector("caps", true)
    },
    Collector {
        facts: &["is_chroot"],
        ..collector("chroot", false)
    },
    Collector {
        files: &["/proc/cmdline"],
        ..collector("cmdline", true)
    },
    collector("date_time", true),
    Collector {
        facts: &[
            "distribution_version",
            "distribution_release",
            "distribution_major_version",
            "os_family",
        ],
        files: RELEASES,
        there: &["/etc/arch-release", "/etc/vmware-release"],
        ..collector("distribution", true)
    },
    Collector {
        files: &["/etc/resolv.conf"],
        ..collector("dns", true)
    },
    collector("env", true),
    collector("facter", false),
    Collector {
        files: &["/sys/class/fc_host/*/port_name"],
        ..collector("fibre_channel_wwn", false)
    },
    Collector {
        files: &["/proc/sys/crypto/fips_enabled"],
        ..collector("fips", true)
    },
    Collector {
        facts: &[
            "devices",
            "mounts",
            "processor",
            "processor_cores",
            "processor_count",
        ],
        files: &[
            "/proc/meminfo",
            "/proc/uptime",
            "/sys/devices/virtual/dmi/id/[bcps]*_*",
            "/sys/block/*/size",
            "/sys/block/*/removable",
            "/sys/block/*/queue/rotational",
            "/sys/block/*/queue/scheduler",
            "/sys/block/*/queue/hw_sector_size",
            "/sys/block/*/queue/discard_granularity",
            "/sys/block/*/device/model",
            "/sys/block/*/device/vendor",
            "/sys/block/*/*/start",
            "/sys/block/*/*/size",
        ],
        ..collector("hardware", false)
    },
    Collector {
        files: &["/etc/iscsi/initiatorname.iscsi"],
        ..collector("iscsi", false)
    },
    Collector {
        files: &["/proc/loadavg"],
        ..collector("loadavg", false)
    },
    collector("local", true),
    Collector {
        files: &["/etc/lsb-release"],
        ..collector("lsb", true)
    },
    Collector {
        facts: &[
            "all_ipv4_addresses",
            "all_ipv6_addresses",
            "default_ipv4",
            "default_ipv6",
            "interfaces",
        ],
        files: &[
            "/sys/class/net/*/address",
            "/sys/class/net/*/mtu",
            "/sys/class/net/*/operstate",
            "/sys/class/net/*/type",
            "/sys/class/net/*/flags",
            "/sys/class/net/*/speed",
            "/sys/class/net/*/bridge/bridge_id",
            "/sys/class/net/*/bridge/stp_state",
            "/sys/class/net/*/bonding/slaves",
            "/sys/class/net/*/bonding/mode",
            "/sys/class/net/*/bonding/miimon",
            "/sys/class/net/*/bonding/lacp_rate",
            "/sys/class/net/*/bonding/primary",
            "/sys/class/net/*/bonding_slave/perm_hwaddr",
        ],
        ..collector("network", false)
    },
    Collector {
        files: &["/etc/nvme/hostnqn"],
        ..collector("nvme", false)
    },
    collector("ohai", false),
    Collector {
        files: RELEASES,
        there: super::software::MANAGERS_AT,
        ..collector("pkg_mgr", true)
    },
    Collector {
        facts: &[
            "architecture",
            "kernel",
            "kernel_version",
            "machine",
            "machine_id",
            "system",
        ],
        files: &["/etc/machine-id", "/var/lib/dbus/machine-id"],
        ..collector("platform", true)
    },
    Collector {
        facts: &["python_version"],
        ..collector("python", true)
    },
    Collector {
        files: &[
            "/sys/fs/selinux/enforce",
            "/sys/fs/selinux/policyvers",
            "/selinux/enforce",
            "/selinux/policyvers",
            "/etc/selinux/config",
        ],
        ..collector("selinux", true)
    },
    Collector {
        files: &["/proc/1/comm"],
        there: &[
            "/run/systemd/system",
            "/dev/.run/systemd",
            "/dev/.systemd",
            "/etc/init",
            "/sbin/openrc",
            "/etc/init.d",
            "/etc/dinit.d",
        ],
        ..collector("service_mgr", true)
    },
    Collector {
        facts: &[
            "ssh_host_pub_keys",
            "ssh_host_key_dsa_public",
            "ssh_host_key_rsa_public",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ed25519_public",
        ],
        files: &[
            "/etc/ssh/ssh_host_*_key.pub",
            "/etc/openssh/ssh_host_*_key.pub",
            "/etc/ssh_host_*_key.pub",
        ],
        ..collector("ssh_pub_keys", true)
    },
    collector("systemd", false),
    Collector {
        facts: &[
            "effective_group_ids",
            "effective_user_id",
            "real_user_id",
            "user_dir",
            "user_gecos",
            "user_gid",
            "user_id",
            "user_shell",
            "user_uid",
        ],
        ..collector("user", true)
    },
    Collector {
        facts: &[
            "virtualization_role",
            "virtualization_type",
            "virtualization_tech_guest",
            "virtualization_tech_host",
        ],
        files: &[
            "/proc/1/cgroup",
            "/run/systemd/container",
            "/proc/xen/capabilities",
            "/sys/devices/virtual/dmi/id/[bps]*_*",
        ],
        there: &[
            "/proc/vz",
            "/proc/lve",
            "/proc/bc",
            "/.dockerenv",
            "/.dockerinit",
            "/proc/xen",
            "/dev/kvm",
            "/rhev",
        ],
        ..collector("virtual", false)
    },
];

/// A DMI file's path.
pub(super) fn dmi(name: &str) -> String {
    format!("{DMI}{name}")
}

/// The collectors that were chosen.
pub(super) struct Chosen(Vec<&'static Collector>);

impl Chosen {
    /// Of `gather_subset`: names, `all`, `min`, each with `!` to leave it out.
    pub(super) fn of<'a>(spec: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let all = || 0..COLLECTORS.len();
        let of = |minimal: bool| all().filter(move |at| is_minimal(*at) == minimal);
        let mut chosen: Vec<usize> = of(true).collect();
        let (mut left_out, mut named) = (Vec::new(), Vec::new());
        for word in spec.map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "min" => chosen.extend(of(true)),
                "all" => chosen.extend(all()),
                "!min" => left_out.extend(of(true)),
                "!all" => left_out.extend(of(false)),
                _ => match (word.strip_prefix('!'), find(word)) {
                    (Some(name), _) => left_out.extend(find(name)),
                    (None, Some(at)) => named.push(at),
                    (None, None) => return Err(unknown(word)),
                },
            }
        }
        chosen.retain(|at| !left_out.contains(at));
        chosen.extend(named);
        let kept = COLLECTORS.iter().enumerate();
        let kept = kept.filter(|(at, _)| chosen.contains(at));
        Ok(Self(kept.map(|(_, collector)| collector).collect()))
    }

    /// Whether a collector is of them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|collector| collector.name == name)
    }

    /// Their names, for the script.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|each| each.name).collect();
        names.join(" ")
    }

    /// The files that they read.
    pub(super) fn files(&self) -> String {
        joined(self.0.iter().map(|each| each.files))
    }

    /// The paths that may be there.
    pub(super) fn there(&self) -> String {
        joined(self.0.iter().map(|each| each.there))
    }
}

fn joined(lists: impl Iterator<Item = &'static [&'static str]>) -> String {
    let mut paths: Vec<&str> = Vec::new();
    for path in lists.flatten() {
        if !paths.contains(path) {
            paths.push(path);
        }
    }
    paths.join(" ")
}

fn is_minimal(at: usize) -> bool {
    COLLECTORS.get(at).is_some_and(|each| each.minimal)
}

fn find(name: &str) -> Option<usize> {
    let is = |each: &Collector| each.name == name || each.facts.contains(&name);
    COLLECTORS.iter().position(is)
}

fn unknown(name: &str) -> String {
    let all = COLLECTORS
        .iter()
        .flat_map(|each| std::iter::once(&each.name).chain(each.facts));
    let mut names: Vec<&str> = all.copied().collect();
    names.sort_unstable();
    format!(
        "Bad subset '{name}' given to Ansible. gather_subset options allowed: all, {}",
        names.join(", ")
    )
}

/// Whether a fact passes `filter`; its name is without `ansible_`.
pub(super) fn passes(filter: &[&str], name: &str) -> bool {
    let full = format!("ansible_{name}");
    filter
        .iter()
        .all(|pattern| pattern.is_empty() || *pattern == "*")
        || filter.iter().any(|pattern| {
            glob::matches(pattern, &full)
                || (!pattern.starts_with("ansible_") && glob::matches(pattern, name))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(spec: &[&str]) -> String {
        Chosen::of(spec.iter().copied()).unwrap().names()
    }

    #[test]
    fn subsets_add_to_the_least_and_take_away() {
        assert!(names(&["all"]).contains("network") && names(&[]).contains("platform"));
        assert!(!names(&[]).contains("network"));
        assert_eq!(names(&["!all"]), names(&["min"]));
        assert_eq!(names(&["!all", "!min", "network"]), "network");
        assert_eq!(names(&["!all", "!min", "default_ipv4"]), "network");
        assert!(!names(&["all", "!hardware"]).contains("hardware"));
        assert!(names(&["!hardware", "hardware"]).contains("hardware"));
        let error = Chosen::of(["nonsense"].into_iter()).err().unwrap();
        assert!(error.starts_with("Bad subset 'nonsense'"), "{error}");
    }

    #[test]
    fn filters_are_globs_with_or_without_the_prefix() {
        assert!(passes(&[], "kernel") && passes(&["*"], "kernel"));
        assert!(passes(&["ansible_k*"], "kernel") && passes(&["kern?l"], "kernel"));
        assert!(!passes(&["ansible_m*"], "kernel"));
    }
}
