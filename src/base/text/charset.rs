//! The character sets that hosts speak: those of the web, among them the code pages of Windows, and
//! the pages of its Western consoles.

use std::fmt;

use encoding_rs::{CoderResult, DecoderResult, Encoding};
use oem_cp::code_table::{DECODING_TABLE_CP_MAP, ENCODING_TABLE_CP_MAP};

/// A character set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Charset(Set);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Set {
    Web(&'static Encoding),
    /// A page of a console, by its number: one byte a character, ASCII below 128.
    Console(u16),
}

impl Charset {
    /// UTF-8, which everybody speaks unless said.
    pub const UTF_8: Self = Self(Set::Web(encoding_rs::UTF_8));
    /// UTF-16 as Windows has it.
    pub const UTF_16LE: Self = Self(Set::Web(encoding_rs::UTF_16LE));

    /// The one of a name as users write it: WHATWG labels, Windows code pages by their numbers
    /// (`936`, `cp936`), and what [`name`](Self::name) gives.
    pub fn from_label(label: &str) -> Option<Self> {
        let lower = label.trim().to_ascii_lowercase();
        let number = ["cp", "windows-", "ibm", "oem"]
            .iter()
            .find_map(|prefix| lower.strip_prefix(prefix))
            .unwrap_or(&lower);
        if let Ok(page) = number.parse()
            && let Some(found) = Self::from_code_page(page)
        {
            return Some(found);
        }
        match lower.as_str() {
            "gbk" | "gb2312" => Self::from_code_page(936),
            "utf8" => Some(Self::UTF_8),
            _ => Encoding::for_label(lower.as_bytes()).map(Self::web),
        }
    }

    /// The one of a Windows code page; 936 is read as GB18030, its superset.
    pub fn from_code_page(page: u16) -> Option<Self> {
        let label = match page {
            936 | 51936 | 52936 | 54936 => "gb18030",
            950 => "big5",
            932 => "shift_jis",
            949 | 51949 => "euc-kr",
            20932 | 51932 => "euc-jp",
            50220..=50222 => "iso-2022-jp",
            866 => "ibm866",
            874 | 1250..=1258 => {
                return Encoding::for_label(format!("windows-{page}").as_bytes()).map(Self::web);
            }
            20127 | 65001 => "utf-8",
            1200 => "utf-16le",
            1201 => "utf-16be",
            10000 => "macintosh",
            20866 => "koi8-r",
            21866 => "koi8-u",
            28591..=28606 => {
                return Encoding::for_label(format!("iso-8859-{}", page - 28590).as_bytes())
                    .map(Self::web);
            }
            page => {
                return DECODING_TABLE_CP_MAP
                    .contains_key(&page)
                    .then_some(Self(Set::Console(page)));
            }
        };
        Encoding::for_label(label.as_bytes()).map(Self::web)
    }

    /// The one of a byte-order mark at the beginning of bytes, and how long that is.
    pub fn from_mark(bytes: &[u8]) -> Option<(Self, usize)> {
        Encoding::for_bom(bytes).map(|(encoding, length)| (Self::web(encoding), length))
    }

    fn web(encoding: &'static Encoding) -> Self {
        // GBK as its superset.
        if encoding == encoding_rs::GBK {
            return Self(Set::Web(encoding_rs::GB18030));
        }
        Self(Set::Web(encoding))
    }

    /// Its name in documents: `utf-8`, `gb18030`, `cp437`.
    pub fn name(self) -> String {
        self.to_string()
    }

    /// Whether the bytes of ASCII are its characters in it, and no parts of others in the midst of
    /// a line.
    pub fn is_ascii_compatible(self) -> bool {
        match self.0 {
            Set::Web(encoding) => encoding.is_ascii_compatible(),
            Set::Console(_) => true,
        }
    }

    /// Whether its characters are of two bytes or four, UTF-16.
    pub fn is_wide(self) -> bool {
        [encoding_rs::UTF_16LE, encoding_rs::UTF_16BE]
            .iter()
            .any(|wide| self.0 == Set::Web(wide))
    }

