//! Outputs of hosts on their way to a reader: as bytes for files and pipes, as harmless text for a
//! terminal. Streams: what is large is never in memory whole.

use std::borrow::Cow;
use std::io::{self, Read as _, Write};

use encoding_rs::Encoding;

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

/// One output stream on its way.
pub(super) struct TextStream {
    manner: Manner,
    decoder: StreamDecoder,
    /// A carriage return at the end of a piece: what follows says what it means.
    returned: bool,
}

impl TextStream {
    pub(super) fn new(manner: Manner, encoding: &'static Encoding) -> Self {
        let manner = match manner {
            Manner::Bytes if encoding != encoding_rs::UTF_8 => Manner::Text,
            other => other,
        };
        Self {
            manner,
            decoder: StreamDecoder::new(encoding),
            returned: false,
        }
    }

    /// The next bytes in; what can be written of them out.
    pub(super) fn push<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.manner == Manner::Bytes {
            return Cow::Borrowed(bytes);
        }
        let text = self.decoder.push(bytes);
        Cow::Owned(self.show(text, false).into_bytes())
    }

    /// What was held back, at the end.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        if self.manner == Manner::Bytes {
            return Vec::new();
        }
        let text = self.decoder.finish();
        self.show(text, true).into_bytes()
    }

    fn show(&mut self, mut text: String, last: bool) -> String {
        if self.manner != Manner::Safe {
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

/// Writes a kept output, ending with a newline where there is anything.
pub(super) fn write_captured(
    output: &Captured,
    encoding: &'static Encoding,
    manner: Manner,
    to: &mut dyn Write,
) -> io::Result<()> {
    let mut reader = output.reader()?;
    let mut stream = TextStream::new(manner, encoding);
    let mut buffer = vec![0; 64 * 1024];
    let mut last = None;
    loop {
        let got = reader.read(&mut buffer)?;
        let piece = buffer.get(..got).unwrap_or_default();
        let shown = if got == 0 {
            Cow::Owned(stream.finish())
        } else {
            stream.push(piece)
        };
        to.write_all(&shown)?;
        last = shown.last().copied().or(last);
        if got == 0 {
            break;
        }
    }
    if last.is_some_and(|last| last != b'\n') {
        to.write_all(b"\n")?;
    }
    Ok(())
}
