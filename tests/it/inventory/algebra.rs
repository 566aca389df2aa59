//! Patterns are sets: union, intersection and difference agree with set algebra on any inventory;
//! folding and expanding host names lose nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Instant;

use ioms::inventory::hostset::{expand, fold};
use ioms::inventory::{Inventory, pattern, select};
use proptest::prelude::*;

use super::read;

type Groups = BTreeMap<String, BTreeSet<String>>;

/// Groups `g0` to `g4` over hosts `h00` to `h19`; each host is in some group.
fn groups() -> impl Strategy<Value = Groups> {
    let members = proptest::collection::btree_set(0..20u8, 0..12);
    proptest::collection::vec(members, 2..5).prop_map(|groups| {
        let named = groups.into_iter().enumerate().map(|(at, members)| {
            let members = members.iter().map(|host| format!("h{host:02}")).collect();
            (format!("g{at}"), members)
        });
        named.collect()
    })
}

fn inventory(groups: &Groups) -> Inventory {
    let mut text = String::from("alone\n");
    for (name, hosts) in groups {
        let _ = writeln!(text, "[{name}]");
        for host in hosts {
            let _ = writeln!(text, "{host}");
        }
    }
    read("hosts.ini", &text).unwrap()
}

fn chosen(inventory: &Inventory, pattern: &str) -> BTreeSet<String> {
    let chosen = select(inventory, pattern, &[], &[]).unwrap();
    let names = chosen.names(inventory);
    let set: BTreeSet<String> = names.iter().map(ToString::to_string).collect();
    assert_eq!(set.len(), names.len(), "a host is chosen twice");
    set
}

fn expanded(folded: &str) -> BTreeSet<String> {
    pattern::split_top(folded, &[','])
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .flat_map(|piece| expand(piece).unwrap())
        .collect()
}

proptest! {
    #[test]
    fn patterns_are_set_algebra(groups in groups(), picks in proptest::collection::vec((0..3u8, 0..5usize), 1..6)) {
        let inventory = inventory(&groups);
        let all: BTreeSet<String> = inventory.host_names().map(ToString::to_string).collect();
        let names: Vec<&String> = groups.keys().collect();
        let mut text = Vec::new();
        let (mut any, mut must, mut not) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        let mut named = false;
        for (operator, group) in picks {
            let group = names[group % names.len()];
            let members = groups[group].clone();
            match operator {
                0 => {
                    text.push(group.clone());
                    any.extend(members);
                    named = true;
                }
                1 => {
                    text.push(format!("&{group}"));
                    must.push(members);
                }
                _ => {
                    text.push(format!("!{group}"));
                    not.extend(members);
                }
            }
        }
        let mut expected = if named { any } else { all };
        for members in must {
            expected = expected.intersection(&members).cloned().collect();
        }
        expected = expected.difference(&not).cloned().collect();
        for separator in [":", ",", ", "] {
            prop_assert_eq!(&chosen(&inventory, &text.join(separator)), &expected);
        }
    }

    #[test]
    fn limits_and_exclusions_are_set_algebra_too(groups in groups()) {
        let inventory = inventory(&groups);
        let (one, other) = (&groups["g0"], &groups["g1"]);
        let names = |limits: &[String], excludes: &[String]| -> BTreeSet<String> {
            let chosen = select(&inventory, "g0", limits, excludes).unwrap();
            chosen.names(&inventory).iter().map(ToString::to_string).collect()
        };
        let (both, rest) = (one & other, one - other);
        prop_assert_eq!(names(&["g1".into()], &[]), both);
        prop_assert_eq!(names(&[], &["g1".into()]), rest);
        prop_assert_eq!(names(&["g1".into()], &["g1".into()]), BTreeSet::new());
    }

    #[test]
    fn subscripts_count_from_either_end(groups in groups(), first in 0..14usize, last in 0..14usize) {
        let inventory = inventory(&groups);
        let members: Vec<&String> = groups["g0"].iter().collect();
        let part = |from: usize, to: usize| -> BTreeSet<String> {
            members.iter().take(to).skip(from).map(ToString::to_string).collect()
        };
        prop_assert_eq!(chosen(&inventory, &format!("g0[{first}:{last}]")), part(first, last + 1));
        prop_assert_eq!(chosen(&inventory, &format!("g0[{first}]")), part(first, first + 1));
        prop_assert_eq!(chosen(&inventory, &format!("g0[{first}:]")), part(first, usize::MAX));
        let from_end = members.len().saturating_sub(first);
        if first > 0 {
            prop_assert_eq!(chosen(&inventory, &format!("g0[-{first}:]")), part(from_end, usize::MAX));
        }
        prop_assert_eq!(chosen(&inventory, &format!("g0[:{last}]")), part(0, last + 1));
        let back = members.len().checked_sub(first + 1);
        let expected = back.map_or(BTreeSet::new(), |at| part(at, at + 1));
        prop_assert_eq!(chosen(&inventory, &format!("g0[-{}]", first + 1)), expected);
    }

    #[test]
    fn what_is_folded_chooses_the_same_hosts(groups in groups()) {
        let inventory = inventory(&groups);
        let hosts = &groups["g0"];
        prop_assume!(!hosts.is_empty());
        let folded = fold(hosts.iter().map(String::as_str));
        prop_assert_eq!(&chosen(&inventory, &folded), hosts);
    }

    #[test]
    fn folding_loses_no_name(
        names in proptest::collection::btree_set("[a-c主机._-]{0,3}[0-9]{0,4}([.-][a-b]{0,1}[0-9]{0,3}){0,2}", 0..60)
    ) {
        let names: BTreeSet<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
        let folded = fold(names.iter().map(String::as_str));
        prop_assert_eq!(expanded(&folded), names, "{}", folded);
    }

    #[test]
    fn no_pattern_makes_it_panic(text in ".{0,40}", like in "[a-h0-9~!&:,*?\\[\\](){}.-]{0,30}") {
        let inventory = read("hosts.ini", "[g0]\nh[00:19]\n[a:children]\ng0\n").unwrap();
        for text in [text, like] {
            if let Ok(chosen) = select(&inventory, &text, &[], &[]) {
                prop_assert!(chosen.len() <= 21);
            }
        }
    }

    #[test]
    fn no_inventory_makes_it_panic(yaml in "[a-c0-9:{}\\[\\],&*!|>'\"# \n-]{0,60}", ini in "[a-c0-9:=\\[\\]'\"#; \n]{0,60}") {
        for (name, text) in [("hosts.yml", &yaml), ("hosts.ini", &ini)] {
            if let Ok(inventory) = read(name, text) {
                ioms::inventory::list_document(&inventory).unwrap();
            }
        }
    }
}

