//! Transfers that break off, and go on from where they were.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ioms_fleet::Sshd;
use ioms_fleet::failing::{Line, Proxy};

use super::bed::{Bed, bytes, noise};
use super::faults::parts;
use crate::support::{signal, wait_until};

const SIZE: usize = 24 << 20;

fn proxy(bed: &Bed, line: Line) -> Proxy {
    let to = SocketAddr::from(([127, 10, 0, 1], bed.lab.sshd.port()));
    Proxy::start(to, line).unwrap()
}

fn part(bed: &Bed) -> Option<PathBuf> {
    if !bed.dest().exists() {
        return None;
    }
    let name = parts(&bed.dest()).into_iter().next()?;
    Some(bed.dest().join(name))
}

fn length(bed: &Bed) -> u64 {
    part(bed).map_or(0, |part| part.metadata().map_or(0, |meta| meta.len()))
}

/// `download` of `big` over a proxy's line.
fn over(bed: &Bed, proxy: &Proxy) -> Vec<String> {
    let port = format!("ansible_port={}", proxy.port());
    let source = bed.source("big");
    let words = [
        "download",
        "-g",
        "all",
        &source,
        "got",
        "-e",
        &port,
        "--host-key",
        "off",
    ];
    words.map(str::to_owned).to_vec()
}

/// Goes on after iomsctl was killed.
fn goes_on(bed: &Bed) {
    let content = noise(SIZE);
    bed.put("big", &content);
    let slow = proxy(
        bed,
        Line {
            rate: Some(6 << 20),
            ..Line::default()
        },
    );
    let mut child = bed.lab.desk.start(&over(bed, &slow));
    wait_until("some of it is here", || length(bed) > 5 << 20);
    signal(&child, "KILL");
    child.wait().unwrap();
    let had = length(bed);
    assert!(had < SIZE as u64, "{had}");
    assert!(!bed.got("big").exists());
    let host = bed.fetched("big", &[]);
    assert_eq!(host["files"][0]["action"], "resumed", "{host}");
    assert_eq!(bytes(&host), SIZE as u64 - had);
    assert!(std::fs::read(bed.got("big")).unwrap() == content);
    assert_eq!(part(bed), None);
}

#[test]
fn a_killed_download_goes_on_by_sftp() {
    goes_on(&Bed::new());
}

#[test]
fn a_killed_download_goes_on_through_the_shell() {
    goes_on(&Bed::on(Sshd::builder().without_sftp().start().unwrap()));
}

/// Ends a transfer over a slow line in one way or another; it goes on the next time.
fn ended(more: &[&str], signalled: Option<&str>, status: i32, outcome: &str) {
    let bed = Bed::new();
    let content = noise(SIZE);
    bed.put("big", &content);
    let slow = proxy(
        &bed,
        Line {
            rate: Some(3 << 20),
            ..Line::default()
        },
    );
    let mut args = over(&bed, &slow);
    args.extend(more.iter().map(|&word| word.to_owned()));
    let child = bed.lab.desk.start(&args);
    if let Some(name) = signalled {
        wait_until("some of it is here", || length(&bed) > 2 << 20);
        signal(&child, name);
    }
    let ran = crate::support::Ran::from(child.wait_with_output().unwrap());
    let ran = ran.ends_with(status);
    let newest = bed.lab.json(&["history", "list"]);
    assert_eq!(newest["runs"][0]["outcome"], outcome, "{}", ran.said());
    let host = bed.fetched("big", &[]);
    assert_eq!(host["files"][0]["action"], "resumed", "{host}");
    assert!(std::fs::read(bed.got("big")).unwrap() == content);
}

#[test]
fn an_interrupted_download_goes_on() {
    ended(&[], Some("INT"), 130, "interrupted");
}

#[test]
fn a_download_whose_time_was_up_goes_on() {
    ended(&["--timeout", "2"], None, 2, "timed_out");
}

#[test]
fn a_lost_connection_leaves_the_part_and_a_mirror_leaves_it_too() {
    let bed = Bed::new();
    let content = noise(SIZE);
    bed.put("site/big", &content);
    bed.put("site/a", "a");
    let cut = proxy(
        &bed,
        Line {
            cut_after: Some(10 << 20),
            ..Line::default()
        },
    );
    let port = format!("ansible_port={}", cut.port());
    let host = bed.fetch(&bed.source("site"), &["-e", &port, "--host-key", "off"]);
    assert_eq!(host["outcome"], "failed", "{host}");
    assert_eq!(host["error"]["kind"], "disconnected", "{host}");
    let had = length(&bed);
    assert!((1 << 20..SIZE as u64).contains(&had), "{had}");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = part(&bed).unwrap().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    let host = bed.fetched("site", &["--delete", "--yes"]);
    assert_eq!(bytes(&host), SIZE as u64 - had, "{host}");
    super::bed::assert_same(&bed.at("site"), &bed.got("site"));
}

#[test]
fn a_part_that_is_of_something_else_is_found_out() {
    let bed = Bed::new();
    let content = noise(SIZE);
    bed.put("big", &content);
    let digest = super::bed::md5(&content);
    std::fs::create_dir_all(bed.got("")).unwrap();
    let part = bed.got(format!(".big.ioms-{digest}.part"));
    for wrong in [vec![b'x'; 3 << 20], vec![b'y'; SIZE], vec![b'z'; SIZE + 1]] {
        let _ = std::fs::remove_file(bed.got("big"));
        std::fs::write(&part, wrong).unwrap();
        let host = bed.fetched("big", &[]);
        assert_eq!(host["files"][0]["action"], "sent", "{host}");
        assert!(std::fs::read(bed.got("big")).unwrap() == content);
        assert!(!part.exists());
    }
}

#[test]
fn a_whole_part_needs_nothing_more() {
    let bed = Bed::new();
    let content = noise(2 << 20);
    bed.put("big", &content);
    let digest = super::bed::md5(&content);
    std::fs::create_dir_all(bed.got("")).unwrap();
    std::fs::write(bed.got(format!(".big.ioms-{digest}.part")), &content).unwrap();
    let host = bed.fetched("big", &[]);
    assert_eq!(
        (&host["files"][0]["action"], bytes(&host)),
        (&"resumed".into(), 0)
    );
}

#[test]
fn parts_of_earlier_contents_do_not_pile_up() {
    let bed = Bed::new();
    bed.put("big", noise(2 << 20));
    std::fs::create_dir_all(bed.got("")).unwrap();
    let write = |name: &str, days: u64| {
        let path = bed.got(name);
        std::fs::write(&path, "x").unwrap();
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let time = std::time::SystemTime::now() - Duration::from_secs(days * 86_400);
        file.set_modified(time).unwrap();
    };
    let zeros = "0".repeat(32);
    write(&format!(".big.ioms-{zeros}.part"), 2);
    write(&format!(".big.ioms-{}.part", "1".repeat(32)), 0);
    write(&format!(".other.ioms-{zeros}.part"), 2);
    write(".big.ioms-mine", 2);
    bed.fetched("big", &[]);
    assert_eq!(
        parts(&bed.dest()),
        [
            format!("web01/.big.ioms-{}.part", "1".repeat(32)),
            format!("web01/.other.ioms-{zeros}.part"),
        ]
    );
    assert!(bed.got(".big.ioms-mine").exists());
}
