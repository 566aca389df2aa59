//! Uploads and downloads: what became of the files.

use super::documents::document;
use super::*;
use crate::event::{FileAction, FileRecord, Route};

fn changed(files: Vec<FileRecord>, said: &str) -> HostResult {
    HostResult {
        outcome: Outcome::Changed,
        exit: None,
        files,
        ..result(said)
    }
}

fn kept() -> HostResult {
    HostResult {
        exit: None,
        files: vec![file(FileAction::Kept)],
        ..result("kept /srv/app.tar\n")
    }
}

fn sent() -> HostResult {
    let sent = FileRecord {
        md5: Some("d41d8cd98f00b204e9800998ecf8427e".into()),
        bytes: 5,
        via: Some(Route::Sftp),
        ..file(FileAction::Sent)
    };
    let attributes = FileRecord {
        target: "/srv/\u{202e}b".into(),
        files: Some(12),
        changed: true,
        ..file(FileAction::Kept)
    };
    changed(vec![sent, attributes], "sent /srv/app.tar\n")
}

fn differs() -> HostResult {
    HostResult {
        files: vec![file(FileAction::Differs)],
        ..error(
            Outcome::Failed,
            ErrorKind::VerifyMismatch,
            "1 file is not the same",
        )
    }
}

/// An upload to four hosts.
fn upload(form: Form) -> Show {
    let header = header("upload", Some("app.tar /srv/"), &["a", "b", "c", "d"]);
    let mut show = Show::new(options(form), Look::default(), header);
    show.host(0, sent()).host(1, kept()).host(2, differs());
    show.say(Event::Moved(Moved {
        moved: 5,
        expected: 5,
    }));
    show.done(3, error(Outcome::Unreachable, ErrorKind::Dns, "no address"));
    show
}

#[test]
fn the_document_tells_of_each_hosts_files_also_where_there_are_none() {
    let mut show = upload(Form::Json);
    show.end();
    let document = document(&show);
    let hosts = document["hosts"].as_array().unwrap();
    let expected = [
        serde_json::json!([
            {"source": "app.tar", "target": "/srv/app.tar", "action": "sent", "size": 5,
             "md5": "d41d8cd98f00b204e9800998ecf8427e", "bytes": 5, "via": "sftp"},
            {"source": "app.tar", "target": "/srv/\u{202e}b", "action": "kept", "size": 5,
             "bytes": 0, "files": 12, "changed": true}]),
        serde_json::json!([
            {"source": "app.tar", "target": "/srv/app.tar", "action": "kept", "size": 5, "bytes": 0}]),
        serde_json::json!([
            {"source": "app.tar", "target": "/srv/app.tar", "action": "differs", "size": 5, "bytes": 0}]),
        serde_json::json!([]),
    ];
    for (host, expected) in hosts.iter().zip(expected) {
        assert_eq!(host["files"], expected);
        assert_eq!(
            host.as_object().unwrap().keys().next_back().unwrap(),
            "files"
        );
    }
    assert!(!show.paper.out().contains('\u{202e}'));
    for verb in ["run", "script", "ping"] {
        let header = header(verb, None, &["a"]);
        let mut show = Show::new(options(Form::Json), Look::default(), header);
        show.host(0, result(""));
        show.end();
        let document = super::documents::document(&show);
        assert!(document["hosts"][0].get("files").is_none(), "{verb}");
    }
}

#[test]
fn a_download_tells_of_files_on_its_lines() {
    let header = header("download", Some("/srv/app.tar ./"), &["a"]);
    let mut show = Show::new(options(Form::Jsonl), Look::default(), header);
    show.start(0);
    show.say(Event::Moved(Moved {
        moved: 0,
        expected: 5,
    }));
    show.done(0, sent());
    let out = show.paper.out();
    assert_eq!(out.lines().count(), 3, "how far it is is no line: {out}");
    let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(last["result"]["files"][0]["action"], "sent");
}

#[test]
fn people_read_which_hosts_were_changed() {
    insta::assert_snapshot!(upload(Form::Fold).end(), @"
    1 ---------------
    1 a: changed
    1 ---------------
    1 sent /srv/app.tar
    1 ---------------
    1 b
    1 ---------------
    1 kept /srv/app.tar
    1 ---------------
    1 c: failed, verify_mismatch
    1 ---------------
    1 1 file is not the same
    1 hint: send it again; if it happens twice, check the host's disk
    1 ---------------
    1 d: unreachable, dns
    1 ---------------
    1 no address
    1 hint: check the name, or set ansible_host to an address
    2 4 hosts: 1 ok, 1 changed, 1 unreachable, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
    insta::assert_snapshot!(upload(Form::Live).end(), @"
    1 a: sent /srv/app.tar
    2 a: changed
    1 b: kept /srv/app.tar
    2 c: failed, verify_mismatch
    2   1 file is not the same
    2   hint: send it again; if it happens twice, check the host's disk
    2 d: unreachable, dns
    2   no address
    2   hint: check the name, or set ansible_host to an address
    2 4 hosts: 1 ok, 1 changed, 1 unreachable, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
    insta::assert_snapshot!(upload(Form::Host).end(), @"
    1 a: changed (41ms)
    1 sent /srv/app.tar
    1 b: ok (41ms)
    1 kept /srv/app.tar
    1 c: failed, verify_mismatch (41ms)
    1 1 file is not the same
    1 hint: send it again; if it happens twice, check the host's disk
    1 d: unreachable, dns (41ms)
    1 no address
    1 hint: check the name, or set ansible_host to an address
    2 4 hosts: 1 ok, 1 changed, 1 unreachable, 1 failed in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
    let header = header("upload", Some("app.tar /srv/"), &["a"]);
    let mut one = Show::new(options(Form::Human), Look::default(), header);
    one.host(0, sent());
    insta::assert_snapshot!(one.end(), @"
    1 sent /srv/app.tar
    2 a: changed
    ");
}
