//! Facts of systems that are not at hand, from what their files and tools say.

use std::fmt::Write as _;

use serde_json::json;

use super::raw::{Facts, Raw};
use super::{distribution, hardware, network, system, virtualization};
use crate::base::value::Value;

fn facts_of(raw: serde_json::Value, family: fn(&Raw<'_>, &mut Facts)) -> Facts {
    let value = Value::from_json(&raw);
    let mut facts = Facts::new();
    family(&Raw::of(Some(&value)), &mut facts);
    facts
}

fn files(list: &[(&str, &str)]) -> serde_json::Value {
    let mut text = String::new();
    for (path, content) in list {
        for line in content.lines() {
            writeln!(text, "{path}:{line}").unwrap();
        }
    }
    json!({ "files": text })
}

#[track_caller]
fn is_distribution(list: &[(&str, &str)], expected: [&str; 5]) {
    let facts = facts_of(files(list), distribution::facts);
    let names = [
        "distribution",
        "distribution_version",
        "distribution_major_version",
        "distribution_release",
        "os_family",
    ];
    let found: Vec<&str> = names
        .iter()
        .map(|name| facts[*name].as_str().unwrap())
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn distributions_are_known_by_ansibles_names() {
    is_distribution(
        &[
            (
                "/etc/os-release",
                "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
            ),
            ("/etc/debian_version", "12.11\n"),
        ],
        ["Debian", "12.11", "12", "bookworm", "Debian"],
    );
    is_distribution(
        &[(
            "/etc/os-release",
            "NAME=\"Ubuntu\"\nVERSION_ID=\"22.04\"\nVERSION=\"22.04.3 LTS (Jammy Jellyfish)\"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n",
        )],
        ["Ubuntu", "22.04", "22", "jammy", "Debian"],
    );
    is_distribution(
        &[
            (
                "/etc/os-release",
                "NAME=\"Rocky Linux\"\nVERSION=\"9.3 (Blue Onyx)\"\nID=\"rocky\"\nVERSION_ID=\"9.3\"\n",
            ),
            (
                "/etc/redhat-release",
                "Rocky Linux release 9.3 (Blue Onyx)\n",
            ),
        ],
        ["Rocky", "9.3", "9", "Blue Onyx", "RedHat"],
    );
    is_distribution(
        &[
            (
                "/etc/os-release",
                "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nVERSION_ID=\"7\"\n",
            ),
            (
                "/etc/centos-release",
                "CentOS Linux release 7.9.2009 (Core)\n",
            ),
        ],
        ["CentOS", "7.9", "7", "Core", "RedHat"],
    );
    is_distribution(
        &[(
            "/etc/redhat-release",
            "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n",
        )],
        ["RedHat", "6.10", "6", "Santiago", "RedHat"],
    );
    is_distribution(
        &[
            (
                "/etc/os-release",
                "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.18.4\n",
            ),
            ("/etc/alpine-release", "3.18.4\n"),
        ],
        ["Alpine", "3.18.4", "3", "NA", "Alpine"],
    );
    is_distribution(
        &[(
            "/etc/os-release",
            "NAME=\"openSUSE Leap\"\nVERSION=\"15.5\"\nID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\n",
        )],
        ["openSUSE Leap", "15.5", "15", "5", "Suse"],
    );
}

#[test]
fn interfaces_have_their_addresses_and_the_default_its_particulars() {
    let addresses = "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN\n    link/loopback 00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n    inet6 ::1/128 scope host\n\
        2: eth0: <BROADCAST> mtu 1500\n    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\n    inet 10.0.0.6/24 scope global secondary eth0:1\n    inet6 fd00::5/64 scope global\n";
    let mut raw = files(&[
        ("/sys/class/net/eth0/address", "02:00:00:00:00:01"),
        ("/sys/class/net/eth0/mtu", "1500"),
        ("/sys/class/net/eth0/operstate", "up"),
        ("/sys/class/net/eth0/type", "1"),
        ("/sys/class/net/eth0/flags", "0x1103"),
    ]);
    raw["addresses"] = json!(addresses);
    raw["route4"] = json!("8.8.8.8 via 10.0.0.1 dev eth0 src 10.0.0.5 uid 0\n    cache\n");
    let facts = facts_of(raw, network::facts);
    assert_eq!(
        facts["default_ipv4"],
        json!({
            "interface": "eth0", "address": "10.0.0.5", "gateway": "10.0.0.1", "alias": "eth0",
            "broadcast": "10.0.0.255", "netmask": "255.255.255.0", "network": "10.0.0.0",
            "prefix": "24", "macaddress": "02:00:00:00:00:01", "mtu": 1500, "type": "ether",
        })
    );
    assert_eq!(facts["all_ipv4_addresses"], json!(["10.0.0.5", "10.0.0.6"]));
    assert_eq!(facts["all_ipv6_addresses"], json!(["fd00::5"]));
    assert_eq!(facts["eth0"]["ipv4_secondaries"][0]["address"], "10.0.0.6");
    assert_eq!(facts["eth0"]["promisc"], true);
    assert_eq!(facts["lo"]["ipv4"]["netmask"], "255.0.0.0");
    assert_eq!(facts["default_ipv6"], json!({}));
}

#[test]
fn processors_are_counted_by_sockets_cores_and_threads() {
    let mut cpuinfo = String::new();
    for cpu in 0..8 {
        write!(
            cpuinfo,
            "processor\t: {cpu}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nphysical id\t: {}\nsiblings\t: 4\ncore id\t: {}\ncpu cores\t: 2\n",
            cpu / 4,
            cpu % 2
        )
        .unwrap();
    }
    let facts = facts_of(json!({"cpuinfo": cpuinfo, "nproc": "8\n"}), hardware::facts);
    let count = |name: &str| facts[&format!("processor_{name}")].as_i64().unwrap();
    assert_eq!(
        ["count", "cores", "threads_per_core", "vcpus", "nproc"].map(count),
        [2, 2, 2, 8, 8]
    );
    assert_eq!(facts["processor"][1], "GenuineIntel");
    assert_eq!(facts["form_factor"], "NA");
}

#[test]
fn arm_processors_are_counted_by_their_numbers() {
    let cpuinfo = "processor\t: 0\nprocessor\t: 1\n";
    let raw = json!({"cpuinfo": cpuinfo, "machine": "aarch64"});
    let facts = facts_of(raw, hardware::facts);
    assert_eq!(
        (&facts["processor_count"], &facts["processor_vcpus"]),
        (&json!(2), &json!(2))
    );
}

#[test]
fn what_a_host_runs_in_is_told_by_the_surest_sign() {
    let sign = |raw: serde_json::Value| {
        let facts = facts_of(raw, virtualization::facts);
        let text = |name: &str| facts[name].as_str().unwrap().to_owned();
        (text("virtualization_type"), text("virtualization_role"))
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(sign(json!({})), pair("NA", "NA"));
    assert_eq!(
        sign(files(&[("/sys/devices/virtual/dmi/id/sys_vendor", "QEMU")])),
        pair("kvm", "guest")
    );
    assert_eq!(
        sign(json!({"container": "container=systemd-nspawn", "there": "/dev/kvm"})),
        pair("container", "guest")
    );
    assert_eq!(sign(json!({"there": "/dev/kvm"})), pair("kvm", "host"));
}

#[test]
fn time_is_the_hosts() {
    let raw = json!({"date": "1700000000 5000 +0530 IST\n+0530 IST\n"});
    let facts = facts_of(raw, system::date_time);
    let time = &facts["date_time"];
    assert_eq!(time["date"], "2023-11-15");
    assert_eq!(
        (&time["time"], &time["tz_offset"]),
        (&json!("03:43:20"), &json!("+0530"))
    );
    assert_eq!(time["iso8601_micro"], "2023-11-14T22:13:20.000005Z");
    assert_eq!(time["epoch"], "1700000000");
    let dst = json!({"date": "1700000000 0 +0100 CET\n+0200 CEST\n"});
    let facts = facts_of(dst, system::date_time);
    assert_eq!(facts["date_time"]["tz_dst"], "CEST");
}

#[test]
fn values_of_the_environment_may_hold_newlines() {
    let facts = facts_of(json!({"env": "A=1\nB=two\u{1}lines\nC=3\n"}), system::env);
    assert_eq!(facts["env"]["B"], "two\nlines");
    let facts = facts_of(json!({"env": "A=1\n more\nB=2\n"}), system::env);
    assert_eq!(facts["env"], json!({"A": "1\n more", "B": "2"}));
}
