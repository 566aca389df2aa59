//! The direction of dependencies, read off the sources: what may use what is the table of
//! docs/architecture.md.

#![allow(
    clippy::unwrap_used,
    reason = "a test that can't read the sources has failed"
)]

use std::fs;
use std::path::{Path, PathBuf};

const ALLOWED: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("event", &["base"]),
    ("inventory", &["base"]),
    ("template", &["base"]),
    ("vault", &["base"]),
    ("config", &["base"]),
    ("shell", &["base"]),
    ("target", &["base", "event"]),
    ("store", &["base", "event"]),
    ("repository", &["base", "event", "store"]),
    ("report", &["base", "event", "inventory"]),
    ("transport", &["base", "event", "target"]),
    (
        "transfer",
        &["base", "event", "target", "transport", "shell"],
    ),
    ("doctor", &["base", "shell"]),
    ("module", &["base", "shell"]),
    (
        "playbook",
        &[
            "base",
            "event",
            "template",
            "inventory",
            "module",
            "shell",
            "target",
            "transport",
            "transfer",
            "engine",
        ],
    ),
    (
        "engine",
        &["base", "event", "target", "transport", "transfer", "shell"],
    ),
];

/// Crates that only these rooms may know.
const CRATES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("russh", &["transport/ssh"]),
    ("hyper", &["transport/winrm", "transfer/pull"]),
    ("sspi", &["transport/winrm"]),
    // (A test of what PowerShell fetches has a server of its own.)
    (
        "tokio_rustls",
        &[
            "transport/winrm",
            "transfer/pull",
            "shell/windows/tests/pull",
            "playbook/run/work/web",
        ],
    ),
    ("ureq", &["playbook/run/work/web"]),
    ("rcgen", &["transfer/pull", "shell/windows/tests/pull"]),
    ("serde_yaml", &["base/yaml"]),
    ("granit_parser", &["base/yaml"]),
    ("minijinja", &["template"]),
    // (The template room searches by what base has translated.)
    ("fancy_regex", &["base/python_re", "template"]),
    ("indicatif", &["report"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The lines of a file that are code, without its tests.
fn code(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.split("\n#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.starts_with("//"))
        .collect()
}

/// The rooms that a line names: of `use crate::{base::x, event}` and of `crate::base::x`.
fn rooms(line: &str) -> Vec<String> {
    line.match_indices("crate::")
        .filter(|(at, _)| {
            let before = line.get(..*at).unwrap_or_default();
            !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
        })
        .flat_map(|(at, found)| {
            let rest = line.get(at + found.len()..).unwrap_or_default();
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(group) => group.split(',').collect(),
                None => vec![rest],
            };
            names
                .into_iter()
                .map(|name| {
                    name.trim()
                        .chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect()
                })
                .collect::<Vec<String>>()
        })
        .collect()
}

#[test]
fn each_room_uses_only_what_stands_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    let mut seen = 0;
    for (room, allowed) in ALLOWED {
        for file in sources(&src.join(room)) {
            for line in code(&file) {
                for used in rooms(&line) {
                    seen += 1;
                    let known = ALLOWED.iter().any(|(name, _)| *name == used) || used == "cli";
                    if known && used != *room && !allowed.contains(&used.as_str()) {
                        broken.push(format!("{}: {room} must not know {used}", file.display()));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(seen > 50, "the test no longer finds the uses: {seen}");
}

#[test]
fn each_foreign_crate_is_known_in_its_rooms_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for file in sources(&src) {
        let place = file
            .strip_prefix(&src)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        for line in code(&file) {
            for (name, rooms) in CRATES {
                let known = rooms.iter().any(|room| place.starts_with(room));
                if line.contains(&format!("{name}::")) && !known {
                    broken.push(format!(
                        "src/{place}: only {} knows {name}",
                        rooms.join(", ")
                    ));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mute: Vec<String> = [
        root.join("src"),
        root.join("tests/fleet/src"),
        root.join("tests/it"),
    ]
    .iter()
    .flat_map(|folder| sources(folder))
    .filter(|file| !fs::read_to_string(file).unwrap().starts_with("//!"))
    .map(|file| file.display().to_string())
    .collect();
    assert!(mute.is_empty(), "{}", mute.join("\n"));
}
