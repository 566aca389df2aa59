//! Streams read the same at any cut, line by line.

use proptest::prelude::*;

use super::*;

fn charset(label: &str) -> Charset {
    Charset::from_label(label).unwrap()
}

/// What is read of pieces, and the facts.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, host: Charset) -> (String, Facts) {
    let mut stream = StreamDecoder::new(host);
    let mut text: String = pieces.into_iter().map(|piece| stream.push(piece)).collect();
    text.push_str(&stream.finish());
    (text, stream.facts())
}

fn whole(bytes: &[u8], label: &str) -> (String, Facts) {
    read([bytes], charset(label))
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn each_line_is_utf_8_or_what_the_host_speaks() {
    let mixed = [
        "PowerShell: 完成\r\n".as_bytes(),
        b"\xcd\xea\xb3\xc9 ok\r\n",
        "进度 1%\r进度 2%\r".as_bytes(),
        b"\xbd\xf8\xb6\xc8\r\nplain\n",
        "最后".as_bytes(),
    ]
    .concat();
    let (text, facts) = whole(&mixed, "936");
    assert_eq!(
        text,
        "PowerShell: 完成\r\n完成 ok\r\n进度 1%\r进度 2%\r进度\r\nplain\n最后"
    );
    assert_eq!(facts.charset.name(), "gb18030");
    assert!(!facts.lossy && !facts.ascii && !facts.marked);
    let (text, facts) = whole(b"\xef\xbb\xbf\xe4\xb8\xad\r\n\xd6\xd0\r\n", "936");
    assert_eq!(text, "中\r\n中\r\n");
    assert!(facts.marked);
}

#[test]
fn second_bytes_that_look_like_ascii_are_no_text_of_their_own() {
    // 乗 is 8f 5c, 表 is 95 5c: a backslash; 誠 (950) is b8 db, 功 a5 5c.
    for (label, text) in [
        ("932", "乗表ソ能\n表示する\r\n"),
        ("950", "成功許蓋\n功能\n"),
        ("936", "乗獅亅\n镕䶮\n"),
        ("949", "똠방각하\n펲시콜라\n"),
    ] {
        let (bytes, fit) = charset(label).encode(text);
        assert!(fit, "{label}");
        for cut in 0..=bytes.len() {
            let (one, other) = bytes.split_at(cut);
            let (shown, facts) = read([one, other], charset(label));
            assert_eq!(shown, text, "{label} cut at {cut}");
            assert!(!facts.lossy);
        }
    }
}

#[test]
fn utf_16_without_a_mark_is_seen_whatever_the_host_speaks() {
    for label in ["utf-8", "936", "437"] {
        let (text, facts) = whole(&utf16("Caption\r\n专业版 10\r\n"), label);
        assert_eq!(text, "Caption\r\n专业版 10\r\n");
        assert_eq!(facts.charset, Charset::UTF_16LE);
        assert!(!facts.ascii);
        let long = "Name 名称\r\n".repeat(1000);
        assert_eq!(whole(&utf16(&long), label).0, long);
    }
}

#[test]
fn a_host_that_is_said_to_speak_utf_16_may_write_plain_text_too() {
    let (text, facts) = whole(&utf16("没有已安装的分发版。\r\n"), "utf-16le");
    assert_eq!(text, "没有已安装的分发版。\r\n");
    assert_eq!(facts.charset, Charset::UTF_16LE);
    assert_eq!(whole("ok 好\r\n".as_bytes(), "utf-16le").0, "ok 好\r\n");
    let (bytes, _) = charset("iso-2022-jp").encode("日本\nok\n");
    assert_eq!(whole(&bytes, "iso-2022-jp").0, "日本\nok\n");
}

#[test]
fn what_is_certain_does_not_wait() {
    let mut stream = StreamDecoder::new(charset("936"));
    assert_eq!(stream.push(b"ready. "), "ready. ");
    assert_eq!(stream.push(b"\xc7"), "");
    assert_eq!(stream.push(b"\xeb: "), "请: ");
    assert_eq!(stream.push(b"\n"), "\n");
    // This may still be GBK.
    assert_eq!(stream.push("中".as_bytes()), "");
    assert_eq!(stream.push(b"\n"), "中\n");
    let mut stream = StreamDecoder::new(Charset::UTF_8);
    assert_eq!(stream.push("中文 50%".as_bytes()), "中文 50%");
    assert_eq!(stream.push(b"\xe4\xb8"), "");
    assert_eq!(stream.push(b"\xad"), "中");
}

#[test]
fn a_line_without_end_is_bounded_and_no_character_of_it_is_cut() {
    let gbk = charset("936");
    let long = "中文".repeat(100_000);
    for (bytes, expected) in [
        (long.clone().into_bytes(), long.clone()),
        (gbk.encode(&long).0, long.clone()),
        (
            [long.as_bytes(), b"\n", &gbk.encode("完\n完").0].concat(),
            format!("{long}\n完\n完"),
        ),
    ] {
        for size in [1000, 65_535, 65_536, 65_537, 1 << 20] {
            let mut stream = StreamDecoder::new(gbk);
            let mut text = String::new();
            for piece in bytes.chunks(size) {
                text.push_str(&stream.push(piece));
                assert!(stream.held.len() <= LINE_MAX);
            }
            text.push_str(&stream.finish());
            assert!(text == expected, "pieces of {size}");
        }
    }
}

#[test]
fn what_was_cut_off_is_no_other_character_set() {
    let cut = &"中文".as_bytes()[..5];
    let mut stream = StreamDecoder::new(charset("936"));
    assert_eq!(stream.push(cut) + &stream.finish_cut(), "中\u{fffd}");
    assert!(stream.facts().lossy);
    assert_eq!(stream.facts().charset, Charset::UTF_8);
    let mut stream = StreamDecoder::new(charset("936"));
    let _ = stream.push(cut) + &stream.finish();
    assert_eq!(stream.facts().charset, charset("936"));
}

/// What the rules say, written down as a whole.
fn by_the_rules(bytes: &[u8], host: Charset) -> (String, bool) {
    let (marked, bytes) = match Charset::from_mark(bytes) {
        Some((charset, length)) if charset == Charset::UTF_8 => (None, &bytes[length..]),
        Some((charset, length)) => (Some(charset), &bytes[length..]),
        None => (None, bytes),
    };
    let decode = |charset: Charset, bytes: &[u8]| {
        let mut text = String::new();
        let lossy = charset.decoder().push(bytes, true, &mut text);
        (text, lossy)
    };
    if let Some(charset) = marked {
        return decode(charset, bytes);
    }
    let (mut text, mut lossy) = (String::new(), false);
    for line in bytes.split_inclusive(|byte| is_end(*byte)) {
        let (more, unfit) = match std::str::from_utf8(line) {
            Ok(line) => (line.to_owned(), false),
            Err(_) => decode(host, line),
        };
        text.push_str(&more);
        lossy |= unfit;
    }
    (text, lossy)
}

/// Bytes as hosts print them.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<Vec<u8>>(),
        "\\PC{0,8}".prop_map(String::into_bytes),
        "[中文错误ok \r\n]{0,8}".prop_map(String::into_bytes),
        "[中文错误ok \r\n]{0,8}".prop_map(|text| charset("936").encode(&text).0),
        "[表示ソok \r\n]{0,8}".prop_map(|text| charset("932").encode(&text).0),
        "[中ok \r\n]{0,8}".prop_map(|text| utf16(&text)),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"\xff\xfe".to_vec()),
    ];
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn hosts() -> impl Strategy<Value = Charset> {
    let labels = vec![
        "utf-8",
        "936",
        "932",
        "950",
        "949",
        "437",
        "1251",
        "utf-16le",
        "iso-2022-jp",
    ];
    proptest::sample::select(labels).prop_map(charset)
}

proptest! {
    #[test]
    fn a_stream_reads_the_same_at_any_cut(
        bytes in streams(), host in hosts(), cuts in proptest::collection::vec(0usize..60, 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        let whole = read([bytes.as_slice()], host);
        prop_assert_eq!(&read(pieces, host), &whole);
        prop_assert_eq!(&read(bytes.chunks(1), host), &whole);
        let decoded = crate::base::text::decode(&bytes, host);
        prop_assert_eq!((decoded.text.as_ref(), decoded.lossy), (whole.0.as_str(), whole.1.lossy));
    }

    #[test]
    fn a_stream_that_is_no_utf_16_reads_by_the_rules(bytes in streams(), host in hosts()) {
        let (text, facts) = read([bytes.as_slice()], host);
        if !host.is_ascii_compatible() || facts.charset == Charset::UTF_16LE {
            return Ok(());
        }
        let expected = by_the_rules(&bytes, host);
        prop_assert_eq!((text, facts.lossy), expected);
    }
}
