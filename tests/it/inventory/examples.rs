//! The inventories that ship as examples stay true: each alone, and the folder as `-i inventory`.

use std::fs;
use std::path::{Path, PathBuf};

use ioms::base::value::Value;
use ioms::inventory::{self, Inventory, Loader};

use super::read;

fn example(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("inventory").join(name)
}

fn load(name: &str) -> Inventory {
    let mut loader = Loader::new(None);
    loader.add(example(name).to_str().unwrap()).unwrap();
    let inventory = loader.finish();
    assert!(
        inventory.warnings().is_empty(),
        "{:?}",
        inventory.warnings()
    );
    inventory
}

fn choose(inventory: &Inventory, pattern: &str) -> String {
    let chosen = inventory::select(inventory, pattern, &[], &[]).unwrap();
    assert!(chosen.unmatched.is_empty());
    chosen.names(inventory).join(" ")
}

fn value(inventory: &Inventory, host: &str, name: &str) -> Option<Value> {
    inventory
        .variable(host, name)
        .unwrap()
        .map(|found| found.value)
}

#[test]
fn the_yaml_example_is_true() {
    let inventory = load("example.yml");
    assert_eq!(choose(&inventory, "game:&idc_a:!canary"), "game02");
    assert_eq!(choose(&inventory, "windows"), "login-a login-b 充值01");
    assert_eq!(
        value(&inventory, "game03", "ansible_port"),
        Some(Value::Int(2222))
    );
    assert_eq!(
        value(&inventory, "充值01", "output_encoding"),
        Some(Value::string("gbk"))
    );
    assert_eq!(
        value(&inventory, "db01", "ansible_user"),
        Some(Value::string("ops"))
    );
    assert_eq!(
        value(&inventory, "login-a", "ansible_user"),
        Some(Value::string("Administrator"))
    );
}

#[test]
fn the_ini_example_is_true() {
    let inventory = load("example.ini");
    let expected = "web02.example.com web03.example.com www.example.com";
    assert_eq!(choose(&inventory, "web:!web[0]"), expected);
    assert_eq!(choose(&inventory, "ungrouped"), "bastion.example.com");
    assert_eq!(
        value(&inventory, "web01.example.com", "ansible_port"),
        Some(Value::Int(2200))
    );
    assert_eq!(
        value(&inventory, "cacheb.example.com", "mode"),
        Some(Value::string("0644"))
    );
    let ports = Value::List(vec![Value::Int(80), Value::Int(443)]);
    assert_eq!(value(&inventory, "www.example.com", "ports"), Some(ports));
}

#[test]
fn the_spreadsheet_example_is_true() {
    let imported = inventory::import_csv(&fs::read(example("hosts.csv")).unwrap()).unwrap();
    assert_eq!((imported.hosts, imported.warnings.len()), (3, 0));
    let inventory = read("hosts.yml", &imported.yaml).unwrap();
    assert_eq!(choose(&inventory, "game_cn:&idc_b"), "游服_01 游服_02");
    assert_eq!(
        value(&inventory, "游服_02", "note"),
        Some(Value::string("二区,新服"))
    );
    assert_eq!(
        value(&inventory, "网关", "机房"),
        Some(Value::string("北京"))
    );
}

#[test]
fn the_examples_load_together_as_a_folder() {
    let inventory = load("");
    assert_eq!(
        choose(&inventory, "canary,cache[-1]"),
        "cachec.example.com game01"
    );
}
