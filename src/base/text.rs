//! Bytes of hosts as text: decoded by a character set, shown without harm to a terminal.

mod charset;
mod screen;
mod stream;
mod wide;

use std::borrow::Cow;

pub use charset::{Charset, Decoder, Encoder};
pub use screen::terminal_safe;
pub use stream::{Facts, StreamDecoder};

/// Bytes read as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, with U+FFFD where bytes fit no character.
    pub text: Cow<'a, str>,
    /// True when something did not fit.
    pub lossy: bool,
}

/// Decodes the whole of an output, as [`StreamDecoder`] does its pieces.
pub fn decode(bytes: &[u8], host: Charset) -> Decoded<'_> {
    let plain = begins_plain(bytes, host) && (!host.is_double_byte() || bytes.is_ascii());
    if let (true, Ok(text)) = (plain, std::str::from_utf8(bytes)) {
        return Decoded {
            text: Cow::Borrowed(text),
            lossy: false,
        };
    }
    let mut decoder = StreamDecoder::new(host);
    let text = decoder.push(bytes) + &decoder.finish();
    Decoded {
        text: Cow::Owned(text),
        lossy: decoder.facts().lossy,
    }
}

/// Whether an output that begins so is lines of UTF-8 or of what the host speaks: no mark, no UTF-16.
pub fn begins_plain(bytes: &[u8], host: Charset) -> bool {
    let beginning = bytes.get(..wide::MOST).unwrap_or(bytes);
    host.is_ascii_compatible() && Charset::from_mark(bytes).is_none() && !beginning.contains(&0)
}

/// The character set of a name as users write it (`latin-1` and `Latin_1` are `latin1`); see
/// [`Charset::from_label`].
pub fn encoding(label: &str) -> Option<Charset> {
    let plain = || label.to_lowercase().replace(['-', '_', ' '], "");
    Charset::from_label(label).or_else(|| Charset::from_label(&plain()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_wins_then_the_hosts_character_set() {
        let gbk = encoding("cp936").unwrap();
        assert_eq!(decode("中文".as_bytes(), gbk).text, "中文");
        assert_eq!(decode(b"\xd6\xd0\xce\xc4", gbk).text, "中文");
        assert!(decode(b"\xff\xfe\x2d\x4e", gbk).text == "中");
        assert!(decode(b"\xd6\xd0", Charset::UTF_8).lossy);
        assert!(matches!(decode(b"plain", gbk).text, Cow::Borrowed(_)));
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
