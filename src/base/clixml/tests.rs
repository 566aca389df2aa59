//! What is shown of what PowerShell writes: of whole documents, of several, of cut ones, of none.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::record::{escape, unescape};
use super::*;

const OPENED: &str = "#< CLIXML\r\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">";

fn shown(text: &str) -> String {
    let mut filter = Filter::new();
    filter.push(text) + &filter.finish()
}

/// The samples of `tests/it/fixtures/clixml`, by name.
fn samples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/clixml");
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "xml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    samples.sort();
    assert_eq!(samples.len(), 12);
    samples
}

#[test]
fn what_powershell_wrote_reads_as_its_console_would_show_it() {
    let mut all = String::new();
    for (name, text) in samples() {
        let mut filter = Filter::new();
        let mut shown = filter.push(&text) + &filter.finish();
        assert!(filter.seen());
        if name.starts_with("long") {
            assert_eq!(shown, "x".repeat(9000) + "\n");
            shown = "x … x\n".into();
        }
        let shown = crate::base::text::terminal_safe(&shown);
        let _ = writeln!(all, "== {name}\n{shown}");
    }
    insta::assert_snapshot!(all, @r#"
    == clixml_with_error.xml
    fake : The term 'fake' is not recognized as the name of a cmdlet, function, script file, or operable program. Check 
    the spelling of the name, or if a path was included, verify that the path is correct and try again.
    At line:1 char:1
    + fake cmdlet
    + ~~~~
        + CategoryInfo          : ObjectNotFound: (fake:String) [], CommandNotFoundException
        + FullyQualifiedErrorId : CommandNotFoundException

    == clixml_with_no_errors.xml

    == error.stderr.xml
    disk D: is full

    == escapes.stderr.xml
    tab	 cr\x0d lf
     nul\x00 emoji 😀 under_x0041_score <b>&amp;</b> 中文

    == long.stderr.xml
    x … x

    == mixed.stderr.xml
    bad one
    WARNING: hm

    == native.stderr.xml
    raw stderr
    /bin/ls: cannot access '/does/not/exist': No such file or directory

    == parse.stderr.xml
    At line:1 char:10
    + Get-Item )
    +          ~
    Unexpected token ')' in expression or statement.

    == progress.stderr.xml

    == terminating.stderr.xml
    Cannot find path '/does/not/exist' because it does not exist.
    At line:1 char:32
    + $ErrorActionPreference="Stop"; Get-Item /does/not/exist
    +                                ~~~~~~~~~~~~~~~~~~~~~~~~

    == throw.stderr.xml
    no such service: 游戏服务
    At line:1 char:1
    + throw "no such service: 游戏服务"
    + ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~

    == warning.stderr.xml
    WARNING: low on space
    VERBOSE: v
    DEBUG: d
    "#);
}

