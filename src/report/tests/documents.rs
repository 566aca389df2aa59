//! `--output json`: one document.

use base64::Engine as _;
use serde_json::Value;

use super::*;
use crate::event::Body;

pub(super) fn document(show: &Show) -> Value {
    serde_json::from_str(&show.paper.out()).unwrap()
}

/// The bytes that the host printed, by the rule of docs/output.md.
pub(super) fn printed(host: &Value, stream: &str) -> Vec<u8> {
    let field = |name: &str| host.get(name).and_then(Value::as_str);
    if let Some(bytes) = field(&format!("{stream}_b64")) {
        let engine = base64::engine::general_purpose::STANDARD;
        return engine.decode(bytes).unwrap();
    }
    let encoding = field(&format!("{stream}_encoding")).unwrap_or(field("encoding").unwrap());
    let encoding = Charset::from_label(encoding).unwrap();
    encoding.encode(field(stream).unwrap()).0
}

#[test]
fn the_document_is_the_contracts_in_inventory_order_and_stands_also_when_hosts_failed() {
    let mut show = Show::run(Form::Json, Look::default(), &["web01", "web02", "web03"]);
    show.host(2, result("").err("no\n").exit(1))
        .host(
            1,
            error(
                Outcome::Unreachable,
                ErrorKind::Refused,
                "connection to 10.0.0.2:22 refused",
            ),
        )
        .host(0, result("Linux\n"));
    insta::assert_snapshot!(show.end(), @r#"
    1 {"schema":1,"run":"019ab000-0000-7000-8000-000000000001","verb":"run","command":"uname -s","pattern":"web","started":"2026-11-23T08:00:00.000Z","finished":"2026-11-23T08:00:01.500Z","outcome":"failed","stopped":null,"recorded":"stored","summary":{"total":3,"ok":1,"changed":0,"skipped":0,"failed":1,"unreachable":1,"timed_out":0,"cancelled":0,"deferred":0},
    1  "hosts": [
    1   {"host":"web01","outcome":"ok","exit":0,"signal":null,"stdout":"Linux\n","stderr":"","encoding":"utf-8","truncated":false,"started":"2026-11-23T08:00:00.000Z","duration_ms":41.7,"attempts":1,"error":null},
    1   {"host":"web02","outcome":"unreachable","exit":null,"signal":null,"stdout":"","stderr":"","encoding":"utf-8","truncated":false,"started":"2026-11-23T08:00:00.000Z","duration_ms":41.7,"attempts":1,"error":{"kind":"refused","message":"connection to 10.0.0.2:22 refused","hint":"check that sshd or WinRM runs there and that ansible_port is right"}},
    1   {"host":"web03","outcome":"failed","exit":1,"signal":null,"stdout":"","stderr":"no\n","encoding":"utf-8","truncated":false,"started":"2026-11-23T08:00:00.000Z","duration_ms":41.7,"attempts":1,"error":null}]}
    "#);
    let fields: Vec<String> = document(&show)["hosts"][0]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let contract = "host outcome exit signal stdout stderr encoding truncated started duration_ms \
                    attempts error";
    assert_eq!(fields.join(" "), contract);
}

#[test]
fn a_run_without_hosts_is_an_empty_document() {
    let mut show = Show::run(Form::Json, Look::default(), &[]);
    insta::assert_snapshot!(show.end(), @r#"
    1 {"schema":1,"run":"019ab000-0000-7000-8000-000000000001","verb":"run","command":"uname -s","pattern":"web","started":"2026-11-23T08:00:00.000Z","finished":"2026-11-23T08:00:01.500Z","outcome":"ok","stopped":null,"recorded":"stored","summary":{"total":0,"ok":0,"changed":0,"skipped":0,"failed":0,"unreachable":0,"timed_out":0,"cancelled":0,"deferred":0},
    1  "hosts": []}
    "#);
    assert_eq!(document(&show)["hosts"], serde_json::json!([]));
}

#[test]
fn what_stopped_a_run_and_what_became_of_its_record_stand_in_the_document() {
    let mut show = Show::run(Form::Json, Look::default(), &["a"]);
    show.done(
        0,
        error(Outcome::Cancelled, ErrorKind::Interrupted, "stopped"),
    );
    show.end_with(Some(Stopped::Interrupted), Recorded::Spooled);
    let document = document(&show);
    assert_eq!(document["outcome"], "interrupted");
    assert_eq!(document["stopped"], "interrupted");
    assert_eq!(document["recorded"], "spooled");
    assert_eq!(document["hosts"][0]["error"]["kind"], "interrupted");
}

#[test]
fn a_ping_adds_its_two_times() {
    let header = header("ping", None, &["a", "b"]);
    let mut show = Show::new(options(Form::Json), Look::default(), header);
    show.host(0, result("").ping(1_234, 5_678, 9_000))
        .host(1, error(Outcome::Unreachable, ErrorKind::Dns, "no address"));
    show.end();
    let document = document(&show);
    assert_eq!(document["command"], Value::Null);
    assert_eq!(document["hosts"][0]["connect_ms"], 1.2);
    assert_eq!(document["hosts"][0]["auth_ms"], 5.7);
    assert!(document["hosts"][1].get("connect_ms").is_none());
}

#[test]
fn death_by_a_signal_has_no_exit_status() {
    let mut show = Show::run(Form::Json, Look::default(), &["a"]);
    show.host(
        0,
        HostResult {
            outcome: Outcome::Failed,
            exit: None,
            signal: Some("TERM".into()),
            ..result("")
        },
    );
    show.end();
    let document = document(&show);
    assert_eq!(document["hosts"][0]["exit"], Value::Null);
    assert_eq!(document["hosts"][0]["signal"], "TERM");
}

#[test]
fn text_is_read_by_the_hosts_encoding_and_its_bytes_can_always_be_had() {
    let cases: [(&[u8], &str, &str); 14] = [
        (b"plain\n", "utf-8", "plain\n"),
        (b"plain\n", "cp936", "plain\n"),
        (b"\xd6\xd0\xce\xc4", "cp936", "中文"),
        ("中文".as_bytes(), "cp936", "中文"),
        (b"\xef\xbb\xbfok", "utf-8", "ok"),
        (b"\xff\xfe\x2d\x4e", "utf-8", "中"),
        (b"a\xffb", "utf-8", "a\u{fffd}b"),
        (b"\x80\xd6", "cp936", "€\u{fffd}"),
        (b"nul \0 esc \x1b", "utf-8", "nul \0 esc \u{1b}"),
        (b"\xe4\xb8\xad\n\xd6\xd0\n", "cp936", "中\n中\n"),
        (b"ok\n\xd6\xd0\n", "cp936", "ok\n中\n"),
        (b"o\0k\0!\0\r\0\n\0", "cp936", "ok!\r\n"),
        (b"caf\x82 \xcd\n", "cp437", "café ═\n"),
        (b"\xd5\n", "cp857", "\u{fffd}\n"),
    ];
    let mut shown = String::new();
    for (bytes, encoding, text) in cases {
        let mut show = Show::run(Form::Json, Look::default(), &["a"]);
        show.host(0, result("").err(bytes).speaks(encoding));
        show.end();
        let document = document(&show);
        let host = &document["hosts"][0];
        assert_eq!(host["stderr"], text, "{bytes:?}");
        assert_eq!(printed(host, "stderr"), bytes);
        let lossy = host.get("stderr_lossy").is_some();
        assert_eq!(lossy, text.contains('\u{fffd}'), "{bytes:?}");
        assert!(!lossy || host.get("stderr_b64").is_some());
        let fields = host.as_object().unwrap().iter();
        for (name, value) in fields.filter(|(name, _)| name.starts_with("stderr_")) {
            let bytes = bytes.escape_ascii();
            let _ = writeln!(shown, "{bytes} {encoding}: {name} {value}");
        }
    }
    insta::assert_snapshot!(shown, @r#"
    \xe4\xb8\xad\xe6\x96\x87 cp936: stderr_encoding "utf-8"
    \xef\xbb\xbfok utf-8: stderr_b64 "77u/b2s="
    \xff\xfe-N utf-8: stderr_encoding "utf-16le"
    \xff\xfe-N utf-8: stderr_b64 "//4tTg=="
    a\xffb utf-8: stderr_lossy true
    a\xffb utf-8: stderr_b64 "Yf9i"
    \x80\xd6 cp936: stderr_lossy true
    \x80\xd6 cp936: stderr_b64 "gNY="
    \xe4\xb8\xad\n\xd6\xd0\n cp936: stderr_b64 "5LitCtbQCg=="
    o\x00k\x00!\x00\r\x00\n\x00 cp936: stderr_encoding "utf-16le"
    o\x00k\x00!\x00\r\x00\n\x00 cp936: stderr_b64 "bwBrACEADQAKAA=="
    \xd5\n cp857: stderr_lossy true
    \xd5\n cp857: stderr_b64 "1Qo="
    "#);
}

#[test]
fn an_output_that_was_cut_says_how_much_there_was_and_a_cut_character_is_no_other_encoding() {
    let mut show = Show::run(Form::Json, Look::default(), &["a"]);
    let mut cut = result("中文".as_bytes().get(..5).unwrap()).speaks("cp936");
    cut.stdout.total = 1 << 30;
    show.host(0, cut);
    show.end();
    let document = document(&show);
    let host = &document["hosts"][0];
    assert_eq!(host["truncated"], true);
    assert_eq!(host["stdout_bytes"], 1 << 30);
    assert_eq!(host["stdout"], "中\u{fffd}");
    assert_eq!(printed(host, "stdout"), "中文".as_bytes()[..5]);
}

#[test]
fn where_a_kept_output_is_gone_the_document_stays_whole_and_the_run_says_so() {
    let gone = Captured {
        body: Body::Spilled(Arc::new("/nonexistent/0.stdout".into())),
        ..Captured::inline("lost\n")
    };
    let lost = || HostResult {
        stdout: gone.clone(),
        ..result("")
    };
    for form in [Form::Json, Form::Jsonl] {
        let mut show = Show::run(form, Look::default(), &["a", "b"]);
        show.start(0).done(0, lost()).host(1, result("kept\n"));
        assert!(show.try_end(None, Recorded::Stored).is_err());
        let out = show.paper.out();
        assert!(out.contains("\"stdout\":null"), "{out}");
        assert!(out.contains("kept\\n"), "{out}");
        match form {
            Form::Json => assert_eq!(document(&show)["hosts"][1]["stdout"], "kept\n"),
            _ => assert_eq!(out.matches("\"run_finished\"").count(), 1),
        }
    }
    let mut show = Show::run(Form::Fold, Look::default(), &["a", "b"]);
    show.start(0).done(0, lost()).host(1, result("kept\n"));
    insta::assert_snapshot!(show.end(), @"
    1 ---------------
    1 a
    1 ---------------
    1 [this output can't be read: No such file or directory (os error 2)]
    1 ---------------
    1 b
    1 ---------------
    1 kept
    2 2 hosts: 2 ok in 1.5s  (run 019ab000-0000-7000-8000-000000000001)
    ");
}
