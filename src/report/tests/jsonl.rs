//! `--output jsonl`: one event a line, as it happens.

use serde_json::Value;

use super::documents::printed;
use super::*;

fn lines(show: &Show) -> Vec<Value> {
    let out = show.paper.out();
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn each_event_is_a_line_as_it_happens_and_the_last_is_the_document_without_hosts() {
    let mut show = Show::run(Form::Jsonl, Look::default(), &["web01", "web02"]);
    show.start(0).after(12).out(0, "Lin").after(5);
    insta::assert_snapshot!(show.paper.shown(), @r#"
    1 {"event":"run_started","at":"2026-11-23T08:00:00.000Z","schema":1,"run":"019ab000-0000-7000-8000-000000000001","verb":"run","command":"uname -s","pattern":"web","hosts":["web01","web02"]}
    1 {"event":"host_started","at":"2026-11-23T08:00:00.000Z","host":"web01"}
    1 {"event":"output","at":"2026-11-23T08:00:00.012Z","host":"web01","stream":"stdout","text":"Lin"}
    "#);
    show.out(0, "ux\n")
        .err(0, "w\n")
        .done(0, result("Linux\n").err("w\n"))
        .done(
            1,
            error(Outcome::Cancelled, ErrorKind::Gate, "its turn did not come"),
        );
    show.waiting(&[(0, 100, 100)]);
    show.end_with(Some(Stopped::Gate), Recorded::Stored);
    let out = show.paper.out();
    insta::assert_snapshot!(out.lines().skip(3).collect::<Vec<_>>().join("\n"), @r#"
    {"event":"output","at":"2026-11-23T08:00:00.017Z","host":"web01","stream":"stdout","text":"ux\n"}
    {"event":"output","at":"2026-11-23T08:00:00.017Z","host":"web01","stream":"stderr","text":"w\n"}
    {"event":"host_finished","at":"2026-11-23T08:00:00.017Z","host":"web01","result":{"host":"web01","outcome":"ok","exit":0,"signal":null,"stdout":"Linux\n","stderr":"w\n","encoding":"utf-8","truncated":false,"started":"2026-11-23T08:00:00.000Z","duration_ms":41.7,"attempts":1,"error":null}}
    {"event":"host_finished","at":"2026-11-23T08:00:00.017Z","host":"web02","result":{"host":"web02","outcome":"cancelled","exit":null,"signal":null,"stdout":"","stderr":"","encoding":"utf-8","truncated":false,"started":"2026-11-23T08:00:00.000Z","duration_ms":41.7,"attempts":1,"error":{"kind":"gate","message":"its turn did not come","hint":"see why the hosts before it failed, then go on with --rerun failed"}}}
    {"event":"run_finished","at":"2026-11-23T08:00:01.500Z","schema":1,"run":"019ab000-0000-7000-8000-000000000001","verb":"run","command":"uname -s","pattern":"web","started":"2026-11-23T08:00:00.000Z","finished":"2026-11-23T08:00:01.500Z","outcome":"cancelled","stopped":"gate","recorded":"stored","summary":{"total":2,"ok":1,"changed":0,"skipped":0,"failed":0,"unreachable":0,"timed_out":0,"cancelled":1,"deferred":0}}
    "#);
}

#[test]
fn notes_do_not_mix_with_the_events() {
    let mut show = Show::run(Form::Jsonl, Look::default(), &["a"]);
    show.say(Event::Notice("host key checks are off".into()));
    insta::assert_snapshot!(show.paper.shown(), @r#"
    1 {"event":"run_started","at":"2026-11-23T08:00:00.000Z","schema":1,"run":"019ab000-0000-7000-8000-000000000001","verb":"run","command":"uname -s","pattern":"web","hosts":["a"]}
    2 note: host key checks are off
    "#);
}

fn outputs(pieces: &[&[u8]], label: &str) -> Vec<Value> {
    let encoding = crate::base::text::encoding(label).unwrap();
    let mut show = Show::run(Form::Jsonl, Look::default(), &["a"]);
    show.start(0);
    for piece in pieces {
        show.output(0, Stream::Stdout, piece, encoding);
    }
    show.done(0, result(pieces.concat()).speaks(label));
    show.end();
    let lines = lines(&show);
    let result = lines.iter().find(|line| line["event"] == "host_finished");
    assert_eq!(
        printed(&result.unwrap()["result"], "stdout"),
        pieces.concat()
    );
    lines
        .into_iter()
        .filter(|line| line["event"] == "output")
        .map(|mut line| {
            let fields = line.as_object_mut().unwrap();
            fields.retain(|name, _| matches!(name.as_str(), "text" | "b64" | "encoding"));
            line
        })
        .collect()
}

#[test]
fn a_character_cut_between_two_pieces_comes_whole_and_what_is_no_text_comes_as_bytes() {
    let mut shown = String::new();
    for (pieces, encoding) in [
        (
            &[&b"a\xe4\xb8"[..], b"\xad\xe6", b"\x96", b"\x87"][..],
            "utf-8",
        ),
        (&[b"\xd6", b"\xd0\xce", b"\xc4ok\n", b"ok\n"], "cp936"),
        (&["中".as_bytes(), b"\xe6\x96", b"\x87"], "cp936"),
        (&[b"\x00\xff\xfe", b"text"], "utf-8"),
        (&[b"end\xe4"], "utf-8"),
        (&[b"\xff\xfe\x2d\x4e"], "utf-8"),
    ] {
        for output in outputs(pieces, encoding) {
            let _ = writeln!(shown, "{encoding} {output}");
        }
        shown.push('\n');
    }
    insta::assert_snapshot!(shown, @r#"
    utf-8 {"text":"a"}
    utf-8 {"text":"中"}
    utf-8 {"text":"文"}

    cp936 {"text":"中","encoding":"gb18030"}
    cp936 {"text":"文ok\n","encoding":"gb18030"}
    cp936 {"text":"ok\n"}

    cp936 {"text":"中"}
    cp936 {"text":"文"}

    utf-8 {"b64":"AP/+"}
    utf-8 {"text":"text"}

    utf-8 {"text":"end"}
    utf-8 {"b64":"5A=="}

    utf-8 {"b64":"//4tTg=="}
    "#);
}
