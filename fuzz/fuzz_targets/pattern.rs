//! Patterns, ranges and folding: nothing panics, exclusion excludes, folding loses no name.
#![no_main]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use ioms::inventory::hostset::{expand, fold};
use ioms::inventory::{Inventory, Loader, pattern, select};
use libfuzzer_sys::fuzz_target;

static INVENTORY: LazyLock<Inventory> = LazyLock::new(|| {
    let text = "solo\n[web]\nweb[01:12]\n[db]\ndb1\nweb03\n[idc_a:children]\ndb\n[游戏]\n游服[1:2]\n[v6]\nfe80::1\n";
    let mut loader = Loader::new(None);
    loader
        .add_text(Path::new("hosts.ini"), text)
        .expect("a good inventory");
    loader.finish()
});

fuzz_target!(|text: &str| {
    if let Ok(chosen) = select(&INVENTORY, text, &[], &[]) {
        let all = select(&INVENTORY, "all", &[], &[]).expect("a good pattern");
        assert!(chosen.len() <= all.len() + 1);
        let none = select(&INVENTORY, text, &[], &["all".into()]).expect("it was good before");
        assert!(
            none.names(&INVENTORY)
                .iter()
                .all(|name| &**name == "localhost")
        );
    }
    let in_names = |c: char| c.is_alphanumeric() || ".-_".contains(c);
    // Ranges that would be long are the work of a test, not of a fuzzer; names that hold signs of
    // the syntax (`a,b` is one to `expand`) can't be told from it when folded.
    if let Ok(names) = expand(text) {
        let names_only = names
            .iter()
            .all(|name| !name.is_empty() && name.chars().all(in_names));
        if names_only && names.len() < 1000 {
            assert_eq!(
                unfolded(&fold(names.iter().map(String::as_str))),
                set(&names)
            );
        }
    }
    let names: Vec<String> = text
        .split(|c: char| !in_names(c))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let folded = fold(names.iter().map(String::as_str));
    assert_eq!(unfolded(&folded), set(&names), "{folded}");
});

fn set(names: &[String]) -> BTreeSet<String> {
    names.iter().cloned().collect()
}

/// The names of a folded set.
fn unfolded(folded: &str) -> BTreeSet<String> {
    pattern::split_top(folded, &[','])
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .flat_map(|piece| expand(piece).expect("what was folded"))
        .collect()
}
