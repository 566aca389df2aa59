//! `iomsctl upload --via pull`: hosts fetch files from the controller, with the tools that they have.

mod bed;
mod secrets;
mod windows;

use bed::{Bed, Door, home};
use ioms_fleet::Sshd;
use serde_json::Value;

use crate::store::SmallDisk;
use crate::support::{each, signal, wait_until};
use crate::upload::bed::{names, noise};
use crate::users::User;

/// The only file of a host.
#[track_caller]
fn file(host: &Value) -> &Value {
    let files = host["files"].as_array().unwrap();
    assert_eq!(files.len(), 1, "{host}");
    &files[0]
}

/// Action and way of it.
#[track_caller]
fn went(host: &Value) -> (&str, &str) {
    let file = file(host);
    let text = |field: &str| file[field].as_str().unwrap_or_default();
    (text("action"), text("via"))
}

#[test]
fn three_hosts_fetch_at_once_and_the_second_time_nothing_moves() {
    let bed = Bed::new(["", "", ""].map(|_| Sshd::start().unwrap()));
    let content = noise(6 << 20);
    bed.desk.file("大 file", &content);
    let args = ["--via", "pull", "--mkdir", "大 file", "~/新/"];
    for door in [Door::tls(), Door::plain()] {
        let document = bed.json(&door, &args);
        let outcomes = each(&document, "outcome");
        assert_eq!(
            outcomes,
            ["h0=changed", "h1=changed", "h2=changed"],
            "{document}"
        );
        for (host, sshd) in document["hosts"].as_array().unwrap().iter().zip(&bed.sshd) {
            assert_eq!(went(host), ("sent", "pull"), "{host}");
            let file = file(host);
            assert_eq!(file["bytes"], 6 << 20, "{file}");
            let sha256 = ioms::base::digest::hex(&ioms::base::digest::of(&content));
            assert_eq!(file["sha256"], sha256.as_str(), "{file}");
            let there = sshd.home().join("新");
            assert!(std::fs::read(there.join("大 file")).unwrap() == content);
            assert_eq!(names(&there), ["大 file"]);
        }
        assert!(door.is_closed(), "the port is closed after the run");
        let again = bed.json(&door, &args);
        assert_eq!(each(&again, "outcome"), ["h0=ok", "h1=ok", "h2=ok"]);
        for sshd in &bed.sshd {
            std::fs::remove_dir_all(sshd.home().join("新")).unwrap();
        }
    }
}

#[test]
fn a_tree_is_fetched_where_it_is_large_and_sent_where_it_is_small() {
    let bed = Bed::new([Sshd::start().unwrap()]);
    bed.desk.file("tree/large 1", noise(2 << 20));
    bed.desk.file("tree/sub/大", noise(3 << 20));
    bed.desk.file("tree/small", "1");
    bed.desk.file("tree/sub/empty", "");
    let host = bed.host(&Door::tls(), &["--via", "pull", "tree", "."]);
    assert_eq!(host["outcome"], "changed", "{host}");
    let mut ways: Vec<String> = host["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let name = file["target"].as_str().unwrap().rsplit('/').next().unwrap();
            format!("{name} {}", file["via"].as_str().unwrap_or("-"))
        })
        .collect();
    ways.sort();
    let expected = ["empty stream", "large 1 pull", "small stream", "大 pull"];
    assert_eq!(ways, expected, "{host}");
    let there = bed.sshd[0].home().join("tree");
    assert!(std::fs::read(there.join("sub/大")).unwrap() == noise(3 << 20));
}

#[test]
fn a_host_without_curl_fetches_with_wget_and_one_with_neither_fails_with_a_hint() {
    let bed = Bed::new([bed::without(&["curl"]), bed::without(&["curl", "wget"])]);
    bed.desk.file("f", noise(3 << 20));
    let document = bed.json(&Door::tls(), &["--via", "pull", "f", "~/f"]);
    let hosts = document["hosts"].as_array().unwrap();
    assert_eq!(went(&hosts[0]), ("sent", "pull"), "{document}");
    assert!(std::fs::read(home(&bed.sshd[0], "f")).unwrap() == noise(3 << 20));
    let error = &hosts[1]["error"];
    assert_eq!(error["kind"], "unsupported", "{document}");
    let said = error["message"].as_str().unwrap();
    assert!(said.contains("curl or wget"), "{error}");
    let hint = error["hint"].as_str().unwrap();
    assert!(
        hint.contains("install curl") && hint.contains("--via push"),
        "{error}"
    );
    assert_eq!(names(&bed.sshd[1].home()), [""; 0]);
    // `auto` pulls on Windows only. (These hosts' SFTP has another home than their shell.)
    let document = bed.json(&Door::tls(), &["f", "~/g"]);
    assert_eq!(
        each(&document, "outcome"),
        ["h0=changed", "h1=changed"],
        "{document}"
    );
    assert_eq!(
        went(&document["hosts"][1]),
        ("sent", "stream"),
        "{document}"
    );
}