    /// Whether it is one of East Asia's pages of Windows (936, 950, 932, 949), in which two bytes
    /// beyond ASCII are a character.
    pub fn is_double_byte(self) -> bool {
        [
            encoding_rs::GB18030,
            encoding_rs::BIG5,
            encoding_rs::SHIFT_JIS,
            encoding_rs::EUC_KR,
        ]
        .iter()
        .any(|page| self.0 == Set::Web(page))
    }

    /// Whether bytes are whole characters of it.
    pub fn fits(self, bytes: &[u8]) -> bool {
        !self.decoder().push(bytes, true, &mut String::new())
    }

    /// A decoder for a stream; it looks for no byte-order mark.
    pub fn decoder(self) -> Decoder {
        match self.0 {
            Set::Web(encoding) => Decoder(Inner::Web(encoding.new_decoder_without_bom_handling())),
            Set::Console(page) => Decoder(Inner::Console(page)),
        }
    }

    /// Text in it, and whether all of it could be said; `&#…;` or `?` stands for what could not. UTF-16
    /// can't be made: it is UTF-8.
    pub fn encode(self, text: &str) -> (Vec<u8>, bool) {
        let mut bytes = Vec::with_capacity(text.len());
        let mut encoder = self.encoder();
        encoder.push(text, |more| bytes.extend_from_slice(more));
        (bytes, !encoder.unfit)
    }

    /// An encoder for a stream.
    pub fn encoder(self) -> Encoder {
        let inner = match self.0 {
            Set::Web(encoding) => EncoderInner::Web(Box::new(encoding.new_encoder())),
            Set::Console(page) => EncoderInner::Console(page),
        };
        Encoder {
            inner,
            unfit: false,
        }
    }

    /// The text of bytes, if it gives back the very bytes.
    pub fn exactly(self, bytes: &[u8]) -> Option<String> {
        let mut text = String::new();
        if self.decoder().push(bytes, true, &mut text) {
            return None;
        }
        let (again, fit) = self.encode(&text);
        (fit && again == bytes).then_some(text)
    }

    /// Whether bytes may be the beginning of a character and are none yet.
    pub fn begins(self, bytes: &[u8]) -> bool {
        let Set::Web(encoding) = self.0 else {
            return false;
        };
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let mut text = String::with_capacity(64);
        let (result, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, false);
        result == DecoderResult::InputEmpty && text.is_empty()
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Set::Web(encoding) => f.write_str(&encoding.name().to_ascii_lowercase()),
            Set::Console(page) => write!(f, "cp{page}"),
        }
    }
}

impl fmt::Debug for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Decodes a stream piece by piece.
pub struct Decoder(Inner);

enum Inner {
    Web(encoding_rs::Decoder),
    Console(u16),
}

impl Decoder {
    /// Appends the text of the next bytes; true when something did not fit, which is U+FFFD then.
    pub fn push(&mut self, bytes: &[u8], last: bool, to: &mut String) -> bool {
        match &mut self.0 {
            Inner::Web(decoder) => {
                let room = decoder.max_utf8_buffer_length(bytes.len());
                to.reserve(room.unwrap_or(bytes.len() * 3 + 16));
                let (_, _, unfit) = decoder.decode_to_string(bytes, to, last);
                unfit
            }
            Inner::Console(page) => {
                let table = DECODING_TABLE_CP_MAP.get(page);
                let mut unfit = false;
                to.extend(bytes.iter().map(|byte| {
                    let c = table.and_then(|table| table.decode_char_checked(*byte));
                    unfit |= c.is_none();
                    c.unwrap_or(char::REPLACEMENT_CHARACTER)
                }));
                unfit
            }
        }
    }
}

/// Encodes a stream piece by piece.
pub struct Encoder {
    inner: EncoderInner,
    unfit: bool,
}

enum EncoderInner {
    Web(Box<encoding_rs::Encoder>),
    Console(u16),
}