#[test]
fn brackets_are_subscripts_names_or_classes() {
    let inventory = read("hosts.ini", "[web]\nweb[1:9]\n[db]\ndb1\n").unwrap();
    for (pattern, expected) in [
        ("web[1]", "web2"),
        ("web[-1]", "web9"),
        ("web[7:99]", "web8 web9"),
        ("web[1-2]", "web1 web2"),
        ("web[2,4-5]", "web2 web4 web5"),
        ("db[1]", ""),
        ("nobody[1]", ""),
        ("w*[1-3]", "web1 web2 web3"),
        ("web[!1-8]", "web9"),
        ("w*[1:2]", "web2 web3"),
        ("*[-1]", "db1"),
        ("[a-z]eb[1-2]", "web1 web2"),
    ] {
        let found = chosen(&inventory, pattern);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found.join(" "), expected, "{pattern}");
    }
}

#[test]
fn ten_thousand_names_fold_at_once() {
    let names: Vec<String> = (0..10_000)
        .map(|at| match at % 4 {
            0 => format!("web{at:05}"),
            1 => format!("r{}n{}.idc{}.example.com", at / 100, at % 100, at % 3),
            2 => format!("10.{}.{}.{}", at % 7, at / 256, at % 256),
            _ => format!("游服{at}区"),
        })
        .collect();
    let started = Instant::now();
    let folded = fold(names.iter().map(String::as_str));
    let took = started.elapsed();
    assert_eq!(expanded(&folded), names.into_iter().collect());
    // It takes some hundredths of a second without optimization; squares would take minutes.
    assert!(took.as_secs() < 5, "{took:?}");
}

#[test]
fn plays_take_hosts_in_the_order_that_ansible_counts_them() {
    let inventory = read(
        "hosts.ini",
        "[a]\nh1\nh2\n[b]\nh3\nh2\nh1\n[c:children]\nb\na\n[d]\nh5\nh4\n",
    )
    .unwrap();
    let chosen = |pattern: &str| select(&inventory, pattern, &[], &[]).unwrap();
    let counted = |pattern: &str| chosen(pattern).counted_names(&inventory).join(" ");
    // As ansible-core 2.19 answers.
    assert_eq!(counted("b"), "h3 h2 h1");
    assert_eq!(counted("c"), "h3 h2 h1");
    assert_eq!(counted("a,b"), "h1 h2 h3");
    assert_eq!(counted("h3,h1"), "h3 h1");
    assert_eq!(counted("b[0]:a[1]"), "h3 h2");
    assert_eq!(counted("all"), "h5 h4 h3 h2 h1");
    assert_eq!(counted("all:!h5"), "h4 h3 h2 h1");
    assert_eq!(counted("&b:!h2"), "h3 h1");
    assert_eq!(counted("h3,localhost,h1"), "h3 localhost h1");
    assert_eq!(counted("localhost,all:!h5:!localhost"), "h4 h3 h2 h1");
    assert_eq!(counted("localhost,h1:&localhost"), "localhost");
    // What lists hosts otherwise does so as the inventory first names them.
    let listed = |pattern: &str| chosen(pattern).names(&inventory).join(" ");
    assert_eq!(listed("b"), "h1 h2 h3");
    assert_eq!(listed("localhost,b"), "h1 h2 h3 localhost");
}
