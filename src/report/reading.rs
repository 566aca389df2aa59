//! What encoding a kept output is in, and the output as text, piece by piece: what is large is read
//! from its file twice rather than kept in memory.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoder, Encoding, UTF_8};

use crate::base::digest::Hasher;
use crate::event::Captured;

const PIECE: usize = 64 * 1024;

/// How one output reads, by the rules of [`crate::base::text::decode`]: a byte-order mark decides,
/// then strict UTF-8, then what the host speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// The encoding that fits.
    pub(super) encoding: &'static Encoding,
    /// Some bytes are no characters.
    pub(super) lossy: bool,
    /// The text, encoded again, is the very bytes that came.
    pub(super) exact: bool,
    /// All of it is ASCII, which most encodings agree on.
    pub(super) ascii: bool,
    /// The length of the byte-order mark.
    mark: usize,
}

impl Reading {
    /// Looks the output through; `host` is what the host speaks.
    pub(super) fn of(output: &Captured, host: &'static Encoding) -> io::Result<Self> {
        let mut start = Vec::new();
        output.reader()?.take(3).read_to_end(&mut start)?;
        if let Some((encoding, mark)) = Encoding::for_bom(&start) {
            let mut reading = Self {
                encoding,
                lossy: false,
                exact: false,
                ascii: false,
                mark,
            };
            reading.lossy = reading.decode(output, |_| Ok(()))?;
            return Ok(reading);
        }
        let mut reading = Self {
            encoding: UTF_8,
            lossy: false,
            exact: true,
            ascii: true,
            mark: 0,
        };
        let mut utf8 = Utf8::default();
        pieces(output, 0, |piece, _| {
            reading.ascii &= piece.is_ascii();
            Ok(utf8.push(piece))
        })?;
        // Where `--max-output` cuts, it may cut a character.
        if utf8.valid && (utf8.held.is_empty() || output.truncated()) {
            reading.lossy = !utf8.held.is_empty();
            reading.exact = utf8.held.is_empty();
            return Ok(reading);
        }
        reading.encoding = host;
        let mut again = Hasher::default();
        let mut encoder = host.new_encoder();
        reading.lossy = reading.decode(output, |text| {
            encode(&mut encoder, text, &mut again);
            Ok(())
        })?;
        reading.exact = !reading.lossy && again.finish() == output.digest;
        Ok(reading)
    }

    /// Hands out the text piece by piece; true when something did not fit.
    pub(super) fn decode(
        &self,
        output: &Captured,
        mut to: impl FnMut(&str) -> io::Result<()>,
    ) -> io::Result<bool> {
        let mut decoder = self.encoding.new_decoder_without_bom_handling();
        let mut lossy = false;
        pieces(output, self.mark, |piece, last| {
            let (text, unfit) = decode(&mut decoder, piece, last);
            lossy |= unfit;
            if !text.is_empty() {
                to(&text)?;
            }
            Ok(true)
        })?;
        Ok(lossy)
    }
}

/// Reads an output in pieces until `take` wants no more; the last is empty.
pub(super) fn pieces(
    output: &Captured,
    skip: usize,
    mut take: impl FnMut(&[u8], bool) -> io::Result<bool>,
) -> io::Result<()> {
    let mut reader = output.reader()?;
    io::copy(&mut reader.by_ref().take(skip as u64), &mut io::sink())?;
    let size = usize::try_from(output.kept).map_or(PIECE, |kept| kept.clamp(1, PIECE));
    let mut buffer = vec![0; size];
    loop {
        let got = match reader.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if !take(buffer.get(..got).unwrap_or_default(), got == 0)? || got == 0 {
            return Ok(());
        }
    }
}

/// Decodes one piece.
pub(super) fn decode(decoder: &mut Decoder, bytes: &[u8], last: bool) -> (String, bool) {
    let room = decoder.max_utf8_buffer_length(bytes.len());
    let mut text = String::with_capacity(room.unwrap_or(bytes.len() * 3 + 16));
    let (_, _, unfit) = decoder.decode_to_string(bytes, &mut text, last);
    (text, unfit)
}

fn encode(encoder: &mut Encoder, mut text: &str, to: &mut Hasher) {
    let mut buffer = [0; 4096];
    loop {
        let (result, read, written, _) = encoder.encode_from_utf8(text, &mut buffer, false);
        to.update(buffer.get(..written).unwrap_or_default());
        text = text.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

/// Whether a stream is UTF-8 so far.
struct Utf8 {
    valid: bool,
    /// The beginning of a character whose rest is yet to come.
    held: Vec<u8>,
}

impl Default for Utf8 {
    fn default() -> Self {
        Self {
            valid: true,
            held: Vec::new(),
        }
    }
}

impl Utf8 {
    /// Takes the next bytes; false once it is certain that this is no UTF-8.
    fn push(&mut self, mut bytes: &[u8]) -> bool {
        while !self.held.is_empty() {
            let Some((first, rest)) = bytes.split_first() else {
                return true;
            };
            self.held.push(*first);
            bytes = rest;
            match std::str::from_utf8(&self.held) {
                Ok(_) => self.held.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    self.valid = false;
                    return false;
                }
            }
        }
        if let Err(error) = std::str::from_utf8(bytes) {
            self.valid = error.error_len().is_none();
            self.held = bytes
                .get(error.valid_up_to()..)
                .unwrap_or_default()
                .to_vec();
        }
        self.valid
    }
}
