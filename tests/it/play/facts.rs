//! Facts that plays find: on record in both databases, and serving later runs as long as `facts.ttl`
//! says.

use std::sync::Arc;
use std::time::Duration;

use ioms::base::clock;
use ioms::store::{DatabaseUrl, OF_PLAYS, Store};
use ioms_fleet::MariaDb;
use serde_json::{Value, json};

use super::pair;
use crate::support::{Desk, Ran, mariadb, on_both};

/// Two hosts and where their facts are kept.
struct Bed {
    desk: Desk,
    url: DatabaseUrl,
    /// MariaDB's address, and the server.
    server: Option<(String, MariaDb)>,
}

impl Bed {
    fn sqlite() -> Self {
        let desk = pair();
        let url = DatabaseUrl::in_folder(&desk.dir.path().join("data"));
        Self {
            desk,
            url,
            server: None,
        }
    }

    async fn mariadb() -> Self {
        let (server, address) = mariadb().await;
        Self {
            desk: pair(),
            url: DatabaseUrl::parse(&address).unwrap(),
            server: Some((address, server)),
        }
    }

    /// Plays this; `ttl` is what `facts.ttl` says.
    fn play(&self, ttl: Option<&str>, plays: &str, args: &[&str]) -> Ran {
        let site = self.desk.file("site.yml", plays);
        let mut command = self.desk.command(&["play", site.to_str().unwrap()]);
        command.args(args);
        if let Some((address, _)) = &self.server {
            command.env("IOMS_DATABASE", address);
        }
        if let Some(ttl) = ttl {
            command.env("IOMS_FACTS_TTL", ttl);
        }
        Ran::of(command)
    }

    /// What a host says of itself in a play that gathers nothing.
    fn known(&self, ttl: Option<&str>) -> String {
        let asked = "- hosts: web01\n  gather_facts: false\n  tasks:\n  - debug: msg=\"<{{ ansible_distribution | d('nothing') }} {{ ansible_facts.answer | d('nothing') }} {{ hostvars.web02.ansible_facts.answer | d('nothing') }}>\"\n";
        let ran = self.play(ttl, asked, &[]).ends_with(0);
        let said = ran.stdout.split_once('<').unwrap().1;
        said.split_once('>').unwrap().0.to_owned()
    }

    async fn on_record(&self, host: &str) -> Vec<(String, Value)> {
        let store = Store::open(&self.url).await.unwrap();
        let hosts = [Arc::from(host)];
        let since = jiff::Timestamp::UNIX_EPOCH;
        let facts = store.facts_since(&hosts, &OF_PLAYS, since).await.unwrap();
        store.close().await;
        facts
            .into_iter()
            .map(|fact| (fact.name, fact.value))
            .collect()
    }

    async fn forget(&self) {
        let clears = "- hosts: web01\n  gather_facts: false\n  tasks: [{meta: clear_facts}]\n";
        self.play(None, clears, &[]).ends_with(0);
        assert_eq!(self.on_record("web01").await, []);
    }

    async fn plant(&self, facts: &[(&str, Value)], age: Duration) {
        let store = Store::open(&self.url).await.unwrap();
        let facts: Vec<_> = facts
            .iter()
            .map(|(name, value)| (Arc::from("web01"), *name, value.clone()))
            .collect();
        let put = store.put_facts(&facts, clock::now() - age);
        put.await.unwrap();
        store.close().await;
    }
}

#[test]
fn the_setting_gathering_is_for_plays_that_do_not_say_whether_they_gather() {
    let desk = pair();
    let play = |said: &str, word: &str| {
        format!(
            "- hosts: web01\n{said}  tasks:\n  - debug: msg='{word} {{{{ ansible_distribution | d('unknown') }}}}'\n"
        )
    };
    let with = |gathering: &str, plays: &str| {
        let site = desk.file("site.yml", plays);
        let mut command = desk.command(&["play", site.to_str().unwrap()]);
        command.env("ANSIBLE_GATHERING", gathering);
        Ran::of(command).ends_with(0).stdout
    };
    let said = with("explicit", &play("", "first"));
    assert!(said.contains("first unknown"), "{said}");
    assert!(!said.contains("Gathering Facts"), "{said}");
    let said = with("explicit", &play("  gather_facts: true\n", "first"));
    assert!(!said.contains("unknown"), "{said}");
    // The time of gathering tells whether it was done again.
    let when = play("", "at").replace("ansible_distribution", "ansible_date_time.iso8601_micro");
    for (gathering, times) in [("implicit", 2), ("smart", 1)] {
        let said = with(gathering, &format!("{when}{when}"));
        let lines = said.lines().filter(|line| line.contains("\"at 2"));
        let mut lines: Vec<&str> = lines.collect();
        assert_eq!(lines.len(), 2, "{said}");
        lines.dedup();
        assert_eq!(lines.len(), times, "{gathering}: {said}");
    }
}

