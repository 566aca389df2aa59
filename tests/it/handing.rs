//! `upload repo:NAME`: hosts are given what is published, as it was added, and who was given it is on
//! record; on SQLite and on MariaDB alike.

use ioms_fleet::MariaDb;
use serde_json::Value;

use crate::support::{Lab, Ran, each};
use crate::upload::bed::{Bed, names, noise};

/// Hosts, a place on them, and a repository whose record is in one of the databases.
struct Handing {
    bed: Bed,
    server: Option<(MariaDb, String)>,
}

impl Handing {
    fn sqlite(hosts: usize) -> Self {
        Self {
            bed: Bed::of(Lab::new(hosts)),
            server: None,
        }
    }

    fn mariadb(hosts: usize) -> Self {
        let server = MariaDb::start().unwrap();
        let url = server.database("ioms").unwrap();
        let handing = Self {
            server: Some((server, url)),
            ..Self::sqlite(hosts)
        };
        handing.run(&["db", "migrate"]).ends_with(0);
        handing
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.bed.lab.desk.command(args);
        if let Some((_, url)) = &self.server {
            command.env("IOMS_DATABASE", url);
        }
        Ran::of(command)
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[&["--output", "json"], args].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// Adds a file of this content, published.
    fn publish(&self, name: &str, version: &str, content: &[u8]) {
        let file = self.bed.lab.desk.file("source", content);
        let file = file.to_str().unwrap();
        let args = ["repo", "add", file, "--publish", "--name", name];
        self.run(&[&args[..], &["--version", version]].concat())
            .ends_with(0);
    }

    #[track_caller]
    fn upload(&self, args: &[&str]) -> Value {
        let hosts = ["upload", "-g", "all", "-f", "1"];
        self.json(&[&hosts, args].concat())
    }

    /// The hosts that were given a file, by run: `web01 RUN`.
    fn fetches(&self, reference: &str) -> Vec<String> {
        let shown = self.json(&["repo", "show", reference]);
        let fetches = shown["fetches"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut fetches: Vec<String> = fetches
            .map(|fetch| {
                assert!(!text(&fetch["by"]).is_empty(), "{shown}");
                format!("{} {}", text(&fetch["host"]), text(&fetch["run"]))
            })
            .collect();
        fetches.sort();
        fetches
    }
}

/// One test on both engines.
macro_rules! on_both {
    ($($name:ident)*) => {$(
        mod $name {
            #[test]
            fn on_sqlite() {
                super::promises::$name(super::Handing::sqlite);
            }

            #[test]
            fn on_mariadb() {
                if ioms_fleet::left_out("handing out files on MariaDB", "mariadbd") {
                    return;
                }
                super::promises::$name(super::Handing::mariadb);
            }
        }
    )*};
}

on_both! {
    hosts_are_given_what_is_published_and_those_that_were_are_on_record
    a_transfer_comes_back_as_the_document_it_printed
}

mod promises {
    use super::*;

    pub(super) fn hosts_are_given_what_is_published_and_those_that_were_are_on_record(
        handing: impl Fn(usize) -> Handing,
    ) {
        let handing = handing(2);
        handing.publish("更新 包.zip", "1", b"one");
        handing.publish("更新 包.zip", "2", &noise(2 << 20));
        // The hosts are one machine: the second has what the first was sent.
        let first = handing.upload(&["repo:更新 包.zip", &handing.bed.dest("")]);
        assert_eq!(
            each(&first, "outcome"),
            ["web01=changed", "web02=ok"],
            "{first}"
        );
        let file = &first["hosts"][0]["files"][0];
        assert_eq!(file["source"], "repo:更新 包.zip@2", "{first}");
        assert!(handing.bed.holds("更新 包.zip") == noise(2 << 20));
        let run = |document: &Value| document["run"].as_str().unwrap().to_owned();
        let of_first = format!("web01 {}", run(&first));
        assert_eq!(
            handing.fetches("更新 包.zip"),
            std::slice::from_ref(&of_first),
            "not who had it"
        );
        // A version by name, under another name.
        let old = handing.upload(&["repo:更新 包.zip@1", &handing.bed.dest("旧")]);
        assert_eq!(old["hosts"][0]["outcome"], "changed", "{old}");
        assert_eq!(handing.bed.holds("旧"), b"one");
        assert_eq!(
            handing.fetches("更新 包.zip@1"),
            [format!("web01 {}", run(&old))]
        );
        assert_eq!(handing.fetches("更新 包.zip@2"), [of_first]);
        // Nobody is given anything by a look.
        for look in ["--check", "--verify"] {
            handing.upload(&[look, "repo:更新 包.zip@1", &handing.bed.dest("none")]);
        }
        assert_eq!(handing.fetches("更新 包.zip@1").len(), 1);
        // Together with a file of one's own, to a folder.
        handing.bed.source("own", "own");
        let both = handing.upload(&[
            "--mkdir",
            "own",
            "repo:更新 包.zip@1",
            &handing.bed.dest("b/"),
        ]);
        assert_eq!(both["hosts"][0]["outcome"], "changed", "{both}");
        assert_eq!(handing.bed.holds("b/更新 包.zip"), b"one");
        assert_eq!(handing.bed.holds("b/own"), b"own");
        assert_eq!(handing.fetches("更新 包.zip@1").len(), 2);
    }

    pub(super) fn a_transfer_comes_back_as_the_document_it_printed(
        handing: impl Fn(usize) -> Handing,
    ) {
        let handing = handing(2);
        handing.publish("f.zip", "1", &noise(1 << 20));
        handing.bed.source("tree/名 1", "1");
        handing.bed.source("tree/sub/b", "2");
        let dest = handing.bed.dest("");
        let sent = handing.upload(&["--times", "tree", "repo:f.zip", &dest]);
        assert_eq!(sent["hosts"][0]["outcome"], "changed", "{sent}");
        assert!(sent["hosts"][0]["files"].as_array().unwrap().len() > 2);
        let missing = format!("{dest}none/f");
        let failed = handing.upload(&["tree/sub/b", &missing]);
        assert_eq!(failed["hosts"][0]["outcome"], "failed", "{failed}");
        let kept = handing.upload(&["--mode", "0640", "--verify", "tree", &dest]);
        let fetched = handing.json(&["download", "-g", "all", &format!("{dest}tree"), "here"]);
        assert_eq!(fetched["summary"]["total"], 2, "{fetched}");
        for mut printed in [sent, failed, kept, fetched] {
            let run = printed["run"].as_str().unwrap();
            let mut shown = handing.json(&["history", "show", run]);
            for document in [&mut shown, &mut printed] {
                document.as_object_mut().unwrap().remove("recorded");
            }
            assert_eq!(shown, printed);
        }
    }
}

#[test]
fn what_is_not_published_or_not_there_is_refused_by_name_before_any_host_is_asked() {
    let handing = Handing::sqlite(1);
    let file = handing.bed.lab.desk.file("新 f", "1");
    let file = file.to_str().unwrap();
    handing.run(&["repo", "add", file]).ends_with(0);
    let dest = handing.bed.dest("");
    for (reference, says) in [
        ("repo:新 f", "publish"),
        ("repo:新 f@1", "publish"),
        ("repo:none", "none"),
        ("repo:新 f@9", "9"),
        ("repo:../新 f", "../新 f"),
        ("repo:", "repo"),
    ] {
        let ran = handing
            .run(&["upload", "-g", "all", reference, &dest])
            .ends_with(1);
        assert!(ran.stderr.contains(says), "{reference}: {ran:?}");
    }
    assert_eq!(handing.bed.names(), [""; 0]);
    assert_eq!(handing.bed.commands(), 0);
    assert_eq!(
        handing.json(&["history", "list"])["runs"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn what_was_altered_since_it_was_published_is_refused() {
    let handing = Handing::sqlite(1);
    handing.publish("f", "1", &noise(100_000));
    let shown = handing.json(&["repo", "show", "f"]);
    let content = shown["content"].as_str().unwrap();
    let mut bytes = std::fs::read(content).unwrap();
    bytes[50_000] ^= 1;
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(content, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(content, bytes).unwrap();
    let dest = handing.bed.dest("");
    let ran = handing
        .run(&["upload", "-g", "all", "repo:f", &dest])
        .ends_with(1);
    assert!(ran.stderr.contains("f@1"), "{ran:?}");
    assert_eq!(handing.bed.names(), [""; 0]);
    assert_eq!(handing.fetches("f"), [""; 0]);
}

#[test]
fn a_host_that_could_not_be_given_it_is_not_on_record() {
    let handing = Handing {
        bed: Bed::of(Lab::with_down(3, 1)),
        server: None,
    };
    handing.publish("f", "1", b"1");
    let document = handing.upload(&["repo:f", &handing.bed.dest("f")]);
    assert_eq!(document["summary"]["unreachable"], 1, "{document}");
    let given = handing.fetches("f");
    assert_eq!(given.len(), 1, "{given:?}: one was sent it, one had it");
    assert!(given[0].starts_with("web01 "), "{given:?}");
    assert_eq!(names(&handing.bed.there("")), ["f"]);
}
