//! An inventory of ten thousand hosts with variables.

use std::fmt::Write as _;
use std::fs;

use ioms::base::value::Value;
use ioms::inventory::{self, Loader};

#[test]
fn ten_thousand_hosts_load_with_their_variables() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut yaml = String::from("all:\n  vars: {colour: blue}\n  children:\n");
    for group in 0..100 {
        let _ = write!(
            yaml,
            "    g{group}:\n      vars: {{group: {group}}}\n      hosts:\n"
        );
        for host in 0..50 {
            let number = group * 50 + host;
            let _ = writeln!(
                yaml,
                "        y{number:04}: {{ansible_host: 10.1.{group}.{host}, n: {number}, tags: [a, b]}}"
            );
        }
    }
    fs::write(path("a.yml"), yaml).unwrap();
    let mut ini = String::from("[ini]\n");
    for number in 0..5000 {
        let _ = writeln!(ini, "i{number:04} n={number} note='host {number}'");
    }
    fs::write(path("b"), ini).unwrap();
    fs::create_dir(path("group_vars")).unwrap();
    fs::write(path("group_vars/all.yml"), "everyone: yes\n").unwrap();
    fs::create_dir(path("host_vars")).unwrap();
    fs::write(path("host_vars/y0042.yml"), "n: special\n").unwrap();

    let mut loader = Loader::new(None);
    loader.add(folder.path().to_str().unwrap()).unwrap();
    let inventory = loader.finish();
    assert_eq!(inventory.host_names().len(), 10_000);
    let value = |host: &str, name: &str| {
        let found = inventory.variable(host, name).unwrap();
        found.map(|found| found.value)
    };
    assert_eq!(value("y4999", "n"), Some(Value::Int(4999)));
    assert_eq!(value("y0042", "n"), Some(Value::string("special")));
    assert_eq!(value("i4999", "note"), Some(Value::string("host 4999")));
    assert_eq!(value("i4999", "everyone"), Some(Value::Bool(true)));
    assert_eq!(value("y0150", "group"), Some(Value::Int(3)));
    let document = inventory::list_document(&inventory).unwrap();
    let hostvars = document.pointer("/_meta/hostvars").unwrap();
    assert_eq!(hostvars.as_object().unwrap().len(), 10_000);
    let chosen = inventory::select(&inventory, "all:!ini:&g7*", &[], &[]).unwrap();
    assert_eq!(chosen.len(), 11 * 50);
}
