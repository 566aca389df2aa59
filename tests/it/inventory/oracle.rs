//! Inventories against Ansible itself: what `ansible-inventory` and `ansible --list-hosts` said of
//! the files in `fixtures/inventory` is committed beside them (`make.py` writes it).

use std::fs;
use std::path::{Path, PathBuf};

use ioms::inventory::{self, Inventory, Loader};
use serde_json::Value as Json;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/inventory")
}

/// The cases, by name.
fn cases() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("in").is_dir())
        .collect();
    found.sort();
    found
}

/// Loads a case as `make.py` gives it to Ansible.
fn load(case: &Path) -> Inventory {
    let inside = case.join("in");
    let sources: Vec<String> = if let Ok(text) = fs::read_to_string(case.join("sources")) {
        text.lines().map(str::to_owned).collect()
    } else {
        let entries = fs::read_dir(&inside).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let mut loader = Loader::new(None);
    for source in sources {
        let path = inside.join(&source);
        let source = if path.exists() {
            path.to_str().unwrap().to_owned()
        } else {
            source
        };
        if let Err(error) = loader.add(&source) {
            panic!("{source}: {error}");
        }
    }
    loader.finish()
}

/// Where two documents differ.
fn differences(path: &str, ours: &Json, theirs: &Json, found: &mut Vec<String>) {
    if let (Json::Object(ours), Json::Object(theirs)) = (ours, theirs) {
        for key in ours.keys().chain(theirs.keys()) {
            let at = format!("{path}/{key}");
            let (one, other) = (ours.get(key), theirs.get(key));
            let null = Json::from("(not there)");
            let seen = found.iter().any(|line| line.starts_with(&format!("{at}:")));
            if one != other && !seen {
                differences(&at, one.unwrap_or(&null), other.unwrap_or(&null), found);
            }
        }
    } else if ours != theirs {
        found.push(format!("{path}: ours {ours}, Ansible's {theirs}"));
    }
}

#[test]
fn groups_hosts_and_variables_are_ansibles() {
    let mut found = Vec::new();
    for case in cases() {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let ours = inventory::list_document(&load(&case)).unwrap();
        let theirs = fs::read_to_string(case.join("list.json")).unwrap();
        let theirs: Json = serde_json::from_str(&theirs).unwrap();
        differences(&name, &ours, &theirs, &mut found);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(cases().len() >= 17, "cases are missing");
}

/// Variables that we print otherwise on purpose: a mapping's keys are text here, so `{1: 'a'}` prints
/// as `{'1': 'a'}`.
const PRINTED_OTHERWISE: &[&str] = &["--{k1 = ", "--{idict = "];

#[test]
fn the_tree_is_drawn_as_ansible_draws_it() {
    for case in cases() {
        let ours = inventory::graph(&load(&case), true).unwrap();
        let theirs = fs::read_to_string(case.join("graph.txt")).unwrap();
        let lines = |text: &str| -> Vec<String> {
            let printed = |line: &&str| !PRINTED_OTHERWISE.iter().any(|odd| line.contains(odd));
            text.lines().filter(printed).map(str::to_owned).collect()
        };
        for (ours, theirs) in lines(&ours).iter().zip(lines(&theirs)) {
            assert_eq!(*ours, theirs, "{}", case.display());
        }
        assert_eq!(lines(&ours).len(), lines(&theirs).len());
    }
}

/// Patterns that we read otherwise on purpose: brackets with `-` are a range of names (what folding
/// prints; Ansible's `x-y` subscripts are deprecated); the implicit host is always called localhost.
const READ_OTHERWISE: &[(&str, &[&str])] = &[
    ("web0[1-3]", &["web01", "web02", "web03"]),
    ("127.0.0.1", &["localhost"]),
];

#[test]
fn patterns_choose_what_ansible_chooses() {
    let case = fixtures().join("patterns");
    let inventory = load(&case);
    let order: Vec<String> = inventory.host_names().map(ToString::to_string).collect();
    let mut found = Vec::new();
    let answers = fs::read_to_string(case.join("patterns.txt")).unwrap();
    for line in answers.lines() {
        let (pattern, hosts) = line.rsplit_once(" =").unwrap();
        // Ours come in the order of the inventory, whatever the pattern.
        let mut theirs: Vec<&str> = hosts.split_whitespace().collect();
        theirs.sort_by_key(|host| order.iter().position(|name| name == host));
        let chosen = inventory::select(&inventory, pattern, &[], &[]).unwrap();
        let ours = chosen.names(&inventory);
        let ours: Vec<&str> = ours.iter().map(AsRef::as_ref).collect();
        let otherwise = READ_OTHERWISE.iter().find(|(each, _)| *each == pattern);
        if ours != otherwise.map_or(theirs.as_slice(), |(_, hosts)| hosts) {
            found.push(format!("{pattern}: ours {ours:?}, Ansible's {theirs:?}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
