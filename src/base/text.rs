//! Bytes of hosts as text: decoded by an encoding, shown without harm to a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use encoding_rs::Encoding;

/// Bytes read as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, with U+FFFD where bytes fit no character.
    pub text: Cow<'a, str>,
    /// True when something did not fit.
    pub lossy: bool,
}

/// Decodes `bytes`: a byte-order mark decides, then strict UTF-8, then `encoding` (what the host is
/// known to speak), and what still does not fit is marked.
pub fn decode<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Decoded<'a> {
    if let Some((marked, length)) = Encoding::for_bom(bytes) {
        let (text, lossy) =
            marked.decode_without_bom_handling(bytes.get(length..).unwrap_or_default());
        return Decoded { text, lossy };
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded {
            text: Cow::Borrowed(text),
            lossy: false,
        };
    }
    let (text, lossy) = encoding.decode_without_bom_handling(bytes);
    Decoded { text, lossy }
}

/// Decodes a stream piece by piece, as [`decode`] does a whole: what is no UTF-8 is read by the
/// host's encoding from there on. A character that lies across pieces is held back.
pub struct StreamDecoder {
    encoding: &'static Encoding,
    decoder: Option<encoding_rs::Decoder>,
    held: Vec<u8>,
}

impl StreamDecoder {
    /// For a stream of a host that speaks `encoding`.
    pub fn new(encoding: &'static Encoding) -> Self {
        Self {
            encoding,
            decoder: None,
            held: Vec::new(),
        }
    }

    /// The next bytes in, their text out.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        if self.decoder.is_some() {
            return self.by_encoding(bytes, false);
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let error = match std::str::from_utf8(&all) {
            Ok(text) => return text.to_owned(),
            Err(error) => error,
        };
        let (valid, rest) = all.split_at(error.valid_up_to());
        let mut text = String::from_utf8_lossy(valid).into_owned();
        if error.error_len().is_none() {
            self.held = rest.to_vec();
        } else {
            self.decoder = Some(self.encoding.new_decoder_without_bom_handling());
            text.push_str(&self.by_encoding(rest, false));
        }
        text
    }

    /// What was held back, at the end.
    pub fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        if self.decoder.is_some() {
            return self.by_encoding(&[], true);
        }
        decode(&held, self.encoding).text.into_owned()
    }

    fn by_encoding(&mut self, bytes: &[u8], last: bool) -> String {
        let Some(decoder) = &mut self.decoder else {
            return String::new();
        };
        let room = decoder
            .max_utf8_buffer_length(bytes.len())
            .unwrap_or(bytes.len());
        let mut text = String::with_capacity(room);
        let _ = decoder.decode_to_string(bytes, &mut text, last);
        text
    }
}

/// The encoding of a name as users write it: WHATWG labels, and Windows code pages
/// (`936`, `cp936`, `gbk`, `gb18030`, `utf-8`, `65001`). 936 is read as GB18030, its superset.
pub fn encoding(label: &str) -> Option<&'static Encoding> {
    let lower = label.trim().to_ascii_lowercase();
    let page = lower
        .strip_prefix("cp")
        .or_else(|| lower.strip_prefix("windows-"))
        .unwrap_or(&lower);
    match page {
        "936" | "gbk" | "gb2312" | "54936" => Some(encoding_rs::GB18030),
        "950" => Some(encoding_rs::BIG5),
        "932" => Some(encoding_rs::SHIFT_JIS),
        "949" => Some(encoding_rs::EUC_KR),
        "866" => Some(encoding_rs::IBM866),
        "65001" | "utf8" => Some(encoding_rs::UTF_8),
        "1200" => Some(encoding_rs::UTF_16LE),
        "874" | "1250" | "1251" | "1252" | "1253" | "1254" | "1255" | "1256" | "1257" | "1258" => {
            Encoding::for_label(format!("windows-{page}").as_bytes())
        }
        _ => Encoding::for_label(lower.as_bytes()),
    }
}

/// Text for a terminal: control characters of hosts are shown (`\x1b`), newlines and tabs kept, and
/// characters that reorder what follows (Unicode bidi controls) are shown too.
pub fn terminal_safe(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            c if harmful(c) && u32::from(c) < 0x100 => {
                let _ = write!(safe, "\\x{:02x}", u32::from(c));
            }
            c if harmful(c) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_wins_then_the_hosts_encoding() {
        let gbk = encoding("cp936").unwrap();
        assert_eq!(decode("中文".as_bytes(), gbk).text, "中文");
        assert_eq!(decode(b"\xd6\xd0\xce\xc4", gbk).text, "中文");
        assert!(decode(b"\xff\xfe\x2d\x4e", gbk).text == "中");
        assert!(decode(b"\xd6\xd0", encoding_rs::UTF_8).lossy);
    }

    #[test]
    fn a_stream_reads_the_same_at_any_cut() {
        let gbk = encoding("cp936").unwrap();
        for (bytes, encoding) in [
            ("a中文b".as_bytes(), encoding_rs::UTF_8),
            (b"a\xd6\xd0\xce\xc4b".as_slice(), gbk),
            (b"a\xff\xfeb\xe4".as_slice(), encoding_rs::UTF_8),
        ] {
            for cut in 0..=bytes.len() {
                let mut stream = StreamDecoder::new(encoding);
                let (one, other) = bytes.split_at(cut);
                let text = stream.push(one) + &stream.push(other) + &stream.finish();
                let whole = decode(bytes, encoding).text;
                assert_eq!(text, whole, "cut at {cut}");
            }
        }
    }

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(
            terminal_safe("a\x1b[2Jb\tc\r\nd\re"),
            "a\\x1b[2Jb\tc\nd\\x0de"
        );
        assert_eq!(terminal_safe("\u{202e}x"), "\\u{202e}x");
        assert!(matches!(terminal_safe("plain\n"), Cow::Borrowed(_)));
    }
}
