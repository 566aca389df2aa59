//! Whatever bytes a host prints: a terminal obeys none of them, and documents stay documents.

use proptest::prelude::*;
use serde_json::Value;

use super::documents::printed;
use super::*;

const FORMS: [Form; 4] = [Form::Human, Form::Live, Form::Fold, Form::Host];

/// Bytes as hosts print them: anything, but often what could do harm.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<Vec<u8>>(),
        "\\PC{0,8}".prop_map(String::into_bytes),
        Just(b"\x1b[31m".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just("\u{202e}\u{9b}".as_bytes().to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"\xff\xfe".to_vec()),
        Just(b"\xd6\xd0".to_vec()),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn encodings() -> impl Strategy<Value = Charset> {
    prop_oneof![
        Just(Charset::UTF_8),
        Just(charset("gb18030")),
        Just(charset("932")),
        Just(charset("1252")),
        Just(charset("437")),
        Just(Charset::UTF_16LE),
    ]
}

/// Two hosts: the bytes come from both, in pieces, on both streams.
fn run(form: Form, look: Look, bytes: &[u8], cut: usize, encoding: Charset) -> Show {
    let options = Options {
        fold_diff: form == Form::Fold,
        ..options(form)
    };
    let mut show = Show::new(options, look, header("run", Some("x"), &["a", "b"]));
    let (one, other) = bytes.split_at(cut.min(bytes.len()));
    for host in [0, 1] {
        show.start(host);
        for stream in [Stream::Stdout, Stream::Stderr] {
            show.output(host, stream, one, encoding)
                .output(host, stream, other, encoding);
        }
        let kept = if host == 0 { bytes } else { one };
        show.done(
            host,
            HostResult {
                outcome: Outcome::Failed,
                exit: None,
                signal: Some(String::from_utf8_lossy(bytes).into_owned()),
                error: Some(HostError {
                    kind: ErrorKind::RemoteIo,
                    message: String::from_utf8_lossy(bytes).into_owned(),
                    hint: Some(String::from_utf8_lossy(bytes).into_owned()),
                }),
                encoding,
                ..result(kept).err(kept)
            },
        );
    }
    show.say(Event::Notice(String::from_utf8_lossy(bytes).into_owned()));
    show.end();
    show
}

fn harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a pipe gets of one host's output in two pieces.
fn piped(bytes: &[u8], cut: usize, encoding: Charset) -> Vec<u8> {
    let mut show = Show::run(Form::Human, Look::default(), &["a"]);
    let (one, other) = bytes.split_at(cut.min(bytes.len()));
    show.start(0)
        .output(0, Stream::Stdout, one, encoding)
        .output(0, Stream::Stdout, other, encoding)
        .done(0, result(bytes));
    show.end();
    show.paper.bytes(1)
}

#[test]
fn a_pipe_gets_text_of_a_host_that_speaks_anything_else() {
    let gbk = b"\xcd\xea\xb3\xc9\n";
    for cut in 0..gbk.len() {
        let piped = piped(gbk, cut, charset("gbk"));
        assert_eq!(String::from_utf8_lossy(&piped), "完成\n", "{cut}");
    }
}

proptest! {
    #[test]
    fn no_control_character_but_newline_and_tab_reaches_a_terminal(
        bytes in bytes(), cut in 0usize..40, encoding in encodings(),
    ) {
        for form in FORMS.into_iter().chain([Form::Json, Form::Jsonl]) {
            let show = run(form, TERMINAL, &bytes, cut, encoding);
            for end in [1, 2] {
                let text = String::from_utf8(show.paper.bytes(end)).unwrap();
                prop_assert!(!text.contains(harmful), "{form:?} {end}: {text:?}");
            }
        }
    }

    #[test]
    fn a_pipe_gets_the_very_bytes_of_a_host_that_speaks_utf_8(
        bytes in bytes(), cut in 0usize..40,
    ) {
        prop_assert_eq!(piped(&bytes, cut, Charset::UTF_8), bytes);
    }

    #[test]
    fn a_document_is_json_and_gives_the_bytes_back(
        bytes in bytes(), cut in 0usize..40, encoding in encodings(),
    ) {
        let show = run(Form::Json, TERMINAL, &bytes, cut, encoding);
        let document: Value = serde_json::from_str(&show.paper.out()).unwrap();
        let host = &document["hosts"][0];
        prop_assert_eq!(printed(host, "stdout"), bytes.clone());
        prop_assert_eq!(printed(host, "stderr"), bytes.clone());
        let whole = crate::base::text::decode(&bytes, encoding);
        prop_assert_eq!(host["stdout"].as_str().unwrap(), whole.text);
        prop_assert_eq!(host.get("stdout_lossy").is_some(), whole.lossy);
    }

    #[test]
    fn each_line_of_jsonl_is_json_and_the_pieces_are_the_bytes(
        bytes in bytes(), cut in 0usize..40, encoding in encodings(),
    ) {
        use base64::Engine as _;
        let show = run(Form::Jsonl, TERMINAL, &bytes, cut, encoding);
        let mut pieces = Vec::new();
        for line in show.paper.out().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["event"] != "output" || line["host"] != "a" || line["stream"] != "stdout" {
                continue;
            }
            let field = |name: &str| line.get(name).and_then(Value::as_str);
            match (field("text"), field("b64"), field("encoding")) {
                (Some(text), None, None) => pieces.extend_from_slice(text.as_bytes()),
                (Some(text), None, Some(label)) => {
                    let encoding = Charset::from_label(label).unwrap();
                    pieces.extend_from_slice(&encoding.encode(text).0);
                }
                (None, Some(b64), None) => {
                    let engine = base64::engine::general_purpose::STANDARD;
                    pieces.extend(engine.decode(b64).unwrap());
                }
                _ => prop_assert!(false, "{line}"),
            }
        }
        prop_assert_eq!(pieces, bytes);
    }
}

