//! Links on a host.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::bed::{Bed, actions, assert_same};
use crate::support::read;

#[test]
fn links_within_a_tree_stay_links() {
    let bed = Bed::new();
    bed.put("site/v1/a", "a");
    bed.put("site/v1/b", "b");
    symlink("v1", bed.at("site/current")).unwrap();
    symlink("../v1/a", bed.at("site/v1/same")).unwrap();
    symlink("nowhere", bed.at("site/dangling")).unwrap();
    bed.fetched("site", &[]);
    assert_same(&bed.at("site"), &bed.got("site"));
    let again = bed.fetched("site", &[]);
    assert_eq!(again["outcome"], "ok", "{again}");
    // As content, too.
    bed.fetched("site/", &[]);
    assert_eq!(
        std::fs::read_link(bed.got("current")).unwrap(),
        Path::new("v1")
    );
    std::fs::remove_file(bed.at("site/current")).unwrap();
    symlink("v1/a", bed.at("site/current")).unwrap();
    let changed = bed.fetched("site", &[]);
    assert_eq!(changed["outcome"], "changed");
    assert_same(&bed.at("site"), &bed.got("site"));
}

#[test]
fn links_that_leave_are_refused_by_name() {
    for to in ["/etc/passwd", "../outside", "../../x", "a/../../site/a"] {
        let bed = Bed::new();
        bed.put("outside", "o");
        bed.put("site/a", "a");
        symlink(to, bed.at("site/link")).unwrap();
        let host = bed.fetch(&bed.source("site"), &[]);
        assert_eq!(host["outcome"], "failed", "{to}: {host}");
        let message = host["error"]["message"].as_str().unwrap();
        assert!(message.contains("site/link"), "{message}");
        let hint = host["error"]["hint"].as_str().unwrap();
        assert!(hint.contains("--follow"), "{hint}");
        assert!(!bed.got("site").exists());
    }
}

#[test]
fn follow_fetches_what_links_lead_to() {
    let bed = Bed::new();
    bed.put("outside/o", "o");
    bed.put("site/a", "a");
    symlink("../outside", bed.at("site/folder")).unwrap();
    symlink("a", bed.at("site/file")).unwrap();
    bed.fetched("site", &["--follow"]);
    assert_eq!(read(bed.got("site/folder/o")), "o");
    assert!(!bed.got("site/file").is_symlink());
    assert_eq!(read(bed.got("site/file")), "a");
    assert_eq!(bed.fetched("site", &["--follow"])["outcome"], "ok");
}

#[test]
fn links_that_go_in_circles_are_told_of() {
    let bed = Bed::new();
    bed.put("site/a", "a");
    symlink("..", bed.at("site/round")).unwrap();
    let host = bed.fetch(&bed.source("site"), &["--follow"]);
    assert_eq!(host["outcome"], "failed", "{host}");
    let message = host["error"]["message"].as_str().unwrap();
    assert!(message.contains("loop"), "{message}");
}

#[test]
fn what_was_asked_for_itself_is_followed() {
    let bed = Bed::new();
    bed.put("v1/a", "a");
    bed.put("v1/b", "b");
    symlink("v1", bed.at("current")).unwrap();
    symlink(bed.at("v1/a"), bed.at("latest")).unwrap();
    let host = bed.fetched("current", &[]);
    assert_eq!(actions(&host), ["sent a", "sent b"]);
    assert!(!bed.got("current").is_symlink());
    assert_same(&bed.at("v1"), &bed.got("current"));
    bed.fetched("current/", &[]);
    assert_eq!(read(bed.got("a")), "a");
    bed.fetched("latest", &[]);
    assert!(!bed.got("latest").is_symlink());
    assert_eq!(read(bed.got("latest")), "a");
    assert_eq!(bed.fetched("latest", &[])["outcome"], "ok");
    std::fs::remove_dir_all(bed.dest()).unwrap();
    bed.fetched("*", &[]);
    assert_eq!(read(bed.got("current/a")), "a");
}

#[test]
fn a_link_that_leads_nowhere_is_a_link() {
    let bed = Bed::new();
    symlink("nowhere", bed.at("dangling")).unwrap();
    bed.fetched("dangling", &[]);
    assert!(bed.got("dangling").is_symlink());
}

#[test]
fn what_is_no_file_is_left_out() {
    let bed = Bed::new();
    bed.put("t/a", "a");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        bed.at("t/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let host = bed.fetched("t", &[]);
    assert_eq!(actions(&host), ["sent a"]);
}