on_both! { "facts on MariaDB":
    facts_are_on_record_and_serve_others_only_where_the_settings_say_so
    facts_that_are_known_are_not_gathered_again_and_are_no_templates
    facts_are_forgotten_when_a_play_or_a_flag_says_so
}

mod promises {
    use super::*;

    pub(super) async fn facts_are_on_record_and_serve_others_only_where_the_settings_say_so(
        bed: Bed,
    ) {
        bed.desk.file("password", "secret");
        bed.desk.file("vault.yml", "hidden: Geheimnis\n");
        let password = ["--vault-password-file", "password"];
        let encrypt = ["vault", "encrypt", "vault.yml"];
        let encrypted = bed.desk.run(&[&encrypt[..], &password[..]].concat());
        encrypted.ends_with(0);
        let found = "- hosts: all
  vars_files: [vault.yml]
  tasks:
  - set_fact: {answer: \"{{ ansible_distribution | length + 30 }}\", cacheable: true}
  - set_fact: {plain: 1}
  - set_fact: {silent: 1, cacheable: true}
    no_log: true
  - set_fact: {masked: 'of {{ hidden }}', cacheable: true}
  - set_fact: {'each_{{ item }}': '{{ item }}', cacheable: true}
    loop: [one, two]
  - set_fact: {theirs: 1, cacheable: true}
    delegate_to: web02
    delegate_facts: true
    when: inventory_hostname == 'web01'
";
        bed.play(None, found, &password).ends_with(0);
        let facts = bed.on_record("web01").await;
        let of = |name: &str| facts.iter().find(|(known, _)| known == name);
        assert!(of("ansible.distribution").is_some(), "{facts:?}");
        assert_eq!(of("fact._ansible_facts_gathered").unwrap().1, json!(true));
        assert_eq!(of("fact.each_two").unwrap().1, json!("two"));
        for none in ["fact.plain", "fact.silent", "fact.masked", "fact.theirs"] {
            assert_eq!(of(none), None);
        }
        let theirs = bed.on_record("web02").await;
        assert!(theirs.iter().any(|(name, _)| name == "fact.theirs"));
        assert!(!format!("{facts:?}").contains("Geheimnis"));

        assert_eq!(bed.known(None), "nothing nothing nothing");
        assert_eq!(bed.known(Some("0")), "nothing nothing nothing");
        let known = bed.known(Some("1d"));
        assert!(!known.contains("nothing"), "{known}");
    }

    pub(super) async fn facts_that_are_known_are_not_gathered_again_and_are_no_templates(bed: Bed) {
        let gathers = "- hosts: web01\n  tasks:\n  - debug: msg='<{{ ansible_distribution }}>'\n";
        let two_hours = Duration::from_hours(2);
        let planted = [
            ("ansible.distribution", json!("{{ 1 + 1 }}")),
            ("fact._ansible_facts_gathered", json!(true)),
            ("fact.gather_subset", json!(["all"])),
        ];
        bed.plant(&planted, two_hours).await;
        let ran = bed.play(Some("3h"), gathers, &[]).ends_with(0);
        assert!(ran.stdout.contains("<{{ 1 + 1 }}>"), "{ran:?}");
        assert!(ran.stdout.contains("TASK [Gathering Facts]"), "{ran:?}");
        assert!(ran.stdout.contains("ok=2 "), "{ran:?}");
        // What is too old, was gathered of some kinds only, or is asked for by a task is gathered.
        let asked = gathers.replace("  tasks:\n", "  tasks:\n  - setup:\n");
        for (ttl, subset, plays) in [
            ("1h", "all", gathers),
            ("3h", "min", gathers),
            ("3h", "all", &*asked),
        ] {
            bed.forget().await;
            let mut planted = planted.clone();
            planted[2].1 = json!([subset]);
            bed.plant(&planted, two_hours).await;
            let ran = bed.play(Some(ttl), plays, &[]).ends_with(0);
            assert!(!ran.stdout.contains("1 + 1"), "{ran:?}");
        }
    }

    pub(super) async fn facts_are_forgotten_when_a_play_or_a_flag_says_so(bed: Bed) {
        let known = [("fact.answer", json!(42))];
        let clears = r#"- hosts: web01
  gather_facts: false
  tasks:
  - meta: clear_facts
  - debug: msg="<{{ ansible_facts.answer | d('gone') }}>"
"#;
        bed.plant(&known, Duration::ZERO).await;
        assert_eq!(bed.known(Some("1d")), "nothing 42 nothing");
        let ran = bed.play(Some("1d"), clears, &[]).ends_with(0);
        assert!(ran.stdout.contains("<gone>"), "{ran:?}");
        assert_eq!(bed.on_record("web01").await, []);
        bed.plant(&known, Duration::ZERO).await;
        let nothing = "- hosts: web01\n  gather_facts: false\n  tasks:\n  - debug:\n";
        let args = ["--flush-cache"];
        bed.play(Some("1d"), nothing, &args).ends_with(0);
        assert_eq!(bed.on_record("web01").await, []);
        assert_eq!(bed.known(Some("1d")), "nothing nothing nothing");
    }
}