#[test]
fn what_a_killed_controller_has_handed_out_is_gone_on_with() {
    let bed = Bed::new([Sshd::start().unwrap()]);
    bed.desk.file("large", noise(12 << 20));
    let there = home(&bed.sshd[0], "");
    let door = Door::tls();
    let args = ["--via", "pull", "large", "~/large"];
    let mut slow = bed.command(&door, &[&["--limit-rate", "3M"], &args[..]].concat());
    let mut child = slow.spawn().unwrap();
    let part = || {
        let part = names(&there)
            .into_iter()
            .find(|name| name.ends_with("part"));
        part.map_or(0, |part| {
            std::fs::metadata(there.join(part)).map_or(0, |part| part.len())
        })
    };
    wait_until("some is there", || part() > 2 << 20);
    signal(&child, "KILL");
    child.wait().unwrap();
    wait_until("the host has noticed", || {
        !crate::support::runs("curl -q -sS -g -f --noproxy * --proto =https")
    });
    let came = part();
    assert!(came > 2 << 20, "{came}");
    let host = bed.host(&door, &args);
    assert_eq!(went(&host), ("resumed", "pull"), "{host}");
    let moved = file(&host)["bytes"].as_u64().unwrap();
    assert!(moved <= (12 << 20) - came, "{came} were there: {host}");
    assert!(std::fs::read(there.join("large")).unwrap() == noise(12 << 20));
    assert_eq!(names(&there), ["large"]);
}

#[test]
fn a_host_that_does_not_get_here_fails_by_name_and_nothing_is_left() {
    let bed = Bed::new([Sshd::start().unwrap()]);
    bed.desk.file("f", noise(2 << 20));
    let args = ["--via", "pull", "f", "~/f"];
    let host = bed.host(&Door::tls().nowhere(), &args);
    assert_eq!(host["outcome"], "failed", "{host}");
    let hint = host["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("does the host reach pull.url?"), "{host}");
    assert_eq!(names(&bed.sshd[0].home()), [""; 0]);
    // Somebody else's certificate there.
    let (door, other) = (Door::tls(), Door::tls());
    bed.desk.file("long", noise(8 << 20));
    let mut command = bed.command(
        &other,
        &["--via", "pull", "--limit-rate", "2M", "long", "~/long"],
    );
    let mut child = command.spawn().unwrap();
    wait_until("another one serves", || !other.is_closed());
    let host = bed.host(&door.seen_as(&other), &args);
    assert_eq!(host["outcome"], "failed", "{host}");
    let said = host["error"]["message"].as_str().unwrap().to_lowercase();
    assert!(
        said.contains("pin") || said.contains("certificate"),
        "{host}"
    );
    assert!(!bed.sshd[0].home().join("f").exists());
    assert!(child.wait().unwrap().success());
}

#[test]
fn pull_mode_is_set_up_first_and_without_tls_only_when_settings_say_so() {
    let bed = Bed::new([Sshd::start().unwrap()]);
    bed.desk.file("f", "1");
    let args = ["upload", "-g", "all", "--via", "pull", "f", "~/f"];
    let ran = bed.desk.run(&args).ends_with(1);
    assert!(ran.stderr.contains("pull mode is not set up"), "{ran:?}");
    assert!(ran.stderr.contains("pull.listen"), "{ran:?}");
    let mut command = bed.desk.command(&args);
    command.env("IOMS_PULL_LISTEN", "127.0.0.1:1");
    let ran = crate::support::Ran::of(command).ends_with(1);
    assert!(ran.stderr.contains("pull.url"), "{ran:?}");
    let mut command = bed.command(&Door::plain(), &args[3..]);
    command.env_remove("IOMS_PULL_PLAIN_HTTP");
    let ran = crate::support::Ran::of(command).ends_with(1);
    assert!(ran.stderr.contains("pull.plain_http"), "{ran:?}");
    let runs = bed.desk.json(&["history", "list"]);
    assert_eq!(runs["runs"].as_array().unwrap().len(), 0, "{runs}");
    // Whoever does not want it is not bothered by it.
    let mut command = bed.command(&Door::plain(), &["--via", "push", "f", "~/g"]);
    command.env("IOMS_PULL_URL", "nonsense");
    crate::support::Ran::of(command).ends_with(0);
    let host = bed.host(&Door::plain(), &args[3..]);
    assert_eq!(went(&host), ("sent", "pull"), "{host}");
}

#[test]
fn a_full_disk_is_no_space_and_nothing_is_left() {
    if ioms_fleet::left_out("a full file system", "root") {
        return;
    }
    for tools in [&[][..], &["curl"]] {
        let bed = Bed::new([bed::without(tools)]);
        let disk = SmallDisk::new(bed.desk.dir.path().join("full"), "1M");
        bed.desk.file("large", noise(4 << 20));
        let dest = format!("{}/large", disk.0.display());
        let host = bed.host(&Door::tls(), &["--via", "pull", "large", &dest]);
        assert_eq!(host["error"]["kind"], "no_space", "{host}");
        assert_eq!(names(&disk.0), [""; 0]);
    }
}

#[test]
fn as_root_by_sudo_a_host_fetches_too() {
    if ioms_fleet::left_out("becoming another user", "root") {
        return;
    }
    use std::os::unix::fs::MetadataExt as _;
    let bed = Bed::new([Sshd::start().unwrap()]);
    let user = User::new("/bin/bash");
    user.may_sudo("ALL=(ALL) NOPASSWD: ALL");
    let there = tempfile::tempdir().unwrap();
    bed.desk.file("large", noise(5 << 20));
    let login = format!("ansible_user={}", user.name);
    let dest = format!("{}/", there.path().display());
    let args = [
        "-e", &login, "-b", "--via", "pull", "--mode", "0640", "large", &dest,
    ];
    let host = bed.host(&Door::tls(), &args);
    assert_eq!(went(&host), ("sent", "pull"), "{host}");
    let found = std::fs::metadata(there.path().join("large")).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o777), (0, 0o640));
    assert!(std::fs::read(there.path().join("large")).unwrap() == noise(5 << 20));
}