impl Encoder {
    /// Hands out the bytes of the next text.
    pub fn push(&mut self, mut text: &str, mut to: impl FnMut(&[u8])) {
        match &mut self.inner {
            EncoderInner::Web(encoder) => {
                let mut buffer = [0; 4096];
                loop {
                    let (result, read, written, unfit) =
                        encoder.encode_from_utf8(text, &mut buffer, false);
                    self.unfit |= unfit;
                    to(buffer.get(..written).unwrap_or_default());
                    text = text.get(read..).unwrap_or_default();
                    if result == CoderResult::InputEmpty {
                        return;
                    }
                }
            }
            EncoderInner::Console(page) => {
                let table = ENCODING_TABLE_CP_MAP.get(page);
                let bytes: Vec<u8> = text
                    .chars()
                    .map(|c| match u8::try_from(c) {
                        Ok(byte) if byte.is_ascii() => byte,
                        _ => table
                            .and_then(|table| table.get(&c).copied())
                            .unwrap_or_else(|| {
                                self.unfit = true;
                                b'?'
                            }),
                    })
                    .collect();
                to(&bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(label: &str, bytes: &[u8]) -> String {
        let charset = Charset::from_label(label).unwrap();
        let mut text = String::new();
        charset.decoder().push(bytes, true, &mut text);
        text
    }

    #[test]
    fn consoles_of_the_west_read_right() {
        for (label, bytes, text) in [
            ("437", &b"caf\x82 \xe1 \xc9\xcd\xbb"[..], "café ß ╔═╗"),
            ("cp850", b"\x81ber \xe1 \xb5", "über ß Á"),
            ("852", b"\x9f\x88 \xa5\xe4", "čł ąń"),
            ("858", b"\xd5", "€"),
            ("ibm866", b"\x8f\xe0\xa8\xa2\xa5\xe2", "Привет"),
            ("855", b"\xdd\xe1", "Пр"),
            ("857", b"\x9f\xa7", "şğ"),
            ("1251", b"\xcf\xf0\xe8", "При"),
            ("936", b"\xd6\xd0\xce\xc4", "中文"),
            ("950", b"\xa4\xa4\xa4\xe5", "中文"),
            ("932", b"\x83e\x83X\x83g", "テスト"),
            ("949", b"\xc7\xd1\xb1\xdb", "한글"),
        ] {
            assert_eq!(read(label, bytes), text, "{label}");
        }
    }

    #[test]
    fn every_name_is_a_label_of_the_same_set() {
        let pages = [
            437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869,
            874, 932, 936, 949, 950, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258, 1200,
            1201, 20866, 28591, 28605, 54936, 65001,
        ];
        for page in pages {
            let charset = Charset::from_code_page(page).unwrap();
            assert_eq!(
                Charset::from_label(&charset.name()),
                Some(charset),
                "{page}"
            );
            assert_eq!(Charset::from_label(&format!("cp{page}")), Some(charset));
        }
        for (label, name) in [
            ("gbk", "gb18030"),
            ("GB2312", "gb18030"),
            ("CP936", "gb18030"),
            ("utf8", "utf-8"),
            ("UTF-8", "utf-8"),
            ("IBM437", "cp437"),
            ("oem850", "cp850"),
            ("latin1", "windows-1252"),
            ("utf-16", "utf-16le"),
            ("sjis", "shift_jis"),
        ] {
            assert_eq!(Charset::from_label(label).unwrap().name(), name, "{label}");
        }
        for wrong in ["", "klingon", "cp1", "99999", "cp-437"] {
            assert_eq!(Charset::from_label(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_can_be_read_gives_its_bytes_back() {
        for page in [437, 850, 852, 855, 858, 862, 866, 1251] {
            let charset = Charset::from_code_page(page).unwrap();
            let all: Vec<u8> = (0..=255).collect();
            let text = charset.exactly(&all);
            assert_eq!(
                text.map(|text| charset.encode(&text)),
                Some((all, true)),
                "{page}"
            );
            assert!(!charset.begins(b"\x80"));
            assert!(!charset.encode("中").1);
        }
        let gbk = Charset::from_code_page(936).unwrap();
        assert!(gbk.begins(b"\xd6") && !gbk.begins(b"\xd6\xd0"));
        assert_eq!(gbk.exactly(b"\xd6"), None);
        let hebrew = Charset::from_code_page(857).unwrap();
        assert_eq!(hebrew.exactly(b"\xd5"), None);
    }
}