#[test]
fn escapes_are_shown_as_what_they_are_and_raw_passes_them() {
    let bytes = "\x1b]0;title\x07a\rb\u{202e}c\u{9b}31m\ttab\r\n\0end";
    for form in FORMS {
        let mut show = Show::run(form, TERMINAL, &["a", "b"]);
        show.host(0, result(bytes)).host(1, result(bytes));
        let shown = show.end();
        let expected = "\\x1b]0;title\\x07a\\x0db\\u{202e}c\\x9b31m\ttab\n";
        assert!(show.paper.out().contains(expected), "{form:?}: {shown}");
        assert!(show.paper.out().contains("\\x00end\n"), "{form:?}: {shown}");

        let raw = Look {
            raw: true,
            ..TERMINAL
        };
        let mut show = Show::run(form, raw, &["a", "b"]);
        show.host(0, result(bytes)).host(1, result(bytes));
        show.end();
        assert!(
            show.paper
                .out()
                .contains("\x1b]0;title\x07a\rb\u{202e}c\u{9b}31m\ttab\r\n")
        );
    }
}

#[test]
fn names_and_signals_of_hosts_can_not_forge_lines() {
    let killed = || HostResult {
        outcome: Outcome::Failed,
        exit: None,
        signal: Some("TERM\nb: ok\x1b[2J".into()),
        ..result("x\n")
    };
    for form in FORMS {
        let mut show = Show::run(form, TERMINAL, &["web\n\x1b[2J", "b"]);
        show.host(0, killed());
        let shown = show.end();
        assert!(!shown.contains('␛'), "{shown}");
        assert!(!shown.contains("\nb: ok"), "{shown}");
        assert!(shown.contains("web\\x0a\\x1b[2J"), "{shown}");
        assert!(
            shown.contains("killed by TERM\\x0ab: ok\\x1b[2J"),
            "{shown}"
        );
    }
}
