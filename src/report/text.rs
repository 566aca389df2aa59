//! Outputs of hosts on their way to a reader: as bytes for files and pipes, as harmless text for a
//! terminal. Streams: what is large is never in memory whole.

use std::borrow::Cow;
use std::io::{self, Write};

use encoding_rs::{Decoder, Encoding};

use super::reading::{Reading, decode, pieces};
use crate::base::text::{StreamDecoder, terminal_safe};
use crate::event::Captured;

/// How bytes of hosts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As they came; of a host that speaks another encoding than UTF-8, decoded.
    Bytes,
    /// Decoded, control characters and all.
    Text,
    /// Decoded, control characters shown.
    Safe,
}

impl Manner {
    /// Of a host that speaks this: bytes that no pipe's reader would understand are decoded.
    fn of(self, encoding: &'static Encoding) -> Self {
        match self {
            Self::Bytes if encoding != encoding_rs::UTF_8 => Self::Text,
            other => other,
        }
    }
}

/// Text for one line of a screen: a name, a word. Newlines and tabs are shown too.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    let safe = terminal_safe(text);
    if safe.contains(['\n', '\t']) {
        return Cow::Owned(safe.replace('\n', "\\x0a").replace('\t', "\\x09"));
    }
    safe
}

/// Text on its way to a screen, piece by piece.
struct Shower {
    safe: bool,
    /// A carriage return at the end of a piece: what follows says what it means.
    returned: bool,
}

impl Shower {
    fn show(&mut self, mut text: String, last: bool) -> String {
        if !self.safe {
            return text;
        }
        if std::mem::take(&mut self.returned) {
            text.insert(0, '\r');
        }
        if !last && text.ends_with('\r') {
            text.pop();
            self.returned = true;
        }
        terminal_safe(&text).into_owned()
    }
}

/// How a stream is decoded, as far as it is known.
enum Decoding {
    /// What may be the beginning of a byte-order mark.
    Begun(Vec<u8>),
    Marked(Decoder),
    Unmarked(StreamDecoder),
}

/// One output stream on its way, as it comes.
pub(super) struct TextStream {
    manner: Manner,
    encoding: &'static Encoding,
    decoding: Decoding,
    shower: Shower,
}

impl TextStream {
    pub(super) fn new(manner: Manner, encoding: &'static Encoding) -> Self {
        let manner = manner.of(encoding);
        Self {
            manner,
            encoding,
            decoding: Decoding::Begun(Vec::new()),
            shower: Shower {
                safe: manner == Manner::Safe,
                returned: false,
            },
        }
    }

    /// The next bytes in; what can be written of them out.
    pub(super) fn push<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.manner == Manner::Bytes {
            return Cow::Borrowed(bytes);
        }
        let text = self.decode(bytes, false);
        Cow::Owned(self.shower.show(text, false).into_bytes())
    }

    /// What was held back, at the end.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        if self.manner == Manner::Bytes {
            return Vec::new();
        }
        let text = self.decode(&[], true);
        self.shower.show(text, true).into_bytes()
    }

    fn decode(&mut self, bytes: &[u8], last: bool) -> String {
        match &mut self.decoding {
            Decoding::Begun(begun) => {
                begun.extend_from_slice(bytes);
                let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
                let whole = Encoding::for_bom(begun);
                if whole.is_none() && !last && marks.iter().any(|mark| mark.starts_with(begun)) {
                    return String::new();
                }
                let begun = std::mem::take(begun);
                let (decoding, from) = match whole {
                    Some((encoding, length)) => (
                        Decoding::Marked(encoding.new_decoder_without_bom_handling()),
                        length,
                    ),
                    None => (Decoding::Unmarked(StreamDecoder::new(self.encoding)), 0),
                };
                self.decoding = decoding;
                self.decode(begun.get(from..).unwrap_or_default(), last)
            }
            Decoding::Marked(decoder) => decode(decoder, bytes, last).0,
            Decoding::Unmarked(decoder) => {
                let mut text = decoder.push(bytes);
                if last {
                    text.push_str(&decoder.finish());
                }
                text
            }
        }
    }
}

/// Writes a kept output, ending with a newline where there is anything. One that can't be read is
/// no reason to be silent about the other hosts: the place says so.
pub(super) fn write_captured(
    output: &Captured,
    encoding: &'static Encoding,
    manner: Manner,
    to: &mut dyn Write,
) -> io::Result<()> {
    let manner = manner.of(encoding);
    let mut last = b'\n';
    let mut written = Ok(());
    let mut write = |bytes: &[u8]| {
        written = to.write_all(bytes);
        last = bytes.last().copied().unwrap_or(last);
        written.as_ref().is_ok()
    };
    let read = if manner == Manner::Bytes {
        pieces(output, 0, |piece, _| Ok(write(piece)))
    } else {
        let mut shower = Shower {
            safe: manner == Manner::Safe,
            returned: false,
        };
        let read = Reading::of(output, encoding).and_then(|reading| {
            reading.decode(output, |text| {
                if write(shower.show(text.to_owned(), false).as_bytes()) {
                    Ok(())
                } else {
                    Err(io::ErrorKind::Other.into())
                }
            })
        });
        write(shower.show(String::new(), true).as_bytes());
        read.map(|_| ())
    };
    written?;
    if last != b'\n' {
        to.write_all(b"\n")?;
    }
    if let Err(error) = read {
        tracing::error!(%error, "a kept output can't be read");
        writeln!(to, "[this output can't be read: {error}]")?;
    }
    Ok(())
}