#[test]
fn documents_follow_each_other_with_plain_text_around_and_between_them() {
    let document =
        |stream: &str, text: &str| format!("{OPENED}<S S=\"{stream}\">{text}</S></Objs>");
    let text = [
        "before\n".to_owned(),
        document("Error", "one_x000D__x000A_"),
        document("warning", "two"),
        "\r\nbetween\r\n".into(),
        // A child's document in its parent's: the header of the one before those of both.
        "#< CLIXML\n#< CLIXML\r\n".into(),
        document("verbose", "three").replace("#< CLIXML\r\n", ""),
        document("debug", "four").replace("#< CLIXML\r\n", ""),
        "no newline".into(),
        document("Error", "five").replace("#< CLIXML\r\n", ""),
        "\nafter".into(),
    ];
    insta::assert_snapshot!(shown(&text.concat()), @r"
    before
    one
    WARNING: two
    between
    VERBOSE: three
    DEBUG: four
    no newline
    five
    after
    ");
}

#[test]
fn native_text_within_a_document_is_shown_where_it_stands() {
    let text = format!(
        "{OPENED}<S S=\"Error\">a</S>gcc: <stdin>: if (a < b && c > d)\n  indented\n<Obj S=\"progress\" RefId=\"0\"><MS/></Obj> \r\n<S S=\"Error\">b</S></Objs>"
    );
    insta::assert_snapshot!(shown(&text), @r"
    a
    gcc: <stdin>: if (a < b && c > d)
      indented
    b
    ");
}

#[test]
fn progress_alone_shows_as_nothing() {
    for (name, text) in samples() {
        if name.starts_with("progress") || name.starts_with("clixml_with_no_errors") {
            assert_eq!(shown(&text), "", "{name}");
        }
    }
    assert_eq!(shown("#< CLIXML\r\n"), "");
    assert_eq!(shown("#< CLIXML"), "");
    assert_eq!(shown(&format!("{OPENED}</Objs>\r\n")), "");
    assert_eq!(shown("#< CLIXML\n<Objs Version=\"1.1.0.1\" />"), "");
}

#[test]
fn text_that_is_no_clixml_stays_as_it_is() {
    for text in [
        "",
        "#",
        "#< CLI",
        "# < CLIXML\nx",
        "#< CLIXMLs are files\n",
        "see: #< CLIXML\n<Objs><S S=\"Error\">x</S></Objs>",
        "<Objs Version=\"1.1.0.1\"><S S=\"Error\">x</S></Objs>\r\n",
        "a\r\nb\r",
    ] {
        let mut filter = Filter::new();
        let shown = filter.push(text) + &filter.finish();
        assert_eq!(shown, text);
        assert!(!filter.seen(), "{text}");
    }
}

#[test]
fn a_document_that_was_cut_off_is_shown_as_far_as_it_goes() {
    let whole = format!(
        "{OPENED}<S S=\"Error\">first</S><Obj S=\"Error\" RefId=\"0\"><TN RefId=\"0\"><T>x</T></TN><ToString>disk D: is full</ToString><MS><S N=\"a\">b</S></MS></Obj></Objs>"
    );
    let behind = |needle: &str| whole.find(needle).unwrap() + needle.len();
    for (cut, expected) in [
        (behind("#< CLIXML"), ""),
        (behind("xmlns="), ""),
        (behind("<S S="), ""),
        (behind(">fir"), "fir\n"),
        (behind("first</S><Obj"), "first\n"),
        (behind("<ToString>disk"), "first\ndisk\n"),
        (behind("</ToString>"), "first\ndisk D: is full\n"),
        (behind("</Obj"), "first\ndisk D: is full\n"),
        (behind("</Obj></O"), "first\ndisk D: is full\n"),
    ] {
        assert_eq!(shown(&whole[..cut]), expected, "{}", &whole[..cut]);
        // Another program goes on.
        let more = format!("{}{OPENED}<S S=\"warning\">x</S></Objs>", &whole[..cut]);
        let _ = shown(&more);
    }
    let unended = format!("{OPENED}<Obj S=\"Error\"><ToString>x</ToString><MS></Objs>\nnative\n");
    assert_eq!(shown(&unended), "x\nnative\n");
}

#[test]
fn of_a_record_that_is_too_large_the_beginning_is_shown_and_what_follows_is_whole() {
    let text = format!(
        "{OPENED}<Obj S=\"Error\" RefId=\"0\"><ToString>message</ToString><S N=\"x\">{}</S></Obj><S S=\"warning\">after</S></Objs>",
        "中".repeat(RECORD_MAX)
    );
    let mut filter = Filter::new();
    let mut said = String::new();
    for piece in text.as_bytes().chunks(30_000) {
        said.push_str(&filter.push(&String::from_utf8_lossy(piece)));
        assert!(filter.held() <= RECORD_MAX + 100_000);
    }
    said.push_str(&filter.finish());
    assert_eq!(said, "message\nWARNING: after\n");
    let huge = format!(
        "{OPENED}<S S=\"Error\">{}</S></Objs>",
        "x".repeat(2 * RECORD_MAX)
    );
    assert!((RECORD_MAX - 100..=RECORD_MAX).contains(&shown(&huge).len()));
}

#[test]
fn escapes_are_units_of_utf_16() {
    for (text, plain) in [
        ("tab_x0009_", "tab\t"),
        ("_xD83D__xDE00_", "😀"),
        ("_xd83d__xde00_", "😀"),
        ("_xD83D_a_xDE00_", "\u{fffd}a\u{fffd}"),
        ("under_x005F_x0041_score", "under_x0041_score"),
        ("_x41_ _x004_ _x00G1_ _x0041", "_x41_ _x004_ _x00G1_ _x0041"),
        ("_x+041_ _x_x0041_", "_x+041_ _xA"),
        ("_x中中中中_", "_x中中中中_"),
    ] {
        assert_eq!(unescape(text), plain, "{text}");
    }
}

#[test]
fn what_powershell_escapes_is_read_back() {
    let text = "tab\t cr\r lf\n nul\0 emoji 😀 under_x0041_score <b>&amp;</b> 中文";
    let (_, sample) = samples()
        .into_iter()
        .find(|(name, _)| name.starts_with("escapes"))
        .unwrap();
    assert!(sample.contains(&format!("<ToString>{}</ToString>", escape(text))));
    assert_eq!(
        shown(&format!(
            "{OPENED}<S S=\"Error\">{}</S></Objs>",
            escape(text)
        )),
        format!("{text}\n")
    );
}

#[test]
fn entities_are_the_characters_they_stand_for_and_unknown_ones_stay() {
    let text = format!(
        "{OPENED}<S S=\"Error\">&lt;b&gt; &amp;amp; &#x4e2d;&#25991; &nbsp; &#xFFFFFF; &</S></Objs>"
    );
    assert_eq!(shown(&text), "<b> &amp; 中文 &nbsp; &#xFFFFFF; &\n");
}

#[test]
fn the_segments_say_what_each_record_was() {
    let text = format!(
        "#< CLIXML\nraw\n{}<S S=\"Error\">e</S><S S=\"warning\">w</S><S S=\"verbose\">v</S><S S=\"debug\">d</S><Obj S=\"information\"><ToString>i</ToString></Obj><Obj S=\"progress\"><MS/></Obj><I32 S=\"output\">5</I32></Objs>",
        OPENED.lines().nth(1).unwrap()
    );
    let mut reader = Clixml::new();
    let mut segments = Vec::new();
    reader.push(&text, &mut segments);
    reader.finish(&mut segments);
    assert_eq!(
        segments,
        [
            Segment::Text("raw\n".into()),
            Segment::Error("e".into()),
            Segment::Warning("w".into()),
            Segment::Verbose("v".into()),
            Segment::Debug("d".into()),
            Segment::Information("i".into()),
            Segment::Progress,
            Segment::Output("5".into()),
        ]
    );
}

/// Text that has much of what matters.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(OPENED.to_owned()),
        Just("</Objs>".to_owned()),
        Just("#< CLIXML\n".to_owned()),
        Just("<S S=\"Error\">e_x000A_".to_owned()),
        Just("</S>".to_owned()),
        Just("<Obj S='warning'><ToString>w".to_owned()),
        Just("</ToString></Obj>".to_owned()),
        Just("\r\n".to_owned()),
        Just("<Objs/>".to_owned()),
        Just("_xD83D__xDE00_".to_owned()),
        "[<>/&;\"'=a-z #\r\n中]{0,12}",
        "\\PC{0,6}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_comes_in_pieces_reads_as_the_whole(
        text in texts(), cuts in proptest::collection::vec(0usize..200, 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut)).collect();
        cuts.sort_unstable();
        let mut filter = Filter::new();
        let (mut pieces, mut from) = (String::new(), 0);
        for cut in cuts {
            pieces.push_str(&filter.push(&text[from..cut]));
            from = cut;
        }
        pieces.push_str(&filter.push(&text[from..]));
        pieces.push_str(&filter.finish());
        prop_assert_eq!(pieces, shown(&text));
    }

    #[test]
    fn text_without_a_header_is_passed_on(text in "[<>/a-zObjsS=\"\r\n中]{0,60}") {
        prop_assert_eq!(shown(&text), text);
    }
}

#[test]
fn the_samples_read_the_same_at_any_cut() {
    for (name, text) in samples() {
        let whole = shown(&text);
        for step in [1, 7, 100, 4096] {
            let mut filter = Filter::new();
            let mut pieces = String::new();
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at(rest.ceil_char_boundary(step));
                pieces.push_str(&filter.push(piece));
                rest = behind;
            }
            pieces.push_str(&filter.finish());
            assert_eq!(pieces, whole, "{name} in steps of {step}");
        }
    }
}
